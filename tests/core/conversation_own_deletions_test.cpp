// conversation_own_deletions_test.cpp: messages that a member deletes for itself alone: what that
// member sees and counts, that nobody else learns of it, and that no fault or crash undoes it.
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
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

struct OwnDeletionsChat : World {
  explicit OwnDeletionsChat(ConversationKind kind = ConversationKind::group) {
    (void)create(by(1), kind, {user(2), user(3)});
    fx.advance(1s);
  }
  Asked<Ack> post(std::uint64_t n, Seq root = 0, std::vector<UserId> mentions = {}) {
    wire::Send what = text("m");
    what.thread_root = root;
    what.extras.mentions = std::move(mentions);
    return settle(send(by(n), std::move(what)));
  }
  Seq say(std::uint64_t n, Seq root = 0, std::vector<UserId> mentions = {}) {
    return post(n, root, std::move(mentions)).value().seq;
  }
  Errc erase(std::uint64_t n, std::vector<Seq> seqs) {
    Asked<void> asked;
    home->delete_for_me(n == 0 ? Caller{} : by(n), std::move(seqs), asked.then());
    return settle(asked).errc();
  }
  Errc erase_for_all(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->delete_message(by(n), seq, asked.then());
    return settle(asked).errc();
  }
  Errc edit(std::uint64_t n, Seq seq, std::string body) {
    Asked<void> asked;
    home->edit(by(n), seq, {}, Payload::copy_of(body), asked.then());
    return settle(asked).errc();
  }
  Errc pin(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->pin(by(n), seq, true, asked.then());
    return settle(asked).errc();
  }
  Visible window(std::uint64_t n) {
    Asked<Visible> asked;
    home->visible(user(n), asked.then());
    return settle(asked).value();
  }
  /// The events that a page of all history hides from the user.
  std::set<Seq> hidden(std::uint64_t n) {
    const Visible seen = window(n);
    auto page = read({.from = 1, .max_events = 256, .max_bytes = 1 << 20}).value();
    hide(page.events, seen.reader);
    std::set<Seq> found;
    for (const auto& event : page.events)
      if (wire::read_record(event.record.bytes()).kind == EventKind::hidden)
        found.insert(event.seq);
    return found;
  }
  std::uint64_t unread(std::uint64_t n) {
    const Access seen = settle_access(n);
    const std::uint64_t base = std::max(seen.receipt.read_ordinal, seen.visible_ordinal);
    return seen.head_ordinal - base - seen.deleted;
  }
  Access settle_access(std::uint64_t n) {
    Asked<Access> asked;
    home->access(user(n), asked.then());
    return settle(asked).value();
  }
  Asked<wire::ThreadPage> thread(std::uint64_t n, Seq root) {
    Asked<wire::ThreadPage> got;
    home->thread(by(n), {.conversation = id(), .root = root, .limit = 100}, got.then());
    return settle(got);
  }
  std::vector<Seq> pinned(std::uint64_t n) {
    Asked<std::vector<Payload>> asked;
    home->pins(by(n), asked.then());
    std::vector<Seq> seqs;
    for (const Payload& record : settle(asked).value())
      seqs.push_back(wire::read_record(record.bytes()).seq);
    return seqs;
  }
};

}  // namespace

TEST_CASE("what a member deletes for itself is gone for it alone, for ever") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  OwnDeletionsChat chat(kind);
  const Seq first = chat.say(1), second = chat.say(1), third = chat.say(2);
  const auto before = chat.head();
  REQUIRE(chat.erase(2, {third, first, first}) == Errc::ok);
  CHECK(chat.hidden(2) == std::set<Seq>{first, third});
  CHECK(chat.hidden(1).empty());
  CHECK(chat.hidden(3).empty());
  CHECK(chat.head().head == before.head);  // no event of it
  CHECK(chat.rows('h', layout::personal) == 2);
  CHECK(chat.told_deleted[2] == std::set<Seq>{first, third});
  CHECK(chat.told_deleted.size() == 1);
  CHECK(chat.deletions[2]->seqs() == std::vector<Seq>{first, third});

  REQUIRE(chat.erase(2, {first}) == Errc::ok);  // again: nothing
  CHECK(chat.rows('h', layout::personal) == 2);
  REQUIRE(chat.erase(2, {second}) == Errc::ok);
  chat.restart();
  CHECK(chat.hidden(2) == std::set<Seq>{first, second, third});
  CHECK(chat.hidden(1).empty());
}

