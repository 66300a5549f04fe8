// lmdb/env.hpp: LMDB's handles as owned objects, and its codes as errors.
#pragma once
#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/payload.hpp"
#include "parley/result.hpp"

namespace parley::lmdb {

inline constexpr MDB_dbi main_dbi = 1;  // LMDB's number for the unnamed database
inline constexpr unsigned max_readers = 256;

/// The error for one of LMDB's codes or an errno. `what` opens the message.
[[nodiscard]] Error to_error(const std::string& what, int code);

inline MDB_val to_val(Bytes bytes) noexcept {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline Bytes to_bytes(const MDB_val& val) noexcept {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

/// An open environment. Thread: any, by LMDB's rules.
class Env {
 public:
  enum class Access : std::uint8_t { write, check };  // check: read-only, without LMDB's lock file

  static Result<std::unique_ptr<Env>> open(const std::string& directory, std::size_t map_size,
                                           Access access);
  ~Env() {
    if (env_ != nullptr) mdb_env_close(env_);
  }
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  [[nodiscard]] MDB_env* get() const noexcept { return env_; }
  [[nodiscard]] int descriptor() const noexcept;
  [[nodiscard]] std::size_t map_size() const noexcept;
  [[nodiscard]] std::size_t used() const noexcept;  // bytes up to the last page in use
  /// No transaction may be open in this process. 0, or LMDB's code.
  [[nodiscard]] int resize(std::size_t map_size) noexcept;

 private:
  explicit Env(MDB_env* env) noexcept : env_(env) {}
  MDB_env* env_ = nullptr;
};

/// A write transaction, aborted unless committed. Thread: the one that began it.
class WriteTxn {
 public:
  WriteTxn() = default;
  ~WriteTxn() { abort(); }
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;

  [[nodiscard]] int begin(Env& env) noexcept {
    abort();
    return mdb_txn_begin(env.get(), nullptr, 0, &txn_);
  }
  [[nodiscard]] int commit() noexcept {
    MDB_txn* txn = txn_;
    txn_ = nullptr;
    return mdb_txn_commit(txn);
  }
  void abort() noexcept {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
    txn_ = nullptr;
  }
  [[nodiscard]] MDB_txn* get() const noexcept { return txn_; }

 private:
  MDB_txn* txn_ = nullptr;
};

/// A cursor of a write transaction; gone before the transaction ends.
class WriteCursor {
 public:
  explicit WriteCursor(const WriteTxn& txn) noexcept {
    code_ = mdb_cursor_open(txn.get(), main_dbi, &cursor_);
  }
  ~WriteCursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  WriteCursor(const WriteCursor&) = delete;
  WriteCursor& operator=(const WriteCursor&) = delete;
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] MDB_cursor* get() const noexcept { return cursor_; }

 private:
  MDB_cursor* cursor_ = nullptr;
  int code_ = 0;
};

}  // namespace parley::lmdb
