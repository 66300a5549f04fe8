// url_test.cpp: what is a URL here and what is not.
#include "transport/url.hpp"

#include <rapidcheck.h>

#include "catch.hpp"

using parley::Errc;
using parley::transport::parse_url;

TEST_CASE("URLs are taken apart and put together again") {
  struct Row {
    const char* text;
    const char* scheme;
    const char* host;
    int port;
    const char* path;
    const char* query;
  };
  const Row rows[] = {
      {"ws://127.0.0.1:8080/chat", "ws", "127.0.0.1", 8080, "/chat", ""},
      {"ws://localhost", "ws", "localhost", -1, "", ""},
      {"ws://localhost/", "ws", "localhost", -1, "/", ""},
      {"ws://[::1]:0/a/b?c=d&e", "ws", "::1", 0, "/a/b", "c=d&e"},
      {"tcp://*:65535", "tcp", "*", 65535, "", ""},
      {"tcp://:80", "tcp", "", 80, "", ""},
      {"inproc:lobby", "inproc", "", -1, "lobby", ""},
      {"unix:/run/parley.sock", "unix", "", -1, "/run/parley.sock", ""},
      {"a+b-c.1:x", "a+b-c.1", "", -1, "x", ""},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto url = parse_url(row.text);
    REQUIRE(url.ok());
    CHECK(url.value().scheme == row.scheme);
    CHECK(url.value().host == row.host);
    CHECK(url.value().port.value_or(0) == std::max(row.port, 0));
    CHECK(url.value().port.has_value() == (row.port >= 0));
    CHECK(url.value().path == row.path);
    CHECK(url.value().query == row.query);
    CHECK(url.value().text() == row.text);
  }
  CHECK(parse_url("WS://Host").value().scheme == "ws");
}

TEST_CASE("what is no URL here is refused with the part that is wrong") {
  const std::pair<const char*, const char*> rows[] = {
      {"", "scheme"},
      {"nothing", "scheme"},
      {":x", "scheme"},
      {"1a:x", "scheme"},
      {"a_b:x", "scheme"},
      {"ws://h:65536", "port"},
      {"ws://h:", "port"},
      {"ws://h:-1", "port"},
      {"ws://h:8x", "port"},
      {"ws://h:99999999999999999999", "port"},
      {"ws://u@h", "user name"},
      {"ws://u:p@h:1/", "user name"},
      {"ws://::1", "brackets"},
      {"ws://[::1", "bracket"},
      {"ws://[::1]x", "bracket"},
      {"ws://[evil/]", "bracket"},
      {"ws://h/#f", "fragment"},
      {"ws://h/a b", "spaces"},
      {"ws://h/\n", "spaces"},
      {"ws://h/\xc3\xa4", "spaces"},
  };
  for (const auto& [text, part] : rows) {
    INFO(text);
    const auto url = parse_url(text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().errc() == Errc::invalid_argument);
    CHECK(url.error().message.find(part) != std::string::npos);
  }
  const std::string longest = "ws://h/" + std::string(2'048 - 7, 'p');
  CHECK(parse_url(longest).ok());
  CHECK_FALSE(parse_url(longest + "p").ok());
}

TEST_CASE("any text parses or is refused, and what parses survives a round trip") {
  REQUIRE(rc::check([] {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ws:/[]@?#%.aA1*- \x80")));
    const auto url = parse_url(text);
    if (!url.ok()) return;
    const auto again = parse_url(url.value().text());
    RC_ASSERT(again.ok());
    RC_ASSERT(again.value().text() == url.value().text());
  }));
}
