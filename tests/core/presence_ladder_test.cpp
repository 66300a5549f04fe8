// presence_ladder_test.cpp: the steps of a conversation's presence, and that the count of who is
// online is exact whatever comes and goes.
#include "core/presence_ladder.hpp"

#include <rapidcheck.h>

#include <map>
#include <set>

#include "catch.hpp"

using namespace parley;
using namespace parley::core;

TEST_CASE("a conversation goes up a step at once and comes down with room to spare") {
  using enum PresenceStep;
  struct Row {
    PresenceStep now;
    std::uint64_t members;
    PresenceStep next;
  };
  constexpr auto full_most = limits::presence_full, full_again = limits::presence_full_again;
  constexpr auto most = limits::presence_window, again = limits::presence_window_again;
  const Row row = GENERATE_COPY(
      Row{none, full_most, full}, Row{none, limits::presence_full + 1, window}, Row{full, 0, full},
      Row{full, full_most, full}, Row{full, full_most + 1, window}, Row{window, full_most, window},
      Row{window, full_again, window}, Row{window, limits::presence_full_again - 1, full},
      Row{window, most, window}, Row{window, limits::presence_window + 1, count},
      Row{full, most + 1, count}, Row{count, most, count}, Row{count, again, count},
      Row{count, limits::presence_window_again - 1, window}, Row{count, full_again - 1, full},
      Row{count, full_again, window});
  CAPTURE(static_cast<int>(row.now), row.members);
  CHECK(next_step(row.now, row.members) == row.next);
}

TEST_CASE("who is online is counted once, over sessions and shards, and exactly") {
  CHECK(rc::check("online", [] {
    constexpr ShardIndex shards = 3;
    std::map<ShardIndex, OnlineHere> here;
    OnlineTogether together;
    std::map<ShardIndex, std::map<std::uint64_t, int>> model;
    const int steps = *rc::gen::inRange(1, 120);
    for (int i = 0; i < steps; ++i) {
      const auto shard = static_cast<ShardIndex>(*rc::gen::inRange(0, int{shards}));
      const auto user = *rc::gen::inRange<std::uint64_t>(1, 6);
      switch (*rc::gen::inRange(0, 8)) {
        case 0: {
          const OnlineHere::Change change = here[shard].take_changes();
          together.apply(shard, change);
          break;
        }
        case 2:
        case 3:
          if (model[shard][user] == 0) break;
          --model[shard][user];
          here[shard].went(UserId{user});
          break;
        default:
          ++model[shard][user];
          here[shard].came(UserId{user});
      }
    }
    for (auto& [shard, each] : here) together.apply(shard, each.take_changes());
    std::set<std::uint64_t> online;
    for (const auto& [shard, users] : model)
      for (const auto& [user, sessions] : users)
        if (sessions > 0) online.insert(user);
    RC_ASSERT(together.count() == online.size());
    for (const std::uint64_t user : online) RC_ASSERT(together.contains(UserId{user}));
    const std::vector<UserId> without{UserId{1}};
    const auto few = together.sample(2, without);
    RC_ASSERT(few.size() <= 2u);
    for (const UserId user : few) RC_ASSERT(user != UserId{1} && online.contains(user.value));
  }));
}
