// conversation_extras_test.cpp: what a message carries beside its content: who may, the limits,
// what a forward tells of its origin, and unread mentions as a function, whatever goes wrong.
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

struct ExtrasChat : World {
  explicit ExtrasChat(ConversationKind kind = ConversationKind::group, std::uint8_t name = 1)
      : World(name) {
    (void)create(by(1), kind, {user(2), user(3)});
    fx.advance(1s);
  }
  Asked<Ack> post(Caller caller, wire::Send what) {
    auto asked = send(caller, std::move(what));
    settle(asked);
    return asked;
  }
  Seq post(std::uint64_t n, wire::Send what) { return post(by(n), std::move(what)).value().seq; }
  Seq mention(std::uint64_t n, std::vector<UserId> users, MentionScope scope = MentionScope::none) {
    wire::Send what = text("look");
    what.extras = {.mentions = std::move(users), .mention_scope = scope};
    return post(n, std::move(what));
  }
  Errc erase(std::uint64_t n, Seq seq) {
    Asked<void> asked;
    home->delete_message(by(n), seq, asked.then());
    settle(asked);
    return asked.errc();
  }
  /// Until it is answered, through doubt.
  template <class T>
  void settle(const Asked<T>& asked) {
    fx.drain();
    for (int i = 0; i < 50 && !asked.answered(); ++i) fx.advance(1s);
  }
  Errc edit(std::uint64_t n, Seq seq, std::string_view body) {
    Asked<void> asked;
    home->edit(by(n), seq, "", Payload::copy_of(body), asked.then());
    fx.drain();
    return asked.errc();
  }
  wire::RecordFields shown(Seq seq) {
    kept.push_back(read({.from = seq, .to = seq}).value().events.at(0).record);
    return wire::read_record(kept.back().bytes());
  }
  std::uint64_t mentions(std::uint64_t n) { return access(n).value().mentions; }
  bool stored(std::string_view canary) {
    bool found = false;
    fx.store.for_each([&](Partition, Bytes, const store::MemoryStore::RowMap& all) {
      for (const auto& [key, value] : all) found = found || value.find(canary) != std::string::npos;
    });
    return found;
  }
};

wire::Extras everything() {
  return {.mentions = {user(3), user(2), user(3)},
          .mention_scope = MentionScope::all,
          .attachments = {{"canary-handle", "image/png", "cat.png", 1234}},
          .headers = {{"x-game", "canary-value"}}};
}

wire::Send forward_of(const World& from, Seq seq, std::uint64_t number = 0) {
  wire::Send what{.number = number, .random = 7};
  what.forward = {from.id(), seq};
  return what;
}

}  // namespace

TEST_CASE("a message carries mentions, attachments and headers until it is deleted") {
  ExtrasChat chat;
  wire::Send what = text("look");
  what.extras = everything();
  const Seq seq = chat.post(2, what);
  what.extras.mentions = {user(2), user(3)};  // ascending, each once
  CHECK(chat.shown(seq).extras == what.extras);
  const Event event = wire::to_event(chat.id(), {}, chat.kept.back(), 0);
  const auto* message = event.as<Message>();
  REQUIRE(message != nullptr);
  CHECK(message->mentions == what.extras.mentions);
  CHECK(message->mention_scope == MentionScope::all);
  CHECK(message->attachments == what.extras.attachments);
  CHECK(message->headers == what.extras.headers);
  CHECK(!message->forwarded);

  REQUIRE(chat.edit(2, seq, "edited") == Errc::ok);
  CHECK(chat.shown(seq).extras == what.extras);
  CHECK(chat.stored("canary-handle"));
  REQUIRE(chat.erase(2, seq) == Errc::ok);
  CHECK(chat.shown(seq).extras == wire::Extras{});
  CHECK(!chat.stored("canary-handle"));
  CHECK(!chat.stored("canary-value"));
}

