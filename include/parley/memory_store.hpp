// parley/memory_store.hpp: the store that keeps everything in memory; the default of an engine.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "parley/store.hpp"

namespace parley::inline v0 {

struct MemoryStoreOptions {
  /// Bytes of ids, guards, keys and values (the containers around them cost as much again for
  /// small rows). Beyond it a growing commit is `failed` with disk_full; erasing still works.
  std::size_t capacity = std::size_t{1024} * 1024 * 1024;
  /// Bytes of unread change entries; the oldest are dropped beyond it and readers told `trimmed`.
  std::size_t feed_limit = std::size_t{64} * 1024 * 1024;
  /// facts().incarnation; all zero: a random one. A fixed one makes a run repeatable.
  std::array<std::uint8_t, 16> incarnation{};
};

/// An opener of empty stores: each call of it makes a fresh one. Nothing survives close().
/// Completions run inside the call, on the calling thread, with no lock held. Thread: any.
[[nodiscard]] StoreOpener memory_store(MemoryStoreOptions options = {});

}  // namespace parley::inline v0
