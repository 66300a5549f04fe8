// parley/lmdb_store.hpp: the embedded durable store, one directory on a local disk: a log, and LMDB
// behind it. Links parley::lmdb.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "parley/store.hpp"

namespace parley::inline v0 {

/// Where get() and scan() touch the disk.
enum class LmdbReads : std::uint8_t {
  adaptive,  // on the calling thread while they are fast; by two reader threads when one was not
  caller,    // always on the calling thread (facts().blocking_reads is true then)
  pool,      // always by the reader threads: for a host whose one thread must never wait
};

struct LmdbStoreOptions {
  /// The directory; created (mode 0700) when absent or empty. Not on a network file system.
  std::string path = {};
  LmdbReads reads = LmdbReads::adaptive;
  /// Bytes of address space at first; doubled when used up. Rounded up to whole pages.
  std::size_t map_size = std::size_t{1} << 30;
  /// Bytes the data may take, free pages included; beyond them a growing commit is `failed` with
  /// disk_full. Deletions have 64 MiB more. At least map_size. The log beside it takes 4 MiB, under
  /// load some 40.
  std::size_t max_size = std::size_t{1} << 38;
  /// Bytes of unread change entries; beyond them the oldest go and readers are told `trimmed`.
  std::size_t feed_limit = std::size_t{1} << 30;
  /// Bytes of commits waiting for the disk; beyond them a commit is `failed` with busy. At most
  /// 32 MiB are in the log and in memory beside those, until they are in LMDB.
  std::size_t queue_limit = std::size_t{64} << 20;
  /// Run first and last on each thread of the store (at most five). May be empty.
  std::function<void()> thread_start = {};
  std::function<void()> thread_stop = {};
};

/// An opener of the store in that directory. Errors: store_locked (open elsewhere, or here
/// already), store_format (written by a newer version, named in the message), store_corrupt
/// (also when the log lost something that was acknowledged), store_failed and disk_full (the
/// system's answer is in the message), invalid_argument. Commits complete on the store's writer
/// thread, reads on the calling or a reader thread. All signals are blocked on the store's threads;
/// its descriptors close on exec; after a fork every call in the child answers `forked`. Thread:
/// any.
[[nodiscard]] StoreOpener lmdb_store(LmdbStoreOptions options);

}  // namespace parley::inline v0
