// core/sync_token.hpp: what a device has of its user's stream, as it travels (DESIGN §6).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/ids.hpp"

namespace parley::core {

/// Opaque to clients. Without an epoch it is none, and has no text.
struct SyncToken {
  std::uint64_t instance = 0;  // of the engine whose clock `stamp_ms` is of
  Epoch epoch;
  Seq seq = 0;
  std::int64_t stamp_ms = 0;  // activity after it is news
  Mark mark = 0;

  [[nodiscard]] std::string text() const;
};
/// Nothing when the text is none, or of another version.
std::optional<SyncToken> parse_sync_token(std::string_view text);

}  // namespace parley::core
