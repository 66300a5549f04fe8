// crc32c.cpp: SSE4.2 and ARMv8 instructions chosen at run time, slicing-by-8 tables otherwise.
#include "base/crc32c.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace parley::base {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t previous = tables[t - 1][i];
      tables[t][i] = (previous >> 8) ^ tables[0][previous & 255];
    }
  }
  return tables;
}
constexpr Tables tables = make_tables();

#if defined(__x86_64__)
// The instruction takes three cycles but one can begin in each: three lanes are summed side by
// side, then joined. What a lane of zeros makes of a sum is linear in its bits.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;
constexpr Shift make_shift(std::size_t lane_bytes) {
  std::array<std::uint32_t, 32> of_bit{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1U << bit;
    for (std::size_t i = 0; i < lane_bytes; ++i) crc = (crc >> 8) ^ tables[0][crc & 255];
    of_bit[bit] = crc;
  }
  Shift shift{};
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::uint32_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) shift[byte][value] ^= of_bit[8 * byte + bit];
      }
    }
  }
  return shift;
}
template <std::size_t lane_bytes>
constexpr Shift shift = make_shift(lane_bytes);

/// What the lane after it makes of a sum.
template <std::size_t lane_bytes>
std::uint32_t past_a_lane(std::uint64_t crc) noexcept {
  const Shift& by = shift<lane_bytes>;
  return by[0][crc & 255] ^ by[1][crc >> 8 & 255] ^ by[2][crc >> 16 & 255] ^ by[3][crc >> 24 & 255];
}

/// As many bytes as three lanes of that size take at a time.
template <std::size_t lane_bytes>
__attribute__((target("sse4.2"))) std::uint64_t by_lanes(std::uint64_t crc,
                                                         std::string_view& bytes) noexcept {
  for (; bytes.size() >= 3 * lane_bytes; bytes.remove_prefix(3 * lane_bytes)) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < lane_bytes; i += 8) {
      std::uint64_t words[3];
      for (std::size_t lane = 0; lane < 3; ++lane)
        std::memcpy(&words[lane], bytes.data() + lane * lane_bytes + i, 8);
      crc = _mm_crc32_u64(crc, words[0]);
      second = _mm_crc32_u64(second, words[1]);
      third = _mm_crc32_u64(third, words[2]);
    }
    crc = past_a_lane<lane_bytes>(crc) ^ second;
    crc = past_a_lane<lane_bytes>(crc) ^ third;
  }
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t seed,
                                                               std::string_view bytes) noexcept {
  std::uint64_t crc = ~seed;
  crc = by_lanes<256>(crc, bytes);
  crc = by_lanes<64>(crc, bytes);  // a message, or what is left of a chunk of them
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, data += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto small = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++data) small = _mm_crc32_u8(small, static_cast<unsigned char>(*data));
  return ~small;
}
bool has_instruction() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0;
}
#elif defined(__aarch64__) && defined(__linux__)
__attribute__((target("+crc"))) std::uint32_t by_instruction(std::uint32_t seed,
                                                             std::string_view bytes) noexcept {
  std::uint32_t crc = ~seed;
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, data += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    crc = __crc32cd(crc, word);
  }
  for (; left > 0; --left, ++data) crc = __crc32cb(crc, static_cast<unsigned char>(*data));
  return ~crc;
}
bool has_instruction() noexcept {
  constexpr unsigned long hwcap_crc32 = 1UL << 7;
  return (getauxval(AT_HWCAP) & hwcap_crc32) != 0;
}
#else
std::uint32_t by_instruction(std::uint32_t seed, std::string_view bytes) noexcept {
  return crc32c_portable(seed, bytes);
}
bool has_instruction() noexcept { return false; }
#endif

}  // namespace

std::uint32_t crc32c_portable(std::uint32_t seed, std::string_view bytes) noexcept {
  std::uint32_t crc = ~seed;
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  if constexpr (std::endian::native == std::endian::little) {
    for (; left >= 8; left -= 8, data += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, data, 8);
      word ^= crc;
      crc = 0;
      for (std::size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][(word >> (8 * i)) & 255];
    }
  }
  for (; left > 0; --left, ++data) {
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*data)) & 255];
  }
  return ~crc;
}

std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) noexcept {
  static const bool instruction = has_instruction();
  return instruction ? by_instruction(seed, bytes) : crc32c_portable(seed, bytes);
}

}  // namespace parley::base
