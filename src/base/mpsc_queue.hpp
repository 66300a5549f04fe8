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
  struct Node {
    T value;
    Node* next;
  };

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

  /// What was there at one moment, oldest first. Taking it and from it allocates nothing.
  class Taken {
   public:
    Taken() = default;
    Taken(Taken&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
    Taken& operator=(Taken&& other) noexcept {
      Taken before(std::exchange(first_, std::exchange(other.first_, nullptr)));
      return *this;
    }
    ~Taken() {
      while (first_ != nullptr) delete std::exchange(first_, first_->next);
    }
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    T pop() {
      const std::unique_ptr<Node> node(std::exchange(first_, first_->next));
      return std::move(node->value);
    }

   private:
    friend class MpscQueue;
    explicit Taken(typename MpscQueue::Node* first) noexcept : first_(first) {}
    typename MpscQueue::Node* first_ = nullptr;
  };
  Taken take() noexcept {
    return Taken(reverse(head_.exchange(nullptr, std::memory_order_acquire)));
  }
  /// Calls f(T&&) for everything that is there, oldest first. What f pushes is left for the next
  /// call. When f throws, what it had not seen yet is destroyed. Returns how many it took.
  template <class F>
  std::size_t take_all(F&& f) {
    std::size_t count = 0;
    for (Taken taken = take(); !taken.empty(); ++count) f(taken.pop());
    return count;
  }

  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_acquire) == nullptr;
  }

 private:
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
