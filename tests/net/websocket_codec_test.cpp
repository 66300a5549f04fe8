// websocket_codec_test.cpp: RFC 6455 clause by clause, numbered like the Autobahn suite's
// categories.
#include "net/websocket_codec.hpp"

#include <rapidcheck.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/endian.hpp"
#include "catch.hpp"
#include "websocket_reader.hpp"

using namespace parley::net::test;
using parley::Bytes;
using parley::net::CloseCode;
using parley::net::Opcode;
using parley::net::WebsocketParser;

TEST_CASE("1: framing: every length form at both ends of its range") {
  for (const std::size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536}) {
    const std::string payload(size, '*');
    const std::string quoted = '"' + shown(payload) + '"';
    CHECK(read_both({{text, payload}}) == "T" + quoted);
    CHECK(read_both({{binary, payload}}) == "B" + quoted);
  }
}

TEST_CASE("1: framing: a length that is not in its shortest form") {
  for (const Role role : {Role::server, Role::client}) {
    const unsigned mask = role == Role::server ? 0x80 : 0;
    const std::string key = role == Role::server ? std::string(4, '\0') : "";
    const auto bytes = [&](unsigned form, std::uint64_t value) {
      std::string out{static_cast<char>(binary), static_cast<char>(mask | form)};
      if (form == 126) parley::base::append_be(out, static_cast<std::uint16_t>(value));
      if (form == 127) parley::base::append_be(out, value);
      return out + key + std::string(10, 'x');
    };
    CHECK(read_all(role, bytes(126, 0)) == "!1002");
    CHECK(read_all(role, bytes(126, 125)) == "!1002");
    CHECK(read_all(role, bytes(127, 0)) == "!1002");
    CHECK(read_all(role, bytes(127, 65535)) == "!1002");
    CHECK(read_all(role, bytes(127, std::uint64_t{1} << 63)) == "!1002");
    CHECK(read_all(role, bytes(127, ~std::uint64_t{0})) == "!1002");
    CHECK(read_all(role, bytes(127, ~std::uint64_t{0} >> 1)) == "!1009");
  }
}

TEST_CASE("1: framing: who must mask") {
  CHECK(read_all(Role::server, frame(Role::client, text, "hi")) == "!1002");
  CHECK(read_all(Role::client, frame(Role::server, text, "hi")) == "!1002");
  CHECK(read_all(Role::server, frame(Role::client, ping, "")) == "!1002");
}

TEST_CASE("2: ping and pong") {
  CHECK(read_both({{ping, ""}}) == "ping\"\"");
  CHECK(read_both({{ping, "hello"}}) == "ping\"hello\"");
  CHECK(read_both({{ping, std::string("\0\xff\xfe", 3)}}) ==
        "ping\"" + std::string("\0\xff\xfe", 3) + '"');
  CHECK(read_both({{ping, std::string(125, 'p')}}) == "ping\"pppp...125\"");
  CHECK(read_both({{pong, ""}}) == "pong\"\"");
  CHECK(read_both({{pong, "unsolicited"}, {ping, "x"}}) == "pong\"unsolicited\" ping\"x\"");
  for (const unsigned first : {ping, pong}) {
    const std::string big(126, 'p');
    CHECK(read_both({{first, big}}) == "!1002");
  }
  std::vector<Piece> ten;
  std::string expected;
  for (int i = 0; i < 10; ++i) {
    ten.push_back({ping, std::to_string(i)});
    expected += (i == 0 ? "ping\"" : " ping\"") + std::to_string(i) + '"';
  }
  CHECK(read_both(ten) == expected);
}

TEST_CASE("3: reserved bits") {
  for (const unsigned bits : {0x10U, 0x20U, 0x30U, 0x40U, 0x50U, 0x60U, 0x70U}) {
    CHECK(read_both({{text | bits, "x"}}) == "!1002");
    CHECK(read_both({{text, "good"}, {text | bits, "x"}, {ping, ""}}) == "T\"good\" !1002");
    CHECK(read_both({{ping | bits, "x"}}) == "!1002");
    CHECK(read_both({{close_frame | bits, ""}}) == "!1002");
    CHECK(read_both({{more_text, "a"}, {last | bits, "x"}}) == "!1002");
  }
}

TEST_CASE("4: opcodes") {
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    CHECK(read_both({{0x80 | opcode, ""}}) == "!1002");
    CHECK(read_both({{0x80 | opcode, "payload"}}) == "!1002");
    CHECK(read_both({{text, "good"}, {0x80 | opcode, "x"}, {text, "never"}}) == "T\"good\" !1002");
  }
}

