// layout_test.cpp: the storage format 1, byte for byte, and what is refused.
#include "store/layout.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>

#include "catch.hpp"
#include "parley/limits.hpp"
#include "store/layout_messages.hpp"
#include "store/layout_spaces.hpp"

using namespace parley;
using namespace parley::layout;

namespace {

std::string hex(Bytes bytes) {
  static const char* digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}
ConversationId conversation_of(std::uint8_t fill) {
  ConversationId id;
  id.bytes.fill(fill);
  return id;
}
const ConversationId id = conversation_of(0xab);

StoredEvent event_at(Seq seq, std::size_t size) {
  StoredEvent event;
  event.seq = seq;
  event.mark = 0x01020304;
  event.device = DeviceId{5};
  event.number = 6;
  event.record = Payload::copy_of(std::string(size, static_cast<char>('a' + seq % 26)));
  return event;
}

/// Every value: cut or extended it is not read, and another format is not.
template <class Decode>
void check_strict(const std::string& value, Decode decode) {
  CHECK(decode(value));
  CHECK_FALSE(decode(value + "x"));
  for (std::size_t size = 0; size < value.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode(value.substr(0, size)));
  }
  std::string other = value;
  other[0] = 99;
  CHECK_FALSE(decode(other));
}

}  // namespace

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

