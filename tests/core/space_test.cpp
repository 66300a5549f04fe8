// space_test.cpp: spaces and their channels on several shards: who is in what, what is unread, and
// that what is taken back is taken back everywhere before it is answered.
#include <algorithm>
#include <set>
#include <string>

#include "catch.hpp"
#include "guild_world.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::test;

TEST_CASE("who is in a space is in its open channels, without a row there") {
  for (const int shards : {1, 3}) {
    Guild guild(shards);
    ShardWorld& world = guild.world;
    CHECK(guild.send(*guild.bob, guild.hall) == Errc::ok);
    CHECK(guild.open(*guild.carol, guild.hall) == Resume::snapshot);
    world.say(*guild.alice, guild.hall, "for all");
    CHECK(guild.carol->texts(guild.hall).back() == "for all");
    CHECK(guild.rows(guild.hall, 'm') == 1);  // who made it
    CHECK(guild.send(*guild.bob, guild.staff) == Errc::denied);
    CHECK(guild.open(*guild.bob, guild.staff) == Resume::denied);
    CHECK(guild.send(*guild.carol, guild.staff) == Errc::ok);
    Client& stranger = world.sign_in("stranger");
    CHECK(guild.send(stranger, guild.hall) == Errc::denied);
    CHECK(guild.open(stranger, guild.hall) == Resume::denied);
    CHECK(world.failure(stranger, wire::Join{guild.hall}) == Errc::denied);
    CHECK(world.failure(stranger, wire::Join{guild.staff}) == Errc::denied);
  }
}

// The open channel of a space was taken for one that anybody may join, and told of elsewhere.
TEST_CASE("a forward does not tell strangers of an open channel of a space") {
  Guild guild;
  ShardWorld& world = guild.world;
  const Seq seq = world.say(*guild.alice, guild.hall, "for the guild");
  world.sign_in("stranger");
  const ConversationId town = world.group(*guild.alice, {"stranger"}, ConversationKind::channel);
  const auto origin_in = [&](const ConversationId& to) {
    wire::Send send;
    send.conversation = to;
    send.forward = ForwardOf{guild.hall, seq};
    const Seq at = world.ask<wire::Acked>(*guild.alice, send).ack.seq;
    const auto page = world.ask<wire::HistoryPage>(
        *guild.alice, wire::History{.conversation = to, .from = at, .backward = false});
    return wire::read_record(page.records.at(0).bytes()).origin.value();
  };
  const Origin told = origin_in(town);
  CHECK(told.conversation == ConversationId{});
  CHECK(told.seq == 0);
  CHECK(told.sender == guild.alice->user);
  CHECK(origin_in(guild.hall).conversation == guild.hall);
}

TEST_CASE("who comes sees all of a channel, and has nothing unread but what comes then") {
  Guild guild;
  ShardWorld& world = guild.world;
  for (int i = 0; i < 5; ++i) world.say(*guild.alice, guild.hall, "before");
  Client& dora = world.sign_in("dora");
  guild.let_in("dora");
  CHECK(guild.entry(dora, guild.hall).unread == 0);
  CHECK(guild.entry(dora, guild.hall).visible_from == 1);
  world.say(*guild.alice, guild.hall, "after");
  CHECK(guild.entry(dora, guild.hall).unread == 1);
  const auto page = world.ask<wire::HistoryPage>(
      dora, wire::History{.conversation = guild.hall, .from = 1, .backward = false});
  CHECK(page.records.size() == 7);
  // A channel that is made later has all of it unread.
  const auto later = world.ask<wire::Opened>(*guild.alice, channel_in(guild.id)).entry.conversation;
  world.say(*guild.alice, later, "one");
  CHECK(guild.entry(dora, later).unread == 1);
  // What a private one held before it was opened is history, too.
  world.say(*guild.carol, guild.staff, "secret");
  (void)world.ask<wire::Done>(
      *guild.alice, wire::SetSettings{guild.staff, SettingsUpdate{.join = JoinRule::open}});
  world.pass(2s);
  CHECK(guild.entry(dora, guild.staff).unread == 0);
  world.say(*guild.carol, guild.staff, "for all");
  CHECK(guild.entry(dora, guild.staff).unread == 1);
  world.pass(6s);  // receipts
  CHECK(guild.entry(*guild.carol, guild.staff).unread == 0);
}

