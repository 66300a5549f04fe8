#include "row_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <stdexcept>

namespace parley::bench {
namespace {

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

/// What the disk can do at best: one write and one fdatasync a commit. Behind one another in a file
/// that grows, or over and over in a file that was written before, which spares the file system
/// its journal.
class RawFile final : public RowStore {
 public:
  RawFile(const std::string& directory, bool grows)
      : grows_(grows),
        file_(open((directory + "/raw").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600)) {
    must(file_ >= 0, "raw file: open");
    if (grows) return;
    const std::string zeroes(reused, '\0');
    must(pwrite(file_, zeroes.data(), zeroes.size(), 0) == reused && fsync(file_) == 0,
         "raw file: fill");
  }
  ~RawFile() override { close(file_); }
  void commit(const std::vector<RowToWrite>& rows) override {
    bytes_.clear();
    for (const RowToWrite& row : rows) bytes_.append(row.key).append(row.value);
    const auto size = static_cast<off_t>(bytes_.size());
    if (!grows_ && at_ + size > reused) at_ = 0;
    must(pwrite(file_, bytes_.data(), bytes_.size(), at_) == size, "raw file: write");
    must(fdatasync(file_) == 0, "raw file: fdatasync");
    at_ += grows_ ? size : (size + 4095) / 4096 * 4096;
  }
  int before(std::string_view, int, std::string&) override { return 0; }

 private:
  static constexpr off_t reused = off_t{4} << 20;
  bool grows_;
  int file_;
  off_t at_ = 0;
  std::string bytes_;
};

/// What memory can do at best: the values of a conversation behind one another, copied at once.
class Copies final : public RowStore {
 public:
  void commit(const std::vector<RowToWrite>& rows) override {
    for (const RowToWrite& row : rows) {
      if (row.key.size() != event_key(0, 0).size() || row.key[16] != 'e') continue;
      std::string& all = events_[row.key.substr(0, 16)];
      size_ = row.value.size();
      all += row.value;
    }
  }
  int before(std::string_view end, int count, std::string& values) override {
    const std::string& all = events_[std::string(end.substr(0, 16))];
    const std::size_t bytes = std::min(all.size(), size_ * static_cast<std::size_t>(count));
    values.append(all, all.size() - bytes);
    return static_cast<int>(bytes / size_);
  }

 private:
  std::size_t size_ = 1;
  std::map<std::string, std::string> events_;
};

void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

std::string conversation_key(std::uint64_t conversation) {
  std::uint64_t mixed = (conversation + 1) * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  std::string out;
  append_number(out, mixed);
  append_number(out, conversation);
  return out;
}

}  // namespace

std::unique_ptr<RowStore> open_row_store(const std::string& name, const std::string& directory,
                                         bool durable) {
  std::filesystem::create_directories(directory);
  if (name == "raw" || name == "overwrite")
    return std::make_unique<RawFile>(directory, name == "raw");
  if (name == "copies") return std::make_unique<Copies>();
  if (name == "lmdb") return open_lmdb_rows(directory, durable);
#ifdef PARLEY_BENCH_SQLITE
  if (name == "sqlite") return open_sqlite_rows(directory, durable);
#endif
#ifdef PARLEY_BENCH_ROCKSDB
  if (name == "rocksdb") return open_rocksdb_rows(directory, durable);
#endif
  throw Missing{name + " was not found when the benchmarks were built"};
}

std::string event_key(std::uint64_t conversation, std::uint64_t seq) {
  std::string out = conversation_key(conversation) + 'e';
  append_number(out, seq);
  return out;
}

std::vector<RowToWrite> MessageRows::of(std::uint64_t conversation, std::uint64_t seq) const {
  std::vector<RowToWrite> out;
  for (const RowToWrite& row : fixed)
    out.push_back({conversation_key(conversation) + row.key, row.value});
  out.push_back({event_key(conversation, seq), event});
  for (RowToWrite& row : out) {  // no two values are the same
    for (std::size_t i = 0; i < std::min<std::size_t>(8, row.value.size()); ++i)
      row.value[i] = static_cast<char>(seq >> 8 * i);
  }
  return out;
}

}  // namespace parley::bench
