// store/feed_position.cpp: see the header.
#include "store/feed_position.hpp"

#include <cstring>

namespace parley::store {

std::string FeedPosition::encode() const {
  std::string out(reinterpret_cast<const char*>(incarnation.data()), incarnation.size());
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(number >> shift)));
  return out;
}

std::optional<FeedPosition> FeedPosition::decode(Bytes bytes) noexcept {
  if (bytes.size() != 24) return std::nullopt;
  FeedPosition position;
  std::memcpy(position.incarnation.data(), bytes.data(), 16);
  for (char c : bytes.substr(16)) position.number = position.number << 8 | std::uint8_t(c);
  return position;
}

}  // namespace parley::store
