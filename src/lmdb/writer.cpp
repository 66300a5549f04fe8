// lmdb/writer.cpp: see the header.
#include "lmdb/writer.hpp"

#include <errno.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/os.hpp"
#include "base/os_file.hpp"
#include "store/feed_position.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t group_batches = 1024;
constexpr std::size_t group_rows = 16'384;  // bounds the pages that one transaction touches
constexpr std::size_t group_bytes = 1024 * 1024;
constexpr std::size_t mib = 1024 * 1024;
constexpr std::size_t erase_step = 16 * mib, erase_room = 64 * mib;  // beyond max_size
constexpr std::size_t forget_step = 4096;  // feed entries dropped in one transaction

Committed failed(Error error) {
  return {.verdict = Verdict::failed, .found = {}, .error = std::move(error), .owner = {}};
}

Error full_error() {
  return {Errc::disk_full, "the store's disk or max_size is used up; erase something"};
}

}  // namespace

Writer::Writer(Env& env, ReaderPool& readers, const FeedState& feed, WriterOptions options)
    : env_(env), readers_(readers), options_(std::move(options)), feed_(feed) {
  const base::SignalBlock block;
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();  // destroyed by the very last completion: run() touches nothing any more
  else
    thread_.join();
}

Error Writer::failure() const { return failed() ? failure_ : Error{}; }

Error Writer::submit(Batch& batch, Store::Done<Committed>& done) {
  const std::size_t bytes = store::batch_bytes(batch) + 256;
  Operation operation;
  operation.bytes = bytes;
  return enqueue(operation, [&] {
    operation.batch = std::move(batch);
    operation.done = std::move(done);
  });
}

Error Writer::forget(std::uint64_t through, Store::Done<Result<void>>& done) {
  Operation operation;
  operation.forget = through;
  operation.bytes = 256;
  return enqueue(operation, [&] { operation.forgot = std::move(done); });
}

/// `fill` takes the caller's things over; it is not run when the operation is not taken.
template <class Fill>
Error Writer::enqueue(Operation& operation, const Fill& fill) {
  std::lock_guard lock(mutex_);
  if (!taking_) return store::closed_error();
  // One batch always fits, however small the limit.
  if (queue_bytes_ != 0 && queue_bytes_ + operation.bytes > options_.queue_limit) {
    Error error{Errc::busy, "too many bytes of commits wait for the disk"};
    error.retry_after = std::chrono::milliseconds(100);
    return error;
  }
  queue_.emplace_back();  // may fail; nothing after it does
  queue_bytes_ += operation.bytes;
  fill();
  queue_.back() = std::move(operation);
  // Under the lock: once it is free, the last completion may destroy this.
  if (std::exchange(idle_, false)) wake_.notify_one();
  return {};
}

void Writer::stop_taking() {
  std::lock_guard lock(mutex_);
  taking_ = false;
}

void Writer::finish(std::function<void()> last) {
  std::lock_guard lock(mutex_);
  taking_ = idle_ = false;
  last_ = std::move(last);
  wake_.notify_one();  // under the lock: once it is free, `last` may destroy this
}

void Writer::run() {
  base::name_thread("parley-write");
  if (options_.thread_start) options_.thread_start();
  while (true) {
    std::vector<Operation> operations;
    std::function<void()> last;
    {
      std::unique_lock lock(mutex_);
      while (queue_.empty() && !last_) {
        idle_ = true;
        wake_.wait(lock);
      }
      idle_ = false;
      if (queue_.empty())
        last = std::exchange(last_, nullptr);
      else
        operations = take_group();
    }
    if (!last) {
      write_groups(std::move(operations));
      continue;
    }
    if (options_.thread_stop) options_.thread_stop();
    last();
    return;
  }
}

std::vector<Writer::Operation> Writer::take_group() {
  std::vector<Operation> group;
  std::size_t rows = 0, bytes = 0;
  while (!queue_.empty() && group.size() < group_batches) {
    Operation& next = queue_.front();
    rows += next.batch.puts.size() + next.batch.erases.size() + 1;
    bytes += next.bytes;
    if (!group.empty() && (rows > group_rows || bytes > group_bytes)) break;
    queue_bytes_ -= next.bytes;
    group.push_back(std::move(next));
    queue_.pop_front();
  }
  return group;
}

// Batches between two forgets are written together.
void Writer::write_groups(std::vector<Operation> operations) {
  for (std::size_t begin = 0; begin < operations.size();) {
    Operation& first = operations[begin];
    if (first.forgot) {
      forget(first);
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < operations.size() && !operations[end].forgot) ++end;
    const Range range(operations.data() + begin, end - begin);
    write_range(range);
    (void)options_.hooks.run(Step::complete);
    for (Operation& operation : range) {
      operation.done(std::move(operation.answer));
      operation = {};  // the batch's owner goes after its completion
    }
    begin = end;
  }
}