TEST_CASE("nothing is read for who never deleted anything for itself") {
  OwnDeletionsChat chat;
  const Seq seq = chat.say(1);
  REQUIRE(chat.erase(2, {seq}) == Errc::ok);
  chat.restart();
  (void)chat.settle_access(2);
  (void)chat.settle_access(3);
  (void)chat.window(3);
  chat.fx.advance(1s);
  const int scans = chat.fx.scans, gets = chat.fx.gets;
  (void)chat.settle_access(3);
  (void)chat.window(3);
  (void)chat.settle_access(2);  // in memory by now
  CHECK(chat.fx.scans == scans);
  CHECK(chat.fx.gets == gets);
}

TEST_CASE("only messages that one sees are deleted for oneself, all of them or none") {
  OwnDeletionsChat chat;
  const Seq seq = chat.say(1);
  CHECK(chat.erase(9, {seq}) == Errc::denied);
  CHECK(chat.erase(0, {seq}) == Errc::invalid_argument);
  CHECK(chat.erase(2, {}) == Errc::invalid_argument);
  CHECK(chat.erase(2, {seq, seq + 1}) == Errc::invalid_argument);
  CHECK(chat.erase(2, {0}) == Errc::invalid_argument);
  CHECK(chat.erase(2, {1}) == Errc::invalid_argument);  // the creation is no message
  REQUIRE(chat.add(by(1), {user(4)}) == Errc::ok);
  CHECK(chat.erase(4, {seq}) == Errc::invalid_argument);  // before they came
  CHECK(chat.rows('h', layout::personal) == 0);
  CHECK(chat.hidden(2).empty());
  REQUIRE(chat.erase_for_all(1, seq) == Errc::ok);
  CHECK(chat.erase(2, {seq}) == Errc::ok);  // what is left of it
  CHECK(chat.hidden(2).contains(seq));
}

