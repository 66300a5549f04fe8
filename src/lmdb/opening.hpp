// lmdb/opening.hpp: from a directory to a store that can serve: locked, recovered, taken over.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "lmdb/directory.hpp"
#include "lmdb/folder.hpp"
#include "lmdb/recovery.hpp"

namespace parley::lmdb {

struct OpenedStore {
  Directory directory;
  std::unique_ptr<Env> env;
  std::unique_ptr<LogRing> ring;
  Incarnation incarnation{};
  FeedState feed;                                 // behind the last group
  std::uint64_t folded = 0;                       // LSN of the last group in LMDB
  std::vector<std::shared_ptr<LogGroup>> groups;  // those behind it, safe in a new segment
  [[nodiscard]] std::uint64_t lsn() const noexcept { return folded + groups.size(); }
};

struct OpeningOptions {
  std::string path;
  std::size_t map_size = 0, segment_size = 0;
  bool create = false;
  bool cut = false;    // go on without what is damaged or lost in the log
  bool renew = false;  // another incarnation in any case
};

/// Opens, recovers and takes over. A directory without a log is given one. Errors as lmdb_store()
/// says; store_corrupt when the log lost something acknowledged.
Result<OpenedStore> open_recovered(const OpeningOptions& options);

}  // namespace parley::lmdb
