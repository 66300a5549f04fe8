// codec_test.cpp: every message survives both encodings; damaged bytes give typed errors and
// nothing else.
#include "wire/codec.hpp"

#include <rapidcheck.h>

#include <cstring>
#include <string>

#include "catch.hpp"
#include "wire/any_message.hpp"

namespace {

using namespace parley;
using wire::Codec;

template <class Message>
std::string encoded(Codec& codec, const Message& message) {
  return std::string(codec.encode(message).bytes());
}
template <class Message>
std::vector<Message> decoded(Codec& codec, const std::string& bytes) {
  std::vector<Message> out;
  const auto result = codec.decode(bytes, out);
  if (!result) FAIL(result.error().message);
  return out;
}

// Binary and JSON of the same message, each decoded and encoded in the other, are the same bytes.
template <class Message>
void check_round_trip(const Message& message) {
  const auto binary = wire::binary_codec();
  const auto json = wire::json_codec();
  const std::string bytes = encoded(*binary, message);
  const std::string text = encoded(*json, message);
  RC_ASSERT(bytes.size() % 8 == 0);
  RC_ASSERT(text.back() == '\n');
  RC_ASSERT(text.find('\n') == text.size() - 1);
  for (const auto& [codec, wire] : {std::pair{binary.get(), bytes}, std::pair{json.get(), text}}) {
    const auto again = decoded<Message>(*codec, wire);
    RC_ASSERT(again.size() == 1U);
    RC_ASSERT(encoded(*binary, again[0]) == bytes);
    RC_ASSERT(encoded(*json, again[0]) == text);
  }
}

template <class F>
void check(const char* what, F property) {
  INFO(what);
  CHECK(rc::check(what, property));
}

wire::Request any_request(std::size_t index) {
  return {*rc::gen::inRange<std::uint32_t>(1, UINT32_MAX), test::any_operation(index)};
}
wire::Reply any_reply(std::size_t index) { return {test::any_u32(), test::any_answer(index)}; }

}  // namespace

TEST_CASE("every request survives both encodings") {
  for (std::size_t index = 0; index < test::operations; ++index) {
    CAPTURE(index);
    check("request", [index] { check_round_trip(any_request(index)); });
  }
}

TEST_CASE("every answer survives both encodings") {
  for (std::size_t index = 0; index < test::answers; ++index) {
    CAPTURE(index);
    check("answer", [index] { check_round_trip(any_reply(index)); });
  }
}

TEST_CASE("several frames ride in one message by plain concatenation") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    check("concatenation", [&] {
      std::string joined;
      std::string apart;
      for (std::uint32_t i = 0; i < 3; ++i) {
        const auto request = any_request(*rc::gen::inRange<std::size_t>(0, test::operations));
        joined += encoded(*codec, request);
      }
      for (const auto& request : decoded<wire::Request>(*codec, joined)) {
        apart += encoded(*codec, request);
      }
      RC_ASSERT(joined == apart);
    });
  }
}

TEST_CASE("requests in one message: at the limit, and one past it") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    std::string message;
    std::string answers;
    for (std::uint32_t i = 1; i <= limits::requests_in_message; ++i) {
      message += encoded(*codec, wire::Request{i, wire::Ping{}});
      answers += encoded(*codec, wire::Reply{i, wire::Done{}});
    }
    CHECK(decoded<wire::Request>(*codec, message).size() == limits::requests_in_message);
    message += encoded(*codec, wire::Request{limits::requests_in_message + 1, wire::Ping{}});
    std::vector<wire::Request> out;
    const auto result = codec->decode(message, out);
    REQUIRE_FALSE(result);
    CHECK(result.error().errc() == Errc::protocol_error);
    CHECK(out.empty());
    answers += answers;  // the engine may put as many answers into one as it likes
    CHECK(decoded<wire::Reply>(*codec, answers).size() == 2 * limits::requests_in_message);
  }
}

TEST_CASE("a bad frame takes back the good ones before it") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    std::string message = encoded(*codec, wire::Request{1, wire::Ping{}});
    message += encoding == Encoding::binary ? std::string(16, '\0') : "{]\n";
    std::vector<wire::Request> out(1);
    const auto result = codec->decode(message, out);
    REQUIRE_FALSE(result);
    CHECK(result.error().errc() == Errc::protocol_error);
    CHECK(out.size() == 1);
  }
}

TEST_CASE("truncated messages are refused, never read beyond") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    check("truncation", [&] {
      const bool request = test::any_bool();
      const std::string whole =
          request
              ? encoded(*codec, any_request(*rc::gen::inRange<std::size_t>(0, test::operations)))
              : encoded(*codec, any_reply(*rc::gen::inRange<std::size_t>(0, test::answers)));
      // The last byte of a JSON message is its optional newline.
      for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
        // A block of its own, so that a sanitizer sees the first byte too many.
        const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<long>(size));
        const Bytes view(cut.data(), cut.size());
        std::vector<wire::Request> requests;
        std::vector<wire::Reply> replies;
        const auto result = request ? codec->decode(view, requests) : codec->decode(view, replies);
        RC_ASSERT(!result);
        RC_ASSERT(result.error().errc() == Errc::protocol_error);
        RC_ASSERT(requests.empty() && replies.empty());
      }
    });
  }
}

