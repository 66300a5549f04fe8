// conversation_spaces_test.cpp: a space: who is in it and what they may, that nobody writes there,
// and that every entry of a user has a number above those before.
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/conversation.hpp"
#include "core/invite_token.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

std::optional<layout::MemberRow> row_of(World& world, std::uint64_t who) {
  const auto bucket = layout::bucket_of(user(who), layout::channel_member_buckets);
  const std::string partition = layout::member_id(0, world.id(), bucket);
  const std::string key = layout::member_key(user(who));
  const Get get{.cells = {{{layout::member, partition}, key}}};
  const auto cells = world.fx.store.get_now(get);
  const auto& value = cells->values[0];
  return value ? layout::decode_member(*value) : std::nullopt;
}
std::uint64_t entry_of(World& world, std::uint64_t who) {
  const auto row = row_of(world, who);
  return row ? row->admission : 0;
}
Errc set(World& world, SettingsUpdate settings) {
  Asked<void> asked;
  world->set_settings(by(1), std::move(settings), asked.then());
  world.fx.drain();
  return asked.errc();
}
Errc enter(World& world, std::uint64_t who, const Invite& link) {
  Asked<Access> asked;
  world->join(by(who), parse_invite(link.token)->secret, asked.then());
  world.fx.advance(3s);
  return asked.errc();
}
Invite make_link(World& world) {
  Asked<Invite> asked;
  world->create_invite(by(1), {}, asked.then());
  world.fx.advance(3s);
  return asked.value();
}

}  // namespace

TEST_CASE("a space has members and roles, as a channel has, and is entered by invitation") {
  World world;
  REQUIRE(world.create(by(1), ConversationKind::space, {user(2)}).errc() == Errc::ok);
  CHECK(world.access(1).value().role == Role::owner);
  CHECK(world.access(2).value().role == Role::member);
  CHECK(world.access(2).value().kind == ConversationKind::space);
  CHECK(world.access(2).value().visible_from == 1);
  CHECK(world.join(3).errc() == Errc::denied);
  CHECK(world.add(by(2), {user(3)}) == Errc::denied);
  CHECK(world.add(by(1), {user(3)}) == Errc::ok);
  CHECK(enter(world, 4, make_link(world)) == Errc::ok);
  CHECK(world.set_role(by(1), 4, Role::moderator) == Errc::ok);
  world.restart();
  CHECK(world.list(by(2))->count == 4);
  CHECK(world.remove(by(4), 3) == Errc::ok);
  CHECK(world.leave(2) == Errc::ok);
  CHECK(world.access(3).value().role == Role::none);
  CHECK(set(world, {.join = JoinRule::open}) == Errc::ok);
  CHECK(world.join(2).errc() == Errc::ok);
  const auto events = world.stream();
  REQUIRE(events.size() == 4);  // created, the role, the removal, the settings: joins are rows
  CHECK(events[0].conversation_kind == ConversationKind::space);
  CHECK(world.rows('m') == 0);
}

TEST_CASE("nobody writes in a space, whatever the settings and whoever it is") {
  World world;
  (void)world.create(by(1), ConversationKind::space, {user(2)});
  REQUIRE(set(world, {.who_sends = Role::member, .who_pins = Role::member}) == Errc::ok);
  for (const Caller& caller : {by(1), by(2), Caller{}}) {
    auto sent = world.send(caller, text("hello"));
    world.fx.drain();
    CHECK(sent.errc() == Errc::denied);
    Asked<void> edited, deleted, pinned;
    world->edit(caller, 1, "", Payload::copy_of("x"), edited.then());
    world->delete_message(caller, 1, deleted.then());
    world->pin(caller, 1, true, pinned.then());
    world.fx.drain();
    CHECK(edited.errc() == Errc::denied);
    CHECK(deleted.errc() == Errc::denied);
    CHECK(pinned.errc() == Errc::denied);
  }
  Asked<void> reacted;
  world->react(by(1), 1, "+1", true, reacted.then());
  Asked<bool> written;
  world->may_write(by(1), written.then());
  world.fx.drain();
  CHECK(reacted.errc() == Errc::denied);
  CHECK(written.errc() == Errc::denied);
  CHECK(world.stream().size() == 2);
}

TEST_CASE("every entry into a space has a number above those before") {
  World world;
  (void)world.create(by(1), ConversationKind::space, {user(2)});
  const Invite link = make_link(world);
  REQUIRE(set(world, {.join = JoinRule::open}) == Errc::ok);
  CHECK(entry_of(world, 1) != 0);
  std::uint64_t last = entry_of(world, 2);
  CHECK(last != 0);
  const auto grown = [&] { return entry_of(world, 2) > std::exchange(last, entry_of(world, 2)); };
  CHECK(world.leave(2) == Errc::ok);
  CHECK(entry_of(world, 2) == last);  // what is left of that membership
  CHECK(world.join(2).errc() == Errc::ok);
  CHECK(grown());
  CHECK(world.join(2).errc() == Errc::ok);  // in already
  CHECK(world.set_role(by(1), 2, Role::moderator) == Errc::ok);
  world.fx.advance(3s);
  CHECK(entry_of(world, 2) == last);
  CHECK(world.remove(by(1), 2) == Errc::ok);
  world.fx.advance(3s);
  CHECK(enter(world, 2, link) == Errc::ok);
  CHECK(grown());
  CHECK(world.remove(by(1), 2) == Errc::ok);
  CHECK(world.add(by(1), {user(2)}) == Errc::ok);
  CHECK(grown());
  world.restart();
  world.forget_snowflakes();  // the clock was set back
  CHECK(world.leave(2) == Errc::ok);
  CHECK(enter(world, 2, link) == Errc::ok);
  CHECK(grown());
  CHECK(world.leave(2) == Errc::ok);
  CHECK(world.join(2).errc() == Errc::ok);
  CHECK(grown());
}

TEST_CASE("an entry keeps its number, whatever goes wrong and whoever else lets them in") {
  for (const Fault fault : every_verdict) {
    CAPTURE(static_cast<int>(fault));
    for (const std::uint8_t where : {layout::conversation, layout::member}) {
      World world;
      (void)world.create(by(1), ConversationKind::space, {});
      const Invite link = make_link(world);
      auto first = std::make_shared<bool>(true);
      world.fx.inject = [fault, first, where](const Batch& batch) {
        return batch.partition.space == where && std::exchange(*first, false) ? fault : Fault::none;
      };
      Asked<Access> by_link;
      Asked<void> added;
      world->join(by(2), parse_invite(link.token)->secret, by_link.then());
      world->add(by(1), {user(2)}, added.then());
      world.fx.advance(10s);
      const std::uint64_t entry = entry_of(world, 2);
      REQUIRE(world.access(2).value().role == Role::member);
      CHECK(entry != 0);
      world.restart();
      CHECK(world.access(2).value().role == Role::member);
      world.fx.advance(3s);
      CHECK(entry_of(world, 2) == entry);
      CHECK(world.leave(2) == Errc::ok);
      world.fx.advance(3s);
      world.restart();
      world.fx.advance(3s);
      CHECK(world.access(2).value().role == Role::none);  // let in once
      CHECK(world.rows('y') == 0);
    }
  }
}
