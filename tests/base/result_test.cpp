// result_test.cpp: a Result hands out what it holds, and lets nothing dangle.
#include "parley/result.hpp"

#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"

using parley::Errc;
using parley::Error;
using parley::Result;

namespace {
struct Page {
  std::vector<std::string> lines;
};
Result<Page> read() {
  return Page{{"a line that no small string holds", "and another one, as long"}};
}
Result<Page> fail() { return Error(Errc::busy, "a message that no small string holds"); }
}  // namespace

TEST_CASE("what is read from a temporary result lives as long as a loop over it") {
  std::string all;
  for (const std::string& line : read().value().lines) all += line;
  for (const std::string& line : (*read()).lines) all += line;
  CHECK(all.size() == 2 * (33 + 24));
  const Error& error = fail().error();
  CHECK(error.message == "a message that no small string holds");
}

TEST_CASE("a result holds what can only be moved, and gives it away once") {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  REQUIRE(result);
  const std::unique_ptr<int> taken = std::move(result).value();
  CHECK(*taken == 7);
  CHECK(result.value() == nullptr);
}

TEST_CASE("results are copied, moved and assigned over each other, whatever they hold") {
  using Text = Result<std::string>;
  const std::string longer(100, 'x');  // on the heap: a leak or a double end is seen by sanitizers
  const Error error(Errc::busy, std::string(100, 'e'));
  for (const Text& from : {Text(longer), Text(error)}) {
    for (Text to : {Text("short"), Text(Error(Errc::denied, "no"))}) {
      to = from;
      CHECK(to.ok() == from.ok());
      CHECK((to ? *to == longer : to.error().message == error.message));
      Text moved = std::move(to);
      to = std::move(moved);
      CHECK((to ? *to == longer : to.error().message == error.message));
      Text& same = to;
      to = same;
      CHECK((to ? *to == longer : to.error().message == error.message));
    }
    CHECK((from ? *from == longer : from.error().message == error.message));
  }
  STATIC_REQUIRE(std::is_copy_constructible_v<Text>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Text>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Result<std::unique_ptr<int>>>);
  STATIC_REQUIRE(std::is_move_assignable_v<Result<std::unique_ptr<int>>>);
}

TEST_CASE("the value of an error is thrown") {
  CHECK_THROWS_AS(fail().value(), parley::BadResult);
  CHECK_THROWS_AS(Result<void>(Error(Errc::busy, "no")).value(), parley::BadResult);
  CHECK_NOTHROW(Result<void>().value());
}
