// shard_test.cpp: sessions say hello, talk, come and go, and all of it survives.
#include "core/shard.hpp"

#include "parley/limits.hpp"
#include "store/layout.hpp"
#include "told.hpp"

using namespace parley;
using namespace parley::test;
using Texts = std::vector<std::string>;

TEST_CASE("a link says hello first, once, with a token that is known") {
  ShardWorld world;
  Client& early = world.link();
  CHECK(world.failure(early, wire::Ping{}) == Errc::protocol_error);
  CHECK(early.closed == CloseReason::protocol_error);

  Client& stranger = world.link();
  CHECK(world.failure(stranger, wire::Hello{1, 1, "nobody"}) == Errc::unauthenticated);
  CHECK(stranger.closed == CloseReason::policy);

  Client& old = world.link();
  CHECK(world.failure(old, wire::Hello{7, 9, "alice"}) == Errc::version_unsupported);

  Client& twice = world.sign_in("alice");
  CHECK(world.failure(twice, wire::Hello{1, 1, "alice"}) == Errc::protocol_error);

  Client& silent = world.link();
  world.pass(limits::handshake_hello - 10ms);
  CHECK_FALSE(silent.closed);
  world.pass(20ms);
  CHECK(silent.closed == CloseReason::policy);

  Client& wordy = world.link();
  CHECK(world.failure(wordy, wire::Hello{1, 1, std::string(limits::token + 1, 'x')}) ==
        Errc::too_large);
  Client& blank = world.link();
  CHECK(world.failure(blank, wire::Hello{1, 1, ""}) == Errc::invalid_argument);
}

TEST_CASE("the same user and device get the same ids, a ticket is good once and for so long") {
  ShardWorld world;
  Client& first = world.sign_in("alice", "phone");
  const auto welcome = first.all<wire::Welcome>().at(0);
  Client& second = world.link(1);
  wire::Hello hello;
  hello.ticket = welcome.ticket;
  hello.token = "nobody";
  hello.device = "phone";
  const auto again = world.ask<wire::Welcome>(second, hello);
  CHECK(again.user == welcome.user);
  CHECK(again.device == welcome.device);
  CHECK(again.subject == "alice");
  Client& third = world.link(1);
  CHECK(world.failure(third, hello) == Errc::unauthenticated);

  hello.ticket = again.ticket;
  hello.device = "tablet";
  CHECK(world.failure(world.link(1), hello) == Errc::unauthenticated);
  hello.device = "phone";
  hello.ticket = world.sign_in("alice").all<wire::Welcome>().at(0).ticket;
  world.pass(limits::ticket_life - 1s);
  hello.ticket = world.ask<wire::Welcome>(world.link(1), hello).ticket;
  world.pass(limits::ticket_life);
  CHECK(world.failure(world.link(1), hello) == Errc::unauthenticated);
}

TEST_CASE("two users chat: the first message is seq 1 and reaches every device") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.host("bob", 1);
  const auto opened = world.ask<wire::Opened>(alice, wire::Direct{"bob"});
  const ConversationId chat = opened.entry.conversation;
  CHECK(opened.entry.peer == bob.user);
  CHECK(world.ask<wire::Opened>(bob, wire::Direct{"alice"}).entry.conversation == chat);
  Client& tablet = world.sign_in("alice", "tablet", 1);
  world.subscribe(tablet, chat);
  CHECK(world.say(alice, chat, "hello") == 1);
  CHECK(world.say(bob, chat, "hi") == 2);
  world.settle();
  CHECK(bob.texts(chat) == Texts{"hello", "hi"});
  CHECK(tablet.texts(chat) == Texts{"hello", "hi"});
  CHECK(alice.texts(chat).empty());  // a link asks for what it wants
  CHECK(world.failure(alice, wire::Direct{"alice"}) == Errc::invalid_argument);
}

