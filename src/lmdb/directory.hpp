// lmdb/directory.hpp: the store's directory: locked, checked, created whole or not at all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/os_file.hpp"
#include "lmdb/own_rows.hpp"

namespace parley::lmdb {

inline constexpr const char* data_file = "data.mdb";
inline constexpr const char* log_prefix = "log-";  // log-0, log-1 ...
inline constexpr const char* unfinished_log_file = "log-new";

/// A directory that nobody else has open. Closing the descriptor lets go of it.
struct Directory {
  std::string path;
  base::Descriptor lock;
};

/// Locks the directory, making it first when it is absent. With `create`, an empty one gets a
/// database with the first rows: written beside, synced, then renamed into place, because a
/// half-written LMDB file can never be opened again. Errors as lmdb_store() says.
Result<Directory> open_directory(const std::string& path, const Incarnation& fresh, bool create);

/// Reads the file's header without mapping it: a damaged or truncated file must not be mapped,
/// because touching a missing page ends the process.
Result<void> check_header(const std::string& file);

}  // namespace parley::lmdb
