// ids_test.cpp: ids survive text, and only their own text is accepted.
#include "parley/ids.hpp"

#include <rapidcheck.h>

#include <string>

#include "catch.hpp"

using namespace parley;

TEST_CASE("64-bit ids are decimal text") {
  CHECK(to_string(UserId{0}) == "0");
  CHECK(to_string(DeviceId{18446744073709551615ULL}) == "18446744073709551615");
  CHECK(parse_user_id("18446744073709551615") == UserId{18446744073709551615ULL});
  for (const char* bad : {"", "01", "+1", "-1", " 1", "1 ", "1x", "0x1", "18446744073709551616",
                          "99999999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_user_id(bad));
    CHECK_FALSE(parse_device_id(bad));
  }
  CHECK(rc::check("round trip", [](std::uint64_t value) {
    RC_ASSERT(parse_user_id(to_string(UserId{value})) == UserId{value});
    RC_ASSERT(parse_device_id(to_string(DeviceId{value})) == DeviceId{value});
  }));
}

TEST_CASE("128-bit ids are 32 lower-case hex digits") {
  const std::string text = "00112233445566778899aabbccddeeff";
  const auto id = parse_conversation_id(text);
  REQUIRE(id);
  CHECK(id->bytes[1] == 0x11);
  CHECK(id->bytes[15] == 0xff);
  CHECK(to_string(*id) == text);
  for (const char* bad :
       {"", "00112233445566778899aabbccddeef", "00112233445566778899aabbccddeeff0",
        "00112233445566778899AABBCCDDEEFF", "0011223344556677 899aabbccddeeff"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_conversation_id(bad));
    CHECK_FALSE(parse_epoch(bad));
  }
  CHECK(rc::check("round trip", [](const std::array<std::uint8_t, 16>& bytes) {
    RC_ASSERT(parse_epoch(to_string(Epoch{bytes})) == Epoch{bytes});
    RC_ASSERT(parse_conversation_id(to_string(ConversationId{bytes})) == ConversationId{bytes});
  }));
}

TEST_CASE("zero ids are no ids") {
  CHECK_FALSE(UserId{});
  CHECK(UserId{1});
  CHECK_FALSE(Epoch{});
  Epoch epoch;
  epoch.bytes[15] = 1;
  CHECK(epoch);
}
