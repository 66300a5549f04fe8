// lmdb/reads.cpp: see the header.
#include "lmdb/reads.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "lmdb/keys.hpp"
#include "lmdb/merged_walk.hpp"
#include "store/answer.hpp"
#include "store/feed_position.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

using store::aligned8;
using store::AnswerBlock;
using store::FeedPosition;

Error read_error(int code) { return to_error("cannot read from the store", code); }

/// What of the tails outlives a look, so that views into it stay good.
struct Kept {
  std::shared_ptr<const MemoryTail> newer, older;
  void keep(const Tails::View& view) { newer = view.newer, older = view.older; }
};

/// Merges the rows of two tails in their common order, the newer one first among equals, until
/// `live` rows that are not erased are there: whoever wants as many needs no more.
template <class Iterator>
void merge(Iterator newer, Iterator newer_end, Iterator older, Iterator older_end, bool reverse,
           std::uint64_t visible, std::size_t live, std::vector<Overlaid>& out) {
  while (live > 0 && (newer != newer_end || older != older_end)) {
    bool take_newer = older == older_end;
    if (newer != newer_end && older != older_end)
      take_newer = newer->first == older->first || (newer->first < older->first) != reverse;
    const auto& [key, cell] = take_newer ? *newer : *older;
    const auto* version = &cell.at(visible);
    if (take_newer && older != older_end && older->first == key) {
      if (version->lsn == 0) version = &older->second.at(visible);
      ++older;
    }
    if (version->lsn != 0) {
      out.push_back({key, version->value});
      if (version->value) --live;
    }
    take_newer ? ++newer : ++older;
  }
}

std::vector<Overlaid> rows_in_tails(const Tails::View& view, const Scan& scan, std::size_t live) {
  std::vector<Overlaid> out;
  const MemoryTail::Rows none;
  const auto rows = [&](const MemoryTail* tail) {
    const auto* part = tail == nullptr ? nullptr : tail->find(scan.partition);
    return part == nullptr ? &none : &part->rows;
  };
  if (!scan.to.empty() && scan.from >= scan.to) return out;
  const auto begin = [&](const auto* of) { return of->lower_bound(scan.from); };
  const auto end = [&](const auto* of) {
    return scan.to.empty() ? of->end() : of->lower_bound(scan.to);
  };
  const auto *newer = rows(view.newer.get()), *older = rows(view.older.get());
  if (scan.reverse)
    merge(std::reverse_iterator(end(newer)), std::reverse_iterator(begin(newer)),
          std::reverse_iterator(end(older)), std::reverse_iterator(begin(older)), true,
          view.visible, live, out);
  else
    merge(begin(newer), end(newer), begin(older), end(older), false, view.visible, live, out);
  return out;
}

/// A partition's position in a list: id length, id.
std::string position_of(const Partition& partition) {
  return std::string(1, static_cast<char>(partition.id.size())) + std::string(partition.id);
}

/// Guards of a space behind a position, in the order of a list.
std::map<std::string, std::optional<Bytes>> guards_in_tails(const Tails::View& view,
                                                            std::uint8_t space, Bytes after) {
  std::map<std::string, std::optional<Bytes>> out;
  for (const auto* tail : {view.newer.get(), view.older.get()}) {
    if (tail == nullptr) continue;
    tail->for_each_part([&](const MemoryTail::Part& part) {
      const auto& guard = part.guard.at(view.visible);
      if (part.partition.space != space || guard.lsn == 0) return;
      std::string position = position_of(part.partition);
      if (position > after) out.emplace(std::move(position), guard.value);  // the newer one stays
    });
  }
  return out;
}

}  // namespace

