// permissions.cpp: see the header.
#include "core/permissions.hpp"

namespace parley::core {
namespace {

constexpr auto nobody = static_cast<Role>(255);

// The least role that may do it; none: everybody, strangers too.
Role least(ConversationKind kind, Action action) noexcept {
  switch (kind) {
    case ConversationKind::direct:
      switch (action) {
        case Action::send:
        case Action::edit:
        case Action::delete_own:
        case Action::react:
        case Action::pin:
          return Role::member;
        default:
          return nobody;
      }
    case ConversationKind::group:
      switch (action) {
        case Action::send:
        case Action::leave:
        case Action::edit:
        case Action::delete_own:
        case Action::react:
        case Action::pin:
          return Role::member;
        case Action::add:
        case Action::remove:
        case Action::set_role:
        case Action::set_title:
        case Action::delete_any:
          return Role::admin;
        case Action::join:
          return nobody;
      }
      break;
    case ConversationKind::channel:
      switch (action) {
        case Action::join:
          return Role::none;
        case Action::send:
        case Action::leave:
        case Action::edit:
        case Action::delete_own:
        case Action::react:
          return Role::member;
        case Action::add:
        case Action::remove:
        case Action::set_role:
        case Action::set_title:
        case Action::delete_any:
        case Action::pin:
          return Role::admin;
      }
      break;
  }
  return nobody;
}

}  // namespace

bool may(ConversationKind kind, Action action, Role role) noexcept {
  return role >= least(kind, action);
}

bool may_remove(Role actor, Role target) noexcept { return actor >= Role::admin && target < actor; }

bool may_give(Role actor, Role target, Role to, bool self) noexcept {
  if (actor < Role::admin) return false;
  if (actor == Role::owner) return true;
  return to < Role::admin && (self || target < actor);  // only an owner makes admins and owners
}

bool known_role(Role role) noexcept {
  return role == Role::member || role == Role::admin || role == Role::owner;
}

Error denied() { return {Errc::denied, "no such conversation, or it is not open to you for this"}; }

}  // namespace parley::core
