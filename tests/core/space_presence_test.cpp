// space_presence_test.cpp: who watches a channel of a space sees everybody who is in it by the
// space, from when they come in to when they go; and nobody watches what is closed to them.
#include <algorithm>

#include "core/shard_state.hpp"
#include "guild_world.hpp"
#include "parley/limits.hpp"

namespace parley::test {
namespace {

constexpr auto settled = limits::online_gather + limits::online_period + limits::presence_grace;

/// Whom the client was shown last as members of the channel, whatever their presence.
std::vector<UserId> shown(const Client& client) {
  std::vector<UserId> users;
  for (const Online& online : client.all<Online>()) {
    if (!online.users) continue;
    users.clear();
    for (const Presence& each : *online.users) users.push_back(each.user);
  }
  std::sort(users.begin(), users.end());
  return users;
}
std::vector<UserId> sorted(std::vector<UserId> users) {
  std::sort(users.begin(), users.end());
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
  CHECK(shown(*guild.alice) == sorted({alice, bob, carol}));
  guild.let_in("dora");
  guild.world.pass(settled);
  CHECK(shown(*guild.alice) == sorted({alice, bob, carol, dora.user}));
  guild.remove(dora);
  guild.world.pass(settled);
  guild.alice->replies.clear();
  guild.world.sign_out(dora);
  guild.world.pass(settled);
  for (const auto& change : guild.alice->all<wire::PresenceChanged>())
    for (const Presence& each : change.users) CHECK(each.user != dora.user);
}

TEST_CASE("who is out of the space watches none of its channels any more") {
  Guild guild;
  (void)guild.world.ask<Online>(*guild.bob, wire::WatchConversation{guild.hall});
  REQUIRE(watched(guild) != 0);
  guild.remove(*guild.bob);
  guild.world.pass(settled);
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
  guild.world.pass(settled);
  CHECK(guild.world.failure(*guild.bob, wire::WatchConversation{guild.hall}) == Errc::denied);
  const auto members = shown(*guild.carol);
  CHECK(std::find(members.begin(), members.end(), guild.bob->user) == members.end());
  CHECK(std::find(members.begin(), members.end(), guild.carol->user) != members.end());
  guild.bob->replies.clear();
  guild.world.sign_out(*guild.carol);
  guild.world.pass(settled);
  CHECK(guild.bob->all<wire::PresenceChanged>().empty());
}

TEST_CASE(
    "a channel of a space says how many are in it: as many as in the space while it is open") {
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
