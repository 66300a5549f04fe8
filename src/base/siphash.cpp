// siphash.cpp: SipHash-2-4 with 64 and 128 bits of output.
#include "base/siphash.hpp"

#include <bit>
#include <cstddef>

namespace parley::base {
namespace {

std::uint64_t load_little(const unsigned char* bytes, std::size_t count = 8) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

struct State {
  std::uint64_t v0, v1, v2, v3;

  explicit State(const SipKey& key) noexcept {
    const std::uint64_t k0 = load_little(key.data());
    const std::uint64_t k1 = load_little(key.data() + 8);
    v0 = k0 ^ 0x736f6d6570736575ULL;
    v1 = k1 ^ 0x646f72616e646f6dULL;
    v2 = k0 ^ 0x6c7967656e657261ULL;
    v3 = k1 ^ 0x7465646279746573ULL;
  }
  void rounds(int count) noexcept {
    for (; count > 0; --count) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  void absorb_all(std::string_view bytes) noexcept {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, data += 8) absorb(load_little(data));
    absorb(std::uint64_t{bytes.size() & 255} << 56 | load_little(data, left));
  }
  std::uint64_t squeeze() noexcept {
    rounds(4);
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t siphash64(const SipKey& key, std::string_view bytes) noexcept {
  State state(key);
  state.absorb_all(bytes);
  state.v2 ^= 0xff;
  return state.squeeze();
}

std::array<std::uint8_t, 16> siphash128(const SipKey& key, std::string_view bytes) noexcept {
  State state(key);
  state.v1 ^= 0xee;
  state.absorb_all(bytes);
  state.v2 ^= 0xee;
  const std::uint64_t low = state.squeeze();
  state.v1 ^= 0xdd;
  const std::uint64_t high = state.squeeze();
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(low >> (8 * i));
    out[8 + i] = static_cast<std::uint8_t>(high >> (8 * i));
  }
  return out;
}

}  // namespace parley::base
