// layout_user_test.cpp: rows of a user, byte for byte.
#include "store/layout.hpp"

#include <string>

#include "layout_check.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("rows of users, format 1") {
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
  SECTION("block") {
    CHECK(hex(block_key(UserId{3})) == "620000000000000003");
    CHECK(hex(encode(BlockRow{7})) ==
          "01"
          "0000000000000007");
    check_strict(encode(BlockRow{7}), [](Bytes bytes) { return decode_block(bytes).has_value(); });
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