TEST_CASE("a new conversation enters the list of everybody in it") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  world.settle();
  bob.replies.clear();  // of its new device
  const ConversationId team = world.group(alice, {"bob", "carol"});
  world.settle();
  const auto news = bob.all<wire::ListChanged>();
  REQUIRE(news.size() == 1);
  const ListEntry* entry = find(news[0], team);
  REQUIRE(entry != nullptr);
  CHECK(entry->title == "team");
  CHECK(entry->role == Role::member);
  CHECK(entry->kind == ConversationKind::group);
  Client& carol = world.sign_in("carol");
  CHECK(find(carol.all<wire::Welcome>().at(0).list, team) != nullptr);
  world.ask<wire::Done>(alice, wire::Remove{team, bob.user});
  world.settle();
  REQUIRE(bob.all<wire::ListChanged>().size() == 2);
  CHECK(bob.all<wire::ListChanged>()[1].removed == std::vector<ConversationId>{team});
}

TEST_CASE("the removed get nothing above the removal") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.host("bob", 1);
  const ConversationId team = world.group(alice, {"bob"});
  world.say(alice, team, "before");
  wire::Send send;
  send.conversation = team;
  send.body = Payload::copy_of("first");
  world.post(alice, send);  // one batch: message, removal, message
  world.post(alice, wire::Remove{team, bob.user});
  send.body = Payload::copy_of("secret");
  world.post(alice, send);
  world.settle();
  CHECK(bob.texts(team) == Texts{"before", "first"});
  CHECK(world.say(alice, team, "more") > 0);
  world.settle();
  CHECK(bob.texts(team) == Texts{"before", "first"});
  const Seq removal = bob.seqs(team).back();
  CHECK(world.failure(bob, send) == Errc::denied);
  const auto page = world.ask<wire::HistoryPage>(bob, wire::History{team, 0, true, 50});
  CHECK(page.first + page.records.size() - 1 == removal);
  const auto answer = world.subscribe(bob, team, Cursor{page.epoch, removal, page.mark});
  CHECK(answer.answer == Resume::not_member);
  CHECK(answer.last_visible == removal);
}

TEST_CASE("strangers and what does not exist get one and the same answer") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& eve = world.sign_in("eve");
  const ConversationId team = world.group(alice, {});
  ConversationId nowhere;
  nowhere.bytes[3] = 9;
  for (const ConversationId& id : {team, nowhere}) {
    wire::Send send;
    send.conversation = id;
    send.body = Payload::copy_of("x");
    const auto failed = world.ask<wire::Failed>(eve, send);
    CHECK(failed.error.errc() == Errc::denied);
    CHECK(failed.error.message ==
          world.ask<wire::Failed>(eve, wire::History{nowhere, 0, true, 5}).error.message);
    CHECK(world.subscribe(eve, id).answer == Resume::denied);
    CHECK(world.failure(eve, wire::Members{id, {}, 10}) == Errc::denied);
    CHECK(world.failure(eve, wire::MarkRead{id, 1, 1}) == Errc::denied);
    CHECK(world.failure(eve, wire::SendSignal{id, "typing", ""}) == Errc::denied);
    CHECK(world.failure(eve, wire::Watch{id, {alice.user}}) == Errc::denied);
  }
}

TEST_CASE("who was added later sees from there on") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId team = world.group(alice, {});
  for (int i = 0; i < 3; ++i) world.say(alice, team, "old");
  world.ask<wire::Done>(alice, wire::Add{team, {"bob"}});
  world.settle();
  world.say(alice, team, "new");
  const auto page = world.ask<wire::HistoryPage>(bob, wire::History{team, 0, true, 50});
  CHECK(page.first == 5);
  CHECK(page.floor == 5);
  const auto list = world.ask<wire::ListChanged>(bob, wire::Sync{});
  REQUIRE(find(list, team) != nullptr);
  CHECK(find(list, team)->unread == 1);
  const auto answer = world.subscribe(bob, team, Cursor{page.epoch, 0, 0});
  CHECK(answer.answer == Resume::trimmed);
  CHECK(answer.floor == 5);
  CHECK(bob.texts(team) == Texts{"new"});
}

