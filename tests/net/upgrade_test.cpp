// upgrade_test.cpp: the HTTP head and the WebSocket handshake of both sides, as functions.
#include "net/upgrade.hpp"

#include <rapidcheck.h>

#include "catch.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::net;
using Progress = HttpHeadParser::Progress;

namespace {

const std::vector<std::string> no_origins;

/// A good request with some lines replaced ("" takes one out) or added.
std::string request(const std::vector<std::pair<std::string, std::string>>& changes,
                    const std::string& first = "GET /chat HTTP/1.1") {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"Host", "chat.example:8080"},
      {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},
      {"Sec-WebSocket-Version", "13"},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Protocol", "parley.v1"}};
  for (const auto& [name, value] : changes) {
    bool found = false;
    for (auto& line : lines) {
      if (line.first != name) continue;
      line.second = value;
      found = true;
    }
    if (!found) lines.emplace_back(name, value);
  }
  std::string out = first + "\r\n";
  for (const auto& [name, value] : lines) {
    if (!value.empty()) out += name.substr(0, name.find('#')) + ": " + value + "\r\n";
  }
  return out + "\r\n";
}

/// The status, or 1 for a file and -1 for a head that does not parse.
int status(const std::string& text, const UpgradeRules& rules) {
  HttpHeadParser parser(HttpHeadParser::Kind::request);
  std::string_view bytes = text;
  if (parser.feed(bytes) != Progress::done) return -1;
  const Answer answer = answer_request(parser.head(), rules);
  if (answer.kind == Answer::Kind::file) return 1;
  CHECK((answer.kind == Answer::Kind::upgrade) == answer.response.starts_with("HTTP/1.1 101 "));
  return std::stoi(answer.response.substr(9, 3));
}
int status(const std::string& text) {
  return status(text, {.path = "/chat", .origins = &no_origins});
}

}  // namespace

