// session_subscribe_test.cpp: cursors, their answers, and how a session that reads slowly is
// filled.
#include "core/session.hpp"

#include "parley/limits.hpp"
#include "store/layout.hpp"
#include "told.hpp"

using namespace parley;
using namespace parley::test;
using Texts = std::vector<std::string>;
using Seqs = std::vector<Seq>;

namespace {

/// Alice writes to Bob, who follows on another shard.
struct Following {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  Following() { world.subscribe(bob, chat); }
};

}  // namespace

TEST_CASE("a cursor gets exactly one answer") {
  ShardWorld world;
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
  ShardWorld world;
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
  ShardWorld world;
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

TEST_CASE("a slow session is told, refilled from the store, and misses nothing") {
  Following reader;
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
  Following reader;
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

TEST_CASE("while little may be queued who has more lags, and is filled again in small pages") {
  Following reader;
  auto& [world, alice, bob, chat] = reader;
  world.queue_limit = 10'000;
  bob.hold(10'000);
  world.say(alice, chat, "at the limit");
  CHECK(bob.texts(chat) == Texts{"at the limit"});
  bob.hold(10'001);
  Texts said{"at the limit"};
  for (int i = 0; i < 40; ++i) {
    said.push_back(std::to_string(i) + std::string(3'000, 'x'));
    world.say(alice, chat, said.back());
  }
  CHECK(bob.texts(chat).size() == 1);
  CHECK(bob.all<wire::HeadMoved>().size() == 1);

  world.queue_limit = 0;  // others have it all: who reads is given a little all the same
  bob.release();
  world.shard(1).drained(bob.ref);
  world.settle();
  CHECK(bob.texts(chat) == said);
  for (const auto& page : bob.all<wire::Events>()) CHECK(page.records.size() <= 2);
}

TEST_CASE("heads are coalesced to one a second") {
  ShardWorld world;
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

TEST_CASE("a cursor below the floor is told how much is gone, live and late sessions go on") {
  ShardWorld world;
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
