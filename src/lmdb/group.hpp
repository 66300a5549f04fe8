// lmdb/group.hpp: applies batches to one write transaction; what is flushed together.
#pragma once
#include <cstdint>

#include "lmdb/own_rows.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

/// The batches of one transaction, and its feed entries. Each batch is decided before it writes, so
/// a refused or failed one leaves nothing behind and its neighbours do not notice it.
/// Thread: the writer's.
class Group {
 public:
  Group(WriteTxn& txn, FeedState feed, std::uint64_t feed_limit) noexcept
      : txn_(txn), feed_(feed), feed_limit_(feed_limit) {}

  /// 0 with the verdict in `answer` (`done`: if the transaction commits), or LMDB's code: then the
  /// transaction must be aborted.
  int apply(const Batch& batch, Committed& answer);
  /// Drops the oldest feed entries up to `through`, at most `most` of them; tells how many.
  int drop_entries(std::uint64_t through, std::size_t most, std::size_t& dropped);
  /// Writes the feed's state and keeps it within its limit. Call it last.
  int finish();

  [[nodiscard]] bool wrote() const noexcept { return wrote_; }
  [[nodiscard]] const FeedState& feed() const noexcept { return feed_; }

 private:
  int check_end(const Batch& batch, bool& whole);
  int write(const Batch& batch);
  int announce(const Batch& batch);

  WriteTxn& txn_;
  FeedState feed_;
  std::uint64_t feed_limit_;
  bool wrote_ = false;
  bool feed_moved_ = false;
};

}  // namespace parley::lmdb
