// base64_test.cpp: the vectors of RFC 4648 section 10 and strictness.
#include "base/base64.hpp"

#include <rapidcheck.h>

#include <string>

#include "catch.hpp"

using parley::base::base64_decode;
using parley::base::base64_encode;

TEST_CASE("base64 gives the values of RFC 4648") {
  const char* vectors[][2] = {{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"},
                              {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
}

TEST_CASE("base64 decoding accepts one spelling only") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zg==Zg==", "=Zg=", "Zm 9",
                          "Zm9v\n", "-__-", "====", "Z===", "A=AA"}) {
    CAPTURE(bad);
    CHECK_FALSE(base64_decode(bad));
  }
  CHECK(rc::check("round trip", [](const std::string& bytes) {
    RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
  }));
}
