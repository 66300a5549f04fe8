// lmdb/check.hpp: verifies a store's directory in a child process, because a damaged file may crash
// its reader.
#pragma once
#include <cstdint>
#include <string>

#include "parley/result.hpp"

namespace parley::lmdb {

struct CheckReport {
  bool sound = false;
  std::string text;  // lines for a person: what was found, then what is wrong
};

/// Walks the whole store: order and shape of every key, checksum of every value, a guard for every
/// row's partition, the feed's numbers, and the engine's own tables (event envelopes, density,
/// marks). The store must not be open: store_locked. Nothing is changed. An error means that it
/// could not be checked. Thread: any; blocks.
Result<CheckReport> check_directory(const std::string& path);

}  // namespace parley::lmdb