TEST_CASE("what a message carries is bounded, each part at its limit and not past it") {
  ExtrasChat chat;
  const auto answer = [&](wire::Extras extras) {
    wire::Send what = text("m");
    what.extras = std::move(extras);
    return chat.post(by(1), std::move(what)).errc();
  };
  const auto many = [](std::size_t count) {
    std::vector<UserId> users;
    for (std::size_t i = 0; i < count; ++i) users.push_back(user(100 + i));
    return wire::Extras{.mentions = std::move(users)};
  };
  CHECK(answer(many(limits::mentions)) == Errc::ok);
  CHECK(answer(many(limits::mentions + 1)) == Errc::limit_reached);
  CHECK(answer({.mentions = {UserId{}}}) == Errc::invalid_argument);
  CHECK(answer({.mention_scope = static_cast<MentionScope>(3)}) == Errc::invalid_argument);

  const auto attached = [](std::size_t count, Attachment each) {
    return wire::Extras{.attachments = std::vector<Attachment>(count, std::move(each))};
  };
  CHECK(answer(attached(limits::attachments, {"h", "", "", 0})) == Errc::ok);
  CHECK(answer(attached(limits::attachments + 1, {"h", "", "", 0})) == Errc::limit_reached);
  CHECK(answer(attached(1, {"", "", "", 0})) == Errc::invalid_argument);
  const std::string handle(limits::attachment_handle, 'h'), type(limits::content_type, 't'),
      name(limits::attachment_name, 'n');
  CHECK(answer(attached(1, {handle, type, name, (1ULL << 53) - 1})) == Errc::ok);
  CHECK(answer(attached(1, {handle + "h", "", "", 0})) == Errc::invalid_argument);
  CHECK(answer(attached(1, {"h", type + "t", "", 0})) == Errc::too_large);
  CHECK(answer(attached(1, {"h", "", name + "n", 0})) == Errc::too_large);
  CHECK(answer(attached(1, {"h", "", "", 1ULL << 53})) == Errc::invalid_argument);
  CHECK(answer(attached(1, {"h", "", "\xff", 0})) == Errc::invalid_argument);

  const auto headed = [](std::size_t count, MessageHeader each) {
    return wire::Extras{.headers = std::vector<MessageHeader>(count, std::move(each))};
  };
  const std::string key(limits::header_name, 'k'), value(limits::header_value, 'v');
  CHECK(answer(headed(limits::headers, {"k", "v"})) == Errc::ok);
  CHECK(answer(headed(limits::headers + 1, {"k", "v"})) == Errc::limit_reached);
  CHECK(answer(headed(1, {key, value})) == Errc::ok);
  CHECK(answer(headed(1, {key + "k", ""})) == Errc::invalid_argument);
  CHECK(answer(headed(1, {"", "v"})) == Errc::invalid_argument);
  CHECK(answer(headed(1, {"k", value + "v"})) == Errc::too_large);
  CHECK(answer(headed(1, {"k", "\xff"})) == Errc::invalid_argument);

  wire::Extras full = headed(7, {"k", value});  // 7 * 1025
  full.attachments = {
      {std::string(limits::extras - 7 * (limits::header_value + 1) - 512, 'h'), "", "", 0},
      {std::string(512, 'h'), "", "", 0}};
  CHECK(answer(full) == Errc::ok);
  full.attachments[0].handle += 'h';
  CHECK(answer(full) == Errc::too_large);
}

