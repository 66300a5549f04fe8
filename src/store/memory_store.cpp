// store/memory_store.cpp: the memory store; STORE contract in parley/store.hpp.
#include "store/memory_store.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "base/os.hpp"
#include "store/answer.hpp"
#include "store/feed_position.hpp"
#include "store/request_check.hpp"

namespace parley::store {
namespace {

constexpr std::size_t entry_overhead = 64;  // of a change entry beside its bytes, roughly

Committed failed(Error error) {
  return {.verdict = Verdict::failed, .found = {}, .error = std::move(error), .owner = {}};
}

Committed refused(const std::string* guard) {
  Committed answer{.verdict = Verdict::refused, .found = {}, .error = {}, .owner = {}};
  if (guard != nullptr) {
    AnswerBlock block(aligned8(guard->size()));
    answer.found = block.put(*guard);
    answer.owner = std::move(block).owner();
  }
  return answer;
}

Committed committed() { return {.verdict = Verdict::done, .found = {}, .error = {}, .owner = {}}; }

Error out_of_memory() { return {Errc::disk_full, "no memory for this request"}; }

}  // namespace

MemoryStore::MemoryStore(const MemoryStoreOptions& options)
    : capacity_(options.capacity), feed_limit_(options.feed_limit) {
  facts_.durability = StoreFacts::Durability::memory;
  facts_.incarnation = options.incarnation;
}

MemoryStore::Shard& MemoryStore::shard_of(const Partition& partition) const noexcept {
  const std::uint64_t hash = NameHash{}({partition.space, partition.id});
  return shards_[(hash >> 40) % shard_count];  // the table inside uses the low bits
}

const MemoryStore::Part* MemoryStore::find(const Shard& shard, const Partition& partition) {
  const auto at = shard.parts.find({partition.space, partition.id});
  return at == shard.parts.end() ? nullptr : at->second.get();
}

Committed MemoryStore::commit_now(const Batch& batch) {
  try {
    if (Error error = check(batch, facts_)) return failed(std::move(error));
    RowMap staged;  // all allocation of rows happens here, before the lock and before any change
    for (const Row& row : batch.puts) staged.emplace_hint(staged.end(), row.key, row.value);
    Shard& shard = shard_of(batch.partition);
    std::lock_guard lock(shard.mutex);
    return apply(shard, batch, std::move(staged));
  } catch (const std::bad_alloc&) {
    return failed(out_of_memory());
  }
}

Error MemoryStore::check_room(const Part* part, const Batch& batch) const {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  std::size_t grow = batch_bytes(batch) + batch.guard->size() + batch.partition.id.size();
  if (used + grow <= capacity_) return {};
  std::size_t shrink = 0;
  if (part != nullptr) {
    shrink = part->guard.size() + part->id.size();
    const auto gone = [&](Bytes key) {
      const auto at = part->rows.find(key);
      return at == part->rows.end() ? 0 : at->first.size() + at->second.size();
    };
    for (const Row& row : batch.puts) shrink += gone(row.key);
    for (Bytes key : batch.erases) grow -= key.size(), shrink += gone(key);
  }
  if (grow <= shrink || used + grow - shrink <= capacity_) return {};
  return {Errc::disk_full, "the memory store's capacity is used up; erase something or raise it"};
}

Committed MemoryStore::apply(Shard& shard, const Batch& batch, RowMap staged) {
  auto* part = const_cast<Part*>(find(shard, batch.partition));
  if (part == nullptr ? batch.expect.has_value() : !batch.expect || *batch.expect != part->guard)
    return refused(part == nullptr ? nullptr : &part->guard);
  if (!batch.guard) return end(shard, *part, batch);
  if (Error error = check_room(part, batch)) return failed(std::move(error));

  std::size_t grow = batch.guard->size(), shrink = 0;
  // Announced first: should the next allocation fail, an entry too many is allowed, a missing one
  // is not. A reader of the entry waits for this shard's lock before it sees the partition.
  if (!batch.note.empty()) announce(batch);
  if (part == nullptr) {
    auto fresh = std::make_unique<Part>();
    fresh->number = next_number_.fetch_add(1, std::memory_order_relaxed);
    fresh->space = batch.partition.space;
    fresh->id = batch.partition.id;
    fresh->guard = *batch.guard;
    part = fresh.get();
    const auto ordered = shard.order.emplace(std::pair(part->space, part->number), part).first;
    try {
      shard.parts.emplace(Name{part->space, part->id}, std::move(fresh));
    } catch (...) {
      shard.order.erase(ordered);
      throw;
    }
    used_.fetch_add(part->id.size(), std::memory_order_relaxed);
  } else {
    shrink = part->guard.size();
    part->guard.assign(*batch.guard);  // as a rule it has the room
  }
  while (!staged.empty()) {
    auto node = staged.extract(staged.begin());
    grow += node.key().size() + node.mapped().size();
    // Events and other growing keys go to the right edge of their prefix; lower_bound finds it.
    auto at = part->rows.lower_bound(node.key());
    if (at != part->rows.end() && at->first == node.key()) {
      shrink += at->first.size() + at->second.size();
      at->second.swap(node.mapped());
    } else {
      part->rows.insert(at, std::move(node));
    }
  }
  for (Bytes key : batch.erases) {
    const auto at = part->rows.find(key);
    if (at == part->rows.end()) continue;
    shrink += at->first.size() + at->second.size();
    part->rows.erase(at);
  }
  used_.fetch_add(grow - shrink, std::memory_order_relaxed);  // wraps like the sum it stands for
  return committed();
}

Committed MemoryStore::end(Shard& shard, Part& part, const Batch& batch) {
  std::size_t found = 0, bytes = part.guard.size() + part.id.size();
  for (Bytes key : batch.erases) {
    const auto at = part.rows.find(key);
    if (at == part.rows.end()) continue;
    ++found;
    bytes += at->first.size() + at->second.size();
  }
  if (found != part.rows.size())
    return failed(
        {Errc::invalid_argument, "a batch without guard must erase every row of its partition"});
  if (!batch.note.empty()) announce(batch);
  shard.order.erase({part.space, part.number});
  shard.parts.erase({batch.partition.space, batch.partition.id});
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  return committed();
}

void MemoryStore::announce(const Batch& batch) {
  Entry entry{batch.partition.space, std::string(batch.partition.id), std::string(batch.note)};
  std::lock_guard lock(feed_mutex_);
  feed_bytes_ += entry.id.size() + entry.note.size() + entry_overhead;
  feed_.push_back(std::move(entry));
  while (feed_bytes_ > feed_limit_ && feed_.size() > 1) {
    feed_bytes_ -= feed_.front().id.size() + feed_.front().note.size() + entry_overhead;
    feed_.pop_front();
    ++feed_first_;
  }
}

Result<Cells> MemoryStore::get_now(const Get& get) const {
  try {
    if (Error error = check(get)) return error;
    // One small copy per cell under its shard's lock, then one block for all.
    std::vector<std::optional<std::string>> copies(get.cells.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < get.cells.size(); ++i) {
      const Get::Cell& cell = get.cells[i];
      const Shard& shard = shard_of(cell.partition);
      std::lock_guard lock(shard.mutex);
      const Part* part = find(shard, cell.partition);
      if (part == nullptr) continue;
      if (cell.key.empty()) {
        copies[i] = part->guard;
      } else if (const auto at = part->rows.find(cell.key); at != part->rows.end()) {
        copies[i] = at->second;
      }
      if (copies[i]) bytes += aligned8(copies[i]->size());
    }
    AnswerBlock block(bytes);
    Cells cells;
    cells.values.reserve(copies.size());
    for (const auto& copy : copies)
      cells.values.push_back(copy ? std::optional<Bytes>(block.put(*copy)) : std::nullopt);
    cells.owner = std::move(block).owner();
    return cells;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Result<Rows> MemoryStore::scan_now(const Scan& scan) const {
  try {
    if (Error error = check(scan)) return error;
    const Shard& shard = shard_of(scan.partition);
    std::lock_guard lock(shard.mutex);
    const Part* part = find(shard, scan.partition);
    return part == nullptr ? Rows{} : pick_rows(part->guard, part->rows, scan);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Rows MemoryStore::pick_rows(Bytes guard, const RowMap& rows, const Scan& scan) {
  const std::size_t max_rows = clamped(scan.max_rows, max_scan_rows);
  const std::size_t max_bytes = clamped(scan.max_bytes, max_scan_bytes);
  Rows answer;
  auto low = rows.lower_bound(scan.from);
  auto high = scan.to.empty() ? rows.end() : rows.lower_bound(scan.to);
  if (!scan.to.empty() && scan.to <= scan.from) high = low;
  std::vector<const RowMap::value_type*> picked;
  std::size_t bytes = 0, block_bytes = aligned8(guard.size());
  while (low != high) {
    const auto& row = scan.reverse ? *std::prev(high) : *low;
    const std::size_t size = row.first.size() + row.second.size();
    if (!picked.empty() && (picked.size() == max_rows || bytes + size > max_bytes)) {
      answer.more = true;
      break;
    }
    bytes += size;
    block_bytes += aligned8(row.first.size()) + aligned8(row.second.size());
    picked.push_back(&row);
    if (scan.reverse)
      --high;
    else
      ++low;
  }
  AnswerBlock block(block_bytes);
  answer.guard = block.put(guard);
  answer.rows.reserve(picked.size());
  for (const auto* row : picked) {
    const Bytes key = block.put(row->first);
    answer.rows.push_back({key, block.put(row->second)});
  }
  answer.owner = std::move(block).owner();
  return answer;
}

// Positions are (shard, creation number): a partition keeps its place as long as it lives.
Result<Listed> MemoryStore::list_now(std::uint8_t space, Bytes after, std::uint32_t max) const {
  const auto position = FeedPosition::decode(after);
  if (!after.empty() && !position)
    return Error{Errc::invalid_argument, "after is no position that list() returned"};
  try {
    max = clamped(max, max_page);
    std::size_t index = position ? position->incarnation[0] : 0;
    std::uint64_t number = position ? position->number : 0;
    std::vector<std::pair<std::string, std::string>> found;
    FeedPosition last;
    bool more = false;
    for (; index < shard_count && !more; ++index, number = 0) {
      const Shard& shard = shards_[index];
      std::lock_guard lock(shard.mutex);
      for (auto at = shard.order.upper_bound({space, number});
           at != shard.order.end() && at->first.first == space; ++at) {
        if (found.size() == max) {
          more = true;
          break;
        }
        found.emplace_back(at->second->id, at->second->guard);
        last.incarnation[0] = static_cast<std::uint8_t>(index);
        last.number = at->first.second;
      }
    }
    const std::string next = more ? last.encode() : std::string();
    std::size_t bytes = aligned8(next.size());
    for (const auto& [id, guard] : found) bytes += aligned8(id.size()) + aligned8(guard.size());
    AnswerBlock block(bytes);
    Listed answer;
    for (const auto& [id, guard] : found) {
      const Bytes key = block.put(id);
      answer.partitions.push_back({key, block.put(guard)});
    }
    answer.next = block.put(next);
    answer.owner = std::move(block).owner();
    return answer;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Result<Changes> MemoryStore::changes_now(Bytes after, std::uint32_t max) const {
  const auto position = FeedPosition::decode(after);
  if (!after.empty() && !position)
    return Error{Errc::invalid_argument, "after is no position that changes() returned"};
  try {
    max = clamped(max, max_page);
    std::lock_guard lock(feed_mutex_);
    const std::uint64_t end = feed_first_ + feed_.size();
    Changes answer;
    std::uint64_t from = position ? position->number + 1 : 1;
    const bool foreign = position && position->incarnation != facts_.incarnation;
    if (foreign || from < feed_first_ || from > end) {
      answer.trimmed = true;
      from = feed_first_;
    }
    const std::uint64_t to = std::min<std::uint64_t>(end, from + max);
    const std::string next = FeedPosition{facts_.incarnation, to - 1}.encode();
    std::size_t bytes = aligned8(next.size());
    for (std::uint64_t n = from; n < to; ++n) {
      const Entry& entry = feed_[n - feed_first_];
      bytes += aligned8(entry.id.size()) + aligned8(entry.note.size());
    }
    AnswerBlock block(bytes);
    for (std::uint64_t n = from; n < to; ++n) {
      const Entry& entry = feed_[n - feed_first_];
      const Bytes id = block.put(entry.id);
      answer.entries.push_back({{entry.space, id}, block.put(entry.note)});
    }
    answer.next = block.put(next);
    answer.owner = std::move(block).owner();
    return answer;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Result<void> MemoryStore::forget_now(Bytes through) {
  const auto position = FeedPosition::decode(through);
  std::lock_guard lock(feed_mutex_);
  if (!position || position->incarnation != facts_.incarnation ||
      position->number >= feed_first_ + feed_.size())
    return Error{Errc::invalid_argument, "through is no position of this store's change feed"};
  while (!feed_.empty() && feed_first_ <= position->number) {
    feed_bytes_ -= feed_.front().id.size() + feed_.front().note.size() + entry_overhead;
    feed_.pop_front();
    ++feed_first_;
  }
  return {};
}

void MemoryStore::for_each(
    const std::function<void(Partition, Bytes guard, const RowMap& rows)>& visit) const {
  for (const Shard& shard : shards_)
    for (const auto& [number, part] : shard.order)
      visit({part->space, part->id}, part->guard, part->rows);
}

bool MemoryStore::look(const Partition& partition,
                       const std::function<void(Bytes guard, const RowMap& rows)>& visit) const {
  const Part* part = find(shard_of(partition), partition);
  if (part != nullptr) visit(part->guard, part->rows);
  return part != nullptr;
}

void MemoryStore::commit(Batch batch, Done<Committed> done) {
  if (!calls_.enter()) return done(failed(closed_error()));
  done(commit_now(batch));
  calls_.leave();
}
void MemoryStore::get(Get get, Done<Result<Cells>> done) {
  if (!calls_.enter()) return done(closed_error());
  done(get_now(get));
  calls_.leave();
}
void MemoryStore::scan(Scan scan, Done<Result<Rows>> done) {
  if (!calls_.enter()) return done(closed_error());
  done(scan_now(scan));
  calls_.leave();
}
void MemoryStore::list(std::uint8_t space, Bytes after, std::uint32_t max,
                       Done<Result<Listed>> done) {
  if (!calls_.enter()) return done(closed_error());
  done(list_now(space, after, max));
  calls_.leave();
}
void MemoryStore::changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) {
  if (!calls_.enter()) return done(closed_error());
  done(changes_now(after, max));
  calls_.leave();
}
void MemoryStore::forget_changes(Bytes through, Done<Result<void>> done) {
  if (!calls_.enter()) return done(closed_error());
  done(forget_now(through));
  calls_.leave();
}
void MemoryStore::close(Done<Result<void>> done) {
  if (closing_.exchange(true)) return done({});
  calls_.close([done = std::move(done)] { done({}); });
}

}  // namespace parley::store

namespace parley::inline v0 {

StoreOpener memory_store(MemoryStoreOptions options) {
  return [options]() mutable -> Result<std::unique_ptr<Store>> {
    if (options.incarnation == decltype(options.incarnation){}) {
      MemoryStoreOptions drawn = options;
      if (auto got = base::random_bytes(drawn.incarnation.data(), 16); !got)
        return std::move(got).error();
      return std::unique_ptr<Store>(std::make_unique<store::MemoryStore>(drawn));
    }
    return std::unique_ptr<Store>(std::make_unique<store::MemoryStore>(options));
  };
}

}  // namespace parley::inline v0
