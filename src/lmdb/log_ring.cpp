// lmdb/log_ring.cpp: see the header.
#include "lmdb/log_ring.hpp"

#include <algorithm>
#include <utility>

#include "base/os.hpp"
#include "lmdb/directory.hpp"

namespace parley::lmdb {

Result<void> LogRing::make_files(std::size_t count) {
  while (segments_.size() < count) {
    auto made =
        LogSegment::create(place_.directory + "/" + log_prefix + std::to_string(segments_.size()),
                           place_.segment_size, place_.incarnation);
    if (!made) return std::move(made).error();
    segments_.push_back(std::move(*made));
    files_.store(segments_.size(), std::memory_order_release);
  }
  return {};
}

Result<LogRing::Room> LogRing::make_room(const LogGroup& group) {
  if (log_block + group.size() > place_.segment_size) return Room::too_large;
  if (current_ != none && segments_[current_].fits(group)) return Room::there;
  const std::uint64_t folded = folded_.load(std::memory_order_acquire);
  std::size_t next = 0;
  while (next < segments_.size() && (next == current_ || segments_[next].last_lsn() > folded))
    ++next;
  if (next == segments_.size()) {
    const auto made = make_files(next + 1);
    if (!made && made.error().errc() == Errc::disk_full && segments_.size() > 1) return Room::wait;
    if (!made) return made.error();
  }
  const auto begun = begin(next, group.lsn());
  if (!begun) return begun.error();
  return Room::there;
}

Result<void> LogRing::begin(std::size_t index, std::uint64_t first_lsn) {
  SegmentHeader header{
      .number = number_ + 1, .incarnation = place_.incarnation, .first_lsn = first_lsn};
  if (auto drawn = base::random_bytes(&header.salt, sizeof header.salt); !drawn) return drawn;
  if (const int code = segments_[index].begin(header); code != 0)
    return to_error("cannot write the log", code);
  number_ = header.number;
  current_ = index;
  return {};
}

int LogRing::write(LogGroup& group) noexcept {
  if (std::find(dirty_.begin(), dirty_.end(), current_) == dirty_.end()) dirty_.push_back(current_);
  return segments_[current_].write(group);
}

int LogRing::flush() noexcept {
  for (const std::size_t index : dirty_)
    if (const int code = segments_[index].flush(); code != 0) return code;
  dirty_.clear();
  return 0;
}

}  // namespace parley::lmdb
