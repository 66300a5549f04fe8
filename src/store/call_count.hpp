// store/call_count.hpp: counts calls in progress, so that close() completes after the last of them.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace parley::store {

/// Thread: any. Nobody waits: what follows the last call runs on whichever thread ends it.
class CallCount {
 public:
  /// False after close(): the call must fail without touching anything. Else pair it with leave().
  [[nodiscard]] bool enter() noexcept {
    std::uint64_t now = state_.load(std::memory_order_relaxed);
    do {
      if ((now & closed_bit) != 0) return false;
    } while (!state_.compare_exchange_weak(now, now + 1, std::memory_order_acquire,
                                           std::memory_order_relaxed));
    return true;
  }
  void leave() {
    if (state_.fetch_sub(1, std::memory_order_acq_rel) == (closed_bit | 1)) run();
  }
  [[nodiscard]] bool closed() const noexcept {
    return (state_.load(std::memory_order_acquire) & closed_bit) != 0;
  }
  /// Refuses new calls; `after` runs once, when the last one has left. Call it once.
  void close(std::function<void()> after) {
    after_ = std::move(after);
    if (state_.fetch_or(closed_bit, std::memory_order_acq_rel) == 0) run();
  }

 private:
  void run() {
    auto after = std::exchange(after_, nullptr);
    after();  // may destroy this object
  }
  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
  std::atomic<std::uint64_t> state_{0};
  std::function<void()> after_;
};

}  // namespace parley::store
