// conversation_retention_test.cpp: what falls below the floor is gone for readers at once and from
// the disk soon; what is deleted for good leaves nothing.
#include <algorithm>
#include <set>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/operations.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

Errc keep(World& world, Caller caller, Retention retention) {
  Asked<void> asked;
  world->set_retention(caller, retention, asked.then());
  world.fx.drain();
  return asked.errc();
}

Errc end(World& world, Caller caller) {
  Asked<void> asked;
  world->end(caller, asked.then());
  world.fx.drain();
  return asked.errc();
}

const Caller host{};

void say_many(World& world, std::uint64_t n, int count) {
  for (int i = 0; i < count; ++i) {
    const auto asked = world.send(by(n), text("message"));
    world.fx.drain();
    REQUIRE(asked.answered());
  }
}

void reply(World& world, std::uint64_t n, Seq root) {
  wire::Send send = text("reply");
  send.thread_root = root;
  const auto asked = world.send(by(n), std::move(send));
  world.fx.drain();
  REQUIRE(asked.errc() == Errc::ok);
}

/// The lowest seq whose body is still in the store, in rows, overlays or chunks.
Seq lowest_stored(World& world) {
  Seq lowest = ~Seq{0};
  world.fx.store.for_each([&](Partition partition, Bytes, const store::MemoryStore::RowMap& rows) {
    for (const auto& [key, value] : rows) {
      if (partition.space == layout::conversation) {
        for (const char prefix : {'e', 'o'})
          if (const auto seq = layout::parse_number_key(prefix, key))
            lowest = std::min(lowest, *seq);
      } else if (partition.space == layout::archive) {
        const auto chunk = layout::decode_chunk(world.id(), value, nullptr).value();
        lowest = std::min(lowest, chunk.front().seq);
      }
    }
  });
  return lowest;
}

std::size_t partitions(World& world, std::uint8_t space) {
  std::size_t count = 0;
  world.fx.store.for_each([&](Partition partition, Bytes, const store::MemoryStore::RowMap&) {
    count += partition.space == space ? 1 : 0;
  });
  return count;
}

/// Unread as the list computes it.
std::uint64_t unread(World& world, std::uint64_t n) {
  return entry_of(world.id(), world.access(n).value()).unread;
}

/// What is stored from the floor on is whole.
void check_kept(World& world) {
  const auto head = world.head();
  Mark mark = head.floor_mark;
  std::uint64_t ordinal = head.floor_ordinal;
  Seq next = head.floor;
  while (next <= head.head) {
    const auto page = world.read({.from = next, .max_events = 64}).value();
    REQUIRE_FALSE(page.events.empty());
    for (const auto& event : page.events) {
      REQUIRE(event.seq == next++);
      const auto fields = wire::read_record(event.record.bytes());
      if (fields.changed == 0) {
        mark = layout::next_mark(mark, world.id(), event.record.bytes());
        REQUIRE(event.mark == mark);
      }
      mark = event.mark;
      if (fields.kind == EventKind::message && fields.thread_root == 0) ++ordinal;
      REQUIRE(fields.ordinal == ordinal);
    }
  }
}

}  // namespace

TEST_CASE("by count: the floor follows, what is below is gone from every reader and the disk") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  say_many(world, 1, 300);
  reply(world, 2, 15);
  Asked<void> pinned, reacted;
  world->pin(by(1), 10, true, pinned.then());
  world->react(by(2), 20, "+", true, reacted.then());
  world.fx.advance(5s);
  CHECK(partitions(world, layout::reaction) == 1);
  CHECK(partitions(world, layout::thread) == 1);
  CHECK(unread(world, 2) == 300);
  CHECK(keep(world, by(2), {.keep_events = 100}) == Errc::denied);
  CHECK(keep(world, by(1), {.keep_for = limits::retention_least - 1ms}) == Errc::invalid_argument);
  CHECK(keep(world, by(1), {.keep_events = 100, .hold = true}) == Errc::denied);
  REQUIRE(keep(world, by(1), {.keep_events = 100}) == Errc::ok);
  world.fx.advance(10s);
  const auto head = world.head();
  CHECK(head.floor == head.head - 99);
  CHECK(unread(world, 2) == head.ordinal - head.floor_ordinal);
  CHECK(lowest_stored(world) == head.floor);
  CHECK(partitions(world, layout::reaction) == 0);
  CHECK(partitions(world, layout::thread) == 0);
  CHECK(world.rows('i') == 0);
  CHECK(world.home->idle());
  check_kept(world);
  const auto below = world.read({.from = 1, .to = head.floor - 1});
  CHECK(below.value().events.empty());
  Asked<void> edited;
  world->edit(by(1), 10, "", Payload::copy_of("new"), edited.then());
  world.fx.drain();
  CHECK(edited.errc() == Errc::invalid_argument);

  // It follows, with some slack, and after a restart too.
  world.restart();
  say_many(world, 1, static_cast<int>(limits::open_events) * 2);
  world.fx.advance(40s);
  CHECK(world.head().floor > head.floor);
  CHECK(world.head().head - world.head().floor + 1 <= 100 + limits::open_events + 1);
  CHECK(lowest_stored(world) == world.head().floor);
  check_kept(world);
}

