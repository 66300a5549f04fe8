// engine/call.hpp: one operation of host code on its way through the core: what it asks, and whom
// the answer goes to.
#pragma once
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "parley/pending.hpp"
#include "wire/messages.hpp"

namespace parley::engine {

/// What an operation is answered that was under way when there was no memory: it may have happened.
inline Error no_memory() {
  return {Errc::internal, "there was no memory to go on; what was asked may have happened"};
}

/// Made on any thread, answered once. One allocation, shared with the Pending.
class Call {
 public:
  explicit Call(wire::Operation&& ask) : operation(std::move(ask)) {}
  virtual ~Call() = default;
  virtual void answered(wire::Answer&& answer) = 0;
  virtual void failed(Error error) = 0;

  wire::Operation operation;
};

/// Owns the duty to answer a call: one that is dropped fails it (Errc::engine_closed).
class CallRef {
 public:
  CallRef() = default;
  explicit CallRef(std::shared_ptr<Call> call) noexcept : call_(std::move(call)) {}
  CallRef(CallRef&&) noexcept = default;
  CallRef& operator=(CallRef&& other) noexcept {
    if (this != &other) {
      drop();
      call_ = std::move(other.call_);
    }
    return *this;
  }
  ~CallRef() { drop(); }

  explicit operator bool() const noexcept { return call_ != nullptr; }
  [[nodiscard]] wire::Operation& operation() const noexcept { return call_->operation; }
  void answer(wire::Answer&& answer) { std::exchange(call_, nullptr)->answered(std::move(answer)); }
  void fail(Error error) { std::exchange(call_, nullptr)->failed(std::move(error)); }

 private:
  void drop() noexcept {
    if (!call_) return;
    try {
      fail({Errc::engine_closed, "the engine closed before the operation was answered"});
    } catch (...) {  // the host's completion: nobody is left who could close its session
    }
  }
  std::shared_ptr<Call> call_;
};

/// A call that answers a T, made by `convert(Answer&) -> T` from the `Expected` answer.
template <class T, class Expected, class Convert>
class CallOf final : public Call {
 public:
  CallOf(std::shared_ptr<parley::detail::Waiting> waiting, std::uint16_t shard,
         wire::Operation&& ask, Convert convert)
      : Call(std::move(ask)), result(std::move(waiting), shard), convert_(std::move(convert)) {}

  void answered(wire::Answer&& answer) override {
    if (auto* expected = std::get_if<Expected>(&answer)) {
      if constexpr (std::is_void_v<T>) {
        result.finish(Result<void>{});
      } else {
        result.finish(converted(*expected));
      }
    } else if (auto* failed_answer = std::get_if<wire::Failed>(&answer)) {
      result.finish(std::move(failed_answer->error));
    } else {
      result.finish(Error{Errc::internal, "the core gave an answer of another type"});
    }
  }
  void failed(Error error) override { result.finish(std::move(error)); }

  parley::detail::ResultOf<T> result;

 private:
  Result<T> converted(Expected& answer) {
    try {
      return convert_(answer);
    } catch (const std::bad_alloc&) {
      return no_memory();
    }
  }

  Convert convert_;
};

/// The two ends of a new call.
template <class T>
struct Started {
  CallRef call;
  Pending<T> pending;
};

template <class T, class Expected, class Convert>
Started<T> make_call(std::shared_ptr<parley::detail::Waiting> waiting, std::uint16_t shard,
                     wire::Operation&& operation, Convert convert) {
  using Made = CallOf<T, Expected, Convert>;
  auto made =
      std::make_shared<Made>(std::move(waiting), shard, std::move(operation), std::move(convert));
  std::shared_ptr<parley::detail::ResultOf<T>> result(made, &made->result);
  return {CallRef(std::move(made)), Pending<T>(std::move(result))};
}

}  // namespace parley::engine
