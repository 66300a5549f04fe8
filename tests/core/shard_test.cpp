#include "core/shard.hpp"

#include "parley/limits.hpp"
#include "shard_world.hpp"

using namespace parley;
using namespace parley::test;
using Texts = std::vector<std::string>;
using Seqs = std::vector<Seq>;

namespace {

Cursor after(World& world, Client& client, const ConversationId& id, Seq seq) {
  if (seq == 0)
    return {world.ask<wire::HistoryPage>(client, wire::History{id, 0, true, 1}).epoch, 0, 0};
  const auto page = world.ask<wire::HistoryPage>(client, wire::History{id, seq + 1, true, 1});
  REQUIRE(page.first == seq);
  return {page.epoch, seq, page.mark};
}

const ListEntry* find(const wire::ListChanged& list, const ConversationId& id) {
  for (const ListEntry& entry : list.entries) {
    if (entry.conversation == id) return &entry;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a link says hello first, once, with a token that is known") {
  World world;
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
  World world;
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
  World world;
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
  World world;
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
  World world;
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
  World world;
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

TEST_CASE("a cursor gets exactly one answer") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  for (int i = 0; i < 5; ++i) world.say(alice, chat, std::to_string(i));
  const Cursor two = after(world, bob, chat, 2);
  const Cursor head = after(world, bob, chat, 5);

  SECTION("nothing new") { CHECK(world.subscribe(bob, chat, head).answer == Resume::caught_up); }
  SECTION("a range follows, then what comes") {
    CHECK(world.subscribe(bob, chat, two).answer == Resume::range);
    CHECK(bob.texts(chat) == Texts{"2", "3", "4"});
    world.say(alice, chat, "new");
    world.settle();
    CHECK(bob.seqs(chat) == Seqs{3, 4, 5, 6});
  }
  SECTION("from the beginning") {
    CHECK(world.subscribe(bob, chat, Cursor{head.epoch, 0, 0}).answer == Resume::range);
    CHECK(bob.seqs(chat) == Seqs{1, 2, 3, 4, 5});
  }
  SECTION("another mark at the same seq: forked") {
    CHECK(world.subscribe(bob, chat, Cursor{two.epoch, 2, two.mark ^ 1}).answer == Resume::forked);
    CHECK(bob.seqs(chat).empty());
  }
  SECTION("another mark at the head: forked") {
    CHECK(world.subscribe(bob, chat, Cursor{head.epoch, 5, head.mark ^ 1}).answer ==
          Resume::forked);
  }
  SECTION("another epoch: forked") {
    Cursor other = two;
    other.epoch.bytes[0] ^= 1;
    CHECK(world.subscribe(bob, chat, other).answer == Resume::forked);
  }
  SECTION("beyond the head: ahead, and an alarm") {
    CHECK(world.subscribe(bob, chat, Cursor{head.epoch, 9, 1}).answer == Resume::ahead);
    CHECK(!world.log.empty());
  }
  SECTION("no cursor: a snapshot at the head") {
    const auto answer = world.subscribe(bob, chat);
    CHECK(answer.answer == Resume::snapshot);
    CHECK(answer.head == head);
    CHECK(bob.seqs(chat).empty());
  }
  SECTION("an empty epoch is no cursor") {
    wire::Subscribe subscribe;
    subscribe.items.push_back({chat, Level::full, Cursor{{}, 2, two.mark}});
    CHECK(world.failure(bob, subscribe) == Errc::invalid_argument);
  }
}

TEST_CASE("of two subscribes under way for one conversation the later one counts") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  for (int i = 0; i < 5; ++i) world.say(alice, chat, std::to_string(i));
  wire::Subscribe first, second;
  first.items.push_back({chat, Level::full, after(world, bob, chat, 1)});
  second.items.push_back({chat, Level::full, after(world, bob, chat, 3)});
  world.post(bob, first);
  world.post(bob, second);
  world.settle();
  const auto answers = bob.all<wire::Subscribed>();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].answers.at(0).level == Level::none);  // replaced before it was answered
  CHECK(answers[1].answers.at(0).answer == Resume::range);
  CHECK(answers[1].answers.at(0).level == Level::full);
  CHECK(bob.seqs(chat) == Seqs{4, 5});
}

