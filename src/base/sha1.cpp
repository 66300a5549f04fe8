// sha1.cpp: FIPS 180-4, section 6.1.
#include "base/sha1.hpp"

#include <bit>
#include <cstddef>
#include <string>

#include "base/endian.hpp"

namespace parley::base {
namespace {

void absorb(std::array<std::uint32_t, 5>& hash, const char* block) noexcept {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 16; ++i) w[i] = get_be32(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  std::uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];
  std::size_t i = 0;
  // Twenty rounds each, the choice of the function outside of them.
  const auto rounds = [&](std::uint32_t k, auto f) {
    for (const std::size_t end = i + 20; i < end; ++i) {
      const std::uint32_t next = std::rotl(a, 5) + f(b, c, d) + e + k + w[i];
      e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
    }
  };
  using Word = std::uint32_t;
  rounds(0x5a827999U, [](Word x, Word y, Word z) { return (x & y) | (~x & z); });
  rounds(0x6ed9eba1U, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  rounds(0x8f1bbcdcU, [](Word x, Word y, Word z) { return (x & y) | (x & z) | (y & z); });
  rounds(0xca62c1d6U, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d, hash[4] += e;
}

}  // namespace

std::array<std::uint8_t, 20> sha1(std::string_view bytes) {
  std::array<std::uint32_t, 5> hash{0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U,
                                    0xc3d2e1f0U};
  std::size_t done = 0;
  for (; bytes.size() - done >= 64; done += 64) absorb(hash, bytes.data() + done);
  std::string tail(bytes.substr(done));
  tail.push_back(static_cast<char>(0x80));
  tail.resize(tail.size() <= 56 ? 56 : 120, '\0');
  append_be(tail, std::uint64_t{bytes.size()} * 8);
  for (std::size_t i = 0; i < tail.size(); i += 64) absorb(hash, tail.data() + i);
  std::array<std::uint8_t, 20> out{};
  for (std::size_t i = 0; i < 20; ++i) {
    out[i] = static_cast<std::uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
  }
  return out;
}

}  // namespace parley::base
