// layout_spaces_test.cpp: rows of spaces and their channels, byte for byte.
#include "store/layout_spaces.hpp"

#include <string>

#include "layout_check.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("rows of spaces, format 1") {
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
}
