// conversation_requests_test.cpp: strangers who ask to be let in, and the answers, whatever goes
// wrong.
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

Errc set_and_wait(World& world, SettingsUpdate settings) {
  Asked<void> asked;
  world->set_settings(by(1), std::move(settings), asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Errc request(World& world, std::uint64_t who, std::string note = "please") {
  Asked<void> asked;
  world->request_join(by(who), std::move(note), asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Errc answer(World& world, Caller caller, std::uint64_t who, bool approve) {
  Asked<void> asked;
  world->answer_request(caller, user(who), approve, asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Result<wire::JoinRequestsPage> page(World& world, Caller caller, UserId after = {},
                                    std::uint32_t limit = 100) {
  Asked<wire::JoinRequestsPage> asked;
  world->join_requests(caller, {.after = after, .limit = limit}, asked.then());
  world.fx.drain();
  return asked.result();
}
std::size_t requests_open(World& world) { return page(world, by(1))->requests.size(); }
/// A conversation of user 1 with member 2, entered by request.
void open_world(World& world, ConversationKind kind) {
  (void)world.create(by(1), kind, {user(2)});
  REQUIRE(set_and_wait(world, {.join = JoinRule::by_request}) == Errc::ok);
}
bool in(World& world, std::uint64_t who) {
  const auto access = world.access(who);
  return access.errc() == Errc::ok && access.value().role != Role::none;
}
std::vector<EventKind> told_of(World& world, std::uint64_t who) {
  std::vector<EventKind> kinds_told;
  for (const auto& event : world.stream())
    if (event.target == user(who) && event.kind >= EventKind::join_requested)
      kinds_told.push_back(event.kind);
  return kinds_told;
}

}  // namespace

TEST_CASE("who waits for a conversation that is deleted is told that it is over") {
  for (const auto kind : groups_and_channels) {
    for (const bool crash : {false, true}) {
      CAPTURE(static_cast<int>(kind), crash);
      World world;
      open_world(world, kind);
      for (const int who : {5, 6, 7}) REQUIRE(request(world, who) == Errc::ok);
      REQUIRE(answer(world, by(1), 6, true) == Errc::ok);
      REQUIRE(answer(world, by(1), 7, false) == Errc::ok);
      const Seq before = world.head().head;
      Asked<void> ended;
      world->end(by(1), ended.then());
      if (crash) {
        while (world.access(1).errc() == Errc::ok && world.fx.step()) {}
        world.restart();
        REQUIRE_FALSE(world.wakes.empty());
        Asked<void> woken;
        world->wake(world.fx.time.wall_ms, woken.then());
      }
      world.fx.advance(40s);
      CHECK(world.refused == std::map<std::uint64_t, Seq>{{5, before + 1}});
    }
  }
}

TEST_CASE("a deletion waits for those who wait to be told, and is carried on by its wake-up") {
  for (const auto kind : groups_and_channels) {
    CAPTURE(static_cast<int>(kind));
    World world;
    open_world(world, kind);
    REQUIRE(request(world, 5) == Errc::ok);
    const Seq before = world.head().head;
    const int absent = world.absent;
    world.refusing_fails = true;
    Asked<void> ended, woken, again;
    world->end(by(1), ended.then());
    world.fx.advance(40s);
    REQUIRE(world.access(1).errc() == Errc::denied);
    REQUIRE_FALSE(world.wakes.empty());
    world->wake(world.fx.time.wall_ms, woken.then());
    world.fx.advance(40s);
    CHECK(woken.errc() == Errc::unavailable);
    CHECK(world.absent == absent);
    CHECK(world.refused.empty());

    world.refusing_fails = false;
    world->wake(world.fx.time.wall_ms, again.then());
    world.fx.advance(40s);
    CHECK(again.errc() == Errc::ok);
    CHECK(world.refused == std::map<std::uint64_t, Seq>{{5, before + 1}});
    CHECK(world.absent > absent);
  }
}

TEST_CASE("who asks waits, and is let in or not by those who may invite") {
  for (const auto kind : groups_and_channels) {
    CAPTURE(static_cast<int>(kind));
    World world;
    open_world(world, kind);
    CHECK(world.join(5).errc() == Errc::denied);
    REQUIRE(request(world, 5, "it is me") == Errc::ok);
    REQUIRE(request(world, 6) == Errc::ok);
    REQUIRE(request(world, 7) == Errc::ok);
    const Seq before = world.head().head;
    CHECK(request(world, 5, "again") == Errc::ok);  // changes nothing
    CHECK(request(world, 2) == Errc::ok);           // is in
    CHECK(world.head().head == before);
    CHECK_FALSE(in(world, 5));
    CHECK(page(world, by(2)).error().errc() == Errc::denied);
    CHECK(page(world, by(5)).error().errc() == Errc::denied);
    CHECK(answer(world, by(2), 5, true) == Errc::denied);
    CHECK(answer(world, by(5), 5, true) == Errc::denied);
    world.restart();
    const auto first = page(world, by(1), {}, 2);
    REQUIRE(first->requests.size() == 2);
    CHECK(first->more);
    CHECK(first->requests[0].user == user(5));
    CHECK(first->requests[0].note == "it is me");
    CHECK(first->requests[0].since > WallTime{});
    CHECK(page(world, by(1), user(6), 2)->requests.at(0).user == user(7));
    CHECK(answer(world, by(1), 5, true) == Errc::ok);
    CHECK(answer(world, by(1), 6, false) == Errc::ok);
    CHECK(answer(world, by(1), 5, true) == Errc::ok);  // so already
    CHECK(answer(world, by(1), 6, false) == Errc::ok);
    CHECK(answer(world, by(1), 6, true) == Errc::denied);
    CHECK(in(world, 5));
    CHECK_FALSE(in(world, 6));
    CHECK(world.access(5).value().role == Role::member);
    CHECK(requests_open(world) == 1);
    CHECK(told_of(world, 5) == std::vector{EventKind::join_requested, EventKind::join_approved});
    CHECK(told_of(world, 6) == std::vector{EventKind::join_requested, EventKind::join_denied});
    CHECK(request(world, 6) == Errc::ok);  // may ask again
    CHECK(answer(world, {}, 6, true) == Errc::ok);
    CHECK(in(world, 6));
  }
}

TEST_CASE("only those who may answer see who asks") {
  World world;
  open_world(world, ConversationKind::group);
  REQUIRE(request(world, 5) == Errc::ok);
  CHECK(world.stream().back().audience == audience::moderators);
  REQUIRE(set_and_wait(world, {.who_adds = Role::member}) == Errc::ok);
  REQUIRE(request(world, 6) == Errc::ok);
  CHECK(world.stream().back().audience == audience::everyone);
  CHECK(answer(world, by(2), 6, true) == Errc::ok);
}

TEST_CASE("nobody asks where it is not the rule, nor who is banned") {
  for (const auto kind : groups_and_channels) {
    World world;
    (void)world.create(by(1), kind, {user(2)});
    CHECK(request(world, 5) == Errc::denied);
    REQUIRE(set_and_wait(world, {.join = JoinRule::by_request}) == Errc::ok);
    Asked<void> banned;
    world->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(5)}, banned.then());
    world.fx.drain();
    CHECK(request(world, 5) == Errc::denied);
    REQUIRE(set_and_wait(world, {.archived = true}) == Errc::ok);
    CHECK(request(world, 6) == Errc::archived);
    CHECK(request(world, 6, std::string(limits::note + 1, 'n')) == Errc::too_large);
    CHECK(request(world, 6, "\xff") == Errc::invalid_argument);
    REQUIRE(set_and_wait(world, {.archived = false}) == Errc::ok);
    CHECK(request(world, 6, std::string(limits::note, 'n')) == Errc::ok);
    CHECK(page(world, by(1), {}, 0).error().errc() == Errc::invalid_argument);
    CHECK(page(world, by(1), {}, limits::page_join_requests + 1).error().errc() ==
          Errc::invalid_argument);
    CHECK(page(world, by(1), {}, limits::page_join_requests).ok());
  }
  World pair(2);
  (void)pair.direct(5, 6, 5);
  CHECK(request(pair, 7) == Errc::denied);
}

TEST_CASE("a request ends when it is taken back, with a ban, and with whatever lets its user in") {
  for (const auto kind : groups_and_channels) {
    World world;
    open_world(world, kind);
    for (const std::uint64_t n : {4, 5, 6, 7}) REQUIRE(request(world, n) == Errc::ok);
    CHECK(world.leave(4) == Errc::ok);
    CHECK(world.leave(4) == Errc::denied);
    Asked<void> banned;
    world->restrict(by(1), {.kind = RestrictionKind::ban, .user = user(5)}, banned.then());
    world.fx.advance(3s);
    REQUIRE(banned.errc() == Errc::ok);
    CHECK(requests_open(world) == 2);
    CHECK(told_of(world, 4).back() == EventKind::join_withdrawn);
    CHECK(told_of(world, 5).back() == EventKind::join_denied);
    Asked<Invite> link;
    world->create_invite(by(1), {}, link.then());
    world.fx.drain();
    Asked<Access> joined;
    world->join(by(6), parse_invite(link.value().token)->secret, joined.then());
    world.fx.advance(3s);
    REQUIRE(joined.errc() == Errc::ok);
    CHECK(told_of(world, 6).back() == EventKind::join_approved);
    REQUIRE(world.add(by(1), {user(7)}) == Errc::ok);
    CHECK(requests_open(world) ==
          (kind == ConversationKind::group ? 0 : 1));  // there a row is added
    CHECK(answer(world, by(1), 7, true) == Errc::ok);
    CHECK(requests_open(world) == 0);
    CHECK(world.rows('j') == 0);
    CHECK(in(world, 7));
    world.restart();
    CHECK(requests_open(world) == 0);
  }
}

TEST_CASE("requests and answers are whole, whatever goes wrong") {
  for (const auto kind : groups_and_channels) {
    for (const Fault fault : every_verdict) {
      CAPTURE(static_cast<int>(kind), static_cast<int>(fault));
      World world;
      open_world(world, kind);
      world.fail_next(fault);
      const Errc asked = request(world, 5);
      CHECK(asked == (fault == Fault::failed ? Errc::unavailable : Errc::ok));
      if (asked != Errc::ok) REQUIRE(request(world, 5) == Errc::ok);
      REQUIRE(request(world, 6) == Errc::ok);
      world.fail_next(fault);
      const Errc let_in = answer(world, by(1), 5, true);
      world.fail_next(fault);
      const Errc refused = answer(world, by(1), 6, false);
      CHECK(let_in == refused);
      CHECK(let_in == (fault == Fault::failed ? Errc::unavailable : Errc::ok));
      world.fx.inject = {};
      world.fx.advance(5s);
      world.restart();
      CHECK(in(world, 5) == (let_in == Errc::ok));
      CHECK(requests_open(world) == (let_in == Errc::ok ? 0 : 2));
      CHECK(told_of(world, 5).size() == (let_in == Errc::ok ? 2 : 1));
    }
  }
}

TEST_CASE("who a channel let in on request is in, whatever becomes of the row") {
  for (int steps = 0; steps < 30; ++steps) {
    CAPTURE(steps);
    World world;
    open_world(world, ConversationKind::channel);
    REQUIRE(request(world, 5) == Errc::ok);
    Asked<void> asked;
    world->answer_request(by(1), user(5), true, asked.then());
    for (int i = 0; i < steps; ++i) (void)world.fx.step();
    world.restart();
    REQUIRE(answer(world, by(1), 5, true) == Errc::ok);
    CHECK(in(world, 5));
    CHECK(requests_open(world) == 0);
    CHECK(world.access(1).value().members == 3);
  }
}

TEST_CASE("limits: 1,000 wait to be let in, not one more") {
  World world;
  open_world(world, ConversationKind::channel);
  std::vector<Asked<void>> asked;
  for (std::uint64_t n = 0; n <= limits::join_requests; ++n)
    world->request_join(by(100 + n), "", asked.emplace_back().then());
  world.fx.advance(3s);
  CHECK(asked[limits::join_requests - 1].errc() == Errc::ok);
  CHECK(asked[limits::join_requests].errc() == Errc::limit_reached);
  world.restart();
  CHECK(request(world, 5) == Errc::limit_reached);
  CHECK(answer(world, by(1), 100, false) == Errc::ok);
  CHECK(request(world, 5) == Errc::ok);
}
