// The k-th allocation of an operation fails, for every k (I12): the operation is answered or its
// session ends, nothing acknowledged is lost, and everything goes on.
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "engine/link_world.hpp"
#include "memory/counted_new.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;
using test::FailingNew;

namespace {

/// Two who talk in this process, whatever ends their sessions; what was acknowledged is remembered.
struct World : test::LinkWorld {
  World() {
    attach();
    chat = alice->direct("bob").get().value().id();
    say("first");
  }
  ~World() {
    alice.reset();
    bob.reset();
  }

  void attach() {
    if (alive(alice) && alive(bob)) return;
    alice.emplace(engine.attach({.user = "alice", .device = "phone"}).get().value());
    bob.emplace(engine.attach({.user = "bob", .device = "phone"}).get().value());
    for (Session* session : {&*alice, &*bob}) session->on_event([](const Event&) {});
  }
  static bool alive(std::optional<Session>& session) {
    return session && session->set_presence(PresenceState::online).get().ok();
  }
  Seq say(const std::string& text) {
    const Ack ack = alice->send(chat, text).get().value();
    acknowledged(ack.seq, text);
    return ack.seq;
  }
  void acknowledged(Seq seq, const std::string& text) {
    const auto [at, fresh] = said.emplace(seq, text);
    REQUIRE((fresh || at->second == text));
  }
  /// All that was acknowledged, each where it was; no hole, and nothing twice.
  void check_history() {
    Seq expected = 1;
    for (bool more = true; more;) {
      const HistoryPage page =
          alice->history(chat, {.from = expected, .backward = false}).get().value();
      for (const Event& event : page.events) {
        REQUIRE(event.seq == expected++);
        const auto ours = said.find(event.seq);
        if (ours == said.end()) continue;
        REQUIRE(event.as<Message>() != nullptr);
        REQUIRE(event.as<Message>()->text() == ours->second);
      }
      more = page.more;
    }
    REQUIRE(said.rbegin()->first < expected);
  }

  std::optional<Session> alice, bob;
  ConversationId chat;
  std::map<Seq, std::string> said;
};

/// Runs what `start` starts with its k-th allocation failing, for every k there is, until `over`.
/// After each the world is whole again, and `then` looks at what came of it.
void fail_each(World& world, const std::function<void()>& start, const std::function<bool()>& over,
               const std::function<void()>& then) {
  for (std::size_t k = 1;; ++k) {
    CAPTURE(k);
    start();
    bool failed = false;
    {
      const FailingNew failing(k);
      for (int turns = 0; turns < 100 && !over(); ++turns) world.engine.poll(1ms);
      failed = FailingNew::failed();
    }
    REQUIRE(world.until(over));
    then();
    world.attach();
    world.say("after " + std::to_string(k));
    REQUIRE(world.engine.stats().ingress_bytes == 0);
    if (!failed) return;
  }
}

/// The same for one operation, which is to be answered.
template <class T>
void fail_each_of(
    World& world, const std::function<Pending<T>()>& ask,
    const std::function<void(Result<T>&)>& answered = [](Result<T>&) {}) {
  std::optional<Result<T>> result;
  fail_each(
      world,
      [&] {
        result.reset();
        ask().then([&](Result<T> value) { result.emplace(std::move(value)); });
      },
      [&] { return result.has_value(); },
      [&] {
        answered(*result);
        result.reset();
      });
}

}  // namespace

TEST_CASE("attaching without memory") {
  World world;
  fail_each_of<Session>(world, [&] { return world.engine.attach({.user = "carol"}); });
  world.check_history();
}

TEST_CASE("sending without memory loses nothing that was acknowledged") {
  World world;
  int count = 0;
  std::string text;
  fail_each_of<Ack>(
      world,
      [&] {
        text = "number " + std::to_string(++count);
        return world.alice->send(world.chat, text);
      },
      [&](Result<Ack>& ack) {
        if (ack) world.acknowledged(ack->seq, text);
      });
  world.check_history();
}

TEST_CASE("reading without memory") {
  World world;
  for (int i = 0; i < 100; ++i) world.say("message " + std::to_string(i));
  fail_each_of<HistoryPage>(
      world, [&] { return world.bob->history(world.chat, {.from = 1, .backward = false}); });
  fail_each_of<std::vector<ListEntry>>(world, [&] { return world.bob->list(); });
  fail_each_of<ConversationInfo>(world, [&] { return world.bob->info(world.chat); });
  world.check_history();
}

TEST_CASE("changing messages without memory") {
  World world;
  const auto of_first = [&](auto ask) { fail_each_of<void>(world, ask); };
  const Seq seq = world.say("to be changed");
  of_first([&] { return world.alice->react(world.chat, 1, "+1"); });
  of_first([&] { return world.bob->react(world.chat, 1, "+1"); });
  of_first([&] { return world.alice->pin(world.chat, 1); });
  of_first([&] { return world.alice->edit(world.chat, seq, "changed"); });
  of_first([&] { return world.alice->delete_message(world.chat, seq); });
  of_first([&] { return world.bob->delete_for_me(world.chat, {1}); });
  of_first([&] { return world.bob->read(world.chat, 1); });
  fail_each_of<ReactorsPage>(world, [&] { return world.bob->reactors(world.chat, 1, "+1", {}); });
  world.said.erase(seq);
  world.check_history();
}

