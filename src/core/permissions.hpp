// core/permissions.hpp: the one place that says who may do what in a conversation.
#pragma once
#include <cstdint>

#include "parley/conversation.hpp"
#include "parley/error.hpp"
#include "parley/permissions.hpp"
#include "parley/settings.hpp"

namespace parley::core {

enum class Action : std::uint8_t {
  send,
  edit,        // one's own messages
  delete_own,  // messages
  delete_any,
  react,  // and vote
  pin,    // and unpin
  add,
  invite,  // make links
  remove,
  mute,  // and unmute
  ban,
  set_role,
  change_settings,
  leave,
  transfer,     // the own ownership, to another member
  mention_all,  // everybody, or everybody who is here
  set_retention,
  create_child,  // spaces
  end,           // delete the conversation for good
};

/// The least role that may do it; above every role when nobody may. `none`: strangers may.
Role least_role(const Permissions& permissions, ConversationKind kind, Action action) noexcept;
/// Whether the system may: it is bound by no role, but two people stay two people.
bool system_may(ConversationKind kind, Action action) noexcept;
/// Whether `actor`, who may give roles, may give `to` to a member whose role is `target`; `self`:
/// to itself.
bool may_give(Role actor, Role target, Role to, bool self) noexcept;
/// The same words for what is absent and what is forbidden.
Error denied();
/// A role that a member can have.
bool known_role(Role role) noexcept;
bool known_rule(JoinRule rule) noexcept;
/// Names the first entry that is no role.
Error check_permissions(const Permissions& permissions);

}  // namespace parley::core