TEST_CASE("a repeated number with other extras is another message") {
  ExtrasChat chat;
  wire::Send what = text("m", 1);
  what.extras = everything();
  const Seq seq = chat.post(1, what);
  auto again = chat.post(by(1), what);
  CHECK(again.value().seq == seq);
  CHECK(again.value().repeated);
  const auto differs = [&](auto change) {
    wire::Send other = what;
    change(other);
    return chat.post(by(1), other).errc();
  };
  CHECK(differs([](auto& send) { send.extras = {}; }) == Errc::key_reused);
  CHECK(differs([](auto& send) { send.extras.mentions.pop_back(); }) == Errc::ok);  // named twice
  CHECK(differs([](auto& send) { send.extras.mentions = {user(2)}; }) == Errc::key_reused);
  CHECK(differs([](auto& send) { send.extras.mention_scope = MentionScope::here; }) ==
        Errc::key_reused);
  CHECK(differs([](auto& send) { send.extras.attachments[0].size = 1; }) == Errc::key_reused);
  CHECK(differs([](auto& send) { send.extras.headers[0].value = ""; }) == Errc::key_reused);
}

TEST_CASE("who may mention everybody") {
  wire::Send what = text("all");
  what.extras.mention_scope = MentionScope::all;
  SECTION("everybody in a small group, admins in a larger one") {
    ExtrasChat group;
    CHECK(group.post(by(2), what).errc() == Errc::ok);
    std::vector<UserId> more;
    for (std::uint64_t n = 4; n <= limits::small_group; ++n) more.push_back(user(n));
    REQUIRE(group.add(by(1), more) == Errc::ok);
    CHECK(group.post(by(2), what).errc() == Errc::ok);
    REQUIRE(group.add(by(1), {user(1000)}) == Errc::ok);
    CHECK(group.post(by(2), what).errc() == Errc::denied);
    what.extras.mention_scope = MentionScope::here;
    CHECK(group.post(by(2), what).errc() == Errc::denied);
    REQUIRE(group.set_role(by(1), 2, Role::admin) == Errc::ok);
    CHECK(group.post(by(2), what).errc() == Errc::ok);
  }
  SECTION("admins in a channel, and the system") {
    ExtrasChat channel(ConversationKind::channel);
    CHECK(channel.post(by(2), what).errc() == Errc::denied);
    CHECK(channel.post(by(1), what).errc() == Errc::ok);
    CHECK(channel.post(Caller{}, what).errc() == Errc::ok);
  }
}

TEST_CASE("a forward carries the content, and of its origin what everybody there may know") {
  ExtrasChat here, group(ConversationKind::group, 2), channel(ConversationKind::channel, 3);
  wire::Send original = text("original");
  original.content_type = "text/markdown";
  original.extras = everything();
  const auto check = [&](const wire::RecordFields& fields) {
    CHECK(fields.body == "original");
    CHECK(fields.content_type == "text/markdown");
    CHECK(fields.extras == wire::Extras{.attachments = original.extras.attachments});
    REQUIRE(fields.origin);
  };
  SECTION("from within the same conversation") {
    const Seq seq = here.post(2, original);
    const auto fields = here.shown(here.post(3, forward_of(here, seq)));
    check(fields);
    CHECK(*fields.origin == Origin{here.id(), seq, user(2),
                                   WallTime(std::chrono::milliseconds(here.shown(seq).time_ms))});
  }
  SECTION("from another group: neither it nor the seq") {
    const Seq seq = group.post(2, original);
    here.other = &group;
    const Seq forwarded = here.post(3, forward_of(group, seq));
    auto fields = here.shown(forwarded);
    check(fields);
    CHECK(!fields.origin->conversation);
    CHECK(fields.origin->seq == 0);
    CHECK(fields.origin->sender == user(2));
    CHECK(here.edit(3, forwarded, "falsified") == Errc::invalid_argument);
    // On and on, the first origin stays.
    fields = here.shown(here.post(1, forward_of(here, forwarded)));
    check(fields);
    CHECK(!fields.origin->conversation);
    CHECK(fields.origin->sender == user(2));
  }
  SECTION("told where it was told only there") {
    const Seq first = group.post(2, original);
    const Seq inside = group.post(2, forward_of(group, first));
    here.other = &group;
    const auto fields = here.shown(here.post(3, forward_of(group, inside)));
    check(fields);
    CHECK(!fields.origin->conversation);
    CHECK(fields.origin->seq == 0);
  }
  SECTION("from a channel that anybody may join") {
    const Seq seq = channel.post(1, original);
    here.other = &channel;
    const auto fields = here.shown(here.post(3, forward_of(channel, seq)));
    check(fields);
    CHECK(fields.origin->conversation == channel.id());
    CHECK(fields.origin->seq == seq);
  }
}

