// lmdb/lmdb_store.hpp: opens the store with hooks, for tests; everybody else uses the public
// header.
#pragma once
#include <memory>

#include "lmdb/folder.hpp"
#include "parley/lmdb_store.hpp"

namespace parley::lmdb {

Result<std::unique_ptr<Store>> open_store(const LmdbStoreOptions& options, Hooks hooks = {},
                                          const LogTuning& tuning = {});

/// Gives a store that is not open another incarnation: after it was restored from a backup.
Result<void> mark_restored(const std::string& path);
/// The same, and gives up what is damaged or lost in its log, with everything behind that.
Result<void> cut_log(const std::string& path);

}  // namespace parley::lmdb