TEST_CASE("rights that change and end while a subscription opens skip nothing of what it may see") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  Client& laptop = world.sign_in("bob", "laptop");
  const ConversationId room = world.group(alice, {}, ConversationKind::channel);
  world.ask<wire::Opened>(bob, wire::Join{room});
  for (int i = 0; i < 3; ++i) world.say(alice, room, std::to_string(i));
  const Cursor two = after(world, bob, room, 2);

  const std::string name = layout::conversation_id(0, room);
  world.hold_scans = [&](const Scan& scan) {
    return scan.partition.space == layout::conversation && scan.partition.id == name &&
           scan.max_rows == 1;  // the mark at the cursor
  };
  wire::Subscribe subscribe;
  subscribe.items.push_back({room, Level::full, two});
  world.post(bob, subscribe);
  world.settle();
  world.ask<wire::Done>(alice, wire::SetRole{room, bob.user, Role::moderator});
  world.ask<wire::Done>(alice, wire::Remove{room, bob.user});
  world.ask<wire::Opened>(laptop, wire::Join{room});
  const Seq last = world.say(alice, room, "again");
  REQUIRE(bob.all<wire::Subscribed>().empty());
  world.release_scans();
  world.pass(1s);
  REQUIRE(bob.all<wire::Subscribed>().size() == 1);
  Seqs expected;
  for (Seq seq = 3; seq <= last; ++seq) expected.push_back(seq);
  CHECK(bob.seqs(room) == expected);
}

TEST_CASE("who was added later sees from there on") {
  World world;
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

namespace {

/// Alice writes to Bob, who follows on another shard.
struct Reader {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  Reader() { world.subscribe(bob, chat); }
};

}  // namespace

TEST_CASE("a slow session is told, refilled from the store, and misses nothing") {
  Reader reader;
  auto& [world, alice, bob, chat] = reader;
  bob.held = true;
  Texts said;
  for (int i = 0; i < 300; ++i) {
    said.push_back(std::to_string(i));
    world.say(alice, chat, said.back());
  }
  world.settle();
  CHECK(bob.seqs(chat).size() < 20);  // bodies stop
  CHECK(!bob.all<wire::HeadMoved>().empty());
  bob.release();
  world.shard(1).drained(bob.ref);
  world.settle();
  CHECK(bob.texts(chat) == said);
  world.say(alice, chat, "live again");
  world.settle();
  CHECK(bob.texts(chat).back() == "live again");
  CHECK(bob.seqs(chat).size() == 301);
}

TEST_CASE("a queue at its soft limit is still filled, one byte past it lags") {
  Reader reader;
  auto& [world, alice, bob, chat] = reader;
  bob.hold(limits::queue_soft);
  world.say(alice, chat, "one");
  CHECK(bob.texts(chat) == std::vector<std::string>{"one"});
  bob.hold(limits::queue_soft + 1);
  world.say(alice, chat, "two");
  world.pass(2s);
  CHECK(bob.texts(chat).size() == 1);
  REQUIRE(bob.all<wire::HeadMoved>().size() == 1);
  CHECK(bob.all<wire::HeadMoved>()[0].head.seq == 2);
}

TEST_CASE("heads are coalesced to one a second") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(bob, chat, {}, Level::heads);
  for (int i = 0; i < 10; ++i) world.say(alice, chat, "x");
  CHECK(bob.all<wire::HeadMoved>().empty());
  world.pass(1100ms);
  REQUIRE(bob.all<wire::HeadMoved>().size() == 1);
  CHECK(bob.all<wire::HeadMoved>()[0].head.seq == 10);
  CHECK(bob.seqs(chat).empty());
  world.subscribe(bob, chat, {}, Level::none);
  world.say(alice, chat, "x");
  world.pass(1100ms);
  CHECK(bob.all<wire::HeadMoved>().size() == 1);
}

