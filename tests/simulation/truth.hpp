// truth.hpp: what is really stored at this instant, read from the store's memory behind the
// engine's back.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/visibility.hpp"
#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "store/layout.hpp"
#include "store/memory_store.hpp"
#include "wire/record.hpp"

namespace parley::simulation {

/// One committed event, as first seen.
struct TrueEvent {
  std::uint32_t hash = 0;  // of the record's bytes
  Mark mark = 0;           // after it, recomputed here and equal to the stored one
  std::uint64_t ordinal = 0;
  std::int64_t time_ms = 0;
  Snowflake id = 0;
  UserId sender;
  EventKind kind = EventKind::message;
  std::uint64_t echo = 0;
  std::uint32_t body_hash = 0;
  UserId target;
  Role role = Role::none;
  std::uint8_t audience = audience::everyone;
  UserId owner;              // whose it is for audience::sender
  std::uint16_t groups = 0;  // visibility_changed
  bool shadowed = false;     // likewise
  std::optional<Origin> origin{};
  std::uint32_t identity = 0;  // of what no change of a message touches
  Seq thread_root = 0;
  std::vector<UserId> mentions{};
  MentionScope scope = MentionScope::none;
  bool expires = false;
  bool closes = false;          // its poll does by itself
  std::int64_t written_ms = 0;  // imported: when it was written
  std::string import_id{};
};

/// What later events say about one message.
struct TrueChange {
  Seq seq = 0;
  EventKind kind = EventKind::edited;
  std::uint32_t body_hash = 0;  // edited
  bool redacted = false;        // edited: the body was gone when this was first seen
  std::map<std::string, std::uint64_t> reactions;
  std::optional<PollResults> poll;
};
/// A message as it stands after some of them.
struct TrueMessage {
  std::uint32_t body_hash = 0;
  bool sure = true;  // of the body
  bool deleted = false, pinned = false;
  std::map<std::string, std::uint64_t> reactions;
  std::optional<PollResults> poll;
};
bool same_results(const std::optional<PollResults>& a, const std::optional<PollResults>& b);

/// One conversation's committed stream.
struct TrueStream {
  Epoch epoch;
  std::vector<TrueEvent> events;                   // seq 1, 2, ...
  std::map<UserId, std::vector<Seq>> beginnings;   // where somebody came in; not in a channel
  std::map<UserId, std::vector<Seq>> endings;      // where somebody left or was removed
  std::map<Seq, std::vector<TrueChange>> changes;  // of messages
  std::map<UserId, Role> roles;                    // as the events leave them
  /// What a user sees from a seq on, as the events say.
  std::map<UserId, std::vector<std::pair<Seq, core::Audiences>>> audiences;
  std::map<UserId, std::uint16_t> groups;              // of the host's, now
  std::set<UserId> shadowed;                           // shadow banned now
  bool was_open = false, was_closed = false;           // to anybody, at some time
  std::set<UserId> silenced;                           // were read_only at some time
  std::set<UserId> muted, banned;                      // now; none of them ends by itself
  std::vector<std::pair<std::uint64_t, Seq>> deleted;  // ordinals, and by which event
  std::map<std::string, Seq> imports;                  // by the host's ids
  Seq sealed = 0;
  std::vector<Seq> floors = {1};  // the last one holds
  layout::RetentionRow keeping;   // at the last look
  bool ended = false;             // deleted for good; what was seen of it stays here
  [[nodiscard]] Seq floor() const noexcept { return floors.back(); }
  [[nodiscard]] bool was_floor(Seq seq) const;
  [[nodiscard]] Seq head() const noexcept { return events.size(); }
  /// The user was in at that seq, as the events say.
  [[nodiscard]] bool holds(UserId user, Seq seq) const;
  /// seq 1..head.
  [[nodiscard]] const TrueEvent& at(Seq seq) const { return events[seq - 1]; }
  [[nodiscard]] Mark mark_at(Seq seq) const { return seq == 0 ? 0 : events[seq - 1].mark; }
  /// A message after every change up to `through`.
  [[nodiscard]] TrueMessage message_at(Seq seq, Seq through) const;
  /// Whether the user could see the event at some moment from just before it until now; `always`:
  /// at every moment since it.
  [[nodiscard]] bool seen(Seq seq, UserId user, bool always) const;
  /// Whether these bytes may be shown for the event `seq`: as it was written, or a message as it
  /// stood after one of its changes.
  [[nodiscard]] bool shows(Seq seq, Bytes record) const;
  /// Replies in a thread with seqs above `base`, that are there.
  [[nodiscard]] std::uint64_t replies_after(Seq root, Seq base,
                                            const std::set<Seq>& without = {}) const;
  /// Messages above `base`, that are there, which mention the user or everybody.
  /// The least and the most: in a channel nothing tells whether a reply came before somebody
  /// joined.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> mentions_after(
      UserId user, Seq read, const layout::MemberRow& member, const std::set<Seq>& without) const;
  /// Whether the event is one of `messages`, or speaks of one of them.
  [[nodiscard]] bool concerns(Seq event, const std::set<Seq>& messages) const;
  /// Whether the message said that at some time, as far as is known.
  [[nodiscard]] bool said(Seq message, std::uint32_t body_hash) const;
  /// The message's own ordinal; 0: it is never unread.
  [[nodiscard]] std::uint64_t counted_as(Seq message) const;
  [[nodiscard]] std::uint64_t ordinal_at(Seq seq) const {
    return seq == 0 ? 0 : events[seq - 1].ordinal;
  }
};

