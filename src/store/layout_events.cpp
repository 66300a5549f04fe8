// store/layout_events.cpp: events in their private envelope, and sealed chunks of them.
#include <algorithm>

#include "base/crc32c.hpp"
#include "parley/limits.hpp"
#include "store/layout.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {
namespace {

// Both headers are multiples of 8, so that a record is 8-aligned where its value is.
constexpr std::size_t envelope_size = 32;
constexpr std::size_t chunk_header = 16;
constexpr std::size_t chunk_entry = 24;
constexpr std::size_t checksum_at = 4;  // format 1, flags 1, reserved or count 2, checksum 4

// Over (conversation, seq, value without its checksum).
std::uint32_t checksum(const ConversationId& id, Seq seq, Bytes value) noexcept {
  char where[24];
  id.view().copy(where, 16);
  base::put_be64(where + 16, seq);
  std::uint32_t crc = base::crc32c(0, Bytes(where, sizeof where));
  crc = base::crc32c(crc, value.substr(0, checksum_at));
  return base::crc32c(crc, value.substr(checksum_at + 4));
}

Error corrupt(const char* what, Seq seq, const char* why) {
  return {Errc::store_corrupt, std::string(what) + " at seq " + std::to_string(seq) + ": " + why};
}

Payload share(Bytes record, const Owner& owner) {
  if (owner && reinterpret_cast<std::uintptr_t>(record.data()) % 8 == 0) return {owner, record};
  return Payload::copy_of(record);
}

}  // namespace

ConversationId stream_of(UserId user) noexcept {
  ConversationId id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[i] = static_cast<std::uint8_t>("user"[i]);
  char number[8];
  base::put_be64(number, user.value);
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(number[i]);
  return id;
}

Mark next_mark(Mark before, const ConversationId& id, Bytes record) noexcept {
  char prefix[20];
  base::put_be32(prefix, before);
  id.view().copy(prefix + 4, 16);
  return base::crc32c(base::crc32c(0, Bytes(prefix, sizeof prefix)), record);
}

std::size_t event_size(std::size_t record_bytes) noexcept { return envelope_size + record_bytes; }

void append_event(std::string& out, const ConversationId& id, const StoredEvent& event) {
  const std::size_t at = out.size();
  char head[envelope_size] = {};
  head[0] = static_cast<char>(format);
  base::put_be32(head + 8, event.mark);
  base::put_be32(head + 12, static_cast<std::uint32_t>(event.record.size()));
  base::put_be64(head + 16, event.device.value);
  base::put_be64(head + 24, event.number);
  out.append(head, sizeof head);
  out.append(event.record.bytes());
  const std::uint32_t crc = checksum(id, event.seq, Bytes(out).substr(at));
  base::put_be32(out.data() + at + checksum_at, crc);
}

std::string encode_event(const ConversationId& id, const StoredEvent& event) {
  std::string out;
  out.reserve(event_size(event.record.size()));
  append_event(out, id, event);
  return out;
}

Result<StoredEvent> decode_event(const ConversationId& id, Seq seq, Bytes value,
                                 const Owner& owner) {
  if (value.size() < envelope_size) return corrupt("the event", seq, "too short");
  if (static_cast<std::uint8_t>(value[0]) != format)
    return corrupt("the event", seq, "format unknown to this version");
  if (base::get_be32(value.data() + checksum_at) != checksum(id, seq, value))
    return corrupt("the event", seq, "checksum differs");
  if (base::get_be32(value.data() + 12) != value.size() - envelope_size)
    return corrupt("the event", seq, "length differs");
  StoredEvent event;
  event.seq = seq;
  event.mark = base::get_be32(value.data() + 8);
  event.device = DeviceId{base::get_be64(value.data() + 16)};
  event.number = base::get_be64(value.data() + 24);
  event.record = share(value.substr(envelope_size), owner);
  return event;
}

// ---- Chunks: header (format, flags, count 2, checksum 4, first seq 8), entries, records ----

std::size_t chunk_base() noexcept { return chunk_header; }
std::size_t chunk_size(std::size_t record_bytes) noexcept { return chunk_entry + record_bytes; }

std::size_t full_chunk(const StoredEvent* events, std::size_t count) noexcept {
  std::size_t bytes = chunk_base();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && events[i].seq >> archive_shift != events[0].seq >> archive_shift) return i;
    const std::size_t more = chunk_size(events[i].record.size());
    if (i > 0 && bytes + more > limits::chunk_bytes) return i;
    bytes += more;
    if (i + 1 == limits::chunk_events || bytes >= limits::chunk_bytes) return i + 1;
  }
  return 0;
}

std::string encode_chunk(const ConversationId& id, const std::vector<StoredEvent>& events) {
  std::size_t size = chunk_header;
  for (const StoredEvent& event : events) size += chunk_size(event.record.size());
  const Seq first = events.empty() ? 0 : events.front().seq;
  Writer out(size);
  out.u8(format);
  out.u8(0);
  out.u16(static_cast<std::uint16_t>(events.size()));
  out.u32(0);
  out.u64(first);
  std::size_t offset = chunk_header + events.size() * chunk_entry;
  for (const StoredEvent& event : events) {
    out.u32(static_cast<std::uint32_t>(offset));
    out.u32(event.mark);
    out.u64(event.device.value);
    out.u64(event.number);
    offset += event.record.size();
  }
  for (const StoredEvent& event : events) out.bytes(event.record.bytes());
  std::string value = out.take();
  base::put_be32(value.data() + checksum_at, checksum(id, first, value));
  return value;
}

Result<std::vector<StoredEvent>> decode_chunk(const ConversationId& id, Bytes value,
                                              const Owner& owner) {
  if (value.size() < chunk_header) return corrupt("the chunk", 0, "too short");
  const Seq first = base::get_be64(value.data() + 8);
  if (static_cast<std::uint8_t>(value[0]) != format)
    return corrupt("the chunk", first, "format unknown to this version");
  if (base::get_be32(value.data() + checksum_at) != checksum(id, first, value))
    return corrupt("the chunk", first, "checksum differs");
  const std::size_t count = base::get_be16(value.data() + 2);
  const std::size_t records = chunk_header + count * chunk_entry;
  if (count == 0 || value.size() < records) return corrupt("the chunk", first, "count differs");
  std::vector<StoredEvent> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* entry = value.data() + chunk_header + i * chunk_entry;
    const std::size_t begin = base::get_be32(entry);
    const std::size_t end = i + 1 < count ? base::get_be32(entry + chunk_entry) : value.size();
    if (begin < records || end < begin || end > value.size())
      return corrupt("the chunk", first, "offsets differ");
    events[i].seq = first + i;
    events[i].mark = base::get_be32(entry + 4);
    events[i].device = DeviceId{base::get_be64(entry + 8)};
    events[i].number = base::get_be64(entry + 16);
    events[i].record = share(value.substr(begin, end - begin), owner);
  }
  return events;
}

}  // namespace parley::layout
