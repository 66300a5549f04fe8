// sha1_test.cpp: FIPS 180 examples, every padding length, and the handshake of RFC 6455 1.3.
#include "base/sha1.hpp"

#include <string>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "catch.hpp"

using namespace parley::base;

namespace {
std::string view(const std::array<std::uint8_t, 20>& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
}  // namespace

TEST_CASE("SHA-1 gives the published values") {
  CHECK(to_hex(view(sha1(""))) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(to_hex(view(sha1("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(to_hex(view(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(to_hex(view(sha1(std::string(1'000'000, 'a')))) ==
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  CHECK(to_hex(view(sha1(std::string(55, 'a')))) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  CHECK(to_hex(view(sha1(std::string(64, 'a')))) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

TEST_CASE("SHA-1 and base64 give the accept value of RFC 6455") {
  CHECK(base64_encode(view(sha1("dGhlIHNhbXBsZSBub25jZQ=="
                                "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))) ==
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
