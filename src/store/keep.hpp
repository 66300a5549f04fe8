// store/keep.hpp: makes a request outlive the call that brought it.
#pragma once
#include "parley/store.hpp"

namespace parley::store {

/// The request itself when it has an owner; else a copy with an owner of its own.
[[nodiscard]] Batch keep(Batch batch);
[[nodiscard]] Get keep(Get get);
[[nodiscard]] Scan keep(Scan scan);

}  // namespace parley::store
