// conversation_threads_test.cpp: replies in threads: ordinals of their own, what the root tells,
// who follows, unread as a function, and that no fault or crash makes them disagree.
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

struct ThreadedChat : World {
  explicit ThreadedChat(ConversationKind kind = ConversationKind::group) {
    (void)create(by(1), kind, {user(2), user(3), user(4)});
    fx.advance(1s);
  }
  Asked<Ack> post(std::uint64_t n, Seq root = 0, std::vector<UserId> mentions = {}) {
    wire::Send what = text("m");
    what.thread_root = root;
    what.extras.mentions = std::move(mentions);
    return settle(send(n == 0 ? Caller{} : by(n), std::move(what)));
  }
  Seq say(std::uint64_t n) { return post(n).value().seq; }
  Seq reply(std::uint64_t n, Seq root, std::vector<UserId> mentions = {}) {
    return post(n, root, std::move(mentions)).value().seq;
  }
  Errc erase(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->delete_message(by(n), seq, asked.then());
    return settle(asked).errc();
  }
  Asked<wire::ThreadPage> page(std::uint64_t n, wire::Thread asked) {
    Asked<wire::ThreadPage> got;
    asked.conversation = id();
    home->thread(by(n), asked, got.then());
    return settle(got);
  }
  std::vector<Seq> replies(std::uint64_t n, wire::Thread asked) {
    std::vector<Seq> seqs;
    const wire::ThreadPage found = page(n, asked).value();
    for (const Payload& record : found.records)
      seqs.push_back(wire::read_record(record.bytes()).seq);
    return seqs;
  }
  wire::ThreadState state(std::uint64_t n, Seq root) {
    return page(n, {.root = root}).value().thread;
  }
  std::uint64_t unread(std::uint64_t n, Seq root) { return state(n, root).unread; }
  bool followed(std::uint64_t n, Seq root) { return state(n, root).followed; }
  Errc follow(std::uint64_t n, Seq root, bool on) {
    Asked<wire::ThreadState> asked;
    home->follow_thread(by(n), root, on, asked.then());
    return settle(asked).errc();
  }
  Errc mark_thread(std::uint64_t n, Seq root, Seq seq) {
    Asked<wire::ThreadState> asked;
    home->read_thread(by(n), root, seq, asked.then());
    return settle(asked).errc();
  }
  wire::RecordFields shown(Seq seq) {
    kept.push_back(read({.from = seq, .to = seq}).value().events.at(0).record);
    return wire::read_record(kept.back().bytes());
  }
};

}  // namespace

TEST_CASE("replies have ordinals of their own, and the root tells what they come to") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  ThreadedChat chat(kind);
  const Seq root = chat.say(1), other = chat.say(1);
  const std::uint64_t ordinal = chat.head().ordinal;
  const Seq first = chat.reply(2, root), second = chat.reply(3, root);
  const Seq elsewhere = chat.reply(2, other);
  CHECK(chat.head().ordinal == ordinal);  // none of them is unread in the conversation
  CHECK(chat.shown(first).thread_ordinal == 1);
  CHECK(chat.shown(second).thread_ordinal == 2);
  CHECK(chat.shown(second).thread_root == root);
  CHECK(chat.shown(second).ordinal == ordinal);
  CHECK(chat.shown(elsewhere).thread_ordinal == 1);
  CHECK(chat.shown(root).thread == wire::ThreadCount{2, 2, second});
  CHECK(chat.shown(root).changed == second);

  REQUIRE(chat.erase(3, second) == Errc::ok);
  CHECK(chat.shown(root).thread == wire::ThreadCount{2, 1, second});
  const auto gone = wire::read_record(chat.pieces.back()->records.back().bytes());
  CHECK(gone.thread_root == root);
  CHECK(gone.about_ordinal == 0);
  CHECK(chat.access(4).value().deleted == 0);
  CHECK(chat.shown(chat.reply(2, root)).thread_ordinal == 3);
  for (int i = 0; i < 10 && !chat.home->idle(); ++i) chat.fx.advance(2s);
  CHECK(chat.home->idle());
  CHECK(chat.rows('t') == 0);  // moved to where they belong
}

