// The end of an engine: every operation is answered once, nothing runs after `stopped`.
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "engine/held_store.hpp"
#include "engine/log_capture.hpp"
#include "engine/waiting.hpp"
#include "parley/engine.hpp"
#include "parley/memory_store.hpp"

using namespace parley;
using namespace std::chrono_literals;

TEST_CASE("close answers what is in flight, once each, and none after stopped", "[shutdown]") {
  const bool own = GENERATE(true, false);
  constexpr int count = 50;
  auto counts = std::make_shared<std::array<std::atomic<int>, count>>();
  auto stopped = std::make_shared<std::atomic<bool>>(false);
  std::atomic<int> after{0};
  std::atomic<int> committed{0};
  Session alice;  // outlives the engine: destroyed before, it would answer session_closed itself
  {
    auto engine = Engine::open({.threads = own ? Threads(2) : Threads(host_driven)}).value();
    alice = engine.attach({.user = "alice"}).get().value();
    auto room = alice.create({}).get().value();
    engine.on_stopped([stopped] { *stopped = true; });
    for (std::size_t i = 0; i < count; ++i) {
      alice.send(room, "x", {}, [&, counts, stopped, i](Result<Ack> ack) {
        (*counts)[i].fetch_add(1);
        if (*stopped) ++after;
        if (ack) ++committed;
      });
    }
    engine.close();
    REQUIRE(alice.send(room, "late").get().error().errc() == Errc::engine_closed);
    REQUIRE(engine.create({}).get().error().errc() == Errc::engine_closed);
    REQUIRE(engine.attach({.user = "late"}).get().error().errc() == Errc::engine_closed);
    REQUIRE(engine.listen("inproc:late").error().errc() == Errc::engine_closed);
  }
  REQUIRE(*stopped);
  REQUIRE(after == 0);
  for (const auto& each : *counts) REQUIRE(each == 1);
  REQUIRE(committed == count);  // accepted before the close: committed and answered
}

TEST_CASE("handles outlive the engine and say so", "[shutdown]") {
  Session alice;
  std::optional<Errc> why;
  ConversationId room;
  {
    auto engine = Engine::open({.threads = 1}).value();
    alice = engine.attach({.user = "alice"}).get().value();
    room = alice.create({}).get().value();
    alice.on_closed([&](const Error& error) { why = error.errc(); });
  }
  REQUIRE(why == Errc::engine_closed);
  REQUIRE(alice.subject() == "alice");
  REQUIRE(alice.send(room, "x").get().error().errc() == Errc::engine_closed);
  int called = 0;
  alice.list().then([&](Result<std::vector<ListEntry>> list) { called += list ? 0 : 1; });
  REQUIRE(called == 1);
  alice.on_event([](const Event&) {});
}

TEST_CASE("an engine may be destroyed inside a handler", "[shutdown]") {
  const bool own = GENERATE(true, false);
  auto engine = std::make_unique<Engine>(
      Engine::open({.threads = own ? Threads(2) : Threads(host_driven)}).value());
  auto alice = engine->attach({.user = "alice"}).get().value();
  test::Collected<int> stopped;
  engine->on_stopped([&] { stopped.add(1); });
  alice.list([&](Result<std::vector<ListEntry>>) { engine.reset(); });
  if (own) {
    REQUIRE(stopped.wait_for(1).size() == 1);
  } else {
    while (engine) engine->poll(1ms);
    REQUIRE(stopped.size() == 1);
  }
}

TEST_CASE("close waits for a store that is slow: what was accepted is committed", "[shutdown]") {
  auto hold = std::make_shared<test::Hold>();
  test::Collected<Errc> answers;
  Session alice;
  {
    auto engine = Engine::open({.threads = 2, .store = test::held_store(hold)}).value();
    alice = engine.attach({.user = "alice"}).get().value();
    auto room = alice.create({}).get().value();
    hold->close();  // commits wait from here on
    for (int i = 0; i < 10; ++i) {
      alice.send(room, "x", {},
                 [&](Result<Ack> ack) { answers.add(ack ? Errc::ok : ack.error().errc()); });
    }
    while (hold->waiting() == 0) std::this_thread::yield();
    engine.close();
    hold->open();
  }
  REQUIRE(answers.wait_for(10) == std::vector<Errc>(10, Errc::ok));
}

TEST_CASE("a store that does not answer any more does not hold up the end: what it has is failed",
          "[shutdown][slow]") {
  auto hold = std::make_shared<test::Hold>();
  struct Answer {
    Errc code;
    std::chrono::steady_clock::time_point at;
  };
  test::Collected<Answer> answers;
  test::LogCapture log;
  Session alice;
  std::chrono::steady_clock::time_point began;
  {
    auto engine =
        Engine::open({.threads = 2, .store = test::held_store(hold), .log = log.sink()}).value();
    alice = engine.attach({.user = "alice"}).get().value();
    auto room = alice.create({}).get().value();
    hold->close();
    for (int i = 0; i < 10; ++i) {
      alice.send(room, "x", {}, [&](const Result<Ack>& ack) {
        answers.add({ack ? Errc::ok : ack.error().errc(), std::chrono::steady_clock::now()});
      });
    }
    while (hold->waiting() == 0) std::this_thread::yield();
    began = std::chrono::steady_clock::now();
    engine.close();
  }
  const auto took = std::chrono::steady_clock::now() - began;
  const auto all = answers.wait_for(10);
  REQUIRE(all.size() == 10);
  for (const Answer& each : all) {
    REQUIRE(each.code == Errc::engine_closed);
    REQUIRE(each.at - began > limits::close_answers - 1s);
    REQUIRE(each.at - began < limits::close_answers + limits::close_links + 5s);
  }
  REQUIRE(took > limits::close_answers + limits::close_links + limits::close_writes - 1s);
  REQUIRE(took < limits::close_answers + limits::close_links + limits::close_writes + 10s);
  REQUIRE(log.mentions("a shard could not finish its writes in time"));
  hold->drop();
}

TEST_CASE("on_stopped after the end runs at once", "[shutdown]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  engine.close();
  engine.close();  // once is enough
  engine.run();    // returns when closed
  REQUIRE(engine.stopped());
  bool told = false;
  engine.on_stopped([&] { told = true; });
  REQUIRE(told);
  REQUIRE_FALSE(engine.poll(1ms));
  REQUIRE(engine.descriptor() == -1);
  REQUIRE_FALSE(engine.next_deadline());
}