TEST_CASE("by age: woken when the oldest event is too old, and again") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  say_many(world, 1, 5);
  world.fx.advance(1h);
  say_many(world, 1, 5);
  REQUIRE(keep(world, by(1), {.keep_for = 2h}) == Errc::ok);
  REQUIRE(world.wakes.size() == 1);
  const auto wake = [&] {
    Asked<void> woken;
    world->wake(world.fx.time.wall_ms, woken.then());
    world.fx.advance(5s);
    REQUIRE(woken.errc() == Errc::ok);
  };
  wake();
  CHECK(world.head().floor == 1);
  CHECK(world.wakes.back() <= world.fx.time.wall_ms + 3'600'000);
  world.fx.advance(1h + 1min);
  wake();
  CHECK(world.head().floor == 8);  // created, added, and five messages
  CHECK(lowest_stored(world) == 8);
  CHECK(unread(world, 2) == 5);
  check_kept(world);
  CHECK(world.wakes.back() > world.fx.time.wall_ms);
  world.fx.advance(3h);
  wake();
  CHECK(world.head().floor == world.head().head + 1);  // all of it
  CHECK(unread(world, 2) == 0);
  CHECK(world.wakes.back() > world.fx.time.wall_ms);
  CHECK(world.say(1) == Errc::ok);
  CHECK(unread(world, 2) == 1);
  check_kept(world);
}

TEST_CASE("limits: how short a time is kept") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  CHECK(keep(world, by(1), {.keep_for = limits::retention_least - 1ms}) == Errc::invalid_argument);
  CHECK(keep(world, by(1), {.keep_for = limits::retention_least}) == Errc::ok);
}

TEST_CASE("what is kept is bounded, and the largest bounds keep everything") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  constexpr auto most = std::chrono::milliseconds(limits::retention_most);
  for (const auto age : {most + 1ms, std::chrono::milliseconds::max(), -1ms})
    CHECK(keep(world, by(1), {.keep_for = age}) == Errc::invalid_argument);
  for (const std::uint64_t count : {limits::retention_events + 1, ~std::uint64_t{0}})
    CHECK(keep(world, by(1), {.keep_events = count}) == Errc::invalid_argument);
  CHECK(world.wakes.empty());
  REQUIRE(keep(world, by(1), {.keep_for = most, .keep_events = limits::retention_events}) ==
          Errc::ok);
  say_many(world, 1, 200);
  world.fx.advance(2s);
  Asked<void> woken;
  world->wake(world.fx.time.wall_ms, woken.then());
  world.fx.advance(5s);
  CHECK(woken.errc() == Errc::ok);
  CHECK(world.head().floor == 1);
  CHECK(world.wakes.back() > world.fx.time.wall_ms);
}

TEST_CASE("a hold keeps everything, and is the host's") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  say_many(world, 1, 100);
  REQUIRE(keep(world, host, {.keep_events = 10, .hold = true}) == Errc::ok);
  say_many(world, 1, 100);
  world.fx.advance(5s);
  CHECK(world.head().floor == 1);
  REQUIRE(keep(world, by(1), {.keep_events = 5}) == Errc::ok);  // it stays under the hold
  say_many(world, 1, 100);
  world.fx.advance(5s);
  CHECK(world.head().floor == 1);
  Asked<Retention> asked;
  world->retention(by(2), asked.then());
  world.fx.drain();
  CHECK(asked.value().hold);
  CHECK(asked.value().keep_events == 5);
  CHECK(end(world, by(1)) == Errc::invalid_argument);
  CHECK(end(world, host) == Errc::invalid_argument);
  REQUIRE(keep(world, host, {.keep_events = 5}) == Errc::ok);
  world.fx.advance(5s);
  CHECK(world.head().floor == world.head().head - 4);
}

