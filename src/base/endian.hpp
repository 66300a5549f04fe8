// endian.hpp: big-endian integers in byte buffers, so that keys order as numbers and frames are the
// same everywhere.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace parley::base {

/// Writes the low `size` bytes of `value`, most significant first. `out` holds `size` bytes.
constexpr void put_be(char* out, std::uint64_t value, std::size_t size) noexcept {
  for (std::size_t i = size; i > 0; --i, value >>= 8) {
    out[i - 1] = static_cast<char>(static_cast<unsigned char>(value & 255));
  }
}
/// Reads `size` (at most 8) bytes, most significant first.
constexpr std::uint64_t get_be(const char* in, std::size_t size) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

constexpr void put_be16(char* out, std::uint16_t value) noexcept { put_be(out, value, 2); }
constexpr void put_be32(char* out, std::uint32_t value) noexcept { put_be(out, value, 4); }
constexpr void put_be64(char* out, std::uint64_t value) noexcept { put_be(out, value, 8); }
constexpr std::uint16_t get_be16(const char* in) noexcept {
  return static_cast<std::uint16_t>(get_be(in, 2));
}
constexpr std::uint32_t get_be32(const char* in) noexcept {
  return static_cast<std::uint32_t>(get_be(in, 4));
}
constexpr std::uint64_t get_be64(const char* in) noexcept { return get_be(in, 8); }

/// Appends an unsigned integer in its full width.
template <class T>
void append_be(std::string& out, T value) {
  static_assert(std::is_unsigned_v<T>);
  char bytes[sizeof(T)];
  put_be(bytes, value, sizeof(T));
  out.append(bytes, sizeof(T));
}

}  // namespace parley::base
