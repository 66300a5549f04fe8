// conversation_faults_test.cpp: every verdict at every commit: nothing acknowledged is lost,
// nothing is there twice, nobody waits for ever.
#include "core/conversation.hpp"

#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

std::map<std::string, int> bodies(World& world) {
  std::map<std::string, int> out;
  for (const auto& event : world.stream())
    if (event.kind == EventKind::message) ++out[std::string(event.body)];
  return out;
}

}  // namespace

TEST_CASE("a send through every verdict: acked once and there once, or failed and not there") {
  for (const Fault fault : every_fault) {
    for (const bool numbered : {true, false}) {
      CAPTURE(static_cast<int>(fault), numbered);
      World world;
      (void)world.direct(1, 2, 1);
      bool done = false;
      world.fx.inject = [&](const Batch&) {
        return std::exchange(done, true) ? Fault::none : fault;
      };
      std::vector<Asked<Ack>> asked;
      for (std::uint64_t n = 1; n <= 3; ++n)
        asked.push_back(world.send(by(1), text("m" + std::to_string(n), numbered ? n : 0, n)));
      world.fx.advance(5s);
      const auto there = bodies(world);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        REQUIRE(asked[i].got->size() == 1);
        const auto found = there.find("m" + std::to_string(i + 1));
        const int count = found == there.end() ? 0 : found->second;
        CHECK(count == (asked[i].result().ok() ? 1 : 0));
      }
      CHECK((asked[0].result().ok() || fault == Fault::failed));
      if (fault == Fault::failed) CHECK(asked[0].result().error().retryable());
      CHECK(world.home->idle());
      Seq next = 1;
      for (const auto& piece : world.pieces) {
        CHECK(piece->first == next);
        next = piece->last() + 1;
      }
      CHECK(next == world.head().head + 1);
    }
  }
}

TEST_CASE("births and membership through every verdict") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    for (const Fault fault : every_fault) {
      for (int at = 0; at < 6; ++at) {
        CAPTURE(static_cast<int>(kind), static_cast<int>(fault), at);
        World world;
        int commits = 0;
        world.fx.inject = [&](const Batch&) { return commits++ == at ? fault : Fault::none; };
        const auto settle = [&](auto ask) {
          // A failed operation is asked again, as a client would.
          for (int tries = 0; tries < 3; ++tries) {
            Asked<void> asked;
            ask(asked);
            world.fx.advance(5s);
            REQUIRE(asked.got->size() == 1);
            if (asked.errc() != Errc::unavailable) return asked.errc();
          }
          return Errc::unavailable;
        };
        CHECK(settle([&](Asked<void>& asked) {
                world->create(by(1), {kind, "t", {user(2)}, {}}, [asked](Result<Access> access) {
                  asked.got->push_back(access ? Result<void>() : Result<void>(access.error()));
                });
              }) == Errc::ok);
        CHECK(settle([&](Asked<void>& asked) { world->add(by(1), {user(3)}, asked.then()); }) ==
              Errc::ok);
        CHECK(settle([&](Asked<void>& asked) { world->remove(by(1), user(2), asked.then()); }) ==
              Errc::ok);
        CHECK(settle([&](Asked<void>& asked) { world->leave(by(3), asked.then()); }) == Errc::ok);
        world.fx.advance(5s);
        CHECK(world.access(1).value().role == Role::owner);
        CHECK(world.access(1).value().members == 1);
        CHECK(world.access(2).value().role == Role::none);
        CHECK(world.access(3).value().role == Role::none);
        const std::size_t events = world.stream().size();
        CHECK(events == (kind == ConversationKind::group ? 5 : 2));
        CHECK(world.rows('p') == 0);
        CHECK(world.home->idle());
      }
    }
  }
}

