// runtime/mailbox.hpp: a lock-free queue from many threads to one, taken in batches.
#pragma once
#include <atomic>
#include <functional>
#include <utility>

namespace parley::runtime {

/// Order is kept for each sender, and between senders by the moment of push().
/// Ownership: owns what it holds. Thread: push any thread; the rest the receiver's.
class Mailbox {
 public:
  using Callback = std::function<void()>;

  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() {
    collect();
    while (Node* node = ready_) {
      ready_ = node->next;
      delete node;
    }
  }

  void push(Callback callback) {
    auto* node = new Node{std::move(callback), nullptr};
    node->next = top_.load(std::memory_order_relaxed);
    while (!top_.compare_exchange_weak(node->next, node, std::memory_order_seq_cst,
                                       std::memory_order_relaxed)) {
    }
  }

  /// True when nothing waits. Seen by a push() that comes later in the total order of
  /// sequentially consistent operations, so that a sleeper and a sender never miss each other.
  [[nodiscard]] bool empty() const noexcept {
    return ready_ == nullptr && top_.load(std::memory_order_seq_cst) == nullptr;
  }

  /// Takes what was pushed behind what is ready. Returns true when something is ready.
  bool collect() noexcept {
    Node* node = top_.exchange(nullptr, std::memory_order_acquire);
    Node* first = nullptr;
    Node* const last = node;
    while (node != nullptr) {  // newest first: turn it round
      Node* next = node->next;
      node->next = first;
      first = node;
      node = next;
    }
    if (first != nullptr) {
      if (ready_ == nullptr) {
        ready_ = first;
      } else {
        last_->next = first;
      }
      last_ = last;
    }
    return ready_ != nullptr;
  }

  [[nodiscard]] bool ready() const noexcept { return ready_ != nullptr; }

  /// The oldest one that was collected; ready() must hold.
  Callback take() noexcept {
    Node* node = std::exchange(ready_, ready_->next);
    Callback callback = std::move(node->callback);
    delete node;
    return callback;
  }

 private:
  struct Node {
    Callback callback;
    Node* next;
  };
  alignas(64) std::atomic<Node*> top_{nullptr};
  alignas(64) Node* ready_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace parley::runtime
