// session_limits_test.cpp: what a session may ask for: each limit at its bound and one past it. One
// past it is a typed error, and nothing has changed.
#include <string>

#include "core/shard.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"

using namespace parley;
using namespace parley::test;

namespace {

/// A conversation of `count` users, the owner included, and their ids.
struct Crowd {
  ConversationId id;
  std::vector<UserId> users;

  Crowd(ShardWorld& world, Client& owner, std::size_t count) {
    const auto names = [](std::size_t from, std::size_t to) {
      std::vector<std::string> some;
      for (std::size_t i = from; i < to; ++i) some.push_back("user" + std::to_string(i));
      return some;
    };
    id = world.group(owner, {}, ConversationKind::channel);
    for (std::size_t at = 1; at < count; at += limits::add_at_once)
      world.ask<wire::Done>(owner,
                            wire::Add{id, names(at, std::min(count, at + limits::add_at_once))});
    UserId after;
    for (bool more = true; more;) {
      const auto page =
          world.ask<wire::MembersPage>(owner, wire::Members{id, after, limits::page_members});
      for (const Member& member : page.members) users.push_back(after = member.user);
      more = page.more;
    }
    REQUIRE(users.size() == count);
  }
};

Seq say(ShardWorld& world, Client& client, const ConversationId& id, std::size_t bytes) {
  return world.say(client, id, std::string(bytes, 'x'));
}

}  // namespace

TEST_CASE("limits: hello's token and device name") {
  ShardWorld world;
  const auto refusal = [&](std::size_t token, std::size_t device) {
    Client& client = world.link();
    wire::Hello hello;
    hello.token = std::string(token, 't');
    hello.device = std::string(device, 'd');
    const wire::Answer answer = world.answer(client, hello);
    const auto* failed = std::get_if<wire::Failed>(&answer);
    return failed == nullptr ? std::string() : failed->error.message;
  };
  CHECK(refusal(limits::subject, limits::device_name).empty());
  CHECK(refusal(1, limits::device_name + 1).find("device") == 0);
  // A token that long is read; that the authenticator makes a user of all of it is its affair.
  CHECK(refusal(limits::token, 1).find("token") == std::string::npos);
  CHECK(refusal(limits::token + 1, 1).find("token") == 0);
}

TEST_CASE("limits: users in one add") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= limits::add_at_once; ++i) names.push_back("u" + std::to_string(i));
  CHECK(world.failure(alice, wire::Add{team, names}) == Errc::limit_reached);
  const auto count = [&] {
    return world.ask<wire::MembersPage>(alice, wire::Members{team, {}, 10}).count;
  };
  CHECK(count() == 1);
  names.pop_back();
  world.ask<wire::Done>(alice, wire::Add{team, names});
  CHECK(count() == 1 + limits::add_at_once);
}

TEST_CASE("limits: what members are searched by") {
  ShardWorld world;
  Client& owner = world.sign_in("Ada");
  const ConversationId id = world.group(owner, {"Anna", "bob"});
  const auto search = [&](std::string prefix) {
    return world.answer(owner, wire::Members{id, {}, 100, std::move(prefix)});
  };
  CHECK(std::get<wire::MembersPage>(search("a")).members.size() == 2);
  CHECK(std::get<wire::MembersPage>(search("AN")).members.size() == 1);
  CHECK(std::holds_alternative<wire::MembersPage>(search(std::string(limits::member_prefix, 'a'))));
  CHECK(std::get<wire::Failed>(search(std::string(limits::member_prefix + 1, 'a'))).error.errc() ==
        Errc::too_large);
  CHECK(std::get<wire::Failed>(search("\xff")).error.errc() == Errc::invalid_argument);
}

TEST_CASE("limits: what a user's list holds") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  std::vector<ConversationId> all;
  for (std::size_t i = 0; i <= limits::pinned_conversations; ++i)
    all.push_back(world.group(alice, {}));
  world.pass(1s);
  for (std::size_t i = 0; i < limits::pinned_conversations; ++i)
    world.ask<wire::Done>(alice, wire::SetList{all[i], {.pinned = true}});
  const std::string longest(limits::draft, 'd');
  CHECK(world.failure(alice, wire::SetList{all.back(), {.pinned = true, .draft = "with it"}}) ==
        Errc::limit_reached);
  world.ask<wire::Done>(alice, wire::SetList{all[0], {.pinned = true}});  // it is already
  world.ask<wire::Done>(alice, wire::SetList{all[0], {.draft = longest}});
  CHECK(world.failure(alice, wire::SetList{all[0], {.pinned = false, .draft = longest + 'd'}}) ==
        Errc::too_large);
  const auto list = world.ask<wire::ListChanged>(alice, wire::Sync{});
  std::size_t pinned = 0;
  for (const ListEntry& entry : list.entries) {
    pinned += entry.pinned ? 1 : 0;
    CHECK(entry.draft == (entry.conversation == all[0] ? longest : ""));
  }
  CHECK(pinned == limits::pinned_conversations);
  world.ask<wire::Done>(alice, wire::SetList{all[0], {.pinned = false}});
  world.ask<wire::Done>(alice, wire::SetList{all.back(), {.pinned = true}});
}

