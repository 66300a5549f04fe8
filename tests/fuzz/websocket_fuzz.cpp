// websocket_fuzz.cpp: any bytes into the frame parser: no crash, bounded buffers, the same in any
// split.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "net/websocket_codec.hpp"

namespace {

using parley::net::WebsocketParser;
using Kind = WebsocketParser::Event::Kind;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Reader {
  WebsocketParser parser;
  std::string log;
  std::size_t limit;

  Reader(WebsocketParser::Role role, std::size_t most) : parser(role, most), limit(most) {}

  void feed(std::vector<char> bytes) {
    std::span<char> input(bytes);
    for (;;) {
      const auto event = parser.next(input);
      require(parser.buffered() <= limit + 1024);
      if (event.kind == Kind::need_more) break;
      require(event.kind != Kind::message || event.payload.size() <= limit);
      require(event.kind == Kind::message || event.kind == Kind::violation ||
              event.payload.size() <= parley::net::max_control);
      log += static_cast<char>('0' + static_cast<int>(event.kind));
      log += event.text ? 't' : 'b';
      log += std::to_string(static_cast<int>(event.code));
      log.append(event.payload);
    }
    require(input.empty());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto role =
      (data[0] & 1) != 0 ? WebsocketParser::Role::client : WebsocketParser::Role::server;
  const std::size_t limit = std::size_t{1} << (data[0] >> 1 & 15);
  const std::size_t step = std::size_t{data[1]} + 1;
  const std::vector<char> bytes(data + 2, data + size);

  Reader whole(role, limit);
  whole.feed(bytes);
  Reader split(role, limit);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto end = std::min(at + step, bytes.size());
    split.feed({bytes.begin() + static_cast<std::ptrdiff_t>(at),
                bytes.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  require(whole.log == split.log);
  require(whole.parser.idle() == split.parser.idle());
  return 0;
}
