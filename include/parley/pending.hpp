// parley/pending.hpp: the answer of an operation that is under way: await it, chain it, wait for
// it, or drop it.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "parley/result.hpp"

#if defined(__cpp_impl_coroutine)
#include <coroutine>
#endif

namespace parley::inline v0 {

/// What an operation calls when it is over: exactly once, on the session's shard (or inside
/// poll()), or within the call itself when the engine or session is closed already; never after
/// `stopped`. Empty: nobody asks.
template <class T>
using Completion = std::function<void(Result<T>)>;

namespace detail {

class Operation;
/// Implemented by the engine.
class Waiting {
 public:
  virtual ~Waiting() = default;
  /// Returns when `operation` is over, or why this thread cannot wait for that.
  virtual Error wait(const Operation& operation) = 0;
  /// Runs `work` on a shard; at once when there is none any more.
  virtual void resume(std::uint16_t shard, std::function<void()> work) = 0;
};

/// One operation, shared by its Pending and whoever will end it. One allocation.
class Operation {
 public:
  enum Phase : std::uint32_t { running = 0, chained = 1, over = 2 };

  Operation(std::shared_ptr<Waiting> waiting, std::uint16_t shard) noexcept
      : waiting_(std::move(waiting)), shard_(shard) {}
  [[nodiscard]] bool is_over() const noexcept {
    return phase_.load(std::memory_order_acquire) == over;
  }
  /// Blocks the calling thread; the engine decides before whether that can end.
  void block() const noexcept {
    for (auto now = phase_.load(std::memory_order_acquire); now != over;
         now = phase_.load(std::memory_order_acquire)) {
      phase_.wait(now, std::memory_order_acquire);
    }
  }
  [[nodiscard]] Error wait() const { return is_over() ? Error{} : waiting_->wait(*this); }

 protected:
  ~Operation() = default;
  /// True when the continuation has to be run by the caller.
  bool end() noexcept {
    const auto before = phase_.exchange(over, std::memory_order_acq_rel);
    phase_.notify_all();
    return before == chained;
  }
  /// False when the operation is over: the caller runs the continuation.
  bool chain() noexcept {
    std::uint32_t expected = running;
    return phase_.compare_exchange_strong(expected, chained, std::memory_order_acq_rel);
  }
  void resume(std::function<void()> work) {
    if (!waiting_) return work();  // refused before it came to an engine
    waiting_->resume(shard_, std::move(work));
  }

 private:
  std::shared_ptr<Waiting> waiting_;
  std::atomic<std::uint32_t> phase_{running};
  std::uint16_t shard_;
};

template <class T>
class ResultOf : public Operation {
 public:
  using Operation::Operation;
  /// Once, by the engine.
  void finish(Result<T> result) {
    result_.emplace(std::move(result));
    if (end()) deliver();
  }
  /// Once, before it is over or after.
  static void then(const std::shared_ptr<ResultOf>& self, Completion<T> next) {
    self->next_ = std::move(next);
    if (!self->chain()) self->resume([self] { self->deliver(); });
  }
  /// Once, when it is over.
  Result<T> take() { return std::move(*std::exchange(result_, std::nullopt)); }

#if defined(__cpp_impl_coroutine)
  /// False when it was over already.
  bool suspend(std::coroutine_handle<> awaiting) {
    next_handle_ = awaiting;
    return chain();
  }
#endif

 private:
  void deliver() {
#if defined(__cpp_impl_coroutine)
    if (next_handle_) return next_handle_.resume();
#endif
    if (const Completion<T> next = std::move(next_)) next(take());
  }

  std::optional<Result<T>> result_;
  Completion<T> next_;
#if defined(__cpp_impl_coroutine)
  std::coroutine_handle<> next_handle_;
#endif
};

#if defined(__cpp_impl_coroutine)
template <class T>
class Awaiter {
 public:
  explicit Awaiter(std::shared_ptr<ResultOf<T>> operation) noexcept
      : operation_(std::move(operation)) {}
  [[nodiscard]] bool await_ready() const noexcept { return !operation_ || operation_->is_over(); }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    const auto keep = operation_;  // another thread may resume, and destroy this, at once
    return keep->suspend(awaiting);
  }
  Result<T> await_resume() {
    if (!operation_) return Error{Errc::invalid_argument, "this Pending was used already"};
    return operation_->take();
  }

 private:
  std::shared_ptr<ResultOf<T>> operation_;
};
#endif

}  // namespace detail

/// The answer of an operation, once. Use one of: `co_await`, then(), get(), or drop it.
/// Lifetime: independent of the engine; an operation of an engine that closes is answered before it
/// stops. Cancellation: none, dropping it detaches and the operation goes on. Completion: exactly
/// once. Thread: one at a time.
template <class T>
class Pending {
 public:
  using value_type = T;
  Pending() = default;
  /// Made by the engine.
  explicit Pending(std::shared_ptr<detail::ResultOf<T>> operation) noexcept
      : operation_(std::move(operation)) {}

  /// True when the answer is here: get() returns at once.
  [[nodiscard]] bool ready() const noexcept { return operation_ && operation_->is_over(); }

  /// Waits for the answer. Inside a handler, a completion or on any engine thread it answers
  /// Errc::would_deadlock and the operation goes on; on the polling thread of a host-driven engine
  /// it runs the loop; elsewhere it blocks. A second call answers invalid_argument. Thread: any.
  Result<T> get() {
    if (!operation_) return Error{Errc::invalid_argument, "this Pending was used already"};
    const auto operation = std::move(operation_);
    if (Error error = operation->wait()) return error;
    return operation->take();
  }

  /// Calls `next(Result<T>)` on the session's shard when the answer is here. Thread: any.
  void then(Completion<T> next) {
    if (!operation_ || !next) return;
    detail::ResultOf<T>::then(std::exchange(operation_, nullptr), std::move(next));
  }

#if defined(__cpp_impl_coroutine)
  /// `Result<T> r = co_await pending;` resumes on the session's shard, or goes on at once when the
  /// answer is here already. Nothing is thrown. GCC 12 destroys an options struct written inside an
  /// awaited expression twice: start the operation first, then await the Pending. Inside an
  /// asio::awaitable, which awaits nothing of others: async_get and async_try of parley/asio.hpp.
  detail::Awaiter<T> operator co_await() && { return detail::Awaiter<T>(std::move(operation_)); }
  detail::Awaiter<T> operator co_await() & { return detail::Awaiter<T>(std::move(operation_)); }
  /// Not to be called: where an asio::awaitable asks whether it may, it is refused in one sentence.
  template <class Frame>
  auto operator()(Frame*) const {
    static_assert(std::is_void_v<Frame>,
                  "inside an asio::awaitable write co_await parley::async_get(pending, "
                  "asio::use_awaitable), of parley/asio.hpp");
  }
#endif

 private:
  std::shared_ptr<detail::ResultOf<T>> operation_;
};

}  // namespace parley::inline v0
