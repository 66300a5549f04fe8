// transport/url.hpp: the addresses that transports listen on and dial.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/result.hpp"

namespace parley::transport {

/// `scheme://host:port/path?query`, or `scheme:name` without a host (the name is the path).
struct Url {
  std::string scheme;  // lower case
  std::string host;    // without brackets; "" when there is none
  std::optional<std::uint16_t> port;
  std::string path;   // with its slash; "" when there is none
  std::string query;  // without the question mark

  /// Host in brackets again where it needs them. As `path` is kept, so is its absence.
  [[nodiscard]] std::string text() const;
};

inline constexpr std::size_t max_url = 2'048;  // bytes

/// Errc::invalid_argument names the part that is wrong. User names and fragments are refused: they
/// mean nothing here, and a password in a URL ends up in logs. Thread: any.
Result<Url> parse_url(std::string_view text);

/// The scheme alone; "" when there is none.
std::string_view url_scheme(std::string_view text) noexcept;

}  // namespace parley::transport
