// polls.cpp: votes and the end of polls. They are written where the reactions to the message are
// (reactions.cpp), and told with those: a closed poll is closed there, so no vote passes its end.
#include "core/polls.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"
#include "core/reaction_job.hpp"
#include "core/read_as_member.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

Error no_poll() { return {Errc::invalid_argument, "seq: expected the seq of a poll you can see"}; }
Error poll_closed() { return {Errc::denied, "the poll is closed"}; }

bool told_closed(const wire::RecordFields& message) {
  return !message.tallies.empty() && message.tallies[0].poll && message.tallies[0].poll->closed;
}

/// Why that cannot be chosen there.
Error check_choice(const wire::PollTerms& poll, std::uint32_t chosen) {
  if (chosen >> poll.options.size() != 0)
    return {Errc::invalid_argument, "options: there are fewer in the poll"};
  const bool several = (chosen & (chosen - 1)) != 0;
  if (several && !poll.multiple)
    return {Errc::invalid_argument, "options: expected one in this poll"};
  return {};
}

std::vector<std::uint8_t> options_in(std::uint32_t chosen) {
  std::vector<std::uint8_t> options;
  for (std::uint8_t option = 0; option < limits::poll_options; ++option)
    if ((chosen >> option & 1) != 0) options.push_back(option);
  return options;
}

}  // namespace

Error check_poll(const wire::Send& send) {
  if (!send.poll) return {};
  constexpr std::chrono::milliseconds least = limits::poll_least, most = limits::poll_most;
  const auto& [options, multiple, anonymous, closes_after] = *send.poll;
  if (options.size() < 2 || options.size() > limits::poll_options)
    return {Errc::invalid_argument, "poll.options: expected 2 to 20"};
  for (const std::string& option : options) {
    if (option.empty() || option.size() > limits::poll_option)
      return {Errc::invalid_argument, "poll.options: expected 1 to 256 bytes of each"};
    if (!base::valid_utf8(option))
      return {Errc::invalid_argument, "poll.options: expected valid UTF-8"};
  }
  if (closes_after.count() != 0 && (closes_after < least || closes_after > most))
    return {Errc::invalid_argument, "poll.closes_after: expected 1 second to 366 days"};
  if (send.body.empty()) return {Errc::invalid_argument, "body: expected the poll's question"};
  return {};
}

// ---- Arrival ----

void Conversation::vote(Caller caller, Seq seq, const std::vector<std::uint8_t>& options,
                        Then<Ballot> then) {
  if (caller.system())
    return then(Error{Errc::invalid_argument, "the system does not vote: expected a user"});
  std::uint32_t chosen = 0;
  for (const std::uint8_t option : options) {
    if (option >= limits::poll_options)
      return then(Error{Errc::invalid_argument, "options: expected numbers below 20"});
    chosen |= std::uint32_t{1} << option;
  }
  auto answer = [this, seq, chosen, then = std::move(then)](Result<void> stored) {
    if (!stored) return then(std::move(stored).error());
    then(Ballot{id_, seq, options_in(chosen)});
  };
  state_->arrive({.caller = caller, .what = VoteOp{seq, chosen, std::move(answer)}});
}

void Conversation::close_poll(Caller caller, Seq seq, Then<void> then) {
  state_->arrive({.caller = caller, .what = ClosePollOp{seq, std::move(then)}});
}

// ---- Deciding ----

Decision Conversation::State::decide(Op& op, VoteOp& vote) {
  Decision decision{};
  if (!actor(op, Action::react, decision)) return decision;
  op.error = hindered(op.caller);
  if (op.error) return decision;
  MessageRows::Entry* entry = message(op, vote.seq, decision);
  if (entry == nullptr) return decision;
  const Payload now = message_now(*entry).record;
  const wire::RecordFields fields = wire::read_record(now.bytes());
  if (!fields.poll || fields.deleted) {
    op.error = no_poll();
    return decision;
  }
  const std::int64_t closes = fields.poll->closes_ms;
  const bool over = closes != 0 && host.settled_wall_ms() >= closes;
  op.error = over || told_closed(fields) ? poll_closed() : check_choice(*fields.poll, vote.chosen);
  if (op.error) return decision;
  if (fields.audience == audience::everyone && muffled(op)) return decision;  // nobody is to know
  const PollWrite what{vote.chosen, static_cast<std::uint8_t>(fields.poll->options.size()),
                       fields.poll->anonymous, false};
  write_poll(vote.seq, op.caller.user, what, std::move(vote.then));
  return Decision::moved;
}

