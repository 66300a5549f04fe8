// reactions.cpp: who reacted to what. The rows live in one partition a message, so that 100,000
// reactions cost the conversation nothing; its stream tells what is on the messages now: at once in
// direct conversations and groups, once a second in channels (DESIGN §3.1). Between the two commits
// the change feed remembers (retell).
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"
#include "core/reaction_job.hpp"
#include "core/read_as_member.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::size_t reactions_at_once = 256;
constexpr std::size_t tally_bytes = 64;  // of a reaction in a record, without users
constexpr auto tally_again_after = std::chrono::milliseconds(500);

Error unseen() {
  return {Errc::invalid_argument, "seq: expected the seq of a message you can see"};
}

std::size_t size_of(const DueTally& tally) {
  std::size_t size = tally_bytes + (tally.poll ? tally_bytes + 8 * tally.poll->votes.size() : 0);
  for (const auto& reaction : tally.reactions)
    size += tally_bytes + reaction.key.size() + 8 * reaction.users.size();
  return size;
}

}  // namespace

void Conversation::react(Caller caller, Seq seq, std::string key, bool on, Then<void> then) {
  if (caller.system())
    return then(Error{Errc::invalid_argument, "the system does not react: expected a user"});
  if (key.empty() || key.size() > limits::reaction_key)
    return then(Error{Errc::invalid_argument, "key: expected 1 to 32 bytes of UTF-8"});
  if (!base::valid_utf8(key))
    return then(Error{Errc::invalid_argument, "key: expected valid UTF-8"});
  state_->arrive({.caller = caller, .what = ReactOp{seq, std::move(key), on, std::move(then)}});
}

Decision Conversation::State::decide(Op& op, ReactOp& react) {
  Decision decision{};
  if (!actor(op, Action::react, decision)) return decision;
  op.error = hindered(op.caller);
  if (op.error) return decision;
  MessageRows::Entry* entry = message(op, react.seq, decision);
  if (entry == nullptr) return decision;
  const layout::StoredEvent& now = entry->dirty ? entry->staged : entry->row;
  const wire::RecordFields fields = wire::read_record(now.record.bytes());
  if (fields.deleted) {
    op.error = {Errc::invalid_argument, "seq: the message was deleted"};
    return decision;
  }
  if (fields.audience == audience::everyone && muffled(op)) return decision;  // nobody is to know
  reaction_queues[react.seq].waiting.push_back(
      {op.caller.user, std::move(react.key), react.on, std::move(react.then), {}});
  run_reactions(react.seq);
  return Decision::moved;
}

// ---- One commit a message: what waits, up to reactions_at_once ----

void Conversation::State::run_reactions(Seq seq) {
  ReactionQueue& queue = reaction_queues[seq];
  if (queue.busy) return;
  if (queue.waiting.empty() && !queue.look) {
    reaction_queues.erase(seq);
    return;
  }
  queue.busy = true;
  queue.look = false;
  auto job = std::make_shared<ReactionJob>();
  job->seq = seq;
  job->partition = layout::reaction_id(host.ns(), id, seq);
  while (!queue.waiting.empty() && job->writes.size() < reactions_at_once) {
    job->writes.push_back(std::move(queue.waiting.front()));
    queue.waiting.pop_front();
  }
  read_reactions(std::move(job));
}

/// The guard first, with the counts; the reactors may be newer, never older.
void Conversation::State::read_reactions(std::shared_ptr<ReactionJob> job) {
  auto request = owned_scan(layout::reaction, job->partition, "n", "q");  // the poll's row too
  scan(std::move(request), [this, job](Result<Rows> found) {
    if (!found) return reactions_done(*job, found.error());
    job->forget();
    if (found->guard) {
      const auto cell = layout::decode_count(*found->guard);
      if (!cell) return reactions_done(*job, unreadable("a partition of reactions"));
      job->cell = *cell;
      job->guard = std::string(*found->guard);
    }
    for (const Row& row : found->rows) {
      if (row.key == layout::poll_key()) {
        job->poll = layout::decode_poll(row.value);
        if (!job->poll) return reactions_done(*job, unreadable("a partition of reactions"));
        continue;
      }
      const auto count = layout::decode_reaction(row.value);
      if (!count) return reactions_done(*job, unreadable("a partition of reactions"));
      job->counts.emplace(row.key.substr(1), *count);
    }
    read_reactors(job);
  });
}

