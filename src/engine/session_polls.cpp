// session_polls.cpp: what a session asks of polls. See session.cpp.
#include <utility>

#include "engine/start_call.hpp"
#include "parley/session.hpp"

namespace parley::inline v0 {
namespace {

using engine::Local;
using engine::start;

/// The answer to a vote says what is chosen now: what was asked for.
Pending<void> start_vote(const Local& session, wire::Vote vote, Completion<void> done) {
  return start<void, Ballot>(
      session, std::move(vote), [](Ballot&) { return Result<void>(); }, std::move(done));
}

Pending<Ballot> read_ballot(const Local& session, const ConversationId& id, Seq message,
                            Completion<Ballot> done) {
  return start<Ballot, Ballot>(
      session, wire::GetBallot{id, message},
      [](Ballot& ballot) -> Result<Ballot> { return std::move(ballot); }, std::move(done));
}

Pending<VotersPage> read_voters(const Local& session, const ConversationId& id, Seq message,
                                std::uint8_t option, VotersOptions options,
                                Completion<VotersPage> done) {
  return start<VotersPage, wire::VotersPage>(
      session, wire::Voters{id, message, option, options.after, options.limit},
      [](wire::VotersPage& answer) -> Result<VotersPage> {
        return VotersPage{std::move(answer.users), answer.more};
      },
      std::move(done));
}

}  // namespace

Pending<void> Session::vote(const ConversationId& conversation, Seq message,
                            std::vector<std::uint8_t> options) {
  return start_vote(session_, {conversation, message, std::move(options)}, {});
}
void Session::vote(const ConversationId& conversation, Seq message,
                   std::vector<std::uint8_t> options, Completion<void> done) {
  start_vote(session_, {conversation, message, std::move(options)}, std::move(done));
}
Pending<void> Session::close_poll(const ConversationId& conversation, Seq message) {
  return engine::start_simple(session_, wire::ClosePoll{conversation, message}, {});
}
void Session::close_poll(const ConversationId& conversation, Seq message, Completion<void> done) {
  engine::start_simple(session_, wire::ClosePoll{conversation, message}, std::move(done));
}
Pending<Ballot> Session::ballot(const ConversationId& conversation, Seq message) {
  return read_ballot(session_, conversation, message, {});
}
void Session::ballot(const ConversationId& conversation, Seq message, Completion<Ballot> done) {
  read_ballot(session_, conversation, message, std::move(done));
}
Pending<VotersPage> Session::voters(const ConversationId& conversation, Seq message,
                                    std::uint8_t option, VotersOptions options) {
  return read_voters(session_, conversation, message, option, options, {});
}
void Session::voters(const ConversationId& conversation, Seq message, std::uint8_t option,
                     VotersOptions options, Completion<VotersPage> done) {
  read_voters(session_, conversation, message, option, options, std::move(done));
}

}  // namespace parley::inline v0
