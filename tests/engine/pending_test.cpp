// The three ways to get an answer, and what happens where it could never arrive.
#include "parley/pending.hpp"

#include <atomic>
#include <coroutine>
#include <memory>
#include <string>
#include <thread>

#include "catch.hpp"
#include "engine/waiting.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

/// The smallest coroutine type: starts at once, destroys itself.
struct Fire {
  struct promise_type {
    Fire get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

Fire chat(Session& alice, Conversation room, test::Collected<std::string>& out) {
  const Result<Ack> ack = co_await alice.send(room, "one");
  out.add(ack ? "sent " + std::to_string(ack->seq) : ack.error().message);
  const Result<HistoryPage> page = co_await alice.history(room, {.limit = 1});
  out.add(page ? std::string(page->events.front().as<Message>()->text()) : page.error().message);
  Pending<Ack> denied = alice.send(ConversationId{{1}}, "nowhere");
  const Result<Ack> error = co_await denied;
  out.add(error ? "?" : std::string(to_string(error.error().errc())));
}

}  // namespace

TEST_CASE("get, then and co_await give the same answer", "[pending]") {
  auto engine = Engine::open({.threads = 2}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({.title = "room"}).get().value();

  SECTION("co_await") {
    test::Collected<std::string> out;
    chat(alice, room, out);
    const auto lines = out.wait_for(3);
    REQUIRE(lines.size() == 3);
    REQUIRE(lines[0] == "sent 2");
    REQUIRE(lines[1] == "one");
    REQUIRE(lines[2] == "denied");
  }
  SECTION("then, before and after the answer") {
    test::Collected<Seq> seqs;
    alice.send(room, "a").then([&](Result<Ack> ack) { seqs.add(ack.value().seq); });
    REQUIRE(seqs.wait_for(1).at(0) == 2);
    auto pending = alice.send(room, "b");
    alice.send(room, "c").get().value();  // committed after b
    REQUIRE(pending.ready());
    pending.then([&](Result<Ack> ack) { seqs.add(ack.value().seq); });
    REQUIRE(seqs.wait_for(2).at(1) == 3);
  }
  SECTION("a completion as the last argument") {
    test::Collected<Seq> seqs;
    alice.send(room, "a", {}, [&](Result<Ack> ack) { seqs.add(ack.value().seq); });
    REQUIRE(seqs.wait_for(1).at(0) == 2);
  }
  SECTION("dropping it detaches, the operation goes on") {
    alice.send(room, "dropped");
    REQUIRE(alice.send(room, "kept").get().value().seq == 3);
  }
  SECTION("a second get, and one on nothing, are errors") {
    auto pending = alice.send(room, "a");
    REQUIRE(pending.get());
    REQUIRE(pending.get().error().errc() == Errc::invalid_argument);
    Pending<Ack> nothing;
    REQUIRE(nothing.get().error().errc() == Errc::invalid_argument);
  }
}

TEST_CASE("get() where the answer could never arrive", "[pending]") {
  auto engine = Engine::open({.threads = 1}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({}).get().value();
  test::Collected<Errc> seen;
  alice.on_event([&](const Event& event) {
    if (!event.as<Message>()) return;
    auto answer = alice.list().get();
    seen.add(answer ? Errc::ok : answer.error().errc());
  });
  alice.send(room, "x", {}, [&](Result<Ack>) {
    auto answer = alice.list().get();
    seen.add(answer ? Errc::ok : answer.error().errc());
  });
  REQUIRE(seen.wait_for(2) == std::vector<Errc>{Errc::would_deadlock, Errc::would_deadlock});
}

TEST_CASE("get() of another thread waits for whoever polls", "[pending]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  std::atomic<bool> done{false};
  std::thread other([&] {
    auto session = engine.attach({.user = "elsewhere"}).get();
    done = session.ok();
  });
  while (!done) {
    engine.poll(1ms);
    engine.wait(10ms);
  }
  other.join();
  REQUIRE(done);
}

TEST_CASE("an answer that nobody took is given free with its session", "[pending]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  int welcomed = 0;
  engine.on_session([&](const SessionInfo&) { ++welcomed; });
  { auto dropped = engine.attach({.user = "ghost"}); }
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (welcomed == 0 || engine.stats().sessions > 0) {  // attached, then detached again
    REQUIRE(std::chrono::steady_clock::now() < end);
    engine.poll(1ms);
  }
}