TEST_CASE("nothing reaches who was removed from the space, from the answer on") {
  for (const int shards : {1, 2, 3}) {
    Guild guild(shards);
    ShardWorld& world = guild.world;
    REQUIRE(guild.open(*guild.bob, guild.hall) == Resume::snapshot);
    world.say(*guild.alice, guild.hall, "before");
    CHECK(guild.bob->texts(guild.hall).size() == 1);
    guild.remove(*guild.bob);
    world.say(*guild.alice, guild.hall, "after");
    world.pass(2s);
    CHECK(guild.bob->texts(guild.hall).size() == 1);
    CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
    CHECK(guild.open(*guild.bob, guild.hall) == Resume::denied);
    CHECK(world.failure(*guild.bob, wire::History{.conversation = guild.hall}) == Errc::denied);
    CHECK(guild.entry(*guild.bob, guild.hall).conversation == ConversationId{});
  }
}

TEST_CASE("a removal is answered after what its user had under way") {
  Guild guild;
  ShardWorld& world = guild.world;
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::ok);
  world.hold_commits = true;
  wire::Send send;
  send.conversation = guild.hall;
  send.body = Payload::copy_of("under way");
  const auto sent = world.post(*guild.bob, send);
  world.settle();
  world.hold_commits = false;  // what follows is told at once
  const auto removed = world.post(*guild.alice, wire::Remove{guild.id, guild.bob->user});
  world.settle();
  const auto answered = [](const Client& client, std::uint32_t number) {
    return std::any_of(client.replies.begin(), client.replies.end(),
                       [number](const auto& reply) { return reply.request == number; });
  };
  CHECK_FALSE(answered(*guild.alice, removed));
  world.release_commits();
  CHECK(answered(*guild.bob, sent));
  CHECK(answered(*guild.alice, removed));
  const Seq last = world.say(*guild.alice, guild.hall, "after");
  const auto page = world.ask<wire::HistoryPage>(
      *guild.alice, wire::History{.conversation = guild.hall, .from = last, .backward = true});
  CHECK(page.records.size() >= 2);
}

TEST_CASE("who comes back has what everybody has, and nothing of before") {
  Guild guild;
  ShardWorld& world = guild.world;
  (void)world.ask<wire::Done>(*guild.alice,
                              wire::SetRole{guild.hall, guild.carol->user, Role::moderator});
  world.pass(2s);
  CHECK(guild.entry(*guild.carol, guild.hall).role == Role::moderator);
  guild.remove(*guild.carol);
  world.pass(2s);
  guild.let_in("carol");
  CHECK(guild.entry(*guild.carol, guild.hall).role == Role::member);
  CHECK(guild.send(*guild.carol, guild.hall) == Errc::ok);
  CHECK(guild.send(*guild.carol, guild.staff) == Errc::denied);
  // Out of a channel by itself, in again with the space.
  (void)world.ask<wire::Done>(*guild.carol, wire::Leave{guild.hall});
  CHECK(guild.send(*guild.carol, guild.hall) == Errc::denied);
  (void)world.ask<wire::Opened>(*guild.carol, wire::Join{guild.hall});
  CHECK(guild.send(*guild.carol, guild.hall) == Errc::ok);
  (void)world.ask<wire::Done>(*guild.carol, wire::Leave{guild.hall});
  (void)world.ask<wire::Done>(*guild.carol, wire::Leave{guild.id});
  CHECK(world.failure(*guild.carol, wire::Join{guild.hall}) == Errc::denied);
  guild.let_in("carol");
  CHECK(guild.send(*guild.carol, guild.hall) == Errc::ok);
}

TEST_CASE("the higher role counts, and a mute in the space holds in its channels") {
  Guild guild;
  ShardWorld& world = guild.world;
  (void)world.ask<wire::Done>(*guild.alice,
                              wire::SetRole{guild.id, guild.bob->user, Role::moderator});
  CHECK(guild.entry(*guild.bob, guild.hall).role == Role::moderator);
  CHECK(world.failure(*guild.alice, wire::SetRole{guild.hall, guild.bob->user, Role::member}) ==
        Errc::denied);
  (void)world.ask<wire::Done>(*guild.alice,
                              wire::SetRole{guild.id, guild.bob->user, Role::read_only});
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  (void)world.ask<wire::Done>(*guild.alice, wire::SetRole{guild.id, guild.bob->user, Role::member});
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::ok);
  (void)world.ask<wire::Done>(
      *guild.alice, wire::Restrict{guild.id, RestrictionKind::mute, guild.bob->user, true, {}});
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::muted);
  (void)world.ask<wire::Done>(
      *guild.alice, wire::Restrict{guild.id, RestrictionKind::mute, guild.bob->user, false, {}});
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::ok);
  (void)world.ask<wire::Done>(
      *guild.alice, wire::Restrict{guild.hall, RestrictionKind::ban, guild.bob->user, true, {}});
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  CHECK(world.failure(*guild.bob, wire::Join{guild.hall}) == Errc::denied);
}

