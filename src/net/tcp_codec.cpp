// tcp_codec.cpp: lengths and messages.
#include "net/tcp_codec.hpp"

#include <algorithm>
#include <cstring>

#include "base/endian.hpp"

namespace parley::net {

TcpParser::Event TcpParser::next(std::span<char>& input) {
  if (handed_out_) message_.reset();
  handed_out_ = false;
  if (over_) {
    input = {};
    return {};
  }
  if (header_size_ < header_.size()) {
    const std::size_t n = std::min(header_.size() - header_size_, input.size());
    std::copy_n(input.data(), n, header_.data() + header_size_);
    header_size_ = static_cast<std::uint8_t>(header_size_ + n);
    input = input.subspan(n);
    if (header_size_ < header_.size()) return {};
    const std::uint32_t size = base::get_be32(header_.data());
    if (size == tcp_ping || size == tcp_pong) {
      header_size_ = 0;
      return {.kind = size == tcp_ping ? Event::Kind::ping : Event::Kind::pong};
    }
    if (size > limit_ || size == tcp_goodbye) {
      over_ = true;  // nothing that follows counts
      return {.kind = size == tcp_goodbye ? Event::Kind::goodbye : Event::Kind::too_large};
    }
    size_ = size;
  }
  const std::size_t have = message_ ? message_->size() : 0;
  const std::size_t n = std::min(size_ - have, input.size());
  const Bytes piece(input.data(), n);
  input = input.subspan(n);
  const bool whole = have + n == size_;
  if (whole) {
    header_size_ = 0;
    handed_out_ = true;
    if (have == 0) return {.kind = Event::Kind::message, .payload = piece};
  }
  if (n == 0) return {};
  gather(piece);
  if (!whole) return {};
  return {.kind = Event::Kind::message, .payload = *message_};
}

/// Grows by doubling, but not beyond the message's size.
void TcpParser::gather(Bytes piece) {
  if (!message_) message_ = std::make_unique<std::string>();
  const std::size_t need = message_->size() + piece.size();
  if (need > message_->capacity()) {
    std::string larger;  // reserve() on the old one may double what is asked for
    larger.reserve(std::max(need, std::min(message_->capacity() * 2, size_)));
    larger.append(*message_);
    message_->swap(larger);
  }
  message_->append(piece);
}

}  // namespace parley::net
