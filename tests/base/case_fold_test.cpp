// case_fold_test.cpp: upper and lower case of every script, and all the rest left alone.
#include "base/case_fold.hpp"

#include <string>

#include "catch.hpp"

using parley::base::fold_case;

TEST_CASE("case: names that differ in nothing else are the same") {
  CHECK(fold_case("") == "");
  CHECK(fold_case("aZ09_@[") == "az09_@[");
  CHECK(fold_case("\u00c4RGER") == "\u00e4rger");
  CHECK(fold_case("\u0100\u0101\u0102") == "\u0101\u0101\u0103");  // every second one
  CHECK(fold_case("\u03a3\u03c2\u03c3") == "\u03c3\u03c3\u03c3");  // both small sigmas
  CHECK(fold_case("\u0416\u0436") == "\u0436\u0436");
  CHECK(fold_case("\u212a") == "k");               // shorter
  CHECK(fold_case("\u023a") == "\u2c65");          // longer
  CHECK(fold_case("\U00010400") == "\U00010428");  // beyond the first plane
}

TEST_CASE("case: what has none stays as it is") {
  for (const std::string text : {"\u00df", "\u4e2d\u6587", "\U0001f600", "\u0e01", "a\u0301"})
    CHECK(fold_case(text) == text);
}

TEST_CASE("case: folding twice changes nothing more") {
  bool all = true;
  for (std::uint32_t c = 0x80; c < 0x20000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    if (c < 0x800) {
      text = {char(0xc0 | c >> 6), char(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      text = {char(0xe0 | c >> 12), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
    } else {
      text = {char(0xf0 | c >> 18), char(0x80 | (c >> 12 & 63)), char(0x80 | (c >> 6 & 63)),
              char(0x80 | (c & 63))};
    }
    const std::string once = fold_case(text);
    all = all && fold_case(once) == once;
  }
  CHECK(all);
}
