// timers_test.cpp: wake-ups come once they are due, survive a crash, and follow no jump of the
// clock at once.
#include "core/timers.hpp"

#include "core/wall_clock.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

using namespace parley;
using namespace parley::test;

namespace {

using core::Time;
using Steady = std::chrono::steady_clock::time_point;

wire::Schedule later(const ConversationId& id, std::string_view text, WallTime at) {
  wire::Schedule schedule;
  schedule.at = at;
  schedule.message.conversation = id;
  schedule.message.body = Payload::copy_of(text);
  return schedule;
}

wire::Scheduled::Item schedule(ShardWorld& world, Client& client, const wire::Schedule& what) {
  const auto answer = world.ask<wire::Scheduled>(client, what);
  REQUIRE(answer.items.size() == 1);
  return answer.items[0];
}

std::vector<wire::Scheduled::Item> waiting(ShardWorld& world, Client& client) {
  return world.ask<wire::Scheduled>(client, wire::ListScheduled{}).items;
}

/// Rows of space 7, of all hours.
std::size_t timers(ShardWorld& world) {
  std::size_t count = 0;
  world.store().list(layout::timer, {}, 1000, [&](Result<Listed> listed) {
    for (const Row& partition : listed->partitions) {
      Scan scan;
      scan.partition = {layout::timer, partition.key};
      world.store().scan(scan, [&](Result<Rows> rows) { count += rows->rows.size(); });
    }
  });
  return count;
}

const ListEntry* entry_in(const wire::ListChanged& list, const ConversationId& id) {
  for (const ListEntry& entry : list.entries)
    if (entry.conversation == id) return &entry;
  return nullptr;
}

}  // namespace

TEST_CASE("what could not be sent later is refused now") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob");
  const ConversationId room = world.group(alice, {"bob"});
  const WallTime soon = world.wall() + 60s;
  wire::Schedule forward = later(room, "", soon);
  forward.message.forward = ForwardOf{room, 1};
  CHECK(world.failure(alice, forward) == Errc::invalid_argument);
  wire::Schedule grown = later(room, "text", soon);
  grown.message.stream = 7;
  CHECK(world.failure(alice, grown) == Errc::invalid_argument);
  wire::Schedule answer = later(room, "text", soon);
  answer.message.reply_to = 99;
  CHECK(world.failure(alice, answer) == Errc::invalid_argument);
  world.ask<wire::Done>(alice, wire::Restrict{.conversation = room, .user = bob.user});
  CHECK(world.failure(bob, later(room, "text", soon)) == Errc::muted);
  CHECK(world.ask<wire::Scheduled>(alice, wire::ListScheduled{}).items.empty());
}