TEST_CASE("only what one may read is forwarded, and a retry gets the first answer all the same") {
  ExtrasChat here, group(ConversationKind::group, 2);
  here.other = &group;
  const Seq seq = group.post(2, text("m"));
  CHECK(here.post(by(3), forward_of(group, seq + 1)).errc() == Errc::denied);  // none
  CHECK(here.post(by(3), forward_of(group, 1)).errc() == Errc::denied);        // no message
  REQUIRE(group.remove(by(1), 3) == Errc::ok);
  CHECK(here.post(by(3), forward_of(group, seq)).errc() == Errc::denied);
  REQUIRE(group.add(by(1), {user(3)}) == Errc::ok);
  CHECK(here.post(by(3), forward_of(group, seq)).errc() == Errc::denied);  // before they came back
  wire::Send absent{.random = 7};
  absent.forward = {ConversationId{{9}}, 1};
  CHECK(here.post(by(3), forward_of(group, 0)).errc() == Errc::invalid_argument);
  wire::Send both = forward_of(group, seq);
  both.body = Payload::copy_of("mine");
  CHECK(here.post(by(2), both).errc() == Errc::invalid_argument);

  const wire::Send once = forward_of(group, seq, 1);
  const auto first = here.post(by(2), once);
  REQUIRE(first.errc() == Errc::ok);
  REQUIRE(group.erase(2, seq) == Errc::ok);
  const auto again = here.post(by(2), once);
  CHECK(again.value().seq == first.value().seq);
  CHECK(again.value().repeated);
  CHECK(here.post(by(2), forward_of(group, seq, 2)).errc() == Errc::denied);  // deleted
  here.fx.advance(5s);
  group.fx.advance(5s);
  CHECK(here.home->idle());
  CHECK(group.home->idle());
}

TEST_CASE("mentions are unread until read, deleted, or of a former life") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  ExtrasChat chat(kind);
  CHECK(chat.mentions(2) == 0);
  const Seq first = chat.mention(1, {user(1), user(2), user(9)});
  const Seq second = chat.mention(1, {user(2)}, MentionScope::all);  // counted once
  chat.fx.advance(2s);
  CHECK(chat.mentions(1) == 0);  // one's own
  CHECK(chat.mentions(2) == 2);
  CHECK(chat.mentions(3) == 1);
  chat.restart();
  CHECK(chat.mentions(2) == 2);
  REQUIRE(chat.mark(2, first, first) == Errc::ok);
  chat.fx.advance(2s);
  CHECK(chat.mentions(2) == 1);
  REQUIRE(chat.erase(1, second) == Errc::ok);
  CHECK(chat.mentions(2) == 0);
  CHECK(chat.mentions(3) == 0);
  (void)chat.mention(1, {user(2)}, MentionScope::here);
  CHECK(chat.mentions(2) == 1);
  CHECK(chat.mentions(3) == 0);  // `here` is a hint
  REQUIRE(chat.remove(by(1), 2) == Errc::ok);
  chat.fx.advance(2s);
  (void)chat.mention(1, {user(2)}, MentionScope::all);  // to whoever is there
  CHECK(chat.mentions(3) == 1);
  REQUIRE(chat.add(by(1), {user(2)}) == Errc::ok);
  CHECK(chat.mentions(2) == 0);
  (void)chat.mention(1, {user(2)}, MentionScope::all);
  (void)chat.mention(1, {user(2)});
  CHECK(chat.mentions(2) == 2);
  CHECK(chat.rows('q') <= 3);  // nothing of user 9, who is no member
}