TEST_CASE("nothing expires under a hold, and does once it is lifted") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  wire::Send brief = text("brief");
  brief.expires_after_ms = 1'000;
  (void)world.send(by(1), std::move(brief));
  REQUIRE(keep(world, host, {.hold = true}) == Errc::ok);
  const auto wake = [&] {
    Asked<void> woken;
    world->wake(world.fx.time.wall_ms, woken.then());
    world.fx.advance(5s);
    return woken.errc();
  };
  world.fx.advance(1h);
  world.wakes.clear();
  CHECK(wake() == Errc::ok);
  CHECK(world.wakes.empty());
  CHECK(world.rows('d') == 1);
  REQUIRE(keep(world, host, {}) == Errc::ok);
  CHECK(world.wakes.size() == 1);
  world.fx.advance(2s);
  CHECK(wake() == Errc::ok);
  CHECK(world.rows('d') == 0);
  CHECK(unread(world, 2) == 0);
}

TEST_CASE("whatever goes wrong while it is trimmed, the floor is kept and nothing below it stays") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late}) {
    for (int at = 0; at < 8; ++at) {
      CAPTURE(static_cast<int>(fault), at);
      World world;
      (void)world.create(by(1), ConversationKind::group, {user(2)});
      say_many(world, 1, 250);
      world.fx.advance(5s);
      int commits = 0;
      world.fx.inject = [&](const Batch&) { return commits++ == at ? fault : Fault::none; };
      for (int tries = 0; tries < 3; ++tries) {
        Asked<void> asked;
        world->set_retention(by(1), {.keep_events = 50}, asked.then());
        world.fx.advance(5s);
        REQUIRE(asked.answered());
      }
      (void)world.say(1);
      world.fx.advance(20s);
      (void)world.say(1);
      world.fx.advance(40s);
      CHECK(world.head().floor > 200);
      CHECK(lowest_stored(world) == world.head().floor);
      check_kept(world);
      CHECK(world.home->idle());
    }
  }
}

// Whoever dies between the floor and the last commit of the erasing may have been the last to come
// by: a wake-up brings the home back.
TEST_CASE("what lies below the floor leaves the disk after a crash, though nobody comes by") {
  int crashes = 0;
  for (int at = 0; at < 8; ++at) {
    CAPTURE(at);
    World world;
    (void)world.create(by(1), ConversationKind::group, {user(2)});
    say_many(world, 1, 250);
    Asked<void> reacted;
    world->react(by(2), 20, "+", true, reacted.then());
    world.fx.advance(5s);
    int commits = 0;
    world.fx.inject = [&](const Batch&) {
      if (world.head().floor > 1) ++commits;
      return Fault::none;
    };
    Asked<void> kept;
    world->set_retention(by(1), {.keep_events = 50}, kept.then());
    for (int turn = 0; turn < 1'000 && commits <= at; ++turn) {
      if (!world.fx.step()) world.fx.advance(100ms);
    }
    world.fx.inject = nullptr;
    if (lowest_stored(world) < world.head().floor || partitions(world, layout::reaction) != 0)
      ++crashes;
    world.restart();
    for (int wakes = 0; wakes < 5 && !world.wakes.empty(); ++wakes) {
      world.fx.advance(15s);
      world.wakes.clear();
      Asked<void> woken;
      world->wake(world.fx.time.wall_ms, woken.then());
      world.fx.drain();
      REQUIRE(woken.errc() == Errc::ok);
      // It stays in memory until that is done: a home that is made anew waits from the beginning.
      if (lowest_stored(world) < world.head().floor) CHECK_FALSE(world.home->idle());
      world.fx.advance(40s);
    }
    CHECK(world.home->idle());
    CHECK(world.head().floor > 200);
    CHECK(lowest_stored(world) == world.head().floor);
    CHECK(partitions(world, layout::reaction) == 0);
    CHECK(world.wakes.empty());
    check_kept(world);
  }
  CHECK(crashes > 0);
}

