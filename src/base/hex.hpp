// hex.hpp: bytes as lower-case hexadecimal text and back, strictly.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace parley::base {

/// Two lower-case digits a byte.
inline std::string to_hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

/// Value of one lower-case digit, -1 for anything else.
constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Fills `out[0..size)` from exactly 2 * size lower-case digits; false leaves `out` unspecified.
constexpr bool from_hex(std::string_view text, unsigned char* out, std::size_t size) noexcept {
  if (text.size() != size * 2) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

}  // namespace parley::base
