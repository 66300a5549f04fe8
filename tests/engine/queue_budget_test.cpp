// Queues of all sessions together: their part of the memory, who lags when it is used up, and that
// nobody loses anything by it (I5).
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "engine/link_world.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace std::chrono_literals;
using test::LinkWorld;

namespace {

constexpr std::size_t frame_room = 1 * limits::kib;  // around a message, in JSON

struct BudgetWorld : LinkWorld {
  explicit BudgetWorld(std::size_t memory) : LinkWorld(options(memory)) {}
  static EngineOptions options(std::size_t memory) {
    EngineOptions options;
    options.memory_limit = memory;
    return options;
  }
  /// In this process, and takes at once what it is told.
  Session writer() {
    auto bob = engine.attach({.user = "bob"}).get().value();
    bob.on_event([](const Event&) {});
    return bob;
  }
  /// Follows the conversation from its head on.
  void follow(test::Peer& peer, const ConversationId& id) {
    peer.say(R"({"type":"subscribe","request":2,"items":[{"conversation":")" + to_string(id) +
             R"(","level":"full"}]})");
    REQUIRE(until([&] { return peer.has("subscribed"); }));
  }
  /// Whether it has been told the n-th message that says "#n#", each one once.
  static bool complete(const test::Peer& peer, std::size_t messages) {
    std::vector<int> times(messages);
    for (const std::string& got : peer.got) {
      for (auto at = got.find('#'); at != std::string::npos; at = got.find('#', at + 1)) {
        ++times.at(std::stoul(got.substr(at + 1)));
        at = got.find('#', at + 1);
      }
    }
    return times == std::vector<int>(messages, 1);
  }
  std::size_t queued() { return engine.stats().queued_bytes; }
};

std::string numbered(std::size_t number, std::size_t bytes) {
  std::string text = "#" + std::to_string(number) + "#";
  text.resize(bytes, 'x');
  return text;
}

/// It stops reading, and what it was sent stays in its queue.
void stop_reading(test::Peer& peer) {
  peer.reading = false;
  peer.keep = true;
}

/// It takes what is queued, and no more.
void read_some(const std::shared_ptr<test::Peer>& peer) {
  peer->kept.clear();
  peer->unread = 0;
  peer->host->post([peer] {
    if (!peer->closed) peer->events->drained();
  });
}

void read_again(const std::shared_ptr<test::Peer>& peer) {
  peer->host->post([peer] {
    peer->reading = true;
    peer->keep = false;
    peer->unread = 0;
    peer->kept.clear();
    peer->events->drained();
  });
}

}  // namespace

TEST_CASE("slow sessions together hold their part of the memory, and others lag for none of it",
          "[link]") {
  constexpr std::size_t memory = 8 * limits::mib, budget = memory / limits::queues_part;
  constexpr std::size_t slow_ones = 12, messages = 60, bytes = 10 * limits::kib;
  BudgetWorld world(memory);
  auto bob = world.writer();
  std::vector<std::shared_ptr<test::Peer>> peers;
  std::vector<Conversation> chats;
  for (std::size_t i = 0; i <= slow_ones; ++i) {
    const std::string name = "user" + std::to_string(i);
    peers.push_back(world.welcome(name));
    chats.push_back(bob.direct(name).get().value());
    world.follow(*peers.back(), chats.back().id());
    if (i != slow_ones) stop_reading(*peers.back());
  }
  const auto& reader = *peers.back();
  for (std::size_t n = 0; n < messages; ++n) {
    for (const Conversation& chat : chats) bob.send(chat, numbered(n, bytes)).get().value();
    REQUIRE(world.until([&] { return reader.has("#" + std::to_string(n) + "#"); }));
    REQUIRE(world.queued() <= budget + bytes + frame_room);
  }
  REQUIRE(slow_ones * messages * bytes > 3 * budget);
  CHECK(BudgetWorld::complete(reader, messages));
  CHECK_FALSE(reader.has("head_moved"));
  CHECK(world.queued() > budget / 2);
  for (std::size_t i = 0; i < slow_ones; ++i) {
    CHECK(peers[i]->has("head_moved"));
    CHECK(peers[i]->unread < limits::queue_soft);
    CHECK(peers[i]->unread > budget / slow_ones / 2);
    CHECK_FALSE(peers[i]->closed);
  }

  for (std::size_t i = 0; i < slow_ones; ++i) read_again(peers[i]);
  REQUIRE(world.until([&] {
    for (const auto& peer : peers)
      if (!BudgetWorld::complete(*peer, messages)) return false;
    return true;
  }));
  for (int turns = 0; turns < 3; ++turns) world.engine.poll(1ms);
  CHECK(world.queued() == 0);
}