TEST_CASE("channels: anybody joins, reads back, and counts as unread only what came after") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId lobby = world.group(alice, {}, ConversationKind::channel);
  for (int i = 0; i < 3; ++i) world.say(alice, lobby, "old");
  Client& bob = world.sign_in("bob", "phone", 1);
  const auto opened = world.ask<wire::Opened>(bob, wire::Join{lobby});
  CHECK(opened.entry.role == Role::member);
  CHECK(opened.entry.unread == 0);
  world.settle();
  world.say(alice, lobby, "new");
  const auto list = world.ask<wire::ListChanged>(bob, wire::Sync{});
  REQUIRE(find(list, lobby) != nullptr);
  CHECK(find(list, lobby)->unread == 1);
  CHECK(world.ask<wire::HistoryPage>(bob, wire::History{lobby, 0, true, 50}).first == 1);
  world.ask<wire::Done>(bob, wire::Leave{lobby});
  world.settle();
  CHECK(find(world.ask<wire::ListChanged>(bob, wire::Sync{}), lobby) == nullptr);
  wire::Send send;
  send.conversation = lobby;
  send.body = Payload::copy_of("x");
  CHECK(world.failure(bob, send) == Errc::denied);
}

TEST_CASE("the system may everything and is nobody") {
  ShardWorld world;
  Client& host = world.system();
  wire::Create create;
  create.kind = ConversationKind::group;
  create.title = "announcements";
  create.members = {"alice", "bob"};
  const ConversationId id = world.ask<wire::Opened>(host, create).entry.conversation;
  CHECK(world.say(host, id, "welcome") > 0);
  world.ask<wire::Done>(host, wire::Add{id, {"carol"}});
  world.settle();
  Client& carol = world.sign_in("carol");
  CHECK(find(carol.all<wire::Welcome>().at(0).list, id) != nullptr);
  wire::Direct pair;
  pair.first = "alice";
  pair.peer = "bob";
  CHECK(world.ask<wire::Opened>(host, pair).entry.kind == ConversationKind::direct);
}

TEST_CASE("everything survives a restart") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  Texts said;
  for (int i = 0; i < 200; ++i) {
    said.push_back(std::to_string(i));
    world.say(alice, chat, said.back());
  }
  world.pass(3s);
  world.restart();
  Client& bob = world.sign_in("bob", "phone", 1);
  const auto list = bob.all<wire::Welcome>().at(0).list;
  REQUIRE(find(list, chat) != nullptr);
  CHECK(find(list, chat)->unread == 200);
  world.subscribe(bob, chat, Cursor{find(list, chat)->head.epoch, 0, 0});
  CHECK(bob.texts(chat) == said);
  Client& again = world.sign_in("alice");
  CHECK(world.say(again, chat, "on") == 201);
}

TEST_CASE("limits of a session: at the limit, and one past it") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  wire::Subscribe subscribe;
  for (std::size_t i = 0; i < limits::subscribe_at_once; ++i) {
    subscribe.items.push_back({team, Level::full, {}});
    subscribe.items.back().conversation.bytes[0] ^= static_cast<std::uint8_t>(i);
  }
  world.ask<wire::Subscribed>(alice, subscribe);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 1);  // none made up
  subscribe.items.push_back(subscribe.items.back());
  subscribe.items.back().conversation.bytes[1] ^= 1;
  CHECK(world.failure(alice, subscribe) == Errc::invalid_argument);
  subscribe.items.resize(2);
  subscribe.items[1] = subscribe.items[0];  // twice
  CHECK(world.failure(alice, subscribe) == Errc::invalid_argument);
  CHECK(world.failure(alice, wire::Subscribe{}) == Errc::invalid_argument);

  CHECK(world.failure(alice, wire::History{team, 0, true, 0}) == Errc::invalid_argument);
  CHECK(world.failure(alice, wire::History{team, 0, true, limits::page_events + 1}) ==
        Errc::invalid_argument);
  world.ask<wire::HistoryPage>(alice, wire::History{team, 0, true, limits::page_events});

  std::vector<UserId> users(limits::lookup_at_once, alice.user);
  world.ask<wire::Names>(alice, wire::Lookup{users});
  users.push_back(alice.user);
  CHECK(world.failure(alice, wire::Lookup{users}) == Errc::invalid_argument);

  wire::Create create;
  create.title = std::string(limits::title, 't');
  world.ask<wire::Opened>(alice, create);
  create.title += 't';
  CHECK(world.failure(alice, create) == Errc::too_large);
  create.title = "\xff";
  CHECK(world.failure(alice, create) == Errc::invalid_argument);
  create.title = "ok";
  create.members.assign(limits::add_at_once + 1, "x");
  CHECK(world.failure(alice, create) == Errc::limit_reached);

  wire::Send send;
  send.conversation = team;
  send.body = Payload::copy_of(std::string(limits::body_default, 'b'));
  world.ask<wire::Acked>(alice, send);
  send.body = Payload::copy_of(std::string(limits::body_default + 1, 'b'));
  CHECK(world.failure(alice, send) == Errc::too_large);

  for (std::size_t i = 0; i < limits::in_flight; ++i)
    world.post(alice, wire::Lookup{{UserId{1 + i}}});
  const auto past = world.post(alice, wire::Ping{});
  world.settle();
  for (const auto& reply : alice.replies) {
    if (reply.request != past) continue;
    const auto* failed = std::get_if<wire::Failed>(&reply.answer);
    REQUIRE(failed != nullptr);
    CHECK(failed->error.errc() == Errc::busy);
    CHECK(failed->error.retryable());
  }
  world.ask<wire::Done>(alice, wire::Ping{});
  CHECK(world.shard(0).ingress_bytes() == 0);
}

