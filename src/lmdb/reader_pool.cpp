// lmdb/reader_pool.cpp: see the header.
#include "lmdb/reader_pool.hpp"

namespace parley::lmdb {

ReaderPool::~ReaderPool() {
  for (const auto& [txn, cursor] : idle_) {
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
  }
}

Result<ReaderPool::Lease> ReaderPool::take() {
  std::pair<MDB_txn*, MDB_cursor*> reader{};
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !resizing_ && out_ < most; });
    idle_.reserve(most);  // giving back cannot fail
    ++out_;
    if (!idle_.empty()) {
      reader = idle_.back();
      idle_.pop_back();
    }
  }
  int code = 0;
  if (reader.first != nullptr) {
    code = mdb_txn_renew(reader.first);
    if (code == 0) code = mdb_cursor_renew(reader.first, reader.second);
  } else {
    code = mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &reader.first);
    if (code == 0) code = mdb_cursor_open(reader.first, main_dbi, &reader.second);
  }
  if (code == 0) return Lease(this, reader.first, reader.second);
  if (reader.second != nullptr) mdb_cursor_close(reader.second);
  if (reader.first != nullptr) mdb_txn_abort(reader.first);
  std::lock_guard lock(mutex_);
  --out_;
  changed_.notify_all();
  return to_error("cannot begin a read", code);
}

void ReaderPool::give_back(MDB_txn* txn, MDB_cursor* cursor) noexcept {
  mdb_txn_reset(txn);
  std::lock_guard lock(mutex_);
  const bool waited_for = out_ == most || resizing_;
  --out_;
  idle_.emplace_back(txn, cursor);
  if (waited_for) changed_.notify_all();
}

int ReaderPool::resize(std::size_t map_size) {
  std::unique_lock lock(mutex_);
  resizing_ = true;
  changed_.wait(lock, [this] { return out_ == 0; });
  const int code = env_.resize(map_size);
  resizing_ = false;
  changed_.notify_all();
  return code;
}

}  // namespace parley::lmdb
