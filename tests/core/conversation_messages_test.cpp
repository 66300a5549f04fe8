// conversation_messages_test.cpp: edits, deletions, pins and reactions: who may, what history
// shows, what leaves the store, and that no fault or crash makes the stream and the rows disagree.
#include <rapidcheck.h>

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

struct Chat : World {
  explicit Chat(ConversationKind kind = ConversationKind::group) {
    (void)create(by(1), kind, {user(2), user(3)});
    fx.advance(1s);
  }
  Seq post(std::uint64_t n, std::string_view body) {
    auto asked = send(by(n), text(body));
    fx.drain();
    return asked.value().seq;
  }
  Errc edit(std::uint64_t n, Seq seq, std::string_view body) {
    Asked<void> asked;
    home->edit(n == 0 ? Caller{} : by(n), seq, "", Payload::copy_of(body), asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc erase(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->delete_message(n == 0 ? Caller{} : by(n), seq, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc pin(std::uint64_t n, Seq seq, bool on = true) {
    Asked<void> asked;
    home->pin(by(n), seq, on, asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc react(std::uint64_t n, Seq seq, std::string key, bool on = true) {
    Asked<void> asked;
    home->react(by(n), seq, std::move(key), on, asked.then());
    fx.drain();
    return asked.errc();
  }
  wire::RecordFields shown(Seq seq) {
    auto page = read({.from = seq, .to = seq}).value();
    kept.push_back(page.events.at(0).record);
    return wire::read_record(kept.back().bytes());
  }
  /// "👍2 ❤1"
  std::string reactions(Seq seq) {
    std::string out;
    for (const auto& tally : shown(seq).tallies)
      for (const auto& reaction : tally.reactions)
        out +=
            (out.empty() ? "" : " ") + std::string(reaction.key) + std::to_string(reaction.count);
    return out;
  }
  std::vector<Seq> pinned() {
    Asked<std::vector<Payload>> asked;
    home->pins(by(1), asked.then());
    fx.drain();
    std::vector<Seq> seqs;
    for (const Payload& record : asked.value())
      seqs.push_back(wire::read_record(record.bytes()).seq);
    return seqs;
  }
  /// Whether these bytes are anywhere in the store.
  bool stored(std::string_view canary) {
    bool found = false;
    fx.store.for_each([&](Partition, Bytes, const store::MemoryStore::RowMap& all) {
      for (const auto& [key, value] : all) found = found || value.find(canary) != std::string::npos;
    });
    return found;
  }
  std::uint64_t unread(std::uint64_t n) {
    const Access seen = access(n).value();
    const std::uint64_t base = std::max(seen.receipt.read_ordinal, seen.visible_ordinal);
    return seen.head_ordinal - base - seen.deleted;
  }
  Seq head_seq() { return head().head; }
};

}  // namespace

TEST_CASE("an edit is an event, and history shows the message as it stands") {
  Chat chat;
  const Seq seq = chat.post(1, "helo");
  const auto before = chat.shown(seq);
  chat.fx.advance(5s);
  REQUIRE(chat.edit(1, seq, "hello") == Errc::ok);
  const auto event = wire::read_record(chat.pieces.back()->records.at(0).bytes());
  CHECK(event.kind == EventKind::edited);
  CHECK(event.about == seq);
  CHECK(event.body == "hello");
  CHECK(event.ordinal == before.ordinal);  // no message of its own
  const auto now = chat.shown(seq);
  CHECK(now.body == "hello");
  CHECK(now.changed == event.seq);
  CHECK(now.edited_ms == event.time_ms);
  CHECK(
      std::tie(now.seq, now.ordinal, now.time_ms, now.id, now.sender, now.echo) ==
      std::tie(before.seq, before.ordinal, before.time_ms, before.id, before.sender, before.echo));

  const Seq head = chat.head_seq();
  CHECK(chat.edit(1, seq, "hello") == Errc::ok);  // it says so already
  CHECK(chat.head_seq() == head);
  CHECK(chat.edit(2, seq, "mine") == Errc::denied);
  CHECK(chat.edit(9, seq, "stranger") == Errc::denied);
  CHECK(chat.edit(0, seq, "system") == Errc::denied);
  CHECK(chat.edit(1, head + 1, "x") == Errc::invalid_argument);
  CHECK(chat.edit(1, 1, "x") == Errc::invalid_argument);  // the creation is no message
  CHECK(chat.edit(1, seq, std::string("\xff", 1)) == Errc::invalid_argument);
  CHECK(chat.edit(1, seq, std::string(limits::body_default + 1, 'x')) == Errc::too_large);
  CHECK(chat.head_seq() == head);
  CHECK(chat.home->idle());
}

TEST_CASE("members edit within the window, owners at any time") {
  Chat chat;
  const Seq theirs = chat.post(2, "a");
  const Seq owners = chat.post(1, "b");
  chat.fx.advance(limits::edit_window - 1s);
  CHECK(chat.edit(2, theirs, "a2") == Errc::ok);
  chat.fx.advance(2s);
  CHECK(chat.edit(2, theirs, "a3") == Errc::denied);
  CHECK(chat.edit(1, owners, "b2") == Errc::ok);
  CHECK(chat.shown(theirs).body == "a2");
}

TEST_CASE("changes of one message in one batch apply in order") {
  Chat chat;
  const Seq seq = chat.post(1, "0");
  (void)chat.edit(1, seq, "1");
  const int commits = chat.fx.conversation_commits;
  Asked<void> second, third, gone, late;
  chat->edit(by(1), seq, "", Payload::copy_of("2"), second.then());
  chat->edit(by(1), seq, "", Payload::copy_of("3"), third.then());
  chat->delete_message(by(1), seq, gone.then());
  chat->edit(by(1), seq, "", Payload::copy_of("4"), late.then());
  chat.fx.drain();
  CHECK(second.errc() == Errc::ok);
  CHECK(third.errc() == Errc::ok);
  CHECK(gone.errc() == Errc::ok);
  CHECK(late.errc() == Errc::invalid_argument);
  CHECK(chat.fx.conversation_commits == commits + 2);  // the deletion redacts the edits: after them
  CHECK(chat.shown(seq).deleted);
}

TEST_CASE("a message is edited in the batch after its own") {
  Chat chat;
  auto sent = chat.send(by(1), text("first"));
  Asked<void> edited;
  chat->edit(by(1), chat.head_seq() + 1, "", Payload::copy_of("second"), edited.then());
  chat.fx.drain();
  CHECK(sent.errc() == Errc::ok);
  CHECK(edited.errc() == Errc::ok);
  CHECK(chat.shown(sent.value().seq).body == "second");
}

TEST_CASE("a deletion leaves a tombstone and nothing of the body") {
  Chat chat;
  const Seq seq = chat.post(2, "canary-open");
  REQUIRE(chat.react(3, seq, "x") == Errc::ok);
  REQUIRE(chat.pin(1, seq) == Errc::ok);
  REQUIRE(chat.stored("canary-open"));
  CHECK(chat.erase(3, seq) == Errc::denied);  // neither theirs nor an admin
  REQUIRE(chat.erase(1, seq) == Errc::ok);    // the owner may
  CHECK_FALSE(chat.stored("canary-open"));
  const auto now = chat.shown(seq);
  CHECK(now.deleted);
  CHECK(now.body.empty());
  CHECK_FALSE(now.pinned);
  CHECK(now.tallies.empty());
  CHECK(now.sender == user(2));
  CHECK(chat.pinned().empty());
  const Seq head = chat.head_seq();
  CHECK(chat.erase(2, seq) == Errc::ok);  // it is so already
  CHECK(chat.edit(2, seq, "x") == Errc::invalid_argument);
  CHECK(chat.react(3, seq, "x") == Errc::invalid_argument);
  CHECK(chat.pin(1, seq) == Errc::invalid_argument);
  CHECK(chat.head_seq() == head);
  CHECK(chat.set_role(by(1), 3, Role::admin) == Errc::ok);
  const Seq other = chat.post(2, "b");
  CHECK(chat.erase(3, other) == Errc::ok);
  CHECK(chat.erase(0, chat.post(2, "c")) == Errc::ok);  // the system
}

TEST_CASE("deleted messages are not unread") {
  Chat chat;
  std::vector<Seq> seqs;
  for (int i = 0; i < 6; ++i) seqs.push_back(chat.post(1, "m" + std::to_string(i)));
  CHECK(chat.unread(2) == 6);
  REQUIRE(chat.erase(1, seqs[1]) == Errc::ok);
  REQUIRE(chat.erase(1, seqs[4]) == Errc::ok);
  CHECK(chat.unread(2) == 4);
  REQUIRE(chat.mark(2, seqs[2], seqs[2]) == Errc::ok);
  chat.fx.advance(1s);
  CHECK(chat.unread(2) == 2);
  chat.restart();
  CHECK(chat.unread(2) == 2);
  REQUIRE(chat.erase(1, seqs[0]) == Errc::ok);  // was read
  CHECK(chat.unread(2) == 2);
}

TEST_CASE("changes of sealed messages are merged into the archive") {
  Chat chat;
  const Seq edited = chat.post(1, "before");
  const Seq gone = chat.post(1, "canary-sealed");
  const Seq reacted = chat.post(1, "liked");
  for (int i = 0; i < 200; ++i) REQUIRE(chat.say(2, std::string(100, 'x')) == Errc::ok);
  chat.fx.advance(5s);
  REQUIRE(chat.head().sealed > reacted);
  REQUIRE(chat.stored("canary-sealed"));
  REQUIRE(chat.edit(1, edited, "after") == Errc::ok);
  CHECK(chat.rows('o') == 1);  // an edit alone may wait
  REQUIRE(chat.react(2, reacted, "+1") == Errc::ok);
  REQUIRE(chat.erase(1, gone) == Errc::ok);  // a deletion does not
  chat.fx.advance(5s);
  CHECK(chat.rows('o') == 0);
  CHECK((chat.head().flags & layout::head_has_overlays) == 0);
  CHECK_FALSE(chat.stored("canary-sealed"));
  const auto check = [&] {
    CHECK(chat.shown(edited).body == "after");
    CHECK(chat.shown(gone).deleted);
    CHECK(chat.reactions(reacted) == "+11");
  };
  check();
  chat.restart();
  check();
  REQUIRE(chat.edit(1, edited, "again") == Errc::ok);
  REQUIRE(chat.react(3, reacted, "+1") == Errc::ok);
  CHECK(chat.shown(edited).body == "again");
  CHECK(chat.reactions(reacted) == "+12");
  CHECK(chat.home->idle());
}

TEST_CASE("an edit that would make a chunk too large keeps its overlay") {
  Chat chat;
  const Seq seq = chat.post(1, "short");
  for (int i = 0; i < 200; ++i) REQUIRE(chat.say(2, std::string(100, 'x')) == Errc::ok);
  chat.fx.advance(5s);
  REQUIRE(chat.edit(1, seq, std::string(100'000, 'y')) == Errc::ok);
  chat.restart();  // looks for what may be merged
  chat.fx.advance(5s);
  CHECK(chat.shown(seq).body.size() == 100'000);
  CHECK(chat.rows('o') == 1);
  REQUIRE(chat.erase(1, seq) == Errc::ok);
  chat.fx.advance(5s);
  CHECK_FALSE(chat.stored("yyyy"));
  CHECK(chat.rows('o') == 1);  // the edit, which is not sealed yet
  for (int i = 0; i < 200; ++i) REQUIRE(chat.say(2, std::string(100, 'x')) == Errc::ok);
  chat.fx.advance(5s);
  CHECK(chat.rows('o') == 0);
}

TEST_CASE("what a cut-off round of sealing left in the archive is swept with a deletion") {
  Chat chat;
  const Seq seq = chat.post(1, "canary-stale");
  while (chat.rows('c', layout::archive) == 0)
    REQUIRE(chat.say(2, std::string(100, 'x')) == Errc::ok);
  // The chunks are written, the head never learns of it: a crash.
  REQUIRE(chat.head().sealed == 0);
  chat.restart();
  REQUIRE(chat.erase(1, seq) == Errc::ok);
  chat.fx.advance(5s);
  CHECK_FALSE(chat.stored("canary-stale"));
  CHECK(chat.shown(seq).deleted);
}

TEST_CASE("a host's hook changes, refuses, and is asked once") {
  Chat chat;
  int asked = 0;
  chat.limits.before_message = [&asked](IncomingMessage& message) -> Result<void> {
    ++asked;
    if (message.body == "throw") throw std::runtime_error("boom");
    if (message.body == "spam") {
      Error error{Errc::denied, "no advertisements here"};
      error.code = std::error_code(1042, error_category());
      return error;
    }
    if (message.body == "rude") message.body = "****";
    if (message.body == "binary") message.body = "\xff";
    if (message.edits != 0) message.body += " (edited by " + to_string(message.sender) + ")";
    return {};
  };
  chat.restart();
  auto spam = chat.send(by(2), text("spam"));
  chat.fx.drain();
  REQUIRE(spam.answered());
  CHECK(spam.result().error().code.value() == 1042);
  CHECK(spam.result().error().message == "no advertisements here");
  CHECK(chat.say(2, "throw") == Errc::internal);
  CHECK(chat.fx.logged.back() == "EngineOptions::before_message threw: boom");
  CHECK(chat.say(2, "binary") == Errc::internal);
  asked = 0;
  auto rude = chat.send(by(2), text("rude", 1, 11));
  chat.fx.drain();
  auto again = chat.send(by(2), text("rude", 1, 11));  // a retry is the same message
  chat.fx.drain();
  CHECK(again.value().seq == rude.value().seq);
  CHECK(asked == 1);
  CHECK(chat.shown(rude.value().seq).body == "****");
  CHECK(chat.edit(2, rude.value().seq, "kind") == Errc::ok);
  CHECK(chat.shown(rude.value().seq).body == "kind (edited by 2)");
  CHECK(chat.edit(2, rude.value().seq, "spam") == static_cast<Errc>(1042));
  // A commit that must be tried again does not ask again.
  asked = 0;
  int refusals = 2;
  chat.fx.inject = [&refusals](const Batch& batch) {
    return batch.partition.space == layout::conversation && refusals-- > 0 ? Fault::refused
                                                                           : Fault::none;
  };
  CHECK(chat.say(2, "fine") == Errc::ok);
  CHECK(asked == 1);
}

TEST_CASE("pins are listed, limited and undone") {
  Chat chat;
  std::vector<Seq> seqs;
  for (std::size_t i = 0; i <= limits::pins; ++i) seqs.push_back(chat.post(2, "m"));
  for (std::size_t i = 0; i < limits::pins; ++i) REQUIRE(chat.pin(3, seqs[i]) == Errc::ok);
  CHECK(chat.pin(3, seqs.back()) == Errc::limit_reached);
  CHECK(chat.pinned() == std::vector<Seq>(seqs.begin(), seqs.end() - 1));
  CHECK(chat.pin(2, seqs[0], false) == Errc::ok);
  CHECK(chat.pin(3, seqs.back()) == Errc::ok);
  CHECK_FALSE(chat.shown(seqs[0]).pinned);
  CHECK(chat.shown(seqs.back()).pinned);
  chat.restart();
  CHECK(chat.pinned() == std::vector<Seq>(seqs.begin() + 1, seqs.end()));
  CHECK(chat.pin(9, seqs[0]) == Errc::denied);
  Chat channel(ConversationKind::channel);
  const Seq seq = channel.post(2, "m");
  CHECK(channel.pin(2, seq) == Errc::denied);
  CHECK(channel.pin(1, seq) == Errc::ok);
}

TEST_CASE("a reaction is put on once and taken off once") {
  Chat chat;
  const Seq seq = chat.post(1, "m");
  CHECK(chat.react(2, seq, "+1") == Errc::ok);
  const auto event = wire::read_record(chat.pieces.back()->records.at(0).bytes());
  CHECK(event.kind == EventKind::reactions);
  REQUIRE(event.tallies.size() == 1);
  CHECK(event.tallies[0].seq == seq);
  const Seq head = chat.head_seq();
  CHECK(chat.react(2, seq, "+1") == Errc::ok);
  CHECK(chat.head_seq() == head);
  CHECK(chat.react(3, seq, "+1") == Errc::ok);
  CHECK(chat.react(3, seq, "heart") == Errc::ok);
  CHECK(chat.reactions(seq) == "+12 heart1");
  const auto fields = chat.shown(seq);
  CHECK(fields.tallies[0].reactions[0].users == std::vector<UserId>{user(2), user(3)});
  CHECK(chat.react(2, seq, "+1", false) == Errc::ok);
  CHECK(chat.react(2, seq, "+1", false) == Errc::ok);
  CHECK(chat.react(2, seq, "never", false) == Errc::ok);
  CHECK(chat.reactions(seq) == "+11 heart1");
  CHECK(chat.react(3, seq, "+1", false) == Errc::ok);
  CHECK(chat.react(3, seq, "heart", false) == Errc::ok);
  CHECK(chat.reactions(seq).empty());
  CHECK(chat.react(9, seq, "+1") == Errc::denied);
  CHECK(chat.react(2, seq, "") == Errc::invalid_argument);
  CHECK(chat.react(2, seq, std::string(limits::reaction_key + 1, 'k')) == Errc::invalid_argument);
  CHECK(chat.react(2, seq, "\xff") == Errc::invalid_argument);
  CHECK(chat.react(2, 1, "+1") == Errc::invalid_argument);
  REQUIRE(chat.react(2, seq, std::string(limits::reaction_key, 'k')) == Errc::ok);
  REQUIRE(chat.react(2, seq, std::string(limits::reaction_key, 'k'), false) == Errc::ok);
  for (std::size_t i = 0; i < limits::reaction_keys; ++i)
    REQUIRE(chat.react(2, seq, "k" + std::to_string(i)) == Errc::ok);
  CHECK(chat.react(2, seq, "one more") == Errc::limit_reached);
  CHECK(chat.react(3, seq, "k3") == Errc::ok);
  chat.fx.advance(2s);
  CHECK(chat.home->idle());
}

TEST_CASE("many reactions on a channel's message: few events, exact counts, pages of who") {
  Chat channel(ConversationKind::channel);
  constexpr std::uint64_t people = 700;
  for (std::uint64_t n = 10; n < 10 + people; ++n) (void)channel.join(n);
  channel.fx.advance(2s);
  const Seq seq = channel.post(1, "m");
  const Seq head = channel.head_seq();
  std::vector<Asked<void>> asked(people);
  for (std::uint64_t i = 0; i < people; ++i)
    channel->react(by(10 + i), seq, i % 3 == 0 ? "a" : "b", true, asked[i].then());
  channel.fx.advance(5s);
  for (const auto& each : asked) REQUIRE(each.errc() == Errc::ok);
  CHECK(channel.reactions(seq) == "a234 b466");
  CHECK(channel.shown(seq).tallies[0].reactions[0].users.empty());  // too many to name
  CHECK(channel.head_seq() <= head + 3);
  std::set<UserId> who;
  wire::Reactors page{.seq = seq, .key = "b", .limit = 100};
  for (bool more = true; more;) {
    Asked<wire::ReactorsPage> got;
    channel->reactors(by(1), page, got.then());
    channel.fx.drain();
    for (const UserId each : got.value().users) {
      CHECK(who.insert(each).second);
      page.after = each;
    }
    more = got.value().more;
  }
  CHECK(who.size() == 466);
  for (const Seq no_message : {Seq{0}, Seq{1}, channel.head_seq(), channel.head_seq() + 1}) {
    Asked<wire::ReactorsPage> none;
    channel->reactors(by(1), {.seq = no_message, .key = "b"}, none.then());
    channel.fx.drain();
    CHECK(none.errc() == Errc::invalid_argument);
  }
  Asked<wire::ReactorsPage> stranger;
  channel->reactors(by(5), page, stranger.then());
  channel.fx.drain();
  CHECK(stranger.errc() == Errc::denied);
  CHECK(channel.home->idle());
}

TEST_CASE("a channel tells its tallies together, once a second") {
  Chat channel(ConversationKind::channel);
  std::vector<Seq> seqs;
  for (int i = 0; i < 20; ++i) seqs.push_back(channel.post(1, "m"));
  REQUIRE(channel.react(2, seqs[0], "+1") == Errc::ok);  // at once: none was told lately
  const Seq head = channel.head_seq();
  for (const Seq seq : seqs) REQUIRE(channel.react(3, seq, "+1") == Errc::ok);
  CHECK(channel.head_seq() == head);
  channel.fx.advance(1s);
  CHECK(channel.head_seq() == head + 1);
  const auto event = wire::read_record(channel.pieces.back()->records.at(0).bytes());
  CHECK(event.tallies.size() == seqs.size());
  CHECK(channel.reactions(seqs[0]) == "+12");
  CHECK(channel.reactions(seqs[19]) == "+11");
}

TEST_CASE("a crash between the reaction and its telling is repaired by the feed") {
  Chat chat;
  const Seq seq = chat.post(1, "m");
  bool stored = false;
  chat.fx.inject = [&](const Batch& batch) {
    stored = stored || batch.partition.space == layout::reaction;
    return batch.partition.space == layout::conversation && stored ? Fault::failed : Fault::none;
  };
  Asked<void> asked;
  chat->react(by(2), seq, "+1", true, asked.then());
  chat.fx.drain();
  CHECK(asked.errc() == Errc::ok);
  chat.fx.inject = {};
  CHECK(chat.reactions(seq).empty());
  chat.restart();
  CHECK(chat.reactions(seq).empty());
  std::string cursor;
  const auto changes = chat.fx.store.changes_now(cursor, 100).value();
  const auto note = layout::decode_note(changes.entries.back().note);
  REQUIRE(note);
  REQUIRE(note->kind == layout::Note::Kind::reactions);
  CHECK(note->first == seq);
  Asked<void> told;
  chat->retell(note->first, note->last, told.then());
  chat.fx.drain();
  CHECK(told.errc() == Errc::ok);
  CHECK(chat.reactions(seq) == "+11");
  const Seq head = chat.head_seq();
  Asked<void> again;
  chat->retell(note->first, note->last, again.then());
  chat.fx.drain();
  CHECK(again.errc() == Errc::ok);
  CHECK(chat.head_seq() == head);
  CHECK(chat.home->idle());
}

TEST_CASE("what is stored of a message is what its events say, whatever goes wrong") {
  struct Shown {
    std::string body;
    bool deleted = false, pinned = false;
    std::map<std::string, std::uint64_t> reactions;
    bool operator==(const Shown&) const = default;
  };
  CHECK(rc::check("messages", [] {
    Chat chat(*rc::gen::element(ConversationKind::group, ConversationKind::channel));
    std::vector<Seq> seqs;
    for (int i = 0; i < 6; ++i) seqs.push_back(chat.post(1 + i % 3, "m" + std::to_string(i)));
    if (*rc::gen::inRange(0, 2) == 1) {  // sealed, some of them
      for (int i = 0; i < 90; ++i) (void)chat.say(1, std::string(80, 'x'));
      chat.fx.advance(3s);
    }
    const int faults = *rc::gen::inRange(0, 40);  // percent
    std::uint64_t luck = *rc::gen::arbitrary<std::uint64_t>();
    chat.fx.inject = [&](const Batch&) {
      luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
      if (static_cast<int>((luck >> 33) % 100) >= faults) return Fault::none;
      constexpr Fault some[] = {Fault::refused,      Fault::failed,       Fault::unknown_landed,
                                Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken};
      return some[(luck >> 40) % 6];
    };
    // Acknowledged reactions: what the rows must say where the last answer was `ok`.
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const auto n = *rc::gen::inRange<std::uint64_t>(1, 4);
      const Seq seq = seqs[*rc::gen::inRange<std::size_t>(0, seqs.size())];
      switch (*rc::gen::inRange(0, 9)) {
        case 0:
        case 1:
          (void)chat.edit(n, seq, "edit" + std::to_string(i));
          break;
        case 2:
          (void)chat.erase(n, seq);
          break;
        case 3:
          (void)chat.pin(n, seq, *rc::gen::arbitrary<bool>());
          break;
        case 4:
          chat.fx.advance(300ms);
          break;
        case 5:
          (void)chat.say(n);
          break;
        default:
          (void)chat.react(n, seq, *rc::gen::element<std::string>("a", "b"),
                           *rc::gen::arbitrary<bool>());
      }
    }
    chat.fx.inject = {};
    for (int i = 0; i < 20 && !chat.home->idle(); ++i) chat.fx.advance(3s);
    RC_ASSERT(chat.home->idle());

    // The model: the events alone. They were published, each once, in order.
    std::map<Seq, Shown> model;
    Seq next = 0;
    for (const auto& piece : chat.pieces) {
      if (next != 0) RC_ASSERT(piece->first == next);
      next = piece->last() + 1;
      for (const Payload& record : piece->records) {
        const auto fields = wire::read_record(record.bytes());
        // Somebody else's events are read back: as they stand, which the later events repeat.
        if (fields.kind == EventKind::message) model[fields.seq].body = fields.body;
        Shown& about = model[fields.about];
        if (fields.kind == EventKind::edited) about.body = fields.body;
        if (fields.kind == EventKind::deleted) about = {.body = "", .deleted = true};
        if (fields.kind == EventKind::pinned) about.pinned = true;
        if (fields.kind == EventKind::unpinned) about.pinned = false;
        for (const auto& tally :
             fields.kind == EventKind::reactions ? fields.tallies : std::vector<wire::Tally>()) {
          model[tally.seq].reactions.clear();
          for (const auto& reaction : tally.reactions)
            model[tally.seq].reactions[std::string(reaction.key)] = reaction.count;
        }
      }
    }
    for (int life = 0; life < 2; ++life) {
      std::vector<Seq> pins;
      for (const Seq seq : seqs) {
        const auto fields = chat.shown(seq);
        Shown now{std::string(fields.body), fields.deleted, fields.pinned, {}};
        for (const auto& tally : fields.tallies)
          for (const auto& reaction : tally.reactions)
            now.reactions[std::string(reaction.key)] = reaction.count;
        RC_ASSERT(now == model[seq]);
        if (now.pinned) pins.push_back(seq);
        if (now.deleted) continue;
        // And the reactions are what their partition says.
        const std::string name = layout::reaction_id(0, chat.id(), seq);
        chat.fx.store.look({layout::reaction, name}, [&](Bytes guard, const auto& rows) {
          std::map<std::string, std::uint64_t> counted;
          for (const auto& [key, value] : rows)
            if (const auto reactor = layout::parse_reactor(key))
              ++counted[std::string(reactor->key)];
          RC_ASSERT(counted == now.reactions);
          std::uint64_t all = 0;
          for (const auto& [key, count] : counted) all += count;
          RC_ASSERT(layout::decode_count(guard)->count == all);
        });
      }
      RC_ASSERT(chat.pinned() == pins);
      chat.restart();
    }
  }));
}
