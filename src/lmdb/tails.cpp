// lmdb/tails.cpp: see the header.
#include "lmdb/tails.hpp"

#include <utility>

namespace parley::lmdb {
namespace {

constexpr int batches_a_turn = 32;  // merged under one lock, so that readers need not wait long

}  // namespace

std::optional<TailCell::Version> Tails::View::guard(const Partition& partition) const {
  for (const auto* tail : {newer.get(), older.get()}) {
    const auto* part = tail == nullptr ? nullptr : tail->find(partition);
    if (part != nullptr && part->guard.at(visible).lsn != 0) return part->guard.at(visible);
  }
  return std::nullopt;
}

std::optional<TailCell::Version> Tails::View::row(const Partition& partition, Bytes key) const {
  for (const auto* tail : {newer.get(), older.get()}) {
    const auto* part = tail == nullptr ? nullptr : tail->find(partition);
    if (part == nullptr) continue;
    const auto at = part->rows.find(key);
    if (at != part->rows.end() && at->second.at(visible).lsn != 0) return at->second.at(visible);
  }
  return std::nullopt;
}

void Tails::add(const std::shared_ptr<const LogGroup>& group) {
  GroupReader reader(*group);
  LoggedBatch batch;
  std::uint64_t entry = group->first_entry();
  {
    std::lock_guard lock(mutex_);
    flushing_ = true;
    active_->keep(group);
  }
  for (bool more = true; more;) {
    std::lock_guard lock(mutex_);
    for (int i = 0; i < batches_a_turn && (more = reader.next(batch)); ++i) {
      active_->add(group->lsn(), batch, entry);
      if (!batch.note.empty()) ++entry;
    }
  }
}

void Tails::publish(const LogGroup& group) {
  std::lock_guard lock(mutex_);
  visible_ = group.lsn();
  feed_ = group.feed();
  flushing_ = false;
  if (wanted_) swap_out();
}

void Tails::publish_folded(const LogGroup& group, std::size_t txn_id) {
  std::lock_guard lock(mutex_);
  visible_ = group.lsn();
  feed_ = group.feed();
  folded_txn_ = txn_id;
}

void Tails::give_up() {
  std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void Tails::swap_out() {
  frozen_ = std::exchange(active_, std::make_shared<MemoryTail>());
  wanted_ = false;
  changed_.notify_all();
}

std::shared_ptr<const MemoryTail> Tails::freeze() {
  std::unique_lock lock(mutex_);
  if (active_->empty() || over_) return nullptr;
  if (flushing_) {
    wanted_ = true;
    changed_.wait(lock, [this] { return !wanted_ || over_; });
    if (wanted_) return nullptr;
  } else {
    swap_out();
  }
  return frozen_;
}

void Tails::drop(std::size_t txn_id) {
  std::shared_ptr<MemoryTail> gone;  // freed without the lock
  std::lock_guard lock(mutex_);
  gone = std::move(frozen_);
  frozen_ = nullptr;
  folded_txn_ = txn_id;
}

Backlog Tails::unfrozen() const {
  std::lock_guard lock(mutex_);
  return {active_->bytes(), active_->batches(), active_->rows()};
}

Backlog Tails::backlog() const {
  std::lock_guard lock(mutex_);
  Backlog sum;
  for (const auto* tail : {active_.get(), frozen_.get()}) {
    if (tail == nullptr) continue;
    sum.bytes += tail->bytes();
    sum.batches += tail->batches();
    sum.rows += tail->rows();
  }
  return sum;
}

}  // namespace parley::lmdb
