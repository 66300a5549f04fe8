// space_rights_test.cpp: what a space took away holds in none of its channels from the answer on,
// in whatever order the shards hear of it and whatever becomes of the commits under way.
#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "guild_world.hpp"

using namespace parley;
using namespace parley::test;

namespace {

constexpr int seeds = 150;

bool answered(const Client& client, std::uint32_t number) {
  return std::any_of(client.replies.begin(), client.replies.end(),
                     [number](const auto& reply) { return reply.request == number; });
}
/// No answer yet, or an error: nothing came of it.
bool refused(const Client& client, std::uint32_t number) {
  return std::none_of(client.replies.begin(), client.replies.end(), [number](const auto& reply) {
    return reply.request == number && !std::holds_alternative<wire::Failed>(reply.answer);
  });
}
/// Everything that was told of messages, in pushes and pages.
std::vector<std::string> heard(const Client& client) {
  std::vector<std::string> texts;
  const auto take = [&](const std::vector<Payload>& records) {
    for (const Payload& record : records) {
      const auto fields = wire::read_record(record.bytes());
      if (fields.kind == EventKind::message) texts.emplace_back(fields.body);
    }
  };
  for (const auto& events : client.all<wire::Events>()) take(events.records);
  for (const auto& page : client.all<wire::HistoryPage>()) take(page.records);
  for (const auto& list : client.all<wire::ListChanged>())
    for (const ListEntry& entry : list.entries)
      if (!entry.last_record.empty()) take({entry.last_record});
  return texts;
}
wire::Send text(const ConversationId& to, const std::string& body) {
  wire::Send send;
  send.conversation = to;
  send.body = Payload::copy_of(body);
  return send;
}
void run_until(ShardWorld& world, const Client& client, std::uint32_t number) {
  while (!answered(client, number) && world.step()) {}
  for (int i = 0; i < 200 && !answered(client, number); ++i) world.pass(10ms);
  REQUIRE(answered(client, number));
}
/// Bob does what he may on the way, at moments that the seed draws.
struct Bob {
  Bob(Guild& of, std::uint64_t seed) : guild(of), random(seed) {}
  void acts() {
    ShardWorld& world = guild.world;
    switch (random() % 6) {
      case 0:
        (void)world.post(*guild.bob, text(guild.hall, "of bob's"));
        break;
      case 1: {
        wire::Subscribe subscribe;
        subscribe.items.push_back({guild.hall, Level::full, {}});
        (void)world.post(*guild.bob, subscribe);
        break;
      }
      case 2:
        (void)world.post(*guild.bob, wire::History{.conversation = guild.hall});
        break;
      case 3:
        (void)world.post(*guild.alice, text(guild.hall, "of alice's"));
        break;
      case 4:
        (void)world.post(*guild.bob, wire::Sync{});
        break;
      default:
        break;
    }
    for (auto steps = random() % 24; steps > 0; --steps) world.step();
  }
  Guild& guild;
  std::mt19937_64 random;
};

}  // namespace

TEST_CASE("whatever order shards hear in, nothing reaches who is out of the space") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Guild guild(seed % 2 == 0 ? 3 : 2);
    ShardWorld& world = guild.world;
    Bob bob(guild, seed);
    world.shuffled.emplace(seed);
    for (auto acts = bob.random() % 6; acts > 0; --acts) bob.acts();
    const auto way = bob.random() % 3;
    Client& who = way == 0 ? *guild.bob : *guild.alice;
    const wire::Operation out =
        way == 0   ? wire::Operation(wire::Leave{guild.id})
        : way == 1 ? wire::Operation(wire::Remove{guild.id, guild.bob->user})
                   : wire::Operation(
                         wire::Restrict{guild.id, RestrictionKind::ban, guild.bob->user, true, {}});
    const auto number = world.post(who, out);
    for (auto acts = bob.random() % 4; acts > 0; --acts) bob.acts();
    run_until(world, who, number);
    // From here on.
    std::vector<std::uint32_t> sent;
    const auto after = world.post(*guild.alice, text(guild.hall, "after"));
    for (int i = 0; i < 4; ++i) {
      sent.push_back(world.post(*guild.bob, text(guild.hall, "too late")));
      bob.acts();
    }
    run_until(world, *guild.alice, after);
    for (int i = 0; i < 3; ++i) bob.acts();
    world.settle();
    world.pass(3s);
    const auto texts = heard(*guild.bob);
    CHECK(std::find(texts.begin(), texts.end(), "after") == texts.end());
    for (const std::uint32_t one : sent) CHECK(refused(*guild.bob, one));
    CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  }
}