TEST_CASE("rows, format 1") {
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
  SECTION("member") {
    const MemberRow row{Role::admin, 1, 2, 3, 4};
    CHECK(hex(encode(row)) ==
          "01"
          "28"
          "0000000000000001"
          "0000000000000002"
          "0000000000000003"
          "0000000000000004");
    check_strict(encode(row), [](Bytes bytes) { return decode_member(bytes).has_value(); });
    const MemberRow grown{Role::admin, 1, 2, 3, 4, 1U << 3 | 1U << 15, true};
    CHECK(hex(encode(grown)) == "02" + hex(encode(row)).substr(2) + "8008" + "01");
    CHECK(decode_member(encode(grown))->groups == grown.groups);
    CHECK(decode_member(encode(grown))->shadowed);
    check_strict(encode(grown), [](Bytes bytes) { return decode_member(bytes).has_value(); });
  }
  SECTION("info") {
    InfoRow row{ConversationKind::channel, UserId{1}, 2, UserId{3}, UserId{4}, {}};
    row.settings = {.title = "t",
                    .description = "d",
                    .avatar = "a",
                    .metadata = "m",
                    .who_sends = Role::moderator,
                    .who_adds = Role::member,
                    .who_pins = Role::admin,
                    .who_changes = Role::owner,
                    .join = JoinRule::open,
                    .archived = true,
                    .slow_mode = std::chrono::seconds(9)};
    const std::string fixed =
        "03"
        "0000000000000001"
        "0000000000000002"
        "0000000000000003"
        "0000000000000004"
        "0001"
        "74";
    CHECK(hex(encode(row)) == "02" + fixed +
                                  "000164"
                                  "000161"
                                  "00016d"
                                  "1e142832"
                                  "0201"
                                  "00000009");
    CHECK(decode_info(encode(row))->settings.slow_mode == std::chrono::seconds(9));
    InfoRow brief = row;
    brief.settings.expires_after = std::chrono::seconds(10);
    CHECK(hex(encode(brief)) == "03" + hex(encode(row)).substr(2) + "0000000a");
    CHECK(decode_info(encode(brief))->settings.expires_after == std::chrono::seconds(10));
    check_strict(encode(brief), [](Bytes bytes) { return decode_info(bytes).has_value(); });
    std::string before = encode(row).substr(0, 1 + fixed.size() / 2);  // there were settings
    before[0] = 1;
    const auto old = decode_info(before);
    REQUIRE(old);
    CHECK(old->settings.title == "t");
    CHECK(old->settings.join == JoinRule::open);
    CHECK(old->settings.who_sends == Role::none);
    CHECK_FALSE(old->settings.archived);
    check_strict(encode(row), [](Bytes bytes) { return decode_info(bytes).has_value(); });
  }
  SECTION("info of a channel of a space") {
    InfoRow row{.kind = ConversationKind::channel};
    row.settings.join = JoinRule::open;
    InfoRow child = row;
    child.space = id;
    child.child_number = 2;
    child.opened_ordinal = 3;
    CHECK(hex(encode(child)) == "04" + hex(encode(row)).substr(2) + "00000000" + hex(id.view()) +
                                    "00000002"
                                    "0000000000000003");
    CHECK(decode_info(encode(child))->space == id);
    CHECK(decode_info(encode(child))->child_number == 2);
    CHECK(decode_info(encode(child))->opened_ordinal == 3);
    check_strict(encode(child), [](Bytes bytes) { return decode_info(bytes).has_value(); });
    row.child_number = 7;  // a space, which gave that number last
    CHECK(decode_info(encode(row))->child_number == 7);
    CHECK_FALSE(decode_info(encode(row))->space);
  }
  SECTION("channel of a space") {
    CHECK(hex(child_key(id)) == "63" + hex(id.view()));
    CHECK(parse_child_key(child_key(id)) == id);
    CHECK_FALSE(parse_child_key(child_key(id) + "x"));
    ChildRow row{.number = 2, .open = true, .as_of = 3};
    CHECK(hex(encode(row)) ==
          "01"
          "01"
          "00000002"
          "0000000000000003");
    CHECK(decode_child(encode(row))->open);
    CHECK_FALSE(decode_child(encode(row))->unborn);
    check_strict(encode(row), [](Bytes bytes) { return decode_child(bytes).has_value(); });
    row.unborn = Unborn{UserId{4}, 5, "t"};
    CHECK(hex(encode(row)) == "02" + hex(encode(ChildRow{2, true, 3, {}})).substr(2) +
                                  "0000000000000004"
                                  "0000000000000005"
                                  "000174");
    CHECK(decode_child(encode(row))->unborn->title == "t");
    check_strict(encode(row), [](Bytes bytes) { return decode_child(bytes).has_value(); });
  }
  SECTION("beginnings") {
    CHECK(hex(beginnings_key(UserId{3})) == "620000000000000003");
    CHECK(hex(encode(Beginnings{.entry = 1, .children = {{2, 3}, {5, 6}}})) ==
          "01"
          "0000000000000001"
          "00000002"
          "0000000000000003"
          "00000005"
          "0000000000000006");
    const Beginnings row{.entry = 1, .children = {{2, 3}, {5, 6}}};
    const auto read = decode_beginnings(encode(row));
    REQUIRE(read);
    CHECK(read->entry == 1);
    CHECK(read->of(2) == 3);
    CHECK(read->of(5) == 6);
    for (const std::uint32_t other : {0U, 1U, 3U, 6U}) CHECK(read->of(other) == 0);
    check_strict(encode(Beginnings{.entry = 1, .children = {}}),
                 [](Bytes bytes) { return decode_beginnings(bytes).has_value(); });
    CHECK_FALSE(decode_beginnings(encode(row) + "x"));
  }
  SECTION("restriction") {
    const RestrictionRow row{.mute = {true, UserId{1}, 2, 3, "r"}, .ban = {}};
    CHECK(hex(encode(row)) ==
          "01"
          "01"
          "0000000000000001"
          "0000000000000002"
          "0000000000000003"
          "000172");
    CHECK(decode_restriction(encode(row))->mute.reason == "r");
    CHECK_FALSE(decode_restriction(encode(row))->ban.on);
    check_strict(encode(row), [](Bytes bytes) { return decode_restriction(bytes).has_value(); });
  }
  SECTION("invite") {
    InviteSecret secret{};
    secret.back() = 9;
    CHECK(hex(invite_key(secret)) == "76" + std::string(30, '0') + "09");
    CHECK(parse_invite_key(invite_key(secret)) == secret);
    CHECK_FALSE(parse_invite_key(invite_key(secret) + "x"));
    const InviteRow row{Role::moderator, UserId{1}, 2, 3, 4, 5};
    CHECK(hex(encode(row)) ==
          "01"
          "1e"
          "0000000000000001"
          "0000000000000002"
          "0000000000000003"
          "00000004"
          "00000005");
    CHECK(decode_invite(encode(row))->used == 5);
    check_strict(encode(row), [](Bytes bytes) { return decode_invite(bytes).has_value(); });
  }
  SECTION("admission") {
    CHECK(hex(admission_key(UserId{3})) == "790000000000000003");
    CHECK(hex(encode(AdmissionRow{Role::member, 7})) == "01140000000000000007");
    check_strict(encode(AdmissionRow{Role::member, 7}),
                 [](Bytes bytes) { return decode_admission(bytes).has_value(); });
    const MemberRow member{.role = Role::member, .groups = 8, .admission = 7};
    CHECK(hex(encode(member)).starts_with("0314"));
    CHECK(hex(encode(member)).ends_with("0008000000000000000007"));
    CHECK(decode_member(encode(member))->admission == 7);
    CHECK(decode_member(encode(member))->groups == 8);
    check_strict(encode(member), [](Bytes bytes) { return decode_member(bytes).has_value(); });
  }
  SECTION("member by name") {
    CHECK(hex(member_name_key("ann", UserId{3})) == "6e616e6e000000000000000003");
    CHECK(parse_member_name_key(member_name_key("ann", UserId{3})) == UserId{3});
    CHECK_FALSE(parse_member_name_key(member_key(UserId{3})));
    CHECK(member_name_range("an") == std::pair(std::string("nan"), std::string("nao")));
    const MemberRow member{.role = Role::member, .since_ms = 1, .groups = 8, .shadowed = true};
    const std::string named = encode(member, "ann");
    CHECK(hex(named).starts_with("0414"));
    CHECK(hex(named).ends_with("00080100000000000000000003616e6e"));
    CHECK(decode_member(named)->shadowed);
    CHECK(decode_member_name(named) == "ann");
    CHECK(decode_member_name(encode(member)).empty());
    check_strict(named, [](Bytes bytes) { return decode_member(bytes).has_value(); });
    CHECK(searched_name("Ann") == "ann");
    CHECK(searched_name(std::string("a\0b", 3)) == "a\1b");
    CHECK(searched_name(std::string(200, 'A')) == std::string(64, 'a'));
    CHECK(searched_name(std::string(63, 'A') + "\xc3\x84") == std::string(63, 'a'));
  }
  SECTION("deleted for oneself") {
    const MemberRow member{.role = Role::member, .own_deletion_ms = 7};
    const std::string named = encode(member, "ann");
    CHECK(hex(named).starts_with("0514"));
    CHECK(hex(named).ends_with("0003616e6e0000000000000007"));
    CHECK(decode_member(named)->own_deletion_ms == 7);
    CHECK(decode_member_name(named) == "ann");
    CHECK(decode_member(encode(member))->own_deletion_ms == 7);
    CHECK(decode_member_name(encode(member)).empty());
    check_strict(named, [](Bytes bytes) { return decode_member(bytes).has_value(); });
    CHECK(hex(own_deletion_key(3)) == "680000000000000003");
    const OwnDeletionRow row{.ordinal = 1, .thread_root = 2};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000001"
          "0000000000000002");
    check_strict(encode(row), [](Bytes bytes) { return decode_own_deletion(bytes).has_value(); });
  }
  SECTION("block") {
    CHECK(hex(block_key(UserId{3})) == "620000000000000003");
    CHECK(hex(encode(BlockRow{7})) ==
          "01"
          "0000000000000007");
    check_strict(encode(BlockRow{7}), [](Bytes bytes) { return decode_block(bytes).has_value(); });
  }
  SECTION("request to join") {
    CHECK(hex(join_request_key(UserId{3})) == "6a0000000000000003");
    const JoinRequestRow row{7, "n"};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000007"
          "00016e");
    CHECK(decode_join_request(encode(row))->note == "n");
    check_strict(encode(row), [](Bytes bytes) { return decode_join_request(bytes).has_value(); });
    const OwnRequestRow own{3, 8, 9};
    CHECK(hex(encode(own)) ==
          "01"
          "03"
          "0000000000000008"
          "0000000000000009");
    CHECK(decode_own_request(encode(own)) == own);
    check_strict(encode(own), [](Bytes bytes) { return decode_own_request(bytes).has_value(); });
  }
  SECTION("last sent") {
    CHECK(hex(encode(LastSentRow{7})) ==
          "01"
          "0000000000000007");
    check_strict(encode(LastSentRow{7}),
                 [](Bytes bytes) { return decode_last_sent(bytes).has_value(); });
  }
  SECTION("receipt") {
    const std::string positions =
        "0000000000000001"
        "0000000000000002"
        "0000000000000003"
        "0000000000000004";
    const ReceiptRow row{1, 2, 3, 4, 1, true};
    CHECK(hex(encode(row)) == "02" + positions + "0000000000000001" + "01");
    std::string old = encode(row);  // as format 1 wrote it
    old[0] = 1;
    old.resize(old.size() - 9);
    CHECK(hex(old) == "01" + positions);
    CHECK(decode_receipt(old)->shown == 2);
    CHECK_FALSE(decode_receipt(old)->counted);
    check_strict(encode(row), [](Bytes bytes) { return decode_receipt(bytes).has_value(); });
    CHECK(hex(read_count_key(2, 3)) == "68020000000000000003");
    CHECK(hex(encode_read_count(5)) == "010000000000000005");
    check_strict(encode_read_count(5),
                 [](Bytes bytes) { return decode_read_count(bytes).has_value(); });
  }
  SECTION("pending") {
    CHECK(hex(encode(PendingRow{UserId{1}, Role::owner})) ==
          "01"
          "0000000000000001"
          "32");
    check_strict(encode(PendingRow{UserId{1}, Role::none}),
                 [](Bytes bytes) { return decode_pending(bytes).has_value(); });
    const PendingRow grown{UserId{1}, Role::owner, 8, false};
    CHECK(hex(encode(grown)) ==
          "02000000000000000132"
          "0008"
          "00");
    CHECK(decode_pending(encode(grown))->groups == 8);
    check_strict(encode(grown), [](Bytes bytes) { return decode_pending(bytes).has_value(); });
    const PendingRow of_an_entry{UserId{1}, Role::none, 0, false, 9};
    CHECK(hex(encode(of_an_entry)) ==
          "03000000000000000100"
          "0000"
          "00"
          "0000000000000009");
    CHECK(decode_pending(encode(of_an_entry))->entry == 9);
    check_strict(encode(of_an_entry),
                 [](Bytes bytes) { return decode_pending(bytes).has_value(); });
  }
  SECTION("count") {
    CHECK(hex(encode(CountCell{1, 2, 3})) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "0000000000000003");
    check_strict(encode(CountCell{1, 2, 3}),
                 [](Bytes bytes) { return decode_count(bytes).has_value(); });
    const CountCell indexed{1, 2, 3, true};
    CHECK(hex(encode(indexed)).starts_with("02"));
    CHECK(decode_count(encode(indexed))->indexed);
    check_strict(encode(indexed), [](Bytes bytes) { return decode_count(bytes).has_value(); });
  }
  SECTION("list") {
    ListRow row{true, ConversationKind::channel, UserId{1}, 2, 3, 4, 5};
    const std::string membership =
        "01"
        "03"
        "0000000000000001"
        "0000000000000002"
        "0000000000000003"
        "0000000000000004"
        "0000000000000005";
    std::string old = encode(row);  // as format 1 wrote it
    old[0] = 1;
    old.resize(old.size() - 19);
    CHECK(hex(old) == "01" + membership);
    CHECK(decode_list(old) == row);
    row.pinned = row.has_draft = true;
    row.muted_until_ms = 6;
    const std::string set = membership + "09" + "0000000000000006";
    old = encode(row);  // as format 2 did
    old[0] = 2;
    old.resize(old.size() - 10);
    CHECK(hex(old) == "02" + set);
    CHECK(decode_list(old) == row);
    row.hidden_until = 7;
    row.folder = "ab";
    CHECK(hex(encode(row)) == "03" + set + "0000000000000007" + "0002" + "6162");
    CHECK(decode_list(encode(row)) == row);
    check_strict(encode(row), [](Bytes bytes) { return decode_list(bytes).has_value(); });
    row.inherited = true;
    CHECK(hex(encode(row)).starts_with("03" + membership + "19"));
    CHECK(decode_list(encode(row)) == row);
  }
  SECTION("draft") {
    CHECK(hex(encode(DraftRow{1, "ab"})) ==
          "01"
          "0000000000000001"
          "0002"
          "6162");
    check_strict(encode(DraftRow{1, "ab"}),
                 [](Bytes bytes) { return decode_draft(bytes).has_value(); });
  }
  SECTION("reactions and pins") {
    CHECK(hex(encode(ReactionRow{1, 2})) ==
          "01"
          "0000000000000001"
          "0000000000000002");
    check_strict(encode(ReactionRow{1, 2}),
                 [](Bytes bytes) { return decode_reaction(bytes).has_value(); });
    CHECK(hex(encode(PinRow{UserId{1}, 2})) ==
          "01"
          "0000000000000001"
          "0000000000000002");
    check_strict(encode(PinRow{UserId{1}, 2}),
                 [](Bytes bytes) { return decode_pin(bytes).has_value(); });
    CHECK(hex(reactor_key("ab", UserId{1})) ==
          "75"
          "02"
          "6162"
          "0000000000000001");
    CHECK(parse_reactor(reactor_key("ab", UserId{1}))->key == "ab");
    CHECK(parse_reactor(reactor_key("ab", UserId{1}))->user == UserId{1});
    CHECK_FALSE(parse_reactor("u\x05"
                              "ab12345678")
                    .has_value());
    CHECK_FALSE(parse_reactor("u").has_value());
    CHECK(hex(reaction_id(7, {}, 2)).substr(40) == "0000000000000002");
    CHECK(hex(deleted_key(3)) == "780000000000000003");
    CHECK(hex(pin_key(3)) == "690000000000000003");
  }
  SECTION("polls") {
    const PollRow row{true, 2, 3, {4, 5}};
    CHECK(hex(encode(row)) ==
          "01"
          "01"
          "0000000000000002"
          "0000000000000003"
          "02"
          "0000000000000004"
          "0000000000000005");
    check_strict(encode(row), [](Bytes bytes) { return decode_poll(bytes).has_value(); });
    CHECK(poll_key() == "p");
    CHECK(hex(encode_ballot(5)) == "0100000005");
    check_strict(encode_ballot(5), [](Bytes bytes) { return decode_ballot(bytes).has_value(); });
    CHECK_FALSE(decode_ballot(encode_ballot(0)));
    CHECK(hex(ballot_key(UserId{1})) == "620000000000000001");
    CHECK(hex(vote_key(2, UserId{1})) == "76020000000000000001");
    CHECK(parse_vote(vote_key(2, UserId{1})) == UserId{1});
    CHECK_FALSE(parse_vote(ballot_key(UserId{1})));
  }
  SECTION("mentions") {
    const MentionRow row{{1, 2}, {{3, 4}}};
    CHECK(hex(encode(row)) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "01"
          "0000000000000003"
          "0000000000000004");
    check_strict(encode(row), [](Bytes bytes) { return decode_mention(bytes).has_value(); });
    const MentionRow full{{}, std::vector<Mention>(limits::mentions_counted)};
    CHECK(decode_mention(encode(full)).has_value());
    CHECK(encode(full).size() == mention_size(limits::mentions_counted));
    const MentionRow more{{}, std::vector<Mention>(limits::mentions_counted + 1)};
    CHECK_FALSE(decode_mention(encode(more)).has_value());
    CHECK(hex(mention_key(UserId{1})) == "710000000000000001");
  }
  SECTION("threads") {
    const ThreadChange change{
        .fresh = true, .gone = true, .ordinal = 1, .sender = UserId{2}, .followers = {UserId{3}}};
    CHECK(hex(encode(change)) ==
          "01"
          "03"
          "0000000000000001"
          "0000000000000002"
          "01"
          "0000000000000003");
    CHECK(encode(change).size() == thread_change_size(1));
    check_strict(encode(change),
                 [](Bytes bytes) { return decode_thread_change(bytes).has_value(); });
    CHECK(hex(thread_change_key(1, 2)) ==
          "74"
          "0000000000000001"
          "0000000000000002");
    CHECK(parse_thread_change(thread_change_key(1, 2))->seq == 2);
    CHECK_FALSE(parse_thread_change(follow_key(1)).has_value());
    CHECK(hex(encode_thread_ordinal(1)) == "010000000000000001");
    check_strict(encode_thread_ordinal(1),
                 [](Bytes bytes) { return decode_thread_ordinal(bytes).has_value(); });
    const FollowRow follow{.state = FollowRow::State::left, .read = 1, .applied = 2};
    CHECK(hex(encode(follow)) ==
          "01"
          "02"
          "0000000000000001"
          "0000000000000002");
    check_strict(encode(follow), [](Bytes bytes) { return decode_follow(bytes).has_value(); });
    CHECK(hex(thread_id(7, {}, 2)).substr(40) == "0000000000000002");
    CHECK(hex(personal_id(7, {}, UserId{2})).substr(40) == "0000000000000002");
  }
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
  SECTION("device") {
    const DeviceRow row{"ab", 1, "c", 2, 3, 4};
    const std::string old =
        "0000000000000001"
        "0002"
        "6162";
    CHECK(hex(encode(row)) == "02" + old +
                                  "0001"
                                  "63"
                                  "0000000000000002"
                                  "0000000000000003"
                                  "0000000000000004");
    CHECK(decode_device(encode(row)) == row);
    std::string first = encode(row);  // as format 1 wrote it
    first[0] = 1;
    first.resize(13);
    CHECK(hex(first) == "01" + old);
    CHECK(decode_device(first) == DeviceRow{"ab", 1, "", 0, 1, 0});
    check_strict(encode(row), [](Bytes bytes) { return decode_device(bytes).has_value(); });
    const SettingsRow settings{true, false, "ab", 1};
    CHECK(hex(encode(settings)) ==
          "01"
          "01"
          "0002"
          "6162"
          "0000000000000001");
    CHECK(decode_settings(encode(settings)) == settings);
    check_strict(encode(settings), [](Bytes bytes) { return decode_settings(bytes).has_value(); });
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
  SECTION("name") {
    CHECK(hex(encode(NameCell{UserId{1}, "ab", 2})) ==
          "01"
          "0000000000000001"
          "0000000000000002"
          "0002"
          "6162");
    check_strict(encode(NameCell{UserId{1}, "ab", 2}),
                 [](Bytes bytes) { return decode_name(bytes).has_value(); });
    const std::string longest(limits::subject, 's');
    CHECK(encode(NameCell{UserId{1}, longest, 2}).size() <= 256);
    CHECK(stored_subject(longest.substr(0, 230)) == longest.substr(0, 230));
    CHECK(stored_subject(longest) == decode_name(encode(NameCell{UserId{1}, longest, 2}))->subject);
    CHECK(stored_subject(longest) != stored_subject(longest.substr(1)));
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

TEST_CASE("an event in its envelope, format 1") {
  const StoredEvent event = event_at(1, 8);
  const std::string value = encode_event(id, event);
  CHECK(value.size() == event_size(8));
  CHECK(hex(value.substr(0, 4)) == "01000000");
  CHECK(hex(value.substr(8)) ==
        "01020304"
        "00000008"
        "0000000000000005"
        "0000000000000006"
        "6262626262626262");
  CHECK(hex(value.substr(4, 4)) == "7ceaa021");
  const auto back = decode_event(id, 1, value, nullptr);
  REQUIRE(back.ok());
  CHECK(back->mark == event.mark);
  CHECK(back->device == event.device);
  CHECK(back->number == event.number);
  CHECK(back->record.bytes() == event.record.bytes());
  CHECK(reinterpret_cast<std::uintptr_t>(back->record.data()) % 8 == 0);

  CHECK(decode_event(id, 2, value, nullptr).error().errc() == Errc::store_corrupt);
  CHECK(decode_event(conversation_of(1), 1, value, nullptr).error().errc() == Errc::store_corrupt);
  CHECK(decode_event(id, 1, value.substr(0, 31), nullptr).error().errc() == Errc::store_corrupt);
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string damaged = value;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CAPTURE(at);
    const auto refused = decode_event(id, 1, damaged, nullptr);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("seq 1") != std::string::npos);
  }
}

