// utf8.cpp: byte ranges of Unicode table 3-7, with a fast path over eight ASCII bytes at once.
#include "base/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace parley::base {

bool Utf8Validator::begin(unsigned char lead) noexcept {
  low_ = 0x80;
  high_ = 0xbf;
  if (lead < 0x80) return true;
  if (lead < 0xc2 || lead > 0xf4) return false;
  if (lead < 0xe0) {
    expected_ = 1;
  } else if (lead < 0xf0) {
    expected_ = 2;
    if (lead == 0xe0) low_ = 0xa0;   // else overlong
    if (lead == 0xed) high_ = 0x9f;  // else a surrogate
  } else {
    expected_ = 3;
    if (lead == 0xf0) low_ = 0x90;   // else overlong
    if (lead == 0xf4) high_ = 0x8f;  // else above U+10FFFF
  }
  return true;
}

bool Utf8Validator::feed(std::string_view piece) noexcept {
  if (!valid_) return false;
  std::size_t i = 0;
  while (i < piece.size()) {
    if (expected_ == 0) {
      while (piece.size() - i >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, piece.data() + i, 8);
        if ((word & 0x8080808080808080ULL) != 0) break;
        i += 8;
      }
      if (i == piece.size()) break;
    }
    const auto byte = static_cast<unsigned char>(piece[i++]);
    if (expected_ == 0) {
      valid_ = begin(byte);
    } else if (byte < low_ || byte > high_) {
      valid_ = false;
    } else {
      --expected_;
      low_ = 0x80;
      high_ = 0xbf;
    }
    if (!valid_) return false;
  }
  return true;
}

bool valid_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

}  // namespace parley::base
