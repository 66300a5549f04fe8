// lmdb/hooks.hpp: the places where a test makes the store fail, or dies.
#pragma once
#include <cstdint>
#include <functional>

namespace parley::lmdb {

enum class Step : std::uint8_t {
  reserve,      // before disk blocks are reserved
  begin,        // before a group is decided
  write,        // before its first row
  commit,       // before the write and flush; an error means that it failed with nothing written
  committed,    // after the flush; an error means that it failed although everything was written
  complete,     // before the completions run
  resize,       // before the map grows
  clean,        // before the clean hand-over is written
  fold,         // before a transaction of a fold
  fold_commit,  // before its flush
  folded,       // after the last one of a fold, before its groups leave memory and the log
};

struct Hooks {
  /// Called on the thread that takes the step; an errno other than 0 is taken as the step's own
  /// failure. May be empty.
  std::function<int(Step)> at = {};
  [[nodiscard]] int run(Step step) const { return at ? at(step) : 0; }
};

}  // namespace parley::lmdb