Decision Conversation::State::decide(Op& op, ClosePollOp& close) {
  Decision decision{};
  const auto role = actor(op, Action::delete_own, decision);
  if (!role) return decision;
  MessageRows::Entry* entry = message(op, close.seq, decision);
  if (entry == nullptr) return decision;
  const Payload now = message_now(*entry).record;
  const wire::RecordFields fields = wire::read_record(now.bytes());
  const bool own = !op.caller.system() && fields.sender == op.caller.user;
  if (!fields.poll || fields.deleted)
    op.error = no_poll();
  else if (!own && !op.caller.system() && !may(Action::delete_any, *role))
    op.error = denied();
  if (op.error || told_closed(fields)) return decision;
  end_poll(close.seq, *fields.poll, std::move(close.then));
  return Decision::moved;
}

bool Conversation::State::poll_due(const wire::RecordFields& message, std::int64_t due_ms) {
  return message.poll && message.poll->closes_ms != 0 && message.poll->closes_ms <= due_ms &&
         !told_closed(message);
}

void Conversation::State::end_poll(Seq seq, const wire::PollTerms& poll, Then<void> then) {
  const auto options = static_cast<std::uint8_t>(poll.options.size());
  write_poll(seq, {}, {.options = options, .close = true}, std::move(then));
}

void Conversation::State::write_poll(Seq seq, UserId user, const PollWrite& what, Then<void> then) {
  reaction_queues[seq].waiting.push_back({.user = user, .then = std::move(then), .poll = what});
  run_reactions(seq);
}

// ---- The commit, with the message's reactions ----

void Conversation::State::read_ballots(std::shared_ptr<ReactionJob> job) {
  std::vector<OwnedCell> cells;
  std::vector<UserId> users;
  for (const ReactionWrite& write : job->writes) {
    if (!write.poll || write.poll->close || !job->ballots.emplace(write.user, 0).second) continue;
    users.push_back(write.user);
    cells.push_back({layout::reaction, job->partition, layout::ballot_key(write.user)});
  }
  if (cells.empty()) return commit_reactions(std::move(job));
  get(owned_get(std::move(cells)), [this, job, users](Result<Cells> found) {
    if (!found) return reactions_done(*job, found.error());
    for (std::size_t i = 0; i < users.size(); ++i) {
      if (!found->values[i]) continue;
      const auto chosen = layout::decode_ballot(*found->values[i]);
      if (!chosen) return reactions_done(*job, unreadable("a partition of votes"));
      job->ballots[users[i]] = *chosen;
    }
    commit_reactions(job);
  });
}

Error Conversation::State::apply_poll(ReactionJob& job, const ReactionWrite& write) {
  const PollWrite& what = *write.poll;
  layout::PollRow& row = job.poll ? *job.poll : job.poll.emplace();
  row.votes.resize(what.options);
  if (what.close) {
    if (std::exchange(row.closed, true)) return {};
    row.closed_ms = effects.now().wall_ms;
    job.poll_changed = true;
    return {};
  }
  std::uint32_t& before = job.ballots[write.user];
  if (before == what.chosen) return {};  // it is so already
  if (row.closed) return poll_closed();
  for (std::uint8_t option = 0; option < what.options; ++option) {
    const bool was = (before >> option & 1) != 0, is = (what.chosen >> option & 1) != 0;
    if (was == is) continue;
    is ? ++row.votes[option] : --row.votes[option];
    if (!what.anonymous) job.votes[{option, write.user}] = is;
  }
  if (before == 0) ++row.voters;
  if (what.chosen == 0) --row.voters;
  before = what.chosen;
  job.voters[write.user] = true;
  job.poll_changed = true;
  return {};
}

