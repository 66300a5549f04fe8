// parley/joining.hpp: how somebody comes into a group or channel who is not added. Thread: any;
// these are values.
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

// Where ConversationSettings::join is by_request, strangers ask, and who has the right to invite
// answers.

/// Somebody who asks to be let in, as those know it who may answer.
struct Applicant {
  UserId user{};
  WallTime since{};
  std::string note{};  // up to limits::note bytes of UTF-8
};
enum class JoinRequestState : std::uint8_t {
  waiting = 1,
  approved = 2,   // and a member
  denied = 3,     // or banned, or the conversation was deleted
  withdrawn = 4,  // by who asked, with Session::leave
};
/// What became of a user's own request; one that was approved or withdrawn is none any more.
struct OwnRequest {
  ConversationId conversation{};
  JoinRequestState state = JoinRequestState::waiting;  // or denied
  WallTime time{};                                     // of that
};

}  // namespace parley::inline v0