TEST_CASE("receipts are merged, monotone, and unread follows on every device") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  Client& tablet = world.sign_in("bob", "tablet", 0);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(alice, chat);
  world.subscribe(tablet, chat, {}, Level::heads);
  for (int i = 0; i < 4; ++i) world.say(alice, chat, "x");
  auto unread = [&] { return find(world.ask<wire::ListChanged>(bob, wire::Sync{}), chat)->unread; };
  CHECK(unread() == 4);
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 0, 3});
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 2, 1});  // an older one changes nothing
  world.pass(300ms);
  CHECK(unread() == 1);
  const auto seen = alice.all<wire::ReceiptsMoved>();
  REQUIRE(!seen.empty());
  CHECK(seen.back().receipts.at(0).read == 3);
  CHECK(!tablet.all<wire::ReceiptsMoved>().empty());
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 0, 1'000'000});  // clamped to the head
  world.pass(300ms);
  CHECK(unread() == 0);
  world.say(bob, chat, "own messages are read");
  world.pass(300ms);
  CHECK(unread() == 0);
  Seq last = 0;
  for (const auto& moved : alice.all<wire::ReceiptsMoved>()) {
    for (const Receipt& receipt : moved.receipts) {
      if (receipt.user != bob.user) continue;
      CHECK(receipt.read >= last);
      CHECK(receipt.read <= receipt.received);
      last = receipt.read;
    }
  }
}

TEST_CASE("a sync token names what moved, and everything when it cannot be believed") {
  World world;
  Client& alice = world.sign_in("alice");
  const ConversationId one = world.group(alice, {"bob"});
  const ConversationId two = world.group(alice, {"bob"});
  world.pass(std::chrono::minutes(10));  // the stamp's slack: what moved lately is named again
  Client& bob = world.sign_in("bob", "phone", 1);
  const auto first = bob.all<wire::Welcome>().at(0).list;
  CHECK(first.whole);
  CHECK(first.entries.size() == 2);
  world.sign_out(bob);
  world.pass(std::chrono::minutes(10));
  world.say(alice, two, "moved");
  world.settle();
  Client& again = world.sign_in("bob", "phone", 1, first.token);
  const auto second = again.all<wire::Welcome>().at(0).list;
  CHECK_FALSE(second.whole);
  REQUIRE(find(second, two) != nullptr);
  CHECK(find(second, two)->unread == 1);
  CHECK(!find(second, two)->last_record.empty());
  CHECK(find(second, one) == nullptr);
  world.sign_out(again);
  world.ask<wire::Done>(alice, wire::Remove{one, bob.user});
  world.settle();
  Client& third = world.sign_in("bob", "phone", 1, second.token);
  CHECK(third.all<wire::Welcome>().at(0).list.removed == std::vector<ConversationId>{one});
  for (const std::string bad : {"junk", "", "AAAA"}) {
    CHECK(world.sign_in("bob", "phone", 1, bad).all<wire::Welcome>().at(0).list.whole);
  }
  world.restart();
  const auto fresh = world.sign_in("bob", "phone", 1, second.token).all<wire::Welcome>().at(0).list;
  CHECK(fresh.whole);
  CHECK(fresh.entries.size() == 1);
}

