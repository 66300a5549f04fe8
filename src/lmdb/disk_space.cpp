// lmdb/disk_space.cpp: see the header.
#include "lmdb/disk_space.hpp"

#include <errno.h>

#include <algorithm>

#include "base/os_file.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t mib = 1024 * 1024;
constexpr std::size_t erase_step = 16 * mib, erase_room = 64 * mib;  // beyond max_size
constexpr std::size_t last_room = 256 * 1024;  // of what is reserved, for erasing alone

// A row costs a rewritten path of pages at worst, and never more than all the paths there are.
std::uint64_t cost(const Backlog& of) {
  return mib / 2 + 2 * of.bytes + std::min<std::uint64_t>(of.rows, 512) * 8192;
}

}  // namespace

// LMDB's header pages are in its map, which the folder may be growing: a reader holds it still.
int DiskSpace::used(std::uint64_t& bytes) const {
  const auto reader = readers_.take();
  if (!reader) return EIO;
  bytes = env_.used();
  return 0;
}

int DiskSpace::check(const Backlog& backlog, bool& fits) {
  std::uint64_t bytes = 0;
  if (const int code = used(bytes); code != 0) return code;
  const std::uint64_t wanted = bytes + cost(backlog);
  fits = wanted <= max_size_;
  return fits ? reserve(bytes, wanted, fits) : 0;
}

int DiskSpace::reserve(const Backlog& group, bool erasing, bool& full) {
  std::uint64_t bytes = 0;
  int code = used(bytes);
  bool got = true;
  if (code == 0) code = reserve(bytes, bytes + cost(group), got);
  // What was reserved before still holds; what erases may use the last of it.
  full = !got && !(erasing && bytes + last_room <= reserved_);
  return code;
}

int DiskSpace::reserve(std::uint64_t in_use, std::uint64_t wanted, bool& got) {
  got = true;
  if (!can_reserve_ || wanted <= reserved_) return 0;
  int code = hooks_.run(Step::reserve);
  const std::uint64_t ahead = wanted + std::clamp<std::uint64_t>(in_use / 8, mib, 64 * mib);
  if (code == 0) code = base::reserve_blocks(env_.descriptor(), in_use, ahead);
  if (code == 0) {
    reserved_ = ahead;
    return 0;
  }
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    got = false;
    return 0;
  }
  if (code == EOPNOTSUPP || code == ENOSYS || code == EINVAL) {
    can_reserve_ = false;
    return 0;
  }
  return code;
}

int DiskSpace::grow_map(bool alone, bool erasing, bool& full) {
  const std::size_t size = env_.map_size();
  std::size_t wanted = 0;
  if (size < max_size_)
    wanted = std::min(size * 2, max_size_);
  else if (alone && erasing && size < max_size_ + erase_room)
    wanted = size + erase_step;
  full = wanted == 0;
  if (full) return 0;
  if (const int code = hooks_.run(Step::resize); code != 0) return code;
  return readers_.resize(wanted);
}

}  // namespace parley::lmdb
