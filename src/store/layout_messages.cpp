// layout_messages.cpp: see the header.
#include "store/layout_messages.hpp"

#include "parley/limits.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {

std::string mention_key(UserId user) { return number_key('q', user.value); }
std::size_t mention_size(std::size_t messages) noexcept { return 18 + 16 * messages; }

std::string encode(const MentionRow& row) {
  Writer out(mention_size(row.messages.size()));
  out.u8(format);
  out.u64(row.dropped.seq);
  out.u64(row.dropped.ordinal);
  out.u8(static_cast<std::uint8_t>(row.messages.size()));
  for (const Mention& message : row.messages) {
    out.u64(message.seq);
    out.u64(message.ordinal);
  }
  return out.take();
}

std::optional<MentionRow> decode_mention(Bytes value) {
  Reader in(value);
  MentionRow row;
  if (in.u8() != format) return std::nullopt;
  row.dropped.seq = in.u64();
  row.dropped.ordinal = in.u64();
  const std::size_t count = in.u8();
  if (count > limits::mentions_counted || in.left() != count * 16) return std::nullopt;
  row.messages.resize(count);
  for (Mention& message : row.messages) {
    message.seq = in.u64();
    message.ordinal = in.u64();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

// ---- Polls ----

std::string poll_key() { return "p"; }
std::string encode(const PollRow& row) {
  Writer out(19 + 8 * row.votes.size());
  out.u8(format);
  out.u8(row.closed ? 1 : 0);
  out.i64(row.closed_ms);
  out.u64(row.voters);
  out.u8(static_cast<std::uint8_t>(row.votes.size()));
  for (const std::uint64_t votes : row.votes) out.u64(votes);
  return out.take();
}
std::optional<PollRow> decode_poll(Bytes value) {
  Reader in(value);
  PollRow row;
  if (in.u8() != format) return std::nullopt;
  const std::uint8_t flags = in.u8();
  if (flags > 1) return std::nullopt;
  row.closed = flags == 1;
  row.closed_ms = in.i64();
  row.voters = in.u64();
  const std::size_t count = in.u8();
  if (count > limits::poll_options || in.left() != count * 8) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) row.votes.push_back(in.u64());
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string ballot_key(UserId user) { return number_key('b', user.value); }
std::string encode_ballot(std::uint32_t chosen) {
  Writer out(5);
  out.u8(format);
  out.u32(chosen);
  return out.take();
}
std::optional<std::uint32_t> decode_ballot(Bytes value) {
  Reader in(value);
  if (in.u8() != format) return std::nullopt;
  const std::uint32_t chosen = in.u32();
  if (!in.complete() || chosen == 0) return std::nullopt;
  return chosen;
}

std::string vote_key(std::uint8_t option, UserId user) {
  std::string key{'v', static_cast<char>(option)};
  base::append_be(key, user.value);
  return key;
}
std::optional<UserId> parse_vote(Bytes key) noexcept {
  if (key.size() != 10 || key[0] != 'v') return std::nullopt;
  return UserId{base::get_be64(key.data() + 2)};
}

// ---- Threads ----

std::string personal_id(Namespace ns, const ConversationId& id, UserId user) {
  std::string out = conversation_id(ns, id);
  base::append_be(out, user.value);
  return out;
}
std::string thread_id(Namespace ns, const ConversationId& id, Seq root) {
  std::string out = conversation_id(ns, id);
  base::append_be(out, root);
  return out;
}

std::string thread_change_key(Seq root, Seq seq) {
  std::string key = number_key('t', root);
  base::append_be(key, seq);
  return key;
}
std::optional<ThreadChangeKey> parse_thread_change(Bytes key) noexcept {
  if (key.size() != 17 || key[0] != 't') return std::nullopt;
  return ThreadChangeKey{base::get_be64(key.data() + 1), base::get_be64(key.data() + 9)};
}

void ThreadChange::add(const ThreadChange& other) {
  fresh = fresh || other.fresh;
  gone = gone || other.gone;
  if (!other.fresh) return;
  sender = other.sender;
  followers = other.followers;
}

std::size_t thread_change_size(std::size_t followers) noexcept { return 19 + 8 * followers; }

std::string encode(const ThreadChange& row) {
  Writer out(thread_change_size(row.followers.size()));
  out.u8(format);
  out.u8(static_cast<std::uint8_t>((row.fresh ? 1 : 0) | (row.gone ? 2 : 0)));
  out.u64(row.ordinal);
  out.u64(row.sender.value);
  out.u8(static_cast<std::uint8_t>(row.followers.size()));
  for (const UserId user : row.followers) out.u64(user.value);
  return out.take();
}

std::optional<ThreadChange> decode_thread_change(Bytes value) {
  Reader in(value);
  ThreadChange row;
  if (in.u8() != format) return std::nullopt;
  const std::uint8_t flags = in.u8();
  row.fresh = (flags & 1) != 0;
  row.gone = (flags & 2) != 0;
  row.ordinal = in.u64();
  row.sender = UserId{in.u64()};
  const std::size_t count = in.u8();
  if (in.left() != count * 8) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) row.followers.push_back(UserId{in.u64()});
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode_thread_ordinal(std::uint64_t ordinal) {
  Writer out(9);
  out.u8(format);
  out.u64(ordinal);
  return out.take();
}
std::optional<std::uint64_t> decode_thread_ordinal(Bytes value) {
  Reader in(value);
  if (in.u8() != format) return std::nullopt;
  const std::uint64_t ordinal = in.u64();
  if (!in.complete()) return std::nullopt;
  return ordinal;
}

std::string follow_key(Seq root) { return number_key('t', root); }
std::string encode(const FollowRow& row) {
  Writer out(18);
  out.u8(format);
  out.u8(static_cast<std::uint8_t>(row.state));
  out.u64(row.read);
  out.u64(row.applied);
  return out.take();
}
std::optional<FollowRow> decode_follow(Bytes value) {
  Reader in(value);
  FollowRow row;
  if (in.u8() != format) return std::nullopt;
  const std::uint8_t state = in.u8();
  if (state > static_cast<std::uint8_t>(FollowRow::State::left)) return std::nullopt;
  row.state = static_cast<FollowRow::State>(state);
  row.read = in.u64();
  row.applied = in.u64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string own_deletion_key(Seq seq) { return number_key('h', seq); }
std::string encode(const OwnDeletionRow& row) {
  Writer out(17);
  out.u8(format);
  out.u64(row.ordinal);
  out.u64(row.thread_root);
  return out.take();
}
std::optional<OwnDeletionRow> decode_own_deletion(Bytes value) {
  Reader in(value);
  OwnDeletionRow row;
  if (in.u8() != format) return std::nullopt;
  row.ordinal = in.u64();
  row.thread_root = in.u64();
  if (!in.complete()) return std::nullopt;
  return row;
}

}  // namespace parley::layout