TEST_CASE("5: fragmentation") {
  // Control frames must not be fragmented.
  CHECK(read_both({{0x09, "a"}, {last, "b"}}) == "!1002");
  CHECK(read_both({{0x0a, "a"}, {last, "b"}}) == "!1002");
  CHECK(read_both({{0x08, ""}, {last, ""}}) == "!1002");
  // Fragments are put together, empty ones too; control frames may come between.
  CHECK(read_both({{more_text, "one"}, {last, "two"}}) == "T\"onetwo\"");
  CHECK(read_both({{more_binary, "one"}, {more, "two"}, {last, "three"}}) == "B\"onetwothree\"");
  CHECK(read_both({{more_text, ""}, {more, ""}, {last, ""}}) == "T\"\"");
  CHECK(read_both({{more_text, ""}, {more, "mid"}, {last, ""}}) == "T\"mid\"");
  CHECK(read_both({{more_text, "a"}, {ping, "p"}, {last, "b"}}) == "ping\"p\" T\"ab\"");
  CHECK(read_both({{more_text, "a"}, {pong, ""}, {more, "b"}, {ping, "q"}, {last, "c"}}) ==
        "pong\"\" ping\"q\" T\"abc\"");
  CHECK(read_both({{more_text, "a"}, {ping, std::string(125, 'p')}, {ping, "2"}, {last, "b"}}) ==
        "ping\"pppp...125\" ping\"2\" T\"ab\"");
  CHECK(read_both({{more_text, "a"}, {close_frame, code(1000)}, {last, "b"}}) == "close1000\"\"");
  // A continuation without a beginning, a beginning inside a message.
  CHECK(read_both({{last, "x"}}) == "!1002");
  CHECK(read_both({{more, "x"}, {text, "y"}}) == "!1002");
  CHECK(read_both({{text, "done"}, {last, "x"}}) == "T\"done\" !1002");
  CHECK(read_both({{more_text, "a"}, {last, "b"}, {last, "c"}}) == "T\"ab\" !1002");
  CHECK(read_both({{more_text, "a"}, {text, "b"}}) == "!1002");
  CHECK(read_both({{more_text, "a"}, {more_binary, "b"}}) == "!1002");
  CHECK(read_both({{more_binary, "a"}, {binary, "b"}}) == "!1002");
  CHECK(read_both({{more_text, "a"}, {ping, ""}, {text, "b"}}) == "ping\"\" !1002");
  // Two messages in turn.
  CHECK(read_both({{more_text, "a"}, {last, "b"}, {more_binary, "c"}, {last, "d"}, {text, "e"}}) ==
        "T\"ab\" B\"cd\" T\"e\"");
}

namespace {

const std::vector<std::string> good_utf8 = {
    "",
    "a",
    "hello",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xef\xbf\xbf",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbd",
    "\xef\xbf\xbe",
    "\xf0\x9f\xbf\xbe",
    "\xf0\x9f\xbf\xbf",
    "\xf3\xaf\xbf\xbf",
    "\xf3\xbf\xbf\xbe",
    "\xe5\x85\xac\xe4\xbc\x9a",
    "\xf0\x9f\x98\x80",
    std::string("a\0b", 3),
    "\x7f",
    "\xe2\x82\xac 1",
    "\xf1\x80\x80\x80",
    "\xf3\x80\x80\x80",
};

// Each is wrong from some byte on, or cut at its end.
const std::vector<std::string> bad_utf8 = {
    "\x80",
    "\xbf",
    "\x80\xbf",
    "\x80\xbf\x80",
    "\xc0",
    "\xc1",
    "\xc0\xaf",
    "\xc1\xbf",
    "\xc2",
    "\xc2 ",
    "\xdf",
    "\xe0\x80\xaf",
    "\xe0\x9f\xbf",
    "\xe0\xa0",
    "\xe1\x80",
    "\xef\xbf",
    "\xf0\x80\x80\xaf",
    "\xf0\x8f\xbf\xbf",
    "\xf0\x90\x80",
    "\xf0\x90",
    "\xf0",
    "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80",
    "\xf7\xbf\xbf\xbf",
    "\xf8\x88\x80\x80\x80",
    "\xfb\xbf\xbf\xbf\xbf",
    "\xfc\x84\x80\x80\x80\x80",
    "\xfd\xbf\xbf\xbf\xbf\xbf",
    "\xfe",
    "\xff",
    "\xfe\xfe\xff\xff",
    "\xed\xa0\x80",
    "\xed\xad\xbf",
    "\xed\xae\x80",
    "\xed\xaf\xbf",
    "\xed\xb0\x80",
    "\xed\xbe\x80",
    "\xed\xbf\xbf",
    "\xed\xa0\x80\xed\xb0\x80",
    "\xed\xaf\xbf\xed\xbf\xbf",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
    "edited",
    "ok\xc3(",
    "ok\xe2\x28\xa1",
    "ok\xe2\x82(",
    "ok\xf0\x28\x8c\xbc",
    "ok\xf0\x90\x28\xbc",
    "ok\xf0\x28\x8c\x28",
    "tail\xe5\x85",
};

}  // namespace

