// conversation_search_test.cpp: members by the beginning of their names, against a naive model.
#include "core/conversation.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "conversation_world.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;

namespace {

/// All that are found, over pages of that size.
std::vector<std::uint64_t> found(World& world, const std::string& prefix, std::uint32_t limit = 3) {
  std::vector<std::uint64_t> all;
  UserId after;
  for (bool more = true; more;) {
    const auto page = world.search(by(1), prefix, after, limit);
    REQUIRE(page.ok());
    for (const Member& member : page->members) {
      CHECK(member.role != Role::none);
      all.push_back(member.user.value);
      after = member.user;
    }
    more = page->more;
    if (more) REQUIRE(page->members.size() == limit);
  }
  return all;
}

/// By reading everything.
std::vector<std::uint64_t> model(World& world, const std::string& prefix) {
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> by_name;
  const std::string wanted = layout::searched_name(prefix);
  UserId after;
  for (bool more = true; more;) {
    const auto page = world.list(by(1), after);
    for (const Member& member : page->members) {
      after = member.user;
      const std::string name = layout::searched_name(world.names[after.value]);
      if (name.starts_with(wanted)) by_name[{name, after.value}] = after.value;
    }
    more = page->more;
  }
  std::vector<std::uint64_t> all;
  for (const auto& [name, user] : by_name) all.push_back(user);
  return all;
}

/// As an older version left it: nobody is found by a name.
void drop_names(World& world) {
  std::vector<std::pair<Batch, std::shared_ptr<std::deque<std::string>>>> batches;
  world.fx.store.for_each(
      [&](Partition partition, Bytes guard, const store::MemoryStore::RowMap& rows) {
        if (partition.space != layout::member) return;
        auto kept = std::make_shared<std::deque<std::string>>();
        const auto keep = [&](std::string bytes) {
          return Bytes(kept->emplace_back(std::move(bytes)));
        };
        auto cell = *layout::decode_count(guard);
        cell.indexed = false;
        cell.nonce = world.fx.random();
        Batch batch;
        batch.partition = {layout::member, keep(std::string(partition.id))};
        batch.expect = keep(std::string(guard));
        batch.guard = keep(layout::encode(cell));
        for (const auto& [key, value] : rows) {
          if (key[0] == 'n') batch.erases.push_back(keep(std::string(key)));
          if (key[0] != 'm') continue;
          batch.puts.push_back(
              {keep(std::string(key)), keep(layout::encode(*layout::decode_member(value)))});
        }
        batches.emplace_back(std::move(batch), std::move(kept));
      });
  for (const auto& [batch, kept] : batches)
    REQUIRE(world.fx.store.commit_now(batch).verdict == Verdict::done);
}

}  // namespace

TEST_CASE("members are found by the beginning of their names, in any case, in order") {
  for (const auto kind : groups_and_channels) {
    CAPTURE(static_cast<int>(kind));
    World world;
    world.names = {{1, "olga"}, {2, "Anna"}, {3, "annabel"},  {4, "ANNE"},
                   {5, "bob"},  {6, "anna"}, {7, "\u00c4nne"}};
    (void)world.create(by(1), kind, {user(2), user(3), user(4), user(5), user(6), user(7)});
    CHECK(found(world, "ann") == std::vector<std::uint64_t>{2, 6, 3, 4});
    CHECK(found(world, "ANNA") == std::vector<std::uint64_t>{2, 6, 3});
    CHECK(found(world, "anna", 1) == std::vector<std::uint64_t>{2, 6, 3});
    CHECK(found(world, "annabelle").empty());
    CHECK(found(world, "\u00e4") == std::vector<std::uint64_t>{7});
    CHECK(world.search(by(1), "ann")->count == 7);
    CHECK(world.search(by(1), "ann", {}, 4)->more == false);
    CHECK(world.search(by(1), "ann", {}, 3)->more == true);

    REQUIRE(world.remove(by(1), 6) == Errc::ok);
    REQUIRE(world.leave(3) == Errc::ok);
    REQUIRE(world.set_role(by(1), 4, Role::admin) == Errc::ok);
    CHECK(found(world, "ann") == std::vector<std::uint64_t>{2, 4});
    CHECK(world.search(by(1), "anne")->members.at(0).role == Role::admin);
    CHECK(world.rows('n', layout::member) == (kind == ConversationKind::channel ? 5U : 0U));
    REQUIRE(world.add(by(1), {user(3)}) == Errc::ok);
    CHECK(found(world, "annab") == std::vector<std::uint64_t>{3});
    CHECK(world.search(by(9), "a").error().errc() == Errc::denied);  // a stranger
    CHECK(world.search(by(6), "a").error().errc() == Errc::denied);  // was one
    CHECK(world.search(by(1), "a", user(99)).error().errc() == Errc::invalid_argument);
  }
}

