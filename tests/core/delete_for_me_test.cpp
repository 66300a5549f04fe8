// delete_for_me_test.cpp: a user deletes messages for itself alone: what each device is told, and
// what pages, lists and streams show afterwards.
#include <algorithm>

#include "parley/limits.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

namespace parley::test {
namespace {

std::vector<Seq> told(const Client& client) {
  std::vector<Seq> seqs;
  for (const auto& push : client.all<DeletedForMe>())
    seqs.insert(seqs.end(), push.messages.begin(), push.messages.end());
  return seqs;
}

/// The texts that a page of history shows.
std::vector<std::string> page(ShardWorld& world, Client& client, const ConversationId& id) {
  std::vector<std::string> texts;
  const auto shown = world.ask<wire::HistoryPage>(
      client, wire::History{.conversation = id, .from = 0, .backward = true, .limit = 50});
  for (const Payload& record : shown.records) {
    const auto fields = wire::read_record(record.bytes());
    if (fields.kind == EventKind::message) texts.emplace_back(fields.body);
  }
  return texts;
}

std::string preview(const ListEntry& entry) {
  return std::string(wire::read_record(entry.last_record.bytes()).body);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("all devices of who deletes for itself are told, and nobody else") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& phone = world.sign_in("bob", "phone", 0);
  Client& laptop = world.sign_in("bob", "laptop", 1);
  const ConversationId id = world.group(alice, {"bob"}, kind);
  world.subscribe(alice, id);
  world.subscribe(laptop, id);
  world.say(alice, id, "one");
  const Seq two = world.say(alice, id, "two"), three = world.say(alice, id, "three");
  alice.replies.clear();
  laptop.replies.clear();
  world.ask<wire::Done>(phone, wire::DeleteForMe{id, {three, two}});
  world.pass(200ms);
  CHECK(told(laptop) == std::vector<Seq>{two, three});
  CHECK(told(phone) == std::vector<Seq>{two, three});
  CHECK(alice.all<DeletedForMe>().empty());
  CHECK(alice.all<wire::Events>().empty());
  CHECK(page(world, laptop, id) == Texts{"one"});  // by its subscription
  CHECK(page(world, phone, id) == Texts{"one"});   // by asking the home
  CHECK(page(world, alice, id) == Texts{"one", "two", "three"});
  REQUIRE(listed(laptop, id));
  CHECK(listed(laptop, id)->unread == 1);
  CHECK(preview(*listed(laptop, id)) == "one");
}

TEST_CASE("a stream has stand-ins for what one deleted for oneself, live and behind") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId id = world.group(alice, {"bob"});
  const ResumeAnswer begun = world.subscribe(bob, id);
  const Seq one = world.say(alice, id, "one");
  world.say(alice, id, "two");
  world.ask<wire::Done>(bob, wire::DeleteForMe{id, {one}});
  bob.replies.clear();

  SECTION("an edit of it comes as a stand-in, one of another message as it is") {
    world.ask<wire::Done>(alice, wire::Edit{id, one, {}, Payload::copy_of("secret")});
    world.ask<wire::Done>(alice, wire::Edit{id, one + 1, {}, Payload::copy_of("open")});
    world.settle();
    std::vector<EventKind> kinds;
    for (const auto& events : bob.all<wire::Events>())
      for (const Payload& record : events.records)
        kinds.push_back(wire::read_record(record.bytes()).kind);
    CHECK(kinds == std::vector{EventKind::hidden, EventKind::edited});
  }
  SECTION("who resumes is told all of them, and then given the stream without them") {
    world.sign_out(bob);
    Client& again = world.sign_in("bob", "phone", 1);
    world.subscribe(again, id, begun.head);
    CHECK(told(again) == std::vector<Seq>{one});
    CHECK(again.texts(id) == Texts{"two"});
    const auto first = [&](const auto& is) {
      return std::find_if(again.replies.begin(), again.replies.end(),
                          [&](const auto& reply) { return is(reply.answer); });
    };
    CHECK(first([](const auto& a) { return std::holds_alternative<DeletedForMe>(a); }) <
          first([](const auto& a) { return std::holds_alternative<wire::Events>(a); }));
  }
  SECTION("after a restart too") {
    world.restart();
    Client& again = world.sign_in("bob", "phone", 1);
    world.subscribe(again, id, begun.head);
    CHECK(again.texts(id) == Texts{"two"});
    CHECK(page(world, again, id) == Texts{"two"});
  }
  SECTION("who has gone keeps nothing of it here, the user's next session has it") {
    Client& other = world.sign_in("bob", "laptop", 1);
    world.subscribe(other, id);
    world.sign_out(bob);
    world.ask<wire::Done>(alice, wire::Edit{id, one, {}, Payload::copy_of("secret")});
    world.settle();
    REQUIRE(other.all<wire::Events>().size() == 1);
    CHECK(wire::read_record(other.all<wire::Events>()[0].records[0].bytes()).kind ==
          EventKind::hidden);
  }
}

TEST_CASE("a device that was away learns of it with the list and its subscription") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& phone = world.sign_in("bob", "phone", 0);
  Client& laptop = world.sign_in("bob", "laptop", 1);
  const ConversationId id = world.group(alice, {"bob"});
  world.say(alice, id, "one");
  const Seq two = world.say(alice, id, "two");
  world.pass(200s);  // beyond what a token names in any case
  const auto synced = world.ask<wire::ListChanged>(laptop, wire::Sync{});
  world.sign_out(laptop);
  world.pass(200s);
  world.ask<wire::Done>(phone, wire::DeleteForMe{id, {two}});
  world.pass(10s);
  Client& again = world.sign_in("bob", "laptop", 1, synced.token);
  const auto entries = again.all<wire::Welcome>().at(0).list.entries;
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].unread == 1);
  CHECK(preview(entries[0]) == "one");
}