/// Follows the streams incrementally and checks what must hold of them alone (C2, C3): dense seqs
/// from 1, one epoch, chained marks, ordinals, times that do not run backward, one event per echo.
/// Throws Broken.
class Truth {
 public:
  /// The store may be replaced by nothing; it must outlive the truth.
  explicit Truth(const store::MemoryStore& store) : store_(store) {}
  /// The host looks at messages: what is stored is as it says (C22).
  void host_looks() noexcept { host_looks_ = true; }

  /// The stream as it is now, or was when it ended; null when the conversation never existed. Valid
  /// until the next call for the same conversation.
  const TrueStream* stream(const ConversationId& id);
  /// The member's row as it is now, wherever its kind of conversation keeps it; with the removals
  /// of the stream applied, which a channel's row follows later.
  std::optional<layout::MemberRow> member(const ConversationId& id, UserId user);
  /// A channel's own row, whatever its space says.
  std::optional<layout::MemberRow> bucket_row(const ConversationId& id, UserId user);
  std::optional<layout::ReceiptRow> receipt(const ConversationId& id, UserId user);
  /// What the user deleted for itself alone.
  std::set<Seq> own_deletions(const ConversationId& id, UserId user);
  /// How many others let it be known that they have read `seq`.
  std::uint64_t seen(const ConversationId& id, UserId asking, Seq seq);
  std::optional<layout::InfoRow> info(const ConversationId& id);
  std::optional<ConversationKind> kind_of(const ConversationId& id);
  /// A channel or a space: its members are rows in buckets.
  bool scattered(const ConversationId& id);
  /// Of a channel; none: it stands by itself, or is gone.
  ConversationId space_of(const ConversationId& id);
  std::vector<ConversationId> children_of(const ConversationId& space);
  /// Everybody with a member row, whatever its role.
  std::map<UserId, layout::MemberRow> members(const ConversationId& id);
  /// Used no more often than they may be, and whom they let in has a row.
  void check_invites(const ConversationId& id);
  /// A channel's members are found by their names, and nobody else is.
  void check_names(const ConversationId& id);
  /// Whether the user waits to be let in.
  bool asks(const ConversationId& id, UserId user);
  /// Where a message with these random bits was committed.
  struct Place {
    ConversationId conversation;
    Seq seq = 0;
  };
  [[nodiscard]] const Place* find(std::uint64_t echo) const;

  /// Reads everything again from the first seq and compares with what was seen before: committed
  /// events are immutable. Returns every conversation there is.
  std::vector<ConversationId> audit();
  /// Every conversation there is in the store.
  std::vector<ConversationId> conversations();
  bool held(const ConversationId& id);
  /// A user's list rows that say "entered".
  std::map<ConversationId, layout::ListRow> list_of(UserId user);
  /// A scheduled message that is with its user, waiting or refused.
  std::optional<layout::ScheduledRow> scheduled(UserId user, Snowflake id);