TEST_CASE("limits: a signal's kind and data") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  Client& bob = world.sign_in("bob", "phone", 1);
  world.subscribe(bob, team);
  const std::string kind(limits::signal_kind, 'k');
  const std::string data(limits::signal_data, 'd');
  CHECK(world.failure(alice, wire::SendSignal{team, kind + 'k', data}) == Errc::invalid_argument);
  CHECK(world.failure(alice, wire::SendSignal{team, kind, data + 'd'}) == Errc::too_large);
  world.settle();
  CHECK(bob.all<wire::Signalled>().empty());
  world.ask<wire::Done>(alice, wire::SendSignal{team, kind, data});
  world.settle();
  CHECK(bob.all<wire::Signalled>().size() == 1);
}

TEST_CASE("limits: bytes of a history page") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  constexpr std::size_t half = limits::page_bytes / 2;
  for (int i = 0; i < 3; ++i) say(world, alice, team, half - 500);
  const auto page = [&](Seq before) {
    return world.ask<wire::HistoryPage>(alice, wire::History{team, before, true, 50});
  };
  CHECK(page(0).records.size() == 2);
  CHECK(page(0).more);
  say(world, alice, team, half + 500);
  CHECK(page(0).records.size() == 1);
  const Seq large = say(world, alice, team, limits::body_default);  // alone more than a page
  CHECK(page(0).records.size() == 1);
  CHECK(page(0).first == large);
  CHECK(page(large).first == large - 1);
}

TEST_CASE("limits: pages that are read for requests at one time") {
  ShardWorld world(1);
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  for (int i = 0; i < 5; ++i) say(world, alice, team, 60 * limits::kib);
  std::vector<Client*> devices;
  for (std::size_t i = 0; i * limits::page_bytes < limits::paging; ++i)
    devices.push_back(&world.sign_in("alice", "device " + std::to_string(i)));
  world.pass(5s);
  const std::size_t idle = world.shard(0).ingress_bytes();
  REQUIRE(idle == 0);
  world.hold_scans = [](const Scan&) { return true; };
  for (int n = 0; n < 4; ++n)
    for (Client* device : devices) world.post(*device, wire::History{team, 0, true, 50});
  world.settle();
  const std::size_t room = 4 * devices.size() * limits::kib;  // for the requests themselves
  CHECK(world.shard(0).ingress_bytes() <= limits::paging + room);
  CHECK(world.shard(0).ingress_bytes() > limits::paging - limits::page_bytes);
  // Whose queue is full waits until it is read; the others go on.
  devices[0]->hold(limits::queue_soft + 1);
  world.release_scans();
  world.pass(1s);
  CHECK(world.shard(0).ingress_bytes() < 4 * limits::kib);
  for (std::size_t i = 1; i < devices.size(); ++i)
    CHECK(devices[i]->all<wire::HistoryPage>().size() == 4);
  CHECK(devices[0]->all<wire::HistoryPage>().size() < 4);
  devices[0]->release();
  world.shard(0).drained(devices[0]->ref);
  world.settle();
  CHECK(devices[0]->all<wire::HistoryPage>().size() == 4);
  CHECK(world.shard(0).ingress_bytes() == 0);
  // With no room left in the queues pages are short, and one is read after the other.
  world.queue_room = 0;
  for (Client* device : devices) device->replies.clear();
  for (Client* device : devices) world.post(*device, wire::History{team, 0, true, 50});
  world.settle();
  for (Client* device : devices) {
    REQUIRE(device->all<wire::HistoryPage>().size() == 1);
    CHECK(device->all<wire::HistoryPage>()[0].records.size() == 1);
    CHECK(device->all<wire::HistoryPage>()[0].more);
  }
  // Who leaves while a page is read, or while one waits, takes nothing with it.
  world.hold_scans = [](const Scan&) { return true; };
  for (int n = 0; n < 4; ++n) world.post(*devices[0], wire::History{team, 0, true, 50});
  world.settle();
  world.sign_out(*devices[0]);
  CHECK(world.shard(0).ingress_bytes() == 0);
  world.release_scans();
  world.ask<wire::HistoryPage>(*devices[1], wire::History{team, 0, true, 50});
}

