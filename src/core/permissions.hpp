// core/permissions.hpp: the one table of who may do what in a conversation.
#pragma once
#include <cstdint>

#include "parley/conversation.hpp"
#include "parley/error.hpp"

namespace parley::core {

enum class Action : std::uint8_t {
  send,
  join,
  leave,
  add,
  remove,
  set_role,
  set_title,
  edit,        // one's own messages
  delete_own,  // messages
  delete_any,
  react,
  pin,  // and unpin
};

/// Whether a member of that role may do it at all; `none` is a stranger or a former member.
bool may(ConversationKind kind, Action action, Role role) noexcept;
/// Whether `actor` may remove a member of role `target` (another than itself).
bool may_remove(Role actor, Role target) noexcept;
/// Whether `actor` may give `to` to a member whose role is `target`; `self`: to itself.
bool may_give(Role actor, Role target, Role to, bool self) noexcept;
/// The same words for what is absent and what is forbidden.
Error denied();
/// A role that a member can have.
bool known_role(Role role) noexcept;

}  // namespace parley::core
