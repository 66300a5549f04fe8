// http_head.cpp: llhttp behind limits.
#include "net/http_head.hpp"

#include <llhttp.h>

#include <algorithm>

#include "parley/limits.hpp"

namespace parley::net {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool same_text(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  return any_token(list, [token](std::string_view one) { return same_text(one, token); });
}

struct HttpHeadParser::State {
  llhttp_t parser{};
  HttpHead head;
  std::string field;  // of the header being read
  std::string value;
  std::size_t bytes = 0;
  std::size_t fields = 0;
  bool complete = false;
  bool too_many = false;

  static State& of(llhttp_t* parser) noexcept { return *static_cast<State*>(parser->data); }

  void once(std::string& to) {
    if (!to.empty()) head.repeated = true;
    to = value;
  }
  void list(std::string& to) {
    if (!to.empty()) to += ',';
    to += value;
  }

  int header() {
    if (++fields > limits::http_headers) {
      too_many = true;
      return -1;
    }
    const auto is = [this](std::string_view name) { return same_text(field, name); };
    if (is("host")) {
      once(head.host);
    } else if (is("origin")) {
      if (head.has_origin) head.repeated = true;
      head.has_origin = true;
      head.origin = value;
    } else if (is("upgrade")) {
      list(head.upgrade);
    } else if (is("connection")) {
      list(head.connection);
    } else if (is("sec-websocket-protocol")) {
      list(head.protocols);
    } else if (is("sec-websocket-extensions")) {
      list(head.extensions);
    } else if (is("sec-websocket-key")) {
      once(head.key);
    } else if (is("sec-websocket-version")) {
      once(head.version);
    } else if (is("sec-websocket-accept")) {
      once(head.accept);
    } else if (is("if-none-match")) {
      list(head.if_none_match);
    } else if (is("transfer-encoding") || (is("content-length") && value != "0")) {
      head.body = true;
    }
    field.clear();
    value.clear();
    return 0;
  }

  int headers_complete() {
    complete = true;
    head.version_1_1 = parser.http_major == 1 && parser.http_minor >= 1;
    head.status = parser.status_code;
    return 2;  // no body for us: stop behind the empty line
  }
};

namespace {

template <std::string HttpHead::*Member, class State>
int append_head(llhttp_t* parser, const char* at, std::size_t size) {
  (State::of(parser).head.*Member).append(at, size);
  return 0;
}

}  // namespace

HttpHeadParser::HttpHeadParser(Kind kind) : state_(std::make_unique<State>()) {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t s{};
    s.on_url = &append_head<&HttpHead::target, State>;
    s.on_method = &append_head<&HttpHead::method, State>;
    s.on_header_field = [](llhttp_t* p, const char* at, std::size_t size) {
      State::of(p).field.append(at, size);
      return 0;
    };
    s.on_header_value = [](llhttp_t* p, const char* at, std::size_t size) {
      State::of(p).value.append(at, size);
      return 0;
    };
    s.on_header_value_complete = [](llhttp_t* p) { return State::of(p).header(); };
    s.on_headers_complete = [](llhttp_t* p) { return State::of(p).headers_complete(); };
    return s;
  }();
  llhttp_init(&state_->parser, kind == Kind::request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
  state_->parser.data = state_.get();
}

HttpHeadParser::~HttpHeadParser() = default;

HttpHead& HttpHeadParser::head() noexcept { return state_->head; }

HttpHeadParser::Progress HttpHeadParser::feed(std::string_view& bytes) {
  State& state = *state_;
  const std::size_t room = limits::http_header - state.bytes;
  const std::size_t size = std::min(bytes.size(), room);
  const llhttp_errno_t error = llhttp_execute(&state.parser, bytes.data(), size);
  if (state.complete) {
    const char* end = llhttp_get_error_pos(&state.parser);
    bytes.remove_prefix(end != nullptr ? static_cast<std::size_t>(end - bytes.data()) : size);
    return Progress::done;
  }
  if (state.too_many) return Progress::too_large;
  if (error != HPE_OK) return Progress::malformed;
  state.bytes += size;
  bytes.remove_prefix(size);
  return bytes.empty() && state.bytes < limits::http_header ? Progress::need_more
                                                            : Progress::too_large;
}

}  // namespace parley::net
