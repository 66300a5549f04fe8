// lmdb/writer.cpp: see the header.
#include "lmdb/writer.hpp"

#include <errno.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <type_traits>
#include <utility>

#include "base/os.hpp"
#include "lmdb/group_builder.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t group_batches = 1024;
constexpr std::size_t group_rows = 16'384;  // bounds the pages that one transaction touches
constexpr std::size_t group_bytes = 1024 * 1024;
constexpr std::size_t kept_operations = 4096;  // room for so many is kept
constexpr std::chrono::nanoseconds longest_wait = std::chrono::milliseconds(1);  // for company
constexpr std::size_t forget_step = 4096;     // feed entries forgotten in one group
constexpr std::uint32_t worth_a_thread = 32;  // batches; fewer are merged after the flush

Error full_error() {
  return {Errc::disk_full, "the store's disk or max_size is used up; erase something"};
}

}  // namespace

Writer::Writer(Parts parts, std::uint64_t lsn, const FeedState& feed, WriterOptions options)
    : parts_(parts),
      options_(std::move(options)),
      lsn_(lsn),
      feed_(feed),
      space_(parts.env, parts.readers, parts.hooks, options_.max_size),
      flusher_(parts.ring, options_.thread_start, options_.thread_stop) {
  const base::SignalBlock block;
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();  // destroyed by the very last completion: run() touches nothing any more
  else
    thread_.join();
}

Error Writer::submit(Batch& batch, Store::Done<Committed>& done) {
  return enqueue(store::batch_bytes(batch) + 256, [&](Operation& operation) {
    operation.batch = std::move(batch);
    operation.done = std::move(done);
  });
}

Error Writer::forget(std::uint64_t through, Store::Done<Result<void>>& done) {
  return enqueue(256, [&](Operation& operation) {
    operation.forget = through;
    operation.forgot = std::move(done);
  });
}

/// `fill` takes the caller's things over; it is not run when the operation is not taken.
template <class Fill>
Error Writer::enqueue(std::size_t bytes, const Fill& fill) {
  static_assert(std::is_nothrow_move_constructible_v<Operation>);
  std::lock_guard lock(mutex_);
  if (!taking_) return store::closed_error();
  // One batch always fits, however small the limit.
  if (queue_bytes_ != 0 && queue_bytes_ + bytes > options_.queue_limit) {
    Error error{Errc::busy, "too many bytes of commits wait for the disk"};
    error.retry_after = std::chrono::milliseconds(100);
    return error;
  }
  Operation& operation = queue_.emplace_back();  // may fail; nothing after it does
  operation.bytes = bytes;
  queue_bytes_ += bytes;
  fill(operation);
  // Under the lock: once it is free, the last completion may destroy this.
  if (wanted_ != 0 && queue_.size() >= wanted_) {
    wanted_ = 0;
    wake_.notify_one();
  }
  return {};
}

void Writer::stop_taking() {
  std::lock_guard lock(mutex_);
  taking_ = false;
}

void Writer::finish(std::function<void()> last) {
  std::lock_guard lock(mutex_);
  taking_ = false;
  wanted_ = 0;
  last_ = std::move(last);
  wake_.notify_one();  // under the lock: once it is free, `last` may destroy this
}

void Writer::run() {
  base::name_thread("parley-write");
  if (options_.thread_start) options_.thread_start();
  std::function<void()> last;
  while (take(last)) {
    while (next_ != taken_.size()) write_group(next_group());
  }
  flusher_.stop();
  if (options_.thread_stop) options_.thread_stop();
  last();
}

/// Waits for operations and takes all there are. False when none will come any more.
bool Writer::take(std::function<void()>& last) {
  taken_.clear();
  next_ = 0;
  if (taken_.capacity() > kept_operations) taken_.shrink_to_fit();
  std::unique_lock lock(mutex_);
  while (queue_.empty() && !last_) {
    wanted_ = 1;
    wake_.wait(lock);
  }
  // Who was told of the last group is about to send what follows: the first to come does not go
  // alone, while the others would wait for its flush.
  if (queue_.size() < last_size_ / 2 && !last_ && taking_) {
    wanted_ = last_size_ / 2;
    wake_.wait_for(lock, std::min(last_took_ / 4, longest_wait), [this] { return wanted_ == 0; });
  }
  wanted_ = 0;
  taken_.swap(queue_);
  if (taken_.empty()) last = std::exchange(last_, nullptr);
  return !taken_.empty();
}