void Conversation::State::read_reactors(std::shared_ptr<ReactionJob> job) {
  job->all = job->cell.count <= limits::named_reactors + reactions_at_once;
  if (job->all) {
    auto request = owned_scan(layout::reaction, job->partition, "u", "v");
    request.max_rows = 2 * (limits::named_reactors + reactions_at_once);
    return scan(std::move(request), [this, job](Result<Rows> found) {
      if (!found) return reactions_done(*job, found.error());
      if (found->more) return reactions_done(*job, unreadable("a partition of reactions"));
      for (const Row& row : found->rows) {
        const auto reactor = layout::parse_reactor(row.key);
        if (!reactor) return reactions_done(*job, unreadable("a partition of reactions"));
        job->rows[{std::string(reactor->key), reactor->user}] = true;
      }
      read_ballots(job);
    });
  }
  std::vector<OwnedCell> cells;
  std::vector<std::pair<std::string, UserId>> named;
  for (const ReactionWrite& write : job->writes) {
    if (write.poll) continue;
    named.emplace_back(write.key, write.user);
    cells.push_back({layout::reaction, job->partition, layout::reactor_key(write.key, write.user)});
  }
  if (cells.empty()) return read_ballots(std::move(job));
  get(owned_get(std::move(cells)), [this, job, named](Result<Cells> found) {
    if (!found) return reactions_done(*job, found.error());
    for (std::size_t i = 0; i < named.size(); ++i)
      job->rows[named[i]] = found->values[i].has_value();
    read_ballots(job);
  });
}

Error Conversation::State::apply_reaction(ReactionJob& job, const ReactionWrite& write) {
  bool& there = job.rows[{write.key, write.user}];
  if (there == write.on) return {};  // it is so already
  const auto count = job.counts.find(write.key);
  if (write.on && count == job.counts.end() && job.counts.size() >= limits::reaction_keys)
    return {Errc::limit_reached, "key: 20 different reactions are on the message"};
  there = write.on;
  job.reactors[{write.key, write.user}] = write.on;
  job.keys[write.key] = true;
  if (write.on) {
    auto& row = job.counts[write.key];
    if (row.count++ == 0) row.since_ms = effects.now().wall_ms;
    ++job.cell.count;
  } else {
    if (--count->second.count == 0) job.counts.erase(count);
    --job.cell.count;
  }
  return {};
}

void Conversation::State::commit_reactions(std::shared_ptr<ReactionJob> job) {
  job->errors.clear();
  for (const ReactionWrite& write : job->writes)
    job->errors.push_back(write.poll ? apply_poll(*job, write) : apply_reaction(*job, write));
  if (job->reactors.empty() && !job->poll_changed) return reactions_done(*job, {});
  job->cell.revision += 1;
  job->cell.nonce = effects.random();
  BatchWriter writer(layout::reaction, job->partition,
                     64 * (job->reactors.size() + job->votes.size() + job->voters.size()));
  if (job->guard) writer.expect(*job->guard);
  writer.guard(layout::encode(job->cell));
  writer.note(layout::encode(
      layout::Note{layout::Note::Kind::reactions, job->seq, job->cell.revision, {}}));
  for (const auto& [reactor, on] : job->reactors) {
    const std::string key = layout::reactor_key(reactor.first, reactor.second);
    if (on)
      writer.put(key, {});
    else
      writer.erase(key);
  }
  for (const auto& [key, unused] : job->keys) {
    const auto count = job->counts.find(key);
    if (count != job->counts.end())
      writer.put(layout::reaction_key(key), layout::encode(count->second));
    else
      writer.erase(layout::reaction_key(key));
  }
  write_votes(*job, writer);
  commit(std::move(writer).finish(), [this, job](Settled outcome) {
    switch (outcome.outcome) {
      case Settled::Outcome::done:
        return reactions_done(*job, {});
      case Settled::Outcome::refused:  // what landed is found there: doing it again changes nothing
        return read_reactions(job);
      case Settled::Outcome::failed:
        return reactions_done(*job, outcome.error);
    }
  });
}

void Conversation::State::reactions_done(ReactionJob& job, const Error& error) {
  if (!error) {
    DueTally& due = due_tallies[job.seq];
    due.revision = job.cell.revision;
    due.reactions.clear();
    due.poll.reset();
    if (job.poll) due.poll = PollResults{job.poll->votes, job.poll->voters, job.poll->closed};
    const bool named = job.all && job.cell.count <= limits::named_reactors;
    for (const auto& [key, row] : job.counts) {
      DueTally::Reaction& reaction = due.reactions.emplace_back();
      reaction.key = key;
      reaction.row = row;
      if (!named) continue;
      for (const auto& [reactor, there] : job.rows)
        if (there && reactor.first == key) reaction.users.push_back(reactor.second);
    }
    std::sort(due.reactions.begin(), due.reactions.end(), [](const auto& a, const auto& b) {
      return std::tie(a.row.since_ms, a.key) < std::tie(b.row.since_ms, b.key);
    });
  }
  const std::vector<ReactionWrite> writes = std::move(job.writes);
  const std::vector<Error> errors = std::move(job.errors);
  reaction_queues[job.seq].busy = false;
  run_reactions(job.seq);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const Error& why = error ? error : errors[i];
    writes[i].then(why ? Result<void>(why) : Result<void>());
  }
  if (error && !told_waiters.empty()) {
    error.retryable() && !hurried ? start_tally_timer(tally_again_after) : drop_tallies(error);
  }
  if (!due_tallies.empty() && !tallies_ready()) start_tally_timer(limits::tally_period_channel);
  pump();
}

