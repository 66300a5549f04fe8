// conversation_invites_test.cpp: links into groups and channels: whom they let in, how often, and
// that a use is counted exactly, whatever goes wrong.
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/conversation.hpp"
#include "core/invite_token.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

Result<Invite> make(World& world, Caller caller, InviteOptions options = {}) {
  Asked<Invite> asked;
  world->create_invite(caller, options, asked.then());
  world.fx.advance(3s);
  return asked.result();
}
layout::InviteSecret secret_of(const Invite& link) { return parse_invite(link.token)->secret; }
Asked<Access> enter(World& world, std::uint64_t who, const Invite& link) {
  Asked<Access> asked;
  world->join(by(who), secret_of(link), asked.then());
  world.fx.advance(3s);
  return asked;
}
Errc revoke(World& world, Caller caller, const Invite& link) {
  Asked<void> asked;
  world->revoke_invite(caller, secret_of(link), asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Result<std::vector<Invite>> links(World& world, Caller caller) {
  Asked<std::vector<Invite>> asked;
  world->invites(caller, asked.then());
  world.fx.drain();
  return asked.result();
}
Errc ban(World& world, std::uint64_t who) {
  Asked<void> asked;
  world->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(who)}, asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Errc set_by_owner(World& world, SettingsUpdate settings) {
  Asked<void> asked;
  world->set_settings(by(1), std::move(settings), asked.then());
  world.fx.drain();
  return asked.errc();
}
WallTime after(World& world, std::chrono::milliseconds span) {
  return WallTime(std::chrono::milliseconds(world.fx.time.wall_ms) + span);
}

}  // namespace

TEST_CASE("a link lets in whoever has it, into the role that it gives") {
  for (const auto kind : groups_and_channels) {
    CAPTURE(static_cast<int>(kind));
    World world;
    (void)world.create(by(1), kind, {user(2)});
    REQUIRE(set_by_owner(world, {.join = JoinRule::added}) == Errc::ok);
    const auto link = make(world, by(1), {.role = Role::moderator, .uses = 5});
    REQUIRE(link.ok());
    CHECK(link->token.size() == limits::invite_token);
    CHECK(parse_invite(link->token)->conversation == world.id());
    CHECK_FALSE(parse_invite(link->token + '0'));
    CHECK_FALSE(parse_invite(link->token.substr(1)));
    CHECK(make(world, by(1))->token != link->token);
    world.restart();
    CHECK(world.join(7).errc() == Errc::denied);
    const auto in = enter(world, 7, *link);
    REQUIRE(in.errc() == Errc::ok);
    CHECK(in.value().role == Role::moderator);
    CHECK(in.value().members == 3);
    REQUIRE(enter(world, 7, *link).errc() == Errc::ok);  // in already: nothing is used
    REQUIRE(enter(world, 2, *link).errc() == Errc::ok);
    CHECK(world.access(2).value().role == Role::member);
    const auto all = links(world, by(1));
    REQUIRE(all->size() == 2);
    CHECK(all->at(0).used == 1);
    CHECK(all->at(0).role == Role::moderator);
    CHECK(all->at(0).by == user(1));
    CHECK(world.leave(7) == Errc::ok);
    world.restart();
    CHECK(world.access(7).value().role == Role::none);
    REQUIRE(enter(world, 7, *link).errc() == Errc::ok);
    CHECK(links(world, by(1))->at(0).used == 2);
    const auto events = world.stream();
    if (kind == ConversationKind::group) {
      CHECK(events.back().kind == EventKind::joined);
      CHECK(events.back().role == Role::moderator);
    } else {
      CHECK(events.size() == 2);  // created, and the settings: joins are rows there
    }
  }
}

TEST_CASE("a link ends: expired, used up, revoked; and every refusal is the same") {
  for (const auto kind : groups_and_channels) {
    World world;
    (void)world.create(by(1), kind, {user(2)});
    const auto brief = make(world, by(1), {.expires = after(world, 60s)});
    const auto once = make(world, by(1), {.uses = 1});
    const auto gone = make(world, by(1));
    REQUIRE(enter(world, 5, *once).errc() == Errc::ok);
    CHECK(revoke(world, by(2), *gone) == Errc::denied);
    CHECK(revoke(world, by(1), *gone) == Errc::ok);
    CHECK(revoke(world, by(1), *gone) == Errc::ok);
    world.fx.advance(60s);
    Invite made_up = *gone;
    made_up.token.back() = made_up.token.back() == '0' ? '1' : '0';
    std::string said;
    for (const Invite& link : {*brief, *once, *gone, made_up}) {
      const auto tried = enter(world, 6, link);
      REQUIRE(tried.errc() == Errc::denied);
      if (said.empty()) said = tried.result().error().message;
      CHECK(tried.result().error().message == said);
    }
    CHECK(links(world, by(1))->empty());
    World nowhere(9);
    Asked<Access> asked;
    nowhere->join(by(6), secret_of(*gone), asked.then());
    nowhere.fx.drain();
    CHECK(asked.result().error().message == said);
  }
}

TEST_CASE("the banned do not come in, nobody comes into what is archived or full") {
  for (const auto kind : groups_and_channels) {
    World world;
    (void)world.create(by(1), kind, {user(2)});
    const auto link = make(world, by(1));
    REQUIRE(ban(world, 5) == Errc::ok);
    CHECK(enter(world, 5, *link).errc() == Errc::denied);
    REQUIRE(set_by_owner(world, {.archived = true}) == Errc::ok);
    CHECK(enter(world, 6, *link).errc() == Errc::archived);
    REQUIRE(set_by_owner(world, {.archived = false}) == Errc::ok);
    CHECK(enter(world, 6, *link).errc() == Errc::ok);
    CHECK(links(world, by(1))->at(0).used == 1);
  }
  World full;
  (void)full.create(by(1), ConversationKind::group);
  const auto link = make(full, by(1), {.uses = 3});
  for (std::uint64_t n = 0; n + 1 < limits::group_members;) {
    std::vector<UserId> some;
    for (; some.size() < limits::add_at_once && n + 1 < limits::group_members; ++n)
      some.push_back(user(1000 + n));
    REQUIRE(full.add(by(1), some) == Errc::ok);
  }
  CHECK(enter(full, 5, *link).errc() == Errc::limit_reached);
  CHECK(links(full, by(1))->at(0).used == 0);
  REQUIRE(full.remove(by(1), 1000) == Errc::ok);
  CHECK(enter(full, 5, *link).errc() == Errc::ok);
}

TEST_CASE("two who join with the last use of a link: one is in") {
  for (const auto kind : groups_and_channels) {
    for (const Fault fault : every_verdict) {
      CAPTURE(static_cast<int>(kind), static_cast<int>(fault));
      World world;
      (void)world.create(by(1), kind, {user(2)});
      const auto link = make(world, by(1), {.uses = 2});
      REQUIRE(enter(world, 4, *link).errc() == Errc::ok);
      world.fail_next(fault);
      Asked<Access> five, six, again;
      world->join(by(5), secret_of(*link), five.then());
      world->join(by(6), secret_of(*link), six.then());
      world->join(by(5, 77), secret_of(*link), again.then());  // another device, for nothing
      world.fx.advance(5s);
      if (fault == Fault::failed) {
        CHECK(five.errc() == Errc::unavailable);
        CHECK(enter(world, 5, *link).errc() == Errc::ok);
      } else {
        CHECK(five.errc() == Errc::ok);
        CHECK(again.errc() == Errc::ok);
        CHECK(six.errc() == Errc::denied);
      }
      CHECK(enter(world, 6, *link).errc() == Errc::denied);
      CHECK(world.access(1).value().members == 4);
      world.fx.inject = {};
      world.restart();
      CHECK(enter(world, 6, *link).errc() == Errc::denied);
      CHECK(enter(world, 5, *link).errc() == Errc::ok);
      CHECK(world.access(1).value().members == 4);
      (void)world.stream();
    }
  }
}

TEST_CASE("who a channel let in is in, whatever becomes of the row") {
  for (const Fault fault : every_verdict) {
    CAPTURE(static_cast<int>(fault));
    World world;
    (void)world.create(by(1), ConversationKind::channel, {user(2)});
    const auto link = make(world, by(1), {.uses = 1});
    world.fail_next(fault, layout::member);
    Asked<Access> asked;
    world->join(by(5), secret_of(*link), asked.then());
    world.fx.drain();
    CHECK((asked.errc() == Errc::ok || asked.errc() == Errc::unavailable ||
           asked.errc() == Errc::timed_out));
    world.fx.advance(5s);  // the timer writes what failed
    REQUIRE(enter(world, 5, *link).errc() == Errc::ok);
    CHECK(world.access(1).value().members == 3);
    world.fx.advance(2s);
    CHECK(world.rows('y') == 0);
    CHECK(world.leave(5) == Errc::ok);
    CHECK(enter(world, 5, *link).errc() == Errc::denied);  // the use is counted
  }
}

TEST_CASE("a crash between the count and the row uses nothing twice, and brings nobody back") {
  for (int steps = 0; steps < 40; ++steps) {
    CAPTURE(steps);
    World world;
    (void)world.create(by(1), ConversationKind::channel, {user(2)});
    const auto link = make(world, by(1), {.uses = 1});
    Asked<Access> asked;
    world->join(by(5), secret_of(*link), asked.then());
    for (int i = 0; i < steps; ++i) (void)world.fx.step();
    world.restart();
    REQUIRE(enter(world, 5, *link).errc() == Errc::ok);
    CHECK(enter(world, 6, *link).errc() == Errc::denied);
    CHECK(world.access(1).value().members == 3);

    // Whose row is still noted as let in may leave, and is not let in again.
    Asked<void> left;
    world->leave(by(5), left.then());
    for (int i = 0; i < 20 && !left.answered(); ++i) (void)world.fx.step();
    world.fx.drain();
    REQUIRE(left.errc() == Errc::ok);
    world.restart();
    CHECK(world.access(5).value().role == Role::none);
    CHECK(world.access(1).value().members == 2);
  }
}

TEST_CASE("a ban meets who is on the way in") {
  World world;
  (void)world.create(by(1), ConversationKind::channel, {user(2)});
  const auto link = make(world, by(1));
  Asked<Access> in;
  Asked<void> out;
  world->join(by(5), secret_of(*link), in.then());
  world->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(5)}, out.then());
  world.fx.advance(3s);
  CHECK(out.errc() == Errc::ok);
  CHECK(world.access(5).value().role == Role::none);
  world.restart();
  CHECK(world.access(5).value().role == Role::none);
  CHECK(enter(world, 5, *link).errc() == Errc::denied);
}

