// user_announcing_test.cpp: what the sessions of a user are told of their list while it is read.
#include "shard_world.hpp"

namespace parley::test {

TEST_CASE("a session is not told what began to be told before it had its list") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId hall = world.group(alice, {}, ConversationKind::channel);
  world.pass(2s);
  int scans = 0;  // the announcement's own is the first
  world.hold_scans = [&scans](const Scan& scan) { return scan.from == "p" && ++scans == 1; };
  const auto pin = [&](bool on) {
    ListSettings settings;
    settings.pinned = on;
    world.ask<wire::Done>(alice, wire::SetList{hall, settings});
  };
  pin(true);
  REQUIRE(scans == 1);
  alice.replies.clear();

  Client& tablet = world.sign_in("alice", "tablet");
  REQUIRE(scans > 1);
  tablet.replies.clear();
  const auto others = [&tablet] {  // announcements of the pin; of the devices it is told, too
    std::size_t count = 0;
    for (const auto& list : tablet.all<wire::ListChanged>())
      for (const ListEntry& entry : list.entries) count += entry.pinned ? 1 : 0;
    return count;
  };
  world.release_scans();
  CHECK(alice.all<wire::ListChanged>().size() >= 1);
  CHECK(others() == 0);  // its token would be of changes that the tablet is told later
  pin(false);
  pin(true);
  CHECK(others() == 1);
}

}  // namespace parley::test
