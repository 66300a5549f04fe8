// layout_members_test.cpp: rows of a conversation and its members, byte for byte.
#include "store/layout.hpp"

#include <string>

#include "layout_check.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("rows of members, format 1") {
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
}