/// The next of what is taken that can be written together.
Writer::Range Writer::next_group() {
  std::size_t end = next_, rows = 0, bytes = 0;
  for (; end != taken_.size() && end - next_ < group_batches; ++end) {
    const Operation& each = taken_[end];
    const bool first = end == next_;
    // What ends a partition must find everything before it published.
    if (!first && (each.forgot || !each.batch.guard)) break;
    rows += each.batch.puts.size() + each.batch.erases.size() + 1;
    if (!first && (rows > group_rows || bytes + each.bytes > group_bytes)) break;
    bytes += each.bytes;
    if (each.forgot) {
      ++end;
      break;
    }
  }
  const Range group(taken_.data() + next_, end - next_);
  next_ = end;
  std::lock_guard lock(mutex_);
  queue_bytes_ -= bytes;
  return group;
}

void Writer::write_group(Range group) {
  if (group.front().forgot) return forget(group.front());
  write_range(group);
  (void)parts_.hooks.run(Step::complete);
  last_size_ = group.size();
  for (Operation& operation : group) operation.done(std::move(operation.answer));
}

Backlog Writer::size_of(Range range) {
  Backlog size{.batches = range.size()};
  for (const Operation& operation : range) {
    size.bytes += operation.bytes;
    size.rows += operation.batch.puts.size() + operation.batch.erases.size() + 2;
  }
  return size;
}

void Writer::write_range(Range range) {
  parts_.folder.wait_for_room();
  if (Error error = parts_.failure.error()) return fail(range, error);
  bool fits = false, flushed = false;
  try {
    Backlog all = parts_.tails.backlog();
    const Backlog more = size_of(range);
    all.bytes += more.bytes;
    all.rows += more.rows;
    int code = parts_.hooks.run(Step::begin);
    if (code == 0) code = space_.check(all, fits);
    if (code == 0 && fits) code = append(range, flushed, fits);
    if (code != 0) return stop_failing(range, code, flushed);
    if (fits) return;
    parts_.folder.drain();
    write_through(range);
  } catch (const std::bad_alloc&) {
    if (flushed) return stop_failing(range, ENOMEM, true);
    fail(range, {Errc::unavailable, "no memory for this commit"});
  }
}

/// None when no batch of them is to be written.
int Writer::build(Range range, std::shared_ptr<LogGroup>& group) {
  std::size_t bytes = 0;
  for (const Operation& operation : range) bytes += LogGroup::encoded_size(operation.batch);
  auto reader = parts_.readers.take();
  if (!reader) return EIO;
  GroupBuilder builder(parts_.tails, *reader, bytes, feed_, options_.feed_limit);
  int code = parts_.hooks.run(Step::write);
  for (Operation& operation : range) {
    if (code != 0) return code;
    code = builder.apply(operation.batch, operation.answer);
  }
  if (code == 0 && !builder.empty()) group = builder.finish(lsn_ + 1);
  return code;
}

int Writer::append(Range range, bool& flushed, bool& fits) {
  std::shared_ptr<LogGroup> group;
  const int code = build(range, group);
  return code == 0 && group ? append(group, flushed, fits) : code;
}

int Writer::append(const std::shared_ptr<LogGroup>& group, bool& flushed, bool& fits) {
  auto room = parts_.ring.make_room(*group);
  while (room && *room == LogRing::Room::wait && !parts_.failure.stopped()) {
    parts_.folder.wait_for_fold();
    room = parts_.ring.make_room(*group);
  }
  if (!room) return EIO;
  fits = *room == LogRing::Room::there;
  if (!fits) return parts_.failure.stopped() ? EIO : 0;
  flushed = true;  // or perhaps so
  const auto began = std::chrono::steady_clock::now();
  int code = parts_.hooks.run(Step::commit);
  if (code == 0) code = parts_.ring.write(*group);
  if (code == 0) code = flush(group);
  last_took_ = std::chrono::steady_clock::now() - began;
  if (code == 0) code = parts_.hooks.run(Step::committed);
  if (code != 0) return code;
  parts_.tails.publish(*group);
  parts_.folder.notice();
  lsn_ = group->lsn();
  feed_ = group->feed();
  return 0;
}

