// lmdb/fold.cpp: see the header.
#include "lmdb/fold.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t most_rows = 32'768;     // bounds the pages that one transaction touches
constexpr std::size_t most_dropped = 16'384;  // forgotten feed entries, in one transaction

}  // namespace

int Fold::write(const MemoryTail& tail, bool steps) {
  steps_ = steps;
  flushed_ = false;
  int code = begin();
  if (code == 0)
    code = tail.for_each_key(
        [this](Bytes key, const std::optional<Bytes>& value) { return put(key, value); });
  bool more = false;
  if (code == 0) code = drop_entries(tail.feed().through, more);
  if (code == 0) code = write_feed(txn_.get(), tail.feed());
  if (code == 0) code = write_folded(txn_.get(), tail.lsn());
  if (code == 0) code = write_log_files(txn_.get(), log_files_);
  if (code == 0) code = commit();
  while (code == 0 && more) {
    code = begin();
    if (code == 0) code = drop_entries(tail.feed().through, more);
    if (code == 0) code = commit();
  }
  txn_.abort();
  return code;
}

int Fold::begin() {
  rows_ = 0;
  const int code = steps_ ? hooks_.run(Step::fold) : 0;
  return code == 0 ? txn_.begin(env_) : code;
}

int Fold::commit() {
  int code = hooks_.run(steps_ ? Step::fold_commit : Step::commit);
  if (code != 0) {
    flushed_ = true;  // taken as a flush that failed
    return code;
  }
  const std::size_t id = mdb_txn_id(txn_.get());
  code = txn_.commit();
  if (code == MDB_MAP_FULL) return code;  // found while writing the list of free pages
  flushed_ = true;                        // or perhaps so
  if (code == 0) txn_id_ = id;
  return code;
}

int Fold::put(Bytes key, const std::optional<Bytes>& value) {
  if (rows_ == most_rows) {
    int code = commit();
    if (code == 0) code = begin();
    if (code != 0) return code;
  }
  ++rows_;
  return value ? put_value(txn_.get(), key, *value) : erase_value(txn_.get(), key);
}

int Fold::drop_entries(std::uint64_t through, bool& more) {
  const WriteCursor cursor(txn_);
  if (cursor.code() != 0) return cursor.code();
  const Key first = Key::own(OwnRow::entry);
  MDB_val key = first.val(), value{};
  int code = mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
  more = false;
  for (std::size_t dropped = 0; code == 0; ++dropped) {
    if (key.mv_size != 10 || base::get_be64(to_bytes(key).data() + 2) > through) break;
    more = dropped == most_dropped;
    if (more) break;
    code = mdb_cursor_del(cursor.get(), 0);
    if (code == 0) code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT);
  }
  return code == MDB_NOTFOUND ? 0 : code;
}

}  // namespace parley::lmdb