TEST_CASE("a thread hangs on a message that is there and is no reply itself") {
  ThreadedChat chat;
  const Seq root = chat.say(1);
  const Seq reply = chat.reply(2, root);
  CHECK(chat.post(2, reply).errc() == Errc::invalid_argument);
  CHECK(chat.post(2, 1).errc() == Errc::invalid_argument);  // the creation is no message
  CHECK(chat.post(2, 10'000).errc() == Errc::invalid_argument);
  CHECK(chat.post(9, root).errc() == Errc::denied);
  CHECK(chat.follow(2, reply, true) == Errc::invalid_argument);
  REQUIRE(chat.add(by(1), {user(5)}) == Errc::ok);
  CHECK(chat.post(5, root).errc() == Errc::invalid_argument);  // before they came
  CHECK(chat.page(5, {.root = root}).errc() == Errc::invalid_argument);
  CHECK(chat.page(9, {.root = root}).errc() == Errc::denied);
  REQUIRE(chat.erase(1, root) == Errc::ok);
  CHECK(chat.post(2, root).errc() == Errc::invalid_argument);
  CHECK(chat.shown(root).thread.replies == 1);  // its thread can still be read
  CHECK(chat.replies(3, {.root = root}) == std::vector<Seq>{reply});
}

TEST_CASE("a thread is read in pages, without what lies between") {
  ThreadedChat chat;
  const Seq root = chat.say(1);
  std::vector<Seq> all;
  for (int i = 0; i < 25; ++i) {
    for (int k = 0; k < 8; ++k) (void)chat.say(2);
    all.push_back(chat.reply(2 + i % 2, root));
  }
  chat.fx.advance(3s);  // most of it is sealed
  const int scans = chat.fx.scans;
  CHECK(chat.replies(3, {.root = root, .limit = 100}) == all);
  CHECK(chat.fx.scans - scans < 110);
  const auto last = chat.page(3, {.root = root, .limit = 10});
  CHECK(last.value().more);
  CHECK(last.value().records.size() == 10);
  CHECK(chat.replies(3, {.root = root, .from = all[15], .limit = 10}) ==
        std::vector<Seq>(all.begin() + 5, all.begin() + 15));
  CHECK(chat.replies(3, {.root = root, .from = all[20], .backward = false, .limit = 10}) ==
        std::vector<Seq>(all.begin() + 20, all.end()));
  CHECK(chat.replies(3, {.root = root, .from = all[0]}).empty());
  CHECK(chat.page(3, {.root = root, .limit = 0}).errc() == Errc::invalid_argument);
  CHECK(chat.page(3, {.root = root, .limit = limits::page_replies}).errc() == Errc::ok);
  CHECK(chat.page(3, {.root = root, .limit = limits::page_replies + 1}).errc() ==
        Errc::invalid_argument);
  CHECK(chat.state(3, root).unread == 1);  // their own last one was the one before
}

TEST_CASE("who wrote the root, replied or was mentioned follows, until they say no") {
  ThreadedChat chat;
  const Seq root = chat.say(1);
  CHECK(!chat.followed(1, root));  // nothing to follow yet
  (void)chat.reply(2, root, {user(3), user(9)});
  CHECK(chat.followed(1, root));
  CHECK(chat.followed(2, root));
  CHECK(chat.followed(3, root));
  CHECK(!chat.followed(4, root));
  REQUIRE(chat.follow(3, root, false) == Errc::ok);
  (void)chat.reply(2, root, {user(3)});
  CHECK(!chat.followed(3, root));
  (void)chat.reply(3, root);
  CHECK(chat.followed(3, root));
  REQUIRE(chat.follow(3, root, false) == Errc::ok);
  chat.restart();  // the rows of the reply may be there still: it does not follow again by them
  CHECK(!chat.followed(3, root));
  REQUIRE(chat.follow(4, root, true) == Errc::ok);
  CHECK(chat.followed(4, root));
  CHECK(chat.unread(4, root) == 3);
}

// Imported messages are in no threads, but a thread may begin with one.
TEST_CASE("a thread whose root was imported is followed by its author, if that is a member") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  ThreadedChat chat(kind);
  const auto import = [&chat](std::uint64_t author, const std::string& name) {
    wire::Send what = text("long ago");
    what.key = name;
    what.import = {user(author), 1'740'000'000'000, name};
    return chat.settle(chat.send(Caller{}, std::move(what))).value().seq;
  };
  std::vector<Seq> roots;
  for (const std::uint64_t author : {2, 9, 0, 4})  // a member, a stranger, the system, who left
    roots.push_back(import(author, "m" + std::to_string(author)));
  if (kind == ConversationKind::group) REQUIRE(chat.leave(4) == Errc::ok);
  if (kind == ConversationKind::channel) REQUIRE(chat.remove(by(1), 4) == Errc::ok);
  chat.fx.advance(1s);
  CHECK(!chat.followed(2, roots[0]));  // nothing to follow yet
  REQUIRE(chat.follow(3, roots[0], true) == Errc::ok);
  CHECK(chat.followed(3, roots[0]));
  chat.restart();
  for (int life = 0; life < 2; ++life) {
    for (const Seq root : roots) (void)chat.reply(1, root);
    chat.fx.advance(1s);
    for (const Seq root : roots) {
      CAPTURE(static_cast<int>(kind), life, root);
      const std::uint64_t replies = static_cast<std::uint64_t>(life) + 1;
      CHECK(chat.shown(root).thread.replies == replies);
      CHECK(chat.shown(root).written_ms == 1'740'000'000'000);
      CHECK(chat.followed(1, root));
      CHECK(chat.followed(2, root) == (root == roots[0]));
      CHECK(chat.followed(3, root) == (root == roots[0]));
      CHECK(chat.unread(2, root) == replies);
      CHECK(chat.unread(1, root) == 0);
    }
    chat.restart();
  }
  std::vector<UserId> readers;
  chat.fx.store.for_each([&](Partition partition, Bytes, const store::MemoryStore::RowMap& rows) {
    if (partition.space != layout::personal || rows.empty()) return;
    for (const std::uint64_t n : {1, 2, 3, 4, 9})
      if (partition.id == layout::personal_id(0, chat.id(), user(n))) readers.push_back(user(n));
  });
  std::sort(readers.begin(), readers.end());
  CHECK(readers == std::vector<UserId>{user(1), user(2), user(3)});
  REQUIRE(chat.follow(2, roots[0], false) == Errc::ok);
  (void)chat.reply(1, roots[0]);
  CHECK(!chat.followed(2, roots[0]));
  REQUIRE(chat.mark_thread(3, roots[0], 10'000) == Errc::ok);
  CHECK(chat.unread(3, roots[0]) == 0);
  REQUIRE(chat.erase(1, roots[0]) == Errc::ok);
  CHECK(chat.post(2, roots[0]).errc() == Errc::invalid_argument);
  CHECK(chat.replies(2, {.root = roots[0]}).size() == 3);
}

TEST_CASE("followed threads are listed with what is unread in them") {
  ThreadedChat chat;
  std::vector<Seq> roots;
  for (int i = 0; i < 5; ++i) roots.push_back(chat.say(1));
  for (const Seq root : roots) (void)chat.reply(2, root);
  REQUIRE(chat.follow(2, roots[3], false) == Errc::ok);
  (void)chat.reply(3, roots[4]);
  const auto list = [&](std::uint64_t n, wire::Threads asked) {
    Asked<wire::ThreadsPage> got;
    chat->threads(by(n), asked, got.then());
    return chat.settle(got);
  };
  const auto first = list(2, {.limit = 3});
  REQUIRE(first.value().threads.size() == 2);  // one of the three they do not follow any more
  CHECK(first.value().more);
  CHECK(wire::read_record(first.value().threads[0].root.bytes()).seq == roots[4]);
  CHECK(first.value().threads[0].unread == 1);
  CHECK(first.value().threads[1].unread == 0);
  const auto rest = list(2, {.before = first.value().next, .limit = limits::page_threads});
  CHECK(rest.value().threads.size() == 2);
  CHECK(!rest.value().more);
  CHECK(list(4, {}).value().threads.empty());
  CHECK(list(9, {}).errc() == Errc::denied);
  CHECK(list(2, {.limit = 0}).errc() == Errc::invalid_argument);
  CHECK(list(2, {.limit = limits::page_threads + 1}).errc() == Errc::invalid_argument);
}

TEST_CASE("what is unread in a thread") {
  ThreadedChat chat;
  const Seq root = chat.say(1);
  std::vector<Seq> seqs;
  for (int i = 0; i < 6; ++i) seqs.push_back(chat.reply(2, root));
  CHECK(chat.unread(1, root) == 6);
  CHECK(chat.unread(2, root) == 0);  // one's own
  REQUIRE(chat.mark_thread(1, root, seqs[1]) == Errc::ok);
  CHECK(chat.unread(1, root) == 4);
  REQUIRE(chat.mark_thread(1, root, seqs[0]) == Errc::ok);  // never back
  CHECK(chat.unread(1, root) == 4);
  REQUIRE(chat.erase(2, seqs[0]) == Errc::ok);  // was read
  REQUIRE(chat.erase(2, seqs[4]) == Errc::ok);
  CHECK(chat.unread(1, root) == 3);
  (void)chat.say(3);
  REQUIRE(chat.mark(1, 100, 100) == Errc::ok);  // the conversation's position is another
  chat.fx.advance(1s);
  CHECK(chat.unread(1, root) == 3);
  REQUIRE(chat.mark_thread(1, root, 10'000) == Errc::ok);
  CHECK(chat.unread(1, root) == 0);
  chat.restart();
  CHECK(chat.unread(1, root) == 0);
  CHECK(chat.unread(3, root) == 4);
}

TEST_CASE("threads are what a naive model says, whatever goes wrong") {
  CHECK(rc::check("threads", [] {
    ThreadedChat chat(*rc::gen::element(ConversationKind::group, ConversationKind::channel));
    std::vector<Seq> roots;
    for (int i = 0; i < 3; ++i) roots.push_back(chat.say(1));
    const int faults = *rc::gen::inRange(0, 30);  // percent
    std::uint64_t luck = *rc::gen::arbitrary<std::uint64_t>();
    chat.fx.inject = [&](const Batch&) {
      luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
      if (static_cast<int>((luck >> 33) % 100) >= faults) return Fault::none;
      constexpr Fault some[] = {Fault::refused, Fault::failed, Fault::unknown_landed,
                                Fault::unknown_lost, Fault::unknown_overtaken};
      return some[(luck >> 40) % 5];
    };
    struct Thread {
      std::set<Seq> replies, gone;
      std::map<std::uint64_t, Seq> read;
      std::map<std::uint64_t, bool> follows;  // absent: never named
    };
    std::map<Seq, Thread> model;
    const int steps = *rc::gen::inRange(1, 50);
    for (int i = 0; i < steps; ++i) {
      const auto n = *rc::gen::inRange<std::uint64_t>(1, 5);
      const Seq root = roots[*rc::gen::inRange<std::size_t>(0, roots.size())];
      Thread& thread = model[root];
      switch (*rc::gen::inRange(0, 9)) {
        case 0: {
          if (thread.replies.empty()) break;
          const auto at = std::next(thread.replies.begin(),
                                    *rc::gen::inRange<std::ptrdiff_t>(
                                        0, static_cast<std::ptrdiff_t>(thread.replies.size())));
          if (chat.erase(1, *at) == Errc::ok) thread.gone.insert(*at);
          break;
        }
        case 1: {
          const Seq seq = *rc::gen::inRange<Seq>(1, chat.head().head + 1);
          if (chat.mark_thread(n, root, seq) == Errc::ok)
            thread.read[n] = std::max(thread.read[n], seq);
          break;
        }
        case 2: {
          const bool on = *rc::gen::arbitrary<bool>();
          if (chat.follow(n, root, on) == Errc::ok) thread.follows[n] = on;
          break;
        }
        case 3:
          chat.fx.advance(1s);
          break;
        case 4:
          if (*rc::gen::inRange(0, 3) == 0) chat.restart();
          break;
        default: {
          const auto whom = *rc::gen::inRange<std::uint64_t>(1, 5);
          const auto asked = chat.post(n, root, {user(whom)});
          if (asked.errc() != Errc::ok) break;
          thread.replies.insert(asked.value().seq);
          thread.follows.emplace(1, true);
          thread.follows.emplace(whom, true);
          thread.follows[n] = true;
          thread.read[n] = std::max(thread.read[n], asked.value().seq);
        }
      }
    }
    chat.fx.inject = {};
    for (int i = 0; i < 20 && !chat.home->idle(); ++i) chat.fx.advance(3s);
    for (int life = 0; life < 2; ++life) {
      for (const Seq root : roots) {
        Thread& thread = model[root];
        const auto shown = chat.shown(root).thread;
        RC_ASSERT(shown.head == thread.replies.size());
        RC_ASSERT(shown.replies == thread.replies.size() - thread.gone.size());
        for (std::uint64_t n = 1; n <= 4; ++n) {
          const auto state = chat.state(n, root);
          const auto unread = std::count_if(
              thread.replies.begin(), thread.replies.end(),
              [&](Seq seq) { return seq > thread.read[n] && !thread.gone.contains(seq); });
          RC_ASSERT(state.unread == static_cast<std::uint64_t>(unread));
          RC_ASSERT(state.followed == thread.follows[n]);
          RC_ASSERT(state.read == thread.read[n]);
        }
        const auto seqs = chat.replies(1, {.root = root, .limit = 100});
        RC_ASSERT(std::set<Seq>(seqs.begin(), seqs.end()) == thread.replies);
      }
      chat.restart();
    }
  }));
}
