// lmdb/folder.cpp: see the header.
#include "lmdb/folder.hpp"

#include <new>
#include <utility>

#include "base/os.hpp"

namespace parley::lmdb {

Folder::Folder(Parts parts, const LogTuning& tuning) : parts_(std::move(parts)), tuning_(tuning) {
  const base::SignalBlock block;
  thread_ = std::thread([this] { run(); });
}

void Folder::notice() {
  const bool much = reached(parts_.tails.unfrozen(), tuning_.fold_at);
  std::lock_guard lock(mutex_);
  if (waiting_ && (!much || hurry_)) return;
  waiting_ = true;
  hurry_ = hurry_ || much;
  wake_.notify_one();
}

void Folder::wait_for_room() {
  while (reached(parts_.tails.backlog(), tuning_.most) && !parts_.failure.stopped())
    wait_for_fold();
}

void Folder::drain() {
  while (parts_.tails.backlog().batches + parts_.tails.backlog().bytes > 0 &&
         !parts_.failure.stopped())
    wait_for_fold();
}

void Folder::wait_for_fold() {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = folds_;
  waiting_ = hurry_ = true;
  wake_.notify_one();
  folded_.wait(lock, [&] { return folds_ != before; });
}

void Folder::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

/// False when there is nothing left to do ever.
bool Folder::wait_for_work() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return waiting_ || stopping_; });
  if (!waiting_) return false;
  wake_.wait_for(lock, tuning_.fold_every, [this] { return hurry_ || stopping_; });
  waiting_ = hurry_ = false;
  return true;
}

void Folder::run() {
  base::name_thread("parley-fold");
  if (parts_.thread_start) parts_.thread_start();
  while (wait_for_work()) {
    if (!parts_.failure.stopped()) fold();
    std::lock_guard lock(mutex_);
    ++folds_;
    folded_.notify_all();
  }
  if (parts_.thread_stop) parts_.thread_stop();
}

void Folder::fold() {
  int code = 0;
  try {
    const auto tail = parts_.tails.freeze();
    if (!tail) return;
    std::size_t txn_id = 0;
    code = write(*tail, txn_id);
    if (code == 0) {
      parts_.tails.drop(txn_id);
      parts_.ring.release(tail->lsn());
      return;
    }
  } catch (const std::bad_alloc&) {
    code = ENOMEM;
  }
  parts_.failure.stop(code);
}

/// The log is acknowledged: it gets its room, whatever max_size says.
int Folder::write(const MemoryTail& tail, std::size_t& txn_id) {
  Fold fold(parts_.env, parts_.hooks, parts_.ring.files());
  int code = fold.write(tail, true);
  while (code == MDB_MAP_FULL) {
    code = parts_.hooks.run(Step::resize);
    if (code == 0) code = parts_.readers.resize(parts_.env.map_size() * 2);
    if (code == 0) code = fold.write(tail, true);
  }
  txn_id = fold.txn_id();
  return code == 0 ? parts_.hooks.run(Step::folded) : code;
}

}  // namespace parley::lmdb