TEST_CASE("more mentions than are counted") {
  ExtrasChat chat;
  std::vector<Seq> seqs;
  for (std::size_t i = 0; i < limits::mentions_counted + 5; ++i)
    seqs.push_back(chat.mention(1, {user(2)}));
  CHECK(chat.mentions(2) == limits::mentions_counted);
  REQUIRE(chat.mark(2, seqs[2], seqs[2]) == Errc::ok);
  chat.fx.advance(1s);
  CHECK(chat.mentions(2) == limits::mentions_counted);
  REQUIRE(chat.mark(2, seqs[6], seqs[6]) == Errc::ok);
  chat.fx.advance(1s);
  CHECK(chat.mentions(2) == limits::mentions_counted - 2);
  REQUIRE(chat.erase(1, seqs[0]) == Errc::ok);  // long forgotten
  CHECK(chat.mentions(2) == limits::mentions_counted - 2);
}

TEST_CASE("unread mentions are what a naive model says, whatever goes wrong") {
  CHECK(rc::check("mentions", [] {
    ExtrasChat chat(*rc::gen::element(ConversationKind::group, ConversationKind::channel));
    const int faults = *rc::gen::inRange(0, 30);  // percent
    std::uint64_t luck = *rc::gen::arbitrary<std::uint64_t>();
    chat.fx.inject = [&](const Batch&) {
      luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
      if (static_cast<int>((luck >> 33) % 100) >= faults) return Fault::none;
      constexpr Fault some[] = {Fault::refused, Fault::failed, Fault::unknown_landed,
                                Fault::unknown_lost, Fault::unknown_overtaken};
      return some[(luck >> 40) % 5];
    };
    struct Said {
      std::uint64_t by;  // none: it mentions everybody
      std::set<std::uint64_t> whom;
    };
    std::map<Seq, Said> model;
    const int steps = *rc::gen::inRange(1, 50);
    for (int i = 0; i < steps; ++i) {
      const auto n = *rc::gen::inRange<std::uint64_t>(1, 4);
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          if (!model.empty()) {
            const auto at = std::next(
                model.begin(),
                *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(model.size())));
            if (chat.erase(1, at->first) == Errc::ok) model.erase(at);
          }
          break;
        case 1:
          (void)chat.mark(n, 1000, *rc::gen::inRange<Seq>(1, chat.head().head + 1));
          break;
        case 2:
          chat.fx.advance(1s);
          break;
        case 3:
          if (*rc::gen::inRange(0, 3) == 0) chat.restart();
          break;
        default: {
          const bool all = n == 1 && *rc::gen::inRange(0, 4) == 0;
          std::set<std::uint64_t> whom;
          for (std::uint64_t each = 1; each <= 3; ++each)
            if (*rc::gen::arbitrary<bool>()) whom.insert(each);
          wire::Send what = text("m");
          for (const auto each : whom) what.extras.mentions.push_back(user(each));
          if (all) what.extras.mention_scope = MentionScope::all;
          const auto asked = chat.post(by(n), what);
          if (asked.errc() == Errc::ok)
            model[asked.value().seq] = all ? Said{0, {1, 2, 3}} : Said{n, whom};
        }
      }
    }
    chat.fx.inject = {};
    for (int i = 0; i < 20 && !chat.home->idle(); ++i) chat.fx.advance(3s);
    for (int life = 0; life < 2; ++life) {
      for (std::uint64_t n = 1; n <= 3; ++n) {
        const Access seen = chat.access(n).value();
        const auto expected = std::count_if(model.begin(), model.end(), [&](const auto& said) {
          return said.first > seen.receipt.read && said.second.whom.contains(n) &&
                 said.second.by != n;
        });
        RC_ASSERT(seen.mentions == static_cast<std::uint64_t>(expected));
      }
      chat.restart();
    }
  }));
}
