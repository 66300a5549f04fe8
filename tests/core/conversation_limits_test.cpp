// conversation_limits_test.cpp: what a conversation holds: each limit at its bound and one past it.
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/conversation.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

struct LimitedChat : World {
  explicit LimitedChat(ConversationKind kind, std::uint64_t people = 3) {
    (void)create(by(1), kind);
    for (std::uint64_t n = 2; n <= people; ++n) (void)add(by(1), {user(n)});
    fx.advance(1s);
  }
  Seq post(std::string_view body = "m") {
    auto asked = send(by(1), text(body));
    fx.drain();
    return asked.value().seq;
  }
  Errc edit(Seq seq, std::string_view body) {
    Asked<void> asked;
    home->edit(by(1), seq, "", Payload::copy_of(body), asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc react(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->react(by(n), seq, "+1", true, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc erase(Seq seq) {
    Asked<void> asked;
    home->delete_message(by(1), seq, asked.then());
    fx.drain();
    return asked.errc();
  }
  wire::RecordFields shown(Seq seq) {
    kept.push_back(read({.from = seq, .to = seq}).value().events.at(0).record);
    return wire::read_record(kept.back().bytes());
  }
};

}  // namespace

TEST_CASE("limits: edits of one message") {
  LimitedChat chat(ConversationKind::group);
  const Seq seq = chat.post();
  for (std::size_t i = 1; i <= limits::edits; ++i)
    REQUIRE(chat.edit(seq, "e" + std::to_string(i)) == Errc::ok);
  const Seq head = chat.head().head;
  CHECK(chat.edit(seq, "one more") == Errc::limit_reached);
  CHECK(chat.head().head == head);
  CHECK(chat.shown(seq).body == "e" + std::to_string(limits::edits));
  CHECK(chat.erase(seq) == Errc::ok);  // may be done still
}

TEST_CASE("limits: who reacted is named while they are few") {
  LimitedChat chat(ConversationKind::group, limits::named_reactors + 1);
  const Seq seq = chat.post();
  for (std::uint64_t n = 1; n <= limits::named_reactors; ++n)
    REQUIRE(chat.react(n, seq) == Errc::ok);
  CHECK(chat.shown(seq).tallies.at(0).reactions.at(0).users.size() == limits::named_reactors);
  REQUIRE(chat.react(limits::named_reactors + 1, seq) == Errc::ok);
  const auto reaction = chat.shown(seq).tallies.at(0).reactions.at(0);
  CHECK(reaction.users.empty());
  CHECK(reaction.count == limits::named_reactors + 1);
}

TEST_CASE("limits: who reacted, a page at a time") {
  LimitedChat chat(ConversationKind::group, 2);
  const Seq seq = chat.post();
  const auto page = [&](std::uint32_t limit) {
    Asked<wire::ReactorsPage> asked;
    chat->reactors(by(1), {.seq = seq, .key = "+1", .limit = limit}, asked.then());
    chat.fx.drain();
    return asked.errc();
  };
  CHECK(page(limits::page_reactors) == Errc::ok);
  CHECK(page(limits::page_reactors + 1) == Errc::invalid_argument);
  CHECK(page(0) == Errc::invalid_argument);
}

TEST_CASE("limits: messages in one event of reactions, and the time between two in a channel") {
  LimitedChat chat(ConversationKind::channel);
  std::vector<Seq> seqs;
  for (std::size_t i = 0; i <= limits::tallies; ++i) seqs.push_back(chat.post());
  REQUIRE(chat.react(2, seqs[0]) == Errc::ok);  // told at once: the period begins
  for (const Seq seq : seqs) REQUIRE(chat.react(3, seq) == Errc::ok);
  const Seq head = chat.head().head;
  chat.fx.advance(limits::tally_period_channel - 1ms);
  CHECK(chat.head().head == head);
  chat.fx.advance(1ms);
  REQUIRE(chat.head().head == head + 1);
  const auto tallies = chat.shown(head + 1).tallies;
  CHECK(tallies.size() == limits::tallies);
  chat.fx.advance(limits::tally_period_channel);
  REQUIRE(chat.head().head == head + 2);
  CHECK(chat.shown(head + 2).tallies.size() == 1);
}

TEST_CASE("limits: deleted messages that unread leaves out") {
  LimitedChat chat(ConversationKind::group);
  std::vector<Seq> seqs;
  for (std::size_t i = 0; i <= limits::deleted_counted; ++i) {
    (void)chat.send(by(1), text("m"));
    if (i % 256 == 0) chat.fx.drain();
  }
  chat.fx.drain();
  const Seq head = chat.head().head;
  const Seq first = head - limits::deleted_counted;
  const auto unread = [&] {
    const Access seen = chat.access(2).value();
    return seen.head_ordinal - seen.visible_ordinal - seen.deleted;
  };
  CHECK(unread() == limits::deleted_counted + 1);
  for (Seq seq = first; seq < head; ++seq) {
    Asked<void> asked;
    chat->delete_message({}, seq, asked.then());
    if (seq % 256 == 0) chat.fx.drain();
  }
  chat.fx.drain();
  CHECK(unread() == 1);
  REQUIRE(chat.erase(head) == Errc::ok);
  CHECK(unread() == 1);  // the oldest is not counted any more: it shows again
  chat.fx.advance(5s);
  chat.restart();
  CHECK(unread() == 1);
}

TEST_CASE("limits: members of a channel") {
  LimitedChat chat(ConversationKind::channel, 1);
  // Another bucket says that it holds all the others.
  const auto own = layout::bucket_of(user(1), layout::channel_member_buckets);
  const auto free = static_cast<std::uint16_t>((own + 1) % layout::channel_member_buckets);
  const std::string partition = layout::member_id(0, chat.id(), free);
  const std::string guard = layout::encode(
      layout::CountCell{.revision = 1, .count = limits::channel_members - 2, .nonce = 1});
  REQUIRE(chat.fx.store.commit_now({.partition = {layout::member, partition}, .guard = guard})
              .verdict == Verdict::done);
  chat.restart();
  REQUIRE(chat.join(2).errc() == Errc::ok);
  CHECK(chat.list(by(1)).value().count == limits::channel_members);
  CHECK(chat.join(3).errc() == Errc::limit_reached);
  CHECK(chat.join(2).errc() == Errc::ok);  // is in already
  CHECK(chat.access(3).errc() == Errc::denied);
  REQUIRE(chat.leave(2) == Errc::ok);
  chat.fx.advance(3s);
  CHECK(chat.join(3).errc() == Errc::ok);
}
