// utf8_test.cpp: every boundary of Unicode table 3-7, whole and in pieces.
#include "base/utf8.hpp"

#include <rapidcheck.h>

#include <string>

#include "catch.hpp"

using parley::base::Utf8Validator;
using parley::base::valid_utf8;

namespace {
std::string encode(std::uint32_t c) {
  std::string out;
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)),
        put(0x80 | (c & 63));
  }
  return out;
}
}  // namespace

TEST_CASE("UTF-8: every code point but the surrogates is valid") {
  bool all = true;
  for (std::uint32_t c = 0; c <= 0x10ffff; ++c) {
    all = all && valid_utf8(encode(c)) == (c < 0xd800 || c > 0xdfff);
  }
  CHECK(all);
  CHECK_FALSE(valid_utf8(encode(0x110000)));
}

TEST_CASE("UTF-8: overlong, cut and stray bytes are refused") {
  CHECK(valid_utf8(""));
  CHECK(valid_utf8(std::string("a\0b", 3)));
  for (const char* bad : {"\x80",
                          "\xbf",
                          "\xc0\x80",
                          "\xc1\xbf",
                          "\xc2",
                          "\xe0\x80\x80",
                          "\xe0\x9f\xbf",
                          "\xe1\x80",
                          "\xed\xa0\x80",
                          "\xed\xbf\xbf",
                          "\xf0\x80\x80\x80",
                          "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80",
                          "\xff",
                          "\xfe",
                          "abcdefgh\xc3",
                          "\xc3\x28",
                          "\xf1\x80\x80",
                          "longer ascii text before \xe2\x28\xa1"}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_utf8(bad));
  }
}

TEST_CASE("UTF-8 in pieces fails at the first byte that cannot be right") {
  Utf8Validator validator;
  CHECK(validator.feed("\xce\xba\xe1\xbd"));
  CHECK_FALSE(validator.complete());
  CHECK(validator.feed("\xb9"));
  CHECK(validator.complete());
  CHECK(validator.feed("\xf4"));
  CHECK_FALSE(validator.feed("\x90"));
  CHECK_FALSE(validator.feed("a"));
  validator.reset();
  CHECK(validator.feed("a"));
  CHECK(validator.complete());
}

TEST_CASE("UTF-8 does not depend on where the text was cut") {
  CHECK(rc::check("cuts", [](const std::string& bytes) {
    const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
    Utf8Validator validator;
    const bool both = validator.feed(std::string_view(bytes).substr(0, cut)) &&
                      validator.feed(std::string_view(bytes).substr(cut)) && validator.complete();
    RC_ASSERT(both == valid_utf8(bytes));
  }));
}
