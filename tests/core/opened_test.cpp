// opened_test.cpp: who opens a conversation that is in the list already is told all of its entry.
#include "shard_world.hpp"

namespace parley::test {

TEST_CASE("opening what is in the list tells what the user set about it") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const wire::Direct bob{"bob"};
  const ListEntry fresh = world.ask<wire::Opened>(alice, bob).entry;
  CHECK_FALSE(fresh.pinned);
  CHECK(fresh.draft.empty());
  world.pass(1s);
  wire::SetList set{fresh.conversation, {}};
  set.settings.pinned = true;
  set.settings.marked_unread = true;
  set.settings.muted_until = WallTime(std::chrono::hours(1'000'000));
  set.settings.folder = "friends";
  set.settings.draft = "dear bob";
  set.settings.hidden = true;
  world.ask<wire::Done>(alice, set);

  const auto shown = [&](const ListEntry& entry) {
    CHECK(entry.pinned);
    CHECK(entry.marked_unread);
    CHECK(entry.muted_until == WallTime(std::chrono::hours(1'000'000)));
    CHECK(entry.folder == "friends");
    CHECK(entry.draft == "dear bob");
    CHECK(entry.drafted != WallTime{});
    CHECK(entry.hidden_until == 1);
  };
  shown(world.ask<wire::Opened>(alice, bob).entry);
  world.restart();
  shown(world.ask<wire::Opened>(world.sign_in("alice", "tablet"), bob).entry);
}

TEST_CASE("joining a channel again tells what the user set about it") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob");
  const ConversationId hall = world.group(alice, {}, ConversationKind::channel);
  CHECK_FALSE(world.ask<wire::Opened>(bob, wire::Join{hall}).entry.archived);
  world.pass(1s);
  wire::SetList set{hall, {}};
  set.settings.archived = true;
  world.ask<wire::Done>(bob, set);
  CHECK(world.ask<wire::Opened>(bob, wire::Join{hall}).entry.archived);
  world.ask<wire::Done>(bob, wire::Leave{hall});
  world.pass(1s);
  CHECK_FALSE(world.ask<wire::Opened>(bob, wire::Join{hall}).entry.archived);
}

}  // namespace parley::test
