// row_store_rocksdb.cpp: RocksDB: a write batch with a synced write-ahead log a commit, an iterator
// a page. No compression, a block cache that holds everything.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include <stdexcept>

#include "row_store.hpp"

namespace parley::bench {
namespace {

void must(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error("rocksdb: " + status.ToString());
}

class RocksRows final : public RowStore {
 public:
  RocksRows(const std::string& directory, bool durable) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(std::size_t{2} << 30);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    must(rocksdb::DB::Open(options, directory, &db));
    db_.reset(db);
    write_.sync = durable;
    write_.disableWAL = !durable;
  }
  ~RocksRows() override {
    if (write_.disableWAL) {  // it was filled to be read
      db_->Flush({}).PermitUncheckedError();
      db_->CompactRange({}, nullptr, nullptr).PermitUncheckedError();
    }
  }
  void commit(const std::vector<RowToWrite>& rows) override {
    rocksdb::WriteBatch batch;
    for (const RowToWrite& row : rows) must(batch.Put(row.key, row.value));
    must(db_->Write(write_, &batch));
  }
  int before(std::string_view end, int count, std::string& values) override {
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
    int taken = 0;
    at->SeekForPrev(rocksdb::Slice(end.data(), end.size()));
    if (at->Valid() && at->key() == rocksdb::Slice(end.data(), end.size())) at->Prev();
    for (; at->Valid() && taken < count; at->Prev(), ++taken)
      values.append(at->value().data(), at->value().size());
    return taken;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions write_;
};

}  // namespace

std::unique_ptr<RowStore> open_rocksdb_rows(const std::string& directory, bool durable) {
  return std::make_unique<RocksRows>(directory, durable);
}

}  // namespace parley::bench
