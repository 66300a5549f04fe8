// receipts.cpp: how far everybody has come: merged by maximum in memory, committed together, then
// announced (CONTRACT I6).
#include <algorithm>
#include <chrono>
#include <utility>

#include "core/event_reader.hpp"
#include "core/receipt_job.hpp"

namespace parley::core {
namespace {

constexpr std::size_t receipts_at_once = 2048;     // of one commit
constexpr std::size_t channel_rows_at_once = 200;  // each with up to 18 rows of counts
constexpr std::size_t rows_kept = 4096;            // of a channel's bucket
constexpr std::size_t counted_only = 1000;         // members above which only `read` is stored

}  // namespace

std::uint16_t Conversation::State::receipt_buckets() const noexcept {
  return channel() ? layout::channel_receipt_buckets : 1;
}

// ---- Marking ----

/// What the user may see bounds it; a position before that is left alone.
void Conversation::State::mark_read(const Caller& caller, const layout::MemberRow& row,
                                    Seq received, Seq read, Then<void> then) {
  const Seq top = row.role == Role::none ? std::min(head.head, row.left_at) : head.head;
  Marked marked{.received = std::min(received, top),
                .read = std::min(read, top),
                .hidden = caller.hides_reads || ignores(caller.user)};
  if (marked.read < row.visible_from) marked.read = 0;
  if (marked.received < row.visible_from) marked.received = 0;
  if (marked.read == 0) {  // what was received is a hint, for which nobody waits
    if (marked.received != 0) mark(caller.user, marked);
    return then({});
  }
  mark(caller.user, marked, std::move(then));
}

/// `then`, if any, once it is stored.
void Conversation::State::mark(UserId user, const Marked& marked, Then<void> then) {
  if (receipts.empty()) receipts.resize(receipt_buckets());
  ReceiptBucket& bucket = receipts[layout::bucket_of(user, receipt_buckets())];
  if (const auto row = bucket.rows.find(user); row != bucket.rows.end()) {
    const layout::ReceiptRow& known = row->second;
    if (marked.read <= known.read && marked.received <= known.received) {
      if (then) then({});
      return;
    }
  }
  Marked& merged = bucket.marked[user];
  if (marked.read > merged.read) {
    merged.read = marked.read;
    merged.ordinal = marked.ordinal;
    merged.has_ordinal = marked.has_ordinal;
    merged.hidden = marked.hidden;
    if (const auto ordinal = recent_ordinal(marked.read); !marked.has_ordinal && ordinal) {
      merged.ordinal = *ordinal;
      merged.has_ordinal = true;
    }
  }
  merged.received = std::max({merged.received, marked.received, marked.read});
  if (then) bucket.waiters[user].push_back({marked.received, marked.read, std::move(then)});
  start_receipt_timer();
}

void Conversation::State::marks_stored(ReceiptBucket& bucket, const ReceiptJob& job) {
  std::vector<Then<void>> told;
  for (const auto& [user, done] : job.marks) {
    const auto waiting = bucket.waiters.find(user);
    if (waiting == bucket.waiters.end()) continue;
    std::erase_if(waiting->second, [&told, &done](MarkWaiter& each) {
      if (each.read > done.read || each.received > done.received) return false;
      told.push_back(std::move(each.then));
      return true;
    });
    if (waiting->second.empty()) bucket.waiters.erase(waiting);
  }
  for (const Then<void>& then : told) then({});
}

void Conversation::State::drop_marks(ReceiptBucket& bucket, const Error& why) {
  bucket.marked.clear();
  for (const auto& [user, waiting] : std::exchange(bucket.waiters, {}))
    for (const MarkWaiter& each : waiting) each.then(why);
}

void Conversation::State::start_receipt_timer() {
  if (receipt_timer != Effects::Timer::none) return;
  const auto delay = channel() ? std::chrono::milliseconds(limits::receipt_delay_channel)
                               : std::chrono::milliseconds(limits::receipt_delay);
  receipt_timer = effects.start_timer(delay, [this, here = std::weak_ptr<const void>(alive)] {
    if (here.expired()) return;
    receipt_timer = Effects::Timer::none;
    flush_receipts();
  });
}

// ---- Reading ----

/// Committed positions only: what is shown never goes back, not by a crash either.
void Conversation::State::with_receipt(UserId user,
                                       std::function<void(Result<layout::ReceiptRow>)> then) {
  if (receipts.empty()) receipts.resize(receipt_buckets());
  if (channel()) {
    const auto bucket = layout::bucket_of(user, layout::channel_receipt_buckets);
    get(owned_get({{layout::receipt, layout::receipt_id(host.ns(), id, bucket),
                    layout::receipt_key(user)}}),
        [then = std::move(then)](Result<Cells> cells) {
          if (!cells) return then(cells.error());
          if (!cells->values[0]) return then(layout::ReceiptRow{});
          const auto row = layout::decode_receipt(*cells->values[0]);
          then(row ? Result<layout::ReceiptRow>(*row) : receipts_unreadable());
        });
    return;
  }
  if (receipts[0].loaded) {
    const auto row = receipts[0].rows.find(user);
    return then(row == receipts[0].rows.end() ? layout::ReceiptRow{} : row->second);
  }
  receipt_waiters.push_back({user, std::move(then)});
  if (reading_receipts) return;
  reading_receipts = true;
  load_receipts({});
}

/// Direct, group: the whole partition, under one guard.
void Conversation::State::load_receipts(std::string from) {
  if (from.empty()) {
    receipts[0].rows.clear();
    receipts[0].guard.reset();
    from = "r";
  }
  const bool first = from == "r";
  auto request =
      owned_scan(layout::receipt, layout::receipt_id(host.ns(), id, 0), std::move(from), "s");
  request.max_rows = rows_kept;
  scan(std::move(request), [this, first](Result<Rows> rows) {
    ReceiptBucket& bucket = receipts[0];
    Error error;
    if (!rows) {
      error = rows.error();
    } else {
      std::optional<std::string> guard_now;
      if (rows->guard) guard_now = std::string(*rows->guard);
      if (!first && guard_now != bucket.guard) return load_receipts({});  // moved between pages
      bucket.guard = std::move(guard_now);
      for (const Row& found : rows->rows) {
        const auto user = layout::parse_number_key('r', found.key);
        const auto row = layout::decode_receipt(found.value);
        if (user && row) bucket.rows[UserId{*user}] = *row;
        if (user && !row) error = receipts_unreadable();
      }
      if (!error && rows->more && !rows->rows.empty())
        return load_receipts(std::string(rows->rows.back().key) + '\0');
    }
    bucket.loaded = !error;
    reading_receipts = false;
    for (ReceiptWaiter& waiter : std::exchange(receipt_waiters, {})) {
      if (error) {
        waiter.then(error);
        continue;
      }
      const auto row = bucket.rows.find(waiter.user);
      waiter.then(row == bucket.rows.end() ? layout::ReceiptRow{} : row->second);
    }
  });
}

// ---- Committing ----

void Conversation::State::flush_receipts() {
  for (std::uint16_t bucket = 0; bucket < receipts.size(); ++bucket) {
    if (receipts[bucket].marked.empty() || receipts[bucket].busy) continue;
    receipts[bucket].busy = true;
    with_counts([this, bucket](const Error& error) {
      if (!error) return flush_bucket(bucket);
      ReceiptJob job{.bucket = bucket};
      receipts_failed(job, error);
    });
  }
}

void Conversation::State::flush_bucket(std::uint16_t bucket) {
  auto job = std::make_shared<ReceiptJob>();
  job->bucket = bucket;
  job->partition = layout::receipt_id(host.ns(), id, bucket);
  for (const auto& item : receipts[bucket].marked) {
    if (job->marks.size() == (channel() ? channel_rows_at_once : receipts_at_once)) break;
    job->marks.push_back(item);
  }
  std::sort(job->marks.begin(), job->marks.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  read_receipts(std::move(job));
}

void Conversation::State::read_receipts(std::shared_ptr<ReceiptJob> job) {
  ReceiptBucket& bucket = receipts[job->bucket];
  if (!channel()) {
    if (bucket.loaded) return find_ordinals(job);
    return with_receipt({}, [this, job](Result<layout::ReceiptRow> loaded) {
      if (!loaded) return receipts_failed(*job, loaded.error());
      find_ordinals(job);
    });
  }
  if (!bucket.loaded) {  // the guard first, then the rows that are needed
    bucket.rows.clear();
    bucket.counts.clear();
    get(owned_get({{layout::receipt, job->partition, {}}}), [this, job](Result<Cells> cells) {
      if (!cells) return receipts_failed(*job, cells.error());
      ReceiptBucket& mine = receipts[job->bucket];
      mine.guard.reset();
      if (cells->values[0]) mine.guard = std::string(*cells->values[0]);
      mine.loaded = true;
      read_receipts(job);
    });
    return;
  }
  std::vector<OwnedCell> cells;
  std::vector<UserId> users;
  for (const auto& [user, marked] : job->marks) {
    if (bucket.rows.contains(user)) continue;
    users.push_back(user);
    cells.push_back({layout::receipt, job->partition, layout::receipt_key(user)});
  }
  if (users.empty()) return find_ordinals(job);
  get(owned_get(std::move(cells)), [this, job, users](Result<Cells> found) {
    if (!found) return receipts_failed(*job, found.error());
    for (std::size_t i = 0; i < users.size(); ++i) {
      layout::ReceiptRow known;
      if (found->values[i]) {
        const auto row = layout::decode_receipt(*found->values[i]);
        if (!row) return receipts_failed(*job, receipts_unreadable());
        known = *row;
      }
      receipts[job->bucket].rows[users[i]] = known;
    }
    find_ordinals(job);
  });
}

/// The ordinal at each new read position that is not in memory.
void Conversation::State::find_ordinals(std::shared_ptr<ReceiptJob> job) {
  job->lookups = 1;
  const auto one_done = [this, job] {
    if (--job->lookups > 0) return;
    if (job->error) return receipts_failed(*job, job->error);
    commit_receipts(job);
  };
  const auto& rows = receipts[job->bucket].rows;
  for (std::size_t i = 0; i < job->marks.size(); ++i) {
    auto& [user, marked] = job->marks[i];
    const auto row = rows.find(user);
    const Seq known = row == rows.end() ? 0 : row->second.read;
    if (marked.has_ordinal || marked.read <= known) continue;
    if (const auto ordinal = recent_ordinal(marked.read)) {
      marked.ordinal = *ordinal;
      continue;
    }
    ++job->lookups;
    ReadRange range{.partition = *name,
                    .conversation = id,
                    .ns = host.ns(),
                    .from = marked.read,
                    .to = marked.read,
                    .max_events = 1};
    read_events(effects, std::move(range),
                input<Result<EventPage>>([job, i, one_done](Result<EventPage> page) {
                  Marked& found = job->marks[i].second;
                  if (!page) {
                    job->error = page.error();
                  } else if (!page->events.empty()) {
                    found.ordinal = wire::read_record(page->events[0].record.bytes()).ordinal;
                  } else {
                    found.ordinal = page->head.floor_ordinal;  // below the floor
                  }
                  one_done();
                }));
  }
  one_done();
}

void Conversation::State::commit_receipts(std::shared_ptr<ReceiptJob> job) {
  ReceiptBucket& bucket = receipts[job->bucket];
  const bool open = inherits && info.settings.join == JoinRule::open;
  const bool read_only = channel() && (open ? space_members : member_count()) > counted_only;
  job->changed.clear();
  for (const auto& [user, marked] : job->marks) {
    const auto known = bucket.rows.find(user);
    const layout::ReceiptRow before =
        known == bucket.rows.end() ? layout::ReceiptRow{} : known->second;
    layout::ReceiptRow row = before;
    if (marked.read > row.read) {
      row.read = marked.read;
      row.read_ordinal = marked.ordinal;
      if (!marked.hidden && !ignores(user)) row.shown = marked.read;
    }
    row.received = read_only ? std::max(row.received, row.read)
                             : std::max({row.received, marked.received, row.read});
    if (row.read == before.read && row.received == before.received) continue;
    row.time_ms = effects.now().wall_ms;
    job->changed.emplace_back(user, row);
  }
  if (job->changed.empty()) return receipts_settled(*job, {});
  if (channel()) return read_counts(std::move(job));
  write_receipts(std::move(job));
}

void Conversation::State::write_receipts(std::shared_ptr<ReceiptJob> job) {
  ReceiptBucket& bucket = receipts[job->bucket];
  BatchWriter writer(layout::receipt, job->partition, 64 * job->changed.size());
  add_counts(*job, writer);
  for (const auto& [user, row] : job->changed)
    writer.put(layout::receipt_key(user), layout::encode(row));
  layout::CountCell cell;
  if (bucket.guard) {
    const auto known = layout::decode_count(*bucket.guard);
    if (!known) return receipts_failed(*job, receipts_unreadable());
    cell = *known;
    writer.expect(*bucket.guard);
  }
  cell.revision += 1;
  cell.nonce = effects.random();
  job->new_guard = layout::encode(cell);
  writer.guard(job->new_guard);
  commit(std::move(writer).finish(), [this, job](const Settled& settled) {
    switch (settled.outcome) {
      case Settled::Outcome::done:
        receipts[job->bucket].guard = job->new_guard;
        return receipts_settled(*job, settled);
      case Settled::Outcome::refused:  // merging again is harmless, whatever landed
        receipts[job->bucket].loaded = false;
        return read_receipts(job);
      case Settled::Outcome::failed:
        return receipts_failed(*job, settled.error);
    }
  });
}

void Conversation::State::receipts_settled(ReceiptJob& job, const Settled&) {
  ReceiptBucket& bucket = receipts[job.bucket];
  std::vector<MovedReceipt> moved;
  for (const auto& [user, row] : job.changed) {
    const layout::ReceiptRow before = std::exchange(bucket.rows[user], row);
    // What was stored as shown is told, though its user blocks the other since.
    const bool own_only = ignores(user) && row.shown == before.shown;
    moved.push_back({{user, row.received, row.read}, row.shown, own_only});
  }
  std::sort(moved.begin(), moved.end(),
            [](const auto& a, const auto& b) { return a.own.user < b.own.user; });
  for (auto& [key, count] : job.counts) bucket.counts[key] = count;
  if (bucket.counts.size() > rows_kept) bucket.counts.clear();
  for (const auto& [user, done] : job.marks) {
    const auto now = bucket.marked.find(user);
    if (now == bucket.marked.end()) continue;
    if (now->second.read <= done.read && now->second.received <= done.received)
      bucket.marked.erase(now);
  }
  if (channel() && bucket.rows.size() > rows_kept) bucket.rows.clear();
  bucket.busy = false;
  if (!bucket.marked.empty()) start_receipt_timer();
  if (!moved.empty()) host.receipts_moved(id, info.kind, moved, head.head);
  marks_stored(bucket, job);
}

void Conversation::State::receipts_failed(ReceiptJob& job, const Error& error) {
  receipts[job.bucket].busy = false;
  if (!error.retryable()) {
    effects.log(Effects::Severity::warning, "receipts were not stored: " + error.message);
    return drop_marks(receipts[job.bucket], error);
  }
  start_receipt_timer();
}

}  // namespace parley::core