TEST_CASE("a removal is exact while it is read what its user deleted for itself") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& first = world.sign_in("bob", "phone", 1);
  const ConversationId id = world.group(alice, {"bob"});
  const Seq seq = world.say(alice, id, "one");
  world.say(alice, id, "two");
  world.ask<wire::Done>(first, wire::DeleteForMe{id, {seq}});
  world.restart();
  Client& owner = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  world.hold_scans = [](const Scan& scan) { return scan.partition.space == layout::personal; };
  const std::uint32_t asked =
      world.post(bob, wire::History{.conversation = id, .from = 0, .backward = true, .limit = 50});
  world.settle();
  world.ask<wire::Done>(owner, wire::Remove{id, bob.user});
  world.say(owner, id, "secret");
  world.release_scans();
  const auto reply = std::find_if(bob.replies.begin(), bob.replies.end(),
                                  [&](const auto& each) { return each.request == asked; });
  REQUIRE(reply != bob.replies.end());
  const auto& shown = std::get<wire::HistoryPage>(reply->answer);
  Texts texts;
  for (const Payload& record : shown.records)
    if (const auto fields = wire::read_record(record.bytes()); fields.kind == EventKind::message)
      texts.emplace_back(fields.body);
  CHECK(texts == Texts{"two"});
}

TEST_CASE("who is erased leaves nothing of it behind") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId id = world.group(alice, {"bob"});
  const Seq seq = world.say(alice, id, "one");
  world.ask<wire::Done>(bob, wire::DeleteForMe{id, {seq}});
  const auto kept = [&] {
    std::size_t count = 0;
    world.store().list(layout::personal, {}, 10,
                       [&](Result<Listed> listed) { count = listed.value().partitions.size(); });
    world.settle();
    return count;
  };
  CHECK(kept() == 1);
  Client& system = world.system();
  world.sign_out(bob);
  world.ask<wire::Done>(system, wire::Forget{bob.user});
  CHECK(kept() == 0);
}

TEST_CASE("lists count what is deleted for oneself and for all once, mentions too") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone", 0);
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId id = world.group(alice, {"bob"});
  std::vector<Seq> seqs;
  for (int i = 0; i < 5; ++i) {
    wire::Send send;
    send.conversation = id;
    send.body = Payload::copy_of("m");
    send.extras.mentions = {bob.user};
    seqs.push_back(world.ask<wire::Acked>(alice, send).ack.seq);
  }
  world.ask<wire::Done>(bob, wire::DeleteForMe{id, {seqs[0], seqs[1]}});
  world.ask<wire::Done>(alice, wire::Delete{id, seqs[1]});
  world.ask<wire::Done>(alice, wire::Delete{id, seqs[2]});
  const auto list = world.ask<wire::ListChanged>(bob, wire::Sync{});
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].unread == 2);
  CHECK(list.entries[0].mentions == 2);
  world.pass(1s);
  const auto others = world.ask<wire::ListChanged>(alice, wire::Sync{});
  CHECK(others.entries[0].unread == 0);
}

}  // namespace parley::test
