// lmdb/log_format.cpp: see the header.
#include "lmdb/log_format.hpp"

#include <cstring>

#include "base/crc32c.hpp"
#include "base/endian.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

// A segment's header: magic 8, crc32c of what follows 4, format 4, number 8, size 8,
// incarnation 16, first LSN 8, salt 8.
constexpr Bytes magic("parlog\r\n", 8);
constexpr std::uint32_t log_format = 1;
constexpr std::size_t segment_header_size = 64;

// A group's header: crc32c over salt and what follows 4, length of the payload 4, LSN 8, batches 4,
// batches with a note 4, state of the feed 3 x 8.
constexpr std::size_t crc_at = 0, length_at = 4, lsn_at = 8, batches_at = 16, notes_at = 20,
                      feed_at = 24;

// A batch: space 1, sizes of id 1, note 1 and guard 2, bytes of rows 4, then id, note, guard, rows.
// A guard of no bytes is none. A row: size of the key 1, of the value 4, key, value.
constexpr std::size_t batch_header = 9, row_header = 5;
constexpr std::uint32_t erased = 0xffffffff;  // instead of the size of a value

std::uint32_t signature(const char* at, std::size_t size, std::uint64_t salt) noexcept {
  char bytes[8];
  base::put_be64(bytes, salt);
  return base::crc32c(base::crc32c(0, {bytes, 8}), {at + length_at, size - length_at});
}

std::size_t rows_size(const Batch& batch) noexcept {
  return store::batch_bytes(batch) + row_header * (batch.puts.size() + batch.erases.size());
}

