// net/websocket_codec.hpp: RFC 6455 frames without I/O: bytes in, events out; and the prefix of a
// frame.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "parley/payload.hpp"

namespace parley::net {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// The close codes we send (RFC 6455 section 7.4).
enum class CloseCode : std::uint16_t {
  none = 0,  // the close frame carried none
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported = 1003,
  invalid_text = 1007,
  policy = 1008,
  too_large = 1009,
  internal = 1011,
  try_again = 1013,
};

/// Longest prefix: 2 bytes, 8 of length, 4 of mask.
inline constexpr std::size_t max_prefix = 14;
inline constexpr std::size_t max_control = 125;

/// Writes the prefix of an unmasked, unfragmented frame (a server's); a pure function of its
/// arguments. `out` holds max_prefix bytes. Returns the length.
std::size_t write_prefix(char* out, Opcode opcode, std::size_t size) noexcept;
/// A whole masked frame (a client's).
std::string masked_frame(Opcode opcode, Bytes payload, std::uint32_t mask);
/// The payload of a close frame: the code, and as much of the text as fits, cut between characters.
std::string close_payload(CloseCode code, std::string_view text);
/// Whether a peer may send this code.
bool valid_close_code(unsigned code) noexcept;

/// Takes a byte stream apart. It keeps no buffer of its own while messages lie whole in the input;
/// one that does not is gathered in a buffer that grows with what has arrived, never with what was
/// announced, and is freed when the message was handed out.
/// Ownership: an event's payload lies in the input or in the parser, until the next call.
class WebsocketParser {
 public:
  enum class Role : std::uint8_t { server, client };  // a server's peer must mask, a client's not

  struct Event {
    enum class Kind : std::uint8_t {
      need_more,  // the input is used up
      message,
      ping,
      pong,
      close,      // `code` and the reason in `payload`; nothing follows
      violation,  // answer with `code`; the text says which rule; nothing follows
    };
    Kind kind = Kind::need_more;
    bool text = false;
    CloseCode code = CloseCode::none;
    Bytes payload;
  };

  /// `limit`: the largest message in bytes, over all its fragments.
  WebsocketParser(Role role, std::size_t limit) noexcept : limit_(limit), role_(role) {}

  /// The next event; consumes from the front of `input`, whose bytes it unmasks in place.
  Event next(std::span<char>& input);

  /// From the next frame on.
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }
  /// True between messages: nothing half received.
  [[nodiscard]] bool idle() const noexcept {
    return header_size_ == 0 && !in_frame_ && message_ == Opcode::continuation;
  }
  /// Bytes held in buffers.
  [[nodiscard]] std::size_t buffered() const noexcept;

 private:
  struct Buffers {
    std::string message;
    std::string control;
  };

  [[nodiscard]] const char* read_header(std::span<char>& input);
  [[nodiscard]] const char* check_start() const noexcept;
  [[nodiscard]] const char* check_length() noexcept;
  [[nodiscard]] std::size_t header_length() const noexcept;
  [[nodiscard]] Opcode opcode() const noexcept;
  [[nodiscard]] bool control() const noexcept { return (header_[0] & 8) != 0; }
  [[nodiscard]] bool final_frame() const noexcept { return (header_[0] & 0x80) != 0; }
  Event take_control(std::span<char>& input);
  Event take_data(std::span<char>& input);
  Event finish_control(Bytes payload);
  Event finish_close(Bytes payload);
  Event fail(CloseCode code, std::string_view why);
  void gather(Bytes piece);
  void release() noexcept;
  std::span<char> take(std::span<char>& input) noexcept;
  Buffers& buffers();

  std::unique_ptr<Buffers> buffers_;
  std::uint64_t remaining_ = 0;  // of the frame's payload
  std::size_t limit_;
  std::size_t message_size_ = 0;  // received of it so far
  std::array<unsigned char, max_prefix> header_{};
  std::uint8_t header_size_ = 0;
  std::uint8_t mask_at_ = 0;
  base::Utf8Validator utf8_;
  Opcode message_ = Opcode::continuation;  // of the message under way, continuation: none
  Role role_;
  bool in_frame_ = false;
  bool too_large_ = false;
  bool over_ = false;         // close or violation seen
  bool message_out_ = false;  // the last event may lie in the buffer of that name
  bool control_out_ = false;
};

}  // namespace parley::net
