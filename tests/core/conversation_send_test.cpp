// conversation_send_test.cpp: births, sends, numbers and keys, limits.
#include "core/conversation.hpp"

#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;

TEST_CASE("a direct conversation is found or created, and its first message has seq 1") {
  World world;
  const auto opened = world.direct(2, 1, 1);
  REQUIRE(opened.errc() == Errc::ok);
  CHECK(opened.value().kind == ConversationKind::direct);
  CHECK(opened.value().peer == user(2));
  CHECK(opened.value().role == Role::member);
  CHECK(opened.value().members == 2);
  CHECK(opened.value().head.seq == 0);
  CHECK(opened.value().head.epoch);
  CHECK(world.feed == 1);
  const auto again = world.direct(1, 2, 2);
  CHECK(again.value().head.epoch == opened.value().head.epoch);
  CHECK(again.value().peer == user(1));
  CHECK(world.feed == 1);

  auto sent = world.send(by(1), text("hi", 1));
  CHECK_FALSE(sent.answered());
  world.fx.drain();
  CHECK(sent.value().seq == 1);
  CHECK(sent.value().number == 1);
  CHECK_FALSE(sent.value().repeated);
  REQUIRE(world.pieces.size() == 1);
  CHECK(world.pieces[0]->first == 1);
  CHECK(world.pieces[0]->before == 0);
  CHECK(world.pieces[0]->head_ordinal == 1);
  CHECK(world.stream().at(0).body == "hi");
  CHECK(world.say(3) == Errc::denied);
  CHECK(world.join(3).errc() == Errc::denied);
  CHECK(world.leave(1) == Errc::denied);
  CHECK(world.add(by(1), {user(3)}) == Errc::denied);
  CHECK(world.remove(by(1), 2) == Errc::denied);
  CHECK(world.set_role(by(1), 2, Role::admin) == Errc::denied);
}

TEST_CASE("a direct conversation needs two users, and answers only them") {
  World world;
  CHECK(world.direct(1, 1, 1).errc() == Errc::invalid_argument);
  CHECK(world.direct(1, 0, 1).errc() == Errc::invalid_argument);
  CHECK(world.direct(1, 2, 3).errc() == Errc::denied);
  CHECK(world.direct(1, 2, 0).errc() == Errc::ok);  // the system
}

TEST_CASE("what does not exist and what is not open say the same") {
  World world;
  const auto absent = world.access(1);
  CHECK(absent.errc() == Errc::denied);
  auto send_absent = world.send(by(1), text("x"));
  world.fx.drain();
  (void)world.create(by(5), ConversationKind::group);
  const auto stranger = world.access(1);
  auto send_stranger = world.send(by(1), text("x"));
  world.fx.drain();
  CHECK(stranger.errc() == Errc::denied);
  CHECK(stranger.result().error().message == absent.result().error().message);
  CHECK(send_absent.result().error().message == send_stranger.result().error().message);
  CHECK(world.home->idle());
}

TEST_CASE("after the commit the events are published once, then the acks come in order") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  world.trace.clear();
  world.pieces.clear();
  for (int i = 0; i < 5; ++i) {
    world->send(by(i % 2 == 0 ? 1 : 2), text("m" + std::to_string(i)), [&world](Result<Ack> ack) {
      world.trace.push_back("ack " + std::to_string(ack.value().seq));
    });
  }
  const int before = world.fx.conversation_commits;
  CHECK(world.trace.empty());
  world.fx.drain();
  CHECK(world.trace ==
        std::vector<std::string>{"published 3-7", "ack 3", "ack 4", "ack 5", "ack 6", "ack 7"});
  CHECK(world.fx.conversation_commits == before + 1);  // what came in one turn went together
  CHECK(world.stream().size() == 7);
}

