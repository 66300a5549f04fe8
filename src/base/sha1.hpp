// sha1.hpp: only for Sec-WebSocket-Accept, which RFC 6455 fixed to it. Broken as a hash: use it for
// nothing else.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace parley::base {

std::array<std::uint8_t, 20> sha1(std::string_view bytes);

}  // namespace parley::base
