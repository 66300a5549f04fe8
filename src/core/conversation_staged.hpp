// core/conversation_staged.hpp: the rows that a home keeps in memory, and what it stages of them
// for the next commit.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/conversation_ops.hpp"
#include "store/layout.hpp"
#include "store/layout_messages.hpp"
#include "store/layout_spaces.hpp"

namespace parley::core {

/// Members of a direct conversation or group, former ones too, in the order of their ids.
class MemberTable {
 public:
  using Item = std::pair<UserId, layout::MemberRow>;
  [[nodiscard]] const layout::MemberRow* find(UserId user) const noexcept;
  void put(UserId user, const layout::MemberRow& row);
  void clear() { items_.clear(); }
  [[nodiscard]] const std::vector<Item>& items() const noexcept { return items_; }

 private:
  std::vector<Item> items_;
};

// ---- Batches ----

/// A membership or settings event without its texts, generously, with its key.
inline constexpr std::size_t event_bytes = 9 + 512;

struct StagedEvent {
  layout::StoredEvent stored;
  std::uint64_t ordinal = 0;
  UserId ended;    // whose access ends with it
  UserId changed;  // who may see other audiences from here on
  bool for_all = true;
  bool everybody = false;  // may
  ConversationId opened;   // a channel of this space
};
/// A right taken away in a channel, until the member partition has it ('p' row).
struct PendingMember {
  Seq seq = 0;
  layout::PendingRow row;
  bool queued = false, applied = false;  // for, in its member partition
};
/// Somebody let into a channel, until the member partition has it ('y' row).
struct Admitted {
  layout::AdmissionRow row;
  bool queued = false, applied = false;
};
using SenderRows = RowCache<SenderId, layout::SenderRow>;
using HostKeyRows = RowCache<KeyHash, layout::HostKeyRow>;
using MemberRows = RowCache<UserId, layout::MemberRow>;
using RightRows = RowCache<UserId, SpaceRight>;
using LastSentRows = RowCache<UserId, layout::LastSentRow>;
using MentionRows = RowCache<MentionId, layout::MentionRow>;
/// Events as they stand, of messages that were changed and of their edits; not `present`: there is
/// no such event any more.
using MessageRows = RowCache<Seq, layout::StoredEvent>;

/// The reactions on a message and the votes of its poll, read from their partition and not told by
/// the stream yet.
struct DueTally {
  struct Reaction {
    std::string key;
    layout::ReactionRow row;
    std::vector<UserId> users;  // everybody, or nobody
  };
  std::uint64_t revision = 0;
  std::vector<Reaction> reactions;  // the oldest first
  std::optional<PollResults> poll;
};
/// A vote, or the end of a poll.
struct PollWrite {
  std::uint32_t chosen = 0;  // bit n: option n
  std::uint8_t options = 0;  // of the poll
  bool anonymous = false;
  bool close = false;
};
struct ReactionWrite {
  UserId user;
  std::string key{};
  bool on = true;
  Then<void> then;
  std::optional<PollWrite> poll{};  // instead of a reaction
};

/// The speculative state: committed, plus the batch being built or in flight.
struct Staged {
  layout::HeadCell head;
  std::int64_t now_ms = 0;
  bool birth = false;
  std::vector<OpPtr> ops;
  std::vector<StagedEvent> events;
  std::vector<std::pair<UserId, layout::MemberRow>> members;
  std::optional<layout::InfoRow> info;
  std::optional<layout::RetentionRow> keeping;
  bool trimmed = false;                       // the floor moves
  std::vector<layout::DueKey> due, due_done;  // rows written, and erased
  std::vector<std::pair<SenderId, SenderRows::Entry*>> senders;
  std::vector<std::pair<KeyHash, HostKeyRows::Entry*>> host_keys;
  std::vector<std::pair<UserId, LastSentRows::Entry*>> last_sent;
  std::vector<std::pair<UserId, layout::RestrictionRow>> restrictions;
  std::vector<std::pair<layout::InviteSecret, std::optional<layout::InviteRow>>> invites;
  std::vector<std::pair<UserId, std::optional<layout::AdmissionRow>>> admissions;
  std::vector<std::pair<UserId, std::optional<layout::JoinRequestRow>>> requests;
  std::vector<std::pair<ConversationId, std::optional<layout::ChildRow>>> children;
  std::vector<std::pair<MentionId, MentionRows::Entry*>> mentions;
  std::vector<std::pair<std::pair<Seq, Seq>, layout::ThreadChange>> thread_changes;  // new 't' rows
  std::vector<PendingMember> pending;                                                // new 'p' rows
  std::vector<Seq> pending_erased;                            // 'p' rows done with
  std::vector<std::string> expired_keys;                      // rows to erase
  std::vector<std::pair<Seq, MessageRows::Entry*>> messages;  // overlays
  std::vector<Seq> redacted;                                  // of those: tombstones
  std::vector<std::uint64_t> deleted;                         // ordinals
  std::vector<std::pair<Seq, std::optional<layout::PinRow>>> pins;
  std::vector<std::pair<Seq, std::uint64_t>> told;  // tallies: message, revision
  std::vector<Seq> merged;                          // overlays that the archive has
  layout::Note note;
  bool has_note = false;
  std::string guard;                // as submitted
  std::size_t rows = 0, bytes = 0;  // estimates, never too small
  [[nodiscard]] bool empty() const noexcept {
    return events.empty() && senders.empty() && members.empty() && invites.empty() &&
           admissions.empty() && children.empty() && !birth && !keeping && !trimmed &&
           due_done.empty() && redacted.empty();
  }
};

/// A change of one row of a channel's member partitions.
struct MemberWrite {
  enum class What : std::uint8_t {
    join,
    leave,
    admit,
    pending,
    own_deletion,
    keep,  // in a space's channel: a row for who is in by the space, which adds nothing
  } what = What::join;
  UserId user;
  Role role = Role::member;  // join, admit, pending
  std::uint16_t groups = 0;  // pending
  bool shadowed = false;     // pending
  Seq seq = 0;               // pending: its event
  std::uint64_t admission = 0;
  bool birth = false;  // join of a creation: not for those who have left since
  std::function<void(Result<layout::MemberRow>)> then;
};

}  // namespace parley::core