TEST_CASE("6: UTF-8 of text messages, whole and in fragments of one byte") {
  for (const std::string& sample : good_utf8) {
    CHECK(read_both({{text, sample}}) == "T\"" + sample + '"');
    std::vector<Piece> bytes{{more_text, ""}};
    for (const char byte : sample) bytes.push_back({more, std::string(1, byte)});
    bytes.push_back({last, ""});
    CHECK(read_both(bytes) == "T\"" + sample + '"');
    CHECK(read_both({{binary, sample}}) == "B\"" + sample + '"');
  }
  for (const std::string& sample : bad_utf8) {
    CHECK(read_both({{text, sample}}) == "!1007");
    std::vector<Piece> bytes{{more_text, ""}};
    for (const char byte : sample) bytes.push_back({more, std::string(1, byte)});
    bytes.push_back({last, ""});
    CHECK(read_both(bytes) == "!1007");
    CHECK(read_both({{binary, sample}}) == "B\"" + sample + '"');
    CHECK(read_both({{close_frame, code(1000, sample)}}) == "!1007");
  }
}

TEST_CASE("6: bad UTF-8 is found before the message ends") {
  Reader reader(Role::client);
  reader.feed(std::string("\x81\x7d", 2) + "good \xff");
  CHECK(reader.log == "!1007");
  // The validator starts afresh with each message, and ignores control frames in between.
  CHECK(read_both({{more_text, "\xe5"}, {ping, "\xff"}, {last, "\x85\xac"}, {text, "b"}}) ==
        "ping\"\xff\" T\"\xe5\x85\xac\" T\"b\"");
  CHECK(read_both({{more_text, "\xe5"}, {last, ""}}) == "!1007");
}

TEST_CASE("7: close") {
  CHECK(read_both({{close_frame, ""}}) == "close0\"\"");
  CHECK(read_both({{close_frame, "\x03"}}) == "!1002");
  CHECK(read_both({{close_frame, code(1000, "bye")}}) == "close1000\"bye\"");
  CHECK(read_both({{close_frame, code(1000, std::string(123, 'r'))}}) == "close1000\"rrrr...123\"");
  CHECK(read_both({{close_frame, code(1000, std::string(124, 'r'))}}) == "!1002");
  for (const unsigned good : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
                              1014, 3000, 3999, 4000, 4999}) {
    CHECK(read_both({{close_frame, code(good)}}) == "close" + std::to_string(good) + "\"\"");
  }
  for (const unsigned bad : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    CHECK(read_both({{close_frame, code(bad)}}) == "!1002");
    CHECK(read_both({{close_frame, code(bad, "reason")}}) == "!1002");
  }
  // Nothing counts after it.
  CHECK(read_both({{close_frame, code(1001)}, {text, "late"}}) == "close1001\"\"");
  CHECK(read_both({{close_frame, ""}, {ping, "late"}}) == "close0\"\"");
  CHECK(read_both({{close_frame, ""}, {close_frame, code(1000)}, {0x83, "junk"}}) == "close0\"\"");
  CHECK(read_both({{0x83, "bad"}, {text, "late"}}) == "!1002");
}

TEST_CASE("9: limits: at the limit and one past it, whole and over fragments") {
  for (const Role role : {Role::server, Role::client}) {
    for (const std::size_t most : {0UL, 1UL, 125UL, 126UL, 1000UL, 65535UL, 65536UL}) {
      const std::string fits(most, 'x');
      CHECK(read_frames(role, {{binary, fits}}, most) == "B\"" + shown(fits) + '"');
      CHECK(read_frames(role, {{binary, fits + 'x'}}, most) == "!1009");
      const std::string half = fits.substr(0, most / 2);
      CHECK(read_frames(role, {{more_binary, half}, {last, fits.substr(most / 2)}}, most) ==
            "B\"" + shown(fits) + '"');
      CHECK(read_frames(role, {{more_binary, fits}, {last, "x"}}, most) == "!1009");
      CHECK(read_frames(role, {{more_binary, fits}, {ping, "control"}, {last, ""}}, most) ==
            "ping\"control\" B\"" + shown(fits) + '"');
    }
  }
}

