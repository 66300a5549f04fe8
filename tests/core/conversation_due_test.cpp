// conversation_due_test.cpp: messages that expire go by an event, on time, whatever goes wrong.
#include <algorithm>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/operations.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

wire::Send brief(std::string_view body, std::chrono::milliseconds after) {
  wire::Send send = text(body);
  send.expires_after_ms = static_cast<std::uint64_t>(after.count());
  return send;
}

Errc wake(World& world) {
  Asked<void> woken;
  world->wake(world.fx.time.wall_ms, woken.then());
  world.fx.advance(5s);
  return woken.errc();
}

/// Bodies as history shows them, and how many deletions the stream tells.
std::vector<std::string> shown(World& world, int& deletions) {
  std::vector<std::string> bodies;
  deletions = 0;
  for (Seq next = 1;;) {
    const auto page = world.read({.from = next}).value();
    for (const auto& event : page.events) {
      const auto fields = wire::read_record(event.record.bytes());
      if (fields.kind == EventKind::deleted) {
        ++deletions;
        CHECK_FALSE(fields.sender);
      }
      if (fields.kind == EventKind::message && !fields.deleted) bodies.emplace_back(fields.body);
      next = event.seq + 1;
    }
    if (!page.more) return bodies;
  }
}

}  // namespace

TEST_CASE("an expiring message is deleted by the system when it is time, and is not unread") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  auto sent = world.send(by(1), brief("secret", 1h));
  world.fx.drain();
  REQUIRE(sent.errc() == Errc::ok);
  REQUIRE(world.wakes.size() == 1);  // stored before the message
  CHECK(world.wakes[0] <= world.fx.time.wall_ms + 3'600'000);
  CHECK(world.rows('d') == 1);
  REQUIRE(world.say(1, "stays") == Errc::ok);
  const auto page = world.read({.from = sent.value().seq, .max_events = 1}).value();
  const auto fields = wire::read_record(page.events.at(0).record.bytes());
  CHECK(fields.expires_ms == fields.time_ms + 3'600'000);
  int deletions = 0;
  world.fx.advance(30min);
  CHECK(wake(world) == Errc::ok);  // one too early does nothing
  CHECK(shown(world, deletions) == std::vector<std::string>{"secret", "stays"});
  CHECK(world.wakes.back() == fields.expires_ms);
  world.fx.advance(31min);
  CHECK(wake(world) == Errc::ok);
  CHECK(shown(world, deletions) == std::vector<std::string>{"stays"});
  CHECK(deletions == 1);
  CHECK(world.rows('d') == 0);
  CHECK(entry_of(world.id(), world.access(2).value()).unread == 1);
  CHECK(world.home->idle());
}

TEST_CASE("what a conversation says of all its messages, and one of itself: the shorter counts") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  Asked<void> set;
  world->set_settings(by(1), {.expires_after = 60s}, set.then());
  world.fx.drain();
  REQUIRE(set.errc() == Errc::ok);
  world.restart();
  const auto lives = [&](wire::Send send) {
    auto sent = world.send(by(1), std::move(send));
    world.fx.drain();
    const auto page = world.read({.from = sent.value().seq, .max_events = 1}).value();
    const auto fields = wire::read_record(page.events.at(0).record.bytes());
    return fields.expires_ms - fields.time_ms;
  };
  CHECK(lives(text("as all")) == 60'000);
  CHECK(lives(brief("shorter", 5s)) == 5'000);
  CHECK(lives(brief("not longer", 1h)) == 60'000);
  CHECK(world.rows('d') == 3);
  world.fx.advance(2min);
  CHECK(wake(world) == Errc::ok);
  int deletions = 0;
  CHECK(shown(world, deletions).empty());
  CHECK(deletions == 3);
}

TEST_CASE("many expire at once; one that was deleted before expires without a word") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  for (int i = 0; i < 150; ++i) {
    (void)world.send(by(1), brief("short", limits::expires_least + std::chrono::minutes(i % 3)));
    world.fx.drain();
  }
  CHECK(world.wakes.size() == 1);  // the first covers the others
  Asked<void> erased;
  world->delete_message({}, 10, erased.then());
  world.fx.advance(10min);
  CHECK(wake(world) == Errc::ok);
  int deletions = 0;
  CHECK(shown(world, deletions).empty());
  CHECK(deletions == 150);
  CHECK(world.rows('d') == 0);
}

TEST_CASE("an expiry is carried through whatever goes wrong, after a crash too") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late, Fault::none}) {
    for (int at = 0; at < 4; ++at) {
      CAPTURE(static_cast<int>(fault), at);
      World world;
      (void)world.create(by(1), ConversationKind::group, {user(2)});
      int commits = 0;
      world.fx.inject = [&](const Batch&) { return commits++ == at ? fault : Fault::none; };
      auto sent = world.send(by(1), brief("secret", 1h));
      world.fx.advance(5s);
      const bool there = sent.errc() == Errc::ok;
      world.fx.advance(2h);
      Asked<void> woken;
      world->wake(world.fx.time.wall_ms, woken.then());
      if (fault == Fault::none) {
        for (int step = 0; step < 3 * at; ++step) world.fx.step();
        world.restart();
      }
      world.fx.advance(5s);
      CHECK((wake(world) == Errc::ok || wake(world) == Errc::ok));
      int deletions = 0;
      CHECK(shown(world, deletions).empty());
      CHECK(deletions == (there ? 1 : 0));
      CHECK(world.rows('d') == 0);
      CHECK(world.home->idle());
    }
  }
}

TEST_CASE("two wake-ups at once delete what expires once") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  auto sent = world.send(by(1), brief("secret", 1h));
  world.fx.drain();
  REQUIRE(sent.errc() == Errc::ok);
  world.fx.advance(61min);
  Asked<void> first, second;
  world->wake(world.fx.time.wall_ms, first.then());
  world->wake(world.fx.time.wall_ms, second.then());
  world.fx.advance(5s);
  CHECK(first.errc() == Errc::ok);
  CHECK(second.errc() == Errc::ok);
  int deletions = 0;
  CHECK(shown(world, deletions).empty());
  CHECK(deletions == 1);
  CHECK(world.rows('d') == 0);
  CHECK(world.home->idle());
}

TEST_CASE("a message without its wake-up is not stored, and how long it lives has limits") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  world.wake_fails = true;
  auto sent = world.send(by(1), brief("secret", 1h));
  world.fx.drain();
  CHECK(sent.errc() == Errc::unavailable);
  CHECK(world.head().ordinal == 0);
  world.wake_fails = false;
  constexpr std::chrono::milliseconds least = limits::expires_least, most = limits::expires_most;
  for (const auto after : {least - 1ms, most + 1ms}) {
    auto refused = world.send(by(1), brief("secret", after));
    world.fx.drain();
    CHECK(refused.errc() == Errc::invalid_argument);
  }
  for (const auto after : {least, most}) {
    auto taken = world.send(by(1), brief("secret", after));
    world.fx.drain();
    CHECK(taken.errc() == Errc::ok);
  }
}