TEST_CASE("who may make links, and which") {
  for (const auto kind : groups_and_channels) {
    World world;
    (void)world.create(by(1), kind, {user(2), user(3), user(4)});
    REQUIRE(world.set_role(by(1), 3, Role::admin) == Errc::ok);
    CHECK(make(world, by(2)).error().errc() == Errc::denied);
    CHECK(make(world, by(9)).error().errc() == Errc::denied);
    CHECK(links(world, by(2)).error().errc() == Errc::denied);
    CHECK(make(world, by(3), {.role = Role::admin}).error().errc() == Errc::denied);
    CHECK(make(world, by(3), {.role = Role::moderator}).ok());
    CHECK(make(world, by(1), {.role = Role::owner}).error().errc() == Errc::invalid_argument);
    CHECK(make(world, by(1), {.role = Role::none}).error().errc() == Errc::invalid_argument);
    CHECK(make(world, by(1), {.expires = after(world, -1ms)}).error().errc() ==
          Errc::invalid_argument);
    CHECK(make(world, by(1), {.expires = WallTime(-1ms)}).error().errc() == Errc::invalid_argument);
    const auto high = make(world, by(1), {.role = Role::admin});
    REQUIRE(high.ok());
    CHECK(links(world, by(1))->size() == 2);
    CHECK(links(world, by(3))->size() == 1);  // not what it could not have made
    CHECK(revoke(world, by(3), *high) == Errc::denied);
    REQUIRE(set_by_owner(world, {.who_adds = Role::member}) == Errc::ok);
    CHECK(make(world, by(2)).ok());
    CHECK(make(world, by(2), {.role = Role::moderator}).error().errc() == Errc::denied);
    CHECK(make(world, {}, {.role = Role::admin}).ok());
    REQUIRE(set_by_owner(world, {.archived = true}) == Errc::ok);
    CHECK(make(world, by(2)).error().errc() == Errc::archived);
  }
  World pair(2);
  (void)pair.direct(5, 6, 5);
  CHECK(make(pair, by(5)).error().errc() == Errc::denied);
  CHECK(make(pair, {}).error().errc() == Errc::denied);
  CHECK(links(pair, {}).error().errc() == Errc::denied);
}

