// base64.cpp: see base64.hpp.
#include "base/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace parley::base {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t bad = 64;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = bad;
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(alphabet[i])] = i;
  return values;
}
constexpr auto values = make_values();

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  const auto byte = [&](std::size_t at) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[at]);
  };
  char* out = text.data();
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t word = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    *out++ = alphabet[word >> 18];
    *out++ = alphabet[word >> 12 & 63];
    *out++ = alphabet[word >> 6 & 63];
    *out++ = alphabet[word & 63];
  }
  const std::size_t rest = bytes.size() - at;
  if (rest == 0) return text;
  const std::uint32_t word = byte(at) << 16 | (rest == 2 ? byte(at + 1) << 8 : 0);
  out[0] = alphabet[word >> 18];
  out[1] = alphabet[word >> 12 & 63];
  if (rest == 2) out[2] = alphabet[word >> 6 & 63];
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::size_t digits = 4;
    if (i + 4 == text.size()) {
      while (digits > 2 && text[i + digits - 1] == '=') --digits;
    }
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t value = k < digits ? values[static_cast<unsigned char>(text[i + k])] : 0;
      if (value == bad) return std::nullopt;
      word = word << 6 | value;
    }
    if (digits < 4 && (word & (digits == 3 ? 0xffU : 0xffffU)) != 0) return std::nullopt;
    for (std::size_t k = 0; k + 1 < digits; ++k) {
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(word >> (16 - 8 * k) & 255)));
    }
  }
  return bytes;
}

}  // namespace parley::base
