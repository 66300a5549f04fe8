// lmdb/check.cpp: see the header.
#include "lmdb/check.hpp"

#include <unistd.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/hex.hpp"
#include "lmdb/check_layout.hpp"
#include "lmdb/directory.hpp"
#include "lmdb/keys.hpp"
#include "lmdb/memory_tail.hpp"
#include "lmdb/recovery.hpp"

namespace parley::lmdb {
namespace {

constexpr int exit_sound = 0, exit_damaged = 3, exit_newer = 4;
constexpr std::size_t most_lines = 100;

/// Lines to the parent; written at once, for the next page may end the process.
class Lines {
 public:
  explicit Lines(int output) : output_(output) {}
  void write(const std::string& line) {
    const std::string text = line + "\n";
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t put = ::write(output_, text.data() + at, text.size() - at);
      if (put <= 0) return;
      at += static_cast<std::size_t>(put);
    }
  }
  void problem(const std::string& line) {
    if (++problems_ <= most_lines) write("damaged: " + line);
    if (problems_ == most_lines) write("damaged: (more of this is not listed)");
  }
  [[nodiscard]] std::size_t problems() const noexcept { return problems_; }

 private:
  int output_;
  std::size_t problems_ = 0;
};

std::string name_of(const Partition& partition) {
  return "partition " + std::to_string(partition.space) + ":" + base::to_hex(partition.id);
}

/// One walk over everything, in key order: guards, rows, the store's own rows; as the log in front
/// of LMDB makes them look.
class Walker {
 public:
  Walker(Lines& lines, const OwnRows& rows, const RecoveredLog& log)
      : lines_(lines),
        rows_read_(rows),
        feed_(log.groups.empty() ? rows.feed : log.groups.back()->feed()),
        layout_([&lines](const Partition& partition, const std::string& what) {
          lines.problem(name_of(partition) + ": " + what);
        }) {
    MemoryTail tail;
    for (const auto& group : log.groups) tail.add(group);
    if (tail.empty()) return;
    (void)tail.for_each_key([this](Bytes key, const std::optional<Bytes>& value) {
      newer_.emplace(key, value ? std::optional<std::string>(*value) : std::nullopt);
      return 0;
    });
  }

  void walk(MDB_txn* txn) {
    MDB_cursor* cursor = nullptr;
    int code = mdb_cursor_open(txn, main_dbi, &cursor);
    MDB_val key{}, stored{};
    std::string before;
    if (code == 0) code = mdb_cursor_get(cursor, &key, &stored, MDB_FIRST);
    while (code == 0) {
      const Bytes bytes = to_bytes(key);
      if (!before.empty() && bytes <= before) {
        lines_.problem("keys out of order after " + base::to_hex(before));
        break;  // a damaged tree may go round in circles
      }
      before.assign(bytes);
      visit_newer(bytes);
      visit_stored(bytes, stored);
      code = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
    }
    if (code != 0 && code != MDB_NOTFOUND)
      lines_.problem(std::string("the walk ended: ") + mdb_strerror(code));
    if (cursor != nullptr) mdb_cursor_close(cursor);
    visit_newer(std::string(512, '\xff'));
    finish();
  }

 private:
  /// What the log has before this key.
  void visit_newer(Bytes key) {
    while (!newer_.empty() && newer_.begin()->first < key) {
      const auto next = newer_.extract(newer_.begin());
      if (next.mapped()) visit(next.key(), *next.mapped());
    }
  }

  void visit_stored(Bytes key, const MDB_val& stored) {
    const auto value = open_value(key, stored);
    if (!value) lines_.problem("checksum of key " + base::to_hex(key));
    const auto newer = newer_.find(std::string(key));
    if (newer == newer_.end()) {
      if (value) visit(key, *value);
      return;
    }
    if (newer->second) visit(key, *newer->second);
    newer_.erase(newer);
  }

  void visit(Bytes key, Bytes value) {
    bytes_ += key.size() + value.size();
    switch (static_cast<std::uint8_t>(key[0])) {
      case guard_kind:
        return guard(key, value);
      case row_kind:
        return row(key, value);
      case own_kind:
        return own(key, value);
      default:
        lines_.problem("a key of an unknown kind: " + base::to_hex(key));
    }
  }

  void guard(Bytes key, Bytes value) {
    const auto parsed = parse_key(key);
    if (!parsed || !parsed->rest.empty() || value.empty() || value.size() > 256)
      return lines_.problem("a malformed guard: " + base::to_hex(key));
    partitions_.emplace(key.substr(1));
    layout_.guard(parsed->partition, value);
  }

  void row(Bytes key, Bytes value) {
    const auto parsed = parse_key(key);
    if (!parsed || parsed->rest.empty() || parsed->rest.size() > 128)
      return lines_.problem("a malformed row: " + base::to_hex(key));
    ++rows_;
    const Bytes name = key.substr(1, 2 + parsed->partition.id.size());
    if (name != current_) {
      current_.assign(name);
      if (!partitions_.contains(current_))
        lines_.problem(name_of(parsed->partition) + ": rows without a guard");
    }
    layout_.row(parsed->partition, parsed->rest, value);
  }

