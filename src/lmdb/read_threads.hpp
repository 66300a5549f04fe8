// lmdb/read_threads.hpp: decides where a read runs, and has two threads for those that may wait.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "parley/lmdb_store.hpp"

namespace parley::lmdb {

/// Adaptive: a read that was not fast sends the next ones to the threads, until so many in a row
/// were fast there that the pages are in memory again.
class ReadPolicy {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ReadPolicy(LmdbReads mode) noexcept : mode_(mode) {}
  [[nodiscard]] bool use_threads() const noexcept {
    return mode_ == LmdbReads::pool ||
           (mode_ == LmdbReads::adaptive && wary_.load(std::memory_order_relaxed) > 0);
  }
  /// Tells how long a read of so many values took.
  void learn(Clock::duration took, std::size_t values) noexcept {
    if (mode_ != LmdbReads::adaptive) return;
    const auto fast = std::chrono::microseconds(100 + 2 * values);
    if (took > fast) {
      wary_.store(reads_until_trust, std::memory_order_relaxed);
    } else if (wary_.load(std::memory_order_relaxed) > 0) {
      wary_.fetch_sub(1, std::memory_order_relaxed);  // below zero by a race: as good as zero
    }
  }

 private:
  static constexpr int reads_until_trust = 64;
  const LmdbReads mode_;
  std::atomic<int> wary_{0};
};

/// Two threads, started when first needed. Thread: any.
class ReadThreads {
 public:
  ReadThreads(std::function<void()> start, std::function<void()> stop)
      : start_(std::move(start)), stop_(std::move(stop)) {}
  ~ReadThreads() { join(); }
  ReadThreads(const ReadThreads&) = delete;
  ReadThreads& operator=(const ReadThreads&) = delete;

  /// False when too many wait already, or no thread can be had: `task` is untouched then.
  bool post(std::function<void()>& task);
  /// Ends the threads after what waits. Not from one of them.
  void join();

 private:
  static constexpr std::size_t thread_count = 2, most_waiting = 65'536;

  void run();

  const std::function<void()> start_, stop_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

}  // namespace parley::lmdb
