// operations_polls.cpp: what is asked about polls.
#include <utility>

#include "core/operations.hpp"
#include "core/shard_state.hpp"

namespace parley::core {

void Operations::operator()(wire::Vote&& vote) {
  if (!known_message(vote.conversation, vote.seq) || !has_user()) return;
  const ConversationId id = vote.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), vote = std::move(vote)](
                        ShardState& there, Conversation& home) {
    home.vote(who, vote.seq, vote.options, telling<Ballot>(there, ref, number, who.user));
  });
}

void Operations::operator()(wire::ClosePoll&& close) {
  if (!known_message(close.conversation, close.seq)) return;
  shard.at_home(close.conversation, [ref = ref, number = number, who = caller(), close](
                                        ShardState& there, Conversation& home) {
    home.close_poll(who, close.seq, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::GetBallot&& get) {
  if (!known_message(get.conversation, get.seq) || !has_user()) return;
  shard.at_home(get.conversation, [ref = ref, number = number, who = caller(), get](
                                      ShardState& there, Conversation& home) {
    home.ballot(who, get.seq, there.answering<Ballot>(ref, number, [](Ballot ballot) {
      return wire::Answer(std::move(ballot));
    }));
  });
}

void Operations::operator()(wire::Voters&& voters) {
  if (!known_message(voters.conversation, voters.seq)) return;
  shard.at_home(voters.conversation, [ref = ref, number = number, who = caller(), voters](
                                         ShardState& there, Conversation& home) {
    home.voters(who, voters,
                there.answering<wire::VotersPage>(ref, number, [](wire::VotersPage page) {
                  return wire::Answer(std::move(page));
                }));
  });
}

}  // namespace parley::core
