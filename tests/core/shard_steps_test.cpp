// shard_steps_test.cpp: what a client may see between two steps of the shards: after a commit and
// before everybody has heard of it.
#include <algorithm>

#include "core/shard.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

using namespace parley;
using namespace parley::test;

namespace {

bool lists(const wire::ListChanged& list, const ConversationId& id) {
  return std::any_of(list.entries.begin(), list.entries.end(),
                     [&](const ListEntry& entry) { return entry.conversation == id; });
}

}  // namespace

TEST_CASE("a list that is asked for shows what was done before") {
  ShardWorld world(3);
  Client& alice = world.sign_in("alice", "phone", 2);
  const auto stepped = [&](wire::Operation operation) {  // no further than to the answer
    const std::uint32_t number = world.post(alice, std::move(operation));
    for (;;) {
      for (const auto& reply : alice.replies)
        if (reply.request == number) return reply.answer;
      REQUIRE(world.step());
    }
  };
  for (int i = 0; i < 5; ++i) {
    wire::Create create;
    create.title = "team";
    create.kind = i % 2 == 0 ? ConversationKind::group : ConversationKind::channel;
    const auto id = std::get<wire::Opened>(stepped(create)).entry.conversation;
    const auto list = std::get<wire::ListChanged>(stepped(wire::Sync{}));
    CHECK(lists(list, id));
    stepped(wire::Send{.conversation = id, .body = Payload::copy_of("x")});
  }
  const auto lobby = world.group(world.sign_in("bob"), {}, ConversationKind::channel);
  stepped(wire::Join{lobby});
  CHECK(lists(std::get<wire::ListChanged>(stepped(wire::Sync{})), lobby));
  stepped(wire::Leave{lobby});
  CHECK_FALSE(lists(std::get<wire::ListChanged>(stepped(wire::Sync{})), lobby));
}

// A user's list is read from the store: it may show an event before the conversation's home has
// heard that its commit succeeded. Subscribing from there was answered `ahead`, as if data were
// lost.
TEST_CASE("a head that the store shows before its commit is told is not ahead") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.say(alice, chat, "first");
  world.hold_commits = true;
  world.post(alice, wire::Send{.conversation = chat, .body = Payload::copy_of("second")});
  world.settle();
  const std::string name = layout::conversation_id(0, chat);
  layout::HeadCell shown;
  world.store().get({.cells = {{{layout::conversation, name}, {}}}},
                    [&shown](const Result<Cells>& cells) {
                      shown = *layout::decode_head(*cells.value().values[0]);
                    });
  REQUIRE(shown.head == 2);
  world.post(bob, wire::MarkRead{chat, 2, 2});
  wire::Subscribe subscribe;
  subscribe.items.push_back({chat, Level::full, Cursor{shown.epoch, 2, shown.mark}});
  world.post(bob, subscribe);
  world.settle();
  CHECK(bob.all<wire::Subscribed>().empty());
  world.release_commits();
  REQUIRE(bob.all<wire::Subscribed>().size() == 1);
  CHECK(bob.all<wire::Subscribed>()[0].answers.at(0).answer == Resume::caught_up);
  CHECK(world.log.empty());
  CHECK(alice.all<wire::Acked>().size() == 2);
  world.pass(1s);
  const auto list = world.ask<wire::ListChanged>(bob, wire::Sync{});
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].read == 2);
  CHECK(world.subscribe(bob, chat, Cursor{shown.epoch, 3, 1}).answer == Resume::ahead);
}
