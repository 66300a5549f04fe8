// mpsc_queue.hpp: many threads put, one takes all: the mailbox of a shard.
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace parley::base {

/// A lock-free stack of owned nodes that hands itself over whole, in the order of the pushes (of
/// each thread, and across threads in the order their pushes took effect). No ABA: nothing is ever
/// popped singly. Thread: push any; take_all and the destructor one at a time.
template <class T>
class MpscQueue {
 public:
  MpscQueue() = default;
  MpscQueue(const MpscQueue&) = delete;
  MpscQueue& operator=(const MpscQueue&) = delete;
  ~MpscQueue() {
    take_all([](T&&) {});
  }

  /// True when the queue was empty: exactly then the taker needs a wake-up. One allocation.
  bool push(T value) {
    Node* head = head_.load(std::memory_order_relaxed);
    Node* node = new Node{std::move(value), head};
    while (!head_.compare_exchange_weak(head, node, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      node->next = head;
    }
    return head == nullptr;  // not node->next: the taker may have freed the node already
  }

  /// Calls f(T&&) for everything that is there, oldest first. What f pushes is left for the next
  /// call. When f throws, what it had not seen yet is destroyed. Returns how many it took.
  template <class F>
  std::size_t take_all(F&& f) {
    Chain chain{reverse(head_.exchange(nullptr, std::memory_order_acquire))};
    std::size_t count = 0;
    while (chain.first != nullptr) {
      const std::unique_ptr<Node> node(std::exchange(chain.first, chain.first->next));
      ++count;
      f(std::move(node->value));
    }
    return count;
  }

  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_acquire) == nullptr;
  }

 private:
  struct Node {
    T value;
    Node* next;
  };
  struct Chain {
    Node* first;
    ~Chain() {
      while (first != nullptr) delete std::exchange(first, first->next);
    }
  };
  static Node* reverse(Node* node) noexcept {
    Node* reversed = nullptr;
    while (node != nullptr) {
      Node* const next = std::exchange(node->next, reversed);
      reversed = std::exchange(node, next);
    }
    return reversed;
  }

  std::atomic<Node*> head_{nullptr};
};

}  // namespace parley::base
