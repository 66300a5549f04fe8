// erase_test.cpp: the end of a user, asked question by question as the host does it.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/operations.hpp"
#include "core/transfer.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

namespace parley::test {
namespace {

std::size_t partitions(ShardWorld& world, layout::Space space) {
  std::size_t count = 0;
  world.store().list(space, {}, 1'000,
                     [&count](Result<Listed> listed) { count = listed.value().partitions.size(); });
  world.settle();
  return count;
}

/// Whether anything that is stored holds the words.
bool stored(ShardWorld& world, std::string_view words) {
  bool found = false;
  for (int space = layout::system; space <= layout::thread; ++space) {
    world.store().list(static_cast<std::uint8_t>(space), {}, 1'000, [&](Result<Listed> listed) {
      for (const Row& each : listed.value().partitions)
        world.store().scan({.partition = {static_cast<std::uint8_t>(space), each.key},
                            .max_rows = 100'000,
                            .max_bytes = 64 * limits::mib},
                           [&](Result<Rows> rows) {
                             for (const Row& row : rows.value().rows)
                               found = found || row.value.find(words) != Bytes::npos;
                           });
    });
  }
  world.settle();
  return found;
}

/// The whole of it.
std::optional<Result<ErasedUser>> erase(ShardWorld& world, UserId user, const std::string& name) {
  Client& system = world.system();
  const core::AskSystem ask = [&](wire::Operation operation,
                                  const std::function<void(Result<wire::Answer> &&)>& then) {
    then(world.answer(system, std::move(operation)));
  };
  std::optional<Result<ErasedUser>> erased;
  core::erase_user(ask, user, name, [&](const Result<ErasedUser>& result) { erased = result; });
  return erased;
}

}  // namespace

// The message was below what is kept, and the edit of it above: nothing led from the user's
// messages to that event, which held what they had written.
TEST_CASE("an edit whose message is kept no more goes with its user") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId id = world.group(alice, {"bob"});
  const Seq first = world.say(bob, id, "innocent");
  for (int i = 0; i < 100; ++i) world.say(alice, id, "chat");
  const auto edit = [&](Seq seq, std::string_view body) {
    world.ask<wire::Done>(bob, wire::Edit{id, seq, {}, Payload::copy_of(body)});
  };
  edit(first, "the old secret");
  const Seq second = world.say(bob, id, "another");
  edit(second, "the new secret");
  for (int i = 0; i < 20; ++i) world.say(alice, id, "chat");
  world.pass(3s);
  world.ask<wire::Done>(alice, wire::SetRetention{id, {.keep_events = 60}});
  world.pass(60s);
  world.sign_out(bob);
  CHECK(stored(world, "the old secret"));
  const auto erased = erase(world, bob.user, "bob");
  REQUIRE(erased);
  REQUIRE(erased->ok());
  CHECK(erased->value().messages == 1);
  for (const auto& record :
       world.ask<wire::HistoryPage>(alice, wire::History{id, 0, true, 60}).records) {
    const auto fields = wire::read_record(record.bytes());
    CHECK(fields.body.find("secret") == std::string_view::npos);
    if (fields.kind == EventKind::edited) CHECK(fields.deleted);
  }
  world.pass(60s);
  CHECK_FALSE(stored(world, "secret"));
  CHECK_FALSE(stored(world, "innocent"));
  world.restart();
  Client& again = world.sign_in("alice", "phone", 0);
  CHECK(world.ask<wire::HistoryPage>(again, wire::History{id, 0, true, 60}).records.size() > 30);
}

TEST_CASE("lists go on when somebody is erased while theirs is still to follow") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    ShardWorld world;
    world.shuffled.emplace(seed);
    Client& alice = world.sign_in("alice", "phone", 0);
    Client& bob = world.sign_in("bob", "phone", 1);
    Client& system = world.system();
    std::vector<ConversationId> teams;
    for (int i = 0; i < 4; ++i) teams.push_back(world.group(alice, {"bob"}));
    world.sign_out(bob);
    for (const ConversationId& id : teams) world.post(system, wire::Remove{id, bob.user});
    world.ask<wire::Done>(system, wire::Forget{bob.user});
    world.pass(2s);
    const ConversationId later = world.group(alice, {});
    const auto list = world.ask<wire::ListChanged>(alice, wire::Sync{});
    CHECK(std::any_of(list.entries.begin(), list.entries.end(),
                      [&later](const ListEntry& entry) { return entry.conversation == later; }));
  }
}

