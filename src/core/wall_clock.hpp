// core/wall_clock.hpp: the wall clock as far as something may end by it.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/effects.hpp"

namespace parley::core {

/// Follows the wall clock, but a jump of it only once it has been stable for a minute; until then
/// time goes on as it did (DESIGN §3.5). Slow drift and corrections below `tolerance` are followed
/// at once. Ask it every minute at least. Thread: one.
class WallClock {
 public:
  static constexpr std::chrono::milliseconds tolerance{5'000};
  static constexpr std::chrono::milliseconds stable_for{60'000};

  /// Milliseconds since 1970.
  std::int64_t at(const Time& now) noexcept;

 private:
  std::optional<std::int64_t> offset_;  // wall clock less steady clock, as followed
  std::optional<std::int64_t> jumped_;  // what it may be from now on
  std::chrono::steady_clock::time_point since_{};
};

}  // namespace parley::core
