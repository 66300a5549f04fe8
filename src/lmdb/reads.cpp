// lmdb/reads.cpp: see the header.
#include "lmdb/reads.hpp"

#include <algorithm>
#include <vector>

#include "lmdb/keys.hpp"
#include "store/answer.hpp"
#include "store/feed_position.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

using store::aligned8;
using store::AnswerBlock;
using store::FeedPosition;

Error read_error(int code) { return to_error("cannot read from the store", code); }

/// A cursor's moves over the keys below a bound (above one in reverse), with checked values.
class Walk {
 public:
  Walk(MDB_cursor* cursor, Bytes from, Bytes end, bool reverse)
      : cursor_(cursor), from_(from), end_(end), reverse_(reverse) {
    if (from_ >= end_) {
      code_ = MDB_NOTFOUND;
      return;
    }
    key_ = to_val(reverse ? end_ : from_);
    code_ = mdb_cursor_get(cursor_, &key_, &value_, MDB_SET_RANGE);
    if (reverse && (code_ == 0 || code_ == MDB_NOTFOUND))  // at or above the end, or none
      code_ = mdb_cursor_get(cursor_, &key_, &value_, code_ == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    settle();
  }
  [[nodiscard]] bool valid() const noexcept { return code_ == 0; }
  /// 0 at the regular end.
  [[nodiscard]] int code() const noexcept { return code_ == MDB_NOTFOUND ? 0 : code_; }
  [[nodiscard]] Bytes key() const noexcept { return to_bytes(key_); }
  [[nodiscard]] Bytes value() const noexcept { return opened_; }
  void next() noexcept {
    code_ = mdb_cursor_get(cursor_, &key_, &value_, reverse_ ? MDB_PREV : MDB_NEXT);
    settle();
  }

 private:
  void settle() noexcept {
    if (code_ != 0) return;
    if (reverse_ ? key() < from_ : key() >= end_) {
      code_ = MDB_NOTFOUND;
      return;
    }
    const auto opened = open_value(key(), value_);
    if (opened)
      opened_ = *opened;
    else
      code_ = MDB_CORRUPTED;
  }
  MDB_cursor* cursor_;
  Bytes from_, end_;
  bool reverse_;
  MDB_val key_{}, value_{};
  Bytes opened_;
  int code_ = 0;
};

}  // namespace

Result<Cells> read_cells(const ReaderPool::Lease& reader, const Get& get) {
  Cells cells;
  cells.values.reserve(get.cells.size());
  std::size_t bytes = 0;
  for (const Get::Cell& cell : get.cells) {
    const Key key =
        cell.key.empty() ? Key::guard(cell.partition) : Key::row(cell.partition, cell.key);
    Bytes value;
    const int code = get_value(reader.txn(), key.bytes(), value);
    if (code != 0 && code != MDB_NOTFOUND) return read_error(code);
    cells.values.push_back(code == 0 ? std::optional<Bytes>(value) : std::nullopt);
    bytes += aligned8(value.size());
  }
  AnswerBlock block(bytes);
  for (auto& value : cells.values)
    if (value) value = block.put(*value);
  cells.owner = std::move(block).owner();
  return cells;
}

Result<Rows> read_rows(const ReaderPool::Lease& reader, const Scan& scan) {
  const std::size_t max_rows = store::clamped(scan.max_rows, store::max_scan_rows);
  const std::size_t max_bytes = store::clamped(scan.max_bytes, store::max_scan_bytes);
  Rows answer;
  Bytes guard;
  const int found = get_value(reader.txn(), Key::guard(scan.partition).bytes(), guard);
  if (found == MDB_NOTFOUND) return answer;  // no guard, no rows
  if (found != 0) return read_error(found);

  const Key prefix = Key::row(scan.partition, {});
  const Key from = Key::row(scan.partition, scan.from);
  const Key end = scan.to.empty() ? prefix.above() : Key::row(scan.partition, scan.to);
  std::size_t bytes = 0, block_bytes = aligned8(guard.size());
  Walk walk(reader.cursor(), from.bytes(), end.bytes(), scan.reverse);
  for (; walk.valid(); walk.next()) {
    const Bytes key = walk.key().substr(prefix.bytes().size());
    const std::size_t size = key.size() + walk.value().size();
    if (!answer.rows.empty() && (answer.rows.size() == max_rows || bytes + size > max_bytes)) {
      answer.more = true;
      break;
    }
    bytes += size;
    block_bytes += aligned8(key.size()) + aligned8(walk.value().size());
    answer.rows.push_back({key, walk.value()});
  }
  if (walk.code() != 0) return read_error(walk.code());
  AnswerBlock block(block_bytes);
  answer.guard = block.put(guard);
  for (Row& row : answer.rows) {
    row.key = block.put(row.key);
    row.value = block.put(row.value);
  }
  answer.owner = std::move(block).owner();
  return answer;
}

