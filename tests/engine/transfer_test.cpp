// History in and out, and the end of a user, through the public interface.
#include <string>
#include <vector>

#include "catch.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"
#include "waiting.hpp"
#include "wire/codec.hpp"
#include "wire/record.hpp"

namespace parley::test {
namespace {

using namespace std::chrono_literals;

Engine open() { return Engine::open({.threads = host_driven}).value(); }
ImportedMessage old(std::string id, std::string sender, std::string text, int minute = 0) {
  return {std::move(id),
          std::move(sender),
          WallTime(1'700'000'000'000ms) + 1min * minute,
          {.body = std::move(text)}};
}

/// The lines of an export, decoded.
struct Lines {
  std::vector<wire::Answer> answers;
  ExportSink sink() {
    return [this](std::string_view line) {
      std::vector<wire::Reply> replies;
      CHECK(wire::json_codec()->decode(line, replies));
      for (wire::Reply& reply : replies) answers.push_back(std::move(reply.answer));
      return true;
    };
  }
  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const wire::Answer& answer : answers)
      if (const T* one = std::get_if<T>(&answer)) found.push_back(*one);
    return found;
  }
  /// The bodies of the messages in these pages.
  [[nodiscard]] std::vector<std::string> bodies() const {
    std::vector<std::string> found;
    const auto add = [&found](const std::vector<Payload>& records) {
      for (const Payload& record : records) {
        const auto fields = wire::read_record(record.bytes());
        if (fields.kind == EventKind::message) found.emplace_back(fields.body);
      }
    };
    for (const auto& page : all<wire::HistoryPage>()) add(page.records);
    for (const auto& page : all<wire::Messages>()) add(page.records);
    return found;
  }
};

using Texts = std::vector<std::string>;

Texts texts(Session& session, const ConversationId& id) {
  Texts found;
  for (const Event& event : session.history(id).get().value().events)
    if (const auto* message = event.as<Message>())
      found.emplace_back(message->deleted ? "(deleted)" : message->text());
  return found;
}

}  // namespace

TEST_CASE("history is imported in order, once, by who wrote it") {
  auto engine = open();
  auto alice = attach(engine, "alice");
  const auto team = alice.create({}).get().value();
  const std::vector<ImportedMessage> batch = {old("1", "alice", "one"), old("2", "bob", "two", 1),
                                              old("3", "", "three", 2)};
  const auto acks = engine.import_messages(team, batch).get().value();
  REQUIRE(acks.size() == 3);
  CHECK(acks[0].seq + 2 == acks[2].seq);
  const auto again = engine.import_messages(team, batch).get().value();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(again[i].seq == acks[i].seq);
    CHECK(again[i].repeated);
  }
  CHECK(texts(alice, team) == Texts{"one", "two", "three"});
  const Event event = alice.history(team).get().value().events.at(2);
  CHECK(event.as<Message>()->written == WallTime(1'700'000'000'000ms) + 1min);
  CHECK(event.as<Message>()->import_id == "2");
  CHECK(event.sender == engine.find_user("bob").get().value());
  CHECK(alice.list().get().value().at(0).unread == 0);
}

TEST_CASE("what cannot be imported is refused, and named") {
  auto engine = open();
  const auto team = engine.create({.members = {"alice"}}).get().value();
  const auto failure = [&](ImportedMessage message) {
    return engine.import_messages(team, {old("1", "a", "x"), std::move(message)}).get().error();
  };
  CHECK(failure(old("", "a", "x")).message.find("messages[1].id") != std::string::npos);
  CHECK(failure(old(std::string(limits::import_id + 1, 'i'), "a", "x")).errc() ==
        Errc::invalid_argument);
  ImportedMessage never = old("2", "a", "x");
  never.written = {};
  CHECK(failure(never).errc() == Errc::invalid_argument);
  ImportedMessage brief = old("2", "a", "x");
  brief.message.expires_after = 1h;
  CHECK(failure(brief).errc() == Errc::invalid_argument);
  CHECK(failure(old("2", "a", "\xff")).message.find("messages[1]: body") != std::string::npos);
  CHECK(engine.import_messages(team, {old(std::string(limits::import_id, 'i'), "a", "x")})
            .get()
            .ok());
  std::vector<ImportedMessage> many;
  for (std::size_t i = 0; i <= limits::import_at_once; ++i)
    many.push_back(old(std::to_string(i), "a", "x"));
  CHECK(engine.import_messages(team, many).get().error().errc() == Errc::limit_reached);
  many.pop_back();
  CHECK(engine.import_messages(team, many).get().ok());
  CHECK(engine.import_messages({}, many).get().error().errc() == Errc::invalid_argument);
}

