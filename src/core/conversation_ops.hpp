// core/conversation_ops.hpp: what a home is asked to do and may have to commit, and the rows that
// it keeps in memory for it.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/conversation.hpp"
#include "wire/messages.hpp"

namespace parley::core {

// ---- Operations that may commit ----

using KeyHash = std::array<std::uint8_t, 16>;
/// What became of a content before the host's hooks.
struct Look {
  bool seen = false, agreed = false;  // by before_message, by both
};
/// A message on its way from the conversation that it is forwarded from.
struct ForwardRead {
  std::optional<Result<Forwardable>> found;
};
struct SendOp {
  wire::Send send;
  std::shared_ptr<ForwardRead> source{};  // once asked for
  std::optional<Origin> origin{};         // once there: the content is in `send`
  std::uint32_t crc = 0;  // of what the message says, to tell a repeat from a reused key
  KeyHash key{};
  Look look;
  base::UniqueFunction<void(Result<Ack>)> then;
};
struct CreateOp {
  Creation creation;  // without the caller
  Then<Access> then;
};
/// A channel of this space is to be born.
struct ChildOp {
  ConversationId id;
  Creation creation;
  Then<Access> then;
};
/// What became of a channel of this space.
struct ChildNewsOp {
  enum class What : std::uint8_t { born, changed, gone } what = What::born;
  ConversationId id;
  bool open = false;  // changed
  std::string title;
  Seq as_of = 0;  // changed
  Then<void> then;
};
struct DirectOp {
  UserId first, second;
  Then<Access> then;
};
struct JoinOp {
  std::optional<layout::InviteSecret> invite;  // with this link; none: by the conversation's rule
  Then<Access> then;
};
struct InviteOp {
  layout::InviteSecret secret;
  InviteOptions options;
  Invite made;  // once decided
  Then<Invite> then;
};
struct RevokeInviteOp {
  layout::InviteSecret secret;
  Then<void> then;
};
struct RequestJoinOp {
  std::string note;
  Then<void> then;
};
struct AnswerRequestOp {
  UserId user;
  bool approve;
  Then<void> then;
};
struct LeaveOp {
  Then<void> then;
};
struct AddOp {
  std::vector<UserId> users;
  Then<void> then;
};
struct RemoveOp {
  UserId user;
  Then<void> then;
};
struct RoleOp {
  UserId user;
  Role role;
  Then<void> then;
};
struct TransferOp {
  UserId user;
  Then<void> then;
};
struct VisibilityOp {
  UserId user;
  std::optional<std::uint16_t> groups;
  std::optional<bool> shadowed;
  Then<void> then;
};
struct SettingsOp {
  SettingsUpdate settings;
  Then<void> then;
};
struct RestrictOp {
  RestrictionKind kind;
  UserId user;
  bool on;
  RestrictOptions options;
  Then<void> then;
};
/// Something is due now.
struct DueOp {
  layout::DueKey key;
  Then<void> then;
  bool poll_closed = false;
};
struct RetentionOp {
  Retention keep;
  Then<void> then;
};
/// The floor moves: what lies before it is gone for everybody.
struct TrimOp {
  Seq floor;
  std::uint64_t ordinal;  // before it, like the mark
  Mark mark;
  layout::RetentionRow keep;  // that it was found by
  Then<void> then;
};
/// Nothing before `seq` is left outside the conversation's own partition.
struct ErasedOp {
  Seq seq;
  Then<void> then;
};
/// The conversation is deleted for good.
struct EndOp {
  Then<void> then;
};
struct EditOp {
  Seq seq;
  std::string content_type;
  Payload body;
  Look look;
  Then<void> then;
};
struct DeleteOp {
  Seq seq;
  Then<void> then;
};
struct PinOp {
  Seq seq;
  bool on;
  Then<void> then;
};
struct ReactOp {
  Seq seq;
  std::string key;
  bool on;
  Then<void> then;
};
struct VoteOp {
  Seq seq;
  std::uint32_t chosen;  // bit n: option n
  Then<void> then;
};
struct ClosePollOp {
  Seq seq;
  Then<void> then;
};

/// The caller deletes messages for itself alone: its row is to say so.
struct OwnDeletionOp {
  Then<void> then;
};

/// What is to be done; a class of its own for the sake of compilers, as wire::Operation.
struct OpKind
    : std::variant<SendOp, CreateOp, DirectOp, JoinOp, LeaveOp, AddOp, RemoveOp, RoleOp, TransferOp,
                   VisibilityOp, SettingsOp, RestrictOp, InviteOp, RevokeInviteOp, RequestJoinOp,
                   AnswerRequestOp, EditOp, DeleteOp, PinOp, ReactOp, DueOp, RetentionOp, TrimOp,
                   ErasedOp, EndOp, VoteOp, ClosePollOp, OwnDeletionOp, ChildOp, ChildNewsOp> {
  using variant::variant;
  OpKind(OpKind&& other) noexcept;
  OpKind& operator=(OpKind&& other) noexcept;
  ~OpKind();
};

struct Op {
  Caller caller;
  OpKind what;
  // The decision, answered when the commit it depends on is done.
  Error error;
  Seq seq = 0;
  std::int64_t time_ms = 0;
  bool repeated = false;
};

/// An operation stays where it is from its arrival to its answer.
using OpPtr = std::unique_ptr<Op>;

enum class Decision : std::uint8_t {
  decided,  // answered now, or with the batch when that has anything in it
  later,    // rows are being read: later operations of the same user wait, others do not
  full,     // does not fit into this batch any more
  moved,    // it left the queue and is answered elsewhere
};

// ---- Rows kept in memory ----

struct SenderId {
  UserId user;
  DeviceId device;
  friend bool operator==(const SenderId&, const SenderId&) = default;
};
/// Whose row of mentions; none: the row of those that mention everybody.
struct MentionId {
  UserId user;
  friend bool operator==(const MentionId&, const MentionId&) = default;
};
struct KeyHasher {
  std::size_t operator()(MentionId id) const noexcept { return std::hash<UserId>{}(id.user); }
  std::size_t operator()(const SenderId& id) const noexcept {
    return std::hash<UserId>{}(id.user) ^ std::hash<DeviceId>{}(id.device) * 31;
  }
  std::size_t operator()(UserId id) const noexcept { return std::hash<UserId>{}(id); }
  std::size_t operator()(Seq seq) const noexcept { return std::hash<Seq>{}(seq); }
  std::size_t operator()(const KeyHash& hash) const noexcept {
    return std::hash<ConversationId>{}({hash});
  }
};

/// Rows read by key, the least used ones dropped. They belong to the guard they were read with.
template <class Key, class Row>
class RowCache {
 public:
  enum class Phase : std::uint8_t { loading, ready, failed };
  struct Entry {
    Phase phase = Phase::loading;
    bool present = false;
    bool dirty = false;  // `staged` counts in the batch being built or in flight
    std::uint64_t used = 0;
    Row row{}, staged{};
    Error error;
  };

  Entry* find(const Key& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return nullptr;
    at->second.used = ++clock_;
    return &at->second;
  }
  Entry& insert(const Key& key) {
    Entry& entry = entries_[key];
    entry.used = ++clock_;
    return entry;
  }
  void erase(const Key& key) { entries_.erase(key); }
  void clear() { entries_.clear(); }
  /// Halves the cache when it holds more than `most`; never what is loading or dirty.
  void trim(std::size_t most) {
    if (entries_.size() <= most) return;
    const std::uint64_t old = clock_ > most / 2 ? clock_ - most / 2 : 0;
    std::erase_if(entries_, [old](const auto& item) {
      return item.second.phase != Phase::loading && !item.second.dirty && item.second.used <= old;
    });
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  std::unordered_map<Key, Entry, KeyHasher> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace parley::core