  [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }
  /// Messages that expired, and whether some are still to, or polls to close.
  [[nodiscard]] std::uint64_t expired() const noexcept { return expired_; }
  std::string expiring();
  [[nodiscard]] bool trimmed() const;
  [[nodiscard]] bool trimmed_by_age() const noexcept { return aged_; }
  /// What should have left the store and is there still; nothing: "".
  std::string leftovers();
  /// What is older or more than its conversation keeps, and nothing holds; nothing: "".
  std::string unkept();
  /// The host or the engine read its wall clock.
  void read_clock(std::int64_t wall_ms) noexcept { latest_ms_ = std::max(latest_ms_, wall_ms); }
  /// What the user keeps for itself is to be gone.
  void erased(UserId user) { erased_.insert(user); }
  /// The conversation that a partition belongs to.
  static std::optional<ConversationId> conversation_in(Partition partition);

 private:
  void follow(const ConversationId& id, TrueStream& stream, const layout::HeadCell& head,
              const store::MemoryStore::RowMap& rows);
  void take_floor(const ConversationId& id, TrueStream& stream, const layout::HeadCell& head,
                  const store::MemoryStore::RowMap& rows);
  /// Whether the floor may be where it is, by that row.
  bool may_trim(const TrueStream& stream, const layout::HeadCell& head,
                const layout::RetentionRow& keep);
  void take_event(const ConversationId& id, TrueStream& stream, const TrueEvent& event, Seq seq);
  static void take_import(const ConversationId& id, TrueStream& stream, const TrueEvent& event,
                          Seq seq);
  TrueEvent read(const ConversationId& id, Seq seq, const store::MemoryStore::RowMap& rows,
                 Mark before, std::int64_t time, std::uint64_t ordinal);
  std::optional<layout::StoredEvent> sealed(const ConversationId& id, Seq seq);
  void take_rights(const ConversationId& id, TrueStream& stream, const TrueEvent& event, Seq seq);
  void take_changes(const wire::RecordFields& fields);
  void take_poll(const ConversationId& id, const TrueStream& stream, Seq seq,
                 const TrueChange& change);
  static void take_restriction(const ConversationId& id, TrueStream& stream, Seq seq,
                               const TrueEvent& event);
  /// truth_sight.cpp: who sees what, and is seen.
  static void take_groups(TrueStream& stream, const TrueEvent& event);
  static void take_shadow(const ConversationId& id, TrueStream& stream, Seq seq,
                          const TrueEvent& event);
  void take_openness(const ConversationId& id, TrueStream& stream);
  layout::MemberRow ended(const ConversationId& id, UserId user, layout::MemberRow row);
  Seq removed_at(const ConversationId& id, UserId user);
  // Channels of spaces.
  std::optional<layout::MemberRow> own_row(const ConversationId& id, UserId user);
  std::optional<layout::MemberRow> member_by_space(const ConversationId& id, UserId user);
  std::map<UserId, layout::MemberRow> members_by_space(const ConversationId& id);
  Role role_now(const ConversationId& space, UserId user, Role role);
  std::uint64_t begun(const ConversationId& space, UserId user, std::uint32_t child,
                      std::uint64_t entry);
  std::optional<std::string> row(std::uint8_t space, const std::string& partition,
                                 const std::string& key);

  const store::MemoryStore& store_;
  std::map<ConversationId, TrueStream> streams_;
  std::map<ConversationId, ConversationKind> kinds_;
  std::map<std::uint64_t, Place> echoes_;
  std::uint64_t committed_ = 0, expired_ = 0;
  std::int64_t latest_ms_ = 0;
  bool aged_ = false, host_looks_ = false;
  std::set<UserId> erased_;
  std::set<std::pair<ConversationId, Seq>> expiring_, closing_;
  // Of the event read last.
  std::vector<std::pair<Seq, TrueChange>> changes_;
  std::uint64_t about_ordinal_ = 0;
  Seq about_ = 0;
};

/// In place of the identity of an event that was hidden.
inline constexpr std::uint32_t hidden_identity = 0;

/// Of what no later change of a message touches.
std::uint32_t identity_of(const wire::RecordFields& fields);

/// "3fa1c2" for messages and traces.
std::string short_name(const ConversationId& id);

}  // namespace parley::simulation
