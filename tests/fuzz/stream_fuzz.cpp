// stream_fuzz.cpp: any bytes as an HTTP request head, a response head, and a tcp stream, in any
// split.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.hpp"
#include "net/static_files.hpp"
#include "net/tcp_codec.hpp"
#include "net/upgrade.hpp"
#include "parley/limits.hpp"

namespace {

using namespace parley::net;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What came of a head, as text.
std::string read_head(HttpHeadParser::Kind kind, std::string_view bytes, std::size_t step) {
  HttpHeadParser parser(kind);
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    std::string_view piece = bytes.substr(taken, step);
    const std::size_t size = piece.size();
    const auto progress = parser.feed(piece);
    taken += size - piece.size();
    require(taken <= parley::limits::http_header);
    if (progress == HttpHeadParser::Progress::need_more) continue;
    if (progress != HttpHeadParser::Progress::done) return "refused";
    const HttpHead& head = parser.head();
    if (kind == HttpHeadParser::Kind::response) {
      const bool good =
          check_response(head, "dGhlIHNhbXBsZSBub25jZQ==", parley::Encoding::json).ok();
      return std::string(good ? "granted " : "not granted ") + std::to_string(taken);
    }
    static const std::vector<std::string> origins;
    const Answer answer =
        answer_request(head, {.path = "/chat", .origins = &origins, .files = true});
    const std::string path = decode_path(head.target);
    require(path.find("..") == std::string::npos || path.find("/..") == std::string::npos);
    return answer.response + path + std::to_string(taken);
  }
  return "more";
}

std::string read_stream(std::size_t limit, const std::vector<char>& bytes, std::size_t step) {
  TcpParser parser(limit);
  std::string log;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto end = std::min(at + step, bytes.size());
    std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(end));
    std::span<char> input(piece);
    for (;;) {
      const auto event = parser.next(input);
      require(parser.buffered() <= limit + 64);
      require(event.payload.size() <= limit);
      if (event.kind == TcpParser::Event::Kind::need_more) break;
      log += static_cast<char>('0' + static_cast<int>(event.kind));
      log.append(event.payload);
    }
    require(input.empty());
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = std::size_t{data[1]} + 1;
  const std::vector<char> bytes(data + 2, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  switch (data[0] % 3) {
    case 0:
      require(read_head(HttpHeadParser::Kind::request, text, step) ==
              read_head(HttpHeadParser::Kind::request, text, text.size()));
      break;
    case 1:
      require(read_head(HttpHeadParser::Kind::response, text, step) ==
              read_head(HttpHeadParser::Kind::response, text, text.size()));
      break;
    default: {
      const std::size_t limit = std::size_t{1} << (data[0] / 3 % 16);
      require(read_stream(limit, bytes, step) == read_stream(limit, bytes, bytes.size() + 1));
    }
  }
  return 0;
}
