// parley/user.hpp: what users may know of one another, and what they have for themselves. Thread:
// any; these are values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"

namespace parley::inline v0 {

/// How somebody is. Each session says so for itself; a user is what the sessions make together:
/// invisible if one is, else busy if one is, else online if one is, else away, else offline.
enum class PresenceState : std::uint8_t {
  offline = 0,    // no session; no session says so itself
  online = 1,     // the default
  away = 2,       // a session says so after a while without the user
  busy = 3,       // there, and not to be disturbed
  invisible = 4,  // to the user's own devices; to others offline
};

/// What watchers may know about a user.
struct Presence {
  UserId user{};
  bool online = false;   // online, away or busy
  WallTime last_seen{};  // zero: never seen, online now, or not to be known
  PresenceState state = PresenceState::offline;
  std::string status{};     // a line of the user's own, "" for none
  WallTime status_until{};  // from then on there is none; zero: stays
  friend bool operator==(const Presence&, const Presence&) = default;
};

/// How much is told of who is online in a conversation, by its size: Session::watch_conversation().
/// A step up is taken at once, the step back only some way below, so that nobody who comes and goes
/// makes it flap.
enum class PresenceStep : std::uint8_t {
  none = 0,    // it is not watched
  full = 1,    // up to limits::presence_full members: the presence of everybody
  window = 2,  // up to limits::presence_window: how many are online; watch() names the others
  count = 3,   // above: how many are online, and a few of them
};

/// Who is online in a conversation that is watched as a whole. After the answer it is told again at
/// once when the step is another one, and when the numbers change at most once in
/// limits::online_period.
struct Online {
  ConversationId conversation{};
  PresenceStep step = PresenceStep::none;
  /// window, count: users who follow the conversation with a session that others can see.
  std::uint64_t count = 0;
  /// full: every member; count: up to limits::online_sample who are online. None: as told before.
  /// Their presence is told like that of users named in watch(), the newest is right.
  std::optional<std::vector<Presence>> users{};
  friend bool operator==(const Online&, const Online&) = default;
};

/// What a user has set for all devices. Durable.
struct UserSettings {
  /// Others are not told what is read from here on, and this user is not told what others read.
  bool hide_reads = false;
  bool hide_last_seen = false;
  std::string status{};     // shown with the presence
  WallTime status_until{};  // zero: stays
  friend bool operator==(const UserSettings&, const UserSettings&) = default;
};
/// What is not given stays.
struct UserSettingsChange {
  std::optional<bool> hide_reads{};
  std::optional<bool> hide_last_seen{};
  std::optional<std::string> status{};  // up to limits::status bytes of UTF-8; "" for none
  /// Goes with a status that is given: none or zero, it stays.
  std::optional<WallTime> status_until{};
};

/// One installation of a user, or a session of an ephemeral one.
struct Device {
  DeviceId id{};
  std::string name{};    // as it said hello, until it is given another; "" for ephemeral ones
  WallTime created{};    // zero: not known
  WallTime last_seen{};  // came or went; now when online
  bool online = false;
  bool current = false;  // the one that asks
};

/// A user's id and the host's own name for it.
struct UserName {
  UserId id{};
  std::string subject{};
};

}  // namespace parley::inline v0
