// lmdb/writer.hpp: the one thread that commits: everything waiting becomes one group, one flush.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "lmdb/disk_space.hpp"
#include "lmdb/flusher.hpp"
#include "lmdb/folder.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

struct WriterOptions {
  std::size_t max_size = 0, feed_limit = 0, queue_limit = 0;
  std::function<void()> thread_start, thread_stop;
};

/// Group commit, clocked by itself: while one group flushes, the next one gathers. After a large
/// group it waits for half as many, for a quarter of the time that its flush took. A group is at
/// most 1,024 batches, 16,384 rows or 1 MiB. It goes to the log with one flush; one that LMDB might
/// have no room for goes to LMDB at once, behind everything in the log, which tells for certain.
/// After an error of a flush nothing is written any more: that group is `unknown`, all that follows
/// `failed`.
///
/// Ownership: borrows the parts. Thread: any, but run() is its own.
class Writer {
 public:
  struct Parts {
    Env& env;
    ReaderPool& readers;
    Tails& tails;
    LogRing& ring;
    Folder& folder;
    Failure& failure;
    const Hooks& hooks;
  };
  Writer(Parts parts, std::uint64_t lsn, const FeedState& feed, WriterOptions options);
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
  Error enqueue(std::size_t bytes, const Fill& fill);
  bool take(std::function<void()>& last);
  Range next_group();
  void write_group(Range group);
  void write_range(Range range);
  static Backlog size_of(Range range);
  int build(Range range, std::shared_ptr<LogGroup>& group);
  int append(Range range, bool& flushed, bool& fits);
  int append(const std::shared_ptr<LogGroup>& group, bool& flushed, bool& fits);
  int flush(const std::shared_ptr<LogGroup>& group);
  void write_through(Range range);
  int write_at_once(Range range, bool& flushed);
  void fail(Range range, const Error& error);
  void stop_failing(Range range, int code, bool flushed);
  void forget(Operation& operation);
  Result<bool> forget_some(std::uint64_t through);

  const Parts parts_;
  const WriterOptions options_;

  // The writer thread's own.
  std::uint64_t lsn_;  // of the last group
  FeedState feed_;
  DiskSpace space_;
  Flusher flusher_;
  std::vector<Operation> taken_;  // written up to next_
  std::size_t next_ = 0;
  std::size_t last_size_ = 0;              // batches of the last group
  std::chrono::nanoseconds last_took_{0};  // to write and flush it

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<Operation> queue_;
  std::size_t queue_bytes_ = 0;  // of what is taken and not written as well
  std::size_t wanted_ = 0;       // not 0: the thread sleeps until so many wait
  bool taking_ = true;
  std::function<void()> last_;

  std::thread thread_;
};

}  // namespace parley::lmdb
