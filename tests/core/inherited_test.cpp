// inherited_test.cpp: what a member of a space is in one of its channels, case by case.
#include "core/inherited.hpp"

#include "catch.hpp"

using namespace parley;
using namespace parley::core;

namespace {

constexpr std::uint64_t entry = 7;

layout::InfoRow channel(JoinRule join, std::uint64_t opened = 0) {
  layout::InfoRow row{.kind = ConversationKind::channel};
  row.settings.join = join;
  row.opened_ordinal = opened;
  return row;
}
SpaceRight in_space(Role role = Role::member) {
  return {.role = role, .entry = entry, .since_ms = 9, .beginning = 5};
}
layout::MemberRow own(Role role, std::uint64_t of = entry) {
  return {.role = role, .since_ms = 20, .visible_ordinal = 12, .admission = of};
}

}  // namespace

TEST_CASE("an open channel is every member's, from where it stood when they came") {
  const auto row = inherit(channel(JoinRule::open), in_space(Role::moderator), {}, false);
  REQUIRE(row);
  CHECK(row->role == Role::moderator);
  CHECK(row->visible_from == 1);
  CHECK(row->visible_ordinal == 5);
  CHECK(row->since_ms == 9);
  CHECK(inherit(channel(JoinRule::open, 8), in_space(), {}, false)->visible_ordinal == 8);
  CHECK(inherit(channel(JoinRule::open, 3), in_space(), {}, false)->visible_ordinal == 5);
}

TEST_CASE("who is not in the space is a stranger in its channels, whatever row is there") {
  for (const JoinRule join : {JoinRule::open, JoinRule::added}) {
    CHECK_FALSE(inherit(channel(join), {}, {}, false));
    CHECK_FALSE(inherit(channel(join), {}, own(Role::owner), false));
    CHECK_FALSE(inherit(channel(join), {}, own(Role::none), false));
  }
}

TEST_CASE("a private channel is of those who have a row there") {
  CHECK_FALSE(inherit(channel(JoinRule::added), in_space(Role::owner), {}, false));
  const auto row = inherit(channel(JoinRule::added), in_space(), own(Role::read_only), false);
  REQUIRE(row);
  CHECK(row->role == Role::member);  // the higher of both
  CHECK(row->visible_ordinal == 12);
  CHECK(row->since_ms == 20);
}

TEST_CASE("the higher of both roles counts") {
  for (const Role here : {Role::read_only, Role::member, Role::moderator, Role::owner})
    for (const Role there : {Role::read_only, Role::member, Role::moderator, Role::owner})
      CHECK(inherit(channel(JoinRule::open), in_space(there), own(here), false)->role ==
            std::max(here, there));
}

TEST_CASE("who went from an open channel, or was removed, is out of it") {
  layout::MemberRow gone = own(Role::none);
  gone.left_at = 4;
  const auto row = inherit(channel(JoinRule::open), in_space(Role::admin), gone, false);
  REQUIRE(row);
  CHECK(row->role == Role::none);
  CHECK(row->left_at == 4);
}

TEST_CASE("a row of an earlier entry into the space says nothing") {
  CHECK_FALSE(inherit(channel(JoinRule::added), in_space(), own(Role::owner, entry - 1), false));
  const auto open = inherit(channel(JoinRule::open), in_space(), own(Role::none, entry - 1), false);
  REQUIRE(open);
  CHECK(open->role == Role::member);
  CHECK(open->visible_ordinal == 5);
  const auto role =
      inherit(channel(JoinRule::open), in_space(), own(Role::owner, entry - 1), false);
  CHECK(role->role == Role::member);
}

TEST_CASE("what a user deleted for itself stays so under a later entry") {
  layout::MemberRow before = own(Role::member, entry - 1);
  before.own_deletion_ms = 3;
  CHECK(inherit(channel(JoinRule::open), in_space(), before, false)->own_deletion_ms == 3);
}

TEST_CASE("who was given a role and never came begins as the others do") {
  layout::MemberRow given{.role = Role::moderator, .admission = entry};
  const auto row = inherit(channel(JoinRule::open, 8), in_space(), given, false);
  REQUIRE(row);
  CHECK(row->role == Role::moderator);
  CHECK(row->visible_ordinal == 8);
  CHECK(row->since_ms == 9);
  CHECK_FALSE(inherit(channel(JoinRule::added), in_space(), given, false));  // out with the others
}

TEST_CASE("a ban from the channel counts before any row, a shadow ban in either place") {
  CHECK_FALSE(inherit(channel(JoinRule::open), in_space(), {}, true));
  SpaceRight shadowed = in_space();
  shadowed.shadowed = true;
  CHECK(inherit(channel(JoinRule::open), shadowed, {}, false)->shadowed);
  CHECK(inherit(channel(JoinRule::open), shadowed, own(Role::member), false)->shadowed);
  layout::MemberRow here = own(Role::member);
  here.shadowed = true;
  CHECK(inherit(channel(JoinRule::open), in_space(), here, false)->shadowed);
}

// The row of a member who had gone out of the space and come again was no row any more, and the
// shadow ban in it none either. Only the host ends one.
TEST_CASE("a shadow ban in a channel outlives going out of the space and coming back") {
  layout::MemberRow before = own(Role::member, entry - 1);
  before.shadowed = true;
  const auto row = inherit(channel(JoinRule::open), in_space(), before, false);
  REQUIRE(row);
  CHECK(row->shadowed);
  CHECK(row->visible_ordinal == 5);
}
