// space_faults_test.cpp: births, openings, closings and ends of a space's channels, with commits
// that go wrong and an engine that dies after any of them.
#include <algorithm>
#include <string>

#include "catch.hpp"
#include "guild_world.hpp"

using namespace parley;
using namespace parley::test;

namespace {

using Fault = ShardWorld::Fault;
constexpr Fault every_fault[] = {Fault::refused, Fault::failed, Fault::unknown_landed,
                                 Fault::unknown_lost};

std::vector<EventKind> kinds(ShardWorld& world, Client& who, const ConversationId& of) {
  const auto page = world.ask<wire::HistoryPage>(
      who, wire::History{.conversation = of, .from = 1, .backward = false});
  std::vector<EventKind> found;
  for (const Payload& record : page.records)
    found.push_back(wire::read_record(record.bytes()).kind);
  return found;
}
/// Asks until it is not `unavailable`, as a client does.
template <class T>
T insist(ShardWorld& world, Client& who, const wire::Operation& operation) {
  for (int i = 0; i < 20; ++i) {
    wire::Answer answer = world.answer(who, operation);
    if (T* value = std::get_if<T>(&answer)) return std::move(*value);
    world.pass(1s);
  }
  FAIL("no answer but errors");
  return {};
}

}  // namespace

TEST_CASE("a channel of a space is born once, whatever becomes of a commit") {
  for (const Fault fault : every_fault) {
    for (int at = 0; at < 12; ++at) {
      CAPTURE(static_cast<int>(fault), at);
      ShardWorld world(2);
      Client& alice = world.sign_in("alice");
      (void)world.sign_in("bob");
      const auto id = world.group(alice, {"bob"}, ConversationKind::space);
      int commits = 0;
      world.fault = [&](const Batch&) { return commits++ == at ? fault : Fault::none; };
      wire::Create create = channel_in(id, {"bob"}, JoinRule::open);
      create.nonce.bytes[0] = 1;
      const auto made = insist<wire::Opened>(world, alice, create).entry;
      CHECK(made.space == id);
      CHECK(made.role == Role::owner);
      world.pass(3s);
      CHECK(world.ask<wire::Info>(alice, wire::GetInfo{id}).info.children ==
            std::vector{made.conversation});
      CHECK(kinds(world, alice, id) == std::vector{EventKind::created, EventKind::child_opened});
      CHECK(kinds(world, alice, made.conversation) == std::vector{EventKind::created});
    }
  }
}

TEST_CASE("a space hears once that a channel was closed and opened, whenever the engine dies") {
  for (int steps = 0; steps < 60; steps += 2) {
    CAPTURE(steps);
    Guild guild(2);
    ShardWorld& world = guild.world;
    for (const JoinRule rule : {JoinRule::added, JoinRule::open}) {
      (void)world.post(*guild.alice, wire::SetSettings{guild.hall, SettingsUpdate{.join = rule}});
      for (int i = 0; i < steps; ++i) world.step();
      world.restart();
      guild.alice = &world.sign_in("alice");
      guild.bob = &world.sign_in("bob");
      (void)world.ask<wire::Done>(*guild.alice,
                                  wire::SetSettings{guild.hall, SettingsUpdate{.join = rule}});
      world.pass(3s);
      const bool open = rule == JoinRule::open;
      CHECK(guild.send(*guild.bob, guild.hall) == (open ? Errc::ok : Errc::denied));
      CHECK(guild.entry(*guild.bob, guild.id).children.size() == (open ? 1 : 0));
    }
    CHECK(kinds(world, *guild.alice, guild.id) ==
          std::vector{EventKind::created, EventKind::child_opened, EventKind::child_closed,
                      EventKind::child_opened});
  }
}

