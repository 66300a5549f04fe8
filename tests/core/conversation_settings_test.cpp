// conversation_settings_test.cpp: what a conversation is like, who is kept from posting or from
// being in, and slow mode, whatever goes wrong.
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/conversation.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

Errc set(World& world, Caller caller, SettingsUpdate settings) {
  Asked<void> asked;
  world->set_settings(caller, std::move(settings), asked.then());
  world.fx.advance(1s);
  return asked.errc();
}
Error restricted(World& world, Caller caller, wire::Restrict what) {
  Asked<void> asked;
  world->restrict(caller, std::move(what), asked.then());
  world.fx.advance(1s);
  return asked.result() ? Error() : asked.result().error();
}
Errc mute(World& world, Caller caller, std::uint64_t who, std::int64_t until_ms = 0) {
  return restricted(world, caller,
                    {.kind = RestrictionKind::mute,
                     .user = user(who),
                     .options = {WallTime(std::chrono::milliseconds(until_ms)), "loud"}})
      .errc();
}
Errc ban(World& world, Caller caller, std::uint64_t who, std::int64_t until_ms = 0) {
  return restricted(world, caller,
                    {.kind = RestrictionKind::ban,
                     .user = user(who),
                     .options = {WallTime(std::chrono::milliseconds(until_ms)), "spam"}})
      .errc();
}
Errc lift(World& world, Caller caller, std::uint64_t who, RestrictionKind kind) {
  return restricted(world, caller, {.kind = kind, .user = user(who), .on = false}).errc();
}
Result<ConversationInfo> info(World& world, Caller caller) {
  Asked<ConversationInfo> asked;
  world->info(caller, asked.then());
  world.fx.drain();
  return asked.result();
}
Result<wire::RestrictionsPage> page(World& world, Caller caller, RestrictionKind kind,
                                    UserId after = {}, std::uint32_t limit = 100) {
  Asked<wire::RestrictionsPage> asked;
  world->restrictions(caller, {.kind = kind, .after = after, .limit = limit}, asked.then());
  world.fx.drain();
  return asked.result();
}
Error say_error(World& world, std::uint64_t who, std::string_view body = "hello") {
  auto asked = world.send(by(who), text(body));
  world.fx.drain();
  return asked.result() ? Error() : asked.result().error();
}
EventKind last_kind(World& world) {
  const Seq head = world.head().head;
  const auto page = world.read({.from = head, .to = head}).value();
  return wire::read_record(page.events.at(0).record.bytes()).kind;
}
}  // namespace

TEST_CASE("settings are one event with what changed, and one row") {
  World world;
  (void)world.create(by(1), ConversationKind::group, users(2, 2));
  const Seq before = world.head().head;
  CHECK(set(world, by(2), {.description = "d"}) == Errc::denied);
  REQUIRE(set(world, by(1),
              {.description = "about", .avatar = "a.png", .metadata = std::string("\0\xff", 2)}) ==
          Errc::ok);
  CHECK(set(world, by(1), {.title = "title", .avatar = "a.png"}) == Errc::ok);  // so already
  CHECK(world.head().head == before + 1);
  const auto events = world.stream();
  REQUIRE(events.back().settings);
  CHECK_FALSE(events.back().settings->title);
  CHECK(events.back().settings->description == "about");
  CHECK(events.back().settings->metadata == std::string_view("\0\xff", 2));
  REQUIRE(set(world, by(1), {.title = "", .join = JoinRule::open}) == Errc::ok);
  world.restart();
  const auto now = info(world, by(2));
  REQUIRE(now.ok());
  CHECK(now->settings.title.empty());
  CHECK(now->settings.description == "about");
  CHECK(now->settings.join == JoinRule::open);
  CHECK(now->members == 3);
  CHECK(now->role == Role::member);
  CHECK(now->creator == user(1));
  CHECK(info(world, by(9)).error().errc() == Errc::denied);
  CHECK(info(world, {})->role == Role::none);
  CHECK(world.access(2).value().avatar == "a.png");
}

