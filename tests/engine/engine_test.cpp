// Opening, talking, limits and the end of an engine, through its public face.
#include "parley/engine.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "engine/held_store.hpp"
#include "engine/log_capture.hpp"
#include "engine/waiting.hpp"
#include "parley/memory_store.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

EngineOptions two_threads() { return {.threads = 2}; }

Errc open_error(EngineOptions options) {
  auto opened = Engine::open(std::move(options));
  return opened ? Errc::ok : opened.error().errc();
}

/// A store that says it holds values of any size.
class WideStore final : public test::HeldStore {
 public:
  explicit WideStore(std::unique_ptr<Store> inner)
      : HeldStore(std::move(inner), std::make_shared<test::Hold>()), facts_(HeldStore::facts()) {
    facts_.max_value = 64 * limits::mib;
  }
  [[nodiscard]] const StoreFacts& facts() const noexcept override { return facts_; }

 private:
  StoreFacts facts_;
};
StoreOpener wide_store() {
  return []() -> Result<std::unique_ptr<Store>> {
    return std::unique_ptr<Store>(std::make_unique<WideStore>(memory_store()().value()));
  };
}

}  // namespace

TEST_CASE("two sessions in one process chat over the memory store", "[engine]") {
  auto engine = Engine::open(two_threads()).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  REQUIRE(alice.subject() == "alice");
  REQUIRE(alice.user());
  REQUIRE(alice.user() != bob.user());

  test::Collected<std::string> heard;
  bob.on_event([&](const Event& event) {
    if (const auto* message = event.as<Message>()) heard.add(std::string(message->text()));
  });
  auto chat = engine.direct("alice", "bob").get().value();
  REQUIRE(chat.kind() == ConversationKind::direct);
  const Ack ack = alice.send(chat, "hello").get().value();
  REQUIRE(ack.seq >= 1);
  REQUIRE(alice.send(chat, "again").get().value().seq == ack.seq + 1);
  REQUIRE(heard.wait_for(2) == std::vector<std::string>{"hello", "again"});

  // Found, not created again; the same for both.
  REQUIRE(alice.direct("bob").get().value() == chat);
  REQUIRE(bob.direct("alice").get().value() == chat);
  const HistoryPage page = bob.history(chat).get().value();
  REQUIRE_FALSE(page.events.empty());
  REQUIRE(page.events.back().as<Message>()->text() == "again");
}

TEST_CASE("the host acts as the system, by subject", "[engine]") {
  auto engine = Engine::open(two_threads()).value();
  auto carol = engine.attach({.user = "carol"}).get().value();
  auto lobby = engine.create({.kind = ConversationKind::channel, .title = "lobby"}).get().value();
  REQUIRE(carol.history(lobby).get().error().errc() == Errc::denied);
  engine.add(lobby, {"carol"}).get().value();
  REQUIRE(carol.history(lobby).get());
  engine.set_title(lobby, "the lobby").get().value();

  REQUIRE(engine.find_user("carol").get().value() == carol.user());
  REQUIRE(engine.subject(carol.user()).get().value() == "carol");
  REQUIRE(engine.find_user("nobody").get().error().errc() == Errc::denied);
  REQUIRE(engine.subject(UserId{12345}).get().error().errc() == Errc::denied);
  REQUIRE(engine.remove(lobby, "nobody").get().error().errc() == Errc::denied);

  engine.set_role(lobby, "carol", Role::admin).get().value();
  engine.remove(lobby, "carol").get().value();
  REQUIRE(carol.send(lobby, "hi").get().error().errc() == Errc::denied);
}

TEST_CASE("a hook looks at messages before they are stored, whoever sends them") {
  EngineOptions options;
  options.threads = host_driven;
  options.before_message = [](IncomingMessage& message) -> Result<void> {
    if (message.body == "spam") return Error{Errc::denied, "no advertisements here"};
    message.body += message.sender ? "" : " (from the house)";
    return {};
  };
  Engine engine = Engine::open(std::move(options)).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto chat = alice.direct("bob").get().value();
  CHECK(alice.send(chat, "spam").get().error().message == "no advertisements here");
  alice.send(chat, "hello").get().value();
  engine.send(chat, "welcome").get().value();
  const HistoryPage page = alice.history(chat).get().value();
  REQUIRE(page.events.size() == 2);
  CHECK(page.events[0].as<Message>()->text() == "hello");
  CHECK(page.events[1].as<Message>()->text() == "welcome (from the house)");
}

