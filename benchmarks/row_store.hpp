// row_store.hpp: the stores that Parley's is compared with, behind the little that a benchmark
// needs of one.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

struct RowToWrite {
  std::string key, value;
};

/// Rows ordered by key. Calls come from one thread.
class RowStore {
 public:
  virtual ~RowStore() = default;
  /// Inserts or replaces in one step; returns when it is durable, if the store was opened so.
  virtual void commit(const std::vector<RowToWrite>& rows) = 0;
  /// Appends copies of the values of the `count` rows before `end`, the last first; how many.
  virtual int before(std::string_view end, int count, std::string& values) = 0;
};
/// `name`: raw or overwrite (a file that grows or not; no reads, always durable), copies (in
/// memory), lmdb, rocksdb or sqlite. Throws Missing when it was not built in.
std::unique_ptr<RowStore> open_row_store(const std::string& name, const std::string& directory,
                                         bool durable);
struct Missing {
  std::string what;
};

std::unique_ptr<RowStore> open_lmdb_rows(const std::string& directory, bool durable);
std::unique_ptr<RowStore> open_rocksdb_rows(const std::string& directory, bool durable);
std::unique_ptr<RowStore> open_sqlite_rows(const std::string& directory, bool durable);

/// What the engine writes for one message of a body, as its store is given it.
struct MessageRows {
  std::string event;              // new with each message
  std::vector<RowToWrite> fixed;  // replaced by each: the head cell (its key is empty) and others
  /// The rows of message `seq` of a conversation, with keys as long as the engine's.
  [[nodiscard]] std::vector<RowToWrite> of(std::uint64_t conversation, std::uint64_t seq) const;
};
MessageRows rows_of_a_message(std::size_t body_size);
/// Its key; conversations are spread over the whole range.
std::string event_key(std::uint64_t conversation, std::uint64_t seq);

}  // namespace parley::bench
