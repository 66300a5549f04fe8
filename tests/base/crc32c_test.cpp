// crc32c_test.cpp: the vectors of RFC 3720 B.4, chaining, and the instruction against the tables.
#include "base/crc32c.hpp"

#include <rapidcheck.h>

#include <string>

#include "catch.hpp"

using parley::base::crc32c;
using parley::base::crc32c_portable;

TEST_CASE("CRC32C gives the values of RFC 3720") {
  std::string rising;
  std::string falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  const unsigned char read_pdu[] = {
      0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0};
  for (auto* function : {&crc32c, &crc32c_portable}) {
    CHECK(function(0, std::string(32, '\0')) == 0x8a9136aaU);
    CHECK(function(0, std::string(32, '\xff')) == 0x62a8ab43U);
    CHECK(function(0, rising) == 0x46dd794eU);
    CHECK(function(0, falling) == 0x113fdb5cU);
    CHECK(function(0, {reinterpret_cast<const char*>(read_pdu), 48}) == 0xd9963a56U);
    CHECK(function(0, "123456789") == 0xe3069283U);
    CHECK(function(7, "") == 7);
  }
}

TEST_CASE("CRC32C continues over pieces, in both implementations alike") {
  CHECK(rc::check("pieces", [](const std::string& a, const std::string& b, std::uint32_t seed) {
    RC_ASSERT(crc32c(crc32c(seed, a), b) == crc32c(seed, a + b));
    RC_ASSERT(crc32c(seed, a + b) == crc32c_portable(seed, a + b));
  }));
}

TEST_CASE("CRC32C of any length, also where several lanes are summed side by side") {
  std::string bytes;
  std::uint32_t word = 1;
  while (bytes.size() < 5'000)
    bytes += static_cast<char>((word = word * 1664525 + 1013904223) >> 24);
  for (std::size_t size = 0; size <= bytes.size(); size += size < 1'600 ? 1 : 97) {
    const auto piece = std::string_view(bytes).substr(0, size);
    REQUIRE(crc32c(17, piece) == crc32c_portable(17, piece));
  }
}