TEST_CASE("flipped bits never do more than change a message or refuse it") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    check("bit flips", [&] {
      const bool request = test::any_bool();
      std::string bytes =
          request
              ? encoded(*codec, any_request(*rc::gen::inRange<std::size_t>(0, test::operations)))
              : encoded(*codec, any_reply(*rc::gen::inRange<std::size_t>(0, test::answers)));
      for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        std::vector<wire::Request> requests;
        std::vector<wire::Reply> replies;
        const auto result =
            request ? codec->decode(bytes, requests) : codec->decode(bytes, replies);
        if (!result) RC_ASSERT(result.error().errc() == Errc::protocol_error);
        for (const auto& each : requests) encoded(*codec, each);
        for (const auto& each : replies) encoded(*codec, each);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      }
    });
  }
}

TEST_CASE("a request of unknown type is passed on as such, an unknown push is skipped") {
  const auto json = wire::json_codec();
  std::vector<wire::Request> requests;
  REQUIRE(json->decode(R"({"type":"dance","request":7,"tempo":120})", requests));
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].number == 7);
  CHECK(std::get<wire::Unknown>(requests[0].operation).type == "dance");
  std::vector<wire::Reply> replies;
  REQUIRE(json->decode("{\"type\":\"music\"}\n{\"type\":\"dance\",\"request\":8}", replies));
  REQUIRE(replies.size() == 1);
  CHECK(std::get<wire::Failed>(replies[0].answer).error.errc() == Errc::unsupported);

  const auto binary = wire::binary_codec();
  std::string frame = encoded(*binary, wire::Request{9, wire::Ping{}});
  frame[4] = static_cast<char>(250);
  requests.clear();
  REQUIRE(binary->decode(frame, requests));
  CHECK(std::get<wire::Unknown>(requests.at(0).operation).type == "250");
  frame[4] = static_cast<char>(251);
  replies.clear();
  REQUIRE(binary->decode(frame, replies));
  CHECK(std::get<wire::Failed>(replies.at(0).answer).error.errc() == Errc::unsupported);
  std::memset(frame.data() + 8, 0, 4);  // a push
  replies.clear();
  REQUIRE(binary->decode(frame, replies));
  CHECK(replies.empty());
  CHECK(binary->encode(wire::Request{1, wire::Unknown{}}).empty());
  CHECK(json->encode(wire::Request{1, wire::Unknown{}}).empty());
}

TEST_CASE("a wait beyond 32 bits of milliseconds is told as the longest, in both encodings") {
  using namespace std::chrono_literals;
  Error muted{Errc::muted, "muted"};
  const auto longest = std::chrono::milliseconds(UINT32_MAX);
  for (const auto wait : {longest, longest + 1ms, std::chrono::milliseconds::max()}) {
    muted.retry_after = wait;
    for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
      const auto codec = wire::make_codec(encoding);
      const auto read =
          decoded<wire::Reply>(*codec, encoded(*codec, wire::Reply{7, wire::Failed{muted}}));
      REQUIRE(read.size() == 1);
      CHECK(std::get<wire::Failed>(read[0].answer).error.retry_after == longest);
    }
  }
  const auto read = decoded<wire::Reply>(  // as another server may write it
      *wire::json_codec(),
      R"({"type":"error","request":7,"code":"muted","message":"","retry_after_ms":4320000000000})");
  REQUIRE(read.size() == 1);
  CHECK(std::get<wire::Failed>(read[0].answer).error.retry_after == longest);
}

TEST_CASE("a request needs a number and a cursor needs an epoch, in both encodings") {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    const auto refused = [&](const wire::Request& request) {
      std::vector<wire::Request> out;
      const auto result = codec->decode(codec->encode(request).bytes(), out);
      REQUIRE_FALSE(result);
      CHECK(result.error().errc() == Errc::protocol_error);
      return result.error().message;
    };
    CHECK_THAT(refused({0, wire::Ping{}}), Catch::Matchers::StartsWith("request: expected"));
    const ConversationId id{{1}};
    CHECK_THAT(refused({1, wire::Subscribe{{{id, Level::full, Cursor{{}, 7, 9}}}}}),
               Catch::Matchers::Contains("cursor.epoch: expected"));
    CHECK_THAT(refused({1, wire::Subscribe{{{id, Level::full, Cursor{}}}}}),
               Catch::Matchers::Contains("cursor.epoch: expected"));
  }
}