TEST_CASE("settings hold at their bounds, and nothing changes one past them") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  const Seq before = world.head().head;
  const auto text = [](std::size_t size) { return std::string(size, 't'); };
  CHECK(set(world, by(1), {.title = text(limits::title + 1)}) == Errc::too_large);
  CHECK(set(world, by(1), {.description = text(limits::description + 1)}) == Errc::too_large);
  CHECK(set(world, by(1), {.avatar = text(limits::avatar + 1)}) == Errc::too_large);
  CHECK(set(world, by(1), {.metadata = text(limits::metadata + 1)}) == Errc::too_large);
  CHECK(set(world, by(1), {.description = "\xff"}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.who_sends = Role::read_only}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.who_adds = static_cast<Role>(51)}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.join = static_cast<JoinRule>(9)}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.slow_mode = limits::slow_mode + 1s}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.slow_mode = -1s}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.expires_after = limits::expires_most + 1s}) == Errc::invalid_argument);
  CHECK(set(world, by(1), {.expires_after = -1s}) == Errc::invalid_argument);
  CHECK(world.head().head == before);
  CHECK(set(world, by(1),
            {.title = text(limits::title),
             .description = text(limits::description),
             .avatar = text(limits::avatar),
             .metadata = text(limits::metadata),
             .slow_mode = limits::slow_mode,
             .expires_after = limits::expires_most}) == Errc::ok);
  CHECK(set(world, by(1), {.expires_after = limits::expires_least}) == Errc::ok);

  World pair(2);
  (void)pair.direct(5, 6, 5);
  CHECK(set(pair, by(5), {.title = "ours"}) == Errc::denied);
  CHECK(set(pair, {}, {.title = "ours"}) == Errc::denied);
}

TEST_CASE("a conversation's own least roles count instead of the engine's") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, users(2, 3));
    REQUIRE(world.set_role(by(1), 3, Role::moderator) == Errc::ok);
    REQUIRE(set(world, by(1),
                {.who_sends = Role::moderator,
                 .who_adds = Role::member,
                 .who_pins = Role::owner,
                 .who_changes = Role::moderator}) == Errc::ok);
    world.restart();
    CHECK(world.say(2) == Errc::denied);
    CHECK(world.say(3) == Errc::ok);
    CHECK(world.add(by(2), {user(8)}) == Errc::ok);
    Asked<void> pinned;
    world->pin(by(3), world.head().head, true, pinned.then());
    world.fx.drain();
    CHECK(pinned.errc() == Errc::denied);
    CHECK(set(world, by(3), {.who_sends = Role::none}) == Errc::ok);
    CHECK(world.say(2) == Errc::ok);
  }
}

TEST_CASE("nobody posts into what is archived, and only admins change it") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, users(2, 3));
    REQUIRE(world.set_role(by(1), 3, Role::moderator) == Errc::ok);
    REQUIRE(set(world, by(1), {.join = JoinRule::open}) == Errc::ok);
    auto first = world.send(by(2), text("before", 1, 77));
    world.fx.drain();
    REQUIRE(first.errc() == Errc::ok);
    REQUIRE(set(world, by(1), {.archived = true}) == Errc::ok);
    CHECK(world.say(1) == Errc::archived);
    CHECK(world.say(2) == Errc::archived);
    auto again = world.send(by(2), text("before", 1, 77));  // a retry still gets its answer
    world.fx.drain();
    CHECK(again.value().repeated);
    Asked<void> pin, react, erase;
    world->pin(by(3), first.value().seq, true, pin.then());
    world->react(by(2), first.value().seq, "x", true, react.then());
    world->delete_message(by(2), first.value().seq, erase.then());
    world.fx.advance(2s);
    CHECK(pin.errc() == Errc::archived);
    CHECK(react.errc() == Errc::archived);
    CHECK(erase.errc() == Errc::ok);
    CHECK(world.join(9).errc() == Errc::archived);
    CHECK(world.access(1).value().archived);
    CHECK(world.leave(2) == Errc::ok);
    REQUIRE(set(world, by(1), {.archived = false}) == Errc::ok);
    CHECK(world.say(3) == Errc::ok);
  }
}

