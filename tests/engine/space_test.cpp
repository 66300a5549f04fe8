// Spaces as a host uses them: sessions in the engine's own process, on several threads.
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"
#include "waiting.hpp"

namespace parley::test {
namespace {}  // namespace

TEST_CASE("a bot that is in a space hears in each of its channels, also in those that come later") {
  Collected<std::string> heard, opened;
  auto engine = Engine::open({.threads = 2}).value();
  auto alice = attach(engine, "alice");
  const auto guild =
      alice.create({.kind = ConversationKind::space, .title = "Guild", .members = {"bot"}})
          .get()
          .value()
          .id();
  auto bot = attach(engine, "bot");
  bot.on_event([&](const Event& event) {
    if (const auto* message = event.as<Message>()) heard.add(std::string(message->text()));
    const auto* child = event.as<ChildChange>();
    if (child != nullptr && child->open) opened.add(std::string(child->title));
  });
  const auto make = [&](const std::string& title) {
    return alice.create({.kind = ConversationKind::channel, .title = title, .space = guild})
        .get()
        .value()
        .id();
  };
  const auto hall = make("hall"), yard = make("yard");
  CHECK(alice.send(hall, "one").get().ok());
  CHECK(alice.send(yard, "two").get().ok());
  CHECK(heard.wait_for(2).size() == 2);
  CHECK(opened.wait_for(2) == std::vector<std::string>{"hall", "yard"});
  CHECK(engine.info(guild).get().value().children.size() == 2);
  CHECK(engine.info(hall).get().value().space == guild);
  CHECK(engine.info(hall).get().value().members == 2);

  REQUIRE(alice.remove(guild, bot.user()).get().ok());
  CHECK(bot.send(hall, "still here").get().error().errc() == Errc::denied);
  CHECK(bot.history(hall).get().error().errc() == Errc::denied);
  CHECK(alice.send(hall, "three").get().ok());
  CHECK(alice.send(yard, "four").get().ok());
  CHECK(alice.send(alice.direct("bot").get().value().id(), "five").get().ok());
  const auto all = heard.wait_for(3);
  CHECK(std::set(all.begin(), all.end()) == std::set<std::string>{"one", "two", "five"});
}

TEST_CASE("what makes no space, and no channel of one, is named") {
  auto engine = Engine::open({.threads = host_driven}).value();
  auto alice = attach(engine, "alice");
  auto bob = attach(engine, "bob");
  const auto create = [&](Session& who, CreateOptions options) {
    const auto made = who.create(std::move(options)).get();
    REQUIRE_FALSE(made.ok());
    return made.error();
  };
  const auto guild = alice.create({.kind = ConversationKind::space}).get().value().id();
  const auto group = alice.create({.kind = ConversationKind::group}).get().value().id();
  const auto begins = [](const Error& error, const std::string& what) {
    CAPTURE(error.message);
    return error.errc() == Errc::invalid_argument && error.message.starts_with(what);
  };
  CHECK(begins(create(alice, {.kind = ConversationKind::group, .space = guild}), "space:"));
  CHECK(begins(create(alice, {.kind = ConversationKind::space, .space = guild}), "space:"));
  CHECK(begins(
      create(alice,
             {.kind = ConversationKind::channel, .space = guild, .join = JoinRule::by_request}),
      "join:"));
  CHECK(begins(create(alice, {.kind = ConversationKind::channel,
                              .members = {"bob"},
                              .space = guild,
                              .join = JoinRule::added}),
               "members:"));
  const auto errc = [&](Session& who, const ConversationId& space) {
    return create(who, {.kind = ConversationKind::channel, .space = space}).errc();
  };
  CHECK(errc(bob, guild) == Errc::denied);
  CHECK(errc(alice, group) == Errc::denied);
  CHECK(errc(alice, ConversationId{{1}}) == Errc::denied);
  CHECK(alice.send(guild, "hello").get().error().errc() == Errc::denied);
}

}  // namespace parley::test