void Conversation::State::write_votes(const ReactionJob& job, BatchWriter& writer) {
  if (job.poll_changed) writer.put(layout::poll_key(), layout::encode(*job.poll));
  for (const auto& [user, unused] : job.voters) {
    const std::uint32_t chosen = job.ballots.at(user);
    if (chosen != 0)
      writer.put(layout::ballot_key(user), layout::encode_ballot(chosen));
    else
      writer.erase(layout::ballot_key(user));
  }
  for (const auto& [vote, there] : job.votes) {
    const std::string key = layout::vote_key(vote.first, vote.second);
    if (there)
      writer.put(key, {});
    else
      writer.erase(key);
  }
}

// ---- Reading ----

/// The message with its poll, for somebody who may see it.
void Conversation::State::read_poll(Seq seq, Seq from, Reader reader, Then<Payload> then) {
  if (seq < from || seq > head.head) return then(no_poll());
  read_messages({seq}, reader, [then = std::move(then)](Result<std::vector<Payload>> found) {
    if (!found) return then(std::move(found).error());
    if (found->empty()) return then(no_poll());
    const wire::RecordFields fields = wire::read_record(found->front().bytes());
    if (!fields.poll || fields.deleted) return then(no_poll());
    then(std::move(found->front()));
  });
}

void Conversation::ballot(Caller caller, Seq seq, Then<Ballot> then) {
  if (caller.system())
    return then(Error{Errc::invalid_argument, "the system does not vote: expected a user"});
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then), [&state, seq](Seq from, Reader reader, Then<Ballot> answer) {
        state.read_poll(seq, from, reader, [&state, seq, reader, answer](Result<Payload> poll) {
          if (!poll) return answer(std::move(poll).error());
          state.get(
              owned_get({{layout::reaction, layout::reaction_id(state.host.ns(), state.id, seq),
                          layout::ballot_key(reader.user)}}),
              [&state, seq, answer](Result<Cells> found) {
                if (!found) return answer(std::move(found).error());
                Ballot ballot{state.id, seq, {}};
                if (found->values[0]) {
                  const auto chosen = layout::decode_ballot(*found->values[0]);
                  if (!chosen) return answer(unreadable("a partition of votes"));
                  ballot.options = options_in(*chosen);
                }
                answer(std::move(ballot));
              });
        });
      });
}

void Conversation::voters(Caller caller, const wire::Voters& asked, Then<wire::VotersPage> then) {
  if (asked.limit == 0 || asked.limit > limits::page_voters)
    return then(Error{Errc::invalid_argument, "limit: expected 1 to 500 users"});
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then),
      [&state, asked](Seq from, Reader reader, Then<wire::VotersPage> answer) {
        state.read_poll(asked.seq, from, reader, [&state, asked, answer](Result<Payload> message) {
          if (!message) return answer(std::move(message).error());
          const wire::RecordFields fields = wire::read_record(message->bytes());
          if (asked.option >= fields.poll->options.size())
            return answer(Error{Errc::invalid_argument, "option: there are fewer in the poll"});
          if (fields.poll->anonymous) return answer(Error{Errc::denied, "the poll is anonymous"});
          state.read_voters(asked, answer);
        });
      });
}

void Conversation::State::read_voters(const wire::Voters& asked, Then<wire::VotersPage> answer) {
  std::string first = layout::vote_key(asked.option, asked.after);
  if (asked.after) first.push_back('\0');
  auto request = owned_scan(layout::reaction, layout::reaction_id(host.ns(), id, asked.seq),
                            std::move(first), layout::vote_key(asked.option + 1, {}));
  request.max_rows = asked.limit;
  scan(std::move(request), [asked, answer = std::move(answer)](Result<Rows> rows) {
    if (!rows) return answer(std::move(rows).error());
    wire::VotersPage page{asked.conversation, asked.seq, asked.option, {}, rows->more};
    for (const Row& row : rows->rows)
      if (const auto user = layout::parse_vote(row.key)) page.users.push_back(*user);
    answer(std::move(page));
  });
}

}  // namespace parley::core
