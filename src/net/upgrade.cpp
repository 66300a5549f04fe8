// upgrade.cpp: RFC 6455 section 4.
#include "net/upgrade.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/sha1.hpp"

namespace parley::net {
namespace {

std::string_view protocol_of(Encoding encoding) noexcept {
  return encoding == Encoding::json ? json_protocol : binary_protocol;
}

/// The first offered one that we know.
std::optional<Encoding> choose(std::string_view offered) {
  std::optional<Encoding> chosen;
  any_token(offered, [&](std::string_view token) {
    if (token == binary_protocol) chosen = Encoding::binary;
    if (token == json_protocol) chosen = Encoding::json;
    return chosen.has_value();
  });
  return chosen;
}

/// A browser names the page's origin; without rules it must be the host that it asks.
bool origin_allowed(const HttpHead& head, const std::vector<std::string>& allowed) {
  if (!head.has_origin) return true;
  if (!allowed.empty()) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
      return one == "*" || same_text(one, head.origin);
    });
  }
  const std::size_t scheme = head.origin.find("://");
  if (scheme == std::string::npos) return false;  // "null": a sandboxed page
  return same_text(std::string_view(head.origin).substr(scheme + 3), head.host);
}

bool valid_key(std::string_view key) {
  const auto bytes = base::base64_decode(key);
  return bytes && bytes->size() == 16;
}

Answer refuse(int status, std::string_view text, std::string_view more = {}) {
  return {.kind = Answer::Kind::refuse, .response = refusal(status, text, more)};
}

}  // namespace

std::string_view status_text(int status) noexcept {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Error";
  }
}

std::string refusal(int status, std::string_view text, std::string_view more_headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + ' ';
  out.append(status_text(status));
  out += "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(text.size() + 1) + "\r\nConnection: close\r\n";
  out.append(more_headers);
  out += "\r\n";
  out.append(text);
  return out + '\n';
}

std::string accept_for(std::string_view key) {
  const auto hash = base::sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return base::base64_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

Answer answer_request(const HttpHead& head, const UpgradeRules& rules) {
  if (head.repeated) return refuse(400, "a header that may stand once stands twice");
  if (!head.version_1_1 || head.host.empty()) return refuse(400, "expected HTTP/1.1 and a Host");
  if (head.body) return refuse(400, "a request body is not expected here");
  const std::string_view path = std::string_view(head.target).substr(0, head.target.find('?'));
  const bool wants = has_token(head.upgrade, "websocket");
  if (!wants || path != rules.path) {
    const bool shared = path != rules.path || path == "/";  // a page may live there
    if (rules.files && !wants && shared) return {.kind = Answer::Kind::file};
    if (path != rules.path) return refuse(404, "nothing here");
    return refuse(426, "this is a WebSocket endpoint", "Upgrade: websocket\r\n");
  }
  if (head.method != "GET") return refuse(405, "expected GET", "Allow: GET\r\n");
  if (!has_token(head.connection, "upgrade")) return refuse(400, "expected Connection: Upgrade");
  if (head.version != "13") {
    return refuse(426, "expected WebSocket version 13", "Sec-WebSocket-Version: 13\r\n");
  }
  if (!valid_key(head.key)) return refuse(400, "Sec-WebSocket-Key: expected 16 bytes in base64");
  if (!origin_allowed(head, *rules.origins)) return refuse(403, "this origin is not allowed");
  const auto encoding = choose(head.protocols);
  if (!encoding) {
    return refuse(400, "Sec-WebSocket-Protocol: expected parley.v1 or parley.v1.json");
  }
  Answer answer{.kind = Answer::Kind::upgrade, .encoding = *encoding};
  answer.response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
      accept_for(head.key) + "\r\nSec-WebSocket-Protocol: ";
  answer.response.append(protocol_of(*encoding));
  answer.response += "\r\n\r\n";
  return answer;
}

std::string upgrade_request(std::string_view host, std::string_view target, std::string_view key,
                            Encoding encoding) {
  std::string out = "GET ";
  out.append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ").append(key);
  out.append("\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ");
  out.append(protocol_of(encoding)).append("\r\n\r\n");
  return out;
}

Result<void> check_response(const HttpHead& head, std::string_view key, Encoding encoding) {
  const auto wrong = [](std::string text) { return Error{Errc::protocol_error, std::move(text)}; };
  if (head.status != 101) {
    return wrong("the server answered " + std::to_string(head.status) +
                 " to the WebSocket request");
  }
  if (!has_token(head.upgrade, "websocket") || !has_token(head.connection, "upgrade")) {
    return wrong("the server's answer upgrades to something else");
  }
  if (head.repeated || head.accept != accept_for(key)) {
    return wrong("Sec-WebSocket-Accept does not answer our key");
  }
  if (!head.extensions.empty()) return wrong("the server chose an extension that was not offered");
  if (head.protocols != protocol_of(encoding)) {
    return wrong("the server did not choose the subprotocol that was offered");
  }
  return {};
}

}  // namespace parley::net
