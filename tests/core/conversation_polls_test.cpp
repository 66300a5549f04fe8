// conversation_polls_test.cpp: votes are exact, replaced and taken back, told with the message, and
// end with the poll, whatever goes wrong.
#include <rapidcheck.h>

#include <map>
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "parley/limits.hpp"
#include "store/layout_messages.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

using Options = std::vector<std::uint8_t>;

wire::Send question(PollDraft poll = {}) {
  wire::Send send = text("lunch?");
  if (poll.options.empty()) poll.options = {"soup", "rice", "bread"};
  send.poll = std::move(poll);
  return send;
}

struct Polls : World {
  explicit Polls(ConversationKind kind = ConversationKind::group) {
    (void)create(by(1), kind, {user(2), user(3), user(4)});
    fx.advance(1s);
  }
  Errc try_ask(const wire::Send& send, std::uint64_t n = 1) {
    auto asked = World::send(by(n), send);
    fx.drain();
    return asked.errc();
  }
  Seq ask(PollDraft poll = {}, std::uint64_t n = 1) {
    auto asked = World::send(by(n), question(std::move(poll)));
    fx.drain();
    return asked.value().seq;
  }
  Errc vote(std::uint64_t n, Seq seq, const Options& options) {
    Asked<Ballot> asked;
    home->vote(by(n), seq, options, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc close(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->close_poll(n == 0 ? Caller{} : by(n), seq, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc erase(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->delete_message(by(n), seq, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc wake() {
    Asked<void> woken;
    home->wake(fx.time.wall_ms, woken.then());
    fx.advance(5s);
    return woken.errc();
  }
  Asked<Ballot> ballot(std::uint64_t n, Seq seq) {
    Asked<Ballot> asked;
    home->ballot(by(n), seq, asked.then());
    fx.drain();
    return asked;
  }
  Asked<wire::VotersPage> voters(std::uint64_t n, const wire::Voters& asked_for) {
    Asked<wire::VotersPage> asked;
    home->voters(by(n), asked_for, asked.then());
    fx.drain();
    return asked;
  }
  wire::RecordFields shown(Seq seq) {
    auto page = read({.from = seq, .to = seq}).value();
    kept.push_back(page.events.at(0).record);
    return wire::read_record(kept.back().bytes());
  }
  /// "2 0 1 of 3", with "closed" when it is.
  std::string results(Seq seq) {
    const auto fields = shown(seq);
    if (fields.tallies.empty() || !fields.tallies[0].poll) return "none";
    const PollResults& poll = *fields.tallies[0].poll;
    std::string out;
    for (const auto votes : poll.votes) out += std::to_string(votes) + " ";
    return out + "of " + std::to_string(poll.voters) + (poll.closed ? " closed" : "");
  }
  Seq head_seq() { return head().head; }
};

}  // namespace

TEST_CASE("a vote is counted once, changed and taken back") {
  Polls chat;
  const Seq seq = chat.ask();
  (void)chat.shown(seq);
  const Event message = wire::to_event(chat.id(), {}, chat.kept.back(), 0);
  const auto& poll = message.as<Message>()->poll;
  REQUIRE(poll);
  CHECK(poll->options == std::vector<std::string_view>{"soup", "rice", "bread"});
  CHECK(poll->results.votes == std::vector<std::uint64_t>{0, 0, 0});
  CHECK(chat.results(seq) == "none");
  REQUIRE(chat.vote(2, seq, {1}) == Errc::ok);
  const auto event = wire::read_record(chat.pieces.back()->records.at(0).bytes());
  CHECK(event.kind == EventKind::reactions);
  REQUIRE(event.tallies.at(0).poll);
  CHECK(event.tallies[0].poll->votes == std::vector<std::uint64_t>{0, 1, 0});
  const Seq head = chat.head_seq();
  CHECK(chat.vote(2, seq, {1}) == Errc::ok);
  CHECK(chat.head_seq() == head);  // it was so already
  CHECK(chat.vote(3, seq, {1}) == Errc::ok);
  CHECK(chat.vote(2, seq, {0}) == Errc::ok);
  CHECK(chat.results(seq) == "1 1 0 of 2");
  CHECK(chat.ballot(2, seq).value().options == Options{0});
  CHECK(chat.voters(4, {.seq = seq, .option = 1}).value().users == std::vector<UserId>{user(3)});
  CHECK(chat.vote(3, seq, {}) == Errc::ok);
  CHECK(chat.vote(3, seq, {}) == Errc::ok);
  CHECK(chat.results(seq) == "1 0 0 of 1");
  CHECK(chat.ballot(3, seq).value().options.empty());
  CHECK(chat.voters(4, {.seq = seq, .option = 1}).value().users.empty());
  chat.restart();
  CHECK(chat.ballot(2, seq).value().options == Options{0});
  CHECK(chat.vote(2, seq, {0}) == Errc::ok);
  CHECK(chat.results(seq) == "1 0 0 of 1");
  chat.fx.advance(2s);
  CHECK(chat.home->idle());
}

TEST_CASE("a poll with several answers, beside reactions on its message") {
  Polls chat;
  const Seq seq = chat.ask({.options = {"a", "b", "c"}, .multiple = true});
  CHECK(chat.vote(2, seq, {2, 0, 0}) == Errc::ok);
  CHECK(chat.vote(3, seq, {0}) == Errc::ok);
  Asked<void> reacted;
  chat->react(by(4), seq, "+1", true, reacted.then());
  chat.fx.drain();
  CHECK(chat.results(seq) == "2 0 1 of 2");
  CHECK(chat.ballot(2, seq).value().options == Options{0, 2});
  CHECK(chat.shown(seq).tallies.at(0).reactions.at(0).count == 1);
  CHECK(chat.vote(2, seq, {1}) == Errc::ok);
  CHECK(chat.results(seq) == "1 1 0 of 2");
  CHECK(chat.shown(seq).tallies.at(0).reactions.at(0).count == 1);
}

TEST_CASE("who may vote, and for what") {
  Polls chat;
  const Seq seq = chat.ask({.options = {"a", "b"}});
  CHECK(chat.vote(9, seq, {0}) == Errc::denied);
  CHECK(chat.vote(2, seq, {2}) == Errc::invalid_argument);
  CHECK(chat.vote(2, seq, {static_cast<std::uint8_t>(limits::poll_options)}) ==
        Errc::invalid_argument);
  CHECK(chat.vote(2, seq, {0, 1}) == Errc::invalid_argument);
  CHECK(chat.vote(2, seq + 1, {0}) == Errc::invalid_argument);
  CHECK(chat.vote(2, 1, {0}) == Errc::invalid_argument);
  REQUIRE(chat.say(1) == Errc::ok);
  CHECK(chat.vote(2, chat.head_seq(), {0}) == Errc::invalid_argument);  // no poll
  CHECK(chat.ballot(9, seq).errc() == Errc::denied);
  CHECK(chat.voters(9, {.seq = seq}).errc() == Errc::denied);
  CHECK(chat.voters(2, {.seq = seq, .option = 2}).errc() == Errc::invalid_argument);
  REQUIRE(chat.set_role(by(1), 4, Role::read_only) == Errc::ok);
  CHECK(chat.vote(4, seq, {0}) == Errc::denied);
  REQUIRE(chat.vote(3, seq, {0}) == Errc::ok);
  REQUIRE(chat.remove(by(1), 3) == Errc::ok);
  CHECK(chat.vote(3, seq, {1}) == Errc::denied);
  CHECK(chat.vote(3, seq, {}) == Errc::denied);
  CHECK(chat.results(seq) == "1 0 of 1");  // what was said while a member stays
}

TEST_CASE("nobody is told who voted in an anonymous poll, not even who asked") {
  Polls chat;
  const Seq seq = chat.ask({.options = {"a", "b"}, .anonymous = true});
  REQUIRE(chat.vote(2, seq, {1}) == Errc::ok);
  REQUIRE(chat.vote(3, seq, {1}) == Errc::ok);
  CHECK(chat.results(seq) == "0 2 of 2");
  CHECK(chat.voters(1, {.seq = seq, .option = 1}).errc() == Errc::denied);
  CHECK(chat.ballot(2, seq).value().options == Options{1});  // but oneself
  CHECK(chat.rows('v', layout::reaction) == 0);
}

TEST_CASE("a poll is closed by who asked and by moderators, and takes no vote after that") {
  Polls chat;
  const Seq seq = chat.ask({}, 2);
  REQUIRE(chat.vote(3, seq, {0}) == Errc::ok);
  CHECK(chat.close(3, seq) == Errc::denied);
  CHECK(chat.close(9, seq) == Errc::denied);
  CHECK(chat.close(2, seq) == Errc::ok);
  CHECK(chat.results(seq) == "1 0 0 of 1 closed");
  const Seq head = chat.head_seq();
  CHECK(chat.close(2, seq) == Errc::ok);
  CHECK(chat.close(1, seq) == Errc::ok);
  CHECK(chat.head_seq() == head);
  CHECK(chat.vote(4, seq, {0}) == Errc::denied);
  CHECK(chat.vote(3, seq, {}) == Errc::denied);
  chat.restart();
  CHECK(chat.vote(4, seq, {0}) == Errc::denied);
  CHECK(chat.results(seq) == "1 0 0 of 1 closed");
  CHECK(chat.ballot(3, seq).value().options == Options{0});
  CHECK(chat.close(1, chat.ask({}, 2)) == Errc::ok);
  CHECK(chat.close(0, chat.ask({}, 2)) == Errc::ok);  // the system
}

TEST_CASE("a vote that is on its way when the poll ends counts, or is told that it ended") {
  Polls channel(ConversationKind::channel);
  const Seq seq = channel.ask();
  channel.fx.advance(2s);
  Asked<Ballot> before, after;
  Asked<void> closed;
  channel->vote(by(2), seq, {0}, before.then());
  channel->close_poll(by(1), seq, closed.then());
  channel->vote(by(3), seq, {0}, after.then());
  channel.fx.advance(3s);
  CHECK(before.errc() == Errc::ok);
  CHECK(closed.errc() == Errc::ok);
  CHECK(after.errc() == Errc::denied);
  CHECK(channel.results(seq) == "1 0 0 of 1 closed");
}

TEST_CASE("a poll closes by itself when it is time") {
  Polls chat;
  const Seq seq = chat.ask({.options = {"a", "b"}, .closes_after = 1h});
  const auto fields = chat.shown(seq);
  CHECK(fields.poll->closes_ms == fields.time_ms + 3'600'000);
  REQUIRE(chat.wakes.size() == 1);  // stored before the message
  CHECK(chat.rows('d') == 1);
  REQUIRE(chat.vote(2, seq, {0}) == Errc::ok);
  chat.fx.advance(30min);
  CHECK(chat.wake() == Errc::ok);
  CHECK(chat.results(seq) == "1 0 of 1");
  chat.fx.advance(31min);
  CHECK(chat.vote(3, seq, {0}) == Errc::denied);  // also before it was told
  CHECK(chat.wake() == Errc::ok);
  CHECK(chat.results(seq) == "1 0 of 1 closed");
  CHECK(chat.rows('d') == 0);
  CHECK(chat.wake() == Errc::ok);
  CHECK(chat.home->idle());

  const Seq early = chat.ask({.options = {"a", "b"}, .closes_after = 1h});
  const Seq gone = chat.ask({.options = {"a", "b"}, .closes_after = 1h});
  CHECK(chat.close(1, early) == Errc::ok);
  CHECK(chat.erase(1, gone) == Errc::ok);
  chat.fx.advance(61min);
  const Seq head = chat.head_seq();
  CHECK(chat.wake() == Errc::ok);
  CHECK(chat.head_seq() == head);
  CHECK(chat.rows('d') == 0);
}

// Both wake-ups erased the row of the poll in one batch, which the store refused, with the tally.
TEST_CASE("two wake-ups at once close a poll, or delete what expires, once") {
  Polls chat;
  const Seq seq = chat.ask({.options = {"a", "b"}, .closes_after = 1h});
  wire::Send brief = text("brief");
  brief.expires_after_ms = 3'600'000;
  REQUIRE(chat.try_ask(brief) == Errc::ok);
  chat.fx.advance(61min);
  Asked<void> first, second;
  chat->wake(chat.fx.time.wall_ms, first.then());
  chat->wake(chat.fx.time.wall_ms, second.then());
  chat.fx.advance(5s);
  CHECK(first.errc() == Errc::ok);
  CHECK(second.errc() == Errc::ok);
  CHECK(chat.results(seq) == "0 0 of 0 closed");
  CHECK(chat.shown(seq + 1).deleted);
  CHECK(chat.rows('d') == 0);
  CHECK(chat.home->idle());
}

TEST_CASE("a deleted poll has no results, an asked one is not edited or forwarded") {
  Polls chat;
  const Seq seq = chat.ask();
  REQUIRE(chat.vote(2, seq, {0}) == Errc::ok);
  Asked<void> edited;
  chat->edit(by(1), seq, "", Payload::copy_of("dinner?"), edited.then());
  wire::Send forward;
  forward.forward = ForwardOf{chat.id(), seq};
  CHECK(chat.try_ask(forward, 2) == Errc::invalid_argument);
  CHECK(edited.errc() == Errc::invalid_argument);
  REQUIRE(chat.erase(1, seq) == Errc::ok);
  CHECK_FALSE(chat.shown(seq).poll);
  CHECK(chat.results(seq) == "none");
  CHECK(chat.vote(3, seq, {0}) == Errc::invalid_argument);
  CHECK(chat.ballot(2, seq).errc() == Errc::invalid_argument);
  CHECK(chat.voters(2, {.seq = seq}).errc() == Errc::invalid_argument);
  CHECK(chat.close(1, seq) == Errc::invalid_argument);
}

TEST_CASE("limits: what a poll may ask, at each bound and one past it") {
  Polls chat;
  const auto of = [](std::size_t options, std::size_t size = 1) {
    return question({.options = std::vector<std::string>(options, std::string(size, 'o'))});
  };
  CHECK(chat.try_ask(of(1)) == Errc::invalid_argument);
  CHECK(chat.try_ask(of(2)) == Errc::ok);
  CHECK(chat.try_ask(of(limits::poll_options, limits::poll_option)) == Errc::ok);
  CHECK(chat.try_ask(of(limits::poll_options + 1)) == Errc::invalid_argument);
  CHECK(chat.try_ask(of(2, 0)) == Errc::invalid_argument);
  CHECK(chat.try_ask(of(2, limits::poll_option + 1)) == Errc::invalid_argument);
  CHECK(chat.try_ask(question({.options = {"a", "\xff"}})) == Errc::invalid_argument);
  const auto closing = [](std::chrono::milliseconds after) {
    return question({.options = {"a", "b"}, .closes_after = after});
  };
  CHECK(chat.try_ask(closing(limits::poll_least - 1ms)) == Errc::invalid_argument);
  CHECK(chat.try_ask(closing(-1ms)) == Errc::invalid_argument);
  CHECK(chat.try_ask(closing(limits::poll_least)) == Errc::ok);
  CHECK(chat.try_ask(closing(limits::poll_most)) == Errc::ok);
  CHECK(chat.try_ask(closing(limits::poll_most + 1ms)) == Errc::invalid_argument);
  wire::Send silent = question();
  silent.body = {};
  CHECK(chat.try_ask(silent) == Errc::invalid_argument);
  const Seq seq = chat.ask();
  const auto page = [&](std::uint32_t limit) {
    return chat.voters(2, {.seq = seq, .limit = limit}).errc();
  };
  CHECK(page(0) == Errc::invalid_argument);
  CHECK(page(limits::page_voters) == Errc::ok);
  CHECK(page(limits::page_voters + 1) == Errc::invalid_argument);
}

TEST_CASE("a repeated poll is the first one, another poll under its number is refused") {
  Polls chat;
  wire::Send send = question();
  send.number = 1;
  const auto first = chat.send(by(1), send);
  chat.fx.drain();
  const auto again = chat.send(by(1), send);
  chat.fx.drain();
  CHECK(again.value().repeated);
  CHECK(again.value().seq == first.value().seq);
  send.poll->options[0] = "stew";
  CHECK(chat.try_ask(send) == Errc::key_reused);
}

TEST_CASE("many votes in a channel: few events, exact counts, pages of who") {
  Polls channel(ConversationKind::channel);
  constexpr std::uint64_t people = 700;
  for (std::uint64_t n = 10; n < 10 + people; ++n) (void)channel.join(n);
  channel.fx.advance(2s);
  const Seq seq = channel.ask();
  const Seq head = channel.head_seq();
  std::vector<Asked<Ballot>> asked(people);
  for (std::uint64_t i = 0; i < people; ++i)
    channel->vote(by(10 + i), seq, {static_cast<std::uint8_t>(i % 3 == 0 ? 0 : 2)},
                  asked[i].then());
  channel.fx.advance(5s);
  for (const auto& each : asked) REQUIRE(each.errc() == Errc::ok);
  CHECK(channel.results(seq) == "234 0 466 of 700");
  CHECK(channel.head_seq() <= head + 3);
  std::size_t found = 0;
  wire::Voters page{.seq = seq, .option = 2};
  for (bool more = true; more;) {
    const auto got = channel.voters(1, page);
    found += got.value().users.size();
    for (const UserId each : got.value().users) {
      CHECK(page.after < each);
      page.after = each;
    }
    more = got.value().more;
  }
  CHECK(found == 466);
}

TEST_CASE("votes are what was answered, whatever goes wrong, and end with the poll") {
  CHECK(rc::check("votes", [] {
    Polls chat(*rc::gen::element(ConversationKind::group, ConversationKind::channel));
    const bool multiple = *rc::gen::arbitrary<bool>(), anonymous = *rc::gen::arbitrary<bool>();
    const Seq seq = chat.ask({.options = {"a", "b", "c"},
                              .multiple = multiple,
                              .anonymous = anonymous,
                              .closes_after = *rc::gen::element(0ms, 30'000ms)});
    const int faults = *rc::gen::inRange(0, 40);  // percent
    std::uint64_t luck = *rc::gen::arbitrary<std::uint64_t>();
    chat.fx.inject = [&](const Batch&) {
      luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
      if (static_cast<int>((luck >> 33) % 100) >= faults) return Fault::none;
      constexpr Fault some[] = {Fault::refused,      Fault::failed,       Fault::unknown_landed,
                                Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken};
      return some[(luck >> 40) % 6];
    };
    std::map<std::uint64_t, Options> sure;  // by the last answer; unknown ones leave
    bool closed = false;
    for (int i = *rc::gen::inRange(1, 50); i > 0; --i) {
      const auto n = *rc::gen::inRange<std::uint64_t>(1, 5);
      const int what = *rc::gen::inRange(0, 12);
      if (what == 0) {
        closed = chat.close(1, seq) == Errc::ok || closed;
      } else if (what == 1) {
        chat.fx.advance(4s);
        (void)chat.wake();
      } else if (what == 2) {
        chat.restart();
        chat.fx.drain();
      } else {
        Options options;
        for (std::uint8_t option = 0; option < 3; ++option)
          if (*rc::gen::arbitrary<bool>() && (multiple || options.empty()))
            options.push_back(option);
        const Errc answer = chat.vote(n, seq, options);
        if (answer == Errc::ok) {
          // What is so already is also said of a closed poll, but a change is never.
          if (closed) RC_ASSERT(!sure.contains(n) || sure[n] == options);
          sure[n] = options;
        } else if (answer != Errc::denied) {
          sure.erase(n);
        }
      }
    }
    chat.fx.inject = {};
    for (int i = 0; i < 20 && !chat.home->idle(); ++i) chat.fx.advance(3s);
    RC_ASSERT(chat.home->idle());
    const std::string name = layout::reaction_id(0, chat.id(), seq);
    std::uint64_t revision = 0;
    chat.fx.store.look({layout::reaction, name}, [&](Bytes guard, const auto&) {
      if (!guard.empty()) revision = layout::decode_count(guard)->revision;
    });
    Asked<void> told;  // what a restart left untold, as the feed asks
    chat->retell(seq, revision, told.then());
    chat.fx.advance(3s);
    RC_ASSERT(told.errc() == Errc::ok);
    RC_ASSERT(chat.home->idle());
    chat.fx.store.look({layout::reaction, name}, [&](Bytes, const auto& rows) {
      layout::PollRow counted{.votes = {0, 0, 0}};
      std::optional<layout::PollRow> row;
      std::size_t named = 0;
      for (const auto& [key, value] : rows) {
        if (key == layout::poll_key()) row = layout::decode_poll(value);
        if (layout::parse_vote(key)) ++named;
        if (const auto voter = layout::parse_number_key('b', key)) {
          const std::uint32_t chosen = layout::decode_ballot(value).value();
          ++counted.voters;
          for (std::size_t option = 0; option < 3; ++option)
            counted.votes[option] += chosen >> option & 1;
        }
      }
      if (!row) return;
      RC_ASSERT(row->votes == counted.votes);
      RC_ASSERT(row->voters == counted.voters);
      RC_ASSERT(row->closed >= closed);
      std::size_t votes = 0;
      for (const auto each : row->votes) votes += each;
      RC_ASSERT(named == (anonymous ? 0 : votes));
      const auto shown = chat.shown(seq).tallies;
      RC_ASSERT(!shown.empty());
      RC_ASSERT(shown[0].poll->votes == row->votes);
      RC_ASSERT(shown[0].poll->closed == row->closed);
    });
    for (const auto& [n, options] : sure) RC_ASSERT(chat.ballot(n, seq).value().options == options);
  }));
}
