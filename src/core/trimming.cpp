// trimming.cpp: retention. The floor moves with one commit, and readers refuse what is below it at
// once; then that leaves the disk, some rows at a time (STORE §9). Also what erasing a whole
// conversation shares with it.
#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/erasing.hpp"
#include "core/event_reader.hpp"
#include "core/read_as_member.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t overlays_at_once = 256, chunks_at_once = 64;
constexpr Seq trimmed_at_once = 1'500;          // open events whose rows one commit erases
constexpr Seq least_slack = 64;                 // events above the bound before the floor moves
constexpr std::int64_t look_after_ms = 60'000;  // between two looks at the age
constexpr auto quiet_after = std::chrono::milliseconds(100);

/// Whether partitions of its own may belong to the message: of its reactions, of its thread. What
/// was deleted does not tell of its reactions any more.
bool has_partitions(const layout::StoredEvent& event) {
  const wire::RecordFields fields = wire::read_record(event.record.bytes());
  return fields.deleted || !fields.tallies.empty() || fields.thread.head != 0;
}

}  // namespace

// ---- What is kept ----

void Conversation::set_retention(Caller caller, Retention keep, Then<void> then) {
  const bool for_ever = keep.keep_for == std::chrono::milliseconds(0);
  if (!for_ever &&
      (keep.keep_for < limits::retention_least || keep.keep_for > limits::retention_most))
    return then(
        Error{Errc::invalid_argument, "keep_for: expected zero, or one hour to 36,600 days"});
  if (keep.keep_events > limits::retention_events)
    return then(Error{Errc::invalid_argument,
                      "keep_events: expected zero, or 1 to 1,000,000,000,000 events"});
  state_->arrive({.caller = caller, .what = RetentionOp{keep, std::move(then)}});
}

void Conversation::retention(Caller caller, Then<Retention> then) {
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then), [&state](Seq, const Reader&, Then<Retention> answer) {
        const layout::RetentionRow& row = state.keeping;
        answer(Retention{std::chrono::milliseconds(row.keep_for_ms), row.keep_events, row.hold});
      });
}