TEST_CASE("limits: how far behind a cursor is answered with a range") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  wire::Send send;
  send.conversation = chat;
  send.body = Payload::copy_of("x");
  for (std::size_t i = 0; i <= limits::snapshot_after; ++i) {
    world.post(alice, send);
    if (i % 32 == 0) world.settle();
  }
  world.settle();
  const auto behind = [&](Seq cursor) {
    const auto page = world.ask<wire::HistoryPage>(bob, wire::History{chat, cursor + 1, true, 1});
    Cursor at{page.epoch, cursor, cursor == 0 ? 0 : page.mark};
    return world.subscribe(bob, chat, at).answer;
  };
  CHECK(behind(0) == Resume::snapshot);
  CHECK(behind(1) == Resume::range);
  CHECK(bob.seqs(chat).size() == limits::snapshot_tail + limits::snapshot_after);
  CHECK(world.say(alice, chat, "one more") == limits::snapshot_after + 2);
  const std::size_t told = bob.seqs(chat).size();
  CHECK(behind(1) == Resume::snapshot);
  world.settle();
  // Not all of it, but its end, as if it went on from there.
  const auto seqs = bob.seqs(chat);
  REQUIRE(seqs.size() == told + limits::snapshot_tail);
  CHECK(seqs[told] == limits::snapshot_after + 2 - limits::snapshot_tail + 1);
  CHECK(seqs.back() == limits::snapshot_after + 2);
  CHECK(behind(2) == Resume::range);
}

TEST_CASE("limits: whom a session watches") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const Crowd crowd(world, alice, limits::watched_users + 1);
  const ConversationId other = world.group(alice, {"bob"});
  const UserId bob = world.sign_in("bob", "phone", 1).user;
  std::vector<UserId> most(crowd.users.begin(), crowd.users.end() - 1);
  const auto watch = [&](const ConversationId& id, std::vector<UserId> users) {
    return world.ask<wire::PresenceChanged>(alice, wire::Watch{id, std::move(users)}).users.size();
  };
  CHECK(watch(crowd.id, most) == limits::watched_users);
  CHECK(world.failure(alice, wire::Watch{other, {bob}}) == Errc::limit_reached);
  CHECK(world.failure(alice, wire::Watch{crowd.id, crowd.users}) == Errc::limit_reached);
  CHECK(watch(crowd.id, most) == limits::watched_users);  // instead of the same
  CHECK(watch(other, {}) == 0);
  most.pop_back();
  CHECK(watch(crowd.id, most) == limits::watched_users - 1);
  CHECK(watch(other, {bob}) == 1);
  // A refusal leaves what was watched.
  most.insert(most.end(), crowd.users.end() - 2, crowd.users.end());
  CHECK(world.failure(alice, wire::Watch{crowd.id, most}) == Errc::limit_reached);
  const std::string name = world.ask<wire::Names>(alice, wire::Lookup{{most[0]}}).users[0].subject;
  alice.replies.clear();
  world.sign_in(name == "alice" ? "user1" : name, "phone", 1);
  world.pass(3s);
  CHECK_FALSE(alice.all<wire::PresenceChanged>().empty());
}

TEST_CASE("limits: subscriptions of a session") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  std::vector<ConversationId> all;
  for (std::size_t i = 0; i <= limits::subscriptions; ++i) {
    all.push_back(world.group(alice, {}));
    alice.replies.clear();
  }
  const auto request = [&](std::size_t from, std::size_t to) {
    wire::Subscribe subscribe;
    for (; from < to; ++from) subscribe.items.push_back({all[from], Level::heads, std::nullopt});
    return subscribe;
  };
  const std::size_t before = limits::subscriptions - limits::subscribe_at_once;
  for (std::size_t at = 0; at < before; at += limits::subscribe_at_once) {
    world.ask<wire::Subscribed>(alice,
                                request(at, std::min(before, at + limits::subscribe_at_once)));
    alice.replies.clear();
  }
  wire::Subscribe last = request(before, limits::subscriptions);
  wire::Subscribe past = last;
  past.items.back().conversation = all[0];  // followed already: does not count again
  world.ask<wire::Subscribed>(alice, past);
  world.ask<wire::Subscribed>(alice, last);
  past.items.back().conversation = all.back();
  CHECK(world.failure(alice, past) == Errc::limit_reached);
  // What was followed still is.
  alice.replies.clear();
  world.say(alice, last.items[0].conversation, "x");
  world.pass(1100ms);
  CHECK(alice.all<wire::HeadMoved>().size() == 1);
  world.subscribe(alice, all[0], {}, Level::none);
  world.ask<wire::Subscribed>(alice, past);
}

