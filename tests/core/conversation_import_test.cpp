// conversation_import_test.cpp: messages from elsewhere keep time and id, come once, and disturb
// nobody's counts.
#include <algorithm>

#include "base/snowflake.hpp"
#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/operations.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t long_ago = 1'740'000'000'000;

wire::Send imported(std::string_view body, const std::string& id, std::uint64_t sender,
                    std::int64_t written_ms = long_ago) {
  wire::Send send = text(body);
  send.key = id;
  send.import = {user(sender), written_ms, id};
  return send;
}

wire::RecordFields fields_of(World& world, Seq seq, EventPage& page) {
  page = world.read({.from = seq, .max_events = 1}).value();
  return wire::read_record(page.events.at(0).record.bytes());
}

std::uint64_t listed_unread(World& world, std::uint64_t n) {
  return entry_of(world.id(), world.access(n).value()).unread;
}

}  // namespace

TEST_CASE("an imported message keeps time and id, comes once, and is unread for nobody") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  REQUIRE(world.say(1, "new") == Errc::ok);
  const auto before = world.head();
  wire::Send first = imported("old", "m1", 7);
  first.extras.mentions = {user(2)};
  auto sent = world.send({}, first);
  world.fx.advance(5s);
  REQUIRE(sent.errc() == Errc::ok);
  EventPage page;
  const auto fields = fields_of(world, sent.value().seq, page);
  CHECK(fields.sender == user(7));
  CHECK(fields.written_ms == long_ago);
  CHECK(fields.time_ms > long_ago);
  CHECK(fields.import_id == "m1");
  CHECK(base::SnowflakeSource::time_ms(fields.id) == static_cast<std::uint64_t>(long_ago));
  CHECK(world.head().ordinal == before.ordinal);
  CHECK(world.head().shown_ms == before.shown_ms);
  CHECK(world.head().last_message_ms == before.last_message_ms);
  CHECK(listed_unread(world, 2) == 1);
  CHECK(entry_of(world.id(), world.access(2).value()).mentions == 0);

  world.restart();
  auto again = world.send({}, first);
  world.fx.drain();
  CHECK(again.value().seq == sent.value().seq);
  CHECK(again.value().repeated);
  auto other = world.send({}, imported("another text", "m1", 7));
  world.fx.drain();
  CHECK(other.errc() == Errc::key_reused);

  Asked<void> erased;
  world->delete_message({}, sent.value().seq, erased.then());
  world.fx.advance(5s);
  CHECK(erased.errc() == Errc::ok);
  CHECK(listed_unread(world, 2) == 1);  // it was never counted
  EventPage gone;
  CHECK(fields_of(world, sent.value().seq, gone).deleted);
}

TEST_CASE("what was imported stays known when the clock is set back over midnight") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  constexpr std::int64_t day = 24 * 3'600'000;
  world.fx.time.wall_ms += day - world.fx.time.wall_ms % day;  // midnight
  auto sent = world.send({}, imported("old", "m1", 1));
  world.fx.drain();
  REQUIRE(sent.errc() == Errc::ok);
  world.fx.time.wall_ms -= 60'000;
  world.restart();
  auto again = world.send({}, imported("old", "m1", 1));
  world.fx.drain();
  CHECK(again.value().repeated);
  CHECK(again.value().seq == sent.value().seq);
}

TEST_CASE("the id of an imported message follows from conversation, time and the host's id") {
  std::vector<Snowflake> ids;
  for (const std::uint8_t name : {1, 1, 2}) {
    World world(name);
    (void)world.create(by(1), ConversationKind::channel);
    for (const std::string id : {"a", "b"}) {
      auto sent = world.send({}, imported("old", id, 1));
      world.fx.drain();
      EventPage page;
      ids.push_back(fields_of(world, sent.value().seq, page).id);
    }
  }
  CHECK(ids[0] == ids[2]);
  CHECK(ids[1] == ids[3]);
  CHECK(ids[0] != ids[1]);
  CHECK(ids[0] != ids[4]);
}

TEST_CASE("an import asks no hook, and what disappears does not take it along") {
  World world;
  int asked = 0;
  world.limits.before_message = [&asked](const IncomingMessage&) -> Result<void> {
    ++asked;
    return Error{Errc::denied, "no"};
  };
  world.restart();
  (void)world.create(by(1), ConversationKind::group);
  Asked<void> set;
  world->set_settings(by(1), {.expires_after = 60s}, set.then());
  world.fx.drain();
  auto sent = world.send({}, imported("old", "m1", 1));
  world.fx.drain();
  CHECK(sent.errc() == Errc::ok);
  CHECK(asked == 0);
  CHECK(world.rows('d') == 0);
}

TEST_CASE("an import is whole, whatever goes wrong") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late}) {
    World world;
    (void)world.create(by(1), ConversationKind::group);
    world.fx.inject = [&, once = true](const Batch&) mutable {
      return std::exchange(once, false) ? fault : Fault::none;
    };
    for (int tries = 0; tries < 3; ++tries) {
      for (const std::string id : {"a", "b", "c"}) (void)world.send({}, imported("old", id, 1));
      world.fx.advance(5s);
    }
    std::vector<std::string> ids;
    const auto page = world.read({.from = 1}).value();
    for (const auto& event : page.events) {
      const auto fields = wire::read_record(event.record.bytes());
      if (fields.kind == EventKind::message) ids.emplace_back(fields.import_id);
    }
    std::sort(ids.begin(), ids.end());  // what failed alone comes later
    CHECK(ids == std::vector<std::string>{"a", "b", "c"});
  }
}
