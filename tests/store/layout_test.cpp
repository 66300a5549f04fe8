// layout_test.cpp: the storage format 1: partitions, keys, the head cell, byte for byte, and what
// is refused.
#include "store/layout.hpp"

#include <rapidcheck.h>

#include <set>
#include <string>

#include "layout_check.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("partition ids, format 1") {
  const std::string name(32, 'a');
  const std::string fill = "abababababababababababababababab";
  CHECK(hex(conversation_id(1, id)) == "00000001" + fill);
  CHECK(hex(archive_id(1, id, 16383)) == "00000001" + fill + "00000000");
  CHECK(hex(archive_id(1, id, 16384)) == "00000001" + fill + "00000001");
  CHECK(hex(receipt_id(1, id, 15)) == "00000001" + fill + "000f");
  CHECK(hex(member_id(1, id, 255)) == "00000001" + fill + "00ff");
  CHECK(hex(user_id(2, UserId{0x0102})) == "000000020000000000000102");
  CHECK(hex(name_id(0, id.bytes)) == "00000000" + fill);
  CHECK(hex(timer_id(1, 0x0203, 15)) == "00000001000002030f");
  CHECK(parse_timer_id(timer_id(1, 0x0203, 15)) == std::pair(0x0203U, std::uint8_t{15}));
  CHECK_FALSE(parse_timer_id("short"));
  CHECK(system_id("format") == "format");
  CHECK(system_id(name) == name);
  CHECK(system_id(name + "b").size() == 32);
  CHECK(system_id(name + "b") != system_id(name + "c"));
}

TEST_CASE("row keys, format 1") {
  CHECK(hex(event_key(0x0102)) == "650000000000000102");
  CHECK(hex(sender_key(UserId{1}, DeviceId{2})) == "7300000000000000010000000000000002");
  CHECK(hex(member_key(UserId{1})) == "6d0000000000000001");
  CHECK(hex(overlay_key(1)) == "6f0000000000000001");
  CHECK(hex(pending_key(1)) == "700000000000000001");
  CHECK(hex(info_key()) == "61696e666f");
  CHECK(hex(host_key(0x4e20, id.bytes)) == "6b4e20abababababababababababababababab");
  CHECK(hex(chunk_key(1)) == "630000000000000001");
  CHECK(hex(receipt_key(UserId{1})) == "720000000000000001");
  CHECK(hex(list_key(id)) == "63abababababababababababababababab");
  CHECK(hex(device_key(DeviceId{3})) == "640000000000000003");
  CHECK(hex(scheduled_key(3)) == "710000000000000003");
  CHECK(setting_key("pin") == "kpin");
  CHECK(parse_event_key(event_key(77)) == 77);
  CHECK_FALSE(parse_event_key(member_key(UserId{77})));
  CHECK_FALSE(parse_event_key("e"));
  CHECK(parse_number_key('m', member_key(UserId{9})) == 9);
}

TEST_CASE("buckets spread dense ids and never change") {
  CHECK(bucket_of(UserId{1}, 256) == 44);
  CHECK(bucket_of(UserId{2}, 16) == bucket_of(UserId{2}, 256) % 16);
  std::set<std::uint16_t> seen;
  for (std::uint64_t n = 1; n <= 4096; ++n) seen.insert(bucket_of(UserId{n}, 256));
  CHECK(seen.size() == 256);
}