TEST_CASE("a doubtful commit answers nobody until it is known") {
  World world;
  (void)world.direct(1, 2, 1);
  bool done = false;
  world.fx.inject = [&](const Batch&) {
    return std::exchange(done, true) ? Fault::none : Fault::unknown_landed;
  };
  auto asked = world.send(by(1), text("x", 1));
  world.fx.step();  // the verdict
  world.fx.read_error = Error(Errc::unavailable, "the store is away");
  world.fx.advance(3s);
  CHECK_FALSE(asked.answered());
  auto behind = world.send(by(1), text("y", 2));
  world.fx.advance(1s);
  CHECK_FALSE(behind.answered());
  world.fx.read_error.reset();
  world.fx.advance(2s);
  CHECK(asked.value().seq == 1);
  CHECK(behind.value().seq == 2);
}

TEST_CASE("failing reads are answered with the store's error, and tried again later") {
  World world;
  (void)world.create(by(1), ConversationKind::channel, {user(2)});
  world.fx.advance(2s);
  world.restart();
  world.fx.read_error = Error(Errc::unavailable, "away");
  CHECK(world.say(1) == Errc::unavailable);
  CHECK(world.access(1).errc() == Errc::unavailable);
  CHECK(world.home->idle());
  world.fx.read_error.reset();
  CHECK(world.access(1).errc() == Errc::ok);
  world.fx.read_error = Error(Errc::unavailable, "away");  // loaded; the rows by key are not
  CHECK(world.join(3).errc() == Errc::unavailable);
  auto numbered = world.send(by(1), text("x", 1));
  world.fx.drain();
  CHECK(numbered.errc() == Errc::unavailable);
  world.fx.read_error.reset();
  auto again = world.send(by(1), text("x", 1));
  world.fx.drain();
  CHECK(again.errc() == Errc::ok);
  CHECK(world.join(3).errc() == Errc::ok);
}

TEST_CASE("two homes on one store: one line of history") {
  World a;
  (void)a.create(by(1), ConversationKind::group, {user(2)});
  // The second home works on the first one's store, as another process would.
  core::Conversation other(a, a.id(), a.limits);
  std::vector<Asked<Ack>> asked;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    core::Conversation& home = n % 3 == 0 ? *a.home : other;
    Asked<Ack> one;
    home.send(by(1 + n % 2), text("m" + std::to_string(n), n, n, n > 30 ? n - 30 : 0), one.then());
    asked.push_back(one);
    if (n % 4 == 0) a.fx.drain();
  }
  a.fx.advance(10s);
  std::set<Seq> seqs;
  for (const auto& one : asked) seqs.insert(one.value().seq);
  CHECK(seqs.size() == 40);
  for (const auto& [body, count] : bodies(a)) {
    CAPTURE(body);
    CHECK(count == 1);
  }
  CHECK(a.home->idle());
  CHECK(other.idle());
}

TEST_CASE("a cached sender row is not believed under another's guard") {
  World world;
  (void)world.direct(1, 2, 1);
  core::Conversation other(world, world.id(), world.limits);
  auto warm = world.send(by(1), text("warm", 1, 1));
  world.fx.drain();
  Asked<Ack> there;
  other.send(by(1), text("two", 2, 2), there.then());  // another node takes the retry first
  world.fx.drain();
  auto here = world.send(by(1), text("two", 2, 2));
  world.fx.advance(1s);
  CHECK(there.value().seq == 2);
  CHECK(here.value().seq == 2);
  CHECK(here.value().repeated);
  CHECK(bodies(world)["two"] == 1);
}

TEST_CASE("a sender row that the guard does not vouch for is no answer") {
  World world;
  (void)world.direct(1, 2, 1);
  const std::string name = layout::conversation_id(0, world.id());
  const std::string before = layout::encode(world.head());
  auto head = world.head();
  head.nonce = 99;
  const std::string after = layout::encode(head), key = layout::sender_key(user(1), DeviceId{100});
  layout::SenderRow row{.last = 1, .open = {{1, 7, 5, 0, 0}}};  // seq 5, and the head is 0
  const std::string value = layout::encode(row);
  const Batch batch{.partition = {layout::conversation, name},
                    .expect = before,
                    .guard = after,
                    .puts = {{key, value}}};
  REQUIRE(world.fx.store.commit_now(batch).verdict == Verdict::done);
  auto sent = world.send(by(1), text("x", 1, 7));
  world.fx.drain();
  CHECK(sent.value().seq == 1);
  CHECK_FALSE(sent.value().repeated);
}

