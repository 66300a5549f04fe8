#include "core/wall_clock.hpp"

#include <cstdlib>

namespace parley::core {
namespace {

std::int64_t steady_ms(const Time& now) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now.steady.time_since_epoch())
      .count();
}
bool near(std::int64_t a, std::int64_t b) noexcept {
  return std::llabs(a - b) <= WallClock::tolerance.count();
}

}  // namespace

std::int64_t WallClock::at(const Time& now) noexcept {
  const std::int64_t steady = steady_ms(now), seen = now.wall_ms - steady;
  if (!offset_ || near(seen, *offset_)) {
    offset_ = seen;
    jumped_.reset();
  } else if (!jumped_ || !near(seen, *jumped_)) {
    jumped_ = seen;
    since_ = now.steady;
  } else if (now.steady - since_ >= stable_for) {
    offset_ = seen;
    jumped_.reset();
  }
  return steady + *offset_;
}

}  // namespace parley::core
