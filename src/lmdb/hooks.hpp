// lmdb/hooks.hpp: the places where a test makes the writer fail, or dies.
#pragma once
#include <cstdint>
#include <functional>

namespace parley::lmdb {

enum class Step : std::uint8_t {
  reserve,    // before disk blocks are reserved
  begin,      // before the write transaction
  write,      // before its first row
  commit,     // before the flush; an error means that it failed with nothing written
  committed,  // after the flush; an error means that it failed although everything was written
  complete,   // before the completions run
  resize,     // before the map grows
  clean,      // before the clean hand-over is written
};

struct Hooks {
  /// Called on the writer thread; an errno other than 0 is taken as the step's own failure. May be
  /// empty.
  std::function<int(Step)> at = {};
  [[nodiscard]] int run(Step step) const { return at ? at(step) : 0; }
};

}  // namespace parley::lmdb
