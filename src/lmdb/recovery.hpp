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
  std::string damage;         // empty: none. Else what says that acknowledged groups are gone
  std::vector<bool> useless;  // for each file: it has no header, and is to be made anew
};

/// Reads every file of the log of a store with these rows. A group may stand in two files, after a
/// recovery that was cut off: any good copy counts. A good group behind a hole is damage: what came
/// before it was acknowledged and is gone. So is a file that must be there, and is not or has no
/// header, when the store was not closed in order. Errors: those of the system.
Result<RecoveredLog> recover_log(const std::string& directory, const OwnRows& rows);

}  // namespace parley::lmdb
