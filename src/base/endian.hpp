// endian.hpp: big-endian integers in byte buffers, so that keys order as numbers and frames are the
// same everywhere.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace parley::base {

// Written out byte by byte rather than in loops: that is what compilers make one instruction of.
template <std::size_t... at>
constexpr void put_bytes(char* out, std::uint64_t value, std::index_sequence<at...>) noexcept {
  ((out[at] = static_cast<char>(
        static_cast<unsigned char>(value >> (8 * (sizeof...(at) - 1 - at)) & 255))),
   ...);
}
template <std::size_t... at>
constexpr std::uint64_t get_bytes(const char* in, std::index_sequence<at...>) noexcept {
  return ((static_cast<std::uint64_t>(static_cast<unsigned char>(in[at]))
           << (8 * (sizeof...(at) - 1 - at))) |
          ...);
}

/// Write and read most significant bytes first.
constexpr void put_be16(char* out, std::uint16_t value) noexcept {
  put_bytes(out, value, std::make_index_sequence<2>());
}
constexpr void put_be32(char* out, std::uint32_t value) noexcept {
  put_bytes(out, value, std::make_index_sequence<4>());
}
constexpr void put_be64(char* out, std::uint64_t value) noexcept {
  put_bytes(out, value, std::make_index_sequence<8>());
}
constexpr std::uint16_t get_be16(const char* in) noexcept {
  return static_cast<std::uint16_t>(get_bytes(in, std::make_index_sequence<2>()));
}
constexpr std::uint32_t get_be32(const char* in) noexcept {
  return static_cast<std::uint32_t>(get_bytes(in, std::make_index_sequence<4>()));
}
constexpr std::uint64_t get_be64(const char* in) noexcept {
  return get_bytes(in, std::make_index_sequence<8>());
}

/// Reads `size` (at most 8) bytes.
constexpr std::uint64_t get_be(const char* in, std::size_t size) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

/// Appends an unsigned integer in its full width.
template <class T>
void append_be(std::string& out, T value) {
  static_assert(std::is_unsigned_v<T>);
  char bytes[sizeof(T)];
  put_bytes(bytes, value, std::make_index_sequence<sizeof(T)>());
  out.append(bytes, sizeof(T));
}

}  // namespace parley::base