TEST_CASE("9: limits: nothing is allocated for what is only announced") {
  Reader reader(Role::client, std::size_t{1} << 40);
  std::string bytes("\x82\x7f", 2);
  parley::base::append_be(bytes, std::uint64_t{1} << 39);
  reader.feed(bytes + "few");
  CHECK(reader.log.empty());
  CHECK(reader.most_buffered < 100);
  CHECK_FALSE(reader.parser.idle());
}

TEST_CASE("9: limits: buffers are gone when nothing is half received") {
  Reader reader(Role::client);
  reader.feed(frame(Role::client, binary, std::string(5000, 'x')));
  CHECK(reader.most_buffered == 0);  // whole: handed out where it lay
  const std::string two = frame(Role::client, more_text, "ab") + frame(Role::client, last, "c");
  reader.feed(two.substr(0, 3));
  CHECK(reader.parser.buffered() > 0);
  CHECK_FALSE(reader.parser.idle());
  reader.feed(two.substr(3));
  CHECK(reader.parser.buffered() == 0);
  CHECK(reader.parser.idle());
  reader.feed(std::string("\x89\x03pi", 4));
  CHECK(reader.parser.buffered() > 0);
  reader.feed("n");
  CHECK(reader.parser.buffered() == 0);
  CHECK(reader.log == "B\"xxxx...5000\" T\"abc\" ping\"pin\"");
}

TEST_CASE("a gathered message's buffer does not grow beyond the limit") {
  Reader reader(Role::client, 3000);
  const std::string bytes = frame(Role::client, binary, std::string(3000, 'x'));
  for (std::size_t at = 0; at < bytes.size(); at += 700) reader.feed(bytes.substr(at, 700));
  CHECK(reader.log == "B\"xxxx...3000\"");
  CHECK(reader.most_buffered <= 3000 + 64);
}

TEST_CASE("a limit set later holds from the next frame on") {
  Reader reader(Role::client, 100);
  reader.feed(frame(Role::client, binary, std::string(100, 'x')));
  reader.parser.set_limit(10);
  reader.feed(frame(Role::client, binary, std::string(11, 'x')));
  CHECK(reader.log == "B\"xxxx...100\" !1009");
}

TEST_CASE("frames we write are read back, whatever their size") {
  for (const std::size_t size : {0, 1, 125, 126, 65535, 65536}) {
    const std::string payload(size, 'z');
    std::string prefix(parley::net::max_prefix, '\0');
    prefix.resize(parley::net::write_prefix(prefix.data(), Opcode::binary, size));
    CHECK(read_all(Role::client, prefix + payload) == "B\"" + shown(payload) + '"');
    CHECK(read_all(Role::server, parley::net::masked_frame(Opcode::text, payload, 0x12345678)) ==
          "T\"" + shown(payload) + '"');
  }
}

TEST_CASE("a close reason is cut to what fits, between characters") {
  using parley::net::close_payload;
  CHECK(close_payload(CloseCode::normal, "bye") == code(1000, "bye"));
  CHECK(close_payload(CloseCode::policy, std::string(200, 'r')).size() == 125);
  const std::string cut = close_payload(CloseCode::normal, std::string(122, 'r') + "\xe5\x85\xac");
  CHECK(cut == code(1000, std::string(122, 'r')));
}

TEST_CASE("any messages in any fragments, splits and with any control frames come out the same") {
  REQUIRE(rc::check([] {
    const Role role = *rc::gen::element(Role::server, Role::client);
    const auto messages =
        *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
    std::string bytes;
    std::vector<std::string> expected;
    for (const std::string& message : messages) {
      const std::size_t cut = *rc::gen::inRange<std::size_t>(0, message.size() + 1);
      expected.push_back("B" + message);
      if (*rc::gen::arbitrary<bool>()) {
        bytes += frame(role, binary, message);
        continue;
      }
      bytes += frame(role, more_binary, message.substr(0, cut));
      if (*rc::gen::arbitrary<bool>()) {
        bytes += frame(role, ping, "p");
        expected.insert(expected.end() - 1, "p");
      }
      bytes += frame(role, last, message.substr(cut));
    }
    WebsocketParser parser(role, limit);
    std::vector<std::string> got;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const std::size_t n = *rc::gen::inRange<std::size_t>(1, bytes.size() - at + 1);
      std::string piece = bytes.substr(at, n);
      at += n;
      std::span<char> input(piece);
      for (;;) {
        const auto event = parser.next(input);
        if (event.kind == Kind::need_more) break;
        RC_ASSERT(event.kind == Kind::message || event.kind == Kind::ping);
        got.push_back((event.kind == Kind::message ? "B" : "") + std::string(event.payload));
      }
    }
    RC_ASSERT(got == expected);
    RC_ASSERT(parser.idle());
    RC_ASSERT(parser.buffered() == 0U);
  }));
}