TEST_CASE("limits: bytes that wait for an answer") {
  ShardWorld world(1);
  std::vector<Client*> senders;
  std::vector<ConversationId> rooms;
  const std::size_t fits = limits::ingress / (limits::body_default + limits::kib);
  for (std::size_t i = 0; i < fits; ++i) {  // each has one message of it
    senders.push_back(&world.sign_in("sender" + std::to_string(i)));
    rooms.push_back(world.group(*senders.back(), {}));
  }
  wire::Send send;
  send.body = Payload::copy_of(std::string(limits::body_default, 'b'));
  std::size_t posted = 0;
  for (std::size_t i = 0; posted < fits; ++i, ++posted) {
    send.conversation = rooms[i % rooms.size()];
    world.post(*senders[i % senders.size()], send);
  }
  CHECK(world.shard(0).ingress_bytes() <= limits::ingress);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    send.conversation = rooms[i];
    world.post(*senders[i], send);
  }
  CHECK(world.shard(0).ingress_bytes() <= limits::ingress);
  CHECK(world.shard(0).ingress_bytes() > limits::ingress - limits::body_default - limits::kib);
  world.settle();
  std::size_t acked = 0;
  for (Client* sender : senders) {
    acked += sender->all<wire::Acked>().size();
    for (const auto& failed : sender->all<wire::Failed>()) {
      CHECK(failed.error.errc() == Errc::busy);
      ++refused;
    }
  }
  CHECK(acked >= fits);
  CHECK(refused > 0);
  CHECK(acked + refused == posted + 8);
  CHECK(world.shard(0).ingress_bytes() == 0);
  send.conversation = rooms[0];
  world.ask<wire::Acked>(*senders[0], send);
}

// One link that sent many long messages without waiting took all of it: everybody else was busy.
TEST_CASE("limits: however many take what they get of the bytes that wait, others find room") {
  ShardWorld world(16);
  const std::size_t share = limits::ingress / 16;
  std::vector<Client*> senders;
  std::vector<ConversationId> rooms;
  for (int i = 0; i < 4; ++i) {
    senders.push_back(&world.sign_in("sender " + std::to_string(i)));
    rooms.push_back(world.group(*senders.back(), {}));
  }
  world.pass(2s);
  world.hold_commits = true;
  wire::Send send;
  send.body = Payload::copy_of(std::string(limits::body_default, 'b'));
  constexpr std::size_t one = limits::body_default + limits::kib;
  for (std::size_t i = 0; i < 3; ++i) {
    send.conversation = rooms[i];
    const std::size_t before = world.shard(0).ingress_bytes();
    for (std::size_t n = 0; n < limits::in_flight; ++n) world.post(*senders[i], send);
    world.settle();
    const std::size_t taken = world.shard(0).ingress_bytes() - before;
    CHECK(taken >= limits::body_default);
    CHECK(taken <= share - before - taken + one);  // than what was left when it took the last
    CHECK_FALSE(senders[i]->all<wire::Failed>().empty());
    for (const auto& failed : senders[i]->all<wire::Failed>())
      CHECK(failed.error.errc() == Errc::busy);
  }
  send.conversation = rooms[3];
  world.post(*senders[3], send);
  world.release_commits();
  world.pass(1s);
  CHECK(senders[3]->all<wire::Acked>().size() == 1);
  CHECK(world.shard(0).ingress_bytes() == 0);
}

