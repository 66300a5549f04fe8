// websocket_reader.hpp: what a codec makes of a peer's bytes, as a short line, however they are
// cut.
#pragma once
#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/endian.hpp"
#include "catch.hpp"
#include "net/websocket_codec.hpp"

namespace parley::net::test {

using Role = WebsocketParser::Role;
using Kind = WebsocketParser::Event::Kind;

inline constexpr std::size_t limit = 70'000;

/// A frame as the peer of `role` would send it; `first` is the whole first byte.
inline std::string frame(Role role, unsigned first, std::string payload) {
  std::string out(1, static_cast<char>(first));
  const unsigned mask = role == Role::server ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(mask | payload.size());
  } else if (payload.size() <= 0xffff) {
    out += static_cast<char>(mask | 126);
    base::append_be(out, static_cast<std::uint16_t>(payload.size()));
  } else {
    out += static_cast<char>(mask | 127);
    base::append_be(out, static_cast<std::uint64_t>(payload.size()));
  }
  if (mask != 0) {
    const std::string key = "\x37\xfa\x21\x3d";
    out += key;
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= key[i & 3];
  }
  return out + payload;
}

inline std::string shown(Bytes payload) {
  if (payload.size() <= 40) return std::string(payload);
  return std::string(payload.substr(0, 4)) + "..." + std::to_string(payload.size());
}

/// Events as a short line: T"text" B"binary" ping"x" pong"x" close1000"why" !1002.
struct Reader {
  WebsocketParser parser;
  std::string log;
  std::size_t most_buffered = 0;

  explicit Reader(Role role, std::size_t most = limit) : parser(role, most) {}

  void feed(std::string_view bytes) {
    std::vector<char> copy(bytes.begin(), bytes.end());  // exact, for the sanitizer
    std::span<char> input(copy);
    for (;;) {
      const auto event = parser.next(input);
      most_buffered = std::max(most_buffered, parser.buffered());
      if (event.kind == Kind::need_more) {
        REQUIRE(input.empty());
        return;
      }
      if (!log.empty()) log += ' ';
      const std::string quoted = '"' + shown(event.payload) + '"';
      switch (event.kind) {
        case Kind::message:
          log += (event.text ? "T" : "B") + quoted;
          break;
        case Kind::ping:
          log += "ping" + quoted;
          break;
        case Kind::pong:
          log += "pong" + quoted;
          break;
        case Kind::close:
          log += "close" + std::to_string(static_cast<int>(event.code)) + quoted;
          break;
        default:
          log += "!" + std::to_string(static_cast<int>(event.code));
          break;
      }
    }
  }
};

/// Feeds in one piece, byte by byte and in random splits; all must say the same.
inline std::string read_all(Role role, const std::string& bytes, std::size_t most = limit) {
  Reader whole(role, most);
  whole.feed(bytes);
  Reader single(role, most);
  for (const char byte : bytes) single.feed({&byte, 1});
  REQUIRE(single.log == whole.log);
  std::mt19937 random(20260101);
  for (int round = 0; round < 8; ++round) {
    Reader split(role, most);
    std::size_t at = 0;
    while (at < bytes.size()) {
      const std::size_t n = std::min<std::size_t>(1 + random() % 37, bytes.size() - at);
      split.feed(std::string_view(bytes).substr(at, n));
      at += n;
    }
    REQUIRE(split.log == whole.log);
  }
  return whole.log;
}

struct Piece {
  unsigned first;
  std::string payload;
};

inline std::string read_frames(Role role, const std::vector<Piece>& pieces,
                               std::size_t most = limit) {
  std::string bytes;
  for (const Piece& piece : pieces) bytes += frame(role, piece.first, piece.payload);
  return read_all(role, bytes, most);
}

/// The same frames at both ends.
inline std::string read_both(const std::vector<Piece>& pieces) {
  const std::string server = read_frames(Role::server, pieces);
  REQUIRE(read_frames(Role::client, pieces) == server);
  return server;
}

inline constexpr unsigned text = 0x81;
inline constexpr unsigned binary = 0x82;
inline constexpr unsigned more_text = 0x01;
inline constexpr unsigned more_binary = 0x02;
inline constexpr unsigned more = 0x00;
inline constexpr unsigned last = 0x80;
inline constexpr unsigned close_frame = 0x88;
inline constexpr unsigned ping = 0x89;
inline constexpr unsigned pong = 0x8a;

inline std::string code(unsigned value, const std::string& reason = "") {
  return std::string{static_cast<char>(value >> 8), static_cast<char>(value)} + reason;
}

}  // namespace parley::net::test