TEST_CASE("a conversation is exported whole, as lines of the wire's JSON") {
  auto engine = open();
  auto alice = attach(engine, "alice");
  const auto team = engine.create({.title = "team", .members = {"alice", "bob"}}).get().value();
  for (int i = 0; i < 300; ++i) REQUIRE(alice.send(team, std::to_string(i)).get().ok());
  REQUIRE(engine.send(team, {.body = "hidden", .audience = audience::moderators}).get().ok());
  REQUIRE(alice.delete_message(team, 10).get().ok());
  Lines lines;
  REQUIRE(engine.export_conversation(team, lines.sink()).get().ok());
  CHECK(lines.all<wire::Info>().at(0).info.settings.title == "team");
  CHECK(lines.all<wire::Kept>().size() == 1);
  CHECK(lines.all<wire::MembersPage>().at(0).members.size() == 2);
  CHECK(lines.all<wire::RestrictionsPage>().size() == 2);
  CHECK(lines.all<wire::HistoryPage>().size() == 2);
  const Texts bodies = lines.bodies();
  REQUIRE(bodies.size() == 301);
  CHECK(bodies.back() == "hidden");
  CHECK(bodies[6].empty());  // seq 10: created and two added come before

  int taken = 0;
  CHECK(engine.export_conversation(team, [&taken](std::string_view) { return ++taken < 2; })
            .get()
            .ok());
  CHECK(taken == 2);
  CHECK(engine.export_conversation(ConversationId{{1}}, lines.sink()).get().error().errc() ==
        Errc::denied);
}

TEST_CASE(
    "a user is exported: settings, devices, list, what they wrote and what they deleted, "
    "anywhere") {
  auto engine = open();
  auto alice = attach(engine, "alice");
  auto bob = engine.attach({.user = "bob", .device = "phone"}).get().value();
  const auto team = alice.create({.title = "team", .members = {"bob"}}).get().value();
  const auto left = alice.create({.title = "left", .members = {"bob"}}).get().value();
  REQUIRE(bob.send(team, "mine").get().ok());
  REQUIRE(alice.send(team, "hers").get().ok());
  REQUIRE(bob.send(left, "before").get().ok());
  const Seq hidden = alice.send(left, "not for bob").get().value().seq;
  REQUIRE(bob.delete_for_me(left, {hidden}).get().ok());
  REQUIRE(bob.list().get().ok());
  REQUIRE(bob.leave(left).get().ok());
  REQUIRE(bob.list().get().ok());  // the list has followed
  Lines lines;
  REQUIRE(engine.export_user("bob", lines.sink()).get().ok());
  CHECK(lines.all<UserSettings>().size() == 1);
  CHECK(lines.all<wire::DeviceList>().at(0).devices.size() == 1);
  CHECK(lines.all<wire::ListPage>().at(0).entries.size() == 1);
  const auto deleted = lines.all<DeletedForMe>();
  REQUIRE(deleted.size() == 1);
  CHECK(deleted[0].conversation == left);
  CHECK(deleted[0].messages == std::vector<Seq>{hidden});
  Texts bodies = lines.bodies();
  std::sort(bodies.begin(), bodies.end());
  CHECK(bodies == Texts{"before", "mine"});
  CHECK(engine.export_user("nobody", lines.sink()).get().error().errc() == Errc::denied);
}

TEST_CASE("a user is erased: bodies gone, tombstones and counts stay, the name is free") {
  auto engine = open();
  auto alice = attach(engine, "alice");
  auto carol = attach(engine, "carol");  // reads nothing
  ConversationId team, pair, kept;
  UserId before;
  {
    auto bob = engine.attach({.user = "bob", .device = "phone"}).get().value();
    before = bob.user();
    team = alice.create({.members = {"bob", "carol"}}).get().value();
    kept = alice.create({.members = {"bob", "carol"}}).get().value();
    pair = engine.direct("alice", "bob").get().value();
    for (const auto& id : {team, kept, pair}) {
      REQUIRE(bob.send(id, "secret").get().ok());
      REQUIRE(bob.send(id, "secret too").get().ok());
      REQUIRE(alice.send(id, "hers").get().ok());
    }
    REQUIRE(engine.set_retention(kept, {.hold = true}).get().ok());
    REQUIRE(bob.list().get().ok());
  }
  const auto first = engine.erase_user("bob").get().value();
  CHECK(first.messages == 4);
  CHECK(first.held == std::vector<ConversationId>{kept});
  CHECK(texts(alice, team) == Texts{"(deleted)", "(deleted)", "hers"});
  CHECK(texts(alice, pair) == Texts{"(deleted)", "(deleted)", "hers"});
  CHECK(texts(alice, kept) == Texts{"secret", "secret too", "hers"});
  CHECK(engine.find_user("bob").get().value() == before);
  CHECK(engine.info(team).get().value().members == 2);

  REQUIRE(engine.set_retention(kept, {}).get().ok());
  const auto second = engine.erase_user("bob").get().value();
  CHECK(second.messages == 2);
  CHECK(second.held.empty());
  CHECK(texts(alice, kept) == Texts{"(deleted)", "(deleted)", "hers"});
  const auto list = carol.list().get().value();
  REQUIRE(list.size() == 2);
  for (const ListEntry& entry : list) CHECK(entry.unread == 1);  // hers
  CHECK(engine.find_user("bob").get().error().errc() == Errc::denied);
  CHECK(engine.subject(before).get().error().errc() == Errc::denied);
  auto another = attach(engine, "bob");
  CHECK(another.user() != before);
  CHECK(another.list().get().value().empty());
}

}  // namespace parley::test
