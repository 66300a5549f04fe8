// unique_function.hpp: a callable with one owner: moved along, never copied.
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace parley::base {

template <class Signature>
class UniqueFunction;

/// As std::function, but what it holds may be movable only, and lies inside when it has at most
/// `room` bytes: a hop between shards that carries a handful of values allocates nothing.
/// Not to be called when empty; calling it changes what it holds, not itself, as there.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  static constexpr std::size_t room = 64;

  UniqueFunction() noexcept = default;
  UniqueFunction(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  /// Empty when `function` is an empty std::function or a null pointer.
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      UniqueFunction(F&& function) {  // NOLINT(google-explicit-constructor)
    using Held = std::decay_t<F>;
    if constexpr (std::is_constructible_v<bool, Held&> && !std::is_empty_v<Held>)
      if (!static_cast<bool>(function)) return;
    if constexpr (fits<Held>) {
      ::new (static_cast<void*>(bytes_)) Held(std::forward<F>(function));
      table_ = &inside<Held>;
    } else {
      ::new (static_cast<void*>(bytes_)) Held*(new Held(std::forward<F>(function)));
      table_ = &outside<Held>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this == &other) return *this;
    reset();
    take(other);
    return *this;
  }
  ~UniqueFunction() { reset(); }

  explicit operator bool() const noexcept { return table_ != nullptr; }
  R operator()(Args... args) const { return table_->call(bytes_, std::forward<Args>(args)...); }

 private:
  struct Table {
    R (*call)(void* bytes, Args&&... args);
    void (*move)(void* from, void* to) noexcept;  // leaves nothing behind
    void (*destroy)(void* bytes) noexcept;
  };

  template <class Held>
  static constexpr bool fits =
      sizeof(Held) <= room &&
      alignof(Held) <= alignof(void*) && std::is_nothrow_move_constructible_v<Held>;
  template <class T>
  static T& at(void* bytes) noexcept {
    return *std::launder(static_cast<T*>(bytes));
  }
  template <class Held>
  static R run(Held& held, Args&&... args) {
    if constexpr (std::is_void_v<R>)
      held(std::forward<Args>(args)...);
    else
      return held(std::forward<Args>(args)...);
  }

  template <class Held>
  static constexpr Table inside{[](void* bytes, Args&&... args) -> R {
                                  return run(at<Held>(bytes), std::forward<Args>(args)...);
                                },
                                [](void* from, void* to) noexcept {
                                  ::new (to) Held(std::move(at<Held>(from)));
                                  std::destroy_at(&at<Held>(from));
                                },
                                [](void* bytes) noexcept { std::destroy_at(&at<Held>(bytes)); }};
  template <class Held>
  static constexpr Table outside{
      [](void* bytes, Args&&... args) -> R {
        return run(*at<Held*>(bytes), std::forward<Args>(args)...);
      },
      [](void* from, void* to) noexcept { ::new (to) Held*(at<Held*>(from)); },
      [](void* bytes) noexcept { delete at<Held*>(bytes); }};

  void take(UniqueFunction& other) noexcept {
    if (other.table_ == nullptr) return;
    other.table_->move(other.bytes_, bytes_);
    table_ = std::exchange(other.table_, nullptr);
  }
  void reset() noexcept {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(bytes_);
  }

  const Table* table_ = nullptr;
  alignas(void*) mutable std::byte bytes_[room];
};

}  // namespace parley::base
