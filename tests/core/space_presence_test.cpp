// space_presence_test.cpp: who watches a channel of a space sees everybody who is in it by the
// space, from when they come in to when they go; and nobody watches what is closed to them.
#include <set>

#include "core/shard_state.hpp"
#include "guild_world.hpp"
#include "parley/limits.hpp"

namespace parley::test {
namespace {

constexpr auto presence_settled =
    limits::online_gather + limits::online_period + limits::presence_grace;

/// Everybody whose presence the client was told.
std::set<UserId> shown(const Client& client) {
  std::set<UserId> users;
  const auto take = [&](const std::vector<Presence>& told) {
    for (const Presence& each : told) users.insert(each.user);
  };
  for (const Online& online : client.all<Online>())
    take(online.users.value_or(std::vector<Presence>()));
  for (const auto& change : client.all<wire::PresenceChanged>()) take(change.users);
  return users;
}
std::size_t watched(Guild& guild) {
  std::size_t sum = 0;
  for (int i = 0; i < 3; ++i) {
    const core::ShardState& state = core::ShardAccess::state(guild.world.shard(i));
    sum += state.online_homes.size() + state.online.size();
  }
  return sum;
}

}  // namespace

TEST_CASE("who watches a channel of a space sees who comes into the space, and who goes") {
  Guild guild;
  Client& dora = guild.world.sign_in("dora", "phone", 1);
  const UserId alice = guild.alice->user, bob = guild.bob->user, carol = guild.carol->user;
  (void)guild.world.ask<Online>(*guild.alice, wire::WatchConversation{guild.hall});
  CHECK(shown(*guild.alice) == std::set<UserId>{alice, bob, carol});
  guild.let_in("dora");
  guild.world.pass(presence_settled);
  CHECK(shown(*guild.alice) == std::set<UserId>{alice, bob, carol, dora.user});
  guild.remove(dora);
  guild.world.pass(presence_settled);
  guild.alice->replies.clear();
  guild.world.sign_out(dora);
  guild.world.pass(presence_settled);
  CHECK_FALSE(shown(*guild.alice).contains(dora.user));
}

TEST_CASE("who is out of the space watches none of its channels any more") {
  Guild guild;
  (void)guild.world.ask<Online>(*guild.bob, wire::WatchConversation{guild.hall});
  REQUIRE(watched(guild) != 0);
  guild.remove(*guild.bob);
  guild.world.pass(presence_settled);
  CHECK(watched(guild) == 0);
  CHECK(guild.world.failure(*guild.bob, wire::WatchConversation{guild.hall}) == Errc::denied);
  guild.world.pass(1s);
  CHECK(watched(guild) == 0);
}

TEST_CASE("a channel that closes ends the watches of those whom nothing else lets in") {
  Guild guild;
  (void)guild.world.ask<wire::Done>(*guild.alice, wire::Add{guild.hall, {"carol"}});
  (void)guild.world.ask<Online>(*guild.bob, wire::WatchConversation{guild.hall});
  (void)guild.world.ask<Online>(*guild.carol, wire::WatchConversation{guild.hall});
  (void)guild.world.ask<wire::Done>(
      *guild.alice, wire::SetSettings{guild.hall, SettingsUpdate{.join = JoinRule::added}});
  guild.world.pass(presence_settled);
  CHECK(guild.world.failure(*guild.bob, wire::WatchConversation{guild.hall}) == Errc::denied);
  guild.bob->replies.clear();
  guild.carol->replies.clear();
  guild.world.sign_out(*guild.alice);
  guild.world.sign_in("bob", "tablet", 0);
  guild.world.pass(presence_settled);
  CHECK(shown(*guild.bob).empty());
  CHECK(shown(*guild.carol) == std::set<UserId>{guild.alice->user});
}

TEST_CASE("an open channel of a space has as many members as the space") {
  Guild guild;
  const auto members = [&](const ConversationId& of) {
    return guild.world.ask<wire::Info>(*guild.alice, wire::GetInfo{of}).info.members;
  };
  CHECK(members(guild.hall) == 3);
  CHECK(members(guild.staff) == 2);
  guild.let_in("dora");
  CHECK(members(guild.hall) == 4);
  CHECK(members(guild.staff) == 2);
}

}  // namespace parley::test
