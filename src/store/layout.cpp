// store/layout.cpp: the ids, keys, guards and rows; events and chunks are in
// layout_events.cpp, a user's rows in layout_user.cpp.
#include "store/layout.hpp"

#include <algorithm>
#include <utility>

#include "base/case_fold.hpp"
#include "base/endian.hpp"
#include "base/siphash.hpp"
#include "parley/limits.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {
namespace {

using base::append_be;

std::string in_namespace(Namespace ns, Bytes id, std::size_t more = 0) {
  std::string out;
  out.reserve(sizeof ns + id.size() + more);
  append_be(out, ns);
  out.append(id);
  return out;
}

std::string bucket_id(Namespace ns, const ConversationId& id, std::uint16_t bucket) {
  std::string out = in_namespace(ns, id.view(), sizeof bucket);
  append_be(out, bucket);
  return out;
}

}  // namespace

// ---- Partition ids ----

std::string conversation_id(Namespace ns, const ConversationId& id) {
  return in_namespace(ns, id.view());
}
std::string archive_id(Namespace ns, const ConversationId& id, Seq seq) {
  std::string out = in_namespace(ns, id.view(), 4);
  append_be(out, static_cast<std::uint32_t>(seq >> archive_shift));
  return out;
}
std::string receipt_id(Namespace ns, const ConversationId& id, std::uint16_t bucket) {
  return bucket_id(ns, id, bucket);
}
std::string member_id(Namespace ns, const ConversationId& id, std::uint16_t bucket) {
  return bucket_id(ns, id, bucket);
}
std::string reaction_id(Namespace ns, const ConversationId& id, Seq seq) {
  std::string out = in_namespace(ns, id.view(), sizeof seq);
  append_be(out, seq);
  return out;
}
std::string user_id(Namespace ns, UserId id) {
  std::string out = in_namespace(ns, {}, sizeof id.value);
  append_be(out, id.value);
  return out;
}
std::string name_id(Namespace ns, const std::array<std::uint8_t, 16>& subject_hash) {
  return in_namespace(ns, {reinterpret_cast<const char*>(subject_hash.data()), 16});
}
std::string system_id(std::string_view name) {
  constexpr std::size_t most = 32;
  if (name.size() <= most) return std::string(name);
  const auto hash = base::siphash128({}, name);
  std::string out(name.substr(0, most - hash.size()));
  return out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}
std::uint16_t bucket_of(UserId user, std::uint16_t buckets) noexcept {
  // The finaliser of MurmurHash3: user ids may be dense. Part of the format, never changed.
  std::uint64_t h = user.value;
  h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
  h ^= h >> 33;
  return static_cast<std::uint16_t>(h % buckets);
}

// ---- Row keys ----

