// lmdb/reader_pool.hpp: short read transactions, reused, and kept apart from growing the map.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "lmdb/env.hpp"

namespace parley::lmdb {

/// Readers are renewed for each call and reset after it, so that none holds pages of an old state.
/// Ownership: owns LMDB's transactions and cursors; the environment must outlive it.
/// Thread: any.
class ReaderPool {
 public:
  /// One call's view of the newest committed state. Returns its reader when it goes.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), txn_(other.txn_), cursor_(other.cursor_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->give_back(txn_, cursor_);
    }
    [[nodiscard]] MDB_txn* txn() const noexcept { return txn_; }
    [[nodiscard]] MDB_cursor* cursor() const noexcept { return cursor_; }
    /// Of the write transaction whose state this sees.
    [[nodiscard]] std::size_t txn_id() const noexcept { return mdb_txn_id(txn_); }
    /// Moves to the newest state; what was read before is gone. 0, or LMDB's code.
    [[nodiscard]] int refresh() noexcept {
      mdb_txn_reset(txn_);
      const int code = mdb_txn_renew(txn_);
      return code == 0 ? mdb_cursor_renew(txn_, cursor_) : code;
    }

   private:
    friend class ReaderPool;
    Lease(ReaderPool* pool, MDB_txn* txn, MDB_cursor* cursor) noexcept
        : pool_(pool), txn_(txn), cursor_(cursor) {}
    ReaderPool* pool_;
    MDB_txn* txn_;
    MDB_cursor* cursor_;
  };

  explicit ReaderPool(Env& env) : env_(env) {}
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  /// Waits while the map grows or `most` readers are out.
  Result<Lease> take();
  /// Waits until no reader is out, then resizes the map. No write transaction may be open.
  /// 0, or LMDB's code.
  int resize(std::size_t map_size);

 private:
  static constexpr std::size_t most = 64;  // well below max_readers

  void give_back(MDB_txn* txn, MDB_cursor* cursor) noexcept;

  Env& env_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::pair<MDB_txn*, MDB_cursor*>> idle_;
  std::size_t out_ = 0;
  bool resizing_ = false;
};

}  // namespace parley::lmdb