TEST_CASE("the wall clock is followed in small steps, and after a jump once it was stable") {
  core::WallClock clock;
  Time now{Steady{} + 1h, 1'000'000};
  const auto pass = [&](std::chrono::milliseconds steady, std::int64_t wall) {
    now.steady += steady;
    now.wall_ms += wall;
    return clock.at(now);
  };
  CHECK(clock.at(now) == 1'000'000);
  CHECK(pass(10s, 10'000) == 1'010'000);
  CHECK(pass(10s, 12'000) == 1'022'000);     // drift
  CHECK(pass(1s, 3'600'000) == 1'023'000);   // a jump: an hour ahead
  CHECK(pass(30s, 30'000) == 1'053'000);     // goes on as before
  CHECK(pass(30s, 30'000) == 4'682'000);     // a minute stable: followed
  CHECK(pass(1s, -3'600'000) == 4'683'000);  // and back
  CHECK(pass(30s, 30'000) == 4'713'000);
  CHECK(pass(1s, 5'000'000) == 4'714'000);  // another one: the minute begins anew
  CHECK(pass(59s, 59'000) == 4'773'000);
  CHECK(pass(1s, 1'000) == now.wall_ms);
}

// A wake-up asked for twice was stored for the second time after it had passed. Its owner took it
// for one that was still to come, and stored no other: what was due later never happened.
TEST_CASE("a wake-up that passed before its owner heard that it is stored is asked for again") {
  struct Kept final : core::WakeStore {
    void wake_at(const layout::TimerTarget&, std::int64_t due_ms, core::Then<void> then) override {
      stored.push_back(due_ms);
      answers.push_back(std::move(then));
    }
    void drop_wake(const layout::TimerTarget&, std::int64_t due_ms) override {
      std::erase(stored, due_ms);
    }
    std::vector<std::int64_t> stored;
    std::vector<core::Then<void>> answers;
  } kept;
  core::WakeUp owner;
  int answered = 0;
  const auto target = layout::timer_of(UserId{1});
  const auto count = [&](const Result<void>& result) { answered += result ? 1 : 0; };
  owner.ensure(kept, target, 100, count);
  owner.ensure(kept, target, 100, count);
  kept.answers[0]({});
  CHECK(answered == 1);
  CHECK(owner.covers(100));
  owner.ensure(kept, target, 150, count);  // covered
  CHECK(answered == 2);
  owner.passed(120);
  kept.answers[1]({});
  CHECK(answered == 2);
  CHECK_FALSE(owner.covers(150));
  CHECK(kept.stored.back() == 121);
  kept.answers[2]({});
  CHECK(answered == 3);
  CHECK(owner.covers(150));
}

TEST_CASE("a scheduled message is sent once when it is due, and moves no position") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& tablet = world.sign_in("alice", "tablet", 1);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId team = world.group(alice, {"bob"});
  world.say(alice, team, "one");
  const Seq unseen = world.say(bob, team, "two");
  world.subscribe(bob, team);
  world.pass(1s);
  const auto item = schedule(world, alice, later(team, "good morning", world.wall() + 90min));
  CHECK(item.id != 0);
  CHECK(waiting(world, tablet).size() == 1);
  world.pass(1s);
  REQUIRE(tablet.all<wire::Scheduled>().size() == 2);  // pushed, then asked for
  CHECK(tablet.all<wire::Scheduled>()[0].items.at(0).message.body.bytes() == "good morning");
  CHECK(timers(world) == 1);

  world.pass(89min);
  CHECK(bob.texts(team).empty());
  world.pass(1min);
  CHECK(bob.texts(team) == std::vector<std::string>{"good morning"});
  CHECK(waiting(world, alice).empty());
  CHECK(tablet.all<wire::Scheduled>().back().removed == std::vector{item.id});
  CHECK(timers(world) == 0);
  const auto list = world.ask<wire::ListChanged>(alice, wire::Sync{});
  CHECK(entry_in(list, team)->read < unseen);  // what bob wrote is still unread
  world.pass(2h);
  CHECK(bob.texts(team).size() == 1);
}

TEST_CASE("scheduled messages survive a crash at any time and are never sent twice") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  schedule(world, alice, later(team, "later", world.wall() + 10min));
  schedule(world, alice, later(team, "sooner", world.wall() + 5min));
  CHECK(timers(world) == 1);  // the earlier one covers both
  world.restart();
  world.pass(4min);
  Client& bob = world.sign_in("bob");
  world.subscribe(bob, team);
  world.pass(2min);
  CHECK(bob.texts(team) == std::vector<std::string>{"sooner"});
  world.restart();  // the next wake-up was stored before the first was erased
  Client& again = world.sign_in("bob");
  world.subscribe(again, team);
  world.pass(1h);
  CHECK(again.texts(team) == std::vector<std::string>{"later"});
  CHECK(timers(world) == 0);

  // Due while nobody ran: sent at the start.
  Client& back = world.sign_in("alice");
  schedule(world, back, later(team, "missed", world.wall() + 1min));
  world.stop();
  world.sleep(3h);
  world.start(2);
  Client& late = world.sign_in("bob");
  world.pass(1min);
  const auto page = world.ask<wire::HistoryPage>(late, wire::History{team, 0, true, 10});
  CHECK(page.records.size() == 4);  // added, and three messages
  CHECK(wire::read_record(page.records.back().bytes()).body == "missed");
}

// After a restart the home took the wake-up of a message that was dropped for one of its own.
TEST_CASE("a scheduled message that waited behind a dropped one is sent after a restart") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  const auto dropped = schedule(world, alice, later(team, "never", world.wall() + 5min));
  schedule(world, alice, later(team, "later", world.wall() + 10min));
  CHECK(timers(world) == 1);
  world.ask<wire::Done>(alice, wire::Unschedule{dropped.id});
  world.restart();
  Client& bob = world.sign_in("bob");
  world.subscribe(bob, team);
  Client& back = world.sign_in("alice");
  CHECK(waiting(world, back).size() == 1);
  world.pass(6min);
  CHECK(timers(world) == 1);
  world.pass(1h);
  CHECK(bob.texts(team) == std::vector<std::string>{"later"});
  CHECK(timers(world) == 0);
}

TEST_CASE("what failed is tried again soon though the clock was set back since") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  schedule(world, alice, later(team, "late", world.wall() + 10s));
  world.fault = [](const Batch& batch) {
    return batch.partition.space == layout::conversation ? ShardWorld::Fault::failed
                                                         : ShardWorld::Fault::none;
  };
  world.pass(15min);
  world.clock_step = -10min;
  world.pass(61s);  // it is followed once it was stable
  world.fault = {};
  CHECK(waiting(world, alice).size() == 1);
  world.pass(65s);
  CHECK(waiting(world, alice).empty());
}

TEST_CASE("a scheduled message is changed, dropped, and refused when it is not allowed any more") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob");
  const ConversationId team = world.group(alice, {"bob"});
  auto item = schedule(world, bob, later(team, "first", world.wall() + 5min));
  wire::Schedule change = later(team, "second", world.wall() + 1min);
  change.id = item.id;
  CHECK(schedule(world, bob, change).id == item.id);
  CHECK(world.failure(alice, change) == Errc::denied);  // not hers
  const auto dropped = schedule(world, bob, later(team, "never", world.wall() + 2min));
  world.ask<wire::Done>(bob, wire::Unschedule{dropped.id});
  CHECK(world.failure(bob, wire::Unschedule{dropped.id}) == Errc::denied);
  world.subscribe(alice, team);
  world.pass(10min);
  CHECK(alice.texts(team) == std::vector<std::string>{"second"});
  CHECK(timers(world) == 0);

  item = schedule(world, bob, later(team, "too late", world.wall() + 5min));
  world.ask<wire::Done>(alice, wire::Remove{team, bob.user});
  CHECK(world.failure(bob, later(team, "x", world.wall() + 5min)) == Errc::denied);
  bob.replies.clear();
  world.pass(10min);
  CHECK(alice.texts(team).size() == 1);
  const auto left = waiting(world, bob);
  REQUIRE(left.size() == 1);
  CHECK(left[0].failed == static_cast<std::uint32_t>(Errc::denied));
  CHECK_FALSE(left[0].why.empty());
  CHECK(bob.all<wire::Scheduled>().at(0).items.at(0).failed != 0);  // told to its devices
  world.ask<wire::Done>(bob, wire::Unschedule{item.id});
  CHECK(waiting(world, bob).empty());
}

TEST_CASE("what can be scheduled has limits") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  const WallTime soon = world.wall() + 1h;
  CHECK(world.failure(alice, later(team, "past", world.wall())) == Errc::invalid_argument);
  CHECK(world.failure(alice, later(team, "far", world.wall() + limits::schedule_ahead + 1ms)) ==
        Errc::invalid_argument);
  const auto furthest =
      schedule(world, alice, later(team, "far", world.wall() + limits::schedule_ahead));
  world.ask<wire::Done>(alice, wire::Unschedule{furthest.id});
  CHECK(world.failure(alice, later({}, "nowhere", soon)) == Errc::invalid_argument);
  CHECK(world.failure(alice, later(team, "\xff", soon)) == Errc::invalid_argument);
  wire::Schedule numbered = later(team, "x", soon);
  numbered.message.number = 1;
  CHECK(world.failure(alice, numbered) == Errc::invalid_argument);
  const std::string half(limits::scheduled_bytes / 2, 'b');
  schedule(world, alice, later(team, half, soon));
  CHECK(world.failure(alice, later(team, half, soon)) == Errc::limit_reached);
  for (std::size_t i = 1; i < limits::scheduled; ++i)
    schedule(world, alice, later(team, "x", soon));
  CHECK(world.failure(alice, later(team, "x", soon)) == Errc::limit_reached);
  CHECK(waiting(world, alice).size() == limits::scheduled);
  CHECK(world.failure(world.system(), later(team, "x", soon)) == Errc::denied);
}
