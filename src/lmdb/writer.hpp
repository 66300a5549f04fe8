// lmdb/writer.hpp: the one thread that writes: everything waiting becomes one transaction, one
// flush.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "lmdb/group.hpp"
#include "lmdb/hooks.hpp"
#include "lmdb/reader_pool.hpp"

namespace parley::lmdb {

struct WriterOptions {
  std::size_t max_size = 0, feed_limit = 0, queue_limit = 0;
  std::function<void()> thread_start, thread_stop;
  Hooks hooks;
};

/// Group commit, clocked by itself: while one group flushes, the next one gathers. A group is at
/// most 1,024 batches, 16,384 rows or 1 MiB. After an error of the commit nothing is written any
/// more: that group is `unknown`, all that follows `failed`.
///
/// (A log in front of LMDB goes between write_groups() and attempt(): a group is then durable when
/// the log has it, and attempt() becomes the fold of many groups.)
///
/// Ownership: borrows the environment and the readers. Thread: any, but run() is its own.
class Writer {
 public:
  Writer(Env& env, ReaderPool& readers, const FeedState& feed, WriterOptions options);
  ~Writer();  // after finish()'s action has begun
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Takes the batch, or tells why not; then `done` is untouched. The batch owns its bytes.
  Error submit(Batch& batch, Store::Done<Committed>& done);
  Error forget(std::uint64_t through, Store::Done<Result<void>>& done);
  /// What waits is still written, nothing new is taken.
  void stop_taking();
  /// Then `last` runs as the thread's last act, once nothing waits any more.
  void finish(std::function<void()> last);

  /// The error of every call since the commit failed; none while all is well. Thread: any.
  [[nodiscard]] Error failure() const;
  [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  [[nodiscard]] const Hooks& hooks() const noexcept { return options_.hooks; }

 private:
  struct Operation {
    Batch batch;
    Store::Done<Committed> done;
    std::uint64_t forget = 0;  // instead of a batch
    Store::Done<Result<void>> forgot;
    std::size_t bytes = 0;
    Committed answer;
    [[nodiscard]] bool erasing() const noexcept {
      return !batch.erases.empty() && batch.erases.size() >= batch.puts.size();
    }
  };
  using Range = std::span<Operation>;

  void run();
  template <class Fill>
  Error enqueue(Operation& operation, const Fill& fill);
  std::vector<Operation> take_group();
  void write_groups(std::vector<Operation> operations);
  void write_range(Range range);
  int attempt(Range range, bool& flushed);
  int make_room(Range range, bool& full);
  int reserve(Range range, bool& full);
  void stop_failing(Range range, int code, bool flushed);
  Committed failed_answer() const;
  void forget(Operation& operation);
  Result<bool> forget_some(std::uint64_t through);

  Env& env_;
  ReaderPool& readers_;
  const WriterOptions options_;

  // The writer thread's own.
  FeedState feed_;
  std::uint64_t reserved_ = 0;
  bool can_reserve_ = true;

  std::atomic<bool> failed_{false};
  Error failure_;  // written before failed_

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Operation> queue_;
  std::size_t queue_bytes_ = 0;
  bool idle_ = false, taking_ = true;
  std::function<void()> last_;

  std::thread thread_;
};

}  // namespace parley::lmdb
