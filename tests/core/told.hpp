// told.hpp: what the sessions of a test say and are told.
#pragma once

#include <optional>
#include <string>

#include "shard_world.hpp"

namespace parley::test {

inline Cursor after(ShardWorld& world, Client& client, const ConversationId& id, Seq seq) {
  if (seq == 0)
    return {world.ask<wire::HistoryPage>(client, wire::History{id, 0, true, 1}).epoch, 0, 0};
  const auto page = world.ask<wire::HistoryPage>(client, wire::History{id, seq + 1, true, 1});
  REQUIRE(page.first == seq);
  return {page.epoch, seq, page.mark};
}

inline const ListEntry* find(const wire::ListChanged& list, const ConversationId& id) {
  for (const ListEntry& entry : list.entries) {
    if (entry.conversation == id) return &entry;
  }
  return nullptr;
}

/// The state that was told last of a user.
inline std::optional<Presence> told(const Client& client, UserId user) {
  std::optional<Presence> last;
  for (const auto& push : client.all<wire::PresenceChanged>())
    for (const Presence& each : push.users)
      if (each.user == user) last = each;
  return last;
}

inline wire::Hello hello_of(const std::string& name, const std::string& device) {
  wire::Hello hello;
  hello.token = name;
  hello.device = device;
  return hello;
}

}  // namespace parley::test
