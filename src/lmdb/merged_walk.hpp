// lmdb/merged_walk.hpp: a range of LMDB's keys as the tails in front of it make it look.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "lmdb/keys.hpp"

namespace parley::lmdb {

/// A cursor's moves over the keys below a bound (from the end down in reverse), with checked
/// values.
class Walk {
 public:
  Walk(MDB_cursor* cursor, Bytes from, Bytes end, bool reverse);
  [[nodiscard]] bool valid() const noexcept { return code_ == 0; }
  /// 0 at the regular end.
  [[nodiscard]] int code() const noexcept { return code_ == MDB_NOTFOUND ? 0 : code_; }
  [[nodiscard]] Bytes key() const noexcept { return to_bytes(key_); }
  [[nodiscard]] Bytes value() const noexcept { return opened_; }
  void next() noexcept;

 private:
  void settle() noexcept;

  MDB_cursor* cursor_;
  Bytes from_, end_;
  bool reverse_;
  MDB_val key_{}, value_{};
  Bytes opened_;
  int code_ = 0;
};

/// What hides LMDB's value of a key.
struct Overlaid {
  Bytes key;                   // without the prefix that all keys of the walk share
  std::optional<Bytes> value;  // none: erased
};

/// The same over both. Ownership: borrows the overlay, which is in the order of the walk.
class MergedWalk {
 public:
  /// `prefix` bytes at the front of LMDB's keys are not in the overlay's.
  MergedWalk(MDB_cursor* cursor, Bytes from, Bytes end, bool reverse, std::size_t prefix,
             const std::vector<Overlaid>& overlay)
      : walk_(cursor, from, end, reverse), overlay_(overlay), prefix_(prefix), reverse_(reverse) {
    settle();
  }
  [[nodiscard]] bool valid() const noexcept { return overlaid() || walk_.valid(); }
  [[nodiscard]] int code() const noexcept { return walk_.code(); }
  [[nodiscard]] Bytes key() const noexcept { return overlaid() ? overlay_[at_].key : stored_key(); }
  [[nodiscard]] Bytes value() const noexcept {
    return overlaid() ? *overlay_[at_].value : walk_.value();
  }
  void next() noexcept {
    if (overlaid())
      ++at_;
    else
      walk_.next();
    settle();
  }

 private:
  [[nodiscard]] bool overlaid() const noexcept { return from_overlay_; }
  [[nodiscard]] Bytes stored_key() const noexcept { return walk_.key().substr(prefix_); }
  void settle() noexcept;

  Walk walk_;
  const std::vector<Overlaid>& overlay_;
  std::size_t prefix_, at_ = 0;
  bool reverse_, from_overlay_ = false;
};

}  // namespace parley::lmdb
