// parley/settings.hpp: what a group or channel is like, and who is kept from what in it. Thread:
// any; these are values.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"

namespace parley::inline v0 {

/// How somebody comes in who is not added.
enum class JoinRule : std::uint8_t {
  added = 1,       // with a link; groups and spaces begin so
  open = 2,        // by join(); channels begin so
  by_request = 3,  // when those who may invite say yes to request_join(); or with a link
};

/// What the members share. Changed by Session::set_settings, told as one event (SettingsChange).
struct ConversationSettings {
  std::string title{};        // up to limits::title bytes of UTF-8
  std::string description{};  // up to limits::description bytes of UTF-8
  std::string avatar{};       // the host's name of a picture; up to limits::avatar bytes of UTF-8
  std::string metadata{};     // the host's own bytes, up to limits::metadata
  /// The least role for it, member..owner; none: as EngineOptions::permissions says.
  Role who_sends = Role::none;
  Role who_adds = Role::none;  // and makes links, and answers requests to join
  Role who_pins = Role::none;
  Role who_changes = Role::none;  // these settings
  JoinRule join = JoinRule::added;
  /// Nobody posts, edits or reacts, and only admins change anything: Errc::archived.
  bool archived = false;
  /// Between two messages of a member below moderator; zero: none. Up to limits::slow_mode.
  std::chrono::seconds slow_mode{0};
  /// New messages are deleted for everybody so long after they were stored, or sooner when they
  /// say so themselves (MessageDraft::expires_after, and its bounds); zero: they stay.
  std::chrono::seconds expires_after{0};
};

/// What is not given stays.
struct SettingsUpdate {
  std::optional<std::string> title{};
  std::optional<std::string> description{};
  std::optional<std::string> avatar{};
  std::optional<std::string> metadata{};
  std::optional<Role> who_sends{};
  std::optional<Role> who_adds{};
  std::optional<Role> who_pins{};
  std::optional<Role> who_changes{};
  std::optional<JoinRule> join{};
  std::optional<bool> archived{};
  std::optional<std::chrono::seconds> slow_mode{};
  std::optional<std::chrono::seconds> expires_after{};
};

/// A conversation as one of its members may know it.
struct ConversationInfo {
  ConversationId conversation{};
  ConversationKind kind = ConversationKind::group;
  ConversationSettings settings{};
  UserId creator{};  // none: the system
  WallTime created{};
  std::uint64_t members = 0;
  std::uint64_t pins = 0;
  Role role = Role::none;  // the own one; none: the system asks
  bool muted = false;      // oneself
  WallTime muted_until{};  // zero: without end
  ConversationId space{};  // channels: the space they belong to; none mostly
  /// Spaces: the channels that are open to every member; asked by the system: all.
  std::vector<ConversationId> children{};
};

enum class RestrictionKind : std::uint8_t {
  mute = 1,  // may not post, edit or react: Errc::muted
  ban = 2,   // removed, and neither joins nor is added: Errc::banned to who adds
};
struct RestrictOptions {
  WallTime until{};      // zero: without end. By the wall clock; a jump of it counts after a minute
  std::string reason{};  // up to limits::reason bytes of UTF-8; everybody may read it
};
/// Somebody who is muted or banned.
struct Restriction {
  UserId user{};
  UserId by{};  // none: the system
  WallTime since{};
  WallTime until{};  // zero: without end
  std::string reason{};
};

}  // namespace parley::inline v0
