// Sessions behind links: hello, limits, protocol errors, back-pressure; by the JSON encoding.
#include "engine/link_session.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "engine/link_world.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

using test::LinkWorld;
const std::string hello = test::hello_of("alice");

}  // namespace

TEST_CASE("a link says hello, chats, and says goodbye", "[link]") {
  LinkWorld world;
  auto peer = world.welcome();
  REQUIRE(world.sessions.size() == 1);
  REQUIRE(world.sessions.front().subject == "alice");
  REQUIRE(world.sessions.front().transport == "fake");
  REQUIRE(peer->limit > limits::body_default);

  auto bob = world.engine.attach({.user = "bob"}).get().value();
  std::string heard;
  bob.on_event([&](const Event& event) {
    if (const auto* message = event.as<Message>()) heard = message->text();
  });
  auto chat = bob.direct("alice").get().value();
  peer->say(R"({"type":"subscribe","request":2,"items":[{"conversation":")" + to_string(chat.id()) +
            R"(","level":"full"}]})");
  peer->say(R"({"type":"send","request":3,"conversation":")" + to_string(chat.id()) +
            R"(","number":"1","random":"7","settled":"1","text":"over the link"})");
  REQUIRE(world.until([&] { return peer->has(R"("type":"ack")") && !heard.empty(); }));
  REQUIRE(heard == "over the link");
  bob.send(chat, "and back").get().value();
  REQUIRE(world.until([&] { return peer->has("and back"); }));

  peer->say(R"({"type":"bye","request":4})");
  REQUIRE(world.until([&] { return peer->gone; }));
  REQUIRE(peer->closed == CloseReason::normal);
  REQUIRE(peer->has("goodbye"));
}

TEST_CASE("who is not authenticated is closed, and told nothing", "[link]") {
  EngineOptions options;
  options.authenticator = [](AuthRequest, std::function<void(Result<AuthAnswer>)> done) {
    done(Error{Errc::denied, "the secret reason"});
    done(AuthAnswer{"mallory"});  // a second answer changes nothing
  };
  LinkWorld world(std::move(options));
  auto peer = world.connect();
  peer->say(hello);
  REQUIRE(world.until([&] { return peer->gone; }));
  REQUIRE(peer->closed == CloseReason::policy);
  REQUIRE(peer->has("unauthenticated"));
  REQUIRE_FALSE(peer->has("secret"));
  REQUIRE(world.sessions.empty());
}

TEST_CASE("the host lets links in, or says why not", "[link]") {
  EngineOptions options;
  std::vector<std::string> asked;
  options.on_connect = [&](const ConnectRequest& request) -> Result<void> {
    asked.push_back(request.subject + " " + request.device);
    if (asked.size() == 1) return {};
    if (asked.size() == 2) return Error{Errc::limit_reached, "one device at a time"};
    throw std::runtime_error("boom");
  };
  LinkWorld world(std::move(options));
  world.welcome();
  auto refused = world.connect();
  refused->say(hello);
  REQUIRE(world.until([&] { return refused->gone; }));
  CHECK(refused->has("one device at a time"));
  CHECK(refused->closed == CloseReason::policy);
  auto unlucky = world.connect();
  unlucky->say(hello);
  REQUIRE(world.until([&] { return unlucky->gone; }));
  CHECK_FALSE(unlucky->has("boom"));
  CHECK(world.log.has(LogLevel::error, "on_connect threw: boom"));
  CHECK(asked == std::vector<std::string>(3, "alice d"));
  CHECK(world.sessions.size() == 1);
  CHECK(world.engine.attach({.user = "host"}).get().ok());  // the host's own are not asked about
}

TEST_CASE("an authenticator may answer later, from another thread, or throw", "[link]") {
  EngineOptions options;
  std::thread later;
  options.authenticator = [&](const AuthRequest& request,
                              std::function<void(Result<AuthAnswer>)> done) {
    if (request.token == "throw") throw std::runtime_error("boom");
    if (request.token == "throw 7") throw 7;  // NOLINT
    later = std::thread([done = std::move(done)] { done(AuthAnswer{"from afar"}); });
  };
  LinkWorld world(std::move(options));
  auto peer = world.welcome();
  later.join();
  REQUIRE(world.sessions.front().subject == "from afar");

  auto second = world.connect();
  second->say(R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":"throw"})");
  REQUIRE(world.until([&] { return second->gone; }));
  REQUIRE(world.log.has(LogLevel::error, "boom"));

  auto third = world.connect();
  third->say(R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":"throw 7"})");
  REQUIRE(world.until([&] { return third->gone; }));
  REQUIRE(third->has("unauthenticated"));
  REQUIRE(world.log.has(LogLevel::error, "no std::exception"));
}

