// row_store_sqlite.cpp: SQLite: a clustered table, WAL with synchronous=FULL, a transaction a
// commit, a prepared SELECT a page.
#include <sqlite3.h>

#include <stdexcept>

#include "row_store.hpp"

namespace parley::bench {
namespace {

class SqliteRows final : public RowStore {
 public:
  SqliteRows(const std::string& directory, bool durable) {
    must(sqlite3_open((directory + "/rows.sqlite").c_str(), &db_));
    run("PRAGMA journal_mode=WAL");
    run(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
    run("PRAGMA mmap_size=4294967296");
    run("CREATE TABLE IF NOT EXISTS rows(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
    put_ = prepared("INSERT OR REPLACE INTO rows VALUES(?, ?)");
    page_ = prepared("SELECT value FROM rows WHERE key < ? ORDER BY key DESC LIMIT ?");
  }
  ~SqliteRows() override {
    sqlite3_finalize(put_);
    sqlite3_finalize(page_);
    sqlite3_close(db_);
  }
  void commit(const std::vector<RowToWrite>& rows) override {
    run("BEGIN");
    for (const RowToWrite& row : rows) {
      bind(put_, 1, row.key);
      bind(put_, 2, row.value);
      if (sqlite3_step(put_) != SQLITE_DONE) must(SQLITE_ERROR);
      sqlite3_reset(put_);
    }
    run("COMMIT");
  }
  int before(std::string_view end, int count, std::string& values) override {
    bind(page_, 1, end);
    must(sqlite3_bind_int(page_, 2, count));
    int taken = 0;
    for (; sqlite3_step(page_) == SQLITE_ROW; ++taken) {
      values.append(static_cast<const char*>(sqlite3_column_blob(page_, 0)),
                    static_cast<std::size_t>(sqlite3_column_bytes(page_, 0)));
    }
    sqlite3_reset(page_);
    return taken;
  }

 private:
  void must(int code) const {
    if (code != SQLITE_OK) throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(db_));
  }
  void run(const char* statement) { must(sqlite3_exec(db_, statement, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepared(const char* statement) {
    sqlite3_stmt* out = nullptr;
    must(sqlite3_prepare_v2(db_, statement, -1, &out, nullptr));
    return out;
  }
  void bind(sqlite3_stmt* statement, int at, std::string_view bytes) const {
    must(sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()),
                           SQLITE_STATIC));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt *put_ = nullptr, *page_ = nullptr;
};

}  // namespace

std::unique_ptr<RowStore> open_sqlite_rows(const std::string& directory, bool durable) {
  return std::make_unique<SqliteRows>(directory, durable);
}

}  // namespace parley::bench