TEST_CASE("conversations and members without memory") {
  World world;
  fail_each_of<Conversation>(world, [&] { return world.alice->direct("carol"); });
  fail_each_of<Conversation>(world, [&] {
    return world.alice->create({.title = "team", .members = {"bob", "carol"}});
  });
  const auto hall =
      world.alice->create({.kind = ConversationKind::channel, .title = "hall"}).get().value().id();
  fail_each_of<Conversation>(world, [&] { return world.bob->join(hall); });
  fail_each_of<void>(world, [&] { return world.alice->add(hall, {"carol", "dave"}); });
  fail_each_of<MembersPage>(world, [&] { return world.alice->members(hall); });
  fail_each_of<void>(world, [&] { return world.alice->set_title(hall, "the hall"); });
  fail_each_of<void>(world, [&] { return world.bob->leave(hall); });
  fail_each_of<Online>(world, [&] { return world.alice->watch_conversation(hall); });
  fail_each_of<void>(world, [&] { return world.alice->signal(world.chat, "typing"); });
  fail_each_of<ResumeAnswer>(world, [&] { return world.bob->subscribe(world.chat); });
  fail_each_of<void>(world, [&] { return world.bob->set_list(world.chat, {.pinned = true}); });
  fail_each_of<Ack>(world, [&] { return world.engine.send(world.chat, "by the system"); });
  fail_each_of<void>(world, [&] { return world.engine.add(hall, {"erin"}); });
  world.check_history();
}

TEST_CASE("a link is answered or closed, and the next one is served") {
  World world;
  const std::string chat = to_string(world.chat);
  const auto fail_request = [&](const std::string& operation) {
    std::shared_ptr<test::Peer> peer = world.welcome("bob");
    int number = 10;
    const auto answered = [&] {
      return peer->gone || peer->has("\"request\":" + std::to_string(number) + ",") ||
             peer->has("\"request\":" + std::to_string(number) + "}");
    };
    fail_each(
        world,
        [&] {
          if (peer->gone) peer = world.welcome("bob");
          peer->got.clear();
          peer->got.reserve(64);
          peer->say("{\"request\":" + std::to_string(++number) + "," + operation + "}");
        },
        answered, [] {});
  };
  fail_request(R"("type":"subscribe","items":[{"conversation":")" + chat + R"(","level":"full"}])");
  fail_request(R"("type":"history","from":0,"backward":true,"conversation":")" + chat + "\"");
  fail_request(R"("type":"ping")");

  std::shared_ptr<test::Peer> peer;
  fail_each(
      world,
      [&] {
        peer = world.connect();
        peer->say(test::hello_of("dora"));
      },
      [&] { return peer->gone || peer->has("welcome"); }, [] {});
  world.check_history();
}

TEST_CASE("a shard without memory begins anew, and with it those that wait for it", "[slow]") {
  constexpr std::size_t most = 120;
  EngineOptions options;
  options.threads = 2;
  Engine engine = Engine::open(std::move(options)).value();
  std::atomic<std::size_t> wanted{0};
  const auto attach = [&](const std::string& name) {
    auto session = engine.attach({.user = name}).get();
    for (int more = 0; !session && more < 20; ++more)  // what failed may fail here
      session = engine.attach({.user = name}).get();
    session.value().on_event([&](const Event&) {  // on its shard: so is what fails then
      if (const std::size_t k = wanted.exchange(0)) FailingNew::begin(k);
    });
    return std::move(session).value();
  };
  std::map<Seq, std::string> said;
  ConversationId room;
  for (std::size_t k = 1; k <= most; ++k) {
    CAPTURE(k);
    std::vector<Session> sessions;
    for (const char* name : {"alice", "bob", "carol", "dave"}) sessions.push_back(attach(name));
    if (k == 1) {
      room = sessions[0]
                 .create({.title = "room", .members = {"bob", "carol", "dave"}})
                 .get()
                 .value()
                 .id();
    }
    wanted = k;
    std::vector<std::pair<std::string, Pending<Ack>>> sent;
    for (int i = 0; i < 8; ++i) {
      std::string text = std::to_string(k) + "." + std::to_string(i);
      auto pending = sessions[static_cast<std::size_t>(i % 4)].send(room, text);
      sent.emplace_back(std::move(text), std::move(pending));
    }
    for (auto& [text, pending] : sent)
      if (auto ack = pending.get()) said.emplace(ack->seq, text);  // or a typed error
  }
  Session reader = attach("alice");
  Seq expected = 1;
  for (bool more = true; more;) {
    const auto read = reader.history(room, {.from = expected, .backward = false}).get();
    if (!read) {  // what failed may fail here, once
      if (read.error().errc() == Errc::internal) reader = attach("alice");
      continue;
    }
    const HistoryPage& page = read.value();
    for (const Event& event : page.events) {
      REQUIRE(event.seq == expected++);
      if (const auto ours = said.find(event.seq); ours != said.end())
        REQUIRE(event.as<Message>()->text() == ours->second);
    }
    more = page.more;
  }
  CHECK(said.size() > most);
  CHECK(said.rbegin()->first < expected);
}
