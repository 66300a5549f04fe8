// lmdb/failure.hpp: commits that were not done, and the error that stopped the store; the first one
// counts.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "lmdb/env.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

[[nodiscard]] inline Committed not_committed(Error error) {
  return {.verdict = Verdict::failed, .found = {}, .error = std::move(error), .owner = {}};
}

/// Set once by the thread whose write or flush failed; from then on every call answers it.
/// Thread: any.
class Failure {
 public:
  /// From an errno or LMDB's code.
  void stop(int code) {
    stop(to_error("the store stopped at an error of its disk; reopen it", code));
  }
  void stop(Error error) {
    // No retry can help, whatever the system's answer was.
    if (error.errc() == Errc::disk_full || error.errc() == Errc::busy)
      error = Error{Errc::store_failed, std::move(error.message)};
    std::lock_guard lock(mutex_);
    if (stopped_.load(std::memory_order_relaxed)) return;
    error_ = std::move(error);
    stopped_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool stopped() const noexcept { return stopped_.load(std::memory_order_acquire); }
  [[nodiscard]] Error error() const { return stopped() ? error_ : Error{}; }

 private:
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  Error error_;  // written before stopped_, then never again
};

}  // namespace parley::lmdb
