// utf8.hpp: is this text valid UTF-8? For whole strings, and for text that comes in pieces
// (WebSocket).
#pragma once
#include <cstdint>
#include <string_view>

namespace parley::base {

/// Checks pieces of one text as they come: no overlong form, no surrogate, nothing above U+10FFFF
/// (Unicode table 3-7). Fails at the first byte that no valid text can contain there.
class Utf8Validator {
 public:
  /// False once the text can no longer be valid; then it stays false until reset().
  bool feed(std::string_view piece) noexcept;
  /// True when all fed so far is valid and no character is cut at the end.
  [[nodiscard]] bool complete() const noexcept { return valid_ && expected_ == 0; }
  void reset() noexcept { *this = {}; }

 private:
  bool begin(unsigned char lead) noexcept;

  std::uint8_t expected_ = 0;  // continuation bytes still to come
  std::uint8_t low_ = 0x80;    // bounds of the next one
  std::uint8_t high_ = 0xbf;
  bool valid_ = true;
};

/// The whole string is valid UTF-8 (an empty one is). Zero bytes are valid. Thread: any.
bool valid_utf8(std::string_view text) noexcept;

}  // namespace parley::base
