// net/upgrade.hpp: the WebSocket handshake of both sides as pure functions of an HTTP head.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.hpp"
#include "parley/transport.hpp"

namespace parley::net {

inline constexpr std::string_view binary_protocol = "parley.v1";
inline constexpr std::string_view json_protocol = "parley.v1.json";

/// What a request is answered with.
struct Answer {
  enum class Kind : std::uint8_t { upgrade, file, refuse };
  Kind kind = Kind::refuse;
  Encoding encoding = Encoding::binary;  // upgrade
  std::string response;                  // upgrade: the whole head; refuse: head and text
};

struct UpgradeRules {
  std::string_view path;                    // where the WebSocket lives
  const std::vector<std::string>* origins;  // see WebsocketOptions::origins
  bool files = false;                       // static files are served
};

/// Thread: any.
Answer answer_request(const HttpHead& head, const UpgradeRules& rules);
/// A whole response with a short text.
std::string refusal(int status, std::string_view text, std::string_view more_headers = {});
std::string_view status_text(int status) noexcept;
/// Sec-WebSocket-Accept for a key.
std::string accept_for(std::string_view key);

/// The client's request; `key` is 16 random bytes in base64.
std::string upgrade_request(std::string_view host, std::string_view target, std::string_view key,
                            Encoding encoding);
/// Empty when the response grants it; what is wrong otherwise.
Result<void> check_response(const HttpHead& head, std::string_view key, Encoding encoding);

}  // namespace parley::net
