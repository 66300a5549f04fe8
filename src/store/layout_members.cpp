// layout_members.cpp: the values about who is in, what a conversation is like, and who has seen
// what.
#include <chrono>
#include <optional>
#include <string>

#include "store/layout.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {
namespace {

constexpr std::uint8_t grown = 2, expiring = 3, in_a_space = 4;  // later formats
constexpr std::uint8_t admitted = 3, named = 4, deleting = 5;    // of members
constexpr std::uint8_t of_an_entry = 3;                          // of pending rows

// Groups and shadow ban make the end of a row of format 2; where there is neither it is of
// format 1.
template <class Row>
std::uint8_t format_of(const Row& row) {
  return row.groups == 0 && !row.shadowed ? format : grown;
}
template <class Row>
void put_visibility(Writer& out, const Row& row, std::uint8_t version) {
  if (version == format) return;
  out.u16(row.groups);
  out.u8(row.shadowed ? 1 : 0);
}
template <class Row>
void get_visibility(Reader& in, std::uint8_t version, Row& row) {
  if (version == format) return;
  row.groups = in.u16();
  row.shadowed = in.u8() != 0;
}

}  // namespace

std::string encode(const MemberRow& row, std::string_view name) {
  Writer out(55 + name.size());
  const std::uint8_t version = row.own_deletion_ms != 0 ? deleting
                               : !name.empty()          ? named
                               : row.admission != 0     ? admitted
                                                        : format_of(row);
  out.u8(version);
  out.u8(static_cast<std::uint8_t>(row.role));
  out.i64(row.since_ms);
  out.u64(row.visible_from);
  out.u64(row.visible_ordinal);
  out.u64(row.left_at);
  put_visibility(out, row, version);
  if (version >= admitted) out.u64(row.admission);
  if (version >= named) out.text(name);
  if (version >= deleting) out.i64(row.own_deletion_ms);
  return out.take();
}

std::string encode(const MemberRow& row) { return encode(row, {}); }

