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

// 1: without a log. 2: with one, so that a version which knows only 1 must not read it.
inline constexpr std::uint32_t format_written = 2;  // what this version writes
inline constexpr std::uint32_t format_known = 2;    // the newest it can read

struct Format {
  std::uint32_t written = format_written, min_reader = format_written;
  std::string version;  // of the library that wrote it
};
struct Identity {
  base::FileIdentity file;
  bool clean = false;  // closed in order, so a copy made since is a whole hand-over
};
struct FeedState {
  std::uint64_t last = 0;     // number of the last entry ever given
  std::uint64_t bytes = 0;    // of the entries that are kept
  std::uint64_t through = 0;  // entries up to here are forgotten; some may stand in LMDB still
};
using Incarnation = std::array<std::uint8_t, 16>;

/// Everything the rows say.
struct OwnRows {
  Format format;
  Incarnation incarnation{};
  Identity identity;
  FeedState feed;
  std::uint64_t folded = 0;     // LSN of the last group of the log that is in LMDB
  std::uint64_t log_files = 0;  // the log has at least, each with a header; 0: not known
};

/// The first rows of a fresh database. Durable when it returns without error.
Result<void> write_first_rows(Env& env, const Incarnation& incarnation);
/// Reads them all. Errors: store_format when this version cannot read it, store_corrupt.
Result<OwnRows> read_own_rows(MDB_txn* txn);
Result<OwnRows> read_own_rows(Env& env);

/// Takes the database over for this file, incarnation and so many files of the log, in the format
/// of this version: one transaction, durable when it returns.
Result<void> take_over(Env& env, const OwnRows& rows, const Incarnation& incarnation,
                       std::uint64_t log_files);
/// Marks a clean hand-over. 0 or LMDB's code.
int write_clean(Env& env, const base::FileIdentity& file) noexcept;
/// Gives the database another incarnation (after it was restored from a backup).
Result<void> renew_incarnation(Env& env, const Incarnation& fresh);

int write_folded(MDB_txn* txn, std::uint64_t lsn) noexcept;
int write_log_files(MDB_txn* txn, std::uint64_t count) noexcept;
int write_feed(MDB_txn* txn, const FeedState& feed) noexcept;
/// Reads one row; a missing or malformed one is store_corrupt.
Result<Format> read_format(MDB_txn* txn);
Result<Incarnation> read_incarnation(MDB_txn* txn);
Result<Identity> read_identity(MDB_txn* txn);
Result<FeedState> read_feed(MDB_txn* txn);
Result<std::uint64_t> read_folded(MDB_txn* txn);     // not in format 1
Result<std::uint64_t> read_log_files(MDB_txn* txn);  // 0 where older versions wrote none
/// store_format when this version cannot read it.
Error check_format(const Format& format);

}  // namespace parley::lmdb
