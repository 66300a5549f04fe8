// lmdb/log_ring.hpp: the files of the log, used in turn; a file is free once its groups are folded.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lmdb/log_segment.hpp"

namespace parley::lmdb {

/// Files are made when none is free and never deleted: blocks that were written before are flushed
/// faster than fresh ones. Thread: one writes; release() and files() any.
class LogRing {
 public:
  struct Place {
    std::string directory;
    std::size_t segment_size = 0;
    Incarnation incarnation{};  // of what is written from now on
  };
  /// `segments`: what recovery found. `number` and `folded`: the greatest there are.
  LogRing(Place place, std::vector<LogSegment> segments, std::uint64_t number, std::uint64_t folded)
      : place_(std::move(place)),
        segments_(std::move(segments)),
        number_(number),
        files_(segments_.size()),
        folded_(folded) {}

  /// Sees to it that so many files are there. Errors: disk_full, store_failed.
  Result<void> make_files(std::size_t count);

  enum class Room : std::uint8_t {
    there,
    wait,       // after the next fold there is
    too_large,  // this group can never be in the log
  };
  /// Finds a place for the group, whose LSN is set. Errors: those of the system.
  Result<Room> make_room(const LogGroup& group);
  /// Writes to that place. 0 or an errno.
  int write(LogGroup& group) noexcept;
  /// Makes what was written durable, in every file. 0 or an errno.
  int flush() noexcept;

  /// Groups up to this LSN are in LMDB.
  void release(std::uint64_t lsn) noexcept { folded_.store(lsn, std::memory_order_release); }

  /// Files there are, under their names and durable.
  [[nodiscard]] std::size_t files() const noexcept {
    return files_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  Result<void> begin(std::size_t index, std::uint64_t first_lsn);

  const Place place_;
  std::vector<LogSegment> segments_;
  std::vector<std::size_t> dirty_;  // written and not flushed
  std::size_t current_ = none;
  std::uint64_t number_;
  std::atomic<std::size_t> files_;
  std::atomic<std::uint64_t> folded_;
};

}  // namespace parley::lmdb
