// row_store_lmdb.cpp: LMDB alone: a synced transaction a commit, a cursor a page.
#include <lmdb.h>

#include <stdexcept>

#include "row_store.hpp"

namespace parley::bench {
namespace {

void must(int code) {
  if (code != 0) throw std::runtime_error(std::string("lmdb: ") + mdb_strerror(code));
}
MDB_val value_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

class LmdbRows final : public RowStore {
 public:
  LmdbRows(const std::string& directory, bool durable) {
    must(mdb_env_create(&env_));
    must(mdb_env_set_mapsize(env_, std::size_t{64} << 30));
    must(mdb_env_open(env_, directory.c_str(), durable ? 0 : MDB_NOSYNC, 0600));
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn));
    must(mdb_dbi_open(txn, nullptr, 0, &rows_));
    must(mdb_txn_commit(txn));
  }
  ~LmdbRows() override {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    if (reader_ != nullptr) mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }
  void commit(const std::vector<RowToWrite>& rows) override {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const RowToWrite& row : rows) {
      MDB_val key = value_of(row.key), value = value_of(row.value);
      must(mdb_put(txn, rows_, &key, &value, 0));
    }
    must(mdb_txn_commit(txn));
  }
  int before(std::string_view end, int count, std::string& values) override {
    renew();
    MDB_val key = value_of(end), value{};
    int code = mdb_cursor_get(cursor_, &key, &value, MDB_SET_RANGE);
    code = mdb_cursor_get(cursor_, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    int taken = 0;
    for (; code == 0 && taken < count; ++taken) {
      values.append(static_cast<const char*>(value.mv_data), value.mv_size);
      code = mdb_cursor_get(cursor_, &key, &value, MDB_PREV);
    }
    return taken;
  }

 private:
  void renew() {
    if (reader_ == nullptr) {
      must(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
      must(mdb_cursor_open(reader_, rows_, &cursor_));
      return;
    }
    mdb_txn_reset(reader_);
    must(mdb_txn_renew(reader_));
    must(mdb_cursor_renew(reader_, cursor_));
  }
  MDB_env* env_ = nullptr;
  MDB_dbi rows_ = 0;
  MDB_txn* reader_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
};

}  // namespace

std::unique_ptr<RowStore> open_lmdb_rows(const std::string& directory, bool durable) {
  return std::make_unique<LmdbRows>(directory, durable);
}

}  // namespace parley::bench
