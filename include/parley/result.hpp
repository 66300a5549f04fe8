// parley/result.hpp: a value or an Error; what every call of the library returns. Thread: any;
// these are values.
#pragma once
#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>

#include "parley/error.hpp"

#if defined(__cpp_exceptions)
#include <exception>
#endif

namespace parley::inline v0 {

#if defined(__cpp_exceptions)
/// Thrown by Result::value() on an error, and by nothing else in the library.
class BadResult : public std::exception {
 public:
  explicit BadResult(Error error) : error_(std::move(error)) {}
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};
#endif

namespace detail {
[[noreturn]] inline void bad_result(const Error& error) {
#if defined(__cpp_exceptions)
  throw BadResult(error);
#else
  (void)error;
  std::abort();
#endif
}
}  // namespace detail

/// A T or an Error. `value()` throws BadResult on an error (aborts where exceptions are off). Of a
/// temporary result the value comes out by value, so that
/// `for (auto& event : session.history(id).get().value().events)` walks over what is still there.
/// A result that was moved from is what it was, of a value or an error that was moved from.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : ok_(true), value_(std::move(value)) {}       // NOLINT
  Result(Error error) : ok_(false), error_(std::move(error)) {}  // NOLINT
  Result(const Result& other) requires std::is_copy_constructible_v<T> : ok_(other.ok_) {
    ok_ ? void(std::construct_at(&value_, other.value_))
        : void(std::construct_at(&error_, other.error_));
  }
  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : ok_(other.ok_) {
    take(other);
  }
  Result& operator=(Result other) noexcept {
    static_assert(std::is_nothrow_move_constructible_v<T>, "assigned values are moved in");
    destroy();
    ok_ = other.ok_;
    take(other);
    return *this;
  }
  ~Result() { destroy(); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }

  T& value() & { return check(), value_; }
  const T& value() const& { return check(), value_; }
  T value() && { return check(), std::move(value_); }
  /// The value; the result must be ok().
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T operator*() && { return std::move(value_); }
  T* operator->() noexcept { return std::addressof(value_); }
  const T* operator->() const noexcept { return std::addressof(value_); }

  /// The error; the result must not be ok().
  [[nodiscard]] const Error& error() const& noexcept { return error_; }
  [[nodiscard]] Error error() && noexcept { return std::move(error_); }

 private:
  void check() const {
    if (!ok_) detail::bad_result(error_);
  }
  void take(Result& other) {
    ok_ ? void(std::construct_at(&value_, std::move(other.value_)))
        : void(std::construct_at(&error_, std::move(other.error_)));
  }
  void destroy() noexcept { ok_ ? std::destroy_at(&value_) : std::destroy_at(&error_); }

  bool ok_;
  union {  // by hand: a std::variant costs every file that names a result far more to compile
    T value_;
    Error error_;
  };
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return ok(); }
  void value() const {
    if (error_) detail::bad_result(error_);
  }
  [[nodiscard]] const Error& error() const& noexcept { return error_; }
  [[nodiscard]] Error error() && noexcept { return std::move(error_); }

 private:
  Error error_;
};

}  // namespace parley::inline v0
