// lmdb/log_segment.hpp: one file of the log: made once, written from its begin again and again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/os_file.hpp"
#include "lmdb/log_format.hpp"

namespace parley::lmdb {

/// Ownership: owns the descriptor. Thread: one at a time.
class LogSegment {
 public:
  /// Makes the file, durable: a header that no group belongs to, and zeros. It has its name only
  /// when it is whole. Errors: disk_full, store_failed; then it is not there.
  static Result<LogSegment> create(const std::string& path, std::size_t size,
                                   const Incarnation& incarnation);
  /// Opens one that is there. Does not read it.
  static Result<LogSegment> open(std::string path);

  /// Begins another use of the file. 0 or an errno.
  int begin(SegmentHeader header) noexcept;
  /// Writes a group behind the last one; it must fit. 0 or an errno.
  int write(LogGroup& group) noexcept;
  /// Makes everything written durable. 0 or an errno. After an error nothing in the file that was
  /// not flushed before can be trusted.
  int flush() noexcept { return base::sync_data(file_.get()); }

  [[nodiscard]] bool fits(const LogGroup& group) const noexcept {
    return next_ != 0 && next_ + group.size() <= size_;
  }
  [[nodiscard]] std::uint64_t last_lsn() const noexcept { return last_lsn_; }
  void set_last_lsn(std::uint64_t lsn) noexcept { last_lsn_ = lsn; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  LogSegment(base::Descriptor file, std::size_t size) noexcept
      : file_(std::move(file)), size_(size) {}
  base::Descriptor file_;
  std::size_t size_ = 0;
  SegmentHeader header_;
  std::size_t next_ = 0;        // where the next group goes; 0: not begun
  std::uint64_t last_lsn_ = 0;  // of the newest group in it that matters
};

/// What a file of the log holds.
struct SegmentContents {
  enum class State : std::uint8_t {
    empty,    // no header but zeros, or nothing: older versions made files so
    foreign,  // of another incarnation: nothing in it counts
    used,
    damaged,  // neither a header nor zeros, or cut short
  } state = State::empty;
  SegmentHeader header;
  std::vector<std::shared_ptr<LogGroup>> groups;  // every good one, by position
};
/// Reads a whole file. The groups share one block of memory.
Result<SegmentContents> read_segment(const std::string& path, const Incarnation& incarnation);

}  // namespace parley::lmdb