  void own(Bytes key, Bytes value) {
    if (key.size() != 10 || key[1] != static_cast<char>(OwnRow::entry)) return;
    const std::uint64_t number = base::get_be64(key.data() + 2);
    if (number <= feed_.through) return;  // forgotten, and still to be erased
    if (last_entry_ != 0 && number != last_entry_ + 1)
      lines_.problem("change entries between " + std::to_string(last_entry_) + " and " +
                     std::to_string(number) + " are missing");
    last_entry_ = number;
    ++entries_;
    if (value.size() < 3 || value.size() < 2U + static_cast<std::uint8_t>(value[1]))
      lines_.problem("a malformed change entry " + std::to_string(number));
  }

  void finish() {
    layout_.finish();
    lines_.write("format " + std::to_string(rows_read_.format.written) + ", written by Parley " +
                 rows_read_.format.version);
    lines_.write(rows_read_.identity.clean ? "closed in order"
                                           : "not closed in order (this is no damage)");
    if (last_entry_ != 0 && last_entry_ != feed_.last)
      lines_.problem("the change feed ends at " + std::to_string(last_entry_) + " instead of " +
                     std::to_string(feed_.last));
    lines_.write(std::to_string(partitions_.size()) + " partitions, " + std::to_string(rows_) +
                 " rows, " + std::to_string(layout_.events()) + " events, " +
                 std::to_string(entries_) + " change entries, " + std::to_string(bytes_) +
                 " bytes");
  }

  Lines& lines_;
  const OwnRows& rows_read_;
  const FeedState feed_;
  LayoutCheck layout_;
  std::map<std::string, std::optional<std::string>, std::less<>> newer_;  // what the log has
  std::set<std::string, std::less<>> partitions_;                         // space, id length, id
  std::string current_;
  std::uint64_t rows_ = 0, entries_ = 0, bytes_ = 0, last_entry_ = 0;
};

/// In the child.
int check_here(const std::string& path, int output) {
  Lines lines(output);
  const auto size = base::file_size(path + "/" + data_file);
  if (!size) {
    lines.problem(size.error().message);
    return exit_damaged;
  }
  const std::size_t map = (static_cast<std::size_t>(*size) / 65'536 + 16) * 65'536;
  auto env = Env::open(path, map, Env::Access::check);
  if (!env) {
    lines.problem(env.error().message);
    return exit_damaged;
  }
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin((*env)->get(), nullptr, MDB_RDONLY, &txn);
  MDB_dbi dbi = 0;
  if (code == 0) code = mdb_dbi_open(txn, nullptr, 0, &dbi);
  if (code != 0) {
    lines.problem(std::string("cannot begin to read: ") + mdb_strerror(code));
    return exit_damaged;
  }
  const auto rows = read_own_rows(txn);
  if (!rows && rows.error().errc() == Errc::store_format) {
    lines.write(rows.error().message);
    return exit_newer;
  }
  if (!rows) {
    lines.problem(rows.error().message);
    return exit_damaged;
  }
  const auto log = recover_log(path, *rows);
  if (!log) {
    lines.problem(log.error().message);
    return exit_damaged;
  }
  if (!log->damage.empty()) lines.problem(log->damage);
  lines.write("log: " + std::to_string(log->paths.size()) + " files, " +
              std::to_string(log->groups.size()) + " groups that are not folded yet");
  Walker(lines, *rows, *log).walk(txn);
  return lines.problems() == 0 ? exit_sound : exit_damaged;
}

}  // namespace

Result<CheckReport> check_directory(const std::string& path) {
  auto directory = open_directory(path, {}, false);
  if (!directory) {
    if (directory.error().errc() != Errc::store_corrupt) return std::move(directory).error();
    return CheckReport{false, "damaged: " + directory.error().message + "\n"};
  }
  auto outcome = base::run_in_child([&](int output) { return check_here(path, output); });
  if (!outcome) return std::move(outcome).error();
  if (outcome->signal == 0 && outcome->exit_code == exit_newer)
    return Error{Errc::store_format, outcome->output.substr(0, outcome->output.find('\n'))};
  CheckReport report{outcome->signal == 0 && outcome->exit_code == exit_sound,
                     std::move(outcome->output)};
  if (outcome->signal != 0)
    report.text += "damaged: reading it ended the child process with signal " +
                   std::to_string(outcome->signal) + "\n";
  else if (!report.sound && outcome->exit_code != exit_damaged)
    report.text += "damaged: reading it ended the child process with code " +
                   std::to_string(outcome->exit_code) + "\n";
  return report;
}

}  // namespace parley::lmdb
