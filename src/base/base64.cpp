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
  if (text.empty()) return std::string();
  const auto value = [&](std::size_t at) -> std::uint32_t {
    return values[static_cast<unsigned char>(text[at])];
  };
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t whole = text.size() - (padding == 0 ? 0 : 4);
  std::string bytes(text.size() / 4 * 3 - padding, '\0');
  char* out = bytes.data();
  std::uint32_t seen = 0;  // has the bit of `bad` when one of them was
  for (std::size_t at = 0; at < whole; at += 4) {
    const std::uint32_t a = value(at), b = value(at + 1), c = value(at + 2), d = value(at + 3);
    seen |= a | b | c | d;
    const std::uint32_t word = a << 18 | b << 12 | c << 6 | d;
    *out++ = static_cast<char>(word >> 16);
    *out++ = static_cast<char>(word >> 8);
    *out++ = static_cast<char>(word);
  }
  if (padding != 0) {
    const std::uint32_t a = value(whole), b = value(whole + 1);
    const std::uint32_t c = padding == 1 ? value(whole + 2) : 0;
    seen |= a | b | c;
    const std::uint32_t word = a << 18 | b << 12 | c << 6;
    if ((word & (padding == 1 ? 0xffU : 0xffffU)) != 0) return std::nullopt;
    *out++ = static_cast<char>(word >> 16);
    if (padding == 1) *out++ = static_cast<char>(word >> 8);
  }
  if ((seen & bad) != 0) return std::nullopt;
  return bytes;
}

}  // namespace parley::base
