// engine/gate.hpp: lets calls of any thread into the engine until it closes, and tells when the
// last one is out.
#pragma once
#include <atomic>
#include <cstdint>

namespace parley::engine {

/// Short stays only: whoever closes it waits for those inside. Thread: any.
class Gate {
 public:
  /// A stay; false when the gate is closed.
  class Pass {
   public:
    explicit Pass(Gate& gate) noexcept : gate_(gate.enter() ? &gate : nullptr) {}
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const noexcept { return gate_ != nullptr; }

   private:
    Gate* gate_;
  };

  /// Nobody enters any more; returns when nobody is inside. Not from inside.
  void close() noexcept {
    for (auto now = state_.fetch_or(closed) | closed; now != closed; now = state_.load()) {
      state_.wait(now);
    }
  }

 private:
  static constexpr std::uint64_t closed = std::uint64_t{1} << 63;

  bool enter() noexcept {
    if ((state_.fetch_add(1) & closed) == 0) return true;
    leave();
    return false;
  }
  void leave() noexcept {
    if ((state_.fetch_sub(1) & closed) != 0) state_.notify_all();
  }

  std::atomic<std::uint64_t> state_{0};
};

}  // namespace parley::engine