// ---- Telling the stream ----

bool Conversation::State::tallies_ready() const noexcept {
  return !due_tallies.empty() && (phase == Phase::ready || phase == Phase::cold) &&
         effects.now().steady >= next_tally;
}

void Conversation::State::start_tally_timer(std::chrono::milliseconds delay) {
  if (tally_timer != Effects::Timer::none) return;
  tally_timer = effects.start_timer(delay, [this, here = std::weak_ptr<const void>(alive)] {
    if (here.expired()) return;
    tally_timer = Effects::Timer::none;
    for (const TellWaiter& waiter : told_waiters) {  // a read that failed
      if (!due_tallies.contains(waiter.seq)) reaction_queues[waiter.seq].look = true;
    }
    std::vector<Seq> seqs;
    for (const auto& [seq, queue] : reaction_queues) seqs.push_back(seq);
    for (const Seq seq : seqs) run_reactions(seq);
    pump();
    if (!due_tallies.empty()) start_tally_timer(limits::tally_period_channel);  // not yet, or stuck
  });
}

/// One event tells the reactions of many messages.
void Conversation::State::stage_tallies() {
  if (!tallies_ready() || phase != Phase::ready || staged->birth) return;
  if ((staged->head.flags & layout::head_ended) != 0) return;
  wire::RecordFields event{.kind = EventKind::reactions};
  std::size_t bytes = 512;
  std::vector<std::pair<Seq, std::uint64_t>> over;  // told already, or nothing to tell
  for (const auto& [seq, due] : due_tallies) {
    if (event.tallies.size() == limits::tallies) break;
    if (seq < staged->head.floor) continue;  // it goes with what is erased
    MessageRows::Entry* entry = messages.find(seq);
    if (entry == nullptr) {
      want_message(seq);
      continue;
    }
    if (entry->phase == MessageRows::Phase::loading) continue;
    if (entry->phase == MessageRows::Phase::failed) {
      messages.erase(seq);
      start_tally_timer(tally_again_after);
      continue;
    }
    const Payload now = entry->dirty ? entry->staged.record : entry->row.record;
    const wire::RecordFields fields =
        entry->present ? wire::read_record(now.bytes()) : wire::RecordFields{};
    const bool told = !fields.tallies.empty() && fields.tallies[0].revision >= due.revision;
    const bool never = fields.tallies.empty() && due.reactions.empty() && due.revision == 0;
    const bool message = entry->present && fields.kind == EventKind::message;
    if (!message || fields.deleted || told || never) {
      over.emplace_back(seq, due.revision);
      continue;
    }
    wire::RecordFields about;
    inherit_audience(about, fields);
    if (event.tallies.empty()) inherit_audience(event, fields);
    if (about.audience != event.audience || about.target != event.target) continue;  // the next one
    const std::size_t more = 2 * size_of(due) + now.size() + 64;
    if (!fits(1, event.tallies.size() + 2, bytes + more)) break;
    bytes += more;
    wire::Tally& tally = event.tallies.emplace_back();
    tally.seq = seq;
    tally.revision = due.revision;
    tally.poll = due.poll;
    for (const DueTally::Reaction& reaction : due.reactions)
      tally.reactions.push_back({reaction.key, reaction.row.count, reaction.users});
  }
  for (const auto& [seq, revision] : over) {
    due_tallies.erase(seq);
    tell_waiters(seq, revision);
  }
  if (event.tallies.empty()) return;
  stage_event(event);
  for (const wire::Tally& tally : event.tallies) {
    MessageRows::Entry& entry = *messages.find(tally.seq);
    const Payload before = entry.dirty ? entry.staged.record : entry.row.record;
    wire::RecordFields fields = wire::read_record(before.bytes());
    fields.tallies = {tally};
    fields.changed = event.seq;
    stage_message(tally.seq, entry, fields);
    staged->told.emplace_back(tally.seq, tally.revision);
  }
}

void Conversation::State::tallies_committed(const Staged& done) {
  if (!done.told.empty() && channel() && !hurried)
    next_tally = effects.now().steady + limits::tally_period_channel;
  for (const auto& [seq, revision] : done.told) {
    const auto due = due_tallies.find(seq);
    if (due != due_tallies.end() && due->second.revision <= revision) due_tallies.erase(due);
    tell_waiters(seq, revision);
  }
  if (!due_tallies.empty()) start_tally_timer(limits::tally_period_channel);
}

