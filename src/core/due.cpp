// due.cpp: what a conversation does at a certain time. A row of its own, written with the message
// that it is about, says what; a wake-up, stored before that row, sees to it (timers.hpp).
#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/erasing.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t due_at_once = 64;

/// The earlier of two times, of which there may be none.
std::optional<std::int64_t> earlier(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return !a || (b && *b < *a) ? b : a;
}

}  // namespace

// ---- Before the row: its wake-up ----

bool Conversation::State::wake_stored(Op& op, std::int64_t due_ms, Decision& decision) {
  decision = Decision::decided;
  if (wake_up.covers(due_ms)) return true;
  if (wake_error) {
    op.error = std::exchange(wake_error, {});
    return false;
  }
  decision = Decision::later;
  wake_up.ensure(host, layout::timer_of(id), due_ms,
                 input<Result<void>>([this](Result<void> stored) {
                   if (!stored) wake_error = std::move(stored).error();
                   pump();
                 }));
  return false;
}

void Conversation::State::stage_due(const layout::DueKey& due) {
  staged->due.push_back(due);
  staged->rows += 1;
  staged->bytes += 32;
  staged->head.flags |= layout::head_has_due_messages;
}

void Conversation::State::write_due(BatchWriter& writer) {
  for (const layout::DueKey& due : staged->due) writer.put(layout::due_key(due), {});
  for (const layout::DueKey& due : staged->due_done) writer.erase(layout::due_key(due));
}

// ---- When it is time ----

struct Conversation::State::WakeJob {
  std::int64_t now_ms = 0;
  std::optional<std::int64_t> next;
  std::size_t open = 0;
  bool more = false;
  Error error;
  Then<void> then;
};

void Conversation::wake(std::int64_t now_ms, Then<void> then) {
  State& state = *state_;
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, now_ms, then = std::move(then)](const Error& error) {
    if (state.ended()) return state.finish_end(then);
    if (error) return then(error);
    auto job = std::make_shared<State::WakeJob>();
    job->now_ms = now_ms;
    job->then = then;
    state.wake_up.passed(now_ms);
    state.run_due(job);
  });
}

/// What is due, a page at a time. What is being committed was covered by the wake-up that is
/// passing. Under a hold nothing goes; who lifts it brings a wake-up.
void Conversation::State::run_due(const std::shared_ptr<WakeJob>& job) {
  if (staged) {
    for (const layout::DueKey& due : staged->due) job->next = earlier(job->next, due.due_ms);
    const bool ends = (staged->head.flags & layout::head_ended) != 0;
    if (staged->keeping || ends) job->next = earlier(job->next, job->now_ms + 1'000);
    if (staged->trimmed) job->next = earlier(job->next, job->now_ms + erased_within_ms);
  }
  if (keeping.hold) return plan_wake(job);
  job->more = false;
  job->open = 1;
  auto request = owned_scan(layout::conversation, *name, "d", "e");
  request.max_rows = due_at_once + 1;
  scan(std::move(request), [this, job](Result<Rows> rows) {
    if (!rows) return wake_failed(job, rows.error());
    for (const Row& row : rows->rows) {
      const auto due = layout::parse_due_key(row.key);
      if (!due) continue;  // a later version's
      if (due->due_ms > job->now_ms) {
        job->next = earlier(job->next, due->due_ms);
        break;
      }
      job->more = rows->more;
      ++job->open;
      arrive({.what = DueOp{*due, [this, job](const Result<void>& done) {
                              if (!done) job->error = done.error();
                              due_done(job);
                            }}});
    }
    due_done(job);
  });
}

void Conversation::State::due_done(const std::shared_ptr<WakeJob>& job) {
  if (--job->open > 0) return;
  if (job->error) return wake_failed(job, job->error);
  if (job->more) return run_due(job);
  trim(job->now_ms, [this, job](Result<std::optional<std::int64_t>> next) {
    if (!next) return wake_failed(job, next.error());
    erase_old();
    job->next = earlier(job->next, *next);
    if (to_erase()) job->next = earlier(job->next, job->now_ms + erased_within_ms);
    plan_wake(job);
  });
}

/// What was to be done is denied by an end that was committed meanwhile: this wake-up may be the
/// one that carries it on.
void Conversation::State::wake_failed(const std::shared_ptr<WakeJob>& job, const Error& error) {
  ended() ? finish_end(job->then) : job->then(error);
}

void Conversation::State::plan_wake(const std::shared_ptr<WakeJob>& job) {
  if (!job->next) return job->then({});
  wake_up.ensure(host, layout::timer_of(id), *job->next, input<Result<void>>(job->then));
}

/// Expiry takes effect by an event: the message is deleted by the system. A poll's end is written
/// to its votes first.
Decision Conversation::State::decide(Op& op, DueOp& due) {
  Decision decision{};
  if (staged->keeping.value_or(keeping).hold) {  // set meanwhile
    op.error = {Errc::unavailable, "a legal hold keeps the message"};
    return decision;
  }
  MessageRows::Entry* entry = message(op, due.key.seq, decision);
  if (decision == Decision::later) return decision;
  if (entry == nullptr && op.error.errc() != Errc::invalid_argument) return decision;
  op.error = {};  // below the floor: nothing is left to be done
  if (!fits(0, 1, 32)) return Decision::full;
  const Payload record = entry == nullptr ? Payload() : message_now(*entry).record;
  const auto fields = entry == nullptr ? wire::RecordFields{} : wire::read_record(record.bytes());
  const bool expired = fields.expires_ms != 0 && fields.expires_ms <= due.key.due_ms;
  if (!expired && !due.poll_closed && poll_due(fields, due.key.due_ms)) {
    end_poll(due.key.seq, *fields.poll,
             [this, key = due.key, then = std::move(due.then)](Result<void> closed) {
               if (!closed) return then(std::move(closed));
               arrive({.what = DueOp{key, then, true}});
             });
    return Decision::moved;
  }
  if (expired) {
    decision = erase_message(op, due.key.seq, *entry);
    if (decision != Decision::decided || op.error) return decision;
  }
  const auto same = [&due](const layout::DueKey& done) { return done == due.key; };
  if (std::any_of(staged->due_done.begin(), staged->due_done.end(), same))
    return decision;  // for another wake-up
  staged->due_done.push_back(due.key);
  staged->rows += 1;
  staged->bytes += 32;
  return decision;
}

}  // namespace parley::core
