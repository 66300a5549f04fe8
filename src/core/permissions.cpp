// permissions.cpp: see the header.
#include "core/permissions.hpp"

#include <string>

namespace parley::core {
namespace {

constexpr auto nobody = static_cast<Role>(255);

/// What the host's table says about an action.
struct Entry {
  Action action;
  Role RoleTable::*role;
  const char* name;
  bool direct;  // there is such a thing in a direct conversation
  bool space;   // in a space
};
constexpr Entry entries[] = {
    {Action::send, &RoleTable::send, "send", true, false},
    {Action::edit, &RoleTable::edit, "edit", true, false},
    {Action::delete_own, &RoleTable::delete_own, "delete_own", true, false},
    {Action::delete_any, &RoleTable::delete_any, "delete_any", false, false},
    {Action::react, &RoleTable::react, "react", true, false},
    {Action::pin, &RoleTable::pin, "pin", true, false},
    {Action::add, &RoleTable::add, "add", false, true},
    {Action::invite, &RoleTable::invite, "invite", false, true},
    {Action::remove, &RoleTable::remove, "remove", false, true},
    {Action::mute, &RoleTable::mute, "mute", false, true},
    {Action::ban, &RoleTable::ban, "ban", false, true},
    {Action::set_role, &RoleTable::set_role, "set_role", false, true},
    {Action::change_settings, &RoleTable::change_settings, "change_settings", false, true},
    {Action::mention_all, &RoleTable::mention_all, "mention_all", true, false},
    {Action::set_retention, &RoleTable::set_retention, "set_retention", false, true},
    {Action::create_child, &RoleTable::create_child, "create_child", false, true},
    {Action::end, &RoleTable::delete_conversation, "delete_conversation", false, true},
};

const Entry* entry_of(Action action) noexcept {
  for (const Entry& entry : entries)
    if (entry.action == action) return &entry;
  return nullptr;
}

}  // namespace

Role least_role(const Permissions& permissions, ConversationKind kind, Action action) noexcept {
  const bool direct = kind == ConversationKind::direct;
  if (const Entry* entry = entry_of(action)) {
    if (direct) return entry->direct ? permissions.direct.*(entry->role) : nobody;
    if (kind == ConversationKind::space)
      return entry->space ? permissions.space.*(entry->role) : nobody;
    if (action == Action::create_child) return nobody;
    const bool group = kind == ConversationKind::group;
    return (group ? permissions.group : permissions.channel).*(entry->role);
  }
  if (direct) return nobody;
  switch (action) {
    case Action::leave:
      return Role::read_only;
    case Action::transfer:
      return Role::owner;
    default:
      return nobody;
  }
}

bool system_may(ConversationKind kind, Action action) noexcept {
  const bool hosts =
      action == Action::delete_any || action == Action::set_retention || action == Action::end;
  const Entry* entry = entry_of(action);
  if (kind == ConversationKind::space) return entry == nullptr || entry->space;
  if (kind != ConversationKind::direct || hosts) return true;
  return entry != nullptr && entry->direct;
}

bool may_give(Role actor, Role target, Role to, bool self) noexcept {
  if (actor == Role::owner) return true;
  return to < actor && (self || target < actor);
}

bool known_role(Role role) noexcept {
  return role == Role::read_only || role == Role::member || role == Role::moderator ||
         role == Role::admin || role == Role::owner;
}

bool known_rule(JoinRule rule) noexcept {
  return rule == JoinRule::added || rule == JoinRule::open || rule == JoinRule::by_request;
}

Error denied() { return {Errc::denied, "no such conversation, or it is not open to you for this"}; }

Error check_permissions(const Permissions& permissions) {
  struct Named {
    const RoleTable& table;
    const char* name;
  };
  for (const Named& kind :
       {Named{permissions.direct, "direct"}, Named{permissions.group, "group"},
        Named{permissions.channel, "channel"}, Named{permissions.space, "space"}}) {
    for (const Entry& entry : entries) {
      if (known_role(kind.table.*(entry.role))) continue;
      return {Errc::invalid_argument, std::string("permissions.") + kind.name + "." + entry.name +
                                          ": expected a role from read_only to owner"};
    }
  }
  return {};
}

}  // namespace parley::core
