// engine/store_calls.hpp: the calls of one shard that a store has not answered yet.
#pragma once
#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "core/effects.hpp"

namespace parley::engine {

/// Keeps what an answer goes to, and has room for it, so that the completion which a store is given
/// is two words. An entry stays where it is until it is closed.
/// Thread: the shard's; an open entry's `answer` is its completion's, until that hands over.
template <class T>
class StoreCalls {
 public:
  struct Call {
    using Answer = T;
    core::Effects::Then<T> then;
    std::optional<T> answer;
    Call* next = nullptr;  // among those answered
    bool closing = false;  // the shard has the answer
  };

  Call& open(core::Effects::Then<T> then) {
    if (free_.empty()) {
      if (free_.capacity() <= calls_.size()) free_.reserve(2 * calls_.size() + 1);
      free_.push_back(&calls_.emplace_back());
    }
    Call& call = *free_.back();
    free_.pop_back();
    call.then = std::move(then);
    return call;
  }
  /// True when no other answered call waits to be taken: then the shard is to be told.
  /// Thread: any.
  bool answered(Call& call) noexcept {
    Call* first = answered_.load(std::memory_order_relaxed);
    do {
      call.next = first;
    } while (!answered_.compare_exchange_weak(first, &call, std::memory_order_release,
                                              std::memory_order_relaxed));
    return first == nullptr;
  }
  /// Calls `each(Call&)` for every answered call, in the order of the answers.
  template <class Each>
  void take_answered(const Each& each) {
    Call* oldest = nullptr;
    for (Call* call = answered_.exchange(nullptr, std::memory_order_acquire); call != nullptr;)
      oldest = std::exchange(call, std::exchange(call->next, oldest));
    while (oldest != nullptr) each(*std::exchange(oldest, oldest->next));
  }
  /// Runs what waited for the answer.
  void close(Call& call) {
    const auto then = std::move(call.then);
    T answer = std::move(*call.answer);
    free(call);
    if (free_.size() == calls_.size() && calls_.size() > kept) {
      free_.clear();
      calls_.clear();
    }
    if (then) then(std::move(answer));
  }
  /// Nobody waits for the answers any more, those that are to be closed still among them.
  void forget() noexcept {
    for (Call& call : calls_) {
      const auto gone = std::move(call.then);
      if (call.closing) free(call);
    }
  }

 private:
  void free(Call& call) noexcept {
    call.answer.reset();
    call.closing = false;
    free_.push_back(&call);  // has room
  }

  static constexpr std::size_t kept = 64;  // while nothing is asked
  std::deque<Call> calls_;
  std::vector<Call*> free_;
  std::atomic<Call*> answered_{nullptr};
};

}  // namespace parley::engine
