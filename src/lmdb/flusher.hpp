// lmdb/flusher.hpp: flushes on a thread of its own, so that the writer works meanwhile.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "lmdb/log_ring.hpp"

namespace parley::lmdb {

/// The thread starts with the first flush that is worth it. Thread: the writer's.
class Flusher {
 public:
  Flusher(LogRing& ring, std::function<void()> thread_start, std::function<void()> thread_stop)
      : ring_(ring), start_(std::move(thread_start)), stop_(std::move(thread_stop)) {}
  ~Flusher() { stop(); }
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  /// Begins to make durable what was written to the log; false when no thread can be had.
  bool begin();
  /// Waits for the flush that was begun: 0 or an errno.
  int wait();
  void stop();

 private:
  void run();

  LogRing& ring_;
  const std::function<void()> start_, stop_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool wanted_ = false, over_ = false;
  int code_ = 0;
  std::thread thread_;
};

}  // namespace parley::lmdb