Result<Cells> read_cells(const Tails& tails, ReaderPool::Lease& reader, const Get& get) {
  constexpr std::size_t cells_a_look = 128;  // no common instant is promised
  Cells cells;
  cells.values.resize(get.cells.size());
  std::vector<bool> known(get.cells.size());
  std::vector<Kept> kept;
  for (std::size_t begin = 0; begin < get.cells.size(); begin += cells_a_look) {
    const std::size_t end = std::min(begin + cells_a_look, get.cells.size());
    const int code = tails.look(reader, [&](const Tails::View& view) {
      kept.emplace_back().keep(view);
      for (std::size_t i = begin; i < end; ++i) {
        const Get::Cell& cell = get.cells[i];
        const auto version =
            cell.key.empty() ? view.guard(cell.partition) : view.row(cell.partition, cell.key);
        if (!version) continue;
        known[i] = true;
        cells.values[i] = version->value;
      }
    });
    if (code != 0) return read_error(code);
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < get.cells.size(); ++i) {
    const Get::Cell& cell = get.cells[i];
    if (!known[i]) {
      const Key key =
          cell.key.empty() ? Key::guard(cell.partition) : Key::row(cell.partition, cell.key);
      Bytes value;
      const int code = get_value(reader.txn(), key.bytes(), value);
      if (code != 0 && code != MDB_NOTFOUND) return read_error(code);
      if (code == 0) cells.values[i] = value;
    }
    if (cells.values[i]) bytes += aligned8(cells.values[i]->size());
  }
  AnswerBlock block(bytes);
  for (auto& value : cells.values)
    if (value) value = block.put(*value);
  cells.owner = std::move(block).owner();
  return cells;
}

