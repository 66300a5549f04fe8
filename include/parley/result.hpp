// parley/result.hpp: a value or an Error; what every call of the library returns. Thread: any;
// these are values.
#pragma once
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

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
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return check(), *std::get_if<0>(&state_); }
  const T& value() const& { return check(), *std::get_if<0>(&state_); }
  T value() && { return check(), std::move(*std::get_if<0>(&state_)); }
  /// The value; the result must be ok().
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The error; the result must not be ok().
  [[nodiscard]] const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] Error error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  void check() const {
    if (const Error* error = std::get_if<1>(&state_)) detail::bad_result(*error);
  }
  std::variant<T, Error> state_;
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
