// net/tcp_codec.hpp: the length-prefixed stream of `tcp:`, without I/O.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "parley/payload.hpp"

namespace parley::net {

inline constexpr std::uint32_t tcp_ping = 0;
inline constexpr std::uint32_t tcp_pong = 0xffffffff;
inline constexpr std::uint32_t tcp_goodbye = 0xfffffffe;

/// Takes a stream apart into messages; buffers only one that does not lie whole in the input, and
/// as far as it has arrived. Ownership: a message lies in the input or here until the next call.
class TcpParser {
 public:
  struct Event {
    enum class Kind : std::uint8_t { need_more, message, ping, pong, goodbye, too_large };
    Kind kind = Kind::need_more;
    Bytes payload;
  };

  explicit TcpParser(std::size_t limit) noexcept : limit_(limit) {}
  Event next(std::span<char>& input);
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }
  /// Nothing half received.
  [[nodiscard]] bool idle() const noexcept { return header_size_ == 0; }
  [[nodiscard]] std::size_t buffered() const noexcept {
    return message_ ? message_->capacity() : 0;
  }

 private:
  void gather(Bytes piece);

  std::unique_ptr<std::string> message_;
  std::size_t limit_;
  std::size_t size_ = 0;
  std::array<char, 4> header_{};
  std::uint8_t header_size_ = 0;
  bool handed_out_ = false;
  bool over_ = false;
};

}  // namespace parley::net
