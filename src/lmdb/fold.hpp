// lmdb/fold.hpp: writes what a tail holds into LMDB, in the order of its keys.
#pragma once
#include <cstddef>

#include "lmdb/hooks.hpp"
#include "lmdb/memory_tail.hpp"

namespace parley::lmdb {

/// In synced transactions of at most 32,768 rows; the last one has the LSN with it, and how many
/// files the log has. Until then the log has all of it, and the tail hides what stands in LMDB too
/// early. Thread: one.
class Fold {
 public:
  Fold(Env& env, const Hooks& hooks, std::size_t log_files)
      : env_(env), hooks_(hooks), log_files_(log_files) {}

  /// 0, MDB_MAP_FULL (grow the map and call again), or another code. `steps`: whether the hooks of
  /// a fold are run.
  int write(const MemoryTail& tail, bool steps);
  [[nodiscard]] std::size_t txn_id() const noexcept { return txn_id_; }  // of the last transaction
  /// A flush was begun: what was written may be there.
  [[nodiscard]] bool flushed() const noexcept { return flushed_; }

 private:
  int begin();
  int commit();
  int put(Bytes key, const std::optional<Bytes>& value);
  int drop_entries(std::uint64_t through, bool& more);

  Env& env_;
  const Hooks& hooks_;
  const std::size_t log_files_;
  WriteTxn txn_;
  std::size_t rows_ = 0, txn_id_ = 0;
  bool flushed_ = false, steps_ = true;
};

}  // namespace parley::lmdb
