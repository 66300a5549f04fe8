// user_presence_test.cpp: presence, status lines and signals.
#include "core/user_home.hpp"

#include "parley/limits.hpp"
#include "told.hpp"

using namespace parley;
using namespace parley::test;

TEST_CASE("presence comes to those who watch, once, and a quick reconnect does not show") {
  ShardWorld world;
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
  ShardWorld world;
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
  ShardWorld world;
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

TEST_CASE("a status line is shown until it ends, last seen to nobody") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  world.pass(2s);
  const WallTime now = world
                           .ask<wire::Acked>(alice,
                                             [&] {
                                               wire::Send send;
                                               send.conversation = chat;
                                               send.body = Payload::copy_of("x");
                                               return send;
                                             }())
                           .ack.time;
  wire::SetUser set;
  set.change.status = "at lunch";
  set.change.status_until = now + 10s;
  set.change.hide_last_seen = true;
  world.ask<UserSettings>(bob, set);
  world.pass(2s);
  REQUIRE(told(alice, bob.user).has_value());
  CHECK(told(alice, bob.user)->status == "at lunch");
  CHECK(told(alice, bob.user)->status_until == now + 10s);
  world.sign_out(bob);
  world.pass(3s);
  CHECK_FALSE(told(alice, bob.user)->online);
  CHECK(told(alice, bob.user)->last_seen == WallTime{});
  world.pass(10s);
  const auto later = world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  CHECK(later.users.at(0).status.empty());
  world.restart();  // whoever only looks is told the same
  Client& again = world.sign_in("alice");
  CHECK(world.ask<wire::PresenceChanged>(again, wire::Watch{chat, {bob.user}})
            .users.at(0)
            .last_seen == WallTime{});

  Client& back = world.sign_in("bob");
  set = {};
  set.change.status = std::string(limits::status + 1, 'x');
  CHECK(world.failure(back, set) == Errc::too_large);
  set.change.status = "\xff";
  CHECK(world.failure(back, set) == Errc::invalid_argument);
  set.change.status.reset();
  set.change.status_until = now;
  CHECK(world.failure(back, set) == Errc::invalid_argument);
  set.change.status = std::string(limits::status, 'x');
  CHECK(world.ask<UserSettings>(back, set).status.size() == limits::status);
  CHECK(world.failure(world.system(), wire::SetUser{}) == Errc::denied);
}

TEST_CASE("a user is what its sessions make together") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& phone = world.sign_in("bob", "phone", 1);
  Client& laptop = world.sign_in("bob", "laptop");
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {phone.user}});
  world.ask<wire::PresenceChanged>(phone, wire::Watch{chat, {phone.user}});
  const auto say = [&](Client& at, PresenceState state) {
    world.ask<wire::Done>(at, wire::SetPresence{state});
    world.pass(2s);
  };
  say(phone, PresenceState::away);
  CHECK_FALSE(told(alice, phone.user)->state == PresenceState::away);  // the laptop is online
  say(laptop, PresenceState::away);
  CHECK(told(alice, phone.user)->state == PresenceState::away);
  CHECK(told(alice, phone.user)->online);
  say(phone, PresenceState::busy);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(laptop, PresenceState::online);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(laptop, PresenceState::invisible);
  const auto shown = told(alice, phone.user);
  CHECK(shown->state == PresenceState::offline);
  CHECK_FALSE(shown->online);
  CHECK(shown->last_seen > WallTime{});  // when it was seen, not when it is
  CHECK(told(phone, phone.user)->state == PresenceState::invisible);
  // Coming and going does not show, nor does it move the time.
  world.sign_out(laptop);
  world.pass(3s);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(phone, PresenceState::invisible);
  const WallTime seen = told(alice, phone.user)->last_seen;
  world.pass(10s);
  world.sign_out(phone);
  world.pass(3s);
  CHECK(told(alice, phone.user)->last_seen == seen);
  Client& unseen = world.link();
  wire::Hello hello = hello_of("bob", "phone");
  hello.state = PresenceState::invisible;
  world.ask<wire::Welcome>(unseen, hello);
  world.pass(3s);
  CHECK_FALSE(told(alice, phone.user)->online);
  CHECK(told(alice, phone.user)->last_seen == seen);
  world.restart();
  Client& again = world.sign_in("alice");
  const auto stored = world.ask<wire::PresenceChanged>(again, wire::Watch{chat, {phone.user}});
  CHECK(stored.users.at(0).last_seen == seen);

  CHECK(world.failure(again, wire::SetPresence{PresenceState::offline}) == Errc::invalid_argument);
  Client& odd = world.link();
  hello.state = static_cast<PresenceState>(9);
  CHECK(world.failure(odd, hello) == Errc::invalid_argument);
}

TEST_CASE("a signal says how long it holds") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(alice, chat);
  world.subscribe(bob, chat);
  const auto lasts = [&](wire::SendSignal signal) {
    world.ask<wire::Done>(alice, std::move(signal));
    world.pass(1s);
    return std::chrono::milliseconds(bob.all<wire::Signalled>().back().lasts_ms);
  };
  CHECK(lasts({chat, std::string(typing)}) == limits::signal_lasts);
  CHECK(lasts({chat, std::string(recording), "", 0}) == 0ms);
  const auto most = static_cast<std::uint32_t>(limits::signal_lasts_most / 1ms);
  CHECK(lasts({chat, "poke", "", most}) == limits::signal_lasts_most);
  CHECK(world.failure(alice, wire::SendSignal{chat, "poke", "", most + 1}) ==
        Errc::invalid_argument);
}