// Overlays of what was trimmed left with the commit that said so, 256 of them; the others were
// forgotten when the process died after it, and what they hold stayed for ever.
TEST_CASE("overlays below the floor leave the disk, however many, though the process dies") {
  int crashes = 0;
  for (int at = 0; at < 8; ++at) {
    CAPTURE(at);
    World world;
    (void)world.create(by(1), ConversationKind::group, {user(2)});
    say_many(world, 1, 450);
    // So long that their chunks would grow too much: the overlays stay.
    const Payload longer = Payload::copy_of(std::string(1'000, 'e'));
    for (Seq seq = 3; seq <= 450; ++seq) {
      Asked<void> edited;
      world->edit(by(1), seq, "", longer, edited.then());
      world.fx.drain();
      REQUIRE(edited.errc() == Errc::ok);
    }
    world.fx.advance(5s);
    REQUIRE(world.rows('o') > 256);
    int commits = 0;
    world.fx.inject = [&](const Batch&) {
      if (world.head().floor > 1) ++commits;
      return Fault::none;
    };
    Asked<void> kept;
    world->set_retention(by(1), {.keep_events = 50}, kept.then());
    for (int turn = 0; turn < 2'000 && commits <= at; ++turn)
      if (!world.fx.step()) world.fx.advance(100ms);
    world.fx.inject = nullptr;
    if (world.rows('o') > 0) ++crashes;
    world.restart();
    for (int wakes = 0; wakes < 5 && !world.wakes.empty(); ++wakes) {
      world.fx.advance(15s);
      world.wakes.clear();
      Asked<void> woken;
      world->wake(world.fx.time.wall_ms, woken.then());
      world.fx.advance(60s);
    }
    (void)world.access(1);
    world.fx.advance(60s);
    CHECK(lowest_stored(world) == world.head().floor);
    CHECK(world.home->idle());
    check_kept(world);
  }
  CHECK(crashes > 1);
}

// The first attempt to index a reply was answered `unknown`, the second went through. The partition
// was erased with the trimmed root, and then the first one landed.
TEST_CASE("a late copy of the commit that made a partition does not bring it back") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  say_many(world, 1, 300);
  Batch copy;
  world.fx.inject = [&](const Batch& batch) {
    if (batch.partition.space != layout::thread || copy.owner) return Fault::none;
    copy = batch;
    return Fault::unknown_lost;
  };
  reply(world, 2, 15);
  world.fx.advance(1s);
  REQUIRE(copy.owner);
  REQUIRE(partitions(world, layout::thread) == 1);
  REQUIRE(keep(world, by(1), {.keep_events = 100}) == Errc::ok);
  world.fx.advance(25s);
  CHECK(world.head().floor > 15);
  CHECK(world.fx.store.commit_now(copy).verdict == Verdict::refused);
  world.fx.advance(20s);
  CHECK(partitions(world, layout::thread) == 0);
  CHECK(lowest_stored(world) == world.head().floor);
}

// Another writer's commit made the home read everything again; that it was still indexing a reply
// was forgotten, and the index came after the thread was erased.
TEST_CASE("what is still being written when a home reads again is waited for before it is erased") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  say_many(world, 1, 300);
  std::string first;
  bool open = false;
  world.fx.inject = [&](const Batch& batch) {
    if (batch.partition.space != layout::thread || open) return Fault::none;
    if (first.empty()) first = *batch.guard;
    return batch.guard == first ? Fault::unknown_lost : Fault::none;
  };
  reply(world, 2, 15);
  world.fx.advance(5s);  // the next attempt is a second away
  world.fx.touch({layout::conversation, layout::conversation_id(0, world.id())});
  REQUIRE(world.say(1) == Errc::ok);
  REQUIRE(partitions(world, layout::thread) == 1);
  REQUIRE(keep(world, by(1), {.keep_events = 100}) == Errc::ok);
  world.fx.advance(100ms);
  open = true;
  world.fx.advance(60s);
  CHECK(world.head().floor > 15);
  CHECK(partitions(world, layout::thread) == 0);
  CHECK(lowest_stored(world) == world.head().floor);
  CHECK(world.home->idle());
}

TEST_CASE("a conversation is deleted for good: absent at once, gone soon, born again as another") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, {user(2), user(3)});
    say_many(world, 1, 200);
    reply(world, 2, 20);
    Asked<void> reacted;
    world->react(by(2), 20, "+", true, reacted.then());
    (void)world.mark(2, 20, 20);
    world.fx.advance(5s);
    CHECK(partitions(world, layout::thread) == 1);
    CHECK(partitions(world, layout::personal) == 2);  // who wrote the root, and who replied
    const Epoch before = world.head().epoch;
    CHECK(end(world, by(2)) == Errc::denied);
    CHECK(end(world, by(1)) == Errc::ok);
    auto behind = world.send(by(2), text("too late"));
    world.fx.drain();
    CHECK(behind.answered());
    CHECK_FALSE(behind.result().ok());
    CHECK(std::find(world.trace.begin(), world.trace.end(), "ended for all") != world.trace.end());
    world.fx.advance(5s);
    std::sort(world.dropped.begin(), world.dropped.end());
    CHECK(world.dropped == std::vector<std::uint64_t>{1, 2, 3});
    for (const std::uint8_t space :
         {layout::conversation, layout::archive, layout::receipt, layout::member, layout::reaction,
          layout::personal, layout::thread})
      CHECK(partitions(world, space) == 0);
    CHECK(world.home->idle());
    CHECK(world.access(1).errc() == Errc::denied);
    CHECK(world.say(1) == Errc::denied);
    REQUIRE(world.create(by(1), kind, {user(2)}).errc() == Errc::ok);
    CHECK(world.head().epoch != before);
    CHECK(world.say(1) == Errc::ok);
  }
}