TEST_CASE("a session that holds what is left goes on, one that holds more lags", "[link]") {
  const std::size_t past = GENERATE(0, 65);
  constexpr std::size_t memory = 2 * limits::mib, budget = memory / limits::queues_part;
  BudgetWorld world(memory);
  const auto group_of = [&](test::Peer& peer, const std::string& name) {
    const auto id = world.engine.create({.title = "room", .members = {name}}).get().value().id();
    world.follow(peer, id);
    return id;
  };
  auto alice = world.welcome("alice");
  const ConversationId chat = group_of(*alice, "alice");
  auto other = world.welcome("carol");
  const ConversationId talk = group_of(*other, "carol");
  other->keep = true;
  world.engine.send(talk, std::string(200 * limits::kib, 'x')).get().value();
  REQUIRE(world.until([&] { return !other->kept.empty(); }));

  stop_reading(*alice);
  const std::size_t left = budget - world.queued();
  REQUIRE(left < limits::queue_soft);
  constexpr std::size_t answer = 64;  // of the send, which is queued at that moment too
  alice->unread = left - answer + past;
  alice->host->post([alice] { alice->events->drained(); });  // so that it is looked at
  world.engine.send(chat, "#0#").get().value();
  REQUIRE(world.until([&] { return alice->has("#0#") || alice->has("head_moved"); }));
  CHECK(alice->has("head_moved") == (past > 0));

  // Who has more than that is asked to read first; what others ask is answered.
  const std::string ping = R"({"type":"ping","request":3})";
  alice->unread = left + limits::kib;
  alice->say(ping);
  other->say(ping);
  REQUIRE(world.until([&] { return alice->has("busy") && other->has(R"("done")"); }));
  CHECK_FALSE(other->has("busy"));
  CHECK_FALSE(alice->closed);

  other->kept.clear();
  read_again(alice);
  REQUIRE(world.until([&] { return BudgetWorld::complete(*alice, 1); }));
}

// Every page that was asked for was read and queued, whatever was queued already: links that asked
// for many and read none of them held far more than their part of the memory, and were closed then.
TEST_CASE("pages of history that nobody reads wait with the store, and all come in the end",
          "[link]") {
  constexpr std::size_t memory = 8 * limits::mib, budget = memory / limits::queues_part;
  constexpr std::size_t slow_ones = 12, pages = 10, messages = 8, bytes = 60 * limits::kib;
  BudgetWorld world(memory);
  auto bob = world.writer();
  std::vector<std::shared_ptr<test::Peer>> peers;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < slow_ones; ++i) names.push_back("user" + std::to_string(i));
  const auto team = bob.create({.title = "team", .members = names}).get().value();
  for (std::size_t n = 0; n < messages; ++n) bob.send(team, numbered(n, bytes)).get().value();
  for (const std::string& name : names) {
    peers.push_back(world.welcome(name));
    stop_reading(*peers.back());
  }
  const auto answered = [](const test::Peer& peer) {
    return static_cast<std::size_t>(
        std::count_if(peer.got.begin(), peer.got.end(), [](const std::string& message) {
          return message.starts_with(R"({"type":"history_page")");
        }));
  };
  std::string lines;
  for (std::size_t i = 0; i < pages; ++i)
    lines += R"({"type":"history","request":)" + std::to_string(10 + i) + R"(,"conversation":")" +
             to_string(team.id()) + R"(","from":0,"backward":true})" + "\n";
  for (const auto& peer : peers) peer->say(lines);
  REQUIRE(world.until([&] {
    return std::all_of(peers.begin(), peers.end(),
                       [&](const auto& peer) { return answered(*peer) > 0; });
  }));
  for (int turns = 0; turns < 100; ++turns) {
    world.engine.poll(1ms);
    REQUIRE(world.queued() <= budget + limits::page_bytes + slow_ones * 2 * bytes);
  }
  for (const auto& peer : peers) CHECK_FALSE(peer->closed);
  CHECK(world.engine.stats().ingress_bytes <= limits::page_bytes + 64 * limits::kib);

  REQUIRE(world.until([&] {
    bool all = true;
    for (const auto& peer : peers) {
      if (answered(*peer) == pages) continue;
      all = false;
      if (!peer->kept.empty()) read_some(peer);
    }
    return all;
  }));
  for (const auto& peer : peers) {
    CHECK_FALSE(peer->closed);
    CHECK_FALSE(peer->has("busy"));
  }
}