TEST_CASE("an aligned value is shared, another is copied") {
  const auto block = std::make_shared<std::vector<std::uint64_t>>(64);
  const std::string value = encode_event(id, event_at(1, 16));
  char* data = reinterpret_cast<char*>(block->data());
  value.copy(data, value.size());
  const auto shared = decode_event(id, 1, Bytes(data, value.size()), block);
  CHECK(shared->record.data() == data + 32);
  CHECK(shared->record.bytes() == event_at(1, 16).record.bytes());
  value.copy(data + 1, value.size());
  const auto copied = decode_event(id, 1, Bytes(data + 1, value.size()), block);
  CHECK(copied->record.data() != data + 33);
  CHECK(copied->record.bytes() == event_at(1, 16).record.bytes());
}

TEST_CASE("marks chain over the mark before, the conversation and the record") {
  const Mark one = next_mark(0, id, "record");
  CHECK(one == 0x8f26c72d);
  CHECK(next_mark(one, id, "record") != one);
  CHECK(next_mark(0, conversation_of(1), "record") != one);
  CHECK(next_mark(0, id, "recore") != one);
  CHECK(hex(stream_of(UserId{0x0102}).view()) == "75736572000000000000000000000102");
}

TEST_CASE("chunks come back and notice damage") {
  std::vector<StoredEvent> events;
  for (Seq seq = 10; seq < 20; ++seq) events.push_back(event_at(seq, 8 * (seq - 8)));
  std::size_t size = chunk_base();
  for (const auto& event : events) size += chunk_size(event.record.size());
  const std::string value = encode_chunk(id, events);
  CHECK(value.size() == size);
  const auto back = decode_chunk(id, value, nullptr);
  REQUIRE(back.ok());
  REQUIRE(back->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK((*back)[i].seq == events[i].seq);
    CHECK((*back)[i].record.bytes() == events[i].record.bytes());
  }
  CHECK_FALSE(decode_chunk(conversation_of(1), value, nullptr).ok());
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string damaged = value;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    REQUIRE_FALSE(decode_chunk(id, damaged, nullptr).ok());
  }
  for (std::size_t cut = 0; cut < value.size(); ++cut)
    REQUIRE_FALSE(decode_chunk(id, value.substr(0, cut), nullptr).ok());
}

