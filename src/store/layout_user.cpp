// store/layout_user.cpp: the rows of a user's partition, and names.
#include "base/siphash.hpp"
#include "store/layout.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {

namespace {
// A list row without settings was the first format, one without folders the second; all are read.
constexpr std::uint8_t list_settings_format = 2;
constexpr std::uint8_t list_format = 3;
enum : std::uint8_t {
  list_pinned = 1,
  list_archived = 2,
  list_unread = 4,
  list_draft = 8,
  list_inherited = 16,
};
}  // namespace

std::string encode(const ListRow& row) {
  Writer out(62 + row.folder.size());
  out.u8(list_format);
  out.u8(row.entered ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(row.kind));
  out.u64(row.peer.value);
  out.u64(row.as_of);
  out.u64(row.visible_from);
  out.u64(row.visible_ordinal);
  out.i64(row.joined_ms);
  out.u8(static_cast<std::uint8_t>(
      (row.pinned ? list_pinned : 0) | (row.archived ? list_archived : 0) |
      (row.marked_unread ? list_unread : 0) | (row.has_draft ? list_draft : 0) |
      (row.inherited ? list_inherited : 0)));
  out.i64(row.muted_until_ms);
  out.u64(row.hidden_until);
  out.text(row.folder);
  return out.take();
}

std::string encode(const BlockRow& row) {
  Writer out(9);
  out.u8(format);
  out.i64(row.since_ms);
  return out.take();
}

std::optional<BlockRow> decode_block(Bytes value) {
  Reader in(value);
  BlockRow row;
  if (in.u8() != format) return std::nullopt;
  row.since_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const OwnRequestRow& row) {
  Writer out(18);
  out.u8(format);
  out.u8(row.state);
  out.u64(row.as_of);
  out.i64(row.time_ms);
  return out.take();
}

std::optional<OwnRequestRow> decode_own_request(Bytes value) {
  Reader in(value);
  OwnRequestRow row;
  if (in.u8() != format) return std::nullopt;
  row.state = in.u8();
  row.as_of = in.u64();
  row.time_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::optional<ListRow> decode_list(Bytes value) {
  Reader in(value);
  ListRow row;
  const std::uint8_t version = in.u8();
  if (version < format || version > list_format) return std::nullopt;
  row.entered = in.u8() != 0;
  row.kind = static_cast<ConversationKind>(in.u8());
  row.peer = UserId{in.u64()};
  row.as_of = in.u64();
  row.visible_from = in.u64();
  row.visible_ordinal = in.u64();
  row.joined_ms = in.i64();
  if (version >= list_settings_format) {
    const std::uint8_t set = in.u8();
    row.pinned = (set & list_pinned) != 0;
    row.archived = (set & list_archived) != 0;
    row.marked_unread = (set & list_unread) != 0;
    row.has_draft = (set & list_draft) != 0;
    row.inherited = (set & list_inherited) != 0;
    row.muted_until_ms = in.i64();
  }
  if (version >= list_format) {
    row.hidden_until = in.u64();
    row.folder = in.text();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const DraftRow& row) {
  Writer out(11 + row.text.size());
  out.u8(format);
  out.i64(row.time_ms);
  out.text(row.text);
  return out.take();
}

std::optional<DraftRow> decode_draft(Bytes value) {
  Reader in(value);
  DraftRow row;
  if (in.u8() != format) return std::nullopt;
  row.time_ms = in.i64();
  row.text = std::string(in.text());
  if (!in.complete()) return std::nullopt;
  return row;
}

namespace {
// A device row with its last time and name only was the first format; both are read.
constexpr std::uint8_t device_format = 2;
}  // namespace

std::string encode(const DeviceRow& row) {
  Writer out(37 + row.name.size() + row.given.size());
  out.u8(device_format);
  out.i64(row.last_seen_ms);
  out.text(row.name);
  out.text(row.given);
  out.i64(row.created_ms);
  out.i64(row.shown_ms);
  out.i64(row.revoked_ms);
  return out.take();
}

std::optional<DeviceRow> decode_device(Bytes value) {
  Reader in(value);
  DeviceRow row;
  const std::uint8_t version = in.u8();
  if (version != format && version != device_format) return std::nullopt;
  row.last_seen_ms = in.i64();
  row.name = in.text();
  row.shown_ms = row.last_seen_ms;
  if (version == device_format) {
    row.given = in.text();
    row.created_ms = in.i64();
    row.shown_ms = in.i64();
    row.revoked_ms = in.i64();
  }
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const SettingsRow& row) {
  Writer out(12 + row.status.size());
  out.u8(format);
  out.u8(static_cast<std::uint8_t>((row.hide_reads ? 1 : 0) | (row.hide_last_seen ? 2 : 0)));
  out.text(row.status);
  out.i64(row.status_until_ms);
  return out.take();
}

std::optional<SettingsRow> decode_settings(Bytes value) {
  Reader in(value);
  SettingsRow row;
  if (in.u8() != format) return std::nullopt;
  const std::uint8_t hidden = in.u8();
  row.hide_reads = (hidden & 1) != 0;
  row.hide_last_seen = (hidden & 2) != 0;
  row.status = in.text();
  row.status_until_ms = in.i64();
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string stored_subject(std::string_view subject) {
  constexpr std::size_t most = 230;
  if (subject.size() <= most) return std::string(subject);
  const auto hash = base::siphash128({}, subject);
  std::string out(subject.substr(0, most - hash.size()));
  return out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}

std::string encode(const NameCell& cell) {
  const std::string subject = stored_subject(cell.subject);
  Writer out(19 + subject.size());
  out.u8(format);
  out.u64(cell.user.value);
  out.u64(cell.nonce);
  out.text(subject);
  return out.take();
}

std::optional<NameCell> decode_name(Bytes value) {
  Reader in(value);
  NameCell cell;
  if (in.u8() != format) return std::nullopt;
  cell.user = UserId{in.u64()};
  cell.nonce = in.u64();
  cell.subject = in.text();
  if (!in.complete()) return std::nullopt;
  return cell;
}

}  // namespace parley::layout