// The store's own order is that of guards' keys, and a position is a key without its kind and
// space: id length, id.
Result<Listed> read_list(const ReaderPool::Lease& reader, std::uint8_t space, Bytes after,
                         std::uint32_t max) {
  max = store::clamped(max, store::max_page);
  std::string from{static_cast<char>(guard_kind), static_cast<char>(space)};
  const std::string end{static_cast<char>(guard_kind), static_cast<char>(space), '\xff'};
  if (!after.empty()) {
    if (after.size() < 2 || after.size() > 33 ||
        static_cast<std::uint8_t>(after[0]) != after.size() - 1)
      return Error{Errc::invalid_argument, "after is no position that list() returned"};
    from += after;
    from += '\0';
  }
  Listed answer;
  std::size_t bytes = 0;
  bool more = false;
  Walk walk(reader.cursor(), from, end, false);
  for (; walk.valid(); walk.next()) {
    if (answer.partitions.size() == max) {
      more = true;
      break;
    }
    const auto parsed = parse_key(walk.key());
    if (!parsed) return read_error(MDB_CORRUPTED);
    answer.partitions.push_back({parsed->partition.id, walk.value()});
    bytes += aligned8(parsed->partition.id.size()) + aligned8(walk.value().size());
  }
  if (walk.code() != 0) return read_error(walk.code());
  std::string next;
  if (more) {
    const Bytes last = answer.partitions.back().key;
    next = static_cast<char>(last.size());
    next += last;
  }
  AnswerBlock block(bytes + aligned8(next.size()));
  for (Row& row : answer.partitions) {
    row.key = block.put(row.key);
    row.value = block.put(row.value);
  }
  answer.next = block.put(next);
  answer.owner = std::move(block).owner();
  return answer;
}

Result<Changes> read_changes(const ReaderPool::Lease& reader, const Incarnation& incarnation,
                             Bytes after, std::uint32_t max) {
  max = store::clamped(max, store::max_page);
  const auto position = FeedPosition::decode(after);
  if (!after.empty() && !position)
    return Error{Errc::invalid_argument, "after is no position that changes() returned"};
  const auto feed = read_feed(reader.txn());
  if (!feed) return feed.error();

  Changes answer;
  std::uint64_t wanted = position ? position->number + 1 : 1;
  if ((position && position->incarnation != incarnation) || wanted > feed->last + 1) {
    answer.trimmed = true;
    wanted = 1;
  }
  const Key from = Key::entry(wanted);
  const std::string end(64, '\xff');  // nothing comes after the entries
  std::uint64_t last = wanted - 1;
  std::size_t bytes = 0;
  Walk walk(reader.cursor(), from.bytes(), end, false);
  for (; walk.valid() && answer.entries.size() < max; walk.next()) {
    const Bytes key = walk.key(), value = walk.value();
    const std::size_t length = value.size() < 2 ? 0 : static_cast<std::uint8_t>(value[1]);
    if (key.size() != 10 || length == 0 || value.size() < 2 + length)
      return read_error(MDB_CORRUPTED);
    const std::uint64_t number = base::get_be64(key.data() + 2);
    if (number != last + 1) answer.trimmed = true;  // those between are gone
    last = number;
    answer.entries.push_back(
        {{static_cast<std::uint8_t>(value[0]), value.substr(2, length)}, value.substr(2 + length)});
    bytes += aligned8(length) + aligned8(value.size() - 2 - length);
  }
  if (walk.code() != 0) return read_error(walk.code());
  if (answer.entries.empty() && last < feed->last) {  // all of them were forgotten
    answer.trimmed = true;
    last = feed->last;
  }
  const std::string next = FeedPosition{incarnation, last}.encode();
  AnswerBlock block(bytes + aligned8(next.size()));
  for (Changes::Entry& entry : answer.entries) {
    entry.partition.id = block.put(entry.partition.id);
    entry.note = block.put(entry.note);
  }
  answer.next = block.put(next);
  answer.owner = std::move(block).owner();
  return answer;
}

}  // namespace parley::lmdb