TEST_CASE("a number is new, a repeat, taken, reused or too old") {
  World world;
  (void)world.direct(1, 2, 1);
  auto first = world.send(by(1), text("a", 1, 11));
  auto pending = world.send(by(1), text("a", 1, 11));  // repeated while the first is in flight
  world.fx.drain();
  world.fx.advance(std::chrono::milliseconds(50));
  CHECK(first.value().seq == 1);
  CHECK(pending.value().seq == 1);
  CHECK(pending.value().repeated);
  CHECK(pending.value().time == first.value().time);

  auto second = world.send(by(1), text("b", 2, 12, 1));
  auto twice = world.send(by(1), text("b", 2, 12, 1));  // both in one batch
  auto taken = world.send(by(1), text("b", 2, 99, 1));
  auto reused = world.send(by(1), text("c", 2, 12, 1));
  world.fx.drain();
  CHECK(second.value().seq == 2);
  CHECK(twice.value().seq == 2);
  CHECK(twice.value().repeated);
  CHECK(taken.errc() == Errc::number_taken);
  CHECK(taken.result().error().next == 3);
  CHECK(reused.errc() == Errc::key_reused);

  auto third = world.send(by(1), text("c", 3, 13, 3));
  auto old = world.send(by(1), text("a", 1, 11, 1));
  world.fx.drain();
  CHECK(third.value().seq == 3);
  CHECK(old.errc() == Errc::too_old);
  CHECK(old.result().error().next == 4);

  world.restart();
  auto repeat = world.send(by(1), text("c", 3, 13, 3));
  auto older = world.send(by(1), text("b", 2, 12, 2));
  auto other_device = world.send(by(1, 77), text("c", 3, 13, 3));
  world.fx.drain();
  CHECK(repeat.value().seq == 3);
  CHECK(repeat.value().repeated);
  CHECK(older.errc() == Errc::too_old);
  CHECK(other_device.value().seq == 4);
  CHECK(world.stream().size() == 4);
}

TEST_CASE("32 sends may be open, not one more") {
  World world;
  (void)world.direct(1, 2, 1);
  for (std::uint64_t n = 1; n <= limits::open_sends; ++n) {
    auto sent = world.send(by(1), text("x", n, n, 1));
    world.fx.drain();
    REQUIRE(sent.errc() == Errc::ok);
  }
  auto past = world.send(by(1), text("x", 33, 33, 1));
  world.fx.drain();
  CHECK(past.errc() == Errc::limit_reached);
  CHECK(past.result().error().message.find("settled") != std::string::npos);
  auto settled = world.send(by(1), text("x", 33, 33, 2));
  world.fx.drain();
  CHECK(settled.value().seq == 33);
  auto wrong = world.send(by(1), text("x", 34, 34, 35));
  CHECK(wrong.errc() == Errc::invalid_argument);
  auto nameless = world.send({user(1), {}}, text("x", 34, 34));
  CHECK(nameless.errc() == Errc::invalid_argument);
}

TEST_CASE("a host's key is kept for 30 days") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  const auto keyed = [](std::string_view body, std::string key = "invoice-17") {
    auto what = text(body);
    what.key = std::move(key);
    return what;
  };
  auto first = world.send({}, keyed("paid"));
  auto at_once = world.send({}, keyed("paid"));
  world.fx.drain();
  auto later = world.send({}, keyed("paid"));
  auto other = world.send({}, keyed("unpaid"));
  world.fx.drain();
  CHECK(first.value().seq == 2);
  CHECK(at_once.value().seq == 2);
  CHECK(at_once.value().repeated);
  CHECK(later.value().repeated);
  CHECK(other.errc() == Errc::key_reused);

  world.restart();
  world.fx.time.wall_ms += std::int64_t{limits::host_key_days} * 24 * 3600 * 1000;
  auto month = world.send({}, keyed("paid"));
  world.fx.drain();
  CHECK(month.value().seq == 2);
  world.fx.time.wall_ms += 24LL * 3600 * 1000;
  world.restart();
  auto after = world.send({}, keyed("paid"));
  world.fx.drain();
  CHECK(after.value().seq == 3);
  world.fx.advance(std::chrono::seconds(3));
  CHECK(world.rows('k') == 1);  // the old one left
  CHECK(world.home->idle());
  auto longest = world.send({}, keyed("x", std::string(limits::host_key, 'k')));
  auto too_long = world.send({}, keyed("x", std::string(limits::host_key + 1, 'k')));
  world.fx.drain();
  CHECK(longest.errc() == Errc::ok);
  CHECK(too_long.errc() == Errc::too_large);
}

