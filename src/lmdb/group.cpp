// lmdb/group.cpp: see the header.
#include "lmdb/group.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "lmdb/keys.hpp"
#include "store/answer.hpp"

namespace parley::lmdb {
namespace {

constexpr std::size_t entry_overhead = 32;  // of a feed entry beside its value, roughly

Committed verdict(Verdict value, Error error = {}) {
  return {.verdict = value, .found = {}, .error = std::move(error), .owner = {}};
}

int erase(MDB_txn* txn, Bytes key) noexcept {
  MDB_val at = to_val(key);
  const int code = mdb_del(txn, main_dbi, &at, nullptr);
  return code == MDB_NOTFOUND ? 0 : code;
}

}  // namespace

int Group::apply(const Batch& batch, Committed& answer) {
  const Key key = Key::guard(batch.partition);
  Bytes guard;
  const int found = get_value(txn_.get(), key.bytes(), guard);
  if (found == MDB_CORRUPTED) {
    answer = verdict(Verdict::failed, to_error("a guard's checksum does not hold", found));
    return 0;
  }
  if (found != 0 && found != MDB_NOTFOUND) return found;
  if (found == 0 ? batch.expect != guard : batch.expect.has_value()) {
    answer = verdict(Verdict::refused);
    if (found == 0) {
      store::AnswerBlock block(store::aligned8(guard.size()));
      answer.found = block.put(guard);
      answer.owner = std::move(block).owner();
    }
    return 0;
  }
  if (!batch.guard) {
    bool whole = false;
    if (const int code = check_end(batch, whole); code != 0) return code;
    if (!whole) {
      answer = verdict(
          Verdict::failed,
          {Errc::invalid_argument, "a batch without guard must erase every row of its partition"});
      return 0;
    }
  }
  wrote_ = true;
  answer = verdict(Verdict::done);
  return write(batch);
}

int Group::check_end(const Batch& batch, bool& whole) {
  std::vector<Bytes> erased = batch.erases;
  std::sort(erased.begin(), erased.end());
  const Key prefix = Key::row(batch.partition, {});
  const WriteCursor cursor(txn_);
  if (cursor.code() != 0) return cursor.code();
  MDB_val key = prefix.val(), value{};
  int code = mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
  whole = true;
  while (code == 0 && whole && to_bytes(key).starts_with(prefix.bytes())) {
    const Bytes row = to_bytes(key).substr(prefix.bytes().size());
    whole = std::binary_search(erased.begin(), erased.end(), row);
    code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT);
  }
  return code == MDB_NOTFOUND ? 0 : code;
}

int Group::write(const Batch& batch) {
  MDB_txn* txn = txn_.get();
  const Key guard = Key::guard(batch.partition);
  int code = batch.guard ? put_value(txn, guard.bytes(), *batch.guard) : erase(txn, guard.bytes());
  for (auto row = batch.puts.begin(); code == 0 && row != batch.puts.end(); ++row)
    code = put_value(txn, Key::row(batch.partition, row->key).bytes(), row->value);
  for (auto key = batch.erases.begin(); code == 0 && key != batch.erases.end(); ++key)
    code = erase(txn, Key::row(batch.partition, *key).bytes());
  if (code == 0 && !batch.note.empty()) code = announce(batch);
  return code;
}

int Group::announce(const Batch& batch) {
  std::string value{static_cast<char>(batch.partition.space),
                    static_cast<char>(batch.partition.id.size())};
  value += batch.partition.id;
  value += batch.note;
  feed_moved_ = true;
  feed_.bytes += value.size() + entry_overhead;
  // Numbers only grow and entries are the last keys of all: an append to the right edge.
  return put_value(txn_.get(), Key::entry(++feed_.last).bytes(), value, MDB_APPEND);
}

int Group::drop_entries(std::uint64_t through, std::size_t most, std::size_t& dropped) {
  dropped = 0;
  const WriteCursor cursor(txn_);
  if (cursor.code() != 0) return cursor.code();
  const Key first = Key::own(OwnRow::entry);
  MDB_val key = first.val(), value{};
  int code = mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
  while (code == 0 && dropped < most) {
    if (key.mv_size != 10 || base::get_be64(to_bytes(key).data() + 2) > through) break;
    const std::size_t size = value.mv_size - checksum_size + entry_overhead;
    feed_.bytes -= std::min<std::uint64_t>(feed_.bytes, size);
    feed_moved_ = wrote_ = true;
    ++dropped;
    code = mdb_cursor_del(cursor.get(), 0);
    if (code == 0) code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT);
  }
  return code == MDB_NOTFOUND ? 0 : code;
}

int Group::finish() {
  if (!feed_moved_) return 0;
  if (feed_.bytes > feed_limit_) {
    std::size_t dropped = 0;
    const std::uint64_t newest = feed_.last > 0 ? feed_.last - 1 : 0;
    // As many bytes as the limit is passed by, one entry at a time, bounded per transaction.
    for (std::size_t round = 0; round < 1024 && feed_.bytes > feed_limit_; ++round) {
      if (const int code = drop_entries(newest, 1, dropped); code != 0) return code;
      if (dropped == 0) break;
    }
  }
  return write_feed(txn_.get(), feed_);
}

}  // namespace parley::lmdb
