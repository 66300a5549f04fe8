// lmdb/memory_tail.hpp: what the log holds and LMDB does not yet: per partition its newest guard
// and its rows in order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lmdb/keys.hpp"
#include "lmdb/log_format.hpp"

namespace parley::lmdb {

/// A guard or a row as a tail knows it, before and after the group that is being flushed.
class TailCell {
 public:
  struct Version {
    std::uint64_t lsn = 0;  // 0: the tail does not know, an older one or LMDB does
    std::optional<Bytes> value;
  };
  /// Of the groups up to `visible`. At most one group is above it.
  [[nodiscard]] const Version& at(std::uint64_t visible) const noexcept {
    return newest_.lsn <= visible ? newest_ : before_;
  }
  [[nodiscard]] const Version& newest() const noexcept { return newest_; }
  void set(std::uint64_t lsn, std::optional<Bytes> value) noexcept {
    if (newest_.lsn != lsn) before_ = newest_;
    newest_ = {lsn, value};
  }

 private:
  Version newest_, before_;
};

/// Groups of the log merged, until they are folded. Keys and values are views into the groups'
/// bytes, which it keeps. Thread: guarded by its owner; frozen, any.
class MemoryTail {
 public:
  using Rows = std::pmr::map<Bytes, TailCell>;
  struct Part {
    explicit Part(std::pmr::memory_resource* memory) : rows(memory) {}
    Partition partition;  // views into a group
    TailCell guard;
    Rows rows;
  };
  struct Entry {
    std::uint64_t number = 0, lsn = 0;
    Partition partition;
    Bytes note;
  };

  /// Keeps the group and merges nothing yet.
  void keep(std::shared_ptr<const LogGroup> group);
  /// Merges a batch of a group that is kept; `entry`: its number in the change feed, if it has a
  /// note.
  void add(std::uint64_t lsn, const LoggedBatch& batch, std::uint64_t entry);
  /// Both, for a whole group.
  void add(const std::shared_ptr<const LogGroup>& group);

  [[nodiscard]] bool empty() const noexcept { return groups_.empty(); }
  [[nodiscard]] std::uint64_t lsn() const noexcept { return groups_.back()->lsn(); }
  [[nodiscard]] FeedState feed() const noexcept { return groups_.back()->feed(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }  // in the log
  [[nodiscard]] std::size_t batches() const noexcept { return batches_; }
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }  // before merging

  [[nodiscard]] const Part* find(const Partition& partition) const noexcept;
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  template <class Visit>
  void for_each_part(const Visit& visit) const {
    for (const auto& [name, part] : parts_) visit(part);
  }
  /// Every newest guard, row and change entry as LMDB is to have it, in the order of its keys,
  /// until `visit(Bytes key, std::optional<Bytes> value)` returns other than 0, which is returned.
  template <class Visit>
  int for_each_key(const Visit& visit) const;

 private:
  struct Name {
    std::uint8_t space;
    Bytes id;
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const noexcept {
      return std::hash<std::string_view>()(name.id) + name.space * std::size_t{0x9e3779b9};
    }
  };
  [[nodiscard]] std::vector<const Part*> sorted() const;
  static std::string entry_value(const Entry& entry);

  std::pmr::monotonic_buffer_resource memory_{std::size_t{64} << 10};
  std::pmr::unordered_map<Name, Part, NameHash> parts_{&memory_};
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<const LogGroup>> groups_;
  std::size_t bytes_ = 0, batches_ = 0, rows_ = 0;
};

template <class Visit>
int MemoryTail::for_each_key(const Visit& visit) const {
  const auto parts = sorted();
  int code = 0;
  for (const Part* part : parts)
    if (const auto& guard = part->guard.newest(); code == 0 && guard.lsn != 0)
      code = visit(Key::guard(part->partition).bytes(), guard.value);
  for (const Part* part : parts)
    for (auto row = part->rows.begin(); code == 0 && row != part->rows.end(); ++row)
      code = visit(Key::row(part->partition, row->first).bytes(), row->second.newest().value);
  const std::uint64_t through = feed().through;
  for (const Entry& entry : entries_)
    if (code == 0 && entry.number > through)
      code = visit(Key::entry(entry.number).bytes(), Bytes(entry_value(entry)));
  return code;
}

}  // namespace parley::lmdb
