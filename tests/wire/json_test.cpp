// json_test.cpp: the strict reader: what RFC 8259 allows, every bound at the limit and one past it.
#include "wire/json.hpp"

#include <string>

#include "catch.hpp"
#include "wire/codec.hpp"

namespace {

using namespace parley;
using wire::JsonDocument;
using wire::JsonNode;

bool parses(std::string_view text) {
  JsonDocument document;
  const auto result = document.parse(text);
  if (!result) {
    CHECK(result.error().errc() == Errc::protocol_error);
    CHECK_THAT(result.error().message, Catch::Matchers::StartsWith("JSON"));
  }
  return result.ok();
}
std::string unescaped(std::string_view text) {
  JsonDocument document;
  const auto result = document.parse(text);
  REQUIRE(result);
  return std::string(document.at(0).text);
}
std::string problem(std::string_view text) {
  const auto codec = wire::json_codec();
  std::vector<wire::Request> out;
  const auto result = codec->decode(text, out);
  REQUIRE_FALSE(result);
  CHECK(result.error().errc() == Errc::protocol_error);
  return result.error().message;
}
bool accepted(std::string_view text) {
  const auto codec = wire::json_codec();
  std::vector<wire::Request> out;
  return codec->decode(text, out).ok();
}

}  // namespace

TEST_CASE("values of every kind are read, with white space") {
  for (const char* text : {"null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E5", "\"\"",
                           "[]", "{}", " [ 1 , 2 ] ", "{\"a\":1,\"b\":[{}]}", "\t{ }\r\n"}) {
    CAPTURE(text);
    CHECK(parses(text));
  }
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "True",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "--1",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\x01\"",
                           "[",
                           "[1,",
                           "[1,]",
                           "[1 2]",
                           "{",
                           "{a:1}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{\"a\":1 \"b\":2}",
                           "1 2",
                           "{}x",
                           "'a'",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\ud800\\",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "// c\n1",
                           "NaN"}) {
    CAPTURE(text);
    CHECK_FALSE(parses(text));
  }
}

TEST_CASE("strings are unescaped") {
  CHECK(unescaped(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(unescaped(R"("\u0041\u00e9\u20AC\ud83d\ude00")") ==
        "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(unescaped(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("strings are written so that they read back, and bad bytes are replaced") {
  std::string out;
  wire::append_json_string(out, "a\"\\\n\r\t\x01\x7f\xc3\xa9");
  CHECK(out == "\"a\\\"\\\\\\n\\r\\t\\u0001\x7f\xc3\xa9\"");
  CHECK(unescaped(out) == "a\"\\\n\r\t\x01\x7f\xc3\xa9");
  out.clear();
  wire::append_json_string(out, "a\xff\xc3\xa9\xe2\x82z\xc3");
  CHECK(out == "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\"");
}

TEST_CASE("nesting is bounded") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parses(nested(limits::json_depth)));
  CHECK_FALSE(parses(nested(limits::json_depth + 1)));
  CHECK_FALSE(parses(std::string(1'000'000, '[')));
}

TEST_CASE("keys are bounded and never double") {
  const auto object = [](std::size_t keys) {
    std::string text = "{";
    for (std::size_t i = 0; i < keys; ++i) {
      if (i > 0) text += ',';
      text += "\"k" + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  CHECK(parses(object(limits::json_keys)));
  CHECK_FALSE(parses(object(limits::json_keys + 1)));
  CHECK_FALSE(parses(R"({"a":1,"b":2,"a":3})"));
  CHECK_FALSE(parses(R"({"a":1,"\u0061":3})"));
  CHECK(parses(R"({"a":{"a":1},"b":[{"a":1},{"a":1}]})"));
}

TEST_CASE("find looks at the object's own keys only") {
  JsonDocument document;
  const std::string text = R"({"x":{"y":1},"list":[{"z":2}],"y":"own"})";
  REQUIRE(document.parse(text));
  REQUIRE(document.find(0, "y"));
  CHECK(document.at(*document.find(0, "y")).text == "own");
  CHECK_FALSE(document.find(0, "z"));
  CHECK_FALSE(document.find(*document.find(0, "list"), "z"));
}

TEST_CASE("errors of frames name the field and what was expected") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  CHECK(problem("7") == "frame: expected a JSON object");
  CHECK(problem("") == "message: expected at least one JSON object");
  CHECK(problem("\n \n") == "message: expected at least one JSON object");
  CHECK(problem(R"({"request":1})") == "type: expected the field to be there");
  CHECK(problem(R"({"type":"ping"})") == "request: expected 1 to 4294967295");
  CHECK(problem(R"({"type":"ping","request":4294967296})") ==
        "request: expected a whole number from 0 to 4294967295");
  CHECK(problem(R"({"type":"ping","request":1.5})") ==
        "request: expected a whole number from 0 to 4294967295");
  CHECK(problem(R"({"type":"ping","request":"1"})") == "request: expected a whole number");
  CHECK(problem(R"({"type":"join","request":1})") ==
        "join.conversation: expected the field to be there");
  CHECK(problem(R"({"type":"join","request":1,"conversation":"ABC"})") ==
        "join.conversation: expected a string of 32 lower-case hex digits");
  CHECK(problem(R"({"type":"subscribe","request":1,"items":[{"conversation":")" + id +
                R"(","level":"full"},{"conversation":")" + id + R"(","level":"all"}]})") ==
        "subscribe.items[1].level: expected none, heads or full");
  CHECK(problem(R"({"type":"lookup","request":1,"users":["42","x"]})") ==
        "lookup.users[1]: expected a string of decimal digits, 64 bits");
  CHECK(problem(R"({"type":"lookup","request":1,"users":["18446744073709551616"]})") ==
        "lookup.users[0]: expected a string of decimal digits, 64 bits");
  CHECK(problem(R"({"type":"lookup","request":1,"users":{}})") ==
        "lookup.users: expected an array");
  CHECK(problem(R"({"type":"send","request":1,"conversation":")" + id +
                R"(","text":"a","base64":"YQ=="})") ==
        "send.base64: expected not to be beside text");
  CHECK(problem(R"({"type":"send","request":1,"conversation":")" + id + R"(","base64":"YQ"})") ==
        "send.base64: expected padded base64 of the standard alphabet");
  CHECK(problem(R"({"type":"history","request":1,"conversation":")" + id +
                R"(","from":9007199254740992,"backward":true})") ==
        "history.from: expected a whole number from 0 to 9007199254740991");
}

TEST_CASE("ids at their limits, unknown fields and nulls are accepted") {
  CHECK(accepted(R"({"type":"lookup","request":1,"users":["18446744073709551615","0"]})"));
  CHECK(accepted(R"({"type":"ping","request":4294967295,"colour":{"deep":[1,2,{}]}})"));
  CHECK(accepted(R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":null})"));
  CHECK(accepted("{\"type\":\"ping\",\"request\":1}\r\n\r\n{\"type\":\"ping\",\"request\":2}"));
}
