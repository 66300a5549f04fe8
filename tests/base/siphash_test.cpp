// siphash_test.cpp: the example of the paper's appendix A and vectors of the reference
// implementation.
#include "base/siphash.hpp"

#include <string>

#include "base/hex.hpp"
#include "catch.hpp"

using namespace parley::base;

namespace {
SipKey counting_key() {
  SipKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return key;
}
std::string counting(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}
std::string hex128(std::string_view bytes) {
  const auto hash = siphash128(counting_key(), bytes);
  return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}
}  // namespace

TEST_CASE("SipHash-2-4 gives the published 64-bit values") {
  const SipKey key = counting_key();
  CHECK(siphash64(key, counting(15)) == 0xa129ca6149be45e5ULL);  // the paper, appendix A
  CHECK(siphash64(key, counting(0)) == 0x726fdb47dd0e0e31ULL);
  CHECK(siphash64(key, counting(1)) == 0x74f839c593dc67fdULL);
  CHECK(siphash64(key, counting(8)) == 0x93f5f5799a932462ULL);
  CHECK(siphash64(key, counting(63)) == 0x958a324ceb064572ULL);
}

TEST_CASE("SipHash-2-4 gives the published 128-bit values") {
  CHECK(hex128(counting(0)) == "a3817f04ba25a8e66df67214c7550293");
  CHECK(hex128(counting(1)) == "da87c1d86b99af44347659119b22fc45");
  CHECK(hex128(counting(2)) == "8177228da4a45dc7fca38bdef60affe4");
}

TEST_CASE("SipHash depends on the key") {
  SipKey other = counting_key();
  other[15] ^= 1;
  CHECK(siphash64(other, "x") != siphash64(counting_key(), "x"));
  CHECK(siphash128(other, "x") != siphash128(counting_key(), "x"));
}
