// parley/conversation.hpp: what a conversation is, who is in it, how a list shows it. Thread:
// any; these are values.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/ids.hpp"
#include "parley/payload.hpp"

namespace parley::inline v0 {

/// Wall-clock milliseconds since 1970, UTC; a stamp, never a deadline. Never backward in a stream.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

enum class ConversationKind : std::uint8_t {
  direct = 1,   // exactly two users; found or created by the pair; nobody joins or leaves
  group = 2,    // up to limits::group_members; joins and leaves are events; entered by being added
  channel = 3,  // up to limits::channel_members; open to join; joins and leaves are rows
  /// Holds channels, no messages: who is in it is in all of its channels that are open to it. Up to
  /// limits::channel_members, as rows; entered by being added or with a link, unless it says so.
  space = 4,
};

/// What a member may do; a higher rank may all that a lower one may: parley/permissions.hpp.
enum class Role : std::uint8_t {
  none = 0,
  read_only = 10,  // reads, and leaves
  member = 20,
  moderator = 30,
  admin = 40,
  owner = 50,  // the creator, and whom owners make one
};

/// Who sees an event, written in it for ever. Others get one of kind EventKind::hidden in its
/// place, live and in history: no gap, and nothing to show. What is said about a message later
/// (edits, reactions, pins, its deletion) has the message's audience.
namespace audience {
inline constexpr std::uint8_t everyone = 0;
inline constexpr std::uint8_t moderators = 1;                    // roles above member
inline constexpr std::uint8_t sender = 2;                        // the sender, and moderators
inline constexpr std::uint8_t first_group = 3, last_group = 15;  // groups of the host's own
}  // namespace audience

/// How much of a conversation a session is sent.
enum class Level : std::uint8_t {
  none = 0,   // nothing
  heads = 1,  // one coalesced head_moved a second at most
  full = 2,   // events, receipts and signals
};

/// A cheap handle: the id and the kind. Valid for ever; holding one keeps nothing in memory.
class Conversation {
 public:
  Conversation() = default;
  Conversation(ConversationId id, ConversationKind kind) noexcept : id_(id), kind_(kind) {}
  [[nodiscard]] const ConversationId& id() const noexcept { return id_; }
  [[nodiscard]] ConversationKind kind() const noexcept { return kind_; }
  operator const ConversationId&() const noexcept { return id_; }  // NOLINT: a handle is its id
  friend bool operator==(const Conversation& a, const Conversation& b) { return a.id_ == b.id_; }

 private:
  ConversationId id_;
  ConversationKind kind_ = ConversationKind::group;
};

/// One member of a conversation.
struct Member {
  UserId user{};
  Role role = Role::none;
  WallTime since{};
  Seq visible_from = 1;  // the first seq this member may see
};

/// How far a user has come in a conversation. Monotone; read <= received <= head.
struct Receipt {
  UserId user{};
  Seq received = 0;
  Seq read = 0;
};

/// One line of a user's conversation list: a join, at read time, of the list with the head cells.
struct ListEntry {
  ConversationId conversation{};
  ConversationKind kind = ConversationKind::group;
  std::string title{};  // "" for direct
  std::string avatar{};
  UserId peer{};           // direct only: the other user
  ConversationId space{};  // channels: the space they belong to; none mostly
  /// Spaces: those of its channels that this list has, all of them whenever a list tells the entry
  /// (Session::on_list); others that were known are not this user's any more.
  std::vector<ConversationId> children{};
  Role role = Role::none;
  Seq visible_from = 1;
  Cursor head{};                   // the stream's epoch, last seq and its mark
  std::uint64_t head_ordinal = 0;  // count of countable messages up to the head
  Seq received = 0;
  Seq read = 0;
  std::uint64_t unread = 0;  // head ordinal - max(read, joined, floor): a function, never a counter
  /// Messages after `read` that mention this user or everybody, without deleted ones: a function
  /// too. limits::mentions_counted means that many or more.
  std::uint64_t mentions = 0;
  WallTime last_activity{};
  bool archived_for_all = false;  // ConversationSettings::archived
  // What the user set, on every device (Session::set_list).
  bool pinned = false;
  bool archived = false;
  bool marked_unread = false;  // a flag beside `unread`, not a receipt
  WallTime muted_until{};      // notifications; zero: not muted
  std::string draft{};         // what was being written; "" for none
  WallTime drafted{};
  std::string folder{};  // "" for none
  /// Not shown while head_ordinal is below it: until the next message. Zero: not hidden.
  std::uint64_t hidden_until = 0;
  Payload last_record{};  // the newest visible event's record; empty when not asked for or none
};

/// What a user sets about a conversation of the own list. What is not given stays.
struct ListSettings {
  std::optional<bool> pinned{};  // up to limits::pinned_conversations
  std::optional<bool> archived{};
  std::optional<bool> marked_unread{};
  std::optional<WallTime> muted_until{};  // zero ends it
  std::optional<std::string> draft{};     // up to limits::draft bytes of UTF-8; "" drops it
  std::optional<std::string> folder{};  // up to limits::folder bytes, limits::folders; "" for none
  std::optional<bool> hidden{};         // until the next message, whoever sends it
};

/// How much of a conversation is kept. What falls below is gone for everybody: messages, changes,
/// reactions. Cursors below are answered Resume::trimmed.
struct Retention {
  /// Zero: for ever; else from limits::retention_least to retention_most.
  std::chrono::milliseconds keep_for{0};
  std::uint64_t keep_events = 0;  // the newest ones, up to limits::retention_events; zero: all
  /// Nothing is trimmed, nothing expires and the conversation is not deleted, whatever else is
  /// said; what members delete is deleted all the same. The host's only.
  bool hold = false;
};

}  // namespace parley::inline v0