TEST_CASE("the accept key is the RFC's") {
  CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("requests are granted or refused with the right status") {
  CHECK(status(request({})) == 101);
  CHECK(status(request({}, "GET /chat?ticket=1 HTTP/1.1")) == 101);
  CHECK(status(request({{"Upgrade", "h2c, WebSocket"}})) == 101);
  CHECK(status(request({{"Connection", "keep-alive, upgrade"}})) == 101);
  CHECK(status(request({}, "GET / HTTP/1.1")) == 404);
  CHECK(status(request({}, "GET /chat/ HTTP/1.1")) == 404);
  CHECK(status(request({}, "POST /chat HTTP/1.1")) == 405);
  CHECK(status(request({}, "GET /chat HTTP/1.0")) == 400);
  CHECK(status(request({{"Host", ""}})) == 400);
  CHECK(status(request({{"Host#2", "other"}})) == 400);
  CHECK(status(request({{"Upgrade", ""}})) == 426);
  CHECK(status(request({{"Upgrade", "websockets"}})) == 426);
  CHECK(status(request({{"Connection", "keep-alive"}})) == 400);
  CHECK(status(request({{"Sec-WebSocket-Version", "8"}})) == 426);
  CHECK(status(request({{"Sec-WebSocket-Version", ""}})) == 426);
  CHECK(status(request({{"Sec-WebSocket-Key", ""}})) == 400);
  CHECK(status(request({{"Sec-WebSocket-Key", "short"}})) == 400);
  CHECK(status(request({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"}})) == 400);
  CHECK(status(request({{"Sec-WebSocket-Key#2", "dGhlIHNhbXBsZSBub25jZQ=="}})) == 400);
  CHECK(status(request({{"Content-Length", "5"}})) == 400);
  CHECK(status(request({{"Transfer-Encoding", "chunked"}})) == 400);
  CHECK(status(request({{"Content-Length", "0"}})) == 101);
}

TEST_CASE("the subprotocol chooses the encoding") {
  const auto encoding = [](const std::string& offered) -> std::string {
    HttpHeadParser parser(HttpHeadParser::Kind::request);
    const std::string text = request({{"Sec-WebSocket-Protocol", offered}});
    std::string_view bytes = text;
    REQUIRE(parser.feed(bytes) == Progress::done);
    const Answer answer = answer_request(parser.head(), {.path = "/chat", .origins = &no_origins});
    if (answer.kind != Answer::Kind::upgrade) return "refused";
    return answer.encoding == Encoding::json ? "json" : "binary";
  };
  CHECK(encoding("parley.v1") == "binary");
  CHECK(encoding("parley.v1.json") == "json");
  CHECK(encoding("parley.v1.json, parley.v1") == "json");
  CHECK(encoding("mqtt , parley.v1") == "binary");
  CHECK(encoding("parley.v2") == "refused");
  CHECK(encoding("PARLEY.V1") == "refused");
  CHECK(encoding("") == "refused");
}

TEST_CASE("origins: the request's own host, or the list") {
  const std::vector<std::string> listed = {"https://chat.example", "http://other:1"};
  const std::vector<std::string> any = {"*"};
  const auto with = [](const std::string& origin, const std::vector<std::string>& origins) {
    return status(request({{"Origin", origin}}), {.path = "/chat", .origins = &origins});
  };
  CHECK(with("http://chat.example:8080", no_origins) == 101);
  CHECK(with("https://CHAT.example:8080", no_origins) == 101);
  CHECK(with("http://chat.example", no_origins) == 403);
  CHECK(with("http://evil.example", no_origins) == 403);
  CHECK(with("http://chat.example:8080.evil.example", no_origins) == 403);
  CHECK(with("null", no_origins) == 403);
  CHECK(with("https://chat.example", listed) == 101);
  CHECK(with("http://other:1", listed) == 101);
  CHECK(with("http://chat.example:8080", listed) == 403);
  CHECK(with("null", any) == 101);
  CHECK(status(request({{"Origin", "http://chat.example:8080"}, {"Origin#2", "http://evil"}})) ==
        400);
}

TEST_CASE("with static files everything but the WebSocket's own path is a file") {
  const UpgradeRules rules{.path = "/chat", .origins = &no_origins, .files = true};
  CHECK(status(request({{"Upgrade", ""}}, "GET / HTTP/1.1"), rules) == 1);
  CHECK(status(request({{"Upgrade", ""}}, "GET /chat HTTP/1.1"), rules) == 426);
  CHECK(status(request({{"Upgrade", ""}}, "GET /chat?x=1 HTTP/1.1"), rules) == 426);
  CHECK(status(request({{"Upgrade", ""}}, "GET /chat/app.js HTTP/1.1"), rules) == 1);
  CHECK(status(request({}, "GET /chat HTTP/1.1"), rules) == 101);
  CHECK(status(request({}, "GET /other HTTP/1.1"), rules) == 404);
  const UpgradeRules root{.path = "/", .origins = &no_origins, .files = true};
  CHECK(status(request({{"Upgrade", ""}}, "GET / HTTP/1.1"), root) == 1);  // the page
}

TEST_CASE("a head comes in any pieces, and what follows it is left") {
  const std::string text = request({{"Origin", "http://chat.example:8080"}}) + "\x81\x80next";
  REQUIRE(rc::check([&] {
    HttpHeadParser parser(HttpHeadParser::Kind::request);
    std::size_t at = 0;
    for (;;) {
      const auto n = *rc::gen::inRange<std::size_t>(1, 40);
      std::string_view piece = std::string_view(text).substr(at, n);
      const std::size_t size = piece.size();
      const Progress progress = parser.feed(piece);
      at += size - piece.size();
      if (progress == Progress::done) break;
      RC_ASSERT(progress == Progress::need_more);
    }
    RC_ASSERT(text.substr(at) == "\x81\x80next");
    RC_ASSERT(parser.head().target == "/chat");
    RC_ASSERT(parser.head().host == "chat.example:8080");
  }));
}

TEST_CASE("any bytes as a head: an answer, never a hang, never more than the limit") {
  REQUIRE(rc::check([] {
    HttpHeadParser parser(HttpHeadParser::Kind::request);
    std::size_t taken = 0;
    for (int i = 0; i < 10'000; ++i) {
      const auto piece = *rc::gen::nonEmpty(rc::gen::container<std::string>(
          rc::gen::elementOf(std::string("GET /x: \r\nHTTP1.a\x80"))));
      std::string_view bytes = piece;
      const Progress progress = parser.feed(bytes);
      taken += piece.size() - bytes.size();
      RC_ASSERT(taken <= limits::http_header);
      if (progress != Progress::need_more) return;
    }
    RC_FAIL("never came to an end");
  }));
}

TEST_CASE("the client takes only what answers its own request") {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const auto check = [&](const std::string& from, const std::string& to) {
    std::string text =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: parley.v1\r\n\r\n";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    HttpHeadParser parser(HttpHeadParser::Kind::response);
    std::string_view bytes = text;
    REQUIRE(parser.feed(bytes) == Progress::done);
    return check_response(parser.head(), key, Encoding::binary).ok();
  };
  CHECK(check("", ""));
  CHECK(check("Upgrade: websocket", "Upgrade: WebSocket"));
  CHECK_FALSE(check("101", "200"));
  CHECK_FALSE(check("Upgrade: websocket", "Upgrade: h2c"));
  CHECK_FALSE(check("Connection: Upgrade", "Connection: close"));
  CHECK_FALSE(check("s3pP", "S3pP"));
  CHECK_FALSE(check("parley.v1", "parley.v1.json"));
  CHECK_FALSE(check("Sec-WebSocket-Protocol: parley.v1\r\n", ""));
  CHECK_FALSE(check("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
}

TEST_CASE("the client's request is one that the server grants") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    CHECK(status(upgrade_request("h:1", "/chat?x=y", "dGhlIHNhbXBsZSBub25jZQ==", encoding)) == 101);
  }
}