TEST_CASE("edits, deletions, reactions and pins reach the other side and stay") {
  Engine engine = Engine::open({.threads = host_driven}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  auto chat = alice.direct("bob").get().value();
  std::vector<EventKind> heard;
  bob.on_event([&](const Event& event) { heard.push_back(event.kind); });
  const Seq first = alice.send(chat, "helo").get().value().seq;
  const Seq second = alice.send(chat, "oops").get().value().seq;
  alice.edit(chat, first, "hello").get().value();
  alice.delete_message(chat, second).get().value();
  bob.react(chat, first, "+1").get().value();
  bob.pin(chat, first).get().value();
  CHECK(bob.edit(chat, first, "mine").get().error().errc() == Errc::denied);
  while (heard.size() < 6)
    engine.wait(std::chrono::milliseconds(5)), engine.poll(std::chrono::milliseconds(1));
  CHECK(heard == std::vector<EventKind>{EventKind::message, EventKind::message, EventKind::edited,
                                        EventKind::deleted, EventKind::reactions,
                                        EventKind::pinned});
  const HistoryPage page = bob.history(chat).get().value();
  const auto* message = page.events.at(0).as<Message>();
  REQUIRE(message != nullptr);
  CHECK(message->text() == "hello");
  CHECK(message->edited > WallTime{});
  CHECK(message->pinned);
  REQUIRE(message->reactions.size() == 1);
  CHECK(message->reactions[0].key == "+1");
  CHECK(message->reactions[0].users == std::vector<UserId>{bob.user()});
  CHECK(page.events.at(1).as<Message>()->deleted);
  CHECK(alice.pins(chat).get().value().size() == 1);
  CHECK(alice.reactors(chat, first, "+1").get().value().users == std::vector<UserId>{bob.user()});
  CHECK(engine.edit(chat, first, "x").get().error().errc() == Errc::denied);  // not the system's
  CHECK(engine.delete_message(chat, first).get().ok());
  CHECK(alice.pins(chat).get().value().empty());
  alice.set_list(chat, {.pinned = true, .draft = "dear bob"}).get().value();
  const auto list = alice.list().get().value();
  CHECK(list.at(0).pinned);
  CHECK(list.at(0).draft == "dear bob");
}

TEST_CASE("a send with a key is applied once", "[engine]") {
  auto engine = Engine::open(two_threads()).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({.title = "room"}).get().value();
  const Ack first = alice.send(room, "paid", {.key = "order-1"}).get().value();
  const Ack again = alice.send(room, "paid", {.key = "order-1"}).get().value();
  REQUIRE(again.seq == first.seq);
  REQUIRE(again.repeated);
  REQUIRE(alice.send(room, "other", {.key = "order-1"}).get().error().errc() == Errc::key_reused);
}

TEST_CASE("a create with a key finds what it made", "[engine]") {
  auto engine = Engine::open(two_threads()).value();
  const CreateOptions lobby{.kind = ConversationKind::channel, .title = "Lobby", .key = "lobby"};
  auto first = engine.create(lobby).get().value();
  REQUIRE(engine.create(lobby).get().value() == first);
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto own = alice.create(lobby).get().value();  // another creator, another conversation
  REQUIRE_FALSE(own == first);
  REQUIRE(alice.create(lobby).get().value() == own);
  REQUIRE(engine.create({.key = std::string(limits::host_key, 'k')}).get());
  REQUIRE(engine.create({.key = std::string(limits::host_key + 1, 'k')}).get().error().errc() ==
          Errc::too_large);
}

TEST_CASE("every option is checked at its bounds", "[engine]") {
  REQUIRE(open_error({.threads = -1}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = Threads::most + 1}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .max_body = 0}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .max_body = 1}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven, .memory_limit = limits::mib - 1}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .memory_limit = limits::mib}) == Errc::ok);
  REQUIRE(EngineOptions{}.memory_limit == limits::memory_default);
  REQUIRE(open_error({.threads = host_driven, .max_sessions = 0}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .max_sessions = limits::sessions_most + 1}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .max_sessions = limits::sessions_most}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven, .edit_window = -1ms}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .group_members = 1}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .group_members = limits::group_members + 1}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .channel_members = 0}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .channel_members = limits::channel_members + 1}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .requests_per_second = limits::requests_most + 1}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven,
                      .group_members = 2,
                      .channel_members = 1,
                      .requests_per_second = limits::requests_most}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven, .heartbeat = 999ms}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .heartbeat = 1s}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven, .heartbeat = 600'001ms}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .node = 1023}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven,
                      .permissions = {.group = {.remove = static_cast<Role>(99)}}}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .node = 1024}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = 2, .node = 1023}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .web_root = "/no/such/folder"}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .transports = {{"WS", {}}}}) ==
          Errc::invalid_argument);
  REQUIRE(open_error({.threads = host_driven, .transports = {{"x", {}}}}) ==
          Errc::invalid_argument);
}

