// lmdb/recovery.cpp: see the header.
#include "lmdb/recovery.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "lmdb/directory.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t most_files = 1000;

struct Copy {
  std::shared_ptr<LogGroup> group;
  std::size_t file = 0;
};

void note(std::string& damage, const std::string& what) {
  damage += (damage.empty() ? "" : "; ") + what;
}

/// One more than the greatest number in a name.
Result<std::size_t> count_files(const std::string& directory) {
  const auto names = base::directory_entries(directory);
  if (!names) return names.error();
  std::size_t count = 0;
  for (const Bytes name : *names) {
    std::size_t number = 0;
    if (!name.starts_with(log_prefix)) continue;
    const Bytes digits = name.substr(Bytes(log_prefix).size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size() && number < most_files)
      count = std::max(count, number + 1);
  }
  return count;
}

}  // namespace

Result<RecoveredLog> recover_log(const std::string& directory, const OwnRows& rows) {
  using State = SegmentContents::State;
  const std::uint64_t folded = rows.folded;
  const bool needed = rows.format.written > 1 && !rows.identity.clean;
  const std::size_t least = needed ? std::min<std::uint64_t>(rows.log_files, most_files) : 0;
  RecoveredLog log;
  std::map<std::uint64_t, Copy> copies;  // by LSN, above `folded`
  const auto files = count_files(directory);
  if (!files) return files.error();
  for (std::size_t file = 0; file < std::max(*files, least); ++file) {
    const std::string path = directory + "/" + log_prefix + std::to_string(file);
    SegmentContents contents{.state = State::damaged};
    if (base::path_kind(path) == base::PathKind::file) {
      auto read = read_segment(path, rows.incarnation);
      if (!read) return std::move(read).error();
      contents = std::move(*read);
    }
    const bool empty = contents.state == State::empty;
    if (contents.state == State::damaged || (empty && least != 0))
      note(log.damage, path + (empty ? " was emptied" : " is missing or damaged"));
    log.number = std::max(log.number, contents.header.number);
    log.useless.push_back(empty || contents.state == State::damaged);
    for (auto& group : contents.groups) {
      const std::uint64_t lsn = group->lsn();
      if (lsn > folded) copies.try_emplace(lsn, Copy{std::move(group), file});
    }
    log.paths.push_back(path);
    log.last_lsns.push_back(0);
  }
  const bool any = std::count(log.useless.begin(), log.useless.end(), false) != 0;
  if (needed && log.damage.empty() && (log.paths.empty() || (folded != 0 && !any)))
    note(log.damage, "the files of the log are gone or were emptied");
  std::uint64_t next = folded + 1;
  for (auto at = copies.begin(); at != copies.end() && at->first == next; ++at, ++next) {
    log.last_lsns[at->second.file] = next;
    log.groups.push_back(std::move(at->second.group));
  }
  if (const auto beyond = copies.lower_bound(next); beyond != copies.end())
    note(log.damage, "the log has group " + std::to_string(beyond->first) + " but not group " +
                         std::to_string(next) + " before it");
  return log;
}

}  // namespace parley::lmdb