TEST_CASE("who is to be erased is in what it was just added to") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  Client& system = world.system();
  const ConversationId id = world.group(alice, {});
  const std::uint32_t added = world.post(alice, wire::Add{id, {"bob"}});
  const auto answered = [&alice, added] {
    return std::any_of(alice.replies.begin(), alice.replies.end(),
                       [added](const wire::Reply& reply) { return reply.request == added; });
  };
  while (!answered()) REQUIRE(world.step());
  const auto places = world.ask<wire::Places>(system, wire::PlacesOf{bob.user});
  CHECK(places.conversations == std::vector{id});
}

TEST_CASE("what the erased deleted for itself in the channels of a space goes, too") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId space = world.group(alice, {"bob"}, ConversationKind::space);
  const wire::Create create{.kind = ConversationKind::channel, .title = "hall", .space = space};
  const ConversationId hall = world.ask<wire::Opened>(alice, create).entry.conversation;
  const Seq seq = world.say(alice, hall, "one");
  world.pass(1s);
  world.ask<wire::Done>(bob, wire::DeleteForMe{hall, {seq}});
  CHECK(partitions(world, layout::personal) == 1);
  Client& system = world.system();
  const auto own = world.ask<DeletedForMe>(system, wire::OwnDeletionsOf{hall, bob.user});
  CHECK(own.messages == std::vector{seq});
  CHECK(world.failure(alice, wire::OwnDeletionsOf{hall, bob.user}) == Errc::denied);
  world.sign_out(bob);
  world.ask<wire::Done>(system, wire::Forget{bob.user});
  CHECK(partitions(world, layout::personal) == 0);
}

// A ticket of the minutes before let the erased in again, without the authenticator being asked: as
// a new user, by the name that was to be forgotten.
TEST_CASE("no ticket lets in who was erased") {
  for (const std::size_t shard : {0U, 1U}) {
    ShardWorld world;
    Client& alice = world.sign_in("alice", "phone", shard);
    wire::Hello hello;
    hello.ticket = alice.all<wire::Welcome>().at(0).ticket;
    hello.device = "phone";
    hello.token = "nobody";
    world.sign_out(alice);
    world.ask<wire::Done>(world.system(), wire::Forget{alice.user});
    CHECK(world.failure(world.link(shard), hello) == Errc::unauthenticated);
    CHECK(partitions(world, layout::name) == 0);
    CHECK(partitions(world, layout::user) == 0);
  }
}

TEST_CASE("an erasure that was interrupted anywhere is ended by another") {
  for (int failing = 0; failing < 12; ++failing) {
    INFO("commit " << failing);
    ShardWorld world;
    Client& alice = world.sign_in("alice", "phone", 0);
    Client& bob = world.sign_in("bob", "phone", 1);
    const ConversationId id = world.group(alice, {"bob"});
    world.say(bob, id, "secret");
    world.sign_out(bob);
    const UserId before = bob.user;
    const auto erase = [&] {
      Client& system = world.system();
      // What is not answered within a second is dropped, and with it the rest.
      const core::AskSystem ask = [&](wire::Operation operation,
                                      const std::function<void(Result<wire::Answer> &&)>& then) {
        const std::uint32_t number = world.post(system, std::move(operation));
        world.pass(1s);
        for (std::size_t i = 0; i < system.replies.size(); ++i) {
          wire::Answer answer = system.replies[i].answer;
          if (system.replies[i].request == number) return then(std::move(answer));
        }
      };
      std::optional<Result<ErasedUser>> erased;
      core::erase_user(ask, before, "bob",
                       [&erased](const Result<ErasedUser>& result) { erased = result; });
      return erased && erased->ok();
    };
    int commits = 0;
    world.fault = [&](const Batch& batch) {
      const bool counts = batch.partition.space != layout::system;
      return counts && commits++ >= failing ? ShardWorld::Fault::failed : ShardWorld::Fault::none;
    };
    (void)erase();
    world.fault = {};
    world.restart();
    CHECK(erase());
    Client& again = world.sign_in("bob", "phone", 1);
    CHECK(again.user != before);
    CHECK(world.ask<wire::ListChanged>(again, wire::Sync{}).entries.empty());
  }
}

}  // namespace parley::test