std::string event_key(Seq seq) { return number_key('e', seq); }
std::optional<Seq> parse_event_key(Bytes key) noexcept { return parse_number_key('e', key); }
std::optional<std::uint64_t> parse_number_key(char prefix, Bytes key) noexcept {
  if (key.size() != 9 || key[0] != prefix) return std::nullopt;
  return base::get_be64(key.data() + 1);
}
std::string sender_key(UserId user, DeviceId device) {
  std::string key;
  append_sender_key(key, user, device);
  return key;
}
std::string member_key(UserId user) { return number_key('m', user.value); }
std::string member_name_key(std::string_view name, UserId user) {
  std::string key;
  key.reserve(name.size() + 10);
  key.append(1, 'n').append(name).append(1, '\0');
  append_be(key, user.value);
  return key;
}
std::optional<UserId> parse_member_name_key(Bytes key) noexcept {
  if (key.size() < 10 || key[0] != 'n' || key[key.size() - 9] != 0) return std::nullopt;
  return UserId{base::get_be64(key.data() + key.size() - 8)};
}
std::pair<std::string, std::string> member_name_range(std::string_view prefix) {
  std::string first = std::string(1, 'n').append(prefix);
  std::string end = first;
  ++end.back();  // no byte of UTF-8 is 0xff
  return {std::move(first), std::move(end)};
}
std::string searched_name(std::string_view subject) {
  std::string name = base::fold_case(subject);
  std::replace(name.begin(), name.end(), '\0', '\1');
  std::size_t end = std::min(name.size(), limits::member_prefix);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
    --end;  // no character is cut
  name.resize(end);
  return name;
}
std::string overlay_key(Seq seq) { return number_key('o', seq); }
std::string pending_key(Seq seq) { return number_key('p', seq); }
std::string deleted_key(std::uint64_t ordinal) { return number_key('x', ordinal); }
std::string pin_key(Seq seq) { return number_key('i', seq); }
std::string restriction_key(UserId user) { return number_key('b', user.value); }
std::string join_request_key(UserId user) { return number_key('j', user.value); }
std::string admission_key(UserId user) { return number_key('y', user.value); }
std::string invite_key(const InviteSecret& secret) {
  return std::string(1, 'v').append(reinterpret_cast<const char*>(secret.data()), secret.size());
}
std::optional<InviteSecret> parse_invite_key(Bytes key) noexcept {
  InviteSecret secret;
  if (key.size() != 1 + secret.size() || key[0] != 'v') return std::nullopt;
  key.copy(reinterpret_cast<char*>(secret.data()), secret.size(), 1);
  return secret;
}
std::string last_sent_key(UserId user) { return number_key('l', user.value); }
std::string reaction_key(std::string_view key) { return std::string(1, 'n').append(key); }
std::string reactors_key(std::string_view key) {
  std::string out(1, 'u');
  out.push_back(static_cast<char>(key.size()));
  return out.append(key);
}
std::string reactor_key(std::string_view key, UserId user) {
  std::string out = reactors_key(key);
  append_be(out, user.value);
  return out;
}
std::optional<Reactor> parse_reactor(Bytes key) noexcept {
  if (key.size() < 2 || key[0] != 'u') return std::nullopt;
  const std::size_t size = static_cast<unsigned char>(key[1]);
  if (key.size() != 2 + size + 8) return std::nullopt;
  return Reactor{key.substr(2, size), UserId{base::get_be64(key.data() + 2 + size)}};
}
std::string info_key() { return "ainfo"; }
std::string retention_key() { return "aretention"; }
std::string host_key(std::uint32_t day, const std::array<std::uint8_t, 16>& hash) {
  std::string key(1, 'k');
  append_be(key, static_cast<std::uint16_t>(day));
  return key.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}
std::string chunk_key(Seq first) { return number_key('c', first); }
std::string receipt_key(UserId user) { return number_key('r', user.value); }
std::string read_count_key(std::uint8_t level, Seq block) {
  std::string key{'h', static_cast<char>(level)};
  append_be(key, block);
  return key;
}
std::vector<std::string> read_count_keys(Seq position) {
  std::vector<std::string> keys;
  for (std::uint8_t level = 0; position != 0; ++level, position >>= read_count_shift)
    keys.push_back(read_count_key(level, position));
  return keys;
}
std::string list_key(const ConversationId& id) { return std::string(1, 'c').append(id.view()); }
std::string draft_key(const ConversationId& id) { return std::string(1, 'w').append(id.view()); }
std::string block_key(UserId user) { return number_key('b', user.value); }
std::string own_request_key(const ConversationId& id) {
  return std::string(1, 'j').append(id.view());
}
std::string device_key(DeviceId id) { return number_key('d', id.value); }
std::string scheduled_key(Snowflake id) { return number_key('q', id); }
std::string setting_key(std::string_view name) { return std::string(1, 'k').append(name); }

// ---- The head cell ----

// Values that grew since the first format; both are read.
constexpr std::uint8_t with_shown = 2;

std::string encode(const HeadCell& head) {
  std::string out;
  encode(head, out);
  return out;
}

void encode(const HeadCell& head, std::string& into) {
  FixedWriter<129> out;
  out.u8(with_shown);
  out.u8(static_cast<std::uint8_t>(head.flags));
  out.u16(head.members);
  out.u32(head.term);
  out.bytes(head.epoch.view());
  out.u32(head.mark);
  out.u64(head.head);
  out.u64(head.ordinal);
  out.u64(head.floor);
  out.u64(head.floor_ordinal);
  out.u32(head.floor_mark);
  out.u64(head.sealed);
  out.i64(head.last_message_ms);
  out.i64(head.last_event_ms);
  out.u64(head.authority);
  out.u64(head.deleted_ordinal);
  out.u64(head.nonce);
  out.i64(head.shown_ms);
  out.u64(head.hidden);
  out.u8(static_cast<std::uint8_t>(head.flags >> 8));
  into.assign(out.view());
}