TEST_CASE("a channel that is closed is of those with a row there, from that event on") {
  Guild guild;
  ShardWorld& world = guild.world;
  REQUIRE(guild.open(*guild.bob, guild.hall) == Resume::snapshot);
  REQUIRE(guild.open(*guild.bob, guild.id) == Resume::snapshot);
  (void)world.ask<wire::Done>(
      *guild.alice, wire::SetSettings{guild.hall, SettingsUpdate{.join = JoinRule::added}});
  world.say(*guild.alice, guild.hall, "among us");
  world.pass(2s);
  CHECK(guild.bob->texts(guild.hall).empty());
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  CHECK(guild.send(*guild.alice, guild.hall) == Errc::ok);
  const auto space = guild.entry(*guild.bob, guild.id);
  CHECK(space.children.empty());
}

TEST_CASE("a space and its channels in the list: whole, since a token, and announced") {
  Guild guild;
  ShardWorld& world = guild.world;
  const auto whole = world.ask<wire::ListChanged>(*guild.bob, wire::Sync{});
  CHECK(whole.entries.size() == 2);
  CHECK(guild.entry(*guild.bob, guild.id).children == std::vector{guild.hall});
  CHECK(guild.entry(*guild.bob, guild.hall).space == guild.id);
  CHECK(guild.entry(*guild.carol, guild.id).children.size() == 2);
  const auto more = world.ask<wire::Opened>(*guild.alice, channel_in(guild.id)).entry.conversation;
  world.pass(2s);
  const auto since = world.ask<wire::ListChanged>(*guild.bob, wire::Sync{whole.token});
  CHECK_FALSE(since.whole);
  CHECK(std::any_of(since.entries.begin(), since.entries.end(),
                    [&](const ListEntry& entry) { return entry.conversation == more; }));
  // Something is set about one: a row of the user's, which ends with the membership.
  (void)world.ask<wire::Done>(*guild.bob, wire::SetList{guild.hall, {.pinned = true}});
  CHECK(guild.entry(*guild.bob, guild.hall).pinned);
  CHECK(world.failure(*guild.bob, wire::SetList{guild.staff, {.pinned = true}}) == Errc::denied);
  (void)world.ask<wire::Done>(*guild.bob, wire::Leave{guild.id});
  world.pass(2s);
  guild.let_in("bob");
  CHECK_FALSE(guild.entry(*guild.bob, guild.hall).pinned);
  const auto page = world.ask<wire::ListPage>(*guild.bob, wire::PageList{.limit = 1});
  CHECK(page.entries.size() == 1);
  CHECK(page.more);
}

TEST_CASE("who is in a channel: those of the space while it is open, as they are there") {
  Guild guild;
  ShardWorld& world = guild.world;
  const auto members = [&](const ConversationId& of) {
    std::vector<UserId> users;
    const auto page = world.ask<wire::MembersPage>(*guild.alice, wire::Members{.conversation = of});
    for (const Member& member : page.members) users.push_back(member.user);
    std::sort(users.begin(), users.end());
    return users;
  };
  std::vector<UserId> all{guild.alice->user, guild.bob->user, guild.carol->user};
  std::sort(all.begin(), all.end());
  CHECK(members(guild.hall) == all);
  CHECK(members(guild.staff).size() == 2);
  (void)world.ask<wire::Done>(*guild.bob, wire::Leave{guild.hall});
  CHECK(members(guild.hall).size() == 2);
  guild.remove(*guild.carol);
  CHECK(members(guild.staff) == std::vector{guild.alice->user});
}

TEST_CASE("a channel of a space is born once, whenever the engine dies") {
  for (int steps = 0; steps < 60; ++steps) {
    CAPTURE(steps);
    ShardWorld world(2);
    Client* alice = &world.sign_in("alice");
    const auto id = world.group(*alice, {}, ConversationKind::space);
    wire::Create create = channel_in(id);
    create.nonce.bytes[0] = 1;
    (void)world.post(*alice, create);
    for (int i = 0; i < steps; ++i) world.step();
    world.restart();
    alice = &world.sign_in("alice");
    const auto made = world.ask<wire::Opened>(*alice, create).entry;
    CHECK(made.role == Role::owner);
    CHECK(made.space == id);
    world.pass(3s);
    const auto info = world.ask<wire::Info>(*alice, wire::GetInfo{id}).info;
    CHECK(info.children == std::vector{made.conversation});
    const auto page = world.ask<wire::HistoryPage>(
        *alice, wire::History{.conversation = id, .from = 1, .backward = false});
    CHECK(page.records.size() == 2);  // created, and one opening
  }
}

