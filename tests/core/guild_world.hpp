// guild_world.hpp: a space with channels and three members, over several shards.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shard_world.hpp"

namespace parley::test {

inline wire::Create channel_in(const ConversationId& space, std::vector<std::string> members = {},
                               std::optional<JoinRule> join = {}) {
  wire::Create create;
  create.kind = ConversationKind::channel;
  create.title = "hall";
  create.space = space;
  create.members = std::move(members);
  create.join = join;
  return create;
}

/// A guild of alice's with an open channel and a private one; bob and carol are members.
struct Guild {
  explicit Guild(int shards = 3) : world(shards) {
    alice = &world.sign_in("alice");
    bob = &world.sign_in("bob", "phone", shards > 1 ? 1 : 0);
    carol = &world.sign_in("carol", "phone", shards > 2 ? 2 : 0);
    id = world.group(*alice, {"bob", "carol"}, ConversationKind::space);
    hall = world.ask<wire::Opened>(*alice, channel_in(id)).entry.conversation;
    staff = world.ask<wire::Opened>(*alice, channel_in(id, {"carol"}, JoinRule::added))
                .entry.conversation;
    world.pass(2s);
  }
  ListEntry entry(Client& who, const ConversationId& of) {
    const auto list = world.ask<wire::ListChanged>(who, wire::Sync{});
    for (const ListEntry& entry : list.entries)
      if (entry.conversation == of) return entry;
    return {};
  }
  Errc send(Client& who, const ConversationId& to) {
    wire::Send send;
    send.conversation = to;
    send.body = Payload::copy_of("hello");
    const auto answer = world.answer(who, send);
    const auto* failed = std::get_if<wire::Failed>(&answer);
    return failed == nullptr ? Errc::ok : failed->error.errc();
  }
  Resume open(Client& who, const ConversationId& of) { return world.subscribe(who, of).answer; }
  void remove(Client& whom) { (void)world.ask<wire::Done>(*alice, wire::Remove{id, whom.user}); }
  void let_in(const std::string& name) {
    (void)world.ask<wire::Done>(*alice, wire::Add{id, {name}});
    world.pass(2s);
  }
  std::size_t rows(const ConversationId& of, char prefix) {
    std::size_t count = 0;
    for (std::uint16_t bucket = 0; bucket < layout::channel_member_buckets; ++bucket) {
      const std::string partition = layout::member_id(0, of, bucket);
      Scan scan{.partition = {layout::member, partition}, .from = Bytes(&prefix, 1)};
      world.store().scan(std::move(scan), [&](Result<Rows> rows) {
        for (const Row& row : rows.value().rows) count += row.key[0] == prefix ? 1 : 0;
      });
    }
    return count;
  }

  ShardWorld world;
  Client *alice = nullptr, *bob = nullptr, *carol = nullptr;
  ConversationId id, hall, staff;
};

}  // namespace parley::test