Decision Conversation::State::decide(Op& op, RetentionOp& change) {
  Decision decision{};
  if (!actor(op, Action::set_retention, decision)) return decision;
  layout::RetentionRow row = staged->keeping.value_or(keeping);
  const layout::RetentionRow before = row;
  if (!op.caller.system() && change.keep.hold && !row.hold) {
    op.error = denied();  // a hold is the host's
    return decision;
  }
  row.keep_for_ms = change.keep.keep_for.count();
  row.keep_events = change.keep.keep_events;
  if (op.caller.system()) row.hold = change.keep.hold;
  if (row == before) return decision;
  const bool may_go = row.keep_for_ms != 0 || (staged->head.flags & layout::head_has_due_messages);
  if (may_go && !row.hold && !wake_stored(op, host.settled_wall_ms() + 1'000, decision))
    return decision;
  if (!fits(0, 1, 64)) return Decision::full;
  stage_keeping(row);
  return decision;
}

void Conversation::State::stage_keeping(const layout::RetentionRow& row) {
  staged->keeping = row;
  staged->rows += 1;
  staged->bytes += 64;
  staged->head.flags |= layout::head_has_retention;
}

// ---- Where the floor is to be ----

struct Conversation::State::TrimJob {
  layout::RetentionRow keep;
  std::int64_t now_ms = 0, cutoff_ms = 0;
  Seq low = 1, high = 0;             // older than the cutoff below `low`, younger from `high` on
  std::int64_t young_ms = 0;         // of the event `high`
  std::optional<std::int64_t> next;  // when to look again
  Then<std::optional<std::int64_t>> then;
};

/// Answers when there is something to do next, for an age.
void Conversation::State::trim(std::int64_t now_ms, Then<std::optional<std::int64_t>> then) {
  auto job = std::make_shared<TrimJob>();
  job->keep = keeping;
  job->now_ms = now_ms;
  job->then = std::move(then);
  if (keeping.hold || head.floor > head.head) {
    if (keeping.keep_for_ms != 0 && !keeping.hold) job->next = now_ms + keeping.keep_for_ms;
    return job->then(job->next);
  }
  job->low = head.floor;
  job->high = head.head + 1;
  if (keeping.keep_for_ms == 0) return trim_found(job);
  job->cutoff_ms = now_ms - keeping.keep_for_ms;
  trim_probe(job, job->low);
}

/// A stream's times never go back: the first young event is found by halving.
void Conversation::State::trim_probe(const std::shared_ptr<TrimJob>& job, Seq seq) {
  read_one(seq, [this, job, seq](Result<layout::StoredEvent> event) {
    if (!event) return job->then(std::move(event).error());
    const std::int64_t time = wire::read_record(event->record.bytes()).time_ms;
    if (time <= job->cutoff_ms) {
      job->low = seq + 1;
    } else {
      job->high = seq;
      job->young_ms = time;
    }
    if (job->low < job->high) return trim_probe(job, job->low + (job->high - job->low) / 2);
    const std::int64_t from = job->young_ms != 0 ? job->young_ms : job->now_ms;
    job->next = std::max(from + job->keep.keep_for_ms, job->now_ms + look_after_ms);
    trim_found(job);
  });
}

void Conversation::State::trim_found(const std::shared_ptr<TrimJob>& job) {
  Seq floor = job->keep.keep_for_ms != 0 ? job->low : head.floor;
  if (job->keep.keep_events != 0 && head.head > job->keep.keep_events)
    floor = std::max(floor, head.head - job->keep.keep_events + 1);
  const Seq most = std::max(head.sealed, head.floor - 1) + 1 + trimmed_at_once;
  if (floor > most) {
    floor = most;
    job->next = job->now_ms;
  }
  if (floor <= head.floor) return job->then(job->next);
  read_one(floor - 1, [this, job, floor](Result<layout::StoredEvent> event) {
    if (!event) return job->then(std::move(event).error());
    const std::uint64_t ordinal = wire::read_record(event->record.bytes()).ordinal;
    arrive(
        {.what = TrimOp{floor, ordinal, event->mark, job->keep, [job](const Result<void>& moved) {
                          if (!moved) return job->then(moved.error());
                          job->then(job->next);
                        }}});
  });
}

void Conversation::State::read_one(Seq seq, Then<layout::StoredEvent> then) {
  ReadRange range{.partition = *name,
                  .conversation = id,
                  .ns = host.ns(),
                  .from = seq,
                  .to = seq,
                  .max_events = 1};
  read_events(effects, std::move(range),
              input<Result<EventPage>>([then = std::move(then)](Result<EventPage> page) {
                if (!page) return then(std::move(page).error());
                if (page->events.size() == 1) return then(std::move(page->events.front()));
                then(Error{Errc::unavailable, "the stream moved while it was read"});
              }));
}

/// By count: whenever enough came.
void Conversation::State::maybe_trim() {
  if (phase != Phase::ready || trimming || ended()) return;
  const Seq kept = head.head - head.floor + 1;
  const Seq most = keeping.keep_events + std::max<Seq>(least_slack, keeping.keep_events / 16);
  if (keeping.keep_events == 0 || keeping.hold || kept <= most) return erase_old();
  trimming = true;
  trim(host.settled_wall_ms(), [this](const Result<std::optional<std::int64_t>>&) {
    trimming = false;
    erase_old();
  });
}

Decision Conversation::State::decide(Op& op, TrimOp& trim) {
  const layout::RetentionRow& row = staged->keeping ? *staged->keeping : keeping;
  Decision decision = Decision::decided;
  const bool same =  // else whoever changed it brings a wake-up
      row.keep_for_ms == trim.keep.keep_for_ms && row.keep_events == trim.keep.keep_events;
  if (trim.floor <= staged->head.floor || trim.floor > head.head + 1 || row.hold || !same)
    return decision;
  // Who dies before the rest has left the disk is woken for it.
  if (!wake_stored(op, host.settled_wall_ms() + erased_within_ms, decision)) return decision;
  const Seq open = trim.floor - 1 > head.sealed ? trim.floor - 1 - head.sealed : 0;
  if (!fits(0, open + limits::pins + 1, 32 * (open + limits::pins))) return Decision::full;
  staged->trimmed = true;
  staged->head.floor = trim.floor;
  staged->head.floor_ordinal = trim.ordinal;
  staged->head.floor_mark = trim.mark;
  staged->head.sealed = std::max(staged->head.sealed, trim.floor - 1);  // its rows go as if sealed
  staged->rows += open;
  staged->bytes += 9 * open;
  for (const auto& [seq, pin] : pins)
    if (seq < trim.floor && pinned(seq)) stage_pin(seq, std::nullopt);
  return decision;
}

void Conversation::State::floor_committed() {
  cut_tail(head.floor - 1);
  const auto below = std::upper_bound(deleted.begin(), deleted.end(), head.floor_ordinal);
  for (auto ordinal = deleted.begin(); ordinal != below; ++ordinal)
    expired_keys.push_back(layout::deleted_key(*ordinal));
  deleted.erase(deleted.begin(), below);
}

Decision Conversation::State::decide(Op&, ErasedOp& done) {
  layout::RetentionRow row = staged->keeping.value_or(keeping);
  if (row.erased >= done.seq) return Decision::decided;
  row.erased = done.seq;
  stage_keeping(row);
  return Decision::decided;
}

// ---- Leaving the disk ----

struct Conversation::State::EraseJob {
  Seq from = 1, until = 1;   // of the stream; an end far beyond it means all
  std::string key;           // where the next page of overlays begins
  std::vector<Seq> parents;  // messages whose own partitions go next
  std::vector<Seq> overlays;
  bool more = false;
  std::function<void(const Error&)> then;
};

bool Conversation::State::to_erase() const noexcept {
  return phase == Phase::ready && !ended() && keeping.erased < head.floor;
}

void Conversation::State::erase_old() {
  if (!to_erase() || erasing) return;
  // What these write may lie below the floor.
  const bool busy = sealing || merging || !all_landed() ||
                    (!reaction_queues.empty() && reaction_queues.begin()->first < head.floor) ||
                    std::any_of(moving_threads.begin(), moving_threads.end(),
                                [this](Seq root) { return root < head.floor; });
  if (busy) return start_erase_timer();
  erasing = true;
  erase_stream(keeping.erased, head.floor, [this, until = head.floor](const Error& error) {
    if (error) {
      erasing = false;
      return start_erase_timer();
    }
    while (!due_tallies.empty() && due_tallies.begin()->first < until) {
      const auto [seq, due] = *due_tallies.begin();
      due_tallies.erase(due_tallies.begin());
      tell_waiters(seq, due.revision);
    }
    arrive({.what = ErasedOp{until, [this](const Result<void>& kept) {
                               erasing = false;
                               kept ? erase_old() : start_erase_timer();
                             }}});
  });
}

void Conversation::State::erase_stream(Seq from, Seq until,
                                       std::function<void(const Error&)> then) {
  auto job = std::make_shared<EraseJob>();
  job->from = from;
  job->until = until;
  job->then = std::move(then);
  // Reactions that the stream does not tell of yet, or never will.
  for (const auto& [seq, due] : due_tallies)
    if (seq < until) job->parents.push_back(seq);
  erase_overlays(std::move(job));
}

void Conversation::State::start_erase_timer() {
  if (erase_timer != Effects::Timer::none) return;
  erase_timer = effects.start_timer(quiet_after, [this, here = std::weak_ptr<const void>(alive)] {
    if (here.expired()) return;
    erase_timer = Effects::Timer::none;
    erase_old();
  });
}

/// Their own rows go with later commits, or with the whole partition.
void Conversation::State::erase_overlays(std::shared_ptr<EraseJob> job) {
  if (job->key.empty()) job->key = layout::overlay_key(0);
  auto request = owned_scan(layout::conversation, *name, job->key, layout::overlay_key(job->until));
  request.max_rows = overlays_at_once;
  scan(std::move(request), [this, job](Result<Rows> rows) {
    if (!rows) return job->then(rows.error());
    for (const Row& row : rows->rows) {
      const auto seq = layout::parse_number_key('o', row.key);
      if (!seq) continue;
      job->overlays.push_back(*seq);
      const auto event = layout::decode_event(id, *seq, row.value, rows->owner);
      if (event && has_partitions(*event)) job->parents.push_back(*seq);
    }
    job->more = rows->more && !rows->rows.empty();
    if (job->more) job->key = std::string(rows->rows.back().key) + '\0';
    erase_parents(job, [this, job] {
      for (const Seq seq : std::exchange(job->overlays, {}))
        if (!ended() && std::find(merged.begin(), merged.end(), seq) == merged.end())
          merged.push_back(seq);
      job->more ? erase_overlays(job) : erase_chunks(job);
    });
  });
}

void Conversation::State::erase_parents(std::shared_ptr<EraseJob> job, std::function<void()> then) {
  if (job->parents.empty()) return then();
  const Seq seq = job->parents.back();
  job->parents.pop_back();
  erase_message_partitions(seq, [this, job, then = std::move(then)](const Error& error) {
    error ? job->then(error) : erase_parents(job, then);
  });
}

void Conversation::State::erase_message_partitions(Seq seq,
                                                   std::function<void(const Error&)> then) {
  erase_partition(effects, alive, layout::reaction, layout::reaction_id(host.ns(), id, seq),
                  [this, seq, then = std::move(then)](const Error& error) {
                    if (error) return then(error);
                    erase_partition(effects, alive, layout::thread,
                                    layout::thread_id(host.ns(), id, seq), then);
                  });
}

/// One archive partition after the other, up to the last that may be there.
void Conversation::State::erase_chunks(std::shared_ptr<EraseJob> job) {
  const Seq last = std::min(job->until - 1, head.head);
  if (job->from > last) return job->then({});
  const std::string partition = layout::archive_id(host.ns(), id, job->from);
  auto request = owned_scan(layout::archive, partition, "c", layout::chunk_key(job->until));
  request.max_rows = chunks_at_once;
  scan(std::move(request), [this, job, partition](Result<Rows> rows) {
    if (!rows) return job->then(rows.error());
    const Seq next = ((job->from >> layout::archive_shift) + 1) << layout::archive_shift;
    if (!rows->guard || rows->rows.empty()) {
      const bool whole = rows->guard && next <= job->until;
      job->from = next;
      if (!whole) return erase_chunks(job);
      return erase_partition(
          effects, alive, layout::archive, partition,
          [this, job](const Error& error) { error ? job->then(error) : erase_chunks(job); });
    }
    auto batch = std::make_shared<BatchWriter>(layout::archive, partition, 4096);
    writer_of_chunks(*batch, *job, *rows);
    erase_parents(job, [this, job, batch, partition] {
      if (archive_name == partition) archive_guard.reset();  // sealing reads it again
      commit(std::move(*batch).finish(), [this, job](const Settled& outcome) {
        if (outcome.outcome == Settled::Outcome::failed) return job->then(outcome.error);
        erase_chunks(job);
      });
    });
  });
}

/// The chunk that the floor cuts is written anew from there.
void Conversation::State::writer_of_chunks(BatchWriter& writer, EraseJob& job, const Rows& rows) {
  layout::CountCell cell = layout::decode_count(*rows.guard).value_or(layout::CountCell{});
  cell.revision += 1;
  cell.nonce = effects.random();
  writer.expect(*rows.guard);
  writer.guard(layout::encode(cell));
  for (const Row& row : rows.rows) {
    writer.erase(row.key);
    auto chunk = layout::decode_chunk(id, row.value, rows.owner);
    if (!chunk) continue;
    for (const auto& event : *chunk)
      if (event.seq < job.until && has_partitions(event)) job.parents.push_back(event.seq);
    std::erase_if(*chunk, [&](const auto& event) { return event.seq < job.until; });
    if (!chunk->empty()) writer.put(layout::chunk_key(job.until), layout::encode_chunk(id, *chunk));
  }
}

}  // namespace parley::core
