// lmdb/opening.cpp: see the header.
#include "lmdb/opening.hpp"

#include <algorithm>
#include <utility>

#include "base/os.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t least_files = 2;  // so that a full disk can wait for a fold

Result<Incarnation> draw_incarnation() {
  Incarnation drawn{};
  if (auto got = base::random_bytes(drawn.data(), drawn.size()); !got)
    return std::move(got).error();
  return drawn;
}

/// The files of the log, opened; those without a header are made anew.
Result<std::vector<LogSegment>> open_segments(const RecoveredLog& log, std::size_t size,
                                              const Incarnation& incarnation) {
  std::vector<LogSegment> segments;
  for (std::size_t i = 0; i < log.paths.size(); ++i) {
    auto segment = log.useless[i] ? LogSegment::create(log.paths[i], size, incarnation)
                                  : LogSegment::open(log.paths[i]);
    if (!segment) return std::move(segment).error();
    segment->set_last_lsn(log.last_lsns[i]);
    segments.push_back(std::move(*segment));
  }
  return segments;
}

/// A flush that failed may have left in the page cache what the disk does not have: what was found
/// is written once more, to other places, and flushed.
Result<void> write_again(LogRing& ring, const std::vector<std::shared_ptr<LogGroup>>& groups) {
  for (const auto& group : groups) {
    const auto room = ring.make_room(*group);
    if (!room) return room.error();
    if (*room != LogRing::Room::there)
      return Error{Errc::disk_full, "the disk has no room to recover the log"};
    if (const int code = ring.write(*group); code != 0)
      return to_error("cannot write the log", code);
  }
  if (const int code = ring.flush(); code != 0) return to_error("cannot flush the log", code);
  return {};
}

}  // namespace

Result<OpenedStore> open_recovered(const OpeningOptions& options) {
  const auto fresh = draw_incarnation();
  if (!fresh) return fresh.error();
  auto directory = open_directory(options.path, *fresh, options.create);
  if (!directory) return std::move(directory).error();
  const auto size = base::file_size(options.path + "/" + data_file);
  if (!size) return size.error();
  std::size_t map_size = options.map_size;
  while (map_size < *size + 16 * 65'536) map_size *= 2;
  auto env = Env::open(options.path, map_size, Env::Access::write);
  if (!env) return std::move(env).error();
  const auto rows = read_own_rows(**env);
  if (!rows) return rows.error();
  const auto file = base::file_identity((*env)->descriptor());
  if (!file) return file.error();

  auto log = recover_log(options.path, *rows);
  if (!log) return std::move(log).error();
  if (!log->damage.empty() && !options.cut)
    return Error{Errc::store_corrupt, options.path + ": " + log->damage +
                                          ". Restore a backup, or give up what is lost with "
                                          "parley-check --cut"};
  const bool copied = rows->identity.file != *file && !rows->identity.clean;
  const bool renewed = copied || options.renew || options.cut;

  OpenedStore opened;
  opened.incarnation = renewed ? *fresh : rows->incarnation;
  auto segments = open_segments(*log, options.segment_size, opened.incarnation);
  if (!segments) return std::move(segments).error();
  opened.ring = std::make_unique<LogRing>(
      LogRing::Place{options.path, options.segment_size, opened.incarnation}, std::move(*segments),
      log->number, rows->folded);
  if (auto made = opened.ring->make_files(least_files); !made) return std::move(made).error();
  // Only then LMDB's rows: until they are taken over, the old files are the log.
  if (auto written = write_again(*opened.ring, log->groups); !written)
    return std::move(written).error();
  if (auto taken = take_over(**env, *rows, opened.incarnation, opened.ring->files()); !taken)
    return std::move(taken).error();
  opened.directory = std::move(*directory);
  opened.env = std::move(*env);
  opened.feed = log->groups.empty() ? rows->feed : log->groups.back()->feed();
  opened.folded = rows->folded;
  opened.groups = std::move(log->groups);
  return opened;
}

}  // namespace parley::lmdb
