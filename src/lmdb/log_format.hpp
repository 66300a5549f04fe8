// lmdb/log_format.hpp: the bytes of the log: a segment's header, and groups of batches.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lmdb/own_rows.hpp"
#include "parley/store.hpp"

namespace parley::lmdb {

/// Everything in the log begins at a multiple of this and fills whole blocks, so that no flushed
/// block is written again before its segment is recycled.
inline constexpr std::size_t log_block = 4096;
constexpr std::size_t whole_blocks(std::size_t bytes) noexcept {
  return (bytes + log_block - 1) / log_block * log_block;
}

/// A segment's first block. It fits into one sector of a disk: it is the old one or the new one.
struct SegmentHeader {
  std::uint64_t number = 0;  // grows with each use of a file
  std::uint64_t size = 0;    // of the file
  Incarnation incarnation{};
  std::uint64_t first_lsn = 0;
  std::uint64_t salt = 0;  // random: no group of an earlier use passes for one of this use
};
[[nodiscard]] std::string encode_segment_header(const SegmentHeader& header);
/// None when the block holds none. A block of zeros is the header of a file not used yet.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(Bytes block);

/// A batch as a group holds it; views into the group.
struct LoggedBatch {
  Partition partition;
  std::optional<Bytes> guard;
  Bytes note;
  Bytes rows;  // for next_row()
};
struct LoggedRow {
  Bytes key;
  std::optional<Bytes> value;  // none: erased
};
/// Takes the next row off the front of `rows`; false when there is none (or the bytes are wrong).
bool next_row(Bytes& rows, LoggedRow& row) noexcept;

/// Batches that become durable together. LSNs number groups. Ownership: owns its bytes, or shares
/// them with the other groups of a segment that was read.
class LogGroup {
 public:
  static constexpr std::size_t header_size = 48;
  static std::size_t encoded_size(const Batch& batch) noexcept;

  /// An empty one with room for batches of `bytes` in all.
  explicit LogGroup(std::size_t bytes);
  /// The batch must fit.
  void add(const Batch& batch) noexcept;
  /// After the last batch; `feed` is the change feed's state behind this group.
  void finish(std::uint64_t lsn, const FeedState& feed) noexcept;
  /// Signs the group for a segment; the bytes are what is to be written.
  Bytes seal(std::uint64_t salt) noexcept;

  /// The group that begins at `at` with `room` bytes behind it. None when there is no whole one
  /// with an LSN of at least `least` under this salt.
  static std::shared_ptr<LogGroup> parse(std::shared_ptr<char[]> owner, char* at, std::size_t room,
                                         std::uint64_t salt, std::uint64_t least);

  [[nodiscard]] std::uint64_t lsn() const noexcept;
  [[nodiscard]] std::uint32_t batches() const noexcept { return batches_; }
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] FeedState feed() const noexcept;
  [[nodiscard]] std::uint64_t first_entry() const noexcept { return feed().last - notes_ + 1; }
  [[nodiscard]] std::size_t size() const noexcept { return whole_blocks(size_); }  // in the log
  [[nodiscard]] Bytes payload() const noexcept { return {at_ + header_size, size_ - header_size}; }

 private:
  LogGroup() = default;
  std::shared_ptr<char[]> owner_;
  char* at_ = nullptr;
  std::size_t size_ = header_size;
  std::size_t rows_ = 0;  // puts, erases and guards
  std::uint32_t batches_ = 0, notes_ = 0;
};

/// Goes over the batches of a group.
class GroupReader {
 public:
  explicit GroupReader(const LogGroup& group) noexcept : rest_(group.payload()) {}
  /// False at the end, or where the bytes make no sense.
  bool next(LoggedBatch& batch) noexcept;
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  Bytes rest_;
};

}  // namespace parley::lmdb
