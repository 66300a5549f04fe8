// parley/store.hpp: where conversations live. Derive from Store to put them anywhere.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/payload.hpp"  // Bytes, Owner
#include "parley/result.hpp"

namespace parley::inline v0 {

/// A guard plus rows ordered by key: the unit of atomicity, order and placement. The guard is one
/// small value that every commit compares and replaces; none ever returns in the same partition.
struct Partition {
  std::uint8_t space = 0;  // conversation, archive, receipts ...: docs/design/storage_layout.md
  Bytes id{};              // 1..32 bytes
};
struct Row {
  Bytes key{};    // 1..128 bytes
  Bytes value{};  // 0..facts().max_value bytes; an empty value is not an absent one
};

/// One atomic step of one partition. A key occurs once at most in puts and erases together.
struct Batch {
  Partition partition{};
  std::optional<Bytes> expect{};  // the guard the caller knows; none: the partition must not exist
  std::optional<Bytes> guard{};   // 1..256 bytes; none: ends a partition whose rows are all erased
  std::vector<Row> puts{};        // insert or replace
  std::vector<Bytes> erases{};    // erasing what is absent is no error
  Bytes note{};                   // <= 64 bytes; not empty: the commit is announced by changes()
  Owner owner{};                  // held until the completion has run
};
enum class Verdict : std::uint8_t {
  done,     // durable at facts().durability and seen by every `latest` read that starts from now on
  refused,  // the guard differed: nothing written, and this attempt can never take effect
  failed,   // nothing written, and never will be; `error` says why and whether a retry may help
  unknown,  // may have taken effect, or may within 30 s: "Resolving unknown" in the layout page
};
struct Committed {
  Verdict verdict = Verdict::unknown;
  std::optional<Bytes> found{};  // when refused: the guard that stood there, if the store can tell
  Error error{};
  Owner owner{};
};

enum class Freshness : std::uint8_t {
  latest,   // reflects every commit that was done, at the declared durability, before the call
  relaxed,  // may lag (a replica), never mixes: see Rows::guard
};
struct Get {
  struct Cell {
    Partition partition{};
    Bytes key{};  // empty: the guard
  };
  std::vector<Cell> cells{};  // of any partitions, up to 4,096; no common instant is promised
  Freshness freshness = Freshness::latest;
  Owner owner{};
};
struct Cells {
  std::vector<std::optional<Bytes>> values{};  // in the order asked
  Owner owner{};
};
struct Scan {
  Partition partition{};
  Bytes from{}, to{};    // half open; an empty `to` is the end of the partition
  bool reverse = false;  // from the end of the range towards its begin
  std::uint32_t max_rows = 256, max_bytes = 256 * 1024;  // at least one row if there is one
  Freshness freshness = Freshness::latest;
  Owner owner{};
};
struct Rows {
  std::optional<Bytes> guard{};  // not newer than the rows: what it vouches for is not missing here
  std::vector<Row> rows{};       // one instant for one call, none across calls
  bool more = false;
  Owner owner{};  // one immutable block, values 8-aligned: slices of it may be sent without copying
};
struct Listed {
  std::vector<Row>
      partitions{};  // key: id, value: guard; what comes or goes meanwhile may be missed
  Bytes next{};      // empty: that was all
  Owner owner{};
};
struct Changes {
  struct Entry {
    Partition partition{};
    Bytes note{};
  };
  std::vector<Entry> entries{};
  Bytes next{};          // <= 200 bytes; keep it, and pass it as `after`
  bool trimmed = false;  // entries before the first one here are gone: rebuild from list()
  Owner owner{};
};
struct StoreFacts {
  enum class Durability : std::uint8_t { memory, local, quorum } durability{};
  std::array<std::uint8_t, 16> incarnation{};  // differs from last time: history may have gone back
  std::size_t max_value = 320 * 1024;          // these three are also the least a store may offer
  std::size_t max_batch_bytes = 1024 * 1024;
  std::size_t max_batch_rows = 4096;
  bool shared = false;          // several processes may have it open
  bool blocking_reads = false;  // get and scan may wait for a disk on the calling thread
};

/// Views in arguments are valid as long as the `owner` beside them, or for the call when there is
/// none; views in answers as long as the answer's owner.
/// Thread: any. A completion runs exactly once, on any thread, perhaps before the call returns; it
/// only hands over. After close(), or an I/O error until the store is reopened, every call fails.
class Store {
 public:
  template <class T>
  using Done = std::function<void(T)>;

  virtual ~Store() = default;  // once close() has completed
  [[nodiscard]] virtual const StoreFacts& facts() const noexcept = 0;
  virtual void commit(Batch batch, Done<Committed> done) = 0;  // a store groups what is waiting
  virtual void get(Get get, Done<Result<Cells>> done) = 0;
  virtual void scan(Scan scan, Done<Result<Rows>> done) = 0;
  /// Every partition of a space, in the store's own order: export, repair, rebuild, migration.
  virtual void list(std::uint8_t space, Bytes after, std::uint32_t max,
                    Done<Result<Listed>> done) = 0;
  /// Announced commits: each at least once, in commit order within a partition; nothing is ever
  /// inserted before a position already returned. Polled; an empty answer means none yet.
  virtual void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) = 0;
  virtual void forget_changes(Bytes through, Done<Result<void>> done) = 0;  // all consumers passed
  virtual void close(Done<Result<void>> done) = 0;  // commits in flight end first; then stopped
};

/// How a host names a store in EngineOptions: opened by Engine::open, which reports its errors.
using StoreOpener = std::function<Result<std::unique_ptr<Store>>()>;

}  // namespace parley::inline v0