std::optional<MemberRow> decode_member(Bytes value) {
  Reader in(value);
  MemberRow row;
  const std::uint8_t version = in.u8();
  if (version < format || version > deleting) return std::nullopt;
  row.role = static_cast<Role>(in.u8());
  row.since_ms = in.i64();
  row.visible_from = in.u64();
  row.visible_ordinal = in.u64();
  row.left_at = in.u64();
  get_visibility(in, version, row);
  if (version >= admitted) row.admission = in.u64();
  if (version >= named) in.text();
  if (version >= deleting) row.own_deletion_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string decode_member_name(Bytes value) {
  constexpr std::size_t before = 45;  // the fields of a row that was admitted
  Reader in(value);
  if (in.u8() < named) return {};
  in.bytes(before - 1);
  return in.text();
}

JoinRule default_join(ConversationKind kind) noexcept {
  return kind == ConversationKind::channel ? JoinRule::open : JoinRule::added;
}

// An info row with nothing but a title was the first format; both are read.
std::string encode(const InfoRow& row) {
  const ConversationSettings& set = row.settings;
  Writer out(84 + set.title.size() + set.description.size() + set.avatar.size() +
             set.metadata.size());
  const bool spaced = row.space || row.child_number != 0;
  const std::uint8_t version = spaced                           ? in_a_space
                               : set.expires_after.count() != 0 ? expiring
                                                                : grown;
  out.u8(version);
  out.u8(static_cast<std::uint8_t>(row.kind));
  out.u64(row.creator.value);
  out.i64(row.created_ms);
  out.u64(row.first.value);
  out.u64(row.second.value);
  out.text(set.title);
  out.text(set.description);
  out.text(set.avatar);
  out.text(set.metadata);
  for (const Role role : {set.who_sends, set.who_adds, set.who_pins, set.who_changes})
    out.u8(static_cast<std::uint8_t>(role));
  out.u8(static_cast<std::uint8_t>(set.join));
  out.u8(set.archived ? 1 : 0);
  out.u32(static_cast<std::uint32_t>(set.slow_mode.count()));
  if (version >= expiring) out.u32(static_cast<std::uint32_t>(set.expires_after.count()));
  if (version >= in_a_space) {
    out.bytes(row.space.view());
    out.u32(row.child_number);
    out.u64(row.opened_ordinal);
  }
  return out.take();
}

std::optional<InfoRow> decode_info(Bytes value) {
  Reader in(value);
  InfoRow row;
  const std::uint8_t version = in.u8();
  if (version < format || version > in_a_space) return std::nullopt;
  row.kind = static_cast<ConversationKind>(in.u8());
  row.creator = UserId{in.u64()};
  row.created_ms = in.i64();
  row.first = UserId{in.u64()};
  row.second = UserId{in.u64()};
  ConversationSettings& set = row.settings;
  set.title = in.text();
  set.join = default_join(row.kind);
  if (version >= grown) {
    set.description = in.text();
    set.avatar = in.text();
    set.metadata = in.text();
    for (Role* role : {&set.who_sends, &set.who_adds, &set.who_pins, &set.who_changes})
      *role = static_cast<Role>(in.u8());
    set.join = static_cast<JoinRule>(in.u8());
    set.archived = in.u8() != 0;
    set.slow_mode = std::chrono::seconds(in.u32());
  }
  if (version >= expiring) set.expires_after = std::chrono::seconds(in.u32());
  if (version >= in_a_space) {
    in.id(row.space);
    row.child_number = in.u32();
    row.opened_ordinal = in.u64();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const RestrictionRow& row) {
  Writer out(2 + 2 * 26 + row.mute.reason.size() + row.ban.reason.size());
  out.u8(format);
  out.u8(static_cast<std::uint8_t>((row.mute.on ? 1 : 0) | (row.ban.on ? 2 : 0)));
  for (const RestrictionRow::One* one : {&row.mute, &row.ban}) {
    if (!one->on) continue;
    out.u64(one->by.value);
    out.i64(one->since_ms);
    out.i64(one->until_ms);
    out.text(one->reason);
  }
  return out.take();
}

std::optional<RestrictionRow> decode_restriction(Bytes value) {
  Reader in(value);
  RestrictionRow row;
  if (in.u8() != format) return std::nullopt;
  const std::uint8_t flags = in.u8();
  row.mute.on = (flags & 1) != 0;
  row.ban.on = (flags & 2) != 0;
  for (RestrictionRow::One* one : {&row.mute, &row.ban}) {
    if (!one->on) continue;
    one->by = UserId{in.u64()};
    one->since_ms = in.i64();
    one->until_ms = in.i64();
    one->reason = in.text();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const InviteRow& row) {
  Writer out(34);
  out.u8(format);
  out.u8(static_cast<std::uint8_t>(row.role));
  out.u64(row.by.value);
  out.i64(row.created_ms);
  out.i64(row.expires_ms);
  out.u32(row.uses);
  out.u32(row.used);
  return out.take();
}

std::optional<InviteRow> decode_invite(Bytes value) {
  Reader in(value);
  InviteRow row;
  if (in.u8() != format) return std::nullopt;
  row.role = static_cast<Role>(in.u8());
  row.by = UserId{in.u64()};
  row.created_ms = in.i64();
  row.expires_ms = in.i64();
  row.uses = in.u32();
  row.used = in.u32();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const JoinRequestRow& row) {
  Writer out(11 + row.note.size());
  out.u8(format);
  out.i64(row.since_ms);
  out.text(row.note);
  return out.take();
}

std::optional<JoinRequestRow> decode_join_request(Bytes value) {
  Reader in(value);
  JoinRequestRow row;
  if (in.u8() != format) return std::nullopt;
  row.since_ms = in.i64();
  row.note = in.text();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const AdmissionRow& row) {
  Writer out(10);
  out.u8(format);
  out.u8(static_cast<std::uint8_t>(row.role));
  out.u64(row.id);
  return out.take();
}

std::optional<AdmissionRow> decode_admission(Bytes value) {
  Reader in(value);
  AdmissionRow row;
  if (in.u8() != format) return std::nullopt;
  row.role = static_cast<Role>(in.u8());
  row.id = in.u64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const LastSentRow& row) {
  Writer out(9);
  out.u8(format);
  out.i64(row.time_ms);
  return out.take();
}

std::optional<LastSentRow> decode_last_sent(Bytes value) {
  Reader in(value);
  LastSentRow row;
  if (in.u8() != format) return std::nullopt;
  row.time_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

namespace {
// A receipt without what others may know was the first format; both are read.
constexpr std::uint8_t receipt_format = 2;
}  // namespace

std::string encode(const ReceiptRow& row) {
  Writer out(42);
  out.u8(receipt_format);
  out.u64(row.received);
  out.u64(row.read);
  out.u64(row.read_ordinal);
  out.i64(row.time_ms);
  out.u64(row.shown);
  out.u8(row.counted ? 1 : 0);
  return out.take();
}

std::optional<ReceiptRow> decode_receipt(Bytes value) {
  Reader in(value);
  ReceiptRow row;
  const std::uint8_t version = in.u8();
  if (version != format && version != receipt_format) return std::nullopt;
  row.received = in.u64();
  row.read = in.u64();
  row.read_ordinal = in.u64();
  row.time_ms = in.i64();
  row.shown = row.read;
  if (version == receipt_format) {
    row.shown = in.u64();
    row.counted = in.u8() != 0;
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode_read_count(std::uint64_t count) {
  Writer out(9);
  out.u8(format);
  out.u64(count);
  return out.take();
}

std::optional<std::uint64_t> decode_read_count(Bytes value) {
  Reader in(value);
  if (in.u8() != format) return std::nullopt;
  const std::uint64_t count = in.u64();
  if (!in.complete()) return std::nullopt;
  return count;
}

std::string encode(const PendingRow& row) {
  Writer out(21);
  const std::uint8_t version = row.entry != 0 ? of_an_entry : format_of(row);
  out.u8(version);
  out.u64(row.user.value);
  out.u8(static_cast<std::uint8_t>(row.role));
  put_visibility(out, row, version);
  if (version >= of_an_entry) out.u64(row.entry);
  return out.take();
}

std::optional<PendingRow> decode_pending(Bytes value) {
  Reader in(value);
  PendingRow row;
  const std::uint8_t version = in.u8();
  if (version < format || version > of_an_entry) return std::nullopt;
  row.user = UserId{in.u64()};
  row.role = static_cast<Role>(in.u8());
  get_visibility(in, version, row);
  if (version >= of_an_entry) row.entry = in.u64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const ReactionRow& row) {
  Writer out(17);
  out.u8(format);
  out.u64(row.count);
  out.i64(row.since_ms);
  return out.take();
}

std::optional<ReactionRow> decode_reaction(Bytes value) {
  Reader in(value);
  ReactionRow row;
  if (in.u8() != format) return std::nullopt;
  row.count = in.u64();
  row.since_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const PinRow& row) {
  Writer out(17);
  out.u8(format);
  out.u64(row.by.value);
  out.i64(row.time_ms);
  return out.take();
}

std::optional<PinRow> decode_pin(Bytes value) {
  Reader in(value);
  PinRow row;
  if (in.u8() != format) return std::nullopt;
  row.by = UserId{in.u64()};
  row.time_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const CountCell& cell) {
  Writer out(25);
  out.u8(cell.indexed ? grown : format);
  out.u64(cell.revision);
  out.u64(cell.count);
  out.u64(cell.nonce);
  return out.take();
}

std::optional<CountCell> decode_count(Bytes value) {
  Reader in(value);
  CountCell cell;
  const std::uint8_t version = in.u8();
  if (version != format && version != grown) return std::nullopt;
  cell.indexed = version == grown;
  cell.revision = in.u64();
  cell.count = in.u64();
  cell.nonce = in.u64();
  if (!in.complete()) return std::nullopt;
  return cell;
}

}  // namespace parley::layout
