// tests/lmdb/fold_test.cpp: what a fold writes, in how many transactions, and when they fail.
#include "lmdb/fold.hpp"

#include <errno.h>

#include "catch.hpp"
#include "log_groups.hpp"
#include "scratch_env.hpp"

using namespace parley;
using lmdb::Fold;
using lmdb::MemoryTail;
using lmdb::Step;

namespace {

std::optional<std::string> value_of(ScratchEnv& at, Bytes key) {
  auto reader = at.readers->take();
  Bytes value;
  const int code = lmdb::get_value(reader->txn(), key, value);
  return code == 0 ? std::optional<std::string>(value) : std::nullopt;
}
std::uint64_t folded(ScratchEnv& at) { return lmdb::read_own_rows(*at.env).value().folded; }

}  // namespace

TEST_CASE("a fold leaves LMDB as the tail says, with its LSN", "[lmdb][log]") {
  ScratchEnv at;
  const lmdb::Hooks hooks;
  Fold fold(*at.env, hooks, 2);
  MemoryTail first, second;
  first.add(log_groups::make(1, {{.guard = "g1", .puts = {{"a", "1"}, {"b", "1"}}, .note = "n"}}));
  REQUIRE(fold.write(first, true) == 0);
  CHECK(fold.flushed());
  const std::size_t id = fold.txn_id();
  CHECK(folded(at) == 1);
  CHECK(value_of(at, lmdb::Key::guard({1, "p"}).bytes()) == "g1");
  CHECK(value_of(at, lmdb::Key::row({1, "p"}, "a").bytes()) == "1");
  CHECK(value_of(at, lmdb::Key::entry(1).bytes()).has_value());
  second.add(log_groups::make(2, {{.guard = "g2", .puts = {{"b", "2"}}, .erases = {"a"}}},
                              {.last = 1, .bytes = 5, .through = 1}));
  REQUIRE(fold.write(second, true) == 0);
  CHECK(fold.txn_id() > id);
  CHECK(at.readers->take()->txn_id() == fold.txn_id());
  CHECK(folded(at) == 2);
  CHECK_FALSE(value_of(at, lmdb::Key::row({1, "p"}, "a").bytes()));
  CHECK(value_of(at, lmdb::Key::row({1, "p"}, "b").bytes()) == "2");
  CHECK_FALSE(value_of(at, lmdb::Key::entry(1).bytes()));  // forgotten
  const auto rows = lmdb::read_own_rows(*at.env).value();
  CHECK(rows.log_files == 2);
  CHECK(rows.feed.last == 1);
  CHECK(rows.feed.through == 1);
  REQUIRE(fold.write(second, true) == 0);  // once more, as after a crash in between
  CHECK(value_of(at, lmdb::Key::row({1, "p"}, "b").bytes()) == "2");
}

TEST_CASE("a large fold is cut, and its LSN comes with the last piece", "[lmdb][log]") {
  ScratchEnv at(64 << 20);
  MemoryTail tail;
  for (std::uint64_t lsn = 1; lsn <= 10; ++lsn) {
    std::vector<testing::Draft> drafts;
    for (int i = 0; i < 5'000; ++i)
      drafts.push_back({.id = "p" + std::to_string(lsn) + "-" + std::to_string(i), .guard = "g"});
    tail.add(log_groups::make(lsn, drafts));
  }
  int commits = 0;
  lmdb::Hooks hooks{[&](Step step) {
    if (step == Step::fold_commit && ++commits == 2) return EIO;
    return 0;
  }};
  Fold fold(*at.env, hooks, 2);
  CHECK(fold.write(tail, true) == EIO);
  CHECK(folded(at) == 0);
  CHECK(value_of(at, lmdb::Key::guard({1, "p1-0"}).bytes()) == "g");  // the tail hides it
  CHECK(fold.write(tail, true) == 0);
  CHECK(commits == 4);
  CHECK(folded(at) == 10);
}

TEST_CASE("a fold without room changes nothing", "[lmdb][log]") {
  ScratchEnv at(256 << 10);
  const lmdb::Hooks hooks;
  MemoryTail tail;
  tail.add(log_groups::make(1, {{.guard = "g", .puts = {{"k", std::string(300'000, 'v')}}}}));
  Fold fold(*at.env, hooks, 2);
  CHECK(fold.write(tail, true) == MDB_MAP_FULL);
  CHECK_FALSE(fold.flushed());
  CHECK(folded(at) == 0);
  REQUIRE(at.readers->resize(1 << 20) == 0);
  CHECK(fold.write(tail, true) == 0);
  CHECK(folded(at) == 1);
}
