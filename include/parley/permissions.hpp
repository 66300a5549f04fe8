// parley/permissions.hpp: who may do what: the least role for each action in each kind of
// conversation. Thread: any; these are values.
#pragma once
#include "parley/conversation.hpp"

namespace parley::inline v0 {

/// The least role that may do it (ConversationSettings may say otherwise for one conversation),
/// Role::read_only .. Role::owner. Whoever may act on a member does so on lower roles than the own
/// one only.
struct RoleTable {
  Role send = Role::member;
  Role edit = Role::member;        // one's own messages
  Role delete_own = Role::member;  // messages
  Role delete_any = Role::moderator;
  Role react = Role::member;  // and vote
  Role pin = Role::member;    // and unpin
  Role add = Role::admin;
  Role invite = Role::admin;  // links, and those who ask to join
  Role remove = Role::moderator;
  Role mute = Role::moderator;
  Role ban = Role::moderator;
  Role set_role = Role::admin;  // to below the own role; owners give any
  Role change_settings = Role::admin;
  Role mention_all = Role::admin;  // in groups to limits::small_group whoever may send
  Role set_retention = Role::owner;
  Role create_child = Role::admin;         // spaces only: channels of them
  Role delete_conversation = Role::owner;  // for good
};

/// The table of an engine: EngineOptions::permissions. The system is bound by none of it.
struct Permissions {
  /// The two are members: a higher role means nobody. Nobody comes, goes, has another role, or
  /// deletes what the other wrote, whatever stands here.
  RoleTable direct{.mention_all = Role::member};
  RoleTable group{};
  RoleTable channel{.pin = Role::moderator};
  /// There are no messages in a space: what is about those is nobody's, whatever stands here.
  RoleTable space{};
};

}  // namespace parley::inline v0