TEST_CASE("content is checked at its limits") {
  World world;
  (void)world.direct(1, 2, 1);
  const auto outcome = [&world](wire::Send what) {
    auto asked = world.send(by(1), std::move(what));
    world.fx.drain();
    return asked.errc();
  };
  const std::string most(limits::body_default, 'b');
  CHECK(outcome(text(most)) == Errc::ok);
  CHECK(outcome(text(most + "b")) == Errc::too_large);
  CHECK(outcome(text("")) == Errc::ok);
  auto typed = text("{}");
  typed.content_type = std::string(limits::content_type, 't');
  CHECK(outcome(typed) == Errc::ok);
  typed.content_type += "t";
  CHECK(outcome(typed) == Errc::too_large);
  typed.content_type = "a\xff";
  CHECK(outcome(typed) == Errc::invalid_argument);
  CHECK(outcome(text("\xc3\x28")) == Errc::invalid_argument);
  auto binary = text("\xc3\x28");
  binary.content_type = "application/octet-stream";
  CHECK(outcome(binary) == Errc::ok);
  binary.content_type = "Text/HTML";
  CHECK(outcome(binary) == Errc::invalid_argument);
  auto reply = text("re");
  const Seq head = world.head().head;
  reply.reply_to = head;
  CHECK(outcome(reply) == Errc::ok);
  reply.reply_to = head + 2;
  CHECK(outcome(reply) == Errc::invalid_argument);
  CHECK(world.stream().size() == head + 1);
}

TEST_CASE("a reply cannot point before what its sender may see") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  REQUIRE(world.say(1) == Errc::ok);
  REQUIRE(world.add(by(1), {user(2)}) == Errc::ok);
  auto reply = text("re");
  reply.reply_to = 2;
  auto hidden = world.send(by(2), reply);
  reply.reply_to = 3;
  auto seen = world.send(by(2), reply);
  world.fx.drain();
  CHECK(hidden.errc() == Errc::invalid_argument);
  CHECK(seen.errc() == Errc::ok);
}

TEST_CASE("batches stay within their limits") {
  World world;
  (void)world.direct(1, 2, 1);
  std::vector<std::size_t> events, bytes;
  world.fx.inject = [&](const Batch& batch) {
    std::size_t sum = 0;
    for (const Row& row : batch.puts) sum += row.key.size() + row.value.size();
    events.push_back(static_cast<std::size_t>(std::count_if(
        batch.puts.begin(), batch.puts.end(),
        [](const Row& row) { return layout::parse_event_key(row.key).has_value(); })));
    bytes.push_back(sum);
    return Fault::none;
  };
  std::vector<Asked<Ack>> all;
  all.push_back(world.send(by(1), text("first")));
  for (int i = 0; i < 2000; ++i) all.push_back(world.send(by(1), text("x")));
  for (int i = 0; i < 5; ++i) all.push_back(world.send(by(2), text(std::string(250'000, 'y'))));
  world.fx.drain();
  for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i].value().seq == i + 1);
  CHECK(*std::max_element(events.begin(), events.end()) == limits::batch_events);
  const std::size_t largest = *std::max_element(bytes.begin(), bytes.end());
  CHECK(largest <= limits::batch_bytes);
  CHECK(largest + 250'000 > limits::batch_bytes);  // one more would not have fitted
  CHECK(world.stream().size() == all.size());
}

TEST_CASE("beyond what may wait: busy, and nothing accepted") {
  World world;
  (void)world.direct(1, 2, 1);
  std::vector<Asked<Ack>> all;
  for (std::size_t i = 0; i < limits::pending; ++i) all.push_back(world.send(by(1), text("x")));
  CHECK_FALSE(all.back().answered());
  auto past = world.send(by(1), text("one too many"));
  REQUIRE(past.errc() == Errc::busy);
  CHECK(past.result().error().retry_after.count() > 0);
  CHECK(world.access(1).errc() == Errc::busy);
  world.fx.drain();
  for (const auto& one : all) REQUIRE(one.errc() == Errc::ok);
  CHECK(world.stream().size() == all.size());
}

TEST_CASE("time never runs backward in a stream") {
  World world;
  (void)world.direct(1, 2, 1);
  auto first = world.send(by(1), text("a"));
  world.fx.drain();
  world.fx.time.wall_ms -= 3'600'000;
  auto second = world.send(by(1), text("b"));
  world.fx.drain();
  CHECK(second.value().time >= first.value().time);
  world.restart();
  auto third = world.send(by(1), text("c"));
  world.fx.drain();
  CHECK(third.value().time >= first.value().time);
}

TEST_CASE("a device number makes one sender row, a send without one none") {
  World world;
  (void)world.direct(1, 2, 1);
  (void)world.send(by(1), text("a"));
  world.fx.drain();
  CHECK(world.rows('s') == 0);
  for (std::uint64_t n = 1; n <= 3; ++n) (void)world.send(by(1), text("a", n, n, n));
  (void)world.send(by(2), text("a", 1));
  world.fx.drain();
  CHECK(world.rows('s') == 2);
}