TEST_CASE("how many messages one deletes for oneself is bounded, at once and together") {
  OwnDeletionsChat chat;
  std::vector<Seq> seqs;
  for (std::size_t i = 0; i <= limits::delete_for_me_at_once; ++i) seqs.push_back(chat.say(1));
  CHECK(chat.erase(2, seqs) == Errc::invalid_argument);
  seqs.pop_back();
  CHECK(chat.erase(2, seqs) == Errc::ok);
  CHECK(chat.unread(2) == 1);
  // The rest of what there may be, as if it had been deleted before: without its events.
  chat.restart();
  const std::string partition = layout::personal_id(0, chat.id(), user(2));
  const Get get{.cells = {{{layout::personal, partition}, {}}}};
  const std::string before(*chat.fx.store.get_now(get)->values[0]);
  std::vector<std::string> keys;
  for (Seq seq = 1'000'000; keys.size() + seqs.size() + 1 < limits::own_deletions; ++seq)
    keys.push_back(layout::own_deletion_key(seq));
  const std::string row = layout::encode(layout::OwnDeletionRow{});
  std::string now = before;
  for (std::size_t from = 0; from < keys.size(); from += 1'000) {
    auto cell = *layout::decode_count(now);
    cell.nonce += 1;
    const std::string next = layout::encode(cell);
    Batch batch{.partition = {layout::personal, partition}, .expect = now, .guard = next};
    for (std::size_t i = from; i < std::min(keys.size(), from + 1'000); ++i)
      batch.puts.push_back({keys[i], row});
    REQUIRE(chat.fx.store.commit_now(batch).verdict == Verdict::done);
    now = next;
  }
  const Seq last = chat.say(1), over = chat.say(1);
  CHECK(chat.erase(2, {last, over}) == Errc::limit_reached);
  CHECK(chat.erase(2, {last}) == Errc::ok);
  CHECK(chat.erase(2, {over}) == Errc::limit_reached);
  CHECK_FALSE(chat.hidden(2).contains(over));
}

TEST_CASE("what is deleted for oneself is not unread, and counted once when it goes for all") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  OwnDeletionsChat chat(kind);
  std::vector<Seq> seqs;
  for (int i = 0; i < 6; ++i) seqs.push_back(chat.say(1, 0, {user(2)}));
  CHECK(chat.unread(2) == 6);
  CHECK(chat.settle_access(2).mentions == 6);
  REQUIRE(chat.erase(2, {seqs[1], seqs[4]}) == Errc::ok);
  CHECK(chat.unread(2) == 4);
  CHECK(chat.settle_access(2).mentions == 4);
  CHECK(chat.unread(3) == 6);
  REQUIRE(chat.erase_for_all(1, seqs[4]) == Errc::ok);
  CHECK(chat.unread(2) == 4);
  REQUIRE(chat.erase_for_all(1, seqs[5]) == Errc::ok);
  REQUIRE(chat.erase(2, {seqs[5]}) == Errc::ok);
  CHECK(chat.unread(2) == 3);
  REQUIRE(chat.mark(2, seqs[2], seqs[2]) == Errc::ok);
  chat.fx.advance(2s);
  CHECK(chat.unread(2) == 1);
  CHECK(chat.settle_access(2).mentions == 1);
  chat.restart();
  CHECK(chat.unread(2) == 1);
}

TEST_CASE("events about a message deleted for oneself are hidden with it") {
  OwnDeletionsChat chat;
  const Seq gone = chat.say(1), other = chat.say(1);
  REQUIRE(chat.erase(2, {gone}) == Errc::ok);
  REQUIRE(chat.edit(1, gone, "another") == Errc::ok);
  const Seq edited = chat.head().head;
  REQUIRE(chat.edit(1, other, "another") == Errc::ok);
  REQUIRE(chat.pin(1, gone) == Errc::ok);
  const Seq pinned = chat.head().head;
  REQUIRE(chat.pin(1, other) == Errc::ok);
  CHECK(chat.hidden(2) == std::set<Seq>{gone, edited, pinned});
  CHECK(chat.pinned(2) == std::vector<Seq>{other});
  CHECK(chat.pinned(1) == std::vector<Seq>{gone, other});
  // Of that conversation's head on, whoever looks.
  const Reader reader = chat.window(2).reader;
  const auto shown = shown_to(chat.pieces.back()->records, reader);
  CHECK(wire::read_record(shown[0].bytes()).kind == EventKind::pinned);
}

TEST_CASE("one does not forward what one deleted for oneself, and others do") {
  OwnDeletionsChat chat;
  const Seq seq = chat.say(1);
  REQUIRE(chat.erase(2, {seq}) == Errc::ok);
  wire::Send forward;
  forward.random = 7;
  forward.forward = ForwardOf{chat.id(), seq};
  CHECK(chat.settle(chat.send(by(2), forward)).errc() == Errc::denied);
  CHECK(chat.settle(chat.send(by(3), forward)).errc() == Errc::ok);
}

TEST_CASE("threads leave out replies deleted for oneself, and end with their root") {
  OwnDeletionsChat chat;
  const Seq root = chat.say(1);
  std::vector<Seq> replies;
  for (int i = 0; i < 4; ++i) replies.push_back(chat.say(1, root));
  REQUIRE(chat.erase(2, {replies[1], replies[2]}) == Errc::ok);
  const auto page = chat.thread(2, root).value();
  CHECK(page.records.size() == 2);
  CHECK(page.thread.unread == 2);
  CHECK(chat.thread(3, root).value().thread.unread == 4);
  REQUIRE(chat.erase_for_all(1, replies[2]) == Errc::ok);
  CHECK(chat.thread(2, root).value().thread.unread == 2);
  REQUIRE(chat.erase(2, {root}) == Errc::ok);
  CHECK(chat.thread(2, root).errc() == Errc::invalid_argument);
  CHECK(chat.thread(3, root).errc() == Errc::ok);
}

TEST_CASE("a channel's member who comes back does not see it again") {
  OwnDeletionsChat chat(ConversationKind::channel);
  const Seq seq = chat.say(1), left = chat.say(1);
  REQUIRE(chat.erase(2, {seq}) == Errc::ok);
  REQUIRE(chat.leave(2) == Errc::ok);
  CHECK(chat.erase(2, {left}) == Errc::denied);
  CHECK(chat.hidden(2) == std::set<Seq>{seq});  // a former member reads what was before
  REQUIRE(chat.join(2).errc() == Errc::ok);
  CHECK(chat.hidden(2) == std::set<Seq>{seq});
  chat.restart();
  CHECK(chat.hidden(2) == std::set<Seq>{seq});
}

TEST_CASE("rows of what was trimmed make room") {
  OwnDeletionsChat chat;
  std::vector<Seq> seqs;
  for (int i = 0; i < 300; ++i) seqs.push_back(chat.say(1));
  REQUIRE(chat.erase(2, {seqs[0], seqs[1], seqs[298]}) == Errc::ok);
  Asked<void> kept;
  chat->set_retention(Caller{}, {.keep_events = 10}, kept.then());
  REQUIRE(chat.settle(kept).errc() == Errc::ok);
  chat.fx.advance(40s);
  REQUIRE(chat.head().floor > seqs[1]);
  REQUIRE(chat.erase(2, {seqs[299]}) == Errc::ok);
  CHECK(chat.rows('h', layout::personal) == 2);
  CHECK(chat.hidden(2) == std::set<Seq>{seqs[298], seqs[299]});
}

TEST_CASE("a conversation that is deleted for good takes it along") {
  OwnDeletionsChat chat;
  REQUIRE(chat.erase(2, {chat.say(1)}) == Errc::ok);
  Asked<void> ended;
  chat->end(by(1), ended.then());
  chat.fx.advance(120s);
  CHECK(ended.errc() == Errc::ok);
  CHECK(chat.rows('h', layout::personal) == 0);
}

TEST_CASE("what a reader sees and counts is what a naive model says, whatever goes wrong") {
  CHECK(rc::check("own deletions", [] {
    OwnDeletionsChat chat(*rc::gen::element(ConversationKind::group, ConversationKind::channel));
    const int faults = *rc::gen::inRange(0, 30);  // percent
    std::uint64_t luck = *rc::gen::arbitrary<std::uint64_t>();
    chat.fx.inject = [&](const Batch&) {
      luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
      if (static_cast<int>((luck >> 33) % 100) >= faults) return Fault::none;
      constexpr Fault some[] = {Fault::refused, Fault::failed, Fault::unknown_landed,
                                Fault::unknown_lost, Fault::unknown_overtaken};
      return some[(luck >> 40) % 5];
    };
    std::set<Seq> messages, gone;
    std::map<std::uint64_t, std::set<Seq>> deleted, maybe;  // surely, and perhaps
    std::map<std::uint64_t, Seq> read;
    const auto any = [&]() -> Seq {
      const auto size = static_cast<std::ptrdiff_t>(messages.size());
      return *std::next(messages.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, size));
    };
    const int steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) {
      const auto n = *rc::gen::inRange<std::uint64_t>(2, 4);
      switch (messages.empty() ? 9 : *rc::gen::inRange(0, 10)) {
        case 0:
        case 1:
        case 2: {
          const std::vector<Seq> seqs{any(), any()};
          const bool done = chat.erase(n, seqs) == Errc::ok;
          (done ? deleted : maybe)[n].insert(seqs.begin(), seqs.end());
          break;
        }
        case 3: {
          const Seq seq = any();
          if (chat.erase_for_all(1, seq) == Errc::ok) gone.insert(seq);
          break;
        }
        case 4: {
          const Seq seq = any();
          if (chat.mark(n, seq, seq) == Errc::ok) read[n] = std::max(read[n], seq);
          break;
        }
        case 5:
          chat.fx.advance(3s);
          break;
        case 6:
          if (*rc::gen::inRange(0, 3) == 0) {
            for (int k = 0; k < 20 && !chat.home->idle(); ++k) chat.fx.advance(1s);
            chat.restart();
          }
          break;
        default:
          if (const auto sent = chat.post(1); sent.errc() == Errc::ok)
            messages.insert(sent.value().seq);
      }
    }
    chat.fx.inject = {};
    for (int i = 0; i < 20 && !chat.home->idle(); ++i) chat.fx.advance(3s);
    for (int life = 0; life < 2; ++life) {
      RC_ASSERT(chat.hidden(1).empty());
      for (std::uint64_t n = 2; n <= 3; ++n) {
        const std::set<Seq> hidden = chat.hidden(n);
        std::set<Seq> shown;
        for (const Seq seq : messages)
          if (!hidden.contains(seq)) shown.insert(seq);
        for (const Seq seq : deleted[n]) RC_ASSERT(hidden.contains(seq));
        for (const Seq seq : hidden)
          RC_ASSERT(!messages.contains(seq) || deleted[n].contains(seq) || maybe[n].contains(seq));
        const auto unread = std::count_if(shown.begin(), shown.end(), [&](Seq seq) {
          return seq > read[n] && !gone.contains(seq);
        });
        RC_ASSERT(chat.unread(n) == static_cast<std::uint64_t>(unread));
        for (const Seq seq : deleted[n]) RC_ASSERT(chat.told_deleted[n].contains(seq));
      }
      chat.restart();
    }
  }));
}