TEST_CASE("who comes back between is in, whatever is still on its way") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Guild guild;
    ShardWorld& world = guild.world;
    Bob bob(guild, seed);
    world.shuffled.emplace(seed);
    for (auto acts = bob.random() % 6; acts > 0; --acts) bob.acts();
    const auto out = world.post(*guild.alice, wire::Remove{guild.id, guild.bob->user});
    for (auto steps = bob.random() % 60; steps > 0; --steps) world.step();
    const auto in = world.post(*guild.alice, wire::Add{guild.id, {"bob"}});
    for (auto acts = bob.random() % 4; acts > 0; --acts) bob.acts();
    run_until(world, *guild.alice, out);
    run_until(world, *guild.alice, in);
    // An add that was decided first found bob in, and did nothing.
    world.settle();
    world.pass(3s);
    const auto info = guild.entry(*guild.bob, guild.id);
    const Errc expected = info.conversation == guild.id ? Errc::ok : Errc::denied;
    CHECK(guild.send(*guild.bob, guild.hall) == expected);
    if (expected != Errc::ok) continue;
    CHECK(guild.open(*guild.bob, guild.hall) == Resume::snapshot);
    world.say(*guild.alice, guild.hall, "welcome back");
    CHECK(guild.bob->texts(guild.hall).back() == "welcome back");
  }
}

TEST_CASE("a role that is lowered in the space shows nothing more to its channels' subscriptions") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Guild guild;
    ShardWorld& world = guild.world;
    (void)world.ask<wire::Done>(*guild.alice,
                                wire::SetRole{guild.id, guild.bob->user, Role::moderator});
    Bob bob(guild, seed);
    world.shuffled.emplace(seed);
    for (auto acts = bob.random() % 6; acts > 0; --acts) bob.acts();
    const auto lowered =
        world.post(*guild.alice, wire::SetRole{guild.id, guild.bob->user, Role::member});
    for (auto acts = bob.random() % 4; acts > 0; --acts) bob.acts();
    run_until(world, *guild.alice, lowered);
    wire::Send hidden = text(guild.hall, "among moderators");
    hidden.audience = audience::moderators;
    const auto after = world.post(*guild.alice, hidden);
    for (int i = 0; i < 4; ++i) bob.acts();
    run_until(world, *guild.alice, after);
    world.settle();
    world.pass(3s);
    const auto texts = heard(*guild.bob);
    CHECK(std::find(texts.begin(), texts.end(), "among moderators") == texts.end());
    CHECK(guild.entry(*guild.bob, guild.hall).role == Role::member);
  }
}

TEST_CASE("a removal waits for the verdict of what its user had under way, whatever that is") {
  using Fault = ShardWorld::Fault;
  for (const Fault fault :
       {Fault::none, Fault::refused, Fault::failed, Fault::unknown_landed, Fault::unknown_lost}) {
    for (int steps = 0; steps < 40; ++steps) {
      CAPTURE(static_cast<int>(fault), steps);
      Guild guild;
      ShardWorld& world = guild.world;
      REQUIRE(guild.send(*guild.bob, guild.hall) == Errc::ok);  // its right is in memory
      const std::string hall = layout::conversation_id(0, guild.hall);
      bool first = true;
      world.fault = [&](const Batch& batch) {
        const bool ours = batch.partition.space == layout::conversation &&
                          batch.partition.id == Bytes(hall) && std::exchange(first, false);
        return ours ? fault : Fault::none;
      };
      (void)world.post(*guild.bob, text(guild.hall, "under way"));
      for (int i = 0; i < steps; ++i) world.step();
      const auto number = world.post(*guild.alice, wire::Remove{guild.id, guild.bob->user});
      run_until(world, *guild.alice, number);
      const auto count = [&] {
        const auto page = world.ask<wire::HistoryPage>(
            *guild.alice, wire::History{.conversation = guild.hall, .from = 1, .backward = false});
        return page.records.size();
      };
      const auto events = count();
      world.settle();
      world.pass(5s);
      CHECK(count() == events);  // what was decided before is in the stream, and nothing after
      CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
    }
  }
}

TEST_CASE("what a space took away is gone when its home was dropped in between, too") {
  Guild guild;
  ShardWorld& world = guild.world;
  REQUIRE(guild.open(*guild.bob, guild.hall) == Resume::snapshot);
  world.pass(5min);  // the home of the space leaves memory, the subscription stays
  world.say(*guild.alice, guild.hall, "before");
  CHECK(guild.bob->texts(guild.hall).back() == "before");
  guild.remove(*guild.bob);
  world.say(*guild.alice, guild.hall, "after");
  CHECK(guild.bob->texts(guild.hall).back() == "before");
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  world.restart();
  guild.alice = &world.sign_in("alice");
  guild.bob = &world.sign_in("bob");
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  CHECK(guild.send(*guild.alice, guild.hall) == Errc::ok);
}

TEST_CASE("who was no member a moment ago is one from the answer on") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Guild guild;
    ShardWorld& world = guild.world;
    Client& dora = world.sign_in("dora", "phone", seed % 3);
    Bob bob(guild, seed);
    world.shuffled.emplace(seed);
    const auto in = world.post(*guild.alice, wire::Add{guild.id, {"dora"}});
    while (!answered(*guild.alice, in)) {
      (void)world.post(dora, text(guild.hall, "early"));
      bob.acts();
      if (!world.step()) world.pass(10ms);
    }
    const auto sent = world.post(dora, text(guild.hall, "at once"));
    run_until(world, dora, sent);
    CHECK_FALSE(refused(dora, sent));
  }
}
