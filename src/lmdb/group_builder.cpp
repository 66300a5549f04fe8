// lmdb/group_builder.cpp: see the header.
#include "lmdb/group_builder.hpp"

#include <errno.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lmdb/reads.hpp"
#include "store/answer.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t entry_overhead = 32;  // of a feed entry beside its value, roughly

Committed verdict(Verdict value, Error error = {}) {
  return {.verdict = value, .found = {}, .error = std::move(error), .owner = {}};
}

std::size_t size_of_entry(const Partition& partition, Bytes note) {
  return 2 + partition.id.size() + note.size() + entry_overhead;
}

}  // namespace

int GroupBuilder::apply(const Batch& batch, Committed& answer) {
  std::optional<Bytes> guard;
  const int found = find_guard(batch.partition, guard);
  if (found == MDB_CORRUPTED) {
    answer = verdict(Verdict::failed, to_error("a guard's checksum does not hold", found));
    return 0;
  }
  if (found != 0) return found;
  if (batch.expect != guard) {
    answer = verdict(Verdict::refused);
    if (guard) {
      store::AnswerBlock block(store::aligned8(guard->size()));
      answer.found = block.put(*guard);
      answer.owner = std::move(block).owner();
    }
    return 0;
  }
  if (!batch.guard) {
    bool whole = false;
    if (const int code = check_end(batch, whole); code != 0) return code;
    if (!whole) {
      answer = verdict(
          Verdict::failed,
          {Errc::invalid_argument, "a batch without guard must erase every row of its partition"});
      return 0;
    }
  }
  if (!batch.note.empty())
    if (const int code = announce(batch); code != 0) return code;
  guards_[{batch.partition.space, batch.partition.id}] = batch.guard;
  group_->add(batch);
  answer = verdict(Verdict::done);
  return 0;
}

int GroupBuilder::find_guard(const Partition& partition, std::optional<Bytes>& guard) {
  if (const auto at = guards_.find({partition.space, partition.id}); at != guards_.end()) {
    guard = at->second;
    return 0;
  }
  // Nobody else publishes: what the tails hold stays as it is while the group is built.
  if (!looked_) {
    const int code = tails_.look(reader_, [this](const Tails::View& view) { before_ = view; });
    if (code != 0) return code;
    looked_ = true;
  }
  if (const auto version = before_.guard(partition)) {
    guard = version->value;
    return 0;
  }
  Bytes value;
  const int code = get_value(reader_.txn(), Key::guard(partition).bytes(), value);
  if (code == 0) guard = value;
  return code == MDB_NOTFOUND ? 0 : code;
}

int GroupBuilder::check_end(const Batch& batch, bool& whole) {
  std::vector<Bytes> erased = batch.erases;
  std::sort(erased.begin(), erased.end());
  whole = true;
  std::string from;
  for (bool more = true; more && whole;) {
    const auto rows =
        read_rows(tails_, reader_, {.partition = batch.partition, .from = from, .max_rows = 4096});
    if (!rows) return rows.error().errc() == Errc::store_corrupt ? MDB_CORRUPTED : EIO;
    for (const Row& row : rows->rows)
      whole = whole && std::binary_search(erased.begin(), erased.end(), row.key);
    more = rows->more;
    if (more) from = std::string(rows->rows.back().key) + '\0';
  }
  return 0;
}

int GroupBuilder::announce(const Batch& batch) {
  ++feed_.last;
  feed_.bytes += size_of_entry(batch.partition, batch.note);
  // The newest entries stay whatever the limit; those of this group go with the next ones.
  const std::uint64_t most = first_entry_ - 1;
  while (feed_.bytes > feed_limit_ && feed_.through < most)
    if (const int code = forget(feed_.through + 1, 1); code != 0) return code;
  return 0;
}

int GroupBuilder::forget(std::uint64_t through, std::size_t most) {
  for (; most > 0 && feed_.through < through; --most) {
    std::size_t size = 0;
    if (const int code = entry_size(feed_.through + 1, size); code != 0) return code;
    feed_.bytes -= std::min<std::uint64_t>(feed_.bytes, size);
    ++feed_.through;
    forgot_ = true;
  }
  return 0;
}

int GroupBuilder::entry_size(std::uint64_t number, std::size_t& size) {
  const int code = tails_.look(reader_, [&](const Tails::View& view) {
    for (const auto* tail : {view.newer.get(), view.older.get()}) {
      if (tail == nullptr || tail->entries().empty()) continue;
      const std::uint64_t first = tail->entries().front().number;
      if (number < first || number - first >= tail->entries().size()) continue;
      const auto& entry = tail->entries()[number - first];
      size = size_of_entry(entry.partition, entry.note);
    }
  });
  if (code != 0 || size != 0) return code;
  Bytes value;
  const int found = get_value(reader_.txn(), Key::entry(number).bytes(), value);
  if (found == 0) size = value.size() + entry_overhead;
  return found == MDB_NOTFOUND ? 0 : found;
}

}  // namespace parley::lmdb
