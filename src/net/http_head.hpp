// net/http_head.hpp: the head of one HTTP/1.1 request or response, within limits, without I/O.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace parley::net {

/// The fields that matter to a WebSocket handshake and to static files.
struct HttpHead {
  std::string method;  // of a request
  std::string target;  // of a request
  int status = 0;      // of a response
  bool version_1_1 = false;
  bool body = false;  // a request that announces one
  std::string host;
  std::string origin;
  bool has_origin = false;
  std::string upgrade;  // joined with commas when it came more than once, like the next two
  std::string connection;
  std::string protocols;   // Sec-WebSocket-Protocol
  std::string extensions;  // Sec-WebSocket-Extensions
  std::string key;
  std::string version;
  std::string accept;
  std::string if_none_match;

  /// A field that may stand once only, and did not.
  bool repeated = false;
};

/// Fed with bytes as they come. The limits are limits::http_header for all bytes of the head and
/// limits::http_headers for its fields.
class HttpHeadParser {
 public:
  enum class Kind : std::uint8_t { request, response };
  enum class Progress : std::uint8_t { need_more, done, malformed, too_large };

  explicit HttpHeadParser(Kind kind);
  ~HttpHeadParser();
  HttpHeadParser(const HttpHeadParser&) = delete;
  HttpHeadParser& operator=(const HttpHeadParser&) = delete;

  /// Takes bytes off the front; when done, what follows the head is left.
  Progress feed(std::string_view& bytes);
  [[nodiscard]] HttpHead& head() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether a comma-separated list holds a token, without regard to case.
bool has_token(std::string_view list, std::string_view token) noexcept;
/// Calls f(token) for each, without the space around it, until it returns true.
template <class F>
bool any_token(std::string_view list, F&& f) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t'))
      token.remove_prefix(1);
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) token.remove_suffix(1);
    if (!token.empty() && f(token)) return true;
  }
  return false;
}
/// ASCII, without regard to case.
bool same_text(std::string_view a, std::string_view b) noexcept;

}  // namespace parley::net
