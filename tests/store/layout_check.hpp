// layout_check.hpp: how tests of the layout spell bytes, and what every value has to keep to.
#pragma once

#include <cstdint>
#include <string>

#include "catch.hpp"
#include "store/layout.hpp"

namespace parley::layout {

inline std::string hex(Bytes bytes) {
  static const char* digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}
inline ConversationId conversation_of(std::uint8_t fill) {
  ConversationId id;
  id.bytes.fill(fill);
  return id;
}
inline const ConversationId id = conversation_of(0xab);

/// Every value: cut or extended it is not read, and another format is not.
template <class Decode>
void check_strict(const std::string& value, Decode decode) {
  CHECK(decode(value));
  CHECK_FALSE(decode(value + "x"));
  for (std::size_t size = 0; size < value.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode(value.substr(0, size)));
  }
  std::string other = value;
  other[0] = 99;
  CHECK_FALSE(decode(other));
}

}  // namespace parley::layout
