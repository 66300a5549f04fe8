// lmdb/memory_tail.cpp: see the header.
#include "lmdb/memory_tail.hpp"

#include <algorithm>
#include <tuple>

namespace parley::lmdb {

void MemoryTail::keep(std::shared_ptr<const LogGroup> group) {
  bytes_ += group->size();
  batches_ += group->batches();
  rows_ += group->rows();
  groups_.push_back(std::move(group));
}

void MemoryTail::add(std::uint64_t lsn, const LoggedBatch& batch, std::uint64_t entry) {
  const Name name{batch.partition.space, batch.partition.id};
  Part& part = parts_.try_emplace(name, &memory_).first->second;
  if (part.guard.newest().lsn == 0) part.partition = batch.partition;
  part.guard.set(lsn, batch.guard);
  Bytes rest = batch.rows;
  LoggedRow row;
  // Rows of a batch often ascend, and often behind all that is there.
  while (next_row(rest, row)) {
    auto at = part.rows.lower_bound(row.key);
    if (at == part.rows.end() || at->first != row.key)
      at = part.rows.emplace_hint(at, row.key, TailCell{});
    at->second.set(lsn, row.value);
  }
  if (!batch.note.empty()) entries_.push_back({entry, lsn, batch.partition, batch.note});
}

void MemoryTail::add(const std::shared_ptr<const LogGroup>& group) {
  keep(group);
  GroupReader reader(*group);
  LoggedBatch batch;
  for (std::uint64_t entry = group->first_entry(); reader.next(batch);) {
    add(group->lsn(), batch, entry);
    if (!batch.note.empty()) ++entry;
  }
}

const MemoryTail::Part* MemoryTail::find(const Partition& partition) const noexcept {
  const auto at = parts_.find({partition.space, partition.id});
  return at == parts_.end() ? nullptr : &at->second;
}

std::vector<const MemoryTail::Part*> MemoryTail::sorted() const {
  std::vector<const Part*> parts;
  parts.reserve(parts_.size());
  for (const auto& [name, part] : parts_) parts.push_back(&part);
  const auto order = [](const Part* part) {
    const Partition& partition = part->partition;
    return std::tuple(partition.space, partition.id.size(), partition.id);
  };
  std::sort(parts.begin(), parts.end(),
            [&](const Part* a, const Part* b) { return order(a) < order(b); });
  return parts;
}

std::string MemoryTail::entry_value(const Entry& entry) {
  std::string value{static_cast<char>(entry.partition.space),
                    static_cast<char>(entry.partition.id.size())};
  value += entry.partition.id;
  value += entry.note;
  return value;
}

}  // namespace parley::lmdb