TEST_CASE("an open group is joined with an event, a closed channel is not joined") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  CHECK(world.join(2).errc() == Errc::denied);
  REQUIRE(set(world, by(1), {.join = JoinRule::open}) == Errc::ok);
  const auto joined = world.join(2);
  CHECK(joined.value().role == Role::member);
  CHECK(joined.value().visible_from == world.head().head);
  CHECK(world.stream().back().kind == EventKind::joined);
  CHECK(world.join(2).errc() == Errc::ok);
  CHECK(world.stream().size() == 3);

  World channel(2);
  (void)channel.create(by(1), ConversationKind::channel);
  REQUIRE(set(channel, by(1), {.join = JoinRule::added}) == Errc::ok);
  CHECK(channel.join(2).errc() == Errc::denied);
}

TEST_CASE("a mute ends by itself, and tells until when it holds") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, users(2, 4));
    REQUIRE(world.set_role(by(1), 3, Role::moderator) == Errc::ok);
    REQUIRE(world.say(2, "mine") == Errc::ok);
    const Seq mine = world.head().head;
    CHECK(mute(world, by(2), 4) == Errc::denied);
    CHECK(mute(world, by(3), 1) == Errc::denied);
    CHECK(mute(world, by(3), 3) == Errc::denied);
    CHECK(mute(world, by(3), 9) == Errc::denied);
    CHECK(mute(world, by(3), 2, world.fx.time.wall_ms) == Errc::invalid_argument);
    const std::int64_t until = world.fx.time.wall_ms + 600'000;
    REQUIRE(mute(world, by(3), 2, until) == Errc::ok);
    CHECK(world.head().authority == world.head().head);
    const auto told = world.stream().back();
    CHECK(told.kind == EventKind::muted);
    CHECK(told.target == user(2));
    CHECK(told.until_ms == until);
    CHECK(told.reason == "loud");
    world.restart();
    const Error refused = say_error(world, 2);
    CHECK(refused.errc() == Errc::muted);
    CHECK(refused.message.find("loud") != std::string::npos);
    CHECK(refused.retry_after > 590s);
    CHECK(refused.retry_after <= 600s);
    Asked<void> edit, react, erase;
    world->edit(by(2), mine, "", Payload::copy_of("changed"), edit.then());
    world->react(by(2), mine, "x", true, react.then());
    world->delete_message(by(2), mine, erase.then());
    world.fx.advance(2s);
    CHECK(edit.errc() == Errc::muted);
    CHECK(react.errc() == Errc::muted);
    CHECK(erase.errc() == Errc::ok);
    CHECK(info(world, by(2))->muted);
    CHECK(info(world, by(2))->muted_until == WallTime(std::chrono::milliseconds(until)));
    CHECK_FALSE(info(world, by(4))->muted);
    CHECK(page(world, by(3), RestrictionKind::mute)->users.size() == 1);
    CHECK(page(world, by(2), RestrictionKind::mute).error().errc() == Errc::denied);
    world.fx.time.wall_ms += 3'600'000;  // a jump is not believed at once
    CHECK(say_error(world, 2).errc() == Errc::muted);
    world.fx.time.wall_ms -= 3'600'000;
    world.fx.advance(601s);
    CHECK(world.say(2) == Errc::ok);
    CHECK(page(world, by(3), RestrictionKind::mute)->users.empty());
    REQUIRE(mute(world, by(3), 2) == Errc::ok);
    CHECK(say_error(world, 2).retry_after == 0ms);
    CHECK(lift(world, by(3), 2, RestrictionKind::mute) == Errc::ok);
    CHECK(lift(world, by(3), 2, RestrictionKind::mute) == Errc::ok);  // so already
    CHECK(last_kind(world) == EventKind::unmuted);
    CHECK(world.say(2) == Errc::ok);
    CHECK(world.rows('b') == 0);
  }
}

