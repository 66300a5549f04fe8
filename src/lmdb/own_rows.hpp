// lmdb/own_rows.hpp: the rows in which the store describes itself: format, incarnation, identity,
// feed.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/os_file.hpp"
#include "lmdb/env.hpp"
#include "parley/result.hpp"

namespace parley::lmdb {

inline constexpr std::uint32_t format_written = 1;  // what this version writes
inline constexpr std::uint32_t format_known = 1;    // the newest it can read

struct Format {
  std::uint32_t written = format_written, min_reader = 1;
  std::string version;  // of the library that wrote it
};
struct Identity {
  base::FileIdentity file;
  bool clean = false;  // closed in order, so a copy made since is a whole hand-over
};
struct FeedState {
  std::uint64_t last = 0;   // number of the last entry ever given
  std::uint64_t bytes = 0;  // of the entries that are kept
};
using Incarnation = std::array<std::uint8_t, 16>;

/// The first rows of a fresh database. Durable when it returns without error.
Result<void> write_first_rows(Env& env, const Incarnation& incarnation);

/// Checks the format and takes the database over: a changed identity without a clean hand-over
/// gives it the incarnation `fresh`. Durable when it returns.
struct Taken {
  Incarnation incarnation{};
  FeedState feed;
};
Result<Taken> take_over(Env& env, const Incarnation& fresh);
/// Marks a clean hand-over. 0 or LMDB's code.
int write_clean(Env& env, const base::FileIdentity& file) noexcept;
/// Gives the database another incarnation (after it was restored from a backup).
Result<void> renew_incarnation(Env& env, const Incarnation& fresh);

int write_feed(MDB_txn* txn, const FeedState& feed) noexcept;
/// Reads the rows; a missing or malformed one is store_corrupt.
Result<Format> read_format(MDB_txn* txn);
Result<Incarnation> read_incarnation(MDB_txn* txn);
Result<Identity> read_identity(MDB_txn* txn);
Result<FeedState> read_feed(MDB_txn* txn);
/// store_format when this version cannot read it.
Error check_format(const Format& format);

}  // namespace parley::lmdb