std::optional<HeadCell> decode_head(Bytes value) noexcept {
  Reader in(value);
  HeadCell head;
  const std::uint8_t version = in.u8();
  if (version != format && version != with_shown) return std::nullopt;
  head.flags = in.u8();
  head.members = in.u16();
  head.term = in.u32();
  in.id(head.epoch);
  head.mark = in.u32();
  head.head = in.u64();
  head.ordinal = in.u64();
  head.floor = in.u64();
  head.floor_ordinal = in.u64();
  head.floor_mark = in.u32();
  head.sealed = in.u64();
  head.last_message_ms = in.i64();
  head.last_event_ms = in.i64();
  head.authority = in.u64();
  head.deleted_ordinal = in.u64();
  head.nonce = in.u64();
  head.shown_ms = version == with_shown ? in.i64() : head.last_event_ms;
  head.hidden = version == with_shown ? in.u64() : 0;
  if (version == with_shown) head.flags = static_cast<std::uint16_t>(head.flags | in.u8() << 8);
  if (!in.complete()) return std::nullopt;
  return head;
}

// ---- Idempotency ----

std::size_t sender_size(std::size_t open) noexcept { return 18 + open * 36; }

void append_sender_key(std::string& out, UserId user, DeviceId device) {
  out.push_back('s');
  append_be(out, user.value);
  append_be(out, device.value);
}

std::string encode(const SenderRow& row) {
  std::string out;
  out.reserve(sender_size(row.open.size()));
  append(out, row);
  return out;
}

void append(std::string& value, const SenderRow& row) {
  Writer out(value);
  out.u8(format);
  out.u64(row.settled);
  out.u64(row.last);
  out.u8(static_cast<std::uint8_t>(row.open.size()));
  for (const SenderRow::Open& open : row.open) {
    out.u64(open.number);
    out.u64(open.random);
    out.u64(open.seq);
    out.i64(open.time_ms);
    out.u32(open.body_crc);
  }
}

std::optional<SenderRow> decode_sender(Bytes value) {
  Reader in(value);
  SenderRow row;
  if (in.u8() != format) return std::nullopt;
  row.settled = in.u64();
  row.last = in.u64();
  const std::size_t count = in.u8();
  if (count > limits::open_sends || in.left() != count * 36) return std::nullopt;
  row.open.resize(count);
  for (SenderRow::Open& open : row.open) {
    open.number = in.u64();
    open.random = in.u64();
    open.seq = in.u64();
    open.time_ms = in.i64();
    open.body_crc = in.u32();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const HostKeyRow& row) {
  Writer out(21);
  out.u8(format);
  out.u64(row.seq);
  out.i64(row.time_ms);
  out.u32(row.body_crc);
  return out.take();
}

std::optional<HostKeyRow> decode_host_key(Bytes value) {
  Reader in(value);
  HostKeyRow row;
  if (in.u8() != format) return std::nullopt;
  row.seq = in.u64();
  row.time_ms = in.i64();
  row.body_crc = in.u32();
  if (!in.complete()) return std::nullopt;
  return row;
}

// ---- Notes ----

std::string encode(const Note& note) {
  Writer out(64);
  out.u8(format);
  out.u8(static_cast<std::uint8_t>(note.kind));
  if (note.kind == Note::Kind::events || note.kind == Note::Kind::reactions) {
    out.u64(note.first);
    out.u64(note.last);
  }
  for (const UserId user : note.users) out.u64(user.value);
  return out.take();
}

std::optional<Note> decode_note(Bytes value) {
  Reader in(value);
  Note note;
  if (in.u8() != format) return std::nullopt;
  note.kind = static_cast<Note::Kind>(in.u8());
  switch (note.kind) {
    case Note::Kind::events:
    case Note::Kind::reactions:
      note.first = in.u64();
      note.last = in.u64();
      break;
    case Note::Kind::pair:
    case Note::Kind::channel_join:
      break;
    default:
      return std::nullopt;
  }
  if (in.left() % 8 != 0 || in.left() > 7 * 8) return std::nullopt;
  while (in.left() > 0) note.users.push_back(UserId{in.u64()});
  if (!in.complete()) return std::nullopt;
  return note;
}

}  // namespace parley::layout
