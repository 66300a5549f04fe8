// lmdb/tails.hpp: the tails in front of LMDB: one that grows, one that is being folded, and what of
// them may be seen.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "lmdb/memory_tail.hpp"
#include "lmdb/reader_pool.hpp"

namespace parley::lmdb {

/// What is in the log and not in LMDB.
struct Backlog {
  std::size_t bytes = 0, batches = 0, rows = 0;
};

/// A reader looks into the tails first and then, for what they do not know, into LMDB. Thread: any.
class Tails {
 public:
  /// What a look sees; only while look() runs, but for what the keys and values point to, which
  /// lives as long as the tails it shares.
  struct View {
    std::shared_ptr<const MemoryTail> newer, older;  // older: none unless a fold is under way
    std::uint64_t visible = 0;
    FeedState feed;

    /// None when no tail knows it: LMDB does.
    [[nodiscard]] std::optional<TailCell::Version> guard(const Partition& partition) const;
    [[nodiscard]] std::optional<TailCell::Version> row(const Partition& partition, Bytes key) const;
  };

  Tails(std::uint64_t folded, const FeedState& feed) : visible_(folded), feed_(feed) {}

  /// Runs `look(const View&)` while nothing moves, and sees to it that the reader's state of LMDB
  /// holds everything that the tails have let go of. 0 or LMDB's code.
  template <class Look>
  [[nodiscard]] int look(ReaderPool::Lease& reader, const Look& look) const {
    std::lock_guard lock(mutex_);
    if (reader.txn_id() < folded_txn_)
      if (const int code = reader.refresh(); code != 0) return code;
    look(View{active_, frozen_, visible_, feed_});
    return 0;
  }

  /// Merges a group that nobody sees before publish(). Thread: the writer's, as publish().
  void add(const std::shared_ptr<const LogGroup>& group);
  void publish(const LogGroup& group);
  /// For a group that went to LMDB at once; nothing may be in the tails.
  void publish_folded(const LogGroup& group, std::size_t txn_id);
  /// No group will be published any more.
  void give_up();

  /// Takes what is published out of the way of new groups, to be folded; none when there is
  /// nothing. Waits for a group that is being flushed. Thread: the folder's, as drop().
  std::shared_ptr<const MemoryTail> freeze();
  /// LMDB has what was frozen, since the transaction with this id.
  void drop(std::size_t txn_id);

  [[nodiscard]] Backlog backlog() const;
  [[nodiscard]] Backlog unfrozen() const;  // what the next freeze() would take

 private:
  void swap_out();

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::shared_ptr<MemoryTail> active_ = std::make_shared<MemoryTail>(), frozen_;
  std::uint64_t visible_;
  FeedState feed_;
  std::size_t folded_txn_ = 0;
  bool flushing_ = false, wanted_ = false, over_ = false;
};

}  // namespace parley::lmdb
