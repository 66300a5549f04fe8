// tests/lmdb/group_builder_test.cpp: batches decided against each other, the tails and LMDB.
#include "lmdb/group_builder.hpp"

#include "catch.hpp"
#include "lmdb/fold.hpp"
#include "log_groups.hpp"
#include "scratch_env.hpp"

using namespace parley;
using lmdb::GroupBuilder;
using parley::testing::Draft;

namespace {

/// Partition p at g1 with rows a and b: in LMDB, or in the tail.
struct Standing {
  explicit Standing(bool folded) {
    const auto group = log_groups::make(
        1, {{.guard = "g1", .puts = {{"a", "1"}, {"b", "1"}}, .note = "n1"}}, {.bytes = 37});
    tails.add(group);
    tails.publish(*group);
    if (!folded) return;
    lmdb::Fold fold(*at.env, hooks, 2);
    REQUIRE(fold.write(*tails.freeze(), true) == 0);
    tails.drop(fold.txn_id());
  }
  ScratchEnv at;
  const lmdb::Hooks hooks;
  lmdb::Tails tails{0, {}};
};

Verdict apply(GroupBuilder& builder, const Draft& draft) {
  Committed answer;
  REQUIRE(builder.apply(draft.batch(), answer) == 0);
  return answer.verdict;
}

}  // namespace

TEST_CASE("a batch meets the ones before it, then the tails, then LMDB", "[lmdb][log]") {
  Standing standing(GENERATE(true, false));
  auto reader = standing.at.readers->take().value();
  GroupBuilder builder(standing.tails, reader, 10'000, {.last = 1, .bytes = 37}, 1'000);
  CHECK(builder.empty());
  const Draft wrong{.expect = "g0", .guard = "g2"}, absent{.guard = "g2"};
  CHECK(apply(builder, wrong) == Verdict::refused);
  CHECK(apply(builder, absent) == Verdict::refused);
  CHECK(builder.empty());
  const Draft second{.expect = "g1", .guard = "g2", .note = "n2"};
  const Draft third{.expect = "g2", .guard = "g3"}, again{.expect = "g1", .guard = "g4"};
  CHECK(apply(builder, second) == Verdict::done);
  CHECK(apply(builder, again) == Verdict::refused);
  CHECK(apply(builder, third) == Verdict::done);
  const auto group = builder.finish(2);
  CHECK(group->batches() == 2);
  CHECK(group->feed().last == 2);
  CHECK(group->feed().bytes == 2 * 37);
}

TEST_CASE("a partition ends with all of its rows or not at all", "[lmdb][log]") {
  Standing standing(GENERATE(true, false));
  auto reader = standing.at.readers->take().value();
  GroupBuilder builder(standing.tails, reader, 10'000, {.last = 1}, 1'000);
  const Draft part{.expect = "g1", .erases = {"b"}};
  const Draft whole{.expect = "g1", .erases = {"b", "a", "c"}}, anew{.guard = "g9"};
  CHECK(apply(builder, part) == Verdict::failed);
  CHECK(apply(builder, whole) == Verdict::done);
  CHECK(apply(builder, anew) == Verdict::done);
}

TEST_CASE("beyond the feed's limit the oldest entry is forgotten", "[lmdb][log]") {
  Standing standing(GENERATE(true, false));
  auto reader = standing.at.readers->take().value();
  GroupBuilder builder(standing.tails, reader, 10'000, {.last = 1, .bytes = 37}, 40);
  const Draft second{.expect = "g1", .guard = "g2", .note = "n2"};
  const Draft third{.expect = "g2", .guard = "g3", .note = "n3"};
  CHECK(apply(builder, second) == Verdict::done);
  CHECK(builder.feed().through == 1);
  CHECK(builder.feed().bytes == 37);
  CHECK(apply(builder, third) == Verdict::done);  // those of its own group stay
  CHECK(builder.feed().through == 1);
  GroupBuilder forgetting(standing.tails, reader, 0, {.last = 1, .bytes = 37}, 1'000);
  CHECK(forgetting.forget(1, 0) == 0);
  CHECK(forgetting.empty());
  CHECK(forgetting.forget(1, 10) == 0);
  CHECK_FALSE(forgetting.empty());
  CHECK(forgetting.feed().bytes == 0);
}
