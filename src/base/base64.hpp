// base64.hpp: RFC 4648 section 4, for HTTP headers and for bytes in JSON.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::base {

/// With padding, without line breaks.
std::string base64_encode(std::string_view bytes);
/// Strict: only the standard alphabet, padding exactly as encode writes it, unused bits zero; so
/// every value has one spelling. Nothing otherwise.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace parley::base
