// snowflake.hpp: 64-bit ids in the order of time, unique for a node; the caller brings the clock.
#pragma once
#include <cstdint>

#include "parley/ids.hpp"

namespace parley::base {

/// 41 bit milliseconds since 2025-01-01 UTC, 10 bit node, 12 bit sequence. Every next() is above
/// the one before, whatever the clock does: when it goes backward or more than 4,096 ids are asked
/// for in a millisecond, the ids run ahead of the clock. Thread: one.
class SnowflakeSource {
 public:
  static constexpr std::uint64_t epoch_ms = 1'735'689'600'000;  // 2025-01-01T00:00:00Z
  static constexpr std::uint32_t max_node = 1023;

  /// `node` is cut to 10 bits. `last`: an id that new ones must exceed, 0 for none.
  explicit SnowflakeSource(std::uint32_t node, Snowflake last = 0) noexcept
      : node_(node & max_node), time_and_sequence_(last == 0 ? 1 : strip_node(last) + 1) {}

  /// `now_ms`: milliseconds since 1970, UTC.
  Snowflake next(std::uint64_t now_ms) noexcept {
    const std::uint64_t since = now_ms > epoch_ms ? now_ms - epoch_ms : 0;
    if (since << 12 > time_and_sequence_) time_and_sequence_ = since << 12;
    const std::uint64_t value = time_and_sequence_++;
    return value >> 12 << 22 | std::uint64_t{node_} << 12 | (value & 4095);
  }

  /// Milliseconds since 1970 in an id.
  static constexpr std::uint64_t time_ms(Snowflake id) noexcept { return (id >> 22) + epoch_ms; }
  static constexpr std::uint32_t node(Snowflake id) noexcept {
    return static_cast<std::uint32_t>(id >> 12 & max_node);
  }

 private:
  static constexpr std::uint64_t strip_node(Snowflake id) noexcept {
    return id >> 22 << 12 | (id & 4095);
  }

  std::uint32_t node_;
  std::uint64_t time_and_sequence_;  // the next id without its node
};

}  // namespace parley::base