Result<Rows> read_rows(const Tails& tails, ReaderPool::Lease& reader, const Scan& scan) {
  const std::size_t max_rows = store::clamped(scan.max_rows, store::max_scan_rows);
  const std::size_t max_bytes = store::clamped(scan.max_bytes, store::max_scan_bytes);
  Rows answer;
  Kept kept;
  std::vector<Overlaid> overlay;
  std::optional<TailCell::Version> known;
  const int looked = tails.look(reader, [&](const Tails::View& view) {
    kept.keep(view);
    known = view.guard(scan.partition);
    if (!known || known->value) overlay = rows_in_tails(view, scan, max_rows + 1);
  });
  if (looked != 0) return read_error(looked);
  Bytes guard;
  if (known) {
    if (!known->value) return answer;  // no guard, no rows
    guard = *known->value;
  } else {
    const int found = get_value(reader.txn(), Key::guard(scan.partition).bytes(), guard);
    if (found == MDB_NOTFOUND) return answer;
    if (found != 0) return read_error(found);
  }

  const Key prefix = Key::row(scan.partition, {});
  const Key from = Key::row(scan.partition, scan.from);
  const Key end = scan.to.empty() ? prefix.above() : Key::row(scan.partition, scan.to);
  std::size_t bytes = 0, block_bytes = aligned8(guard.size());
  MergedWalk walk(reader.cursor(), from.bytes(), end.bytes(), scan.reverse, prefix.bytes().size(),
                  overlay);
  answer.rows.reserve(std::min<std::size_t>(max_rows, 64));
  for (; walk.valid(); walk.next()) {
    const Bytes key = walk.key();
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
Result<Listed> read_list(const Tails& tails, ReaderPool::Lease& reader, std::uint8_t space,
                         Bytes after, std::uint32_t max) {
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
  Kept kept;
  std::map<std::string, std::optional<Bytes>> guards;
  const int looked = tails.look(reader, [&](const Tails::View& view) {
    kept.keep(view);
    guards = guards_in_tails(view, space, after);
  });
  if (looked != 0) return read_error(looked);
  std::vector<Overlaid> overlay;
  overlay.reserve(guards.size());
  for (const auto& [position, guard] : guards) overlay.push_back({position, guard});
  Listed answer;
  std::size_t bytes = 0;
  bool more = false;
  MergedWalk walk(reader.cursor(), from, end, false, 2, overlay);
  for (; walk.valid(); walk.next()) {
    if (answer.partitions.size() == max) {
      more = true;
      break;
    }
    const Bytes id = walk.key().substr(1);
    if (id.empty()) return read_error(MDB_CORRUPTED);
    answer.partitions.push_back({id, walk.value()});
    bytes += aligned8(id.size()) + aligned8(walk.value().size());
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

namespace {

/// All texts of the answer in one block.
Changes packed(Changes answer, std::size_t bytes, const std::string& next) {
  AnswerBlock block(bytes + aligned8(next.size()));
  for (Changes::Entry& entry : answer.entries) {
    entry.partition.id = block.put(entry.partition.id);
    entry.note = block.put(entry.note);
  }
  answer.next = block.put(next);
  answer.owner = std::move(block).owner();
  return answer;
}

}  // namespace

Result<Changes> read_changes(const Tails& tails, ReaderPool::Lease& reader,
                             const Incarnation& incarnation, Bytes after, std::uint32_t max) {
  max = store::clamped(max, store::max_page);
  const auto position = FeedPosition::decode(after);
  if (!after.empty() && !position)
    return Error{Errc::invalid_argument, "after is no position that changes() returned"};

  Changes answer;
  Kept kept;
  FeedState feed;
  std::uint64_t wanted = position ? position->number + 1 : 1;
  std::uint64_t in_tails = 0;  // number of the first entry that need not come from LMDB
  std::vector<Changes::Entry> newest;
  const int looked = tails.look(reader, [&](const Tails::View& view) {
    kept.keep(view);
    feed = view.feed;
    if ((position && position->incarnation != incarnation) || wanted > feed.last + 1) {
      answer.trimmed = true;
      wanted = 1;
    }
    if (wanted <= feed.through) {
      answer.trimmed = true;
      wanted = feed.through + 1;
    }
    in_tails = feed.last + 1;
    for (const auto* tail : {view.older.get(), view.newer.get()}) {
      if (tail == nullptr || tail->entries().empty()) continue;
      const auto& entries = tail->entries();
      in_tails = std::min(in_tails, entries.front().number);
      const std::uint64_t first = entries.front().number;
      for (std::size_t i = wanted > first ? wanted - first : 0; i < entries.size(); ++i) {
        if (entries[i].lsn > view.visible || newest.size() == max) break;
        newest.push_back({entries[i].partition, entries[i].note});
      }
    }
  });
  if (looked != 0) return read_error(looked);

  std::uint64_t last = wanted - 1;
  std::size_t bytes = 0;
  const auto add = [&](const Partition& partition, Bytes note) {
    answer.entries.push_back({partition, note});
    bytes += aligned8(partition.id.size()) + aligned8(note.size());
    ++last;
  };
  const Key from = Key::entry(wanted), end = Key::entry(in_tails);
  Walk walk(reader.cursor(), from.bytes(), end.bytes(), false);
  for (; walk.valid() && answer.entries.size() < max; walk.next()) {
    const Bytes key = walk.key(), value = walk.value();
    const std::size_t length = value.size() < 2 ? 0 : static_cast<std::uint8_t>(value[1]);
    if (key.size() != 10 || length == 0 || value.size() < 2 + length)
      return read_error(MDB_CORRUPTED);
    const std::uint64_t number = base::get_be64(key.data() + 2);
    if (number != last + 1) answer.trimmed = true;  // those between are gone
    last = number - 1;
    add({static_cast<std::uint8_t>(value[0]), value.substr(2, length)}, value.substr(2 + length));
  }
  if (walk.code() != 0) return read_error(walk.code());
  if (answer.entries.size() < max && last + 1 < std::max(wanted, in_tails)) {
    answer.trimmed = true;  // none of them is left in LMDB
    last = std::max(wanted, in_tails) - 1;
  }
  for (const Changes::Entry& entry : newest)
    if (answer.entries.size() < max) add(entry.partition, entry.note);
  return packed(std::move(answer), bytes, FeedPosition{incarnation, last}.encode());
}

}  // namespace parley::lmdb
