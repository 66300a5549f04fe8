// tests/lmdb/memory_tail_test.cpp: groups merged: the newest of each key, in LMDB's order.
#include "lmdb/memory_tail.hpp"

#include "catch.hpp"
#include "log_groups.hpp"

using namespace parley;
using lmdb::MemoryTail;

TEST_CASE("a cell shows the group before the one that is being flushed", "[lmdb][log]") {
  lmdb::TailCell cell;
  CHECK(cell.at(9).lsn == 0);
  cell.set(1, "a");
  cell.set(2, "b");
  cell.set(2, std::nullopt);  // twice in one group
  CHECK(cell.at(1).value == Bytes("a"));
  CHECK(cell.at(2).lsn == 2);
  CHECK_FALSE(cell.at(2).value);
  CHECK(cell.at(0).lsn == 1);  // (nobody asks: at most one group is not visible)
}

TEST_CASE("a tail holds the newest of each key in the order of LMDB's keys", "[lmdb][log]") {
  MemoryTail tail;
  CHECK(tail.empty());
  tail.add(log_groups::make(4, {{.id = "bb", .guard = "g1", .puts = {{"k", "1"}, {"a", "1"}}},
                                {.id = "c", .guard = "g1", .puts = {{"z", "1"}}, .note = "n1"}}));
  tail.add(log_groups::make(5,
                            {{.id = "bb",
                              .expect = "g1",
                              .guard = "g2",
                              .puts = {{"k", "2"}},
                              .erases = {"a"},
                              .note = "n2"},
                             {.id = "c", .expect = "g1", .erases = {"z"}}},
                            {.last = 1}));
  CHECK(tail.lsn() == 5);
  CHECK(tail.batches() == 4);
  CHECK(tail.rows() == 10);
  CHECK(tail.bytes() == 2 * lmdb::log_block);
  REQUIRE(tail.find({1, "bb"}) != nullptr);
  CHECK(tail.find({2, "bb"}) == nullptr);
  CHECK(tail.find({1, "b"}) == nullptr);
  REQUIRE(tail.entries().size() == 2);
  CHECK(tail.entries()[0].number == 1);
  CHECK(tail.entries()[1].number == 2);
  CHECK(tail.entries()[1].note == "n2");

  std::vector<std::string> keys;
  std::string values;
  CHECK(tail.for_each_key([&](Bytes key, const std::optional<Bytes>& value) {
    keys.emplace_back(key);
    values += value && value->size() < 3 ? std::string(*value) : value ? "entry" : "-";
    values += " ";
    return 0;
  }) == 0);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  CHECK(values == "- g2 - - 2 entry entry ");  // guards c, bb; rows c/z, bb/a, bb/k; two entries
  int calls = 0;
  CHECK(tail.for_each_key(
            [&](Bytes, const std::optional<Bytes>&) { return ++calls == 2 ? 7 : 0; }) == 7);
  CHECK(calls == 2);
}

TEST_CASE("forgotten entries are not folded", "[lmdb][log]") {
  MemoryTail tail;
  tail.add(log_groups::make(
      1, {{.guard = "g1", .note = "a"}, {.id = "q", .guard = "g1", .note = "b"}}, {.through = 1}));
  int entries = 0;
  (void)tail.for_each_key([&](Bytes key, const std::optional<Bytes>&) {
    entries += static_cast<std::uint8_t>(key[0]) == lmdb::own_kind;
    return 0;
  });
  CHECK(entries == 1);
}
