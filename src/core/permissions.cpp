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
};
constexpr Entry entries[] = {
    {Action::send, &RoleTable::send, "send", true},
    {Action::edit, &RoleTable::edit, "edit", true},
    {Action::delete_own, &RoleTable::delete_own, "delete_own", true},
    {Action::delete_any, &RoleTable::delete_any, "delete_any", false},
    {Action::react, &RoleTable::react, "react", true},
    {Action::pin, &RoleTable::pin, "pin", true},
    {Action::add, &RoleTable::add, "add", false},
    {Action::invite, &RoleTable::invite, "invite", false},
    {Action::remove, &RoleTable::remove, "remove", false},
    {Action::mute, &RoleTable::mute, "mute", false},
    {Action::ban, &RoleTable::ban, "ban", false},
    {Action::set_role, &RoleTable::set_role, "set_role", false},
    {Action::change_settings, &RoleTable::change_settings, "change_settings", false},
    {Action::mention_all, &RoleTable::mention_all, "mention_all", true},
    {Action::set_retention, &RoleTable::set_retention, "set_retention", false},
    {Action::end, &RoleTable::delete_conversation, "delete_conversation", false},
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
  if (kind != ConversationKind::direct || hosts) return true;
  const Entry* entry = entry_of(action);
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

Error denied() { return {Errc::denied, "no such conversation, or it is not open to you for this"}; }

Error check_permissions(const Permissions& permissions) {
  struct Named {
    const RoleTable& table;
    const char* name;
  };
  for (const Named& kind : {Named{permissions.direct, "direct"}, Named{permissions.group, "group"},
                            Named{permissions.channel, "channel"}}) {
    for (const Entry& entry : entries) {
      if (known_role(kind.table.*(entry.role))) continue;
      return {Errc::invalid_argument, std::string("permissions.") + kind.name + "." + entry.name +
                                          ": a role from read_only to owner was expected"};
    }
  }
  return {};
}

}  // namespace parley::core
