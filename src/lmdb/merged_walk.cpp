// lmdb/merged_walk.cpp: see the header.
#include "lmdb/merged_walk.hpp"

namespace parley::lmdb {

Walk::Walk(MDB_cursor* cursor, Bytes from, Bytes end, bool reverse)
    : cursor_(cursor), from_(from), end_(end), reverse_(reverse) {
  if (from_ >= end_) {
    code_ = MDB_NOTFOUND;
    return;
  }
  key_ = to_val(reverse ? end_ : from_);
  code_ = mdb_cursor_get(cursor_, &key_, &value_, MDB_SET_RANGE);
  if (reverse && (code_ == 0 || code_ == MDB_NOTFOUND))  // at or above the end, or none
    code_ = mdb_cursor_get(cursor_, &key_, &value_, code_ == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
  settle();
}

void Walk::next() noexcept {
  code_ = mdb_cursor_get(cursor_, &key_, &value_, reverse_ ? MDB_PREV : MDB_NEXT);
  settle();
}

void Walk::settle() noexcept {
  if (code_ != 0) return;
  if (reverse_ ? key() < from_ : key() >= end_) {
    code_ = MDB_NOTFOUND;
    return;
  }
  const auto opened = open_value(key(), value_);
  if (opened)
    opened_ = *opened;
  else
    code_ = MDB_CORRUPTED;
}

void MergedWalk::settle() noexcept {
  while (true) {
    from_overlay_ = false;
    if (at_ == overlay_.size() || walk_.code() != 0) return;
    const Overlaid& next = overlay_[at_];
    if (walk_.valid()) {
      const Bytes stored = stored_key();
      if (stored == next.key)
        walk_.next();  // hidden
      else if ((stored < next.key) != reverse_)
        return;
    }
    if (walk_.code() != 0) return;
    if (next.value) {
      from_overlay_ = true;
      return;
    }
    ++at_;
  }
}

}  // namespace parley::lmdb