TEST_CASE("a pair's conversation is deleted by the host, and found or created anew") {
  World world;
  (void)world.direct(1, 2, 1);
  REQUIRE(world.say(1) == Errc::ok);
  CHECK(end(world, by(1)) == Errc::denied);
  REQUIRE(end(world, host) == Errc::ok);
  world.fx.advance(5s);
  CHECK(partitions(world, layout::conversation) == 0);
  REQUIRE(world.direct(1, 2, 2).errc() == Errc::ok);
  CHECK(world.head().head == 0);
}

TEST_CASE("a deletion is carried through whatever goes wrong, by its wake-up after a crash") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late, Fault::none}) {
    for (int at = 0; at < 10; ++at) {
      CAPTURE(static_cast<int>(fault), at);
      World world;
      (void)world.create(by(1), ConversationKind::group, {user(2)});
      say_many(world, 1, 100);
      (void)world.mark(2, 20, 20);
      world.fx.advance(5s);
      int commits = 0;
      bool crash = false;
      world.fx.inject = [&](const Batch&) {
        if (commits++ != at) return Fault::none;
        crash = fault == Fault::none;
        return fault;
      };
      Asked<void> ended;
      world->end(by(1), ended.then());
      while (!crash && world.fx.step()) {}
      if (crash) world.restart();
      if (!crash) world.fx.advance(10s);
      world.fx.inject = nullptr;
      if (ended.errc() != Errc::ok && world.access(1).errc() == Errc::ok) continue;  // never begun
      CHECK_FALSE(world.wakes.empty());
      Asked<void> woken;
      world->wake(world.fx.time.wall_ms, woken.then());
      world.fx.advance(40s);
      CHECK((woken.errc() == Errc::ok || woken.errc() == Errc::denied));
      for (const std::uint8_t space : {layout::conversation, layout::archive, layout::receipt})
        CHECK(partitions(world, space) == 0);
      CHECK(std::set<std::uint64_t>(world.dropped.begin(), world.dropped.end()) ==
            std::set<std::uint64_t>{1, 2});
    }
  }
}

// The wake-up that an end counts on may pass while the end is being committed, or meet it at work
// for a retention: whoever erases it then leaves another, or has seen everything gone.
TEST_CASE("a deletion whose wake-up comes while it is committed is carried through after a crash") {
  int carried = 0;
  for (int at = 0; at < 24; ++at) {
    CAPTURE(at);
    World world;
    (void)world.create(by(1), ConversationKind::group, {user(2)});
    say_many(world, 1, 100);
    REQUIRE(keep(world, by(1), {.keep_for = 1h}) == Errc::ok);
    world.fx.advance(2h);
    Asked<void> ended, woken;
    world->end(by(1), ended.then());
    for (int i = 0; i < at && world.fx.step(); ++i) {}
    world.fx.inject = [](const Batch& batch) {
      return batch.partition.space == layout::conversation ? Fault::none : Fault::failed;
    };
    const std::int64_t now = world.fx.time.wall_ms;
    world->wake(now, woken.then());
    while (!woken.answered() && world.fx.step()) {}
    const bool erased =
        woken.answered() && (woken.errc() == Errc::ok || woken.errc() == Errc::denied);
    if (erased) std::erase_if(world.wakes, [now](std::int64_t due_ms) { return due_ms <= now; });
    world.fx.inject = nullptr;
    world.restart();
    const bool gone = partitions(world, layout::conversation) == 0;
    if (!gone && world.access(1).errc() == Errc::ok) continue;  // never begun
    if (!gone) {
      ++carried;
      REQUIRE_FALSE(world.wakes.empty());
    }
    for (int wakes = 0; wakes < 5 && !world.wakes.empty(); ++wakes) {
      world.wakes.clear();
      Asked<void> again;
      world->wake(world.fx.time.wall_ms, again.then());
      world.fx.advance(40s);
    }
    for (const std::uint8_t space : {layout::conversation, layout::archive, layout::receipt})
      CHECK(partitions(world, space) == 0);
  }
  CHECK(carried > 0);
}