TEST_CASE("the banned are out and stay out, until the ban ends") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, users(2, 4));
    REQUIRE(set(world, by(1), {.join = JoinRule::open}) == Errc::ok);
    REQUIRE(world.set_role(by(1), 3, Role::moderator) == Errc::ok);
    CHECK(ban(world, by(3), 1) == Errc::denied);
    CHECK(ban(world, by(2), 4) == Errc::denied);
    world.pieces.clear();
    REQUIRE(ban(world, by(3), 2) == Errc::ok);
    CHECK(world.pieces.front()->ended == user(2));
    auto events = world.stream();
    CHECK(events.back().kind == EventKind::banned);
    CHECK(events.back().reason == "spam");
    CHECK(events[events.size() - 2].kind == EventKind::removed);
    world.restart();
    CHECK(world.say(2) == Errc::denied);
    CHECK(world.join(2).errc() == Errc::denied);
    CHECK(world.add(by(1), {user(7), user(2)}) == Errc::banned);
    CHECK(world.access(2).value().role == Role::none);
    REQUIRE(ban(world, by(3), 8, world.fx.time.wall_ms + 60'000) == Errc::ok);  // a stranger
    CHECK(world.stream().back().kind == EventKind::banned);
    CHECK(world.join(8).errc() == Errc::denied);
    const auto first = page(world, by(3), RestrictionKind::ban, {}, 1);
    REQUIRE(first.ok());
    CHECK(first->users.at(0).user == user(2));
    CHECK(first->users.at(0).by == user(3));
    CHECK(first->more);
    CHECK(page(world, by(3), RestrictionKind::ban, user(2))->users.size() == 1);
    CHECK(page(world, by(4), RestrictionKind::ban).error().errc() == Errc::denied);
    CHECK(page(world, by(3), RestrictionKind::ban, {}, limits::page_restrictions + 1)
              .error()
              .errc() == Errc::invalid_argument);
    world.fx.advance(61s);
    CHECK(world.join(8).errc() == Errc::ok);
    CHECK(lift(world, by(3), 2, RestrictionKind::ban) == Errc::ok);
    CHECK(world.stream().back().kind == EventKind::unbanned);
    CHECK(world.join(2).errc() == Errc::ok);
    CHECK(world.say(2) == Errc::ok);
  }
}

TEST_CASE("a ban meets a join that is on its way") {
  World world;
  (void)world.create(by(1), ConversationKind::channel);
  for (int steps = 0; steps < 12; ++steps) {
    CAPTURE(steps);
    World here(static_cast<std::uint8_t>(10 + steps));
    (void)here.create(by(1), ConversationKind::channel);
    Asked<Access> joined;
    Asked<void> banned;
    here->join(by(2), joined.then());
    for (int i = 0; i < steps; ++i) here.fx.step();
    here->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(2)}, banned.then());
    here.fx.advance(3s);
    CHECK(banned.errc() == Errc::ok);
    CHECK(here.say(2) == Errc::denied);
    CHECK(here.access(1).value().members == 1);
    here.restart();
    CHECK(here.join(2).errc() == Errc::denied);
  }
}

TEST_CASE("mutes and bans are whole, whatever goes wrong") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    for (const Fault fault : every_verdict) {
      CAPTURE(static_cast<int>(kind), static_cast<int>(fault));
      World world;
      (void)world.create(by(1), kind, users(2, 2));
      REQUIRE(set(world, by(1), {.join = JoinRule::open}) == Errc::ok);
      world.fail_next(fault);
      const Errc muted = mute(world, by(1), 3);
      world.fail_next(fault);
      const Errc banned = ban(world, by(1), 2);
      world.fx.advance(5s);
      CHECK(muted == banned);
      CHECK(muted == (fault == Fault::failed ? Errc::unavailable : Errc::ok));
      world.restart();
      const bool holds = muted == Errc::ok;
      CHECK(world.rows('b') == (holds ? 2 : 0));
      CHECK(world.say(3) == (holds ? Errc::muted : Errc::ok));
      CHECK(world.say(2) == (holds ? Errc::denied : Errc::ok));
      CHECK(world.join(2).errc() == (holds ? Errc::denied : Errc::ok));
      (void)world.stream();
    }
  }
}

