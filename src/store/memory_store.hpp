// store/memory_store.hpp: the memory store's class, for those who must look inside (the simulator).
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "parley/memory_store.hpp"
#include "store/call_count.hpp"

namespace parley::store {

/// Partitions spread over shards, each under its own mutex: hash to a partition, ordered rows in
/// it. Lock order: a shard, then the feed. Completions run with no lock held.
class MemoryStore final : public Store {
 public:
  using RowMap = std::map<std::string, std::string, std::less<>>;

  /// The incarnation is taken as given; memory_store() draws one.
  explicit MemoryStore(const MemoryStoreOptions& options);

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return facts_; }
  void commit(Batch batch, Done<Committed> done) override;
  void get(Get get, Done<Result<Cells>> done) override;
  void scan(Scan scan, Done<Result<Rows>> done) override;
  void list(std::uint8_t space, Bytes after, std::uint32_t max, Done<Result<Listed>> done) override;
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override;
  void forget_changes(Bytes through, Done<Result<void>> done) override;
  void close(Done<Result<void>> done) override;

  /// The same without a completion and without regard to close(): what the virtual calls do.
  [[nodiscard]] Committed commit_now(const Batch& batch);
  [[nodiscard]] Result<Cells> get_now(const Get& get) const;
  [[nodiscard]] Result<Rows> scan_now(const Scan& scan) const;
  [[nodiscard]] Result<Listed> list_now(std::uint8_t space, Bytes after, std::uint32_t max) const;
  [[nodiscard]] Result<Changes> changes_now(Bytes after, std::uint32_t max) const;
  [[nodiscard]] Result<void> forget_now(Bytes through);

  /// Every partition with its guard and rows, in the order of list(). Nothing may commit meanwhile.
  void for_each(const std::function<void(Partition, Bytes guard, const RowMap& rows)>& visit) const;
  /// One partition, without its lock: nothing may commit meanwhile. False when there is none.
  bool look(const Partition& partition,
            const std::function<void(Bytes guard, const RowMap& rows)>& visit) const;
  /// What a scan answers over these rows.
  static Rows pick_rows(Bytes guard, const RowMap& rows, const Scan& scan);
  /// Bytes counted against the capacity.
  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  struct Part {
    std::uint64_t number = 0;  // order of creation: the order of list() within a shard
    std::uint8_t space = 0;
    std::string id;
    std::string guard;
    RowMap rows;
  };
  struct Name {
    std::uint8_t space;
    Bytes id;  // in lookups the caller's; in the table the Part's own
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const noexcept {
      return std::hash<Bytes>{}(name.id) + name.space * 0x9e3779b97f4a7c15ULL;
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Name, std::unique_ptr<Part>, NameHash> parts;
    std::map<std::pair<std::uint8_t, std::uint64_t>, const Part*> order;  // space, number
  };
  struct Entry {
    std::uint8_t space;
    std::string id, note;
  };

  Shard& shard_of(const Partition& partition) const noexcept;
  static const Part* find(const Shard& shard, const Partition& partition);
  Committed apply(Shard& shard, const Batch& batch, RowMap staged);
  Committed end(Shard& shard, Part& part, const Batch& batch);
  Error check_room(const Part* part, const Batch& batch) const;
  void announce(const Batch& batch);

  static constexpr std::size_t shard_count = 64;

  StoreFacts facts_;
  const std::size_t capacity_, feed_limit_;
  CallCount calls_;
  std::atomic<bool> closing_{false};
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint64_t> next_number_{1};
  mutable std::array<Shard, shard_count> shards_;

  mutable std::mutex feed_mutex_;  // guards what follows
  std::deque<Entry> feed_;
  std::uint64_t feed_first_ = 1;  // number of feed_.front(), or of the entry to come
  std::size_t feed_bytes_ = 0;
};

}  // namespace parley::store
