// truth.hpp: what is really stored at this instant, read from the store's memory behind the
// engine's back.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
};

/// One conversation's committed stream.
struct TrueStream {
  Epoch epoch;
  std::vector<TrueEvent> events;               // seq 1, 2, ...
  std::map<UserId, std::vector<Seq>> endings;  // where somebody left or was removed
  Seq sealed = 0;
  [[nodiscard]] Seq head() const noexcept { return events.size(); }
  /// seq 1..head.
  [[nodiscard]] const TrueEvent& at(Seq seq) const { return events[seq - 1]; }
  [[nodiscard]] Mark mark_at(Seq seq) const { return seq == 0 ? 0 : events[seq - 1].mark; }
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

  /// The stream as it is now; null when the conversation does not exist. Valid until the next call
  /// for the same conversation.
  const TrueStream* stream(const ConversationId& id);
  /// The member's row as it is now, wherever its kind of conversation keeps it; with the removals
  /// of the stream applied, which a channel's row follows later.
  std::optional<layout::MemberRow> member(const ConversationId& id, UserId user);
  std::optional<layout::ReceiptRow> receipt(const ConversationId& id, UserId user);
  std::optional<layout::InfoRow> info(const ConversationId& id);
  std::optional<ConversationKind> kind_of(const ConversationId& id);
  /// Everybody with a member row, whatever its role.
  std::map<UserId, layout::MemberRow> members(const ConversationId& id);
  /// Where a message with these random bits was committed.
  struct Place {
    ConversationId conversation;
    Seq seq = 0;
  };
  [[nodiscard]] const Place* find(std::uint64_t echo) const;

  /// Reads everything again from the first seq and compares with what was seen before: committed
  /// events are immutable. Returns every conversation there is.
  std::vector<ConversationId> audit();
  /// A user's list rows that say "entered".
  std::map<ConversationId, layout::ListRow> list_of(UserId user);

  [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }

 private:
  void follow(const ConversationId& id, TrueStream& stream, const layout::HeadCell& head,
              const store::MemoryStore::RowMap& rows);
  TrueEvent read(const ConversationId& id, Seq seq, const store::MemoryStore::RowMap& rows,
                 Mark before, std::int64_t time, std::uint64_t ordinal);
  std::optional<layout::StoredEvent> sealed(const ConversationId& id, Seq seq);
  layout::MemberRow ended(const ConversationId& id, UserId user, layout::MemberRow row);
  std::optional<std::string> row(std::uint8_t space, const std::string& partition,
                                 const std::string& key);

  const store::MemoryStore& store_;
  std::map<ConversationId, TrueStream> streams_;
  std::map<ConversationId, ConversationKind> kinds_;
  std::map<std::uint64_t, Place> echoes_;
  std::uint64_t committed_ = 0;
};

/// "3fa1c2" for messages and traces.
std::string short_name(const ConversationId& id);

}  // namespace parley::simulation