TEST_CASE(
    "what a user sets about a conversation is on every device, and gone with the membership") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& other = world.sign_in("alice", "tablet", 1);
  const ConversationId team = world.group(alice, {});
  const ConversationId lobby = world.group(alice, {}, ConversationKind::channel);
  world.pass(1s);
  const auto entry = [&](Client& client, const ConversationId& id) {
    const auto list = world.ask<wire::ListChanged>(client, wire::Sync{});
    for (const ListEntry& each : list.entries)
      if (each.conversation == id) return each;
    FAIL("not listed");
    return ListEntry{};
  };
  const auto before = world.ask<wire::ListChanged>(other, wire::Sync{}).token;
  other.replies.clear();
  const WallTime later{std::chrono::milliseconds(2'000'000'000'000)};
  world.ask<wire::Done>(
      alice, wire::SetList{team, {.pinned = true, .muted_until = later, .draft = "dear bob"}});
  world.pass(1s);
  const auto pushed = other.all<wire::ListChanged>();
  REQUIRE(pushed.size() == 1);
  CHECK(pushed[0].entries.at(0).pinned);
  CHECK(pushed[0].entries.at(0).draft == "dear bob");
  CHECK(pushed[0].entries.at(0).drafted > WallTime{});
  const auto part = world.ask<wire::ListChanged>(other, wire::Sync{before});
  CHECK_FALSE(part.whole);
  CHECK(std::any_of(part.entries.begin(), part.entries.end(),
                    [](const ListEntry& each) { return each.draft == "dear bob"; }));

  world.ask<wire::Done>(alice, wire::SetList{team, {.archived = true, .draft = "dear bob,"}});
  world.ask<wire::Done>(alice, wire::SetList{lobby, {.marked_unread = true}});
  CHECK(entry(other, team).pinned);  // what was not named stays
  CHECK(entry(other, team).archived);
  CHECK(entry(other, team).muted_until == later);
  CHECK(entry(other, team).draft == "dear bob,");
  CHECK(entry(other, lobby).marked_unread);
  CHECK(entry(other, lobby).draft.empty());

  world.restart();
  Client& again = world.sign_in("alice");
  CHECK(entry(again, team).draft == "dear bob,");
  CHECK(entry(again, team).archived);
  world.ask<wire::Done>(again, wire::SetList{team, {.draft = ""}});
  CHECK(entry(again, team).draft.empty());
  CHECK(entry(again, team).drafted == WallTime{});
  CHECK(entry(again, team).pinned);

  CHECK(world.failure(again, wire::SetList{{}, {.pinned = true}}) == Errc::invalid_argument);
  ConversationId nowhere = team;
  nowhere.bytes[2] ^= 1;
  CHECK(world.failure(again, wire::SetList{nowhere, {.pinned = true}}) == Errc::denied);
  CHECK(world.failure(again, wire::SetList{team, {.draft = std::string(4097, 'd')}}) ==
        Errc::too_large);
  CHECK(world.failure(again, wire::SetList{team, {.draft = "\xff"}}) == Errc::invalid_argument);

  Client& bob = world.sign_in("bob");
  world.ask<wire::Opened>(bob, wire::Join{lobby});
  world.pass(1s);
  world.ask<wire::Done>(bob, wire::SetList{lobby, {.pinned = true, .draft = "never sent"}});
  world.ask<wire::Done>(bob, wire::Leave{lobby});
  world.pass(1s);
  CHECK(world.failure(bob, wire::SetList{lobby, {.pinned = true}}) == Errc::denied);
  world.ask<wire::Opened>(bob, wire::Join{lobby});
  world.pass(1s);
  CHECK_FALSE(entry(bob, lobby).pinned);
  CHECK(entry(bob, lobby).draft.empty());
}

TEST_CASE("presence comes to those who watch, once, and a quick reconnect does not show") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  const auto now = world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  REQUIRE(now.users.size() == 1);
  CHECK(now.users[0].online);
  world.pass(2s);
  alice.replies.clear();
  world.sign_out(bob);
  world.pass(500ms);
  Client& back = world.sign_in("bob", "phone", 0);
  world.pass(3s);
  CHECK(alice.all<wire::PresenceChanged>().empty());
  world.sign_out(back);
  world.pass(3s);
  REQUIRE(alice.all<wire::PresenceChanged>().size() == 1);
  CHECK_FALSE(alice.all<wire::PresenceChanged>()[0].users.at(0).online);
  CHECK(alice.all<wire::PresenceChanged>()[0].users.at(0).last_seen.time_since_epoch() > 0ms);
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {}});
  world.sign_in("bob", "phone", 0);
  world.pass(3s);
  CHECK(alice.all<wire::PresenceChanged>().size() == 2);  // the answer, and nothing after it
}

