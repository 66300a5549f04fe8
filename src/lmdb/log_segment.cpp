// lmdb/log_segment.cpp: see the header.
#include "lmdb/log_segment.hpp"

#include <algorithm>
#include <utility>

#include "base/os.hpp"
#include "lmdb/directory.hpp"

namespace parley::lmdb {
namespace {

constexpr std::uint64_t no_lsn = ~std::uint64_t{0};

}  // namespace

Result<LogSegment> LogSegment::create(const std::string& path, std::size_t size,
                                      const Incarnation& incarnation) {
  const std::string directory = base::parent_directory(path);
  const std::string unfinished = directory + "/" + unfinished_log_file;
  SegmentHeader header{.size = size, .incarnation = incarnation, .first_lsn = no_lsn};
  if (auto drawn = base::random_bytes(&header.salt, sizeof header.salt); !drawn)
    return std::move(drawn).error();
  auto file = base::create_zeroed(unfinished, size);
  if (!file) return std::move(file).error();
  int code = base::write_at(file->get(), 0, encode_segment_header(header));
  if (code == 0) code = base::sync_data(file->get());
  if (code != 0) return to_error("cannot write " + unfinished, code);
  if (auto named = base::rename_file(unfinished, path); !named) return std::move(named).error();
  if (auto synced = base::sync_path(directory); !synced) return std::move(synced).error();
  return LogSegment(std::move(*file), size);
}

Result<LogSegment> LogSegment::open(std::string path) {
  const auto size = base::file_size(path);
  if (!size) return size.error();
  auto file = base::open_file(path);
  if (!file) return std::move(file).error();
  return LogSegment(std::move(*file), *size);
}

int LogSegment::begin(SegmentHeader header) noexcept {
  header.size = size_;
  header_ = header;
  next_ = log_block;
  return base::write_at(file_.get(), 0, encode_segment_header(header));
}

int LogSegment::write(LogGroup& group) noexcept {
  const Bytes bytes = group.seal(header_.salt);
  if (const int code = base::write_at(file_.get(), next_, bytes); code != 0) return code;
  next_ += bytes.size();
  last_lsn_ = group.lsn();
  return 0;
}

Result<SegmentContents> read_segment(const std::string& path, const Incarnation& incarnation) {
  SegmentContents contents;
  const auto found = base::file_size(path);
  if (!found) return found.error();
  std::string block(log_block, '\0');
  if (*found >= log_block) {
    const auto read = base::read_at(path, 0, block.data(), block.size());
    if (!read) return read.error();
  }
  if (std::all_of(block.begin(), block.end(), [](char c) { return c == 0; })) return contents;
  const auto header = decode_segment_header(block);
  if (!header || *found < header->size) {
    contents.state = SegmentContents::State::damaged;
    return contents;
  }
  contents.header = *header;
  contents.state = SegmentContents::State::foreign;
  if (header->incarnation != incarnation) return contents;
  contents.state = SegmentContents::State::used;
  const std::size_t bytes = *found / log_block * log_block;
  const auto memory = std::make_shared_for_overwrite<char[]>(bytes);
  const auto read = base::read_at(path, 0, memory.get(), bytes);
  if (!read) return read.error();
  // After a bad block every later one is looked at: a good group there tells of damage.
  for (std::size_t at = log_block; at < bytes;) {
    auto group =
        LogGroup::parse(memory, memory.get() + at, bytes - at, header->salt, header->first_lsn);
    at += group ? group->size() : log_block;
    if (group) contents.groups.push_back(std::move(group));
  }
  return contents;
}

}  // namespace parley::lmdb
