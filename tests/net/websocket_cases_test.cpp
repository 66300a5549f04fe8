// websocket_cases_test.cpp: the categories of the Autobahn suite that are best told as tables:
// UTF-8 (6, 145 cases), closing (7, 37), limits and performance (9, 54), fragments of a peer's
// choosing (10, 1). The others are in websocket_codec_test.cpp.
#include <cstdint>
#include <string>
#include <vector>

#include "base/endian.hpp"
#include "catch.hpp"
#include "websocket_reader.hpp"

using namespace parley::net::test;

namespace {

struct Sample {
  std::string bytes;
  bool good = true;
};
/// A group of the suite, as 6.<number>.
struct Group {
  int number;
  std::size_t cases;
  std::vector<Sample> samples;
};

const std::string kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

/// Each byte of the range, a space after each.
std::string lonely(unsigned from, unsigned to) {
  std::string out;
  for (unsigned byte = from; byte <= to; ++byte) (out += static_cast<char>(byte)) += ' ';
  return out;
}

std::vector<Sample> all(bool good, std::vector<std::string> texts) {
  std::vector<Sample> samples;
  for (std::string& each : texts) samples.push_back({std::move(each), good});
  return samples;
}

std::vector<Sample> prefixes() {
  std::vector<Sample> samples;
  for (std::size_t size = 1; size <= kosme.size(); ++size) {
    const bool cut = size < kosme.size() && (kosme[size] & '\xc0') == '\x80';
    samples.push_back({kosme.substr(0, size), !cut});
  }
  return samples;
}

std::vector<Sample> continuations() {
  std::vector<Sample> samples = all(false, {"\x80", "\xbf"});
  std::string row = "\x80";
  for (int size = 2; size <= 7; ++size)
    samples.push_back({row += size % 2 == 0 ? '\xbf' : '\x80', false});
  return samples;
}

const std::vector<std::string> cut_short = {"\xc0",         "\xe0\x80",
                                            "\xf0\x80\x80", "\xf8\x80\x80\x80",
                                            "\xdf",         "\xfc\x80\x80\x80\x80",
                                            "\xef\xbf",     "\xf7\xbf\xbf",
                                            "\xfb\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"};

std::vector<Sample> cut_together() {
  std::string row;
  for (const std::string& each : cut_short) row += each;
  return {{row, false}};
}

/// The last two code points of each plane, of no character but well formed.
std::vector<Sample> noncharacters() {
  std::vector<Sample> samples;
  for (unsigned plane = 0; plane <= 16; ++plane) {
    for (const char end : {'\xbe', '\xbf'}) {
      std::string bytes{static_cast<char>(0xf0 | plane >> 2),
                        static_cast<char>(0x8f | (plane & 3) << 4), '\xbf', end};
      samples.push_back({plane == 0 ? bytes = "\xef\xbf" + std::string(1, end) : bytes});
    }
  }
  return samples;
}

std::vector<Group> utf8_groups() {
  const std::string mixed =
      "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";
  const std::string broken = kosme + "\xed\xa0\x80" + "edited";
  return {
      {5, 5,
       all(true, {kosme, kosme + kosme, "\xe5\x85\xac\xe4\xbc\x9a", "\xf0\x9f\x98\x80", mixed})},
      {6, 11, prefixes()},
      {7, 4, all(true, {std::string(1, '\0'), "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"})},
      {8, 2, all(false, {"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"})},
      {9, 4, all(true, {"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"})},
      {10, 3, all(false, {"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"})},
      {11,
       5,
       {{"\xed\x9f\xbf"},
        {"\xee\x80\x80"},
        {"\xef\xbf\xbd"},
        {"\xf4\x8f\xbf\xbf"},
        {"\xf4\x90\x80\x80", false}}},
      {12, 8, continuations()},
      {13, 5,
       all(false, {lonely(0xc0, 0xdf), lonely(0xe0, 0xef), lonely(0xf0, 0xf7), lonely(0xf8, 0xfb),
                   lonely(0xfc, 0xfd)})},
      {14, 10, all(false, cut_short)},
      {15, 1, cut_together()},
      {16, 3, all(false, {"\xfe", "\xff", "\xfe\xfe\xff\xff"})},
      {17, 5,
       all(false, {"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf",
                   "\xfc\x80\x80\x80\x80\xaf"})},
      {18, 5,
       all(false, {"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf",
                   "\xfc\x83\xbf\xbf\xbf\xbf"})},
      {19, 5,
       all(false, {"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80",
                   "\xfc\x80\x80\x80\x80\x80"})},
      {20, 7,
       all(false, {"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80",
                   "\xed\xbe\x80", "\xed\xbf\xbf"})},
      {21, 8,
       all(false,
           {"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80",
            "\xed\xad\xbf\xed\xbf\xbf", "\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf",
            "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"})},
      {22, 34, noncharacters()},
      {23, 7,
       all(true, {"\xef\xbf\xb9", "\xef\xbf\xba", "\xef\xbf\xbb", "\xef\xbf\xbc", "\xef\xbf\xbd",
                  "\xef\xbf\xbe", "\xef\xbf\xbf"})},
      {3, 2, all(false, {broken, mixed + broken})},
  };
}

std::vector<Piece> by_bytes(const std::string& bytes) {
  std::vector<Piece> pieces{{more_text, ""}};
  for (const char byte : bytes) pieces.push_back({more, std::string(1, byte)});
  pieces.push_back({last, ""});
  return pieces;
}

/// `count` messages of `size` bytes, the frames cut at `piece`, the bytes fed `at_once`.
void stream(Role role, bool is_text, std::size_t size, std::size_t piece, std::size_t at_once,
            int count = 1) {
  const std::string message(size, '*');
  std::string bytes;
  for (std::size_t at = 0; at == 0 || at < size; at += piece) {
    const bool first = at == 0;
    const bool final_one = at + piece >= size;
    const unsigned opcode = !first ? 0 : is_text ? 1 : 2;
    bytes += frame(role, opcode | (final_one ? 0x80U : 0U), message.substr(at, piece));
  }
  Reader reader(role, size);
  std::string expected;
  for (int i = 0; i < count; ++i) {
    reader.log.clear();
    for (std::size_t at = 0; at < bytes.size(); at += at_once)
      reader.feed(std::string_view(bytes).substr(at, at_once));
    REQUIRE(reader.log == (is_text ? "T\"" : "B\"") + shown(message) + '"');
  }
  REQUIRE(reader.parser.idle());
  REQUIRE(reader.parser.buffered() == 0);
  REQUIRE(reader.most_buffered <= size + 64);
}

}  // namespace