TEST_CASE("what is refused makes no users, and a large message does not fill the list") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& mallory = world.sign_in("mallory");
  const ConversationId team = world.group(alice, {});
  const auto users = [&world] {
    std::size_t count = 0;
    world.store().list(layout::name, {}, 1000, [&count](const Result<Listed>& listed) {
      count = listed.value().partitions.size();
    });
    return count;
  };
  const std::size_t before = users();
  ConversationId nowhere = team;
  nowhere.bytes[3] ^= 1;
  for (const ConversationId& id : {team, nowhere})
    CHECK(world.failure(mallory, wire::Add{id, {"never", "seen"}}) == Errc::denied);
  CHECK(users() == before);

  world.say(alice, team, "short");
  const auto last = [&] {
    const auto list = world.ask<wire::ListChanged>(alice, wire::Sync{});
    return list.entries.at(0).last_record.size();
  };
  CHECK(last() > 0);
  world.say(alice, team, std::string(20'000, 'x'));
  CHECK(last() == 0);
}

TEST_CASE("stopping says goodbye, answers what was accepted, and refuses what is new") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  wire::Send send;
  send.conversation = team;
  send.body = Payload::copy_of("last");
  world.post(alice, send);
  int stopped = 0;
  world.shard(0).stop([&] { ++stopped; });
  world.shard(1).stop([&] { ++stopped; });
  CHECK(world.failure(alice, wire::Ping{}) == Errc::engine_closed);
  CHECK(alice.all<wire::Acked>().size() == 1);
  CHECK(alice.all<wire::Goodbye>().size() == 1);
  CHECK(alice.closed == CloseReason::going_away);
  world.sign_out(alice);
  world.pass(1s);
  CHECK(stopped == 2);
}

TEST_CASE("idle conversations leave memory") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  world.subscribe(alice, team);
  world.pass(3min);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 1);
  world.sign_out(alice);
  world.pass(3min);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 0);
}

TEST_CASE("a conversation deleted for good leaves every list and every session") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId team = world.group(alice, {"bob"});
  const ConversationId lobby = world.group(alice, {"bob"}, ConversationKind::channel);
  for (const ConversationId& id : {team, lobby}) {
    world.say(alice, id, "one");
    world.subscribe(bob, id);
    world.pass(2s);
    const Cursor cursor = after(world, bob, id, 3 - (id == lobby ? 1 : 0));
    bob.replies.clear();
    CHECK(world.failure(bob, wire::End{id}) == Errc::denied);
    world.ask<wire::Done>(alice, wire::End{id});
    CHECK(world.failure(bob, wire::History{id, 0, true, 10}) == Errc::denied);
    world.pass(5s);
    bool removed = false;
    for (const auto& list : bob.all<wire::ListChanged>())
      removed |= std::find(list.removed.begin(), list.removed.end(), id) != list.removed.end();
    CHECK(removed);
    CHECK(find(world.ask<wire::ListChanged>(bob, wire::Sync{}), id) == nullptr);
    CHECK(find(world.ask<wire::ListChanged>(alice, wire::Sync{}), id) == nullptr);
    CHECK(world.subscribe(bob, id, cursor).answer == Resume::denied);
  }
  world.restart();
  Client& again = world.sign_in("alice");
  CHECK(again.all<wire::Welcome>().at(0).list.entries.empty());
}