TEST_CASE("what on_session throws is logged, and the session goes on", "[link]") {
  LinkWorld world;
  world.engine.on_session([](const SessionInfo&) { throw 7; });  // NOLINT
  auto peer = world.welcome();
  peer->say(R"({"type":"ping","request":2})");
  REQUIRE(world.until([&] { return peer->has("done"); }));
  REQUIRE(world.log.has(LogLevel::error, "on_session threw: something that is no std::exception"));
}

TEST_CASE("bytes that are no frame close the link with a goodbye", "[link]") {
  LinkWorld world;
  auto peer = world.welcome();
  peer->say("this is no frame");
  REQUIRE(world.until([&] { return peer->gone; }));
  REQUIRE(peer->closed == CloseReason::protocol_error);
  REQUIRE(peer->has("goodbye"));
  REQUIRE(peer->has("protocol_error"));
}

// A client that kept a ticket or token of another version was closed for good: it never asked the
// authenticator, nor for the list.
TEST_CASE("a ticket or token that is none signs in anew and is told the whole list", "[link]") {
  for (const std::string_view none : {"%%%", "AAA", "bm9uZQ==", "none at all", "\\u0000"}) {
    CAPTURE(none);
    LinkWorld world;
    auto peer = world.connect();
    std::string hello = test::hello_of("alice");
    hello.pop_back();
    hello +=
        R"(,"ticket":")" + std::string(none) + R"(","sync_token":")" + std::string(none) + R"("})";
    peer->say(hello);
    REQUIRE(world.until([&] { return peer->has(R"("type":"welcome")") || peer->closed; }));
    CHECK_FALSE(peer->closed);
    CHECK(peer->has(R"("list":{"whole":true)"));
    peer->say(R"({"type":"sync","request":2,"token":")" + std::string(none) + R"("})");
    REQUIRE(world.until([&] { return peer->has(R"("type":"list","request":2)") || peer->closed; }));
    CHECK(peer->has(R"("request":2,"whole":true)"));
    CHECK_FALSE(peer->closed);
  }
  LinkWorld world;
  auto peer = world.connect();
  peer->say(R"({"type":"hello","request":1,"min_version":1,"max_version":1,"ticket":7})");
  REQUIRE(world.until([&] { return peer->gone; }));
  CHECK(peer->closed == CloseReason::protocol_error);
}

TEST_CASE("a request before hello closes the link", "[link]") {
  LinkWorld world;
  auto peer = world.connect();
  peer->say(R"({"type":"ping","request":1})");
  REQUIRE(world.until([&] { return peer->gone; }));
  REQUIRE(peer->closed == CloseReason::protocol_error);
}

TEST_CASE("messages are limited before and after hello", "[link]") {
  LinkWorld world;
  SECTION("before: exactly the limit is read, one more is not") {
    auto peer = world.connect();
    REQUIRE(peer->limit == limits::message_before_hello);
    std::string exact = hello;
    exact.append(limits::message_before_hello - exact.size(), ' ');
    peer->say(exact);
    REQUIRE(world.until([&] { return peer->has("welcome"); }));
    auto second = world.connect();
    second->say(exact + " ");
    REQUIRE(world.until([&] { return second->gone; }));
    REQUIRE(second->closed == CloseReason::too_large);
  }
  SECTION("after") {
    auto peer = world.welcome();
    const std::size_t most = peer->limit;
    std::string ping = R"({"type":"ping","request":2})";
    ping.append(most - ping.size(), ' ');
    peer->say(ping);
    REQUIRE(world.until([&] { return peer->has(R"("type":"done")"); }));
    peer->say(ping + " ");
    REQUIRE(world.until([&] { return peer->gone; }));
    REQUIRE(peer->closed == CloseReason::too_large);
  }
}

