// unique_function_test.cpp: what it holds is moved, never copied, and destroyed exactly once.
#include "base/unique_function.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

using parley::base::UniqueFunction;

namespace {

/// Counts those that are alive, moved-from ones too.
struct Counted {
  explicit Counted(int& count) : alive(&count) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  Counted(const Counted&) = delete;
  ~Counted() { --*alive; }
  int* alive;
};

}  // namespace

TEST_CASE("a UniqueFunction holds what cannot be copied, small or large") {
  static_assert(!std::is_copy_constructible_v<UniqueFunction<void()>>);
  static_assert(std::is_nothrow_move_constructible_v<UniqueFunction<void()>>);
  int alive = 0;
  {
    UniqueFunction<int(int)> small = [counted = Counted(alive)](int add) { return add + 1; };
    UniqueFunction<int(int)> large = [counted = Counted(alive), room = std::array<char, 100>()](
                                         int add) { return add + static_cast<int>(room.size()); };
    CHECK(alive == 2);
    UniqueFunction<int(int)> moved = std::move(small);
    CHECK(!small);
    CHECK(moved(2) == 3);
    moved = std::move(large);
    CHECK(alive == 1);
    CHECK(moved(2) == 102);
    std::vector<UniqueFunction<int(int)>> many;
    for (int i = 0; i < 9; ++i)
      many.push_back([counted = Counted(alive), i](int add) { return add * i; });
    CHECK(many[8](2) == 16);
    CHECK(alive == 10);
  }
  CHECK(alive == 0);
}

TEST_CASE("a UniqueFunction passes arguments on and keeps what it holds between calls") {
  UniqueFunction<std::size_t(std::unique_ptr<int>, std::string&)> take =
      [calls = std::size_t{0}](std::unique_ptr<int> number, std::string& text) mutable {
        text += std::to_string(*number);
        return ++calls;
      };
  std::string text;
  CHECK(take(std::make_unique<int>(1), text) == 1);
  CHECK(take(std::make_unique<int>(2), text) == 2);
  CHECK(text == "12");
}

TEST_CASE("an empty function makes an empty UniqueFunction") {
  CHECK(!UniqueFunction<void()>());
  CHECK(!UniqueFunction<void()>(nullptr));
  CHECK(!UniqueFunction<void()>(std::function<void()>()));
  void (*none)() = nullptr;
  CHECK(!UniqueFunction<void()>(none));
  CHECK(UniqueFunction<void()>([] {}));
  UniqueFunction<int()> returns = std::function<int()>([] { return 7; });
  REQUIRE(returns);
  CHECK(returns() == 7);
  UniqueFunction<void()> drops = [] { return 7; };
  drops();
  returns = nullptr;
  CHECK(!returns);
}