TEST_CASE("random histories hold the promises") {
  CHECK(rc::check("histories", [] {
    World world;
    const auto kind = *rc::gen::element(ConversationKind::group, ConversationKind::channel);
    const auto faulty = *rc::gen::inRange<int>(0, 40);  // percent
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    std::uint64_t state = seed;
    const auto roll = [&state](std::uint64_t below) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return (state >> 33) % below;
    };
    (void)world.create(by(1), kind, {user(2), user(3)});
    world.fx.advance(1s);
    world.fx.inject = [&](const Batch&) {
      return roll(100) < static_cast<std::uint64_t>(faulty) ? every_fault[roll(6)] : Fault::none;
    };
    struct Sent {
      std::uint64_t number, random, device;
      std::optional<Seq> seq;
      std::vector<Asked<Ack>> tries;
    };
    std::map<std::uint64_t, Sent> sent;  // by random
    std::map<std::uint64_t, std::uint64_t> next;
    std::uint64_t serial = 0;
    const auto issue = [&](Sent& what) {
      const std::uint64_t n = what.device / 100;
      const std::uint64_t settled = what.number > 20 ? what.number - 20 : 0;
      what.tries.push_back(world.send(by(n, what.device), text("r" + std::to_string(what.random),
                                                               what.number, what.random, settled)));
    };
    for (int i = 0; i < 120; ++i) {
      switch (roll(8)) {
        case 0:
          if (!sent.empty()) {
            auto at = sent.begin();
            std::advance(at, static_cast<long>(roll(sent.size())));
            issue(at->second);  // a retry
          }
          break;
        case 1:
          world.fx.advance(std::chrono::milliseconds(roll(500)));
          break;
        case 2:
          if (roll(8) == 0) world.restart();
          break;
        default: {
          const std::uint64_t device = (1 + roll(3)) * 100;
          Sent& fresh = sent[++serial];
          fresh = {.number = ++next[device], .random = serial, .device = device};
          issue(fresh);
        }
      }
      for (auto steps = roll(6); steps > 0; --steps) world.fx.step();
    }
    world.fx.inject = nullptr;
    world.fx.advance(10s);
    for (auto& [random, what] : sent) issue(what);  // everybody retries what they never heard of
    world.fx.advance(10s);
    std::map<std::uint64_t, std::vector<Seq>> there;
    for (const auto& event : world.stream())
      if (event.kind == EventKind::message) there[event.echo].push_back(event.seq);
    for (auto& [random, what] : sent) {
      for (const auto& one : what.tries) {
        if (!one.answered() || !one.result().ok()) continue;
        if (!what.seq) what.seq = one.value().seq;
        RC_ASSERT(one.value().seq == *what.seq);
      }
      RC_ASSERT(there[random].size() <= 1U);
      if (what.seq) RC_ASSERT(there[random] == std::vector<Seq>{*what.seq});
      RC_ASSERT(what.tries.back().answered());
    }
    RC_ASSERT(world.home->idle());
  }));
}

// A client asked twice for the same channel. What the first attempt needed could not be read, it
// was answered so, and the second waited for the creator to be free for ever.
TEST_CASE("a create that waits for another one is answered, though that fails") {
  int failed = 0;
  for (int at = 0; at < 24; ++at) {
    CAPTURE(at);
    World world;
    const Creation channel{ConversationKind::channel, "title", {user(2)}, {}};
    REQUIRE(world.create(by(1), channel.kind, channel.members).errc() == Errc::ok);
    world.restart();
    Asked<Access> first, second;
    world->create(by(1), channel, first.then());
    world->create(by(1), channel, second.then());
    for (int i = 0; i < at && world.fx.step(); ++i) {}
    world.fx.read_error = Error{Errc::unavailable, "injected"};
    while (!first.answered() && world.fx.step()) {}
    world.fx.read_error.reset();
    world.fx.drain();
    CHECK(first.answered());
    CHECK(second.answered());
    if (first.errc() != Errc::ok) ++failed;
  }
  CHECK(failed > 0);
}