TEST_CASE("a request of unknown type is answered unsupported", "[link]") {
  LinkWorld world;
  auto peer = world.welcome();
  peer->say(R"({"type":"teleport","request":9})");
  REQUIRE(world.until([&] { return peer->has("unsupported"); }));
  REQUIRE_FALSE(peer->closed);
}

TEST_CASE("a slow reader lags, and is filled again when it reads", "[link]") {
  LinkWorld world;
  auto peer = world.welcome();
  auto bob = world.engine.attach({.user = "bob"}).get().value();
  auto chat = bob.direct("alice").get().value();
  peer->say(R"({"type":"subscribe","request":2,"items":[{"conversation":")" + to_string(chat.id()) +
            R"(","level":"full"}]})");
  REQUIRE(world.until([&] { return peer->has("subscribed"); }));
  peer->reading = false;
  const std::string body(64 * limits::kib, 'x');
  for (int i = 0; i < 24; ++i) bob.send(chat, body).get().value();
  REQUIRE(world.until([&] { return peer->has("head_moved"); }));
  REQUIRE(peer->unread < limits::queue_hard);
  bob.send(chat, "the last one").get().value();
  REQUIRE_FALSE(peer->has("the last one"));

  peer->host->post([peer] {
    peer->reading = true;
    peer->unread = 0;
    peer->events->drained();
  });
  REQUIRE(world.until([&] { return peer->has("the last one"); }));
}

TEST_CASE("answers that are never read end the link at the hard limit", "[link]") {
  LinkWorld world;
  auto peer = world.welcome();
  auto bob = world.engine.attach({.user = "bob"}).get().value();
  auto chat = bob.direct("alice").get().value();
  const Snowflake stream = bob.start_stream(chat.id(), {}).get().value();
  const std::string piece(limits::stream_piece, 'x');
  for (std::size_t at = 0; at < 8 * piece.size(); at += piece.size())
    REQUIRE(bob.append_stream(chat.id(), stream, at, piece).get());
  peer->reading = false;
  for (int i = 0; i < 20 && !peer->closed; ++i) {
    peer->say(R"({"type":"get_stream","request":)" + std::to_string(10 + i) +
              R"(,"conversation":")" + to_string(chat.id()) + R"(","stream":")" +
              std::to_string(stream) + R"("})");
    world.until([&] { return peer->closed || peer->has(std::to_string(10 + i) + ","); });
  }
  REQUIRE(world.until([&] { return peer->gone; }));
  REQUIRE(peer->closed == CloseReason::slow_consumer);
}

TEST_CASE("a queue at its hard limit keeps the link, one byte past it ends it", "[link]") {
  const std::size_t past = GENERATE(0, 1);
  LinkWorld world;
  auto peer = world.welcome();
  peer->reading = false;
  peer->say(R"({"type":"ping","request":2})");
  REQUIRE(world.until([&] { return peer->unread > 0; }));
  const std::size_t pong = peer->unread;  // and the next one is as long
  // The longest message, and room for what is around it, may wait above the limit.
  peer->unread = limits::queue_hard + limits::body_default + 64 * limits::kib - pong + past;
  peer->say(R"({"type":"ping","request":3})");
  REQUIRE(world.until([&] { return peer->has(R"("request":3)"); }));
  for (int turns = 0; turns < 10; ++turns) world.engine.poll(1ms);
  REQUIRE(peer->closed == (past > 0 ? std::optional(CloseReason::slow_consumer) : std::nullopt));
}

TEST_CASE("a link that takes nothing is given up", "[link][slow]") {
  LinkWorld world;
  auto peer = world.welcome();
  peer->reading = false;
  const auto began = std::chrono::steady_clock::now();
  peer->say(R"({"type":"ping","request":2})");
  REQUIRE(world.until([&] { return peer->gone; }));
  const auto took = std::chrono::steady_clock::now() - began;
  REQUIRE(took >= limits::stall);
  REQUIRE(took < limits::stall + 10s);
  REQUIRE(peer->closed == CloseReason::slow_consumer);
}

TEST_CASE("a message that never ends ends the link", "[link][slow]") {
  LinkWorld world;
  auto peer = world.welcome();
  peer->hold(1000);
  const auto began = std::chrono::steady_clock::now();
  while (!peer->gone && std::chrono::steady_clock::now() - began < limits::message_within + 10s) {
    if (!world.engine.poll(1ms)) world.engine.wait(50ms);
  }
  REQUIRE(peer->gone);
  REQUIRE(std::chrono::steady_clock::now() - began >= limits::message_within);
  REQUIRE(peer->closed == CloseReason::policy);
}

