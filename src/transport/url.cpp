// url.cpp: takes URLs apart.
#include "transport/url.hpp"

#include <algorithm>
#include <charconv>

namespace parley::transport {
namespace {

bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

Error wrong(std::string text) { return {Errc::invalid_argument, "url: " + std::move(text)}; }

Result<void> parse_port(std::string_view text, Url& url) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) {
    return wrong("the port must be a number from 0 to 65535");
  }
  url.port = port;
  return {};
}

Result<void> parse_authority(std::string_view text, Url& url) {
  if (text.find('@') != std::string_view::npos) return wrong("no user name is allowed");
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("the host's bracket is not closed");
    url.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return wrong("expected a port after the bracket");
    if (url.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) {
      return wrong("expected an IPv6 address between the brackets");
    }
  } else {
    const std::size_t colon = text.find(':');
    url.host = text.substr(0, colon);
    text.remove_prefix(std::min(colon, text.size()));
    if (text.find(':', 1) != std::string_view::npos) {
      return wrong("an IPv6 address must stand in brackets");
    }
  }
  if (text.empty()) return {};
  return parse_port(text.substr(1), url);
}

}  // namespace

std::string_view url_scheme(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  return colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > max_url) return wrong("longer than 2048 bytes");
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(text.begin(), text.end(), printable)) {
    return wrong("spaces, control and non-ASCII characters must be percent-encoded");
  }
  if (text.find('#') != std::string_view::npos) return wrong("no fragment (#) is allowed");
  Url url;
  const std::string_view scheme = url_scheme(text);
  const auto in_scheme = [](char c) {
    return letter(c) || digit(c) || c == '+' || c == '-' || c == '.';
  };
  if (scheme.empty() || !letter(scheme.front()) ||
      !std::all_of(scheme.begin(), scheme.end(), in_scheme)) {
    return wrong("expected a scheme and a colon first, as in ws://127.0.0.1:8080/chat");
  }
  std::transform(scheme.begin(), scheme.end(), std::back_inserter(url.scheme), lower);
  text.remove_prefix(scheme.size() + 1);
  if (const std::size_t query = text.find('?'); query != std::string_view::npos) {
    url.query = text.substr(query + 1);
    text = text.substr(0, query);
  }
  if (text.substr(0, 2) == "//") {
    text.remove_prefix(2);
    const std::size_t slash = std::min(text.find('/'), text.size());
    if (auto parsed = parse_authority(text.substr(0, slash), url); !parsed) {
      return std::move(parsed).error();
    }
    text.remove_prefix(slash);
  }
  url.path = text;
  return url;
}

std::string Url::text() const {
  std::string out = scheme + ":";
  if (!host.empty() || port) {
    const bool six = host.find(':') != std::string::npos;
    out += six ? "//[" + host + "]" : "//" + host;
    if (port) out += ":" + std::to_string(*port);
  }
  out += path;
  if (!query.empty()) out += "?" + query;
  return out;
}

}  // namespace parley::transport