/// Merges the group into the tail as well: a large one while the disk works.
int Writer::flush(const std::shared_ptr<LogGroup>& group) {
  const bool meanwhile = group->batches() >= worth_a_thread && flusher_.begin();
  int code = meanwhile ? 0 : parts_.ring.flush();
  int merged = 0;
  try {
    if (code == 0) parts_.tails.add(group);
  } catch (const std::bad_alloc&) {
    merged = ENOMEM;  // it may be durable, and cannot be shown: reopening recovers
  }
  if (meanwhile) code = flusher_.wait();
  return code != 0 ? code : merged;
}

// Nothing is in the tails. What LMDB has room for is only known when it has been written.
void Writer::write_through(Range range) {
  const bool alone = range.size() == 1;
  const bool erasing =
      std::all_of(range.begin(), range.end(), [](const Operation& each) { return each.erasing(); });
  bool full = false;
  while (!full) {
    if (Error error = parts_.failure.error()) return fail(range, error);
    bool flushed = false;
    int code = space_.reserve(size_of(range), erasing, full);
    if (code == 0 && !full) code = write_at_once(range, flushed);
    if (code == 0 && !full) return;
    if (code == MDB_MAP_FULL) code = space_.grow_map(alone, erasing, full);
    if (code != 0) return stop_failing(range, code, flushed);
  }
  // No room for all of them together: each for itself, so that what erases still gets in.
  if (alone) return fail(range, full_error());
  for (std::size_t i = 0; i < range.size(); ++i) write_through(range.subspan(i, 1));
}

int Writer::write_at_once(Range range, bool& flushed) {
  std::shared_ptr<LogGroup> group;
  int code = build(range, group);
  if (code != 0 || !group) return code;
  MemoryTail tail;
  tail.add(group);
  Fold fold(parts_.env, parts_.hooks, parts_.ring.files());
  code = fold.write(tail, false);
  flushed = fold.flushed();
  if (code == 0) code = parts_.hooks.run(Step::committed);
  if (code != 0) return code;
  parts_.tails.publish_folded(*group, fold.txn_id());
  parts_.ring.release(group->lsn());
  lsn_ = group->lsn();
  feed_ = group->feed();
  return 0;
}

void Writer::fail(Range range, const Error& error) {
  for (Operation& operation : range) operation.answer = not_committed(error);
}

void Writer::stop_failing(Range range, int code, bool flushed) {
  parts_.failure.stop(code);
  parts_.tails.give_up();
  for (Operation& operation : range) {
    const bool perhaps = flushed && operation.answer.verdict == Verdict::done;
    operation.answer = not_committed(parts_.failure.error());
    // A refusal rested on this group's other batches: it is only said if they are durable.
    if (perhaps) operation.answer.verdict = Verdict::unknown;
  }
}

// One step at a time, so that commits get in between.
void Writer::forget(Operation& operation) {
  auto more = forget_some(operation.forget);
  if (more && *more) {
    std::lock_guard lock(mutex_);
    queue_bytes_ += operation.bytes;
    queue_.push_back(std::move(operation));
    return;
  }
  operation.forgot(more ? Result<void>() : Result<void>(std::move(more).error()));
}

/// True when there is more to forget.
Result<bool> Writer::forget_some(std::uint64_t through) {
  parts_.folder.wait_for_room();
  if (Error error = parts_.failure.error()) return error;
  if (through > feed_.last)
    return Error{Errc::invalid_argument, "through is no position of this store's change feed"};
  if (through <= feed_.through) return false;
  bool flushed = false, fits = true;
  int code = 0;
  try {
    std::shared_ptr<LogGroup> group;
    {
      auto reader = parts_.readers.take();
      if (!reader) return std::move(reader).error();
      GroupBuilder builder(parts_.tails, *reader, 0, feed_, options_.feed_limit);
      code = builder.forget(through, forget_step);
      group = builder.finish(lsn_ + 1);
    }
    if (code == 0) code = append(group, flushed, fits);
  } catch (const std::bad_alloc&) {
    if (!flushed) return Error{Errc::unavailable, "no memory to forget changes"};
    code = ENOMEM;
  }
  if (code == 0) return through > feed_.through;
  stop_failing({}, code, flushed);
  return parts_.failure.error();
}

}  // namespace parley::lmdb
