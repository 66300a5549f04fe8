// map_store.cpp: a whole store in std::map under one mutex; completions run inside the calls.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plugins.hpp"

namespace {

using namespace parley;

/// Copies of what an answer shows: each 8-aligned, immutable, alive as long as the owner.
class Answer {
 public:
  Bytes keep(Bytes bytes) {
    kept_->push_back(Payload::copy_of(bytes));
    return kept_->back().bytes();
  }
  [[nodiscard]] Owner owner() const { return kept_; }

 private:
  std::shared_ptr<std::deque<Payload>> kept_ = std::make_shared<std::deque<Payload>>();
};

std::string position(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xff);
  return bytes;
}
/// Empty: the beginning. Anything else that is no position: nothing.
std::optional<std::uint64_t> number_of(Bytes bytes) {
  if (!bytes.empty() && bytes.size() != 8) return std::nullopt;
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

Error bad(const char* what) { return {Errc::invalid_argument, what}; }

Error check(const Partition& partition) {
  if (partition.space == 255) return bad("partition.space 255 is reserved");
  if (partition.id.empty() || partition.id.size() > 32) return bad("partition.id: 1..32 bytes");
  return {};
}
bool good_guard(const std::optional<Bytes>& guard) {
  return !guard || (!guard->empty() && guard->size() <= 256);
}
bool good_key(Bytes key) { return !key.empty() && key.size() <= 128; }

Error check(const Batch& batch, const StoreFacts& facts) {
  if (Error error = check(batch.partition)) return error;
  if (!good_guard(batch.expect) || !good_guard(batch.guard)) return bad("a guard: 1..256 bytes");
  if (!batch.expect && !batch.guard) return bad("neither expect nor guard");
  if (batch.expect == batch.guard) return bad("guard: another than expect, none ever returns");
  if (!batch.guard && !batch.puts.empty())
    return bad("puts: none in a batch that ends a partition");
  if (batch.note.size() > 64) return bad("note: at most 64 bytes");
  std::set<Bytes> keys;
  std::size_t bytes = 0;
  for (const Row& row : batch.puts) {
    if (row.value.size() > facts.max_value) return {Errc::too_large, "a value is too long"};
    bytes += row.key.size() + row.value.size();
    if (!good_key(row.key) || !keys.insert(row.key).second) return bad("a key: 1..128 bytes, once");
  }
  for (const Bytes key : batch.erases) {
    bytes += key.size();
    if (!good_key(key) || !keys.insert(key).second) return bad("a key: 1..128 bytes, once");
  }
  if (keys.size() > facts.max_batch_rows) return {Errc::too_large, "too many rows in a batch"};
  if (bytes > facts.max_batch_bytes) return {Errc::too_large, "too many bytes in a batch"};
  return {};
}

class MapStore final : public Store {
 public:
  MapStore() {
    std::random_device random;
    for (auto& byte : facts_.incarnation) byte = static_cast<std::uint8_t>(random());
  }
  const StoreFacts& facts() const noexcept override { return facts_; }

  void commit(Batch batch, Done<Committed> done) override {
    const Call call(*this);
    done(call ? commit_now(batch) : Committed{.verdict = Verdict::failed, .error = closed()});
  }
  void get(Get get, Done<Result<Cells>> done) override {
    const Call call(*this);
    done(call ? get_now(get) : closed());
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    const Call call(*this);
    done(call ? scan_now(scan) : closed());
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    const Call call(*this);
    done(call ? list_now(space, after, max) : closed());
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    const Call call(*this);
    done(call ? changes_now(after, max) : closed());
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    const Call call(*this);
    done(call ? forget_now(through) : closed());
  }
  void close(Done<Result<void>> done) override {
    const Call call(*this);
    if (!call) return done(closed());
    const std::scoped_lock lock(mutex_);
    closing_ = std::move(done);  // runs when the last call, perhaps this one, is over
    closed_ = true;
  }

 private:
  struct Part {
    std::string guard;
    std::map<std::string, std::string, std::less<>> rows;  // std::string orders by unsigned bytes
  };
  struct Note {
    std::uint64_t number;
    std::uint8_t space;
    std::string id, note;
  };
  using Name = std::pair<std::uint8_t, std::string>;

  static Error closed() { return {Errc::engine_closed, "the store is closed"}; }

  /// A call under way; false when the store is closed. The last one after close() completes it.
  class Call {
   public:
    explicit Call(MapStore& store) : store_(store) {
      const std::scoped_lock lock(store.mutex_);
      open_ = !store.closed_;
      if (open_) ++store.running_;
    }
    ~Call() {
      if (!open_) return;
      Done<Result<void>> done;
      {
        const std::scoped_lock lock(store_.mutex_);
        if (--store_.running_ == 0 && store_.closed_) done.swap(store_.closing_);
      }
      if (done) done({});
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    explicit operator bool() const { return open_; }

   private:
    MapStore& store_;
    bool open_ = false;
  };

  Committed commit_now(const Batch& batch) {
    if (Error error = check(batch, facts_)) return {.verdict = Verdict::failed, .error = error};
    const std::scoped_lock lock(mutex_);
    const auto at = parts_.find({batch.partition.space, std::string(batch.partition.id)});
    const bool there = at != parts_.end();
    if (there != batch.expect.has_value() || (there && at->second.guard != *batch.expect)) {
      Committed refused{.verdict = Verdict::refused};
      Answer answer;
      if (there) refused.found = answer.keep(at->second.guard);
      refused.owner = answer.owner();
      return refused;
    }
    if (!batch.guard) {
      std::size_t erased = 0;
      for (const Bytes key : batch.erases) erased += at->second.rows.count(key);
      if (erased != at->second.rows.size()) {
        return {.verdict = Verdict::failed, .error = bad("a partition ends without rows only")};
      }
      parts_.erase(at);
    } else {
      Part& part = parts_[{batch.partition.space, std::string(batch.partition.id)}];
      part.guard = *batch.guard;
      for (const Bytes key : batch.erases) {
        if (const auto row = part.rows.find(key); row != part.rows.end()) part.rows.erase(row);
      }
      for (const Row& row : batch.puts) part.rows.insert_or_assign(std::string(row.key), row.value);
    }
    if (!batch.note.empty()) {
      notes_.push_back({++newest_, batch.partition.space, std::string(batch.partition.id),
                        std::string(batch.note)});
    }
    return {.verdict = Verdict::done};
  }

  Result<Cells> get_now(const Get& get) {
    if (get.cells.size() > 4'096) return bad("cells: at most 4,096");
    Answer answer;
    Cells cells;
    const std::scoped_lock lock(mutex_);
    for (const Get::Cell& cell : get.cells) {
      if (Error error = check(cell.partition)) return error;
      if (cell.key.size() > 128) return bad("a key: at most 128 bytes");
      auto& value = cells.values.emplace_back();
      const auto part = parts_.find({cell.partition.space, std::string(cell.partition.id)});
      if (part == parts_.end()) continue;
      if (cell.key.empty()) {
        value = answer.keep(part->second.guard);
      } else if (const auto row = part->second.rows.find(cell.key);
                 row != part->second.rows.end()) {
        value = answer.keep(row->second);
      }
    }
    cells.owner = answer.owner();
    return cells;
  }

  Result<Rows> scan_now(const Scan& scan) {
    if (Error error = check(scan.partition)) return error;
    if (scan.from.size() > 129 || scan.to.size() > 129) return bad("from, to: at most 129 bytes");
    Answer answer;
    Rows rows;
    const std::scoped_lock lock(mutex_);
    const auto part = parts_.find({scan.partition.space, std::string(scan.partition.id)});
    if (part == parts_.end()) return rows;
    rows.guard = answer.keep(part->second.guard);
    auto& all = part->second.rows;
    std::size_t bytes = 0;
    const auto take = [&](const auto& row) {  // false: no room
      const std::size_t size = row.first.size() + row.second.size();
      if (!rows.rows.empty() &&
          (rows.rows.size() >= scan.max_rows || bytes + size > scan.max_bytes)) {
        return false;
      }
      bytes += size;
      rows.rows.push_back({answer.keep(row.first), answer.keep(row.second)});
      return true;
    };
    const auto begin = all.lower_bound(scan.from);
    const auto end = scan.to.empty() ? all.end() : all.lower_bound(scan.to);
    if (scan.to.empty() || scan.from < scan.to) {
      if (scan.reverse) {
        for (auto row = end; row != begin && !rows.more;) rows.more = !take(*--row);
      } else {
        for (auto row = begin; row != end && !rows.more; ++row) rows.more = !take(*row);
      }
    }
    rows.owner = answer.owner();
    return rows;
  }

  Result<Listed> list_now(std::uint8_t space, Bytes after, std::uint32_t max) {
    if (after.size() > 32) return bad("after: from an earlier answer");
    Answer answer;
    Listed listed;
    const std::scoped_lock lock(mutex_);
    auto part = parts_.upper_bound({space, std::string(after)});
    for (; part != parts_.end() && part->first.first == space; ++part) {
      if (listed.partitions.size() >= std::max(max, 1U)) {
        listed.next = listed.partitions.back().key;
        break;
      }
      listed.partitions.push_back(
          {answer.keep(part->first.second), answer.keep(part->second.guard)});
    }
    listed.owner = answer.owner();
    return listed;
  }

  Result<Changes> changes_now(Bytes after, std::uint32_t max) {
    const std::scoped_lock lock(mutex_);
    const auto from = number_of(after);
    if (!from || *from > newest_) return bad("after: from an earlier answer");
    Answer answer;
    Changes changes;
    changes.trimmed = *from < forgotten_;
    std::uint64_t last = std::max(*from, forgotten_);
    for (const Note& note : notes_) {
      if (note.number <= last) continue;
      if (changes.entries.size() >= std::max(max, 1U)) break;
      changes.entries.push_back(
          {.partition = {note.space, answer.keep(note.id)}, .note = answer.keep(note.note)});
      last = note.number;
    }
    changes.next = answer.keep(position(last));
    changes.owner = answer.owner();
    return changes;
  }

  Result<void> forget_now(Bytes through) {
    const std::scoped_lock lock(mutex_);
    const auto number = number_of(through);
    if (!number || *number > newest_) return bad("through: from an earlier answer");
    forgotten_ = std::max(forgotten_, *number);
    while (!notes_.empty() && notes_.front().number <= forgotten_) notes_.pop_front();
    return {};
  }

  StoreFacts facts_;
  std::mutex mutex_;  // guards what follows
  std::map<Name, Part> parts_;
  std::deque<Note> notes_;
  std::uint64_t newest_ = 0, forgotten_ = 0;
  std::size_t running_ = 0;
  bool closed_ = false;
  Done<Result<void>> closing_;
};

}  // namespace

StoreOpener map_store() {
  return []() -> Result<std::unique_ptr<Store>> {
    return std::unique_ptr<Store>(std::make_unique<MapStore>());
  };
}