TEST_CASE("the body is limited by the options and by the store", "[engine]") {
  auto engine = Engine::open({.threads = host_driven, .max_body = 100}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({}).get().value();
  REQUIRE(alice.send(room, std::string(100, 'x')).get());
  REQUIRE(alice.send(room, std::string(101, 'x')).get().error().errc() == Errc::too_large);

  const std::size_t most = engine.store_facts().max_value - 16 * limits::kib;
  REQUIRE(most < limits::body_most);
  REQUIRE(open_error({.threads = host_driven, .max_body = most}) == Errc::ok);
  REQUIRE(open_error({.threads = host_driven, .max_body = most + 1}) == Errc::invalid_argument);
  const auto with = [](std::size_t max_body) {
    return open_error({.threads = host_driven, .store = wide_store(), .max_body = max_body});
  };
  REQUIRE(with(limits::body_most) == Errc::ok);
  REQUIRE(with(limits::body_most + 1) == Errc::invalid_argument);
}

TEST_CASE("limits change while the engine runs, on every shard, and take nothing away",
          "[engine]") {
  auto engine = Engine::open({.threads = 3, .max_body = 100, .max_sessions = 3}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  auto carol = engine.attach({.user = "carol"}).get().value();
  std::vector<Conversation> rooms;  // on every shard, some of them
  for (int i = 0; i < 12; ++i) rooms.push_back(alice.create({.members = {"bob"}}).get().value());

  REQUIRE(engine
              .set_limits({.max_body = 10,
                           .edit_window = 0ms,
                           .max_sessions = 1,
                           .group_members = 2,
                           .channel_members = 2})
              .get());
  const auto code = [](const auto& result) { return result ? Errc::ok : result.error().errc(); };
  for (const Conversation& room : rooms) {
    const Ack ack = bob.send(room, std::string(10, 'x')).get().value();
    REQUIRE(code(bob.send(room, std::string(11, 'x')).get()) == Errc::too_large);
    REQUIRE(code(bob.edit(room, ack.seq, "y").get()) == Errc::denied);
    REQUIRE(code(alice.add(room, {"carol"}).get()) == Errc::limit_reached);
  }
  REQUIRE(code(alice.create({.members = {"bob", "carol"}}).get()) == Errc::limit_reached);
  auto channel = alice.create({.kind = ConversationKind::channel}).get().value();
  REQUIRE(bob.join(channel).get());
  REQUIRE(code(carol.join(channel).get()) == Errc::limit_reached);
  REQUIRE(code(engine.attach({.user = "dave"}).get()) == Errc::limit_reached);

  REQUIRE(engine.set_limits({.max_body = 200, .max_sessions = 4, .group_members = 3}).get());
  REQUIRE(engine.attach({.user = "dave"}).get());
  for (const Conversation& room : rooms) {
    REQUIRE(bob.send(room, std::string(200, 'x')).get());
    REQUIRE(alice.add(room, {"carol"}).get());
  }
  REQUIRE(code(carol.join(channel).get()) == Errc::limit_reached);  // named by neither: it stays
}

TEST_CASE("a limit out of bounds is named, and nothing changes", "[engine]") {
  auto engine = Engine::open({.threads = host_driven, .max_body = 100}).value();
  const auto text = [&](LimitsUpdate update) { return engine.set_limits(update).get().error(); };
  const std::size_t most =
      std::min(std::size_t{16} * limits::mib, engine.store_facts().max_value - 16 * limits::kib);
  REQUIRE(text({.max_body = most + 1}).message ==
          "max_body: expected 1 to " + std::to_string(most) +
              ", and to what the store holds in one value less 16 KiB");
  REQUIRE(text({.max_body = 1, .memory_limit = limits::mib - 1}).message.starts_with("memory"));
  REQUIRE(text({.edit_window = -1ms}).message.starts_with("edit_window"));
  REQUIRE(text({.max_sessions = 0}).message.starts_with("max_sessions"));
  REQUIRE(text({.group_members = 1}).message.starts_with("group_members"));
  REQUIRE(text({.channel_members = 0}).message.starts_with("channel_members"));
  const Error error = text({.requests_per_second = limits::requests_most + 1});
  REQUIRE(error.errc() == Errc::invalid_argument);
  REQUIRE(error.message == "requests_per_second: expected 0 to 1000000");

  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({}).get().value();
  REQUIRE(alice.send(room, std::string(100, 'x')).get());
  REQUIRE(engine.set_limits({.max_body = most}).get());
}

TEST_CASE("a store that cannot be opened, or promises too little, is an error of open",
          "[engine]") {
  REQUIRE(open_error({.threads = 1, .store = []() -> Result<std::unique_ptr<Store>> {
                        return Error{Errc::store_locked, "in use"};
                      }}) == Errc::store_locked);
  REQUIRE(open_error({.threads = 1, .store = []() -> Result<std::unique_ptr<Store>> {
                        return std::unique_ptr<Store>();
                      }}) == Errc::invalid_argument);
  REQUIRE(open_error({.threads = 1, .durability = StoreFacts::Durability::local}) ==
          Errc::unsupported);
}

TEST_CASE("names of users are checked", "[engine]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  auto attach = [&](std::string user) {
    auto session = engine.attach({.user = std::move(user)}).get();
    return session ? Errc::ok : session.error().errc();
  };
  REQUIRE(attach("") == Errc::invalid_argument);
  REQUIRE(attach("\xff") == Errc::invalid_argument);
  REQUIRE(attach(std::string(limits::subject, 'a')) == Errc::ok);
  REQUIRE(attach(std::string(limits::subject + 1, 'a')) == Errc::too_large);
}

TEST_CASE("sessions are limited", "[engine]") {
  auto engine = Engine::open({.threads = host_driven, .max_sessions = 2}).value();
  auto first = engine.attach({.user = "a"}).get().value();
  auto second = engine.attach({.user = "b"}).get().value();
  REQUIRE(engine.attach({.user = "c"}).get().error().errc() == Errc::limit_reached);
  { const Session gone = std::move(first); }
  while (engine.poll(1ms)) {}
  REQUIRE(engine.attach({.user = "c"}).get());
}

TEST_CASE("listen names what it does not know", "[engine]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  REQUIRE(engine.listen("carrier-pigeon:home").error().errc() == Errc::unsupported);
  REQUIRE(engine.listen("nothing").error().errc() == Errc::invalid_argument);
  const Error bare = engine.listen("127.0.0.1:80").error();
  REQUIRE(bare.errc() == Errc::invalid_argument);
  REQUIRE(bare.message == "url: expected ws://host:port/path or tcp://host:port");
  const Error secure = engine.listen("wss://0.0.0.0:443/chat").error();
  REQUIRE(secure.errc() == Errc::unsupported);
  REQUIRE(secure.message.ends_with("TLS ends in a proxy in front"));
  REQUIRE(engine.listen("inproc:lobby"));
  REQUIRE(engine.listen("inproc:lobby").error().errc() == Errc::address_in_use);
}

TEST_CASE("the development authenticator is named loudly", "[engine]") {
  test::LogCapture log;
  auto engine =
      Engine::open(
          {.threads = host_driven, .authenticator = development_authenticator(), .log = log.sink()})
          .value();
  REQUIRE(log.has(LogLevel::warning, "DEVELOPMENT AUTHENTICATOR"));
}

TEST_CASE("an engine that listens and refuses everybody says so once", "[engine]") {
  const std::string_view refused = "no EngineOptions::authenticator";
  test::LogCapture log;
  auto closed = Engine::open({.threads = host_driven, .log = log.sink()}).value();
  REQUIRE_FALSE(closed.listen("nowhere:"));
  REQUIRE(log.count(LogLevel::warning, refused) == 0);
  REQUIRE(closed.listen("inproc:closed"));
  REQUIRE(closed.listen("inproc:closed-too"));
  REQUIRE(log.count(LogLevel::warning, refused) == 1);

  test::LogCapture quiet;
  auto open = Engine::open({.threads = host_driven,
                            .authenticator = development_authenticator(),
                            .log = quiet.sink()})
                  .value();
  REQUIRE(open.listen("inproc:open"));
  REQUIRE(quiet.count(LogLevel::warning, refused) == 0);
}

TEST_CASE("figures", "[engine]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({}).get().value();
  alice.send(room, "x").get().value();
  const EngineStats stats = engine.stats();
  REQUIRE(stats.shards == 1);
  REQUIRE(stats.sessions == 1);
  REQUIRE(stats.conversations == 1);
}

TEST_CASE("a moved-from engine and an empty session answer, they do not crash", "[engine]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  Engine other = std::move(engine);
  REQUIRE(engine.create({}).get().error().errc() == Errc::engine_closed);  // NOLINT
  REQUIRE(engine.attach({.user = "a"}).get().error().errc() == Errc::engine_closed);
  REQUIRE(engine.find_user("a").get().error().errc() == Errc::engine_closed);
  REQUIRE(engine.listen("inproc:x").error().errc() == Errc::engine_closed);
  REQUIRE_FALSE(engine.poll(0us));
  REQUIRE(engine.stopped());
  Session none;
  REQUIRE(none.send({}, "x").get().error().errc() == Errc::session_closed);
  int called = 0;
  none.list([&](Result<std::vector<ListEntry>> list) { called += list ? 0 : 1; });
  none.list().then([&](Result<std::vector<ListEntry>> list) { called += list ? 0 : 1; });
  REQUIRE(called == 2);
}
