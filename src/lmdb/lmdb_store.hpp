// lmdb/lmdb_store.hpp: opens the store with hooks, for tests; everybody else uses the public
// header.
#pragma once
#include <memory>

#include "lmdb/hooks.hpp"
#include "parley/lmdb_store.hpp"

namespace parley::lmdb {

Result<std::unique_ptr<Store>> open_store(const LmdbStoreOptions& options, Hooks hooks = {});

/// Gives a store that is not open another incarnation: after it was restored from a backup.
Result<void> mark_restored(const std::string& path);

}  // namespace parley::lmdb