void Writer::write_range(Range range) {
  while (true) {
    if (failed()) {
      for (Operation& operation : range) operation.answer = failed_answer();
      return;
    }
    bool full = false, flushed = false;
    int code = 0;
    try {
      code = reserve(range, full);
      if (code == 0 && !full) code = attempt(range, flushed);
    } catch (const std::bad_alloc&) {  // the transaction was aborted on the way here
      for (Operation& operation : range)
        operation.answer = parley::lmdb::failed({Errc::unavailable, "no memory for this commit"});
      return;
    }
    if (code == 0 && !full) return;
    if (code == MDB_MAP_FULL) {
      code = make_room(range, full);
      if (code == 0 && !full) continue;
    }
    if (full) break;
    return stop_failing(range, code, flushed);
  }
  // No room for all of them together: each for itself, so that what erases still gets in.
  if (range.size() == 1) {
    range[0].answer = parley::lmdb::failed(full_error());
    return;
  }
  for (std::size_t i = 0; i < range.size(); ++i) write_range(range.subspan(i, 1));
}

Committed Writer::failed_answer() const { return parley::lmdb::failed(failure_); }

int Writer::attempt(Range range, bool& flushed) {
  const Hooks& hooks = options_.hooks;
  WriteTxn txn;
  int code = hooks.run(Step::begin);
  if (code == 0) code = txn.begin(env_);
  if (code == 0) code = hooks.run(Step::write);
  if (code != 0) return code;
  Group group(txn, feed_, options_.feed_limit);
  for (Operation& operation : range) {
    code = group.apply(operation.batch, operation.answer);
    if (code != 0) return code;
  }
  if (!group.wrote()) return 0;
  code = group.finish();
  if (code != 0) return code;
  code = hooks.run(Step::commit);
  if (code == 0) {
    code = txn.commit();
    if (code == MDB_MAP_FULL) return code;  // found while writing the list of free pages
  }
  flushed = true;  // or perhaps so
  if (code == 0) code = hooks.run(Step::committed);
  if (code == 0) feed_ = group.feed();
  return code;
}

// Disk blocks are reserved ahead of the transaction, so that a full disk is noticed while nothing
// has happened yet, and not in the middle of a flush.
int Writer::reserve(Range range, bool& full) {
  if (!can_reserve_) return 0;
  std::size_t bytes = 0, rows = 0;
  bool erasing = true;
  for (const Operation& operation : range) {
    bytes += operation.bytes;
    rows += operation.batch.puts.size() + operation.batch.erases.size() + 2;
    erasing = erasing && operation.erasing();
  }
  // A row costs a rewritten path of pages at worst, and never more than all the paths there are.
  const std::uint64_t used = env_.used();
  const std::uint64_t wanted =
      used + mib / 2 + 2 * bytes + std::min<std::uint64_t>(rows, 512) * 8192;
  if (wanted <= reserved_) return 0;
  int code = options_.hooks.run(Step::reserve);
  const std::uint64_t ahead = wanted + std::clamp<std::uint64_t>(used / 8, mib, 64 * mib);
  if (code == 0) code = base::reserve_blocks(env_.descriptor(), used, ahead);
  if (code == 0) {
    reserved_ = ahead;
    return 0;
  }
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    // What was reserved before still holds; what erases may use the last of it.
    full = !(erasing && used + 256 * 1024 <= reserved_);
    return 0;
  }
  if (code == EOPNOTSUPP || code == ENOSYS || code == EINVAL) {
    can_reserve_ = false;
    return 0;
  }
  return code;
}

int Writer::make_room(Range range, bool& full) {
  const std::size_t size = env_.map_size();
  const std::size_t most = options_.max_size;
  std::size_t wanted = 0;
  if (size < most)
    wanted = std::min(size * 2, most);
  else if (range.size() == 1 && range[0].erasing() && size < most + erase_room)
    wanted = size + erase_step;
  full = wanted == 0;
  if (full) return 0;
  if (const int code = options_.hooks.run(Step::resize); code != 0) return code;
  return readers_.resize(wanted);
}

void Writer::stop_failing(Range range, int code, bool flushed) {
  failure_ = to_error("the store stopped at an error of its disk; reopen it", code);
  if (failure_.errc() == Errc::disk_full || failure_.errc() == Errc::busy)
    failure_ = Error{Errc::store_failed, std::move(failure_.message)};
  failed_.store(true, std::memory_order_release);
  for (Operation& operation : range) {
    const bool perhaps = flushed && operation.answer.verdict == Verdict::done;
    operation.answer = failed_answer();
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
  if (failed()) return failure_;
  if (through > feed_.last)
    return Error{Errc::invalid_argument, "through is no position of this store's change feed"};
  std::size_t dropped = 0;
  bool flushed = false;
  int code = 0;
  {
    WriteTxn txn;
    code = txn.begin(env_);
    Group group(txn, feed_, options_.feed_limit);
    if (code == 0) code = group.drop_entries(through, forget_step, dropped);
    if (code == 0 && !group.wrote()) return false;
    if (code == 0) code = group.finish();
    if (code == 0) code = options_.hooks.run(Step::commit);
    if (code == 0) {
      flushed = true;
      code = txn.commit();
    }
    if (code == 0) feed_ = group.feed();
  }
  if (code == 0) return dropped == forget_step;
  if (code == MDB_MAP_FULL) {
    bool full = false;
    code = make_room({}, full);
    if (full) return full_error();
    if (code == 0) return true;
  }
  stop_failing({}, code, flushed);
  return failure_;
}

}  // namespace parley::lmdb