TEST_CASE("channels end alone, and all with their space") {
  Guild guild;
  ShardWorld& world = guild.world;
  (void)world.ask<wire::Done>(*guild.alice, wire::End{guild.hall});
  world.pass(60s);
  CHECK(guild.send(*guild.bob, guild.hall) == Errc::denied);
  CHECK(world.ask<wire::Info>(*guild.alice, wire::GetInfo{guild.id}).info.children.empty());
  (void)world.ask<wire::Done>(*guild.alice, wire::End{guild.id});
  CHECK(guild.send(*guild.carol, guild.staff) == Errc::denied);
  world.pass(120s);
  std::size_t left = 0;
  for (const std::uint8_t space : {layout::conversation, layout::member, layout::receipt})
    world.store().list(space, {}, 4096, [&left](Result<Listed> listed) {
      left += listed.value().partitions.size();
    });
  CHECK(left == 0);
}

TEST_CASE("who asks for conversations by name is told each, whatever the token says") {
  Guild guild;
  guild.world.pass(5min);
  const std::string token = guild.world.ask<wire::ListChanged>(*guild.bob, wire::Sync{}).token;
  const ConversationId nowhere{{1, 2, 3}};
  const auto told = guild.world.ask<wire::ListChanged>(
      *guild.bob, wire::Sync{token, {guild.hall, guild.staff, guild.id, nowhere}});
  CHECK_FALSE(told.whole);
  std::set<ConversationId> entries;
  for (const ListEntry& entry : told.entries) entries.insert(entry.conversation);
  CHECK(entries == std::set{guild.hall, guild.id});
  CHECK(std::set(told.removed.begin(), told.removed.end()) == std::set{guild.staff, nowhere});
  CHECK(guild.world.ask<wire::ListChanged>(*guild.bob, wire::Sync{token}).entries.empty());
  const std::vector<ConversationId> many(limits::children + 1, guild.hall);
  CHECK(guild.world.failure(*guild.bob, wire::Sync{token, many}) == Errc::invalid_argument);
}

TEST_CASE("who is removed and let in again at once has the channels again, on every device") {
  Guild guild;
  Client& tablet = guild.world.sign_in("bob", "tablet", 2);
  (void)guild.world.ask<wire::Done>(*guild.alice, wire::Remove{guild.id, guild.bob->user});
  for (Client* each : {guild.bob, &tablet}) each->replies.clear();
  (void)guild.world.ask<wire::Done>(*guild.alice, wire::Add{guild.id, {"bob"}});
  guild.world.pass(2s);
  for (Client* each : {guild.bob, &tablet}) {
    std::set<ConversationId> told;
    for (const auto& list : each->all<wire::ListChanged>()) {
      for (const ListEntry& entry : list.entries) told.insert(entry.conversation);
      for (const ConversationId& id : list.removed) told.erase(id);
    }
    CHECK(told == std::set{guild.id, guild.hall});
  }
  const auto asked = guild.world.ask<wire::ListChanged>(*guild.bob, wire::Sync{{}, {guild.hall}});
  CHECK(asked.removed.empty());
}

TEST_CASE("every removal from a channel of a space is told, also the second one") {
  Guild guild;
  const auto removed = [&] {
    guild.bob->replies.clear();
    (void)guild.world.ask<wire::Done>(*guild.alice, wire::Remove{guild.hall, guild.bob->user});
    guild.world.pass(2s);
    for (const auto& list : guild.bob->all<wire::ListChanged>())
      for (const ConversationId& id : list.removed)
        if (id == guild.hall) return true;
    return false;
  };
  CHECK(removed());
  guild.remove(*guild.bob);
  guild.world.pass(1s);
  guild.let_in("bob");
  REQUIRE(guild.entry(*guild.bob, guild.hall).conversation == guild.hall);
  CHECK(removed());
}

TEST_CASE("what needs two who are not in the space is answered") {
  Guild guild;
  const Client& dora = guild.world.sign_in("dora", "phone", 1);
  guild.world.say(*guild.alice, guild.hall, "a thread");
  guild.remove(*guild.bob);
  wire::Send reply;
  reply.conversation = guild.hall;
  reply.body = Payload::copy_of("hello");
  reply.extras.mentions = {dora.user};
  reply.thread_root = 1;
  CHECK(guild.world.failure(*guild.bob, reply) == Errc::denied);
}

TEST_CASE("who is in as many spaces as there may be uses up no link and no request") {
  Guild guild(1);
  ShardWorld& world = guild.world;
  Client& dora = world.sign_in("dora");
  for (std::size_t i = 0; i < limits::spaces; ++i)
    (void)world.group(dora, {}, ConversationKind::space);
  world.pass(5s);
  const auto token =
      world.ask<wire::Invites>(*guild.alice, wire::CreateInvite{guild.id, {.uses = 1}})
          .invites.front()
          .token;
  CHECK(world.failure(dora, wire::JoinInvite{token}) == Errc::limit_reached);
  Client& eve = world.sign_in("eve");
  CHECK(world.ask<wire::Opened>(eve, wire::JoinInvite{token}).entry.conversation == guild.id);
}