TEST_CASE("messages that do not end count as memory, until they are over", "[link]") {
  EngineOptions options;
  options.memory_limit = limits::mib;
  LinkWorld world(std::move(options));
  auto slow = world.welcome();
  auto other = world.welcome();
  slow->hold(limits::mib);
  REQUIRE(world.until([&] {
    other->say(R"({"type":"ping","request":2})");
    return other->has(R"("code":"busy")");
  }));
  slow->held = 0;
  REQUIRE(world.until([&] {
    other->say(R"({"type":"ping","request":3})");
    return other->has(R"("type":"done","request":3)") || other->has(R"("request":3,"type":"done")");
  }));
}

TEST_CASE("a link that asks too often is told to wait, and nothing happens", "[link]") {
  EngineOptions options;
  options.requests_per_second = 1;  // hello is one
  LinkWorld world(std::move(options));
  auto peer = world.welcome();
  peer->say(R"({"type":"ping","request":2})");
  REQUIRE(world.until([&] { return peer->has(R"("retry_after_ms")"); }));
  REQUIRE(peer->has(R"("code":"busy")"));

  REQUIRE(world.engine.set_limits({.requests_per_second = 0}).get());
  for (int i = 0; i < 50; ++i)
    peer->say(R"({"type":"ping","request":)" + std::to_string(100 + i) + "}");
  REQUIRE(world.until([&] { return peer->has(R"("request":149)"); }));
}

TEST_CASE("above the memory limit requests are busy and links refused", "[link]") {
  EngineOptions options;
  options.memory_limit = limits::mib;
  LinkWorld world(std::move(options));
  auto peer = world.welcome();
  auto bob = world.engine.attach({.user = "bob"}).get().value();
  auto chat = bob.direct("alice").get().value();
  const std::string body(60 * limits::kib, 'x');
  for (int i = 0; i < 4; ++i) bob.send(chat, body).get().value();
  peer->keep = true;  // what was sent stays queued
  int asked = 10;
  while (world.engine.stats().queued_bytes < limits::mib) {
    peer->say(R"({"type":"history","request":)" + std::to_string(++asked) + R"(,"conversation":")" +
              to_string(chat.id()) + R"(","from":0,"backward":true})");
    const std::size_t before = peer->got.size();
    REQUIRE(world.until([&] { return peer->got.size() > before; }));
  }
  peer->say(R"({"type":"ping","request":2})");
  REQUIRE(world.until([&] { return peer->has(R"("code":"busy")"); }));
  REQUIRE(bob.send(chat, "x").get().error().errc() == Errc::busy);
  auto refused = std::make_shared<test::Peer>();
  bool told = false;
  REQUIRE(world.engine.adopt(std::make_unique<test::FakeLink>(refused), {},
                             [&](LinkEvents* events, LinkHost&) { told = events == nullptr; }));
  REQUIRE(world.until([&] { return told; }));
  REQUIRE(refused->gone);

  peer->kept.clear();
  REQUIRE(bob.send(chat, "x").get());
}

TEST_CASE("a closing engine says goodbye to its links", "[link]") {
  auto peer = [] {
    LinkWorld world;
    return world.welcome();
  }();
  REQUIRE(peer->closed == CloseReason::going_away);
  REQUIRE(peer->gone);
  REQUIRE(peer->has("goodbye"));
}

TEST_CASE("a link that never tells that it is closed does not hold up the end", "[link]") {
  class Mute final : public Link {
   public:
    void send(std::span<const Payload>) override {}
    [[nodiscard]] std::size_t queued() const noexcept override { return 0; }
    void close(CloseReason, std::string_view) override {}
  };
  test::LogCapture log;
  {
    auto engine = Engine::open({.threads = host_driven, .log = log.sink()}).value();
    REQUIRE(engine.adopt(std::make_unique<Mute>(), {}, {}));
    while (engine.poll(1ms)) {}
    REQUIRE(engine.stats().sessions == 1);
  }
  REQUIRE(log.mentions("did not end in time"));
}