TEST_CASE("positions of who is found are told as in the list") {
  World world;
  world.names = {{1, "olga"}, {2, "anna"}};
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  REQUIRE(world.say(1) == Errc::ok);
  REQUIRE(world.mark(2, 2, 2) == Errc::ok);
  world.fx.advance(limits::receipt_delay);
  const auto page = world.search(by(1), "a");
  REQUIRE(page->receipts.size() == 1);
  CHECK(page->receipts[0].read == 2);
}

TEST_CASE("a search reads the same for any number of members, and of those found only its page") {
  World world;
  world.names[1] = "olga";
  (void)world.create(by(1), ConversationKind::channel);
  const auto crowd = [&world](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n < to; n += 100) {
      std::vector<UserId> users;
      for (std::uint64_t k = n; k < n + 100; ++k) {
        world.names[k] = (k % 2 == 0 ? "Player" : "guest") + std::to_string(k);
        users.push_back(user(k));
      }
      REQUIRE(world.add(by(1), users) == Errc::ok);
    }
  };
  const auto cost = [&world] {
    const int before = world.fx.scans;
    CHECK(world.search(by(1), "play", {}, 20)->members.size() == 20);
    return world.fx.scans - before;
  };
  crowd(1'000, 4'000);
  const int few = cost();
  crowd(4'000, 9'000);
  CHECK(cost() <= few + 8);
  CHECK(few <= 256 + 8);
  CHECK(found(world, "player", 500) == model(world, "player"));
  CHECK(found(world, "guest100", 20) == model(world, "guest100"));
}

TEST_CASE("members of a store without names get them with the first search") {
  for (const Fault fault : every_verdict) {
    CAPTURE(static_cast<int>(fault));
    World world;
    for (std::uint64_t n = 1; n <= 60; ++n) world.names[n] = "user" + std::to_string(n);
    std::vector<UserId> users;
    for (std::uint64_t n = 2; n <= 50; ++n) users.push_back(user(n));
    (void)world.create(by(1), ConversationKind::channel, users);
    drop_names(world);
    world.restart();
    REQUIRE(world.leave(7) == Errc::ok);                // without a name
    REQUIRE(world.add(by(1), {user(51)}) == Errc::ok);  // with one, perhaps among others without
    world.fail_next(fault, layout::member);
    const auto first = world.search(by(1), "user", {}, 500);
    if (fault == Fault::failed) {
      CHECK(first.error().errc() == Errc::unavailable);
    } else {
      CHECK(first->members.size() == 50);
    }
    CHECK(found(world, "User1") == model(world, "user1"));
    CHECK(world.rows('n', layout::member) == 50);
    const int commits = world.fx.commits;
    CHECK(found(world, "user").size() == 50);
    CHECK(world.fx.commits == commits);
    world.restart();
    CHECK(found(world, "user5") == model(world, "user5"));
    CHECK(world.fx.commits == commits);
  }
}

TEST_CASE("who is found is what a naive model says, whatever goes wrong") {
  for (const auto kind : groups_and_channels) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(static_cast<int>(kind), seed);
      World world;
      std::uint64_t state = seed * 0x9e3779b97f4a7c15ULL;
      const auto dice = [&state](std::uint64_t sides) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state >> 33) % sides;
      };
      for (std::uint64_t n = 1; n <= 30; ++n)
        world.names[n] =
            std::string(1, n % 3 == 0 ? 'A' : 'a') + char('a' + n % 4) + std::to_string(n % 7);
      (void)world.create(by(1), kind);
      for (int step = 0; step < 60; ++step) {
        const std::uint64_t who = 2 + dice(29);
        if (dice(4) == 0) {
          const Fault fault = every_verdict[dice(std::size(every_verdict))];
          const bool rows = kind == ConversationKind::channel && dice(2) == 0;
          world.fail_next(fault, rows ? layout::member : layout::conversation);
        }
        switch (dice(6)) {
          case 0:
          case 1:
          case 2:
            (void)world.add(by(1), {user(who), user(2 + dice(29))});
            break;
          case 3:
            (void)world.remove(by(1), who);
            break;
          case 4:
            (void)world.leave(who);
            break;
          case 5:
            if (dice(3) == 0)
              world.restart();
            else
              (void)world.set_role(by(1), who, Role::moderator);
            break;
        }
        if (step % 5 != 4) continue;
        world.fx.inject = nullptr;
        world.fx.advance(std::chrono::seconds(2));
        for (const char* prefix : {"a", "Ab", "ac1"})
          CHECK(found(world, prefix) == model(world, prefix));
      }
    }
  }
}