TEST_CASE("at most 10,000 are kept out") {
  World world;
  (void)world.create(by(1), ConversationKind::channel);
  std::vector<Asked<void>> asked;
  for (std::uint64_t n = 0; n <= limits::restricted; ++n) {
    world->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(100 + n)},
                    asked.emplace_back().then());
    if (n % 1000 == 999) world.fx.drain();
  }
  world.fx.drain();
  CHECK(asked[limits::restricted - 1].errc() == Errc::ok);
  CHECK(asked[limits::restricted].errc() == Errc::limit_reached);
  CHECK(ban(world, by(1), 100, world.fx.time.wall_ms + 9'000'000) == Errc::ok);  // one of them
  world.restart();
  CHECK(world.join(100 + limits::restricted - 1).errc() == Errc::denied);
  CHECK(ban(world, by(1), 5) == Errc::limit_reached);
  CHECK(lift(world, by(1), 101, RestrictionKind::ban) == Errc::ok);
  CHECK(ban(world, by(1), 5) == Errc::ok);
  Asked<void> wordy;
  world->restrict(by(1),
                  {.kind = RestrictionKind::ban,
                   .user = user(6),
                   .options = {{}, std::string(limits::reason + 1, 'r')}},
                  wordy.then());
  CHECK(wordy.errc() == Errc::too_large);
  Asked<void> terse;
  world->restrict(by(1),
                  {.kind = RestrictionKind::ban,
                   .user = user(5),
                   .options = {{}, std::string(limits::reason, 'r')}},
                  terse.then());
  world.fx.drain();
  CHECK(terse.errc() == Errc::ok);
  CHECK(page(world, by(1), RestrictionKind::ban, {}, limits::page_restrictions)->users.size() ==
        limits::page_restrictions);
  CHECK(
      page(world, by(1), RestrictionKind::ban, {}, limits::page_restrictions + 1).error().errc() ==
      Errc::invalid_argument);
}

TEST_CASE("slow mode holds members, not moderators, over restarts and on every device") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    World world;
    (void)world.create(by(1), kind, users(2, 2));
    REQUIRE(world.set_role(by(1), 3, Role::moderator) == Errc::ok);
    REQUIRE(set(world, by(1), {.slow_mode = 30s}) == Errc::ok);
    auto first = world.send(by(2), text("one", 1, 77));
    auto second = world.send(by(2), text("two", 2, 78));  // in the same batch
    world.fx.drain();
    CHECK(first.errc() == Errc::ok);
    CHECK(second.errc() == Errc::slow_mode);
    CHECK(second.result().error().retry_after == 30s);
    CHECK(second.result().error().retryable());
    auto again = world.send(by(2), text("one", 1, 77));
    world.fx.drain();
    CHECK(again.value().repeated);
    world.restart();
    world.fx.advance(10s);
    auto other = world.send(by(2, 999), text("from another device"));
    world.fx.drain();
    CHECK(other.errc() == Errc::slow_mode);
    CHECK(other.result().error().retry_after <= 20s);
    CHECK(world.say(3) == Errc::ok);
    CHECK(world.say(3) == Errc::ok);
    CHECK(world.say(1) == Errc::ok);
    world.fx.advance(20s);
    CHECK(world.say(2) == Errc::ok);
    CHECK(world.say(2) == Errc::slow_mode);
    CHECK(world.rows('l') == 1);
    REQUIRE(set(world, by(1), {.slow_mode = 0s}) == Errc::ok);
    CHECK(world.say(2) == Errc::ok);
  }
}

TEST_CASE("a clock that is set back does not hold anybody in slow mode until it has caught up") {
  World world;
  (void)world.create(by(1), ConversationKind::group, users(2, 1));
  REQUIRE(set(world, by(1), {.slow_mode = 30s}) == Errc::ok);
  REQUIRE(world.say(2) == Errc::ok);
  world.fx.time.wall_ms -= 3'600'000;
  (void)world.settled_wall_ms();  // notices the jump, follows it once it is stable
  world.fx.advance(WallClock::stable_for + 1s);
  REQUIRE(world.say(2) == Errc::ok);
  CHECK(world.say(2) == Errc::slow_mode);
}

TEST_CASE("slow mode counts what was committed, whatever goes wrong") {
  for (const Fault fault : every_verdict) {
    CAPTURE(static_cast<int>(fault));
    World world;
    (void)world.create(by(1), ConversationKind::group, users(2, 1));
    REQUIRE(set(world, by(1), {.slow_mode = 3600s}) == Errc::ok);
    world.fail_next(fault);
    auto sent = world.send(by(2), text("one", 1, 77));
    world.fx.advance(5s);
    const bool there = sent.errc() == Errc::ok;
    CHECK(there == (fault != Fault::failed));
    CHECK(world.say(2) == (there ? Errc::slow_mode : Errc::ok));
    world.restart();
    CHECK(world.say(2) == Errc::slow_mode);
  }
}
