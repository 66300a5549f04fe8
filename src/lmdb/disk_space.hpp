// lmdb/disk_space.hpp: whether what is to be acknowledged will have room in LMDB.
#pragma once
#include <cstddef>
#include <cstdint>

#include "lmdb/hooks.hpp"
#include "lmdb/reader_pool.hpp"
#include "lmdb/tails.hpp"

namespace parley::lmdb {

/// Blocks of the disk are reserved ahead, so that a full disk is noticed while nothing has happened
/// yet, and neither in the middle of a flush nor by a fold of what was acknowledged.
/// Thread: the writer's.
class DiskSpace {
 public:
  DiskSpace(Env& env, ReaderPool& readers, const Hooks& hooks, std::size_t max_size)
      : env_(env), readers_(readers), hooks_(hooks), max_size_(max_size) {}

  /// `fits`: all of that has room for certain, within max_size too. 0 or an errno.
  int check(const Backlog& backlog, bool& fits);
  /// For a group that goes to LMDB at once. `full`: it must not be tried. 0 or an errno.
  int reserve(const Backlog& group, bool erasing, bool& full);
  /// Grows the map after MDB_MAP_FULL; `alone`: for one batch only, which may have the last of it
  /// if it erases. `full`: no more to be had. 0 or LMDB's code.
  int grow_map(bool alone, bool erasing, bool& full);

 private:
  int used(std::uint64_t& bytes) const;
  int reserve(std::uint64_t in_use, std::uint64_t wanted, bool& got);

  Env& env_;
  ReaderPool& readers_;
  const Hooks& hooks_;
  const std::size_t max_size_;
  std::uint64_t reserved_ = 0;
  bool can_reserve_ = true;
};

}  // namespace parley::lmdb
