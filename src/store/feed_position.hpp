// store/feed_position.hpp: the position in a change feed, as the built-in stores write it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "parley/payload.hpp"

namespace parley::store {

using Incarnation = std::array<std::uint8_t, 16>;

/// Incarnation (16) and the number of the last entry seen (8, big-endian). The incarnation makes
/// a position of an earlier life recognisable instead of silently wrong.
struct FeedPosition {
  Incarnation incarnation{};
  std::uint64_t number = 0;

  [[nodiscard]] std::string encode() const;
  /// None when `bytes` is no position at all.
  static std::optional<FeedPosition> decode(Bytes bytes) noexcept;
};

}  // namespace parley::store
