// core/conversation_waiting.hpp: what waits inside a home, and for what.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/conversation_ops.hpp"
#include "core/conversation_staged.hpp"
#include "core/own_deletions.hpp"
#include "store/layout.hpp"
#include "store/layout_messages.hpp"

namespace parley::core {

/// Somebody whose row is changing.
struct RowWaiter {
  UserId user;
  std::function<void()> then;
};
/// Somebody whose row is to be read.
struct MemberWaiter {
  UserId user;
  std::function<void(Result<const layout::MemberRow*>)> then;
};
struct MentionWaiter {
  UserId user;
  std::function<void(const Error&)> then;
};
/// A row that is to be read.
struct Wanted {
  enum class What : std::uint8_t { sender, member, host_key, last_sent, mention } what;
  SenderId sender;
  KeyHash key{};
};

using ThenBeginnings = std::function<void(Result<std::vector<layout::Beginnings::One>>)>;

/// One of a channel's member partitions.
struct Bucket {
  std::deque<MemberWrite> waiting;
  bool busy = false;
};

// ---- Blocks ----

/// Direct: who blocks the other.
struct Pair {
  bool known = false, reading = false;
  bool first = false, second = false;
  std::uint64_t version = 0;  // grows with every change: what was read before is not believed
  Error error;
};

// ---- Reactions and threads ----

struct ReactionQueue {
  std::deque<ReactionWrite> waiting;
  bool busy = false;
  bool look = false;  // a read is asked for, with or without writes
};
struct TellWaiter {
  Seq seq;
  std::uint64_t revision;
  Then<void> then;
};
struct NumberedChange {
  std::uint64_t number = 0;
  layout::ThreadChange row;
};
struct ThreadWaiter {
  std::uint64_t until;  // the number of a change
  std::function<void(const Error&)> then;
};

// ---- What members deleted for themselves alone ----

struct KnownDeletions {
  std::optional<std::string> guard;  // of the personal partition, at `deletions`
  OwnDeletionsPtr deletions;         // null: not read
  std::vector<std::function<void(Result<OwnDeletionsPtr>)>> waiters;
};
struct DeletionsRead {
  UserId user;
  std::string partition;
  std::optional<std::string> guard{};
  std::vector<OwnDeletions::Item> items{};
};

// ---- Receipts ----

/// Positions that are to be written.
struct Marked {
  Seq received = 0, read = 0;
  std::uint64_t ordinal = 0;  // at `read`
  bool has_ordinal = false;
  bool hidden = false;  // others are not told of `read`
};
/// Who asked for a position, and is answered once it is stored.
struct MarkWaiter {
  Seq received = 0, read = 0;
  Then<void> then;
};
struct ReceiptBucket {
  bool loaded = false;  // guard known; direct, group: every row is in `rows`
  bool busy = false;
  std::optional<std::string> guard;
  std::unordered_map<UserId, layout::ReceiptRow> rows;
  std::unordered_map<UserId, Marked> marked;
  std::unordered_map<UserId, std::vector<MarkWaiter>> waiters;
  std::unordered_map<std::string, std::uint64_t> counts;  // channels: 'h' rows that were read
};
struct ReceiptWaiter {
  UserId user;
  std::function<void(Result<layout::ReceiptRow>)> then;
};

}  // namespace parley::core