TEST_CASE(
    "limits: whatever is long counts among the bytes that wait, from links and from the host") {
  ShardWorld world(1);
  Client& alice = world.host("alice");
  const ConversationId room = world.group(alice, {"bob"});
  const Payload body = Payload::copy_of(std::string(limits::body_default, 'b'));
  const auto weighs = [&](wire::Operation operation) {
    world.post(alice, std::move(operation));
    const std::size_t bytes = world.shard(0).ingress_bytes();
    world.settle();
    CHECK(world.shard(0).ingress_bytes() == 0);
    return bytes;
  };
  CHECK(weighs(wire::Send{.conversation = room, .body = body}) > limits::body_default);
  CHECK(weighs(wire::Edit{.conversation = room, .seq = 3, .body = body}) > limits::body_default);
  const Payload text = Payload::copy_of(std::string(limits::stream_piece, 'b'));
  CHECK(weighs(wire::AppendStream{.conversation = room, .text = std::string(text.bytes())}) >=
        limits::stream_piece);
  CHECK(weighs(wire::Ping{}) < limits::kib);
  wire::Request counted{.number = 900, .operation = wire::GetInfo{room}, .bytes = 5'000};
  world.shard(0).request(alice.ref, std::move(counted));
  CHECK(world.shard(0).ingress_bytes() >= 5'000);
  world.settle();
}

TEST_CASE("limits: many shards leave room for long messages on each") {
  ShardWorld world(256);
  Client& alice = world.sign_in("alice");
  const ConversationId room = world.group(alice, {"bob"});
  wire::Send send{.conversation = room};
  send.body = Payload::copy_of(std::string(limits::body_default, 'b'));
  for (int i = 0; i < 4; ++i) world.post(alice, send);
  world.settle();
  CHECK(alice.all<wire::Failed>().empty());
  CHECK(alice.all<wire::Acked>().size() == 4);
}

TEST_CASE("what was never there to follow leaves nothing behind") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  for (std::uint8_t i = 1; i < 200; ++i) {
    ConversationId made_up;
    made_up.bytes.fill(i);
    world.subscribe(alice, made_up);
  }
  CHECK(world.shard(0).weight() + world.shard(1).weight() < 260 * 4 * limits::kib);
  world.pass(limits::idle_home + 30s);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 0);
  CHECK(world.shard(0).weight() + world.shard(1).weight() <= 4 * limits::kib);
}

TEST_CASE("when memory is short what nobody uses leaves it soon") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  for (int i = 0; i < 20; ++i)
    world.ask<wire::Opened>(alice, wire::Direct{"friend " + std::to_string(i)});
  const auto homes = [&] {
    return world.shard(0).conversations() + world.shard(1).conversations();
  };
  world.pass(25s);
  CHECK(homes() == 20);
  for (std::size_t i = 0; i < 2; ++i) world.shard(i).set_short_of_memory(true);
  world.pass(11s);
  CHECK(homes() == 0);
}

TEST_CASE("limits: how long presence waits") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  Client& bob = world.sign_in("bob", "phone", 1);
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  world.pass(5s);
  alice.replies.clear();
  const auto told = [&] { return alice.all<wire::PresenceChanged>().size(); };
  world.sign_out(bob);
  world.pass(limits::presence_grace - 20ms);
  CHECK(told() == 0);
  world.pass(40ms);
  CHECK(told() == 1);
  world.sign_in("bob", "phone", 1);
  world.pass(limits::presence_period - 50ms);
  CHECK(told() == 1);
  world.pass(100ms);
  CHECK(told() == 2);
}

TEST_CASE("limits: how often a head is told, and when an idle conversation leaves memory") {
  ShardWorld world(1);
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  world.subscribe(alice, team, {}, Level::heads);
  world.say(alice, team, "x");
  world.pass(limits::head_moved_period - 20ms);
  world.say(alice, team, "y");
  CHECK(alice.all<wire::HeadMoved>().empty());
  world.pass(40ms);
  CHECK(alice.all<wire::HeadMoved>().size() == 1);

  world.sign_out(alice);
  world.pass(limits::idle_home - 1s);
  CHECK(world.shard(0).conversations() == 1);
  world.pass(limits::idle_home + 12s);  // a follower counts as long as its fan is kept
  CHECK(world.shard(0).conversations() == 0);
}

TEST_CASE("stopping stores positions at once") {
  ShardWorld world(1);
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob");
  const ConversationId lobby = world.group(alice, {}, ConversationKind::channel);
  world.ask<wire::Opened>(bob, wire::Join{lobby});
  const Seq seq = world.say(alice, lobby, "read me");
  world.settle();
  world.pass(2s);
  world.ask<wire::Done>(bob, wire::MarkRead{lobby, seq, seq});
  bool stopped = false;
  world.shard(0).stop([&] { stopped = true; });
  world.settle();
  world.sign_out(alice);
  world.sign_out(bob);
  world.pass(50ms);  // far less than limits::receipt_delay_channel
  CHECK(stopped);
  world.restart();
  const auto list = world.sign_in("bob").all<wire::Welcome>().at(0).list;
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].read == seq);
}