/// The commit with them did not get through: again, but not at once.
void Conversation::State::tallies_failed(const Error& error) {
  if (due_tallies.empty()) return;
  if (hurried || !error.retryable()) return drop_tallies(error);
  next_tally = effects.now().steady + tally_again_after;
  start_tally_timer(tally_again_after);
}

/// The feed asks again in the next life.
void Conversation::State::drop_tallies(const Error& error) {
  due_tallies.clear();
  for (TellWaiter& waiter : std::exchange(told_waiters, {})) waiter.then(error);
}

void Conversation::State::tell_waiters(Seq seq, std::uint64_t revision) {
  std::vector<Then<void>> answers;
  std::erase_if(told_waiters, [&](TellWaiter& waiter) {
    if (waiter.seq != seq || waiter.revision > revision) return false;
    answers.push_back(std::move(waiter.then));
    return true;
  });
  for (auto& answer : answers) answer({});
}

void Conversation::retell(Seq seq, std::uint64_t revision, Then<void> then) {
  State& state = *state_;
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, seq, revision, then = std::move(then)](const Error& error) {
    if (error && error.errc() != Errc::denied) return then(error);
    if (error || seq < state.head.floor)  // the message is gone, and so are its reactions
      return state.erase_message_partitions(seq, [then](const Error& failed) {
        then(failed ? Result<void>(failed) : Result<void>());
      });
    const MessageRows::Entry* entry = state.messages.find(seq);
    if (entry != nullptr && entry->phase == MessageRows::Phase::ready) {
      if (!entry->present) return then({});
      const wire::RecordFields fields = wire::read_record(entry->row.record.bytes());
      const bool told = !fields.tallies.empty() && fields.tallies[0].revision >= revision;
      if (told || fields.deleted) return then({});
    }
    state.told_waiters.push_back({seq, revision, then});
    const auto due = state.due_tallies.find(seq);
    const auto queue = state.reaction_queues.find(seq);
    const bool busy = queue != state.reaction_queues.end() && queue->second.busy;
    if (due == state.due_tallies.end() && !busy) {
      state.reaction_queues[seq].look = true;
      state.run_reactions(seq);
    }
  });
}

// ---- Who ----

void Conversation::reactors(Caller caller, wire::Reactors asked, Then<wire::ReactorsPage> then) {
  if (asked.limit == 0 || asked.limit > limits::page_reactors)
    return then(Error{Errc::invalid_argument, "limit: expected 1 to 500 users"});
  if (asked.key.empty() || asked.key.size() > limits::reaction_key)
    return then(Error{Errc::invalid_argument, "key: expected 1 to 32 bytes of UTF-8"});
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then),
      [&state, asked = std::move(asked)](Seq from, Reader reader, Then<wire::ReactorsPage> answer) {
        if (asked.seq < from || asked.seq > state.head.head) return answer(unseen());
        state.when_message(asked.seq, reader, [&state, asked, answer](const Error& error) {
          error ? answer(error) : state.read_reactors(asked, answer);
        });
      });
}

/// Looks whether the event at `seq` is a message, and for the reader.
void Conversation::State::when_message(Seq seq, Reader reader,
                                       std::function<void(const Error&)> then) {
  ReadRange range{.partition = *name,
                  .conversation = id,
                  .ns = host.ns(),
                  .from = seq,
                  .to = seq,
                  .max_events = 1};
  read_events(
      effects, std::move(range), input<Result<EventPage>>([reader, then](Result<EventPage> page) {
        if (!page) return then(page.error());
        if (page->events.empty()) return then(unseen());
        const auto fields = wire::read_record(page->events.front().record.bytes());
        const bool seen = fields.kind == EventKind::message && core::visible(fields, reader);
        then(seen ? Error{} : unseen());
      }));
}

void Conversation::State::read_reactors(const wire::Reactors& asked,
                                        Then<wire::ReactorsPage> answer) {
  std::string first = layout::reactors_key(asked.key);
  if (asked.after) first = layout::reactor_key(asked.key, asked.after) + '\0';
  std::string end = layout::reactors_key(asked.key);
  end.append(9, '\xff');
  auto request = owned_scan(layout::reaction, layout::reaction_id(host.ns(), id, asked.seq),
                            std::move(first), std::move(end));
  request.max_rows = asked.limit;
  scan(std::move(request), [asked, answer](Result<Rows> rows) {
    if (!rows) return answer(std::move(rows).error());
    wire::ReactorsPage page{asked.conversation, asked.seq, {}, rows->more};
    for (const Row& row : rows->rows)
      if (const auto reactor = layout::parse_reactor(row.key)) page.users.push_back(reactor->user);
    answer(std::move(page));
  });
}

}  // namespace parley::core
