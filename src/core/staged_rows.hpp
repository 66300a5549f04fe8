// core/staged_rows.hpp: rows that a batch changes: written with it, and known once it is committed.
#pragma once
#include "core/conversation_commit.hpp"
#include "store/layout.hpp"

namespace parley::core {

/// `changes`: which row, and the row as it becomes; none: it goes. `key(which)`: its key.
template <class Changes, class Key>
void write_rows(BatchWriter& writer, const Changes& changes, Key key) {
  for (const auto& [which, row] : changes) {
    if (row)
      writer.put(key(which), layout::encode(*row));
    else
      writer.erase(key(which));
  }
}

/// What is known once such changes are committed.
template <class Rows, class Changes>
void take_rows(Rows& known, const Changes& changes) {
  for (const auto& [which, row] : changes) {
    if (row)
      known[which] = *row;
    else
      known.erase(which);
  }
}

}  // namespace parley::core
