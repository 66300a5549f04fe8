// websocket_codec.cpp: parsing and writing of RFC 6455 frames.
#include "net/websocket_codec.hpp"

#include <algorithm>
#include <cstring>

#include "base/endian.hpp"

namespace parley::net {
namespace {

/// In place; `at` is where in the mask the first byte stands.
void unmask(std::span<char> bytes, const unsigned char* mask, std::size_t at) noexcept {
  std::array<unsigned char, 8> turned;  // NOLINT(*-member-init)
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(at + i) & 3];
  std::uint64_t wide = 0;
  std::memcpy(&wide, turned.data(), sizeof wide);
  char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    word ^= wide;
    std::memcpy(p, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i) p[i] = static_cast<char>(p[i] ^ turned[i]);
}

bool known(Opcode opcode) noexcept {
  const auto value = static_cast<unsigned>(opcode);
  return value <= 2 || (value >= 8 && value <= 10);
}

}  // namespace

std::size_t write_prefix(char* out, Opcode opcode, std::size_t size) noexcept {
  out[0] = static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  if (size < 126) {
    out[1] = static_cast<char>(size);
    return 2;
  }
  if (size <= 0xffff) {
    out[1] = 126;
    base::put_be16(out + 2, static_cast<std::uint16_t>(size));
    return 4;
  }
  out[1] = 127;
  base::put_be64(out + 2, size);
  return 10;
}

std::string masked_frame(Opcode opcode, Bytes payload, std::uint32_t mask) {
  std::array<char, max_prefix> prefix{};
  std::size_t length = write_prefix(prefix.data(), opcode, payload.size());
  prefix[1] = static_cast<char>(prefix[1] | '\x80');
  base::put_be32(prefix.data() + length, mask);
  length += 4;
  std::string frame;
  frame.reserve(length + payload.size());
  frame.append(prefix.data(), length);
  frame.append(payload);
  unmask(std::span(frame).subspan(length),
         reinterpret_cast<const unsigned char*>(prefix.data() + length - 4), 0);
  return frame;
}

std::string close_payload(CloseCode code, std::string_view text) {
  std::string payload(2, '\0');
  base::put_be16(payload.data(), static_cast<std::uint16_t>(code));
  std::string_view fits = text.substr(0, max_control - 2);
  while (!base::valid_utf8(fits)) fits.remove_suffix(1);
  payload.append(fits);
  return payload;
}

bool valid_close_code(unsigned code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

WebsocketParser::Buffers& WebsocketParser::buffers() {
  if (!buffers_) buffers_ = std::make_unique<Buffers>();
  return *buffers_;
}

std::size_t WebsocketParser::buffered() const noexcept {
  return buffers_ ? buffers_->message.capacity() + buffers_->control.capacity() : 0;
}

Opcode WebsocketParser::opcode() const noexcept { return static_cast<Opcode>(header_[0] & 15); }

std::size_t WebsocketParser::header_length() const noexcept {
  const unsigned length = header_[1] & 0x7f;
  const std::size_t mask = (header_[1] & 0x80) != 0 ? 4 : 0;
  return 2 + mask + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

WebsocketParser::Event WebsocketParser::fail(CloseCode code, std::string_view why) {
  over_ = true;
  buffers_.reset();
  return {.kind = Event::Kind::violation, .code = code, .payload = why};
}

/// What the first two bytes must obey; null when they do.
const char* WebsocketParser::check_start() const noexcept {
  if ((header_[0] & 0x70) != 0) return "a reserved bit is set and no extension was agreed";
  if (!known(opcode())) return "the opcode is reserved";
  const bool masked = (header_[1] & 0x80) != 0;
  if (masked != (role_ == Role::server)) {
    return masked ? "a server's frame is masked" : "a client's frame is not masked";
  }
  if (control()) {
    if (!final_frame()) return "a control frame is fragmented";
    if ((header_[1] & 0x7f) > max_control) return "a control frame is longer than 125 bytes";
    return nullptr;
  }
  const bool begun = message_ != Opcode::continuation;
  if (opcode() == Opcode::continuation && !begun) return "a continuation of no message";
  if (opcode() != Opcode::continuation && begun) return "a new message inside a fragmented one";
  return nullptr;
}

/// Reads the length; checks that it has its shortest form and fits the limit.
const char* WebsocketParser::check_length() noexcept {
  const unsigned length = header_[1] & 0x7f;
  const char* wide = reinterpret_cast<const char*>(header_.data()) + 2;
  remaining_ = length;
  if (length == 126) {
    remaining_ = base::get_be16(wide);
    if (remaining_ < 126) return "the length is not in its shortest form";
  } else if (length == 127) {
    remaining_ = base::get_be64(wide);
    if (remaining_ <= 0xffff) return "the length is not in its shortest form";
    if (remaining_ >> 63 != 0) return "the highest bit of the length is set";
  }
  if (!control() && (remaining_ > limit_ || message_size_ > limit_ - remaining_)) {
    too_large_ = true;
    return "the message is larger than the limit";
  }
  return nullptr;
}

/// Gathers the header. Returns a text on a violation; otherwise in_frame_ tells whether it is
/// whole.
const char* WebsocketParser::read_header(std::span<char>& input) {
  const auto gather = [&](std::size_t want) {
    const std::size_t n = std::min(want - header_size_, input.size());
    std::memcpy(header_.data() + header_size_, input.data(), n);
    header_size_ = static_cast<std::uint8_t>(header_size_ + n);
    input = input.subspan(n);
    return header_size_ == want;
  };
  if (header_size_ < 2) {
    if (input.empty() || !gather(2)) return nullptr;
    if (const char* broken = check_start()) return broken;
  }
  if (!gather(header_length())) return nullptr;
  if (const char* broken = check_length()) return broken;
  in_frame_ = true;
  mask_at_ = 0;
  if (!control() && opcode() != Opcode::continuation) {
    message_ = opcode();
    utf8_.reset();
  }
  return nullptr;
}

/// As much of the frame's payload as there is, unmasked.
std::span<char> WebsocketParser::take(std::span<char>& input) noexcept {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  const std::span<char> piece = input.first(n);
  input = input.subspan(n);
  if (role_ == Role::server) {
    unmask(piece, header_.data() + header_length() - 4, mask_at_);
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + n) & 3);
  }
  remaining_ -= n;
  return piece;
}