TEST_CASE("a chunk is full by bytes, by count, or at the end of its partition") {
  const auto full = [](const std::vector<StoredEvent>& events) {
    return full_chunk(events.data(), events.size());
  };
  std::vector<StoredEvent> small;
  for (Seq seq = 1; seq <= limits::chunk_events + 1; ++seq) small.push_back(event_at(seq, 8));
  CHECK(full(small) == limits::chunk_events);
  small.pop_back();
  CHECK(full(small) == limits::chunk_events);
  small.pop_back();
  CHECK(full(small) == 0);
  std::vector<StoredEvent> middle;
  for (Seq seq = 1; seq <= 30; ++seq) middle.push_back(event_at(seq, 184));
  CHECK(full(middle) == 19);  // 16 + 19 * 208 = 3,968; one more would be 4,176
  CHECK(full({event_at(1, 8000)}) == 1);
  CHECK(full({event_at(1, 8), event_at(2, 8000)}) == 1);
  CHECK(full({event_at(1, limits::chunk_bytes - 40)}) == 1);
  CHECK(full({event_at(1, limits::chunk_bytes - 48)}) == 0);
  CHECK(full({event_at(16382, 8), event_at(16383, 8), event_at(16384, 8)}) == 2);
  CHECK(full({}) == 0);
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
