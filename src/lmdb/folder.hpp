// lmdb/folder.hpp: the thread that brings the log into LMDB about every second.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "lmdb/failure.hpp"
#include "lmdb/fold.hpp"
#include "lmdb/log_ring.hpp"
#include "lmdb/tails.hpp"

namespace parley::lmdb {

/// How much may lie in the log. Tests make it small.
struct LogTuning {
  std::size_t segment_size = std::size_t{2} << 20;
  std::chrono::milliseconds fold_every{1000};
  Backlog fold_at{std::size_t{16} << 20, 32'768, 131'072};  // or as soon as one of these is reached
  Backlog most{std::size_t{32} << 20, 65'536, 262'144};     // the writer waits: opening stays short
};

/// Ownership: borrows everything. Thread: run() is its own; the rest any.
class Folder {
 public:
  struct Parts {
    Env& env;
    ReaderPool& readers;
    Tails& tails;
    LogRing& ring;
    Failure& failure;
    const Hooks& hooks;
    std::function<void()> thread_start, thread_stop;
  };
  Folder(Parts parts, const LogTuning& tuning);
  ~Folder() { stop(); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Something was published.
  void notice();
  /// Waits until the log is not too full for more. Thread: the writer's, as the next two.
  void wait_for_room();
  /// Folds everything; nothing is published meanwhile. Returns early when the store stops.
  void drain();
  /// Waits for the end of the next fold.
  void wait_for_fold();
  /// Folds what there is, then ends the thread.
  void stop();

 private:
  void run();
  void fold();
  int write(const MemoryTail& tail, std::size_t& txn_id);
  bool wait_for_work();
  static bool reached(const Backlog& backlog, const Backlog& bound) noexcept {
    return backlog.bytes >= bound.bytes || backlog.batches >= bound.batches ||
           backlog.rows >= bound.rows;
  }

  Parts parts_;
  const LogTuning tuning_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, folded_;
  bool waiting_ = false;  // something is in the log
  bool hurry_ = false, stopping_ = false;
  std::uint64_t folds_ = 0;

  std::thread thread_;
};

}  // namespace parley::lmdb
