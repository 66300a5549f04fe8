// tests/store/memory_store_test.cpp: the memory store passes the suite and keeps its own limits.
#include "parley/memory_store.hpp"

#include <string>

#include "catch.hpp"
#include "parley/testing/store_conformance.hpp"
#include "store/memory_store.hpp"
#include "store/store_probe.hpp"

using namespace parley;
using parley::testing::Draft;

TEST_CASE("the memory store passes the conformance suite", "[store]") {
  const testing::StoreUnderTest under{.fresh = [] { return memory_store(); }};
  for (const auto& each : testing::store_cases()) {
    DYNAMIC_SECTION(each.name) {
      testing::run_store_case(each, under, [](bool ok, std::string_view what) {
        INFO(what);
        CHECK(ok);
      });
    }
  }
}

TEST_CASE("each opening of a memory store is a store of its own", "[store]") {
  const StoreOpener opener = memory_store();
  auto first = opener().value(), second = opener().value();
  CHECK(first->facts().incarnation != second->facts().incarnation);
  CHECK(first->facts().durability == StoreFacts::Durability::memory);
  MemoryStoreOptions fixed;
  fixed.incarnation[3] = 7;
  CHECK(memory_store(fixed)().value()->facts().incarnation == fixed.incarnation);
}

TEST_CASE("a full memory store fails what grows and takes what shrinks", "[store]") {
  store::MemoryStore store({.capacity = 1000});
  const auto commit = [&](const Draft& draft) { return store.commit_now(draft.batch()); };
  // "p" 1 + "g1" 2 + key 1 + value 996
  REQUIRE(commit({.guard = "g1", .puts = {{"k", std::string(996, 'v')}}}).verdict == Verdict::done);
  CHECK(store.used() == 1000);
  const Committed full = commit({.expect = "g1", .guard = "g2", .puts = {{"l", ""}}});
  CHECK(full.verdict == Verdict::failed);
  CHECK(full.error.errc() == Errc::disk_full);
  CHECK(commit({.id = "q", .guard = "g1"}).verdict == Verdict::failed);
  CHECK(commit({.expect = "g1", .guard = "g2", .puts = {{"k", std::string(996, 'w')}}}).verdict ==
        Verdict::done);
  CHECK(commit({.expect = "g2", .guard = "g3", .erases = {"k"}}).verdict == Verdict::done);
  CHECK(store.used() == 3);
  CHECK(commit({.expect = "g3"}).verdict == Verdict::done);
  CHECK(store.used() == 0);
}

TEST_CASE("the memory store drops the oldest changes beyond its limit and says so", "[store]") {
  store::MemoryStore store({.feed_limit = 10 * (64 + 1 + 8)});
  for (std::uint64_t i = 1; i <= 11; ++i) {
    Draft draft{.guard = testing::big_endian(i), .note = testing::big_endian(i)};
    if (i > 1) draft.expect = testing::big_endian(i - 1);
    REQUIRE(store.commit_now(draft.batch()).verdict == Verdict::done);
  }
  const auto changes = store.changes_now({}, 100);
  REQUIRE(changes.ok());
  CHECK(changes->trimmed);
  REQUIRE(changes->entries.size() == 10);
  CHECK(changes->entries.front().note == testing::big_endian(2));
  const auto rest = store.changes_now(changes->next, 100);
  REQUIRE(rest.ok());
  CHECK_FALSE(rest->trimmed);
  CHECK(rest->entries.empty());
}

TEST_CASE("a feed position of another store is told as trimmed", "[store]") {
  store::MemoryStore first({.incarnation = {1}}), second({.incarnation = {2}});
  const Draft draft{.guard = "g", .note = "n"};
  REQUIRE(first.commit_now(draft.batch()).verdict == Verdict::done);
  REQUIRE(second.commit_now(draft.batch()).verdict == Verdict::done);
  const auto position = first.changes_now({}, 10);
  REQUIRE(position.ok());
  const auto foreign = second.changes_now(position->next, 10);
  REQUIRE(foreign.ok());
  CHECK(foreign->trimmed);
  CHECK(foreign->entries.size() == 1);
  CHECK_FALSE(second.forget_now(position->next).ok());
}