TEST_CASE("6: the suite's samples of UTF-8") {
  std::size_t cases = 3 + 4 + 4;  // 6.1, 6.2 and 6.4 below
  for (const Group& group : utf8_groups()) {
    INFO("6." << group.number);
    CHECK(group.samples.size() == group.cases);
    cases += group.samples.size();
    for (const Sample& sample : group.samples) {
      const std::string expected = sample.good ? "T\"" + sample.bytes + '"' : "!1007";
      CHECK(read_both({{text, sample.bytes}}) == expected);
      CHECK(read_both(by_bytes(sample.bytes)) == expected);
      CHECK(read_both({{binary, sample.bytes}}) == "B\"" + shown(sample.bytes) + '"');
    }
  }
  CHECK(cases == 145);
}

TEST_CASE("6: text in fragments, and bad text found at the byte that makes it bad") {
  // 6.1: nothing in any number of fragments.
  CHECK(read_both({{text, ""}}) == "T\"\"");
  CHECK(read_both({{more_text, ""}, {more, ""}, {last, ""}}) == "T\"\"");
  CHECK(read_both({{more_text, ""}, {more, kosme}, {last, ""}}) == "T\"" + kosme + '"');
  // 6.2: whole, cut between characters, in every byte, inside a character.
  CHECK(read_both({{text, kosme}}) == "T\"" + kosme + '"');
  CHECK(read_both({{more_text, kosme.substr(0, 5)}, {last, kosme.substr(5)}}) ==
        "T\"" + kosme + '"');
  CHECK(read_both(by_bytes(kosme)) == "T\"" + kosme + '"');
  CHECK(read_both({{more_text, kosme.substr(0, 3)}, {last, kosme.substr(3)}}) ==
        "T\"" + kosme + '"');
  // 6.4: the message does not end, the frame does not either.
  for (const Role role : {Role::server, Role::client}) {
    for (const std::size_t upto : {1, 2}) {  // f4 90 is bad at its second byte, not before
      Reader reader(role);
      reader.feed(frame(role, more_text, kosme));
      const std::string rest = frame(role, more, "\xf4\x90\x80\x80 and more");
      const std::size_t head = rest.size() - 13;
      reader.feed(std::string_view(rest).substr(0, head + upto));
      CHECK(reader.log == (upto == 2 ? "!1007" : ""));
    }
  }
}

TEST_CASE("7: close after anything, with any code") {
  const std::string large(60'000, 'x');
  CHECK(read_both({{text, large}, {close_frame, code(1000)}, {ping, "late"}}) ==
        "T\"xxxx...60000\" close1000\"\"");
  CHECK(read_both({{more_text, "half"}, {close_frame, ""}, {last, "never"}}) == "close0\"\"");
  CHECK(read_both({{close_frame, code(1000, kosme)}}) == "close1000\"" + kosme + '"');
  for (unsigned value = 0; value < 5'100; ++value) {
    const bool sent = (value >= 1000 && value <= 1014 && (value < 1004 || value > 1006)) ||
                      (value >= 3000 && value < 5000);
    Reader reader(Role::server);
    reader.feed(frame(Role::server, close_frame, code(value)));
    REQUIRE(reader.log == (sent ? "close" + std::to_string(value) + "\"\"" : "!1002"));
  }
}

TEST_CASE("9: messages of up to 16 MiB, in fragments and pieces of any size") {
  constexpr std::size_t kib = 1024;
  constexpr std::size_t mib = 1024 * kib;
  std::size_t cases = 0;
  for (const bool is_text : {true, false}) {
    const Role role = is_text ? Role::server : Role::client;
    for (const std::size_t size : {64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib})
      stream(role, is_text, size, size, 64 * kib), ++cases;  // 9.1, 9.2
    for (std::size_t piece = 64; piece <= 4 * mib; piece *= 4)
      stream(role, is_text, 4 * mib, piece, 64 * kib), ++cases;  // 9.3, 9.4
    for (std::size_t at_once = 64; at_once <= 2048; at_once *= 2)
      stream(role, is_text, mib, mib, at_once), ++cases;  // 9.5, 9.6
    for (const std::size_t size : {0UL, 16UL, 64UL, 256UL, kib, 4 * kib})
      stream(role, is_text, size, kib * kib, 64 * kib, 1000), ++cases;  // 9.7, 9.8
  }
  CHECK(cases == 54);
}

TEST_CASE("10: a message that the peer cut into frames of 1,300 bytes") {
  stream(Role::server, true, 65'536, 1'300, 1'460);
}
