// lmdb/recovery.hpp: what of the log LMDB does not have yet, and whether it can be believed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lmdb/log_segment.hpp"

namespace parley::lmdb {

/// The log as it lies in a directory.
struct RecoveredLog {
  std::vector<std::shared_ptr<LogGroup>> groups;  // dense, from the LSN behind `folded` on
  std::vector<std::string> paths;                 // of the files, by the numbers in their names
  std::vector<std::uint64_t> last_lsns;  // newest needed group in each; 0: none, it is free
  std::uint64_t number = 0;              // the greatest of a segment
  std::size_t used = 0;                  // files of this incarnation
  std::string damage;            // empty: none. Else what says that acknowledged groups are gone
  std::vector<bool> unfinished;  // for each file: to be made anew
};

/// Reads every file of the log. A group may stand in two files, after a recovery that was cut off:
/// any good copy counts. A good group behind a hole is damage: what came before it was
/// acknowledged and is gone. Errors: those of the system.
Result<RecoveredLog> recover_log(const std::string& directory, std::size_t segment_size,
                                 const Incarnation& incarnation, std::uint64_t folded);

}  // namespace parley::lmdb