TEST_CASE("a link goes with the right to make it") {
  for (const auto kind : groups_and_channels) {
    World world;
    (void)world.create(by(1), kind, {user(2), user(3), user(4)});
    for (const std::uint64_t n : {2, 3, 4})
      REQUIRE(world.set_role(by(1), n, Role::admin) == Errc::ok);
    const auto removed = make(world, by(2), {.role = Role::moderator});
    const auto demoted = make(world, by(3), {.role = Role::moderator});
    const auto banned = make(world, by(4));
    const auto system = make(world, {});
    REQUIRE(world.remove(by(1), 2) == Errc::ok);
    REQUIRE(world.set_role(by(1), 3, Role::member) == Errc::ok);
    REQUIRE(ban(world, 4) == Errc::ok);
    CHECK(links(world, by(1))->size() == 1);
    world.restart();
    CHECK(links(world, by(1))->size() == 1);
    for (const Invite& link : {*removed, *demoted, *banned})
      CHECK(enter(world, 2, link).errc() == Errc::denied);
    CHECK(enter(world, 2, *system).errc() == Errc::ok);
  }
}

TEST_CASE("links are whole, whatever goes wrong") {
  for (const auto kind : groups_and_channels) {
    for (const Fault fault : every_verdict) {
      CAPTURE(static_cast<int>(kind), static_cast<int>(fault));
      World world;
      (void)world.create(by(1), kind, {user(2)});
      const auto old = make(world, by(1));
      world.fail_next(fault);
      const auto link = make(world, by(1), {.uses = 1});
      CHECK(link.ok() == (fault != Fault::failed));
      CHECK(world.rows('v') == (link ? 2U : 1U));
      world.fail_next(fault);
      const Errc revoked = revoke(world, by(1), *old);
      CHECK(revoked == (fault == Fault::failed ? Errc::unavailable : Errc::ok));
      world.restart();
      CHECK(enter(world, 6, *old).errc() == (revoked == Errc::ok ? Errc::denied : Errc::ok));
      if (link) CHECK(enter(world, 7, *link).errc() == Errc::ok);
    }
  }
}

TEST_CASE("limits: a conversation has 100 links; what has ended makes room") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  const auto brief = make(world, by(1), {.expires = after(world, 3600s)});
  for (std::size_t n = 1; n < limits::invites; ++n) REQUIRE(make(world, by(1)).ok());
  CHECK(make(world, by(1)).error().errc() == Errc::limit_reached);
  CHECK(world.rows('v') == limits::invites);
  world.fx.advance(3600s);
  CHECK(make(world, by(1)).ok());
  CHECK(world.rows('v') == limits::invites);
  CHECK(make(world, by(1)).error().errc() == Errc::limit_reached);
  CHECK(enter(world, 5, *brief).errc() == Errc::denied);
}
