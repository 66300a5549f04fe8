// store/layout_messages.hpp: the rows about messages that are kept for single users
// (docs/design/storage_layout.md). Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/ids.hpp"
#include "parley/payload.hpp"
#include "store/layout.hpp"

namespace parley::layout {

/// The newest messages that mention a user ('q' user8; user 0: that mention everybody), at most
/// limits::mentions_counted.
struct Mention {
  Seq seq = 0;
  std::uint64_t ordinal = 0;  // countable messages up to and including it
};
struct MentionRow {
  Mention dropped{};                // the newest one that found no room any more; zero: none
  std::vector<Mention> messages{};  // ascending
};
std::string mention_key(UserId user);
std::size_t mention_size(std::size_t messages) noexcept;
std::string encode(const MentionRow& row);
std::optional<MentionRow> decode_mention(Bytes value);

// ---- Polls, in the partition of the message's reactions ----

/// What a poll has come to ('p'); absent: nobody has voted, nobody has closed it.
struct PollRow {
  bool closed = false;
  std::int64_t closed_ms = 0;
  std::uint64_t voters = 0;
  std::vector<std::uint64_t> votes{};  // of each option
};
std::string poll_key();
std::string encode(const PollRow& row);
std::optional<PollRow> decode_poll(Bytes value);

/// What a user has chosen ('b' user8): bit n is option n; never 0.
std::string ballot_key(UserId user);
std::string encode_ballot(std::uint32_t chosen);
std::optional<std::uint32_t> decode_ballot(Bytes value);

/// Somebody chose that option of a poll that is not anonymous ('v' option1 user8).
std::string vote_key(std::uint8_t option, UserId user);
std::optional<UserId> parse_vote(Bytes key) noexcept;

// ---- Threads ----

std::string personal_id(Namespace ns, const ConversationId& id, UserId user);
std::string thread_id(Namespace ns, const ConversationId& id, Seq root);

/// A reply, or its deletion, that the thread's index does not have yet ('t' root8 seq8 in the
/// conversation's partition).
struct ThreadChange {
  bool fresh = false;               // a reply
  bool gone = false;                // deleted
  std::uint64_t ordinal = 0;        // dense within the thread
  UserId sender{};                  // of a fresh one
  std::vector<UserId> followers{};  // who follow by a fresh one, unless they do not want to
  /// Together with what was known of the same reply before.
  void add(const ThreadChange& other);
};
std::string thread_change_key(Seq root, Seq seq);
struct ThreadChangeKey {
  Seq root = 0, seq = 0;
};
std::optional<ThreadChangeKey> parse_thread_change(Bytes key) noexcept;
std::size_t thread_change_size(std::size_t followers) noexcept;
std::string encode(const ThreadChange& row);
std::optional<ThreadChange> decode_thread_change(Bytes value);

/// The ordinal of a reply ('e' seq8 in the thread's partition).
std::string encode_thread_ordinal(std::uint64_t ordinal);
std::optional<std::uint64_t> decode_thread_ordinal(Bytes value);

/// What a user keeps about a thread ('t' root8 in the personal partition).
struct FollowRow {
  enum class State : std::uint8_t { unset = 0, follows = 1, left = 2 } state = State::unset;
  Seq read = 0;     // replies up to here are read
  Seq applied = 0;  // own replies up to here have made it follow
  friend bool operator==(const FollowRow&, const FollowRow&) = default;
};
std::string follow_key(Seq root);
std::string encode(const FollowRow& row);
std::optional<FollowRow> decode_follow(Bytes value);

/// A message that the user deleted for itself alone ('h' seq8 in the personal partition).
struct OwnDeletionRow {
  std::uint64_t ordinal = 0;  // 0: it is never unread in the conversation
  Seq thread_root = 0;        // of a reply
};
std::string own_deletion_key(Seq seq);
std::string encode(const OwnDeletionRow& row);
std::optional<OwnDeletionRow> decode_own_deletion(Bytes value);

}  // namespace parley::layout