WebsocketParser::Event WebsocketParser::next(std::span<char>& input) {
  release();
  if (over_) {
    input = {};
    return {};
  }
  for (;;) {
    if (!in_frame_) {
      if (const char* broken = read_header(input)) {
        return fail(too_large_ ? CloseCode::too_large : CloseCode::protocol_error, broken);
      }
      if (!in_frame_) return {};
    }
    const Event event = control() ? take_control(input) : take_data(input);
    if (event.kind != Event::Kind::need_more || in_frame_) return event;
  }
}

WebsocketParser::Event WebsocketParser::take_control(std::span<char>& input) {
  const bool whole = input.size() >= remaining_ && (!buffers_ || buffers_->control.empty());
  const std::span<char> piece = take(input);
  if (whole) return finish_control({piece.data(), piece.size()});
  std::string& gathered = buffers().control;
  gathered.append(piece.data(), piece.size());
  if (remaining_ > 0) return {};
  return finish_control(gathered);
}

WebsocketParser::Event WebsocketParser::finish_control(Bytes payload) {
  in_frame_ = false;
  header_size_ = 0;
  control_out_ = true;
  if (opcode() == Opcode::close) return finish_close(payload);
  return {.kind = opcode() == Opcode::ping ? Event::Kind::ping : Event::Kind::pong,
          .payload = payload};
}

WebsocketParser::Event WebsocketParser::finish_close(Bytes payload) {
  if (payload.size() == 1) return fail(CloseCode::protocol_error, "a close code of one byte");
  CloseCode code = CloseCode::none;
  if (payload.size() >= 2) {
    const std::uint16_t value = base::get_be16(payload.data());
    if (!valid_close_code(value)) return fail(CloseCode::protocol_error, "an invalid close code");
    code = static_cast<CloseCode>(value);
    payload.remove_prefix(2);
    if (!base::valid_utf8(payload)) {
      return fail(CloseCode::invalid_text, "the close reason is not UTF-8");
    }
  }
  over_ = true;
  return {.kind = Event::Kind::close, .code = code, .payload = payload};
}

WebsocketParser::Event WebsocketParser::take_data(std::span<char>& input) {
  const bool gathered = buffers_ && !buffers_->message.empty();
  const bool in_place = final_frame() && !gathered && input.size() >= remaining_;
  const std::span<char> piece = take(input);
  const bool text = message_ == Opcode::text;
  if (text && !utf8_.feed({piece.data(), piece.size()})) {
    return fail(CloseCode::invalid_text, "a text message is not UTF-8");
  }
  message_size_ += piece.size();
  if (!in_place) gather({piece.data(), piece.size()});
  if (remaining_ > 0) return {};
  in_frame_ = false;
  header_size_ = 0;
  if (!final_frame()) return {};
  if (text && !utf8_.complete()) {
    return fail(CloseCode::invalid_text, "a text message ends inside a character");
  }
  message_ = Opcode::continuation;
  message_size_ = 0;
  message_out_ = true;
  const Bytes whole = in_place ? Bytes(piece.data(), piece.size()) : Bytes(buffers().message);
  return {.kind = Event::Kind::message, .text = text, .payload = whole};
}

/// Grows by doubling, but not beyond the limit.
void WebsocketParser::gather(Bytes piece) {
  if (piece.empty()) return;
  std::string& message = buffers().message;
  const std::size_t need = message.size() + piece.size();
  if (need > message.capacity()) {
    std::string larger;  // reserve() on the old one may double what is asked for
    larger.reserve(std::max(need, std::min(message.capacity() * 2, limit_)));
    larger.append(message);
    message.swap(larger);
  }
  message.append(piece);
}

/// Frees what the last event showed.
void WebsocketParser::release() noexcept {
  if (buffers_) {
    if (control_out_) buffers_->control.clear();
    if (message_out_) buffers_->message.clear();
    if (buffers_->control.empty() && buffers_->message.empty()) buffers_.reset();
  }
  control_out_ = false;
  message_out_ = false;
}

}  // namespace parley::net
