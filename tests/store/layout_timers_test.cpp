// layout_timers_test.cpp: what is due: its keys and rows, byte for byte.
#include "store/layout.hpp"

#include <string>

#include "layout_check.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("what is due, format 1") {
  CHECK(hex(due_key({1, 2})) == "6400000000000000010000000000000002");
  CHECK(parse_due_key(due_key({1, 2}))->due_ms == 1);
  CHECK(parse_due_key(due_key({1, 2}))->seq == 2);
  CHECK_FALSE(parse_due_key("d12345678"));
}

TEST_CASE("wake-ups, format 1") {
  const TimerTarget user = timer_of(UserId{1}), conversation = timer_of(id);
  CHECK(hex(timer_key(0x0102, user)) == "740000000000000102750000000000000001");
  CHECK(hex(timer_key(1, conversation)) == "74000000000000000163abababababababababababababababab");
  CHECK(parse_timer_key(timer_key(7, user))->due_ms == 7);
  CHECK(parse_timer_key(timer_key(7, user))->target == user);
  CHECK(parse_timer_key(timer_key(7, conversation))->target == conversation);
  CHECK_FALSE(parse_timer_key("t12345678u1234567"));
  CHECK_FALSE(parse_timer_key("t12345678?12345678"));  // a later version's
  CHECK(timer_hour(3'599'999) == 0);
  CHECK(timer_hour(3'600'000) == 1);
  CHECK(timer_shard_of(user) == bucket_of(UserId{1}, timer_shards));
}

TEST_CASE("rows of what is due, format 1") {
  SECTION("retention") {
    const RetentionRow row{.keep_for_ms = 1, .keep_events = 2, .hold = true, .erased = 3};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "01"
          "0000000000000003");
    CHECK(decode_retention(encode(row)) == row);
    check_strict(encode(row), [](Bytes bytes) { return decode_retention(bytes).has_value(); });
    CHECK(retention_key() == "aretention");
  }
  SECTION("scheduled message") {
    const ScheduledRow row{.due_ms = 1,
                           .failed = 3,
                           .why = "ab",
                           .conversation = id,
                           .record = Payload::copy_of("record")};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000001"
          "00000003"
          "0002"
          "6162"
          "abababababababababababababababab"
          "7265636f7264");
    CHECK(decode_scheduled(encode(row))->record.bytes() == "record");
    CHECK(decode_scheduled(encode(row))->why == "ab");
    CHECK_FALSE(decode_scheduled(encode(row).substr(0, 30)));
  }
}
