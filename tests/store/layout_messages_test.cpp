// layout_messages_test.cpp: rows about single messages, byte for byte.
#include "store/layout_messages.hpp"

#include <string>
#include <vector>

#include "layout_check.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::layout;

TEST_CASE("rows of messages, format 1") {
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
}