TEST_CASE("the head cell, formats 2 and 1") {
  HeadCell head{.flags = 1,
                .members = 2,
                .term = 3,
                .mark = 4,
                .head = 5,
                .ordinal = 6,
                .floor = 7,
                .floor_ordinal = 8,
                .floor_mark = 9,
                .sealed = 10,
                .last_message_ms = 11,
                .last_event_ms = 12,
                .authority = 13,
                .deleted_ordinal = 14,
                .nonce = 15,
                .shown_ms = 16,
                .hidden = 17};
  head.epoch.bytes.fill(0xee);
  const std::string value = encode(head);
  CHECK(hex(value) ==
        "02"
        "01"
        "0002"
        "00000003"
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
        "00000004"
        "0000000000000005"
        "0000000000000006"
        "0000000000000007"
        "0000000000000008"
        "00000009"
        "000000000000000a"
        "000000000000000b"
        "000000000000000c"
        "000000000000000d"
        "000000000000000e"
        "000000000000000f"
        "0000000000000010"
        "0000000000000011"
        "00");
  CHECK(value.size() == 129);
  CHECK(decode_head(value) == head);
  check_strict(value, [](Bytes bytes) { return decode_head(bytes).has_value(); });
  const std::string first = "\x01" + value.substr(1, 111);
  head.shown_ms = head.last_event_ms;
  head.hidden = 0;
  CHECK(decode_head(first) == head);
  check_strict(first, [](Bytes bytes) { return decode_head(bytes).has_value(); });
}

TEST_CASE("the head cell: flags above the first eight stand at its end") {
  const HeadCell head{.flags = head_has_threads | head_has_pins};
  const std::string value = encode(head);
  CHECK(hex(value).substr(0, 4) == "0202");
  CHECK(hex(value).substr(256) == "02");
  CHECK(decode_head(value) == head);
}

TEST_CASE("rows of senders and of the host, format 1") {
  SECTION("sender") {
    SenderRow row{.settled = 1, .last = 2, .open = {{2, 3, 4, 5, 6}}};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "01"
          "0000000000000002"
          "0000000000000003"
          "0000000000000004"
          "0000000000000005"
          "00000006");
    CHECK(encode(row).size() == sender_size(1));
    check_strict(encode(row), [](Bytes bytes) { return decode_sender(bytes).has_value(); });
    row.open.resize(limits::open_sends);
    CHECK(decode_sender(encode(row))->open.size() == limits::open_sends);
    row.open.resize(limits::open_sends + 1);
    CHECK_FALSE(decode_sender(encode(row)));
  }
  SECTION("host key") {
    CHECK(hex(encode(HostKeyRow{1, 2, 3})) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "00000003");
    check_strict(encode(HostKeyRow{1, 2, 3}),
                 [](Bytes bytes) { return decode_host_key(bytes).has_value(); });
  }
}

TEST_CASE("notes fit into 64 bytes") {
  const Note events{Note::Kind::events, 1, 2, {}};
  CHECK(hex(encode(events)) ==
        "01"
        "65"
        "0000000000000001"
        "0000000000000002");
  CHECK(decode_note(encode(events))->last == 2);
  const Note pair{Note::Kind::pair, 0, 0, {UserId{1}, UserId{2}}};
  CHECK(hex(encode(pair)) ==
        "01"
        "64"
        "0000000000000001"
        "0000000000000002");
  Note joins{Note::Kind::channel_join, 0, 0, {}};
  joins.users.assign(7, UserId{3});
  CHECK(encode(joins).size() == 58);
  CHECK(decode_note(encode(joins))->users.size() == 7);
  joins.users.resize(8);
  CHECK_FALSE(decode_note(encode(joins)));
  CHECK_FALSE(decode_note(""));
  CHECK_FALSE(decode_note("\x01z"));
}

TEST_CASE("any bytes are refused or read, never more") {
  CHECK(rc::check("decoders", [](const std::string& bytes) {
    (void)decode_head(bytes);
    (void)decode_sender(bytes);
    (void)decode_host_key(bytes);
    (void)decode_member(bytes);
    (void)decode_info(bytes);
    (void)decode_receipt(bytes);
    (void)decode_pending(bytes);
    (void)decode_count(bytes);
    (void)decode_list(bytes);
    (void)decode_device(bytes);
    (void)decode_settings(bytes);
    (void)decode_read_count(bytes);
    (void)decode_name(bytes);
    (void)decode_retention(bytes);
    (void)decode_scheduled(bytes);
    (void)parse_timer_key(bytes);
    (void)decode_note(bytes);
    (void)decode_event(id, 1, bytes, nullptr);
    (void)decode_chunk(id, bytes, nullptr);
  }));
}