TEST_CASE("what is queued for sessions of host code counts, once for all of them", "[link]") {
  constexpr std::size_t memory = 2 * limits::mib, budget = memory / limits::queues_part;
  constexpr std::size_t messages = 40, bytes = 20 * limits::kib;
  BudgetWorld world(memory);
  auto bob = world.writer();
  auto team = bob.create({.title = "team", .members = {"alice", "carol"}}).get().value();
  auto alice = world.engine.attach({.user = "alice"}).get().value();
  auto carol = world.engine.attach({.user = "carol"}).get().value();
  bob.send(team, numbered(0, bytes)).get().value();
  REQUIRE(world.until([&] { return world.queued() > bytes; }));
  CHECK(world.queued() < 2 * bytes);
  for (std::size_t n = 1; n < messages; ++n) {
    bob.send(team, numbered(n, bytes)).get().value();
    REQUIRE(world.queued() <= budget + bytes + frame_room);
  }
  CHECK(world.queued() > budget / 2);

  std::vector<std::string> heard;
  for (Session* session : {&alice, &carol}) {
    heard.clear();
    session->on_event([&](const Event& event) {
      if (const auto* message = event.as<Message>()) heard.emplace_back(message->text());
    });
    REQUIRE(world.until([&] { return heard.size() >= messages; }));
    for (std::size_t n = 0; n < messages; ++n) CHECK(heard.at(n) == numbered(n, bytes));
  }
  for (int turns = 0; turns < 3; ++turns) world.engine.poll(1ms);
  CHECK(world.queued() == 0);
}

TEST_CASE("references to shared messages count too, for each session that has one", "[link]") {
  constexpr std::size_t memory = 1 * limits::mib, budget = memory / limits::queues_part;
  constexpr std::size_t slow_ones = 80, messages = 200, reference = 64;
  BudgetWorld world(memory);
  auto bob = world.writer();
  auto hall = bob.create({.kind = ConversationKind::channel, .title = "hall"}).get().value();
  std::vector<std::shared_ptr<test::Peer>> peers;
  for (std::size_t i = 0; i < slow_ones; ++i) {
    const std::string name = "user" + std::to_string(i);
    REQUIRE(world.engine.add(hall.id(), {name}).get());
    peers.push_back(world.welcome(name));
    world.follow(*peers.back(), hall.id());
    stop_reading(*peers.back());
  }
  for (std::size_t n = 0; n < messages; ++n) {
    bob.send(hall, numbered(n, 50)).get().value();
    // One more each, and that they lag.
    REQUIRE(world.queued() <= budget + 2 * slow_ones * reference + frame_room);
  }
  REQUIRE(slow_ones * messages * reference > 3 * budget);
  for (const auto& peer : peers) read_again(peer);
  REQUIRE(world.until([&] {
    for (const auto& peer : peers)
      if (!BudgetWorld::complete(*peer, messages)) return false;
    return true;
  }));
  for (int turns = 0; turns < 3; ++turns) world.engine.poll(1ms);
  CHECK(world.queued() == 0);
}
