// What the host is asked and told, through the public interface.
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "log_capture.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"
#include "waiting.hpp"

namespace parley::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("the host looks at a message on a thread of its own, and says who sees it") {
  EngineOptions options{.threads = 2};
  std::vector<std::thread> threads;
  std::mutex lock;
  options.before_message_async = [&](IncomingMessage message, auto done) {
    const std::lock_guard guard(lock);
    threads.emplace_back([message = std::move(message), done = std::move(done)]() mutable {
      if (message.body == "no") return done(Error{Errc::denied, "no"});
      if (message.body == "rude") message.audience = audience::sender;
      message.body += "!";
      done(std::move(message));
      done(Error{Errc::denied, "a second answer is ignored"});
    });
  };
  auto engine = Engine::open(std::move(options)).value();
  auto alice = attach(engine, "alice");
  auto bob = attach(engine, "bob");
  const auto team = alice.create({.members = {"bob"}}).get().value();
  CHECK(bob.send(team, "no").get().error().errc() == Errc::denied);
  CHECK(bob.send(team, "rude").get().ok());
  CHECK(alice.send(team, "hello").get().ok());
  const auto page = alice.history(team).get().value();
  CHECK(page.events.back().as<Message>()->text() == "hello!");
  // Alice is the owner: a moderator sees it, with its audience.
  CHECK(page.events[page.events.size() - 2].audience == audience::sender);
  {
    const std::lock_guard guard(lock);
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE("the host is told of what was stored, in order, hidden or not") {
  EngineOptions options{.threads = host_driven};
  std::vector<std::string> told;
  options.after_commit = [&told](std::span<const Event> events) {
    for (const Event& event : events)
      if (const auto* message = event.as<Message>()) told.emplace_back(message->text());
    if (!told.empty() && told.back() == "throw") throw std::runtime_error("boom");
  };
  LogCapture log;
  options.log = log.sink();
  auto engine = Engine::open(std::move(options)).value();
  auto alice = attach(engine, "alice");
  const auto team = alice.create({}).get().value();
  for (const auto* text : {"one", "two", "throw"}) CHECK(alice.send(team, text).get().ok());
  CHECK(alice.send(team, {.body = "three", .audience = audience::moderators}).get().ok());
  CHECK(told == std::vector<std::string>{"one", "two", "throw", "three"});
  CHECK(log.mentions("after_commit threw: boom"));
}

TEST_CASE("groups and shadow bans through the engine") {
  auto engine = Engine::open({.threads = host_driven}).value();
  auto alice = attach(engine, "alice");
  auto bob = attach(engine, "bob");
  auto carol = attach(engine, "carol");
  const auto team = engine.create({.members = {"alice", "bob", "carol"}}).get().value();
  CHECK(engine.set_groups(team, "bob", {3, 15}).get().ok());
  CHECK(engine.send(team, {.body = "for group 15", .audience = 15}).get().ok());
  const auto last = [&](Session& session) {
    return session.history(team, {.limit = 1}).get().value().events.at(0);
  };
  CHECK(last(bob).as<Message>()->text() == "for group 15");
  CHECK(last(carol).kind == EventKind::hidden);
  CHECK(engine.set_groups(team, "bob", {2}).get().error().errc() == Errc::invalid_argument);
  CHECK(engine.set_groups(team, "bob", {16}).get().error().errc() == Errc::invalid_argument);
  CHECK(engine.set_groups(team, "nobody", {3}).get().error().errc() == Errc::denied);
  CHECK(engine.shadow_ban(team, "carol").get().ok());
  CHECK(carol.send(team, "hello?").get().ok());
  CHECK(last(carol).as<Message>()->text() == "hello?");
  CHECK(last(alice).as<Message>()->text() == "hello?");  // the owner
  CHECK(last(bob).kind == EventKind::hidden);
  CHECK(engine.shadow_ban(team, "carol", false).get().ok());
  CHECK(carol.send(team, "back").get().ok());
  CHECK(last(bob).as<Message>()->text() == "back");
}

TEST_CASE("a filter says whom a signal reaches") {
  EngineOptions options{.threads = host_driven};
  UserId near;
  options.signal_filter = [&near](const Signal& signal, UserId receiver) {
    if (signal.kind == "throw") throw std::runtime_error("boom");
    return signal.kind != "step" || receiver == near;
  };
  LogCapture log;
  options.log = log.sink();
  auto engine = Engine::open(std::move(options)).value();
  auto alice = attach(engine, "alice");
  auto bob = attach(engine, "bob");
  auto carol = attach(engine, "carol");
  near = bob.user();
  std::vector<std::string> heard;
  for (Session* session : {&bob, &carol})
    session->on_signal([&heard, session](const Signal& signal) {
      heard.push_back(std::string(session->subject()) + " " + std::string(signal.kind));
    });
  const auto team = alice.create({.members = {"bob", "carol"}}).get().value();
  CHECK(alice.send(team, "all follow").get().ok());
  while (engine.poll(1ms)) {}
  for (const auto* kind : {"step", "throw", "typing"}) CHECK(alice.signal(team, kind).get().ok());
  while (engine.poll(1ms)) {}
  CHECK(heard == std::vector<std::string>{"bob step", "bob typing", "carol typing"});
  CHECK(log.mentions("signal_filter threw: boom"));
}

TEST_CASE("a hook that takes its time is logged") {
  EngineOptions options{.threads = host_driven};
  options.before_message = [](IncomingMessage&) -> Result<void> {
    const auto end = std::chrono::steady_clock::now() + limits::hook_budget + 100us;
    while (std::chrono::steady_clock::now() < end) {}
    return {};
  };
  LogCapture log;
  options.log = log.sink();
  auto engine = Engine::open(std::move(options)).value();
  auto alice = attach(engine, "alice");
  const auto team = alice.create({}).get().value();
  CHECK(alice.send(team, "hello").get().ok());
  CHECK(log.mentions("before_message took more than 1 ms"));
}

}  // namespace parley::test
