// core/refusals.hpp: errors that several parts of a conversation answer with.
#pragma once
#include <string>
#include <string_view>

#include "parley/error.hpp"

namespace parley::core {

/// `text` is "field: what was expected".
[[nodiscard]] inline Error bad(const char* text) { return {Errc::invalid_argument, text}; }

[[nodiscard]] inline Error unreadable(std::string_view what) {
  return {Errc::store_corrupt, std::string(what).append(" cannot be read; run parley-check")};
}

}  // namespace parley::core