TEST_CASE("a space and its channels end whole, whenever the engine dies") {
  for (const bool all : {false, true}) {
    for (int steps = 0; steps < 160; steps += 8) {
      CAPTURE(all, steps);
      Guild guild(2);
      ShardWorld& world = guild.world;
      (void)world.post(*guild.alice, wire::End{all ? guild.id : guild.hall});
      for (int i = 0; i < steps; ++i) world.step();
      if (steps % 16 == 0) world.pass(std::chrono::milliseconds(steps));
      world.restart();
      guild.alice = &world.sign_in("alice");
      guild.bob = &world.sign_in("bob");
      (void)world.post(*guild.alice, wire::End{all ? guild.id : guild.hall});
      world.pass(180s);
      CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
      if (!all) {
        CHECK(world.ask<wire::Info>(*guild.alice, wire::GetInfo{guild.id}).info.children.empty());
        const auto told = kinds(world, *guild.alice, guild.id);
        CHECK(std::count(told.begin(), told.end(), EventKind::child_closed) == 1);
        continue;
      }
      std::size_t left = 0;
      for (const std::uint8_t space : {layout::conversation, layout::member, layout::receipt})
        world.store().list(space, {}, 4096, [&left](Result<Listed> listed) {
          left += listed.value().partitions.size();
        });
      CHECK(left == 0);
      CHECK(world.ask<wire::ListChanged>(*guild.bob, wire::Sync{}).entries.empty());
    }
  }
}

TEST_CASE(
    "an entry into a space has the beginnings of its channels, whatever becomes of a commit") {
  for (const Fault fault : every_fault) {
    for (int at = 0; at < 6; ++at) {
      CAPTURE(static_cast<int>(fault), at);
      Guild guild(2);
      ShardWorld& world = guild.world;
      Client& dora = world.sign_in("dora");
      for (int i = 0; i < 3; ++i) world.say(*guild.alice, guild.hall, "before");
      int commits = 0;
      world.fault = [&](const Batch& batch) {
        const bool ours = batch.partition.space != layout::receipt;
        return ours && commits++ == at ? fault : Fault::none;
      };
      (void)insist<wire::Done>(world, *guild.alice, wire::Add{guild.id, {"dora"}});
      world.fault = {};
      world.pass(3s);
      CHECK(guild.entry(dora, guild.hall).unread == 0);
      world.say(*guild.alice, guild.hall, "after");
      CHECK(guild.entry(dora, guild.hall).unread == 1);
    }
  }
}

TEST_CASE("a space has 500 channels, and not one more") {
  ShardWorld world(1);
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob");
  const auto id = world.group(alice, {"bob"}, ConversationKind::space);
  ConversationId last;
  for (std::size_t i = 0; i < limits::children; ++i)
    last = world.ask<wire::Opened>(alice, channel_in(id)).entry.conversation;
  CHECK(world.failure(alice, channel_in(id)) == Errc::limit_reached);
  const auto list = world.ask<wire::ListChanged>(bob, wire::Sync{});
  CHECK(list.entries.size() == limits::children + 1);
  (void)world.ask<wire::Done>(alice, wire::End{last});
  world.pass(60s);
  (void)world.ask<wire::Opened>(alice, channel_in(id));
  CHECK(world.ask<wire::ListChanged>(bob, wire::Sync{}).entries.size() == limits::children + 1);
}

TEST_CASE("a user is in 100 spaces, and comes into no other") {
  ShardWorld world(2);
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  std::vector<ConversationId> own;
  for (std::size_t i = 0; i < limits::spaces; ++i)
    own.push_back(world.group(bob, {}, ConversationKind::space));
  world.pass(3s);
  const auto of_alice = world.group(alice, {}, ConversationKind::space);
  CHECK(world.failure(alice, wire::Add{of_alice, {"bob"}}) == Errc::limit_reached);
  (void)world.ask<wire::Done>(bob, wire::End{own.back()});
  world.pass(60s);
  (void)world.ask<wire::Done>(alice, wire::Add{of_alice, {"bob"}});
}
