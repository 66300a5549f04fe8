// parley/joining.hpp: how somebody comes into a group or channel who is not added.
#pragma once
#include <cstdint>
#include <string>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"

namespace parley::inline v0 {

struct InviteOptions {
  /// Of who joins with it: read_only to admin. Above member, it must be below the maker's own.
  Role role = Role::member;
  WallTime expires{};      // zero: never. By the wall clock; a jump of it counts after a minute
  std::uint32_t uses = 0;  // how many may join with it; zero: any number
};
/// A link into a group or channel. It holds until it expires, is used up or revoked, or until its
/// maker is removed, banned, or has a role that could not make it.
struct Invite {
  std::string token{};  // limits::invite_token characters of a URL; who has it may join, once
  Role role = Role::member;
  UserId by{};  // none: the system
  WallTime created{};
  WallTime expires{};      // zero: never
  std::uint32_t uses = 0;  // zero: any number
  std::uint32_t used = 0;  // who is in already uses nothing
};

}  // namespace parley::inline v0
