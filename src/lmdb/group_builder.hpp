// lmdb/group_builder.hpp: decides batches against what stands, and puts those that are done into a
// group of the log.
#pragma once
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <unordered_map>

#include "lmdb/log_format.hpp"
#include "lmdb/tails.hpp"

namespace parley::lmdb {

/// Each batch is decided before it is added, so a refused or failed one leaves nothing behind and
/// its neighbours do not notice it. Nothing counts before the group is durable. A batch that ends
/// its partition must be the first. Thread: one.
class GroupBuilder {
 public:
  /// Room for batches of `bytes` in all, as LogGroup::encoded_size() counts.
  GroupBuilder(const Tails& tails, ReaderPool::Lease& reader, std::size_t bytes, FeedState feed,
               std::uint64_t feed_limit)
      : tails_(tails),
        reader_(reader),
        feed_limit_(feed_limit),
        feed_(feed),
        first_entry_(feed.last + 1),
        group_(std::make_shared<LogGroup>(bytes)) {}

  /// 0 with the verdict in `answer` (`done`: once the group is durable), or LMDB's code.
  int apply(const Batch& batch, Committed& answer);
  /// Forgets feed entries up to `through`, at most `most` of them. 0 or LMDB's code.
  int forget(std::uint64_t through, std::size_t most);

  [[nodiscard]] bool empty() const noexcept { return group_->batches() == 0 && !forgot_; }
  [[nodiscard]] const FeedState& feed() const noexcept { return feed_; }
  [[nodiscard]] std::shared_ptr<LogGroup> finish(std::uint64_t lsn) {
    group_->finish(lsn, feed_);
    return std::move(group_);
  }

 private:
  struct Name {
    std::uint8_t space;
    Bytes id;
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const noexcept {
      return std::hash<std::string_view>()(name.id) + name.space;
    }
  };
  int find_guard(const Partition& partition, std::optional<Bytes>& guard);
  int check_end(const Batch& batch, bool& whole);
  int announce(const Batch& batch);
  int entry_size(std::uint64_t number, std::size_t& size);

  const Tails& tails_;
  ReaderPool::Lease& reader_;
  const std::uint64_t feed_limit_;
  FeedState feed_;
  const std::uint64_t first_entry_;  // of this group
  bool forgot_ = false;
  Tails::View before_;  // this group; once looked
  bool looked_ = false;
  std::pmr::monotonic_buffer_resource memory_{std::size_t{8} << 10};
  std::pmr::unordered_map<Name, std::optional<Bytes>, NameHash> guards_{&memory_};  // of this group
  std::shared_ptr<LogGroup> group_;
};

}  // namespace parley::lmdb
