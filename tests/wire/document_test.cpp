// document_test.cpp: the examples in docs/design/wire_format.md are what the codec reads and
// writes.
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "wire/codec.hpp"
#include "wire/frame_types.hpp"

namespace {

using namespace parley;

// The lines of every fenced block that opens with exactly `fence`.
std::vector<std::string> examples(const std::string& fence) {
  std::ifstream file(PARLEY_SOURCE_DIR "/docs/design/wire_format.md");
  REQUIRE(file);
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == fence;
    } else if (inside) {
      out.push_back(line + '\n');
    }
  }
  return out;
}

template <class Message>
std::set<std::size_t> check_examples(const std::string& fence) {
  const auto json = wire::json_codec();
  const auto binary = wire::binary_codec();
  std::set<std::size_t> kinds;
  for (const std::string& line : examples(fence)) {
    CAPTURE(line);
    std::vector<Message> out;
    const auto result = json->decode(line, out);
    if (!result) FAIL(result.error().message);
    REQUIRE(out.size() == 1);
    CHECK(json->encode(out[0]).bytes() == line);
    // And once through the other encoding.
    std::vector<Message> again;
    REQUIRE(binary->decode(binary->encode(out[0]).bytes(), again));
    REQUIRE(again.size() == 1);
    CHECK(json->encode(again[0]).bytes() == line);
    if constexpr (std::is_same_v<Message, wire::Request>) {
      kinds.insert(out[0].operation.index());
    } else {
      kinds.insert(out[0].answer.index());
    }
  }
  return kinds;
}

}  // namespace

TEST_CASE("the page has an example of every request, and each is canonical") {
  CHECK(check_examples<wire::Request>("```json request").size() == std::size(wire::request_types));
}

TEST_CASE("the page has an example of every answer, and each is canonical") {
  CHECK(check_examples<wire::Reply>("```json reply").size() == std::size(wire::answer_types));
}

TEST_CASE("the page lists every error code with its number and whether it is retryable") {
  std::ifstream file(PARLEY_SOURCE_DIR "/docs/design/wire_format.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  for (const Errc code :
       {Errc::invalid_argument,    Errc::too_large,      Errc::denied,        Errc::unauthenticated,
        Errc::key_reused,          Errc::number_taken,   Errc::too_old,       Errc::last_owner,
        Errc::unsupported,         Errc::already_exists, Errc::limit_reached, Errc::busy,
        Errc::unavailable,         Errc::timed_out,      Errc::disconnected,  Errc::engine_closed,
        Errc::session_closed,      Errc::store_failed,   Errc::disk_full,     Errc::protocol_error,
        Errc::version_unsupported, Errc::slow_consumer,  Errc::internal}) {
    const Error error(code, "");
    const std::string row = "| `" + std::string(to_string(code)) + "` | " +
                            std::to_string(static_cast<int>(code)) + " |" +
                            (error.retryable() ? " yes |" : " |");
    CAPTURE(row);
    CHECK(text.find(row) != std::string::npos);
  }
}