TEST_CASE("signals reach who looks, not the sender, and are limited") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(alice, chat);
  world.subscribe(bob, chat);
  for (int i = 0; i < 25; ++i) world.ask<wire::Done>(alice, wire::SendSignal{chat, "typing", "x"});
  world.settle();
  CHECK(bob.all<wire::Signalled>().size() == limits::signals_per_second);
  CHECK(alice.all<wire::Signalled>().empty());
  // Other conversations, real or not, do not bring the budget back.
  world.pass(2s);
  const std::size_t before = bob.all<wire::Signalled>().size();
  for (std::uint8_t i = 0; i < 100; ++i) {
    ConversationId other = chat;
    other.bytes[0] ^= static_cast<std::uint8_t>(1 + i % 8);
    world.post(alice, wire::SendSignal{other, "typing", "x"});
    world.post(alice, wire::SendSignal{chat, "typing", "x"});
    world.settle();
  }
  CHECK(bob.all<wire::Signalled>().size() <= before + limits::signals_per_second);
  CHECK(world.failure(alice, wire::SendSignal{chat, "", ""}) == Errc::invalid_argument);
  CHECK(world.failure(alice, wire::SendSignal{chat, std::string(33, 'k'), ""}) ==
        Errc::invalid_argument);
  CHECK(world.failure(alice, wire::SendSignal{chat, "k", std::string(1025, 'd')}) ==
        Errc::too_large);
}

TEST_CASE("limits: conversations that a session signals in within a second") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  std::vector<ConversationId> rooms;
  for (std::size_t i = 0; i < limits::signalled_at_once + 1; ++i) {
    rooms.push_back(world.group(alice, {"bob"}));
    world.subscribe(bob, rooms.back());
  }
  const auto signal_all = [&] {
    for (const ConversationId& room : rooms)
      world.ask<wire::Done>(alice, wire::SendSignal{room, "typing", ""});
    world.settle();
    return bob.all<wire::Signalled>().size();
  };
  CHECK(signal_all() == limits::signalled_at_once);
  CHECK(signal_all() == 2 * limits::signalled_at_once);  // the same four
  world.pass(1s);
  CHECK(signal_all() == 3 * limits::signalled_at_once);
}

TEST_CASE("channels: anybody joins, reads back, and counts as unread only what came after") {
  World world;
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
  World world;
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
  World world;
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
  World world;
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
  World world;
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
  World world;
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
  World world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {});
  world.subscribe(alice, team);
  world.pass(3min);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 1);
  world.sign_out(alice);
  world.pass(3min);
  CHECK(world.shard(0).conversations() + world.shard(1).conversations() == 0);
}

TEST_CASE("a cursor below the floor is told how much is gone, live and late sessions go on") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId team = world.group(alice, {"bob"});
  for (int i = 0; i < 30; ++i) world.say(alice, team, "m");
  const Cursor early = after(world, bob, team, 10), live = after(world, bob, team, 32);
  CHECK(world.subscribe(bob, team, live).answer == Resume::caught_up);
  world.ask<wire::Done>(alice, wire::SetRetention{team, {.keep_events = 10}});
  for (std::size_t i = 0; i < limits::open_events + 20; ++i) world.say(alice, team, "n");
  world.pass(5s);
  CHECK(bob.seqs(team).size() == limits::open_events + 20);  // who was there saw all of it
  Client& late = world.sign_in("bob", "tablet");
  const ResumeAnswer answer = world.subscribe(late, team, early);
  CHECK(answer.answer == Resume::trimmed);
  CHECK(answer.floor > 33);
  const Seqs rest = late.seqs(team);
  REQUIRE_FALSE(rest.empty());
  CHECK(rest.front() == answer.floor);
  const auto page = world.ask<wire::HistoryPage>(late, wire::History{team, 5, false, 10});
  CHECK(page.floor == answer.floor);
  CHECK(page.first == answer.floor);
  CHECK(world.subscribe(late, team, Cursor{early.epoch, answer.floor - 1, answer.floor_mark})
            .answer == Resume::range);
  CHECK(world.ask<wire::Kept>(bob, wire::GetRetention{team}).retention.keep_events == 10);
  CHECK(world.failure(bob, wire::SetRetention{team, {}}) == Errc::denied);
}

TEST_CASE("a conversation deleted for good leaves every list and every session") {
  World world;
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
