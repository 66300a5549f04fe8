// tests/lmdb/log_groups.hpp: groups of the log, for tests of what handles them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "lmdb/log_format.hpp"
#include "store/store_probe.hpp"

namespace log_groups {

using parley::testing::Draft;

/// A finished group of these batches.
inline std::shared_ptr<parley::lmdb::LogGroup> make(std::uint64_t lsn,
                                                    const std::vector<Draft>& drafts,
                                                    parley::lmdb::FeedState feed = {}) {
  using parley::lmdb::LogGroup;
  std::size_t bytes = 0;
  for (const Draft& draft : drafts) bytes += LogGroup::encoded_size(draft.batch());
  auto group = std::make_shared<LogGroup>(bytes);
  for (const Draft& draft : drafts) {
    group->add(draft.batch());
    if (!draft.note.empty()) ++feed.last;
  }
  group->finish(lsn, feed);
  return group;
}

/// Group n puts row "n" of partition "p" and makes "g<n>" its guard.
inline std::shared_ptr<parley::lmdb::LogGroup> numbered(std::uint64_t lsn) {
  const std::string number = std::to_string(lsn);
  return make(lsn, {{.guard = "g" + number, .puts = {{number, "v" + number}}}});
}

}  // namespace log_groups
