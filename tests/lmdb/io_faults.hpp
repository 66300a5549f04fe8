// tests/lmdb/io_faults.hpp: makes the system's write and sync calls of this process fail, or
// records them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace io_faults {

/// From now on the k-th call (1 = the next) of pwrite, writev, fdatasync, fsync, ftruncate and
/// fallocate fails with `error`; so does every later one, unless `once`.
void fail_from(long k, int error, bool once = false);
/// Calls since fail_from().
long calls();
void stop_failing();

/// One write to, or barrier on, a recorded file. A write through a descriptor opened with O_DSYNC
/// is followed by a barrier of its own. A mark is what the test put in between.
struct Record {
  enum class Kind : std::uint8_t { write, barrier, rename, mark } kind = Kind::mark;
  std::string file;  // its name in the directory
  std::uint64_t offset = 0;
  std::string bytes;  // a rename: the new name
  std::uint64_t mark = 0;
};
/// Records every file of this directory.
void start_recording(const std::string& directory);
void mark(std::uint64_t value);
std::vector<Record> stop_recording();

}  // namespace io_faults