char* put(char* at, Bytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

bool take(Bytes& from, std::size_t size, Bytes& out) noexcept {
  if (from.size() < size) return false;
  out = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string block(magic);
  block.append(4, '\0');
  base::append_be(block, log_format);
  base::append_be(block, header.number);
  base::append_be(block, header.size);
  block.append(reinterpret_cast<const char*>(header.incarnation.data()), header.incarnation.size());
  base::append_be(block, header.first_lsn);
  base::append_be(block, header.salt);
  base::put_be32(block.data() + 8, base::crc32c(0, Bytes(block).substr(12)));
  block.resize(log_block, '\0');
  return block;
}

std::optional<SegmentHeader> decode_segment_header(Bytes block) {
  if (block.size() < segment_header_size || !block.starts_with(magic)) return std::nullopt;
  const char* at = block.data();
  const Bytes covered = block.substr(12, segment_header_size - 12);
  if (base::get_be32(at + 8) != base::crc32c(0, covered) || base::get_be32(at + 12) != log_format)
    return std::nullopt;
  SegmentHeader header;
  header.number = base::get_be64(at + 16);
  header.size = base::get_be64(at + 24);
  std::memcpy(header.incarnation.data(), at + 32, header.incarnation.size());
  header.first_lsn = base::get_be64(at + 48);
  header.salt = base::get_be64(at + 56);
  return header;
}

bool next_row(Bytes& rows, LoggedRow& row) noexcept {
  Bytes head;
  if (!take(rows, row_header, head)) return false;
  const std::uint32_t size = base::get_be32(head.data() + 1);
  if (!take(rows, static_cast<std::uint8_t>(head[0]), row.key)) return false;
  row.value.reset();
  if (size == erased) return true;
  Bytes value;
  if (!take(rows, size, value)) return false;
  row.value = value;
  return true;
}

std::size_t LogGroup::encoded_size(const Batch& batch) noexcept {
  return batch_header + batch.partition.id.size() + batch.note.size() +
         (batch.guard ? batch.guard->size() : 0) + rows_size(batch);
}

LogGroup::LogGroup(std::size_t bytes)
    : owner_(std::make_shared_for_overwrite<char[]>(whole_blocks(header_size + bytes))),
      at_(owner_.get()) {}

void LogGroup::add(const Batch& batch) noexcept {
  const Bytes guard = batch.guard.value_or(Bytes());
  char* to = at_ + size_;
  to[0] = static_cast<char>(batch.partition.space);
  to[1] = static_cast<char>(batch.partition.id.size());
  to[2] = static_cast<char>(batch.note.size());
  base::put_be16(to + 3, static_cast<std::uint16_t>(guard.size()));
  base::put_be32(to + 5, static_cast<std::uint32_t>(rows_size(batch)));
  to = put(put(put(to + batch_header, batch.partition.id), batch.note), guard);
  const auto row = [&](Bytes key, std::uint32_t size) {
    to[0] = static_cast<char>(key.size());
    base::put_be32(to + 1, size);
    to = put(to + row_header, key);
  };
  for (const Row& each : batch.puts) {
    row(each.key, static_cast<std::uint32_t>(each.value.size()));
    to = put(to, each.value);
  }
  for (const Bytes key : batch.erases) row(key, erased);
  size_ = static_cast<std::size_t>(to - at_);
  rows_ += batch.puts.size() + batch.erases.size() + 1;
  ++batches_;
  if (!batch.note.empty()) ++notes_;
}

void LogGroup::finish(std::uint64_t lsn, const FeedState& feed) noexcept {
  base::put_be32(at_ + length_at, static_cast<std::uint32_t>(size_ - header_size));
  base::put_be64(at_ + lsn_at, lsn);
  base::put_be32(at_ + batches_at, batches_);
  base::put_be32(at_ + notes_at, notes_);
  base::put_be64(at_ + feed_at, feed.last);
  base::put_be64(at_ + feed_at + 8, feed.bytes);
  base::put_be64(at_ + feed_at + 16, feed.through);
  std::memset(at_ + size_, 0, size() - size_);
}

Bytes LogGroup::seal(std::uint64_t salt) noexcept {
  base::put_be32(at_ + crc_at, signature(at_, size_, salt));
  return {at_, size()};
}

std::shared_ptr<LogGroup> LogGroup::parse(std::shared_ptr<char[]> owner, char* at, std::size_t room,
                                          std::uint64_t salt, std::uint64_t least) {
  if (room < header_size) return nullptr;
  const std::size_t size = header_size + base::get_be32(at + length_at);
  if (base::get_be64(at + lsn_at) < least || whole_blocks(size) > room) return nullptr;
  if (base::get_be32(at + crc_at) != signature(at, size, salt)) return nullptr;
  std::shared_ptr<LogGroup> group(new LogGroup);
  group->owner_ = std::move(owner);
  group->at_ = at;
  group->size_ = size;
  group->batches_ = base::get_be32(at + batches_at);
  group->notes_ = base::get_be32(at + notes_at);
  GroupReader reader(*group);
  LoggedBatch batch;
  LoggedRow row;
  std::uint32_t batches = 0;
  for (; reader.next(batch); ++batches) {
    while (next_row(batch.rows, row)) ++group->rows_;
    ++group->rows_;
    if (!batch.rows.empty()) return nullptr;
  }
  return reader.at_end() && batches == group->batches_ ? group : nullptr;
}

std::uint64_t LogGroup::lsn() const noexcept { return base::get_be64(at_ + lsn_at); }

FeedState LogGroup::feed() const noexcept {
  return {base::get_be64(at_ + feed_at), base::get_be64(at_ + feed_at + 8),
          base::get_be64(at_ + feed_at + 16)};
}

bool GroupReader::next(LoggedBatch& batch) noexcept {
  Bytes rest = rest_, head, guard;
  if (!take(rest, batch_header, head)) return false;
  batch.partition.space = static_cast<std::uint8_t>(head[0]);
  const auto size = [&](std::size_t at) { return static_cast<std::uint8_t>(head[at]); };
  if (size(1) == 0 || !take(rest, size(1), batch.partition.id) ||
      !take(rest, size(2), batch.note) || !take(rest, base::get_be16(head.data() + 3), guard) ||
      !take(rest, base::get_be32(head.data() + 5), batch.rows))
    return false;
  batch.guard = guard.empty() ? std::nullopt : std::optional<Bytes>(guard);
  rest_ = rest;
  return true;
}

}  // namespace parley::lmdb
