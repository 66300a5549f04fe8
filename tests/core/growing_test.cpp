// growing_test.cpp: messages that grow before the eyes of those who look, and are stored once.
#include "core/growing.hpp"

#include <string>

#include "catch.hpp"
#include "core/operations.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"

using namespace parley;
using namespace parley::test;
using namespace std::chrono_literals;

namespace {

Snowflake begin(ShardWorld& world, Client& client, const ConversationId& id, Seq reply_to = 0) {
  return world
      .ask<wire::StreamStarted>(client, wire::StartStream{.conversation = id, .reply_to = reply_to})
      .stream;
}

/// What a client holds of a stream: its text, "?" where a piece is missing, "ended".
std::string seen(const Client& client, Snowflake stream) {
  std::string text = "nothing";
  for (const wire::Reply& reply : client.replies) {
    const auto* piece = std::get_if<wire::Streamed>(&reply.answer);
    if (reply.request != 0 || piece == nullptr || piece->stream != stream) continue;
    if (text == "nothing") text.clear();
    if (piece->ended) return "ended";
    if (text != "?") text = piece->at == text.size() ? text + piece->text : "?";
  }
  return text;
}

/// A bot and two who look, on two shards.
struct Room {
  ShardWorld world;
  Client& bot = world.sign_in("bot");
  Client& ann = world.sign_in("ann", "phone", 1);
  Client& ben = world.sign_in("ben");
  ConversationId id;

  explicit Room(ConversationKind kind = ConversationKind::group) {
    id = world.group(bot, {"ann", "ben"}, kind);
    for (Client* client : {&bot, &ann, &ben}) world.subscribe(*client, id);
  }
  void append(Snowflake stream, std::uint64_t at, std::string text) {
    world.ask<wire::Done>(bot, wire::AppendStream{id, stream, at, std::move(text)});
  }
  std::string text(Client& client, Snowflake stream) {
    return world.ask<wire::Streamed>(client, wire::GetStream{id, stream}).text;
  }
  wire::Send message(Snowflake stream, std::string_view body) const {
    wire::Send send;
    send.conversation = id;
    send.number = 1;
    send.random = 9;
    send.body = Payload::copy_of(body);
    send.stream = stream;
    return send;
  }
};

}  // namespace

TEST_CASE("a message grows before those who look, and is stored once in its place") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    Room room(kind);
    ShardWorld& world = room.world;
    const Snowflake stream = begin(world, room.bot, room.id);
    room.append(stream, 0, "Hel");
    room.append(stream, 3, "lo ");
    room.append(stream, 3, "lo ");       // again: nothing new
    room.append(stream, 3, "lo there");  // again, with more
    world.pass(limits::stream_period);
    CHECK(seen(room.ann, stream) == "Hello there");
    CHECK(seen(room.ben, stream) == "Hello there");
    CHECK(seen(room.bot, stream) == "nothing");  // it has it
    CHECK(room.text(room.ann, stream) == "Hello there");

    const auto acked = world.ask<wire::Acked>(room.bot, room.message(stream, "Hello there."));
    const auto again = world.ask<wire::Acked>(room.bot, room.message(stream, "Hello there."));
    CHECK(again.ack.seq == acked.ack.seq);
    world.settle();
    CHECK(seen(room.ann, stream) == "ended");
    const auto page = world.ask<wire::HistoryPage>(room.ann, wire::History{room.id, 0, true, 1});
    const auto stored = wire::read_record(page.records.at(0).bytes());
    CHECK(stored.stream == stream);
    CHECK(stored.body == "Hello there.");
    CHECK(world.failure(room.ann, wire::GetStream{room.id, stream}) == Errc::denied);
    CHECK(world.failure(room.bot, wire::AppendStream{room.id, stream, 11, "x"}) == Errc::denied);
  }
}

TEST_CASE("many appends are told together, at most so often") {
  Room room;
  const Snowflake stream = begin(room.world, room.bot, room.id);
  const std::size_t before = room.ann.all<wire::Streamed>().size();
  for (std::uint64_t at = 0; at < 100; ++at) {
    room.append(stream, at, "x");
    room.world.pass(10ms);
  }
  room.world.pass(1s);
  const auto told = [&] { return room.ann.all<wire::Streamed>().size(); };
  CHECK(told() - before <= 12);
  CHECK(seen(room.ann, stream) == std::string(100, 'x'));
  room.append(stream, 100, "y");  // the last was told long ago
  room.world.settle();
  const std::size_t now = told();
  room.append(stream, 101, "z");
  room.world.pass(limits::stream_period - 20ms);
  CHECK(told() == now);
  room.world.pass(20ms);
  CHECK(told() == now + 1);
}

TEST_CASE("who comes midway is told that it grows, and gets all of it") {
  Room room;
  ShardWorld& world = room.world;
  const Seq question = world.say(room.ann, room.id, "tell me");
  const Snowflake stream = begin(world, room.bot, room.id, question);
  room.append(stream, 0, "Once");
  Client& late = world.sign_in("ann", "tablet");
  world.subscribe(late, room.id);
  REQUIRE(late.all<wire::Streamed>().size() == 1);
  CHECK(late.all<wire::Streamed>()[0].at == 4);
  CHECK(late.all<wire::Streamed>()[0].reply_to == question);
  CHECK(room.text(late, stream) == "Once");
  room.append(stream, 4, " upon");
  world.pass(limits::stream_period);
  CHECK(late.all<wire::Streamed>().back().text == " upon");
  Client& heads = world.sign_in("ben", "watch");
  world.subscribe(heads, room.id, {}, Level::heads);
  CHECK(heads.all<wire::Streamed>().empty());
}

TEST_CASE("it is taken back by its sender alone") {
  Room room;
  const Snowflake stream = begin(room.world, room.bot, room.id);
  room.append(stream, 0, "no");
  room.world.pass(limits::stream_period);
  CHECK(room.world.failure(room.ann, wire::AppendStream{room.id, stream, 2, "!"}) == Errc::denied);
  room.world.ask<wire::Done>(room.ann, wire::CancelStream{room.id, stream});
  CHECK(seen(room.ben, stream) == "no");
  room.world.ask<wire::Done>(room.bot, wire::CancelStream{room.id, stream});
  room.world.settle();
  CHECK(seen(room.ben, stream) == "ended");
  room.world.ask<wire::Done>(room.bot, wire::CancelStream{room.id, stream});
  CHECK(room.world.ask<wire::HistoryPage>(room.ann, wire::History{room.id, 0, true, 1})
            .records.size() == 1);
}

// A message named the growing text of somebody else, and was stored with it.
TEST_CASE("a message comes in the place of its sender's own growing text alone") {
  Room room;
  ShardWorld& world = room.world;
  const Snowflake stream = begin(world, room.bot, room.id);
  room.append(stream, 0, "mine");
  const Seq head = world.say(room.bot, room.id, "before");
  const auto failed = world.ask<wire::Failed>(room.ann, room.message(stream, "hers")).error;
  CHECK(failed.errc() == Errc::invalid_argument);
  CHECK(failed.message.starts_with("stream: "));
  world.pass(1s);
  CHECK(seen(room.ben, stream) == "mine");
  Client& stranger = world.sign_in("zoe");
  CHECK(world.failure(stranger, room.message(stream, "whose?")) == Errc::denied);
  CHECK(world.failure(world.system(), wire::Send{.conversation = room.id,
                                                 .body = Payload::copy_of("the host's"),
                                                 .stream = stream}) == Errc::invalid_argument);
  // Nothing changed: the number is free, and the stream goes on to its end.
  wire::Send without = room.message(0, "hers");
  without.random = 10;
  CHECK(world.ask<wire::Acked>(room.ann, without).ack.seq == head + 1);
  CHECK(world.ask<wire::Acked>(room.bot, room.message(stream, "mine")).ack.seq == head + 2);
  world.settle();
  CHECK(seen(room.ben, stream) == "ended");
  // One that is over is nobody's any more.
  wire::Send late = room.message(stream, "late");
  late.number = 2;
  world.ask<wire::Acked>(room.ann, late);
}

TEST_CASE("it lives as long as its sender's session, and half a minute longer") {
  Room room;
  ShardWorld& world = room.world;
  const Snowflake stream = begin(world, room.bot, room.id);
  room.append(stream, 0, "well");
  world.pass(120s);
  CHECK(seen(room.ann, stream) == "well");
  const std::size_t told = room.ann.all<wire::Streamed>().size();
  world.pass(limits::stream_beat + 1s);
  CHECK(room.ann.all<wire::Streamed>().size() > told);  // it is said that it is still there

  world.sign_out(room.bot);
  world.pass(20s);
  Client& back = world.sign_in("bot");
  world.ask<wire::Done>(back, wire::AppendStream{room.id, stream, 4, "!"});
  world.pass(60s);
  CHECK(seen(room.ann, stream) == "well!");
  world.sign_out(back);
  world.pass(limits::stream_orphaned - 1s);
  CHECK(seen(room.ann, stream) == "well!");
  world.pass(2 * limits::stream_beat + 1s);
  CHECK(seen(room.ann, stream) == "ended");
  static_assert(2 * limits::stream_beat < limits::stream_lost, "one beat may be missed");
}

TEST_CASE("it ends with the right to write") {
  Room room;
  ShardWorld& world = room.world;
  const auto by_ann = [&] {
    return world.ask<wire::StreamStarted>(room.ann, wire::StartStream{.conversation = room.id})
        .stream;
  };
  const Snowflake first = by_ann();
  world.ask<wire::Done>(room.bot,
                        wire::Restrict{room.id, RestrictionKind::mute, room.ann.user, true, {}});
  CHECK(world.failure(room.ann, wire::AppendStream{room.id, first, 0, "x"}) == Errc::muted);
  world.settle();
  CHECK(seen(room.ben, first) == "ended");
  CHECK(world.failure(room.ann, wire::StartStream{.conversation = room.id}) == Errc::muted);
  world.ask<wire::Done>(room.bot,
                        wire::Restrict{room.id, RestrictionKind::mute, room.ann.user, false, {}});
  const Snowflake second = by_ann();
  world.ask<wire::Done>(room.bot, wire::Remove{room.id, room.ann.user});
  world.settle();
  CHECK(seen(room.ben, second) == "ended");
  CHECK(world.failure(room.ann, wire::StartStream{.conversation = room.id}) == Errc::denied);
  const Snowflake own = begin(world, room.bot, room.id);
  CHECK(world.failure(room.ann, wire::GetStream{room.id, own}) == Errc::denied);
}

TEST_CASE("who blocks the other sees nothing grow") {
  ShardWorld world;
  Client& ann = world.sign_in("ann");
  Client& ben = world.sign_in("ben", "phone", 1);
  const ConversationId chat = world.ask<wire::Opened>(ann, wire::Direct{"ben"}).entry.conversation;
  world.subscribe(ann, chat);
  world.subscribe(ben, chat);
  const Snowflake before =
      world.ask<wire::StreamStarted>(ann, wire::StartStream{.conversation = chat}).stream;
  world.ask<wire::Done>(ben, wire::BlockUser{ann.user, true});
  world.settle();
  CHECK(seen(ben, before) == "ended");
  const Snowflake after =
      world.ask<wire::StreamStarted>(ann, wire::StartStream{.conversation = chat}).stream;
  world.ask<wire::Done>(ann, wire::AppendStream{chat, after, 0, "hello?"});
  world.pass(1s);
  CHECK(seen(ben, after) == "nothing");
  CHECK(world.failure(ben, wire::GetStream{chat, after}) == Errc::denied);
  // Nor is ben told by a refusal that it is there.
  wire::Send guess{.conversation = chat, .body = Payload::copy_of("x"), .stream = after};
  world.ask<wire::Acked>(ben, guess);
}

TEST_CASE("limits: growing messages of a user and of a conversation") {
  Room room;
  ShardWorld& world = room.world;
  Snowflake last = 0;
  for (std::size_t i = 0; i < limits::streams; ++i) last = begin(world, room.bot, room.id);
  const wire::StartStream one{.conversation = room.id};
  CHECK(world.failure(room.bot, one) == Errc::limit_reached);
  world.ask<wire::Done>(room.bot, wire::CancelStream{room.id, last});
  begin(world, room.bot, room.id);
  const ConversationId open = world.group(room.bot, {}, ConversationKind::channel);
  for (std::size_t i = 0; i < limits::streams_conversation; ++i) {
    Client& one_of_many = world.sign_in("user" + std::to_string(i / limits::streams));
    world.ask<wire::Opened>(one_of_many, wire::Join{open});
    begin(world, one_of_many, open);
  }
  CHECK(world.failure(room.bot, wire::StartStream{.conversation = open}) == Errc::limit_reached);
}

TEST_CASE("limits: growing messages of a user in all conversations, and their weight in memory") {
  ShardWorld world(1);
  Client& bot = world.sign_in("bot");
  const std::size_t before = world.shard(0).weight();
  std::vector<ConversationId> rooms;
  std::vector<Snowflake> streams;
  for (std::size_t i = 0; i * limits::streams < limits::streams_user; ++i)
    rooms.push_back(world.group(bot, {}));
  const ConversationId another = world.group(bot, {});
  for (const ConversationId& id : rooms)
    for (std::size_t i = 0; i < limits::streams; ++i) streams.push_back(begin(world, bot, id));
  REQUIRE(streams.size() == limits::streams_user);
  CHECK(world.failure(bot, wire::StartStream{.conversation = another}) == Errc::limit_reached);
  const std::string piece(limits::stream_piece, 'x');
  for (std::size_t i = 0; i < streams.size(); ++i)
    world.ask<wire::Done>(bot,
                          wire::AppendStream{rooms[i / limits::streams], streams[i], 0, piece});
  CHECK(world.shard(0).weight() >= before + streams.size() * piece.size());
  world.ask<wire::Done>(bot, wire::CancelStream{rooms[0], streams[0]});
  begin(world, bot, another);
}

TEST_CASE("an append that is repeated changes nothing, whatever was appended since") {
  Room room;
  const Snowflake stream = begin(room.world, room.bot, room.id);
  room.append(stream, 0, "hello ");
  room.append(stream, 6, "world");
  room.append(stream, 0, "hello ");
  room.append(stream, 2, "llo wor");
  room.append(stream, 3, "");
  CHECK(room.text(room.ann, stream) == "hello world");
  CHECK(room.world.failure(room.bot, wire::AppendStream{room.id, stream, 0, "help"}) ==
        Errc::invalid_argument);
  room.append(stream, 6, "world, and you");
  CHECK(room.text(room.ann, stream) == "hello world, and you");
}

TEST_CASE("slow mode is not gone around by messages that grow") {
  Room room;
  ShardWorld& world = room.world;
  SettingsUpdate slow;
  slow.slow_mode = 60s;
  const Snowflake before =
      world.ask<wire::StreamStarted>(room.ann, wire::StartStream{.conversation = room.id}).stream;
  world.ask<wire::Done>(room.bot, wire::SetSettings{room.id, slow});
  CHECK(world.failure(room.ann, wire::StartStream{.conversation = room.id}) == Errc::denied);
  CHECK(world.failure(room.ann, wire::AppendStream{room.id, before, 0, "x"}) == Errc::denied);
  begin(world, room.bot, room.id);  // its owner
}

TEST_CASE("limits: one append, and how far a message grows") {
  Room room;
  ShardWorld& world = room.world;
  const Snowflake stream = begin(world, room.bot, room.id);
  const auto failure = [&](std::uint64_t at, std::string text) {
    return world.failure(room.bot, wire::AppendStream{room.id, stream, at, std::move(text)});
  };
  CHECK(failure(0, std::string(limits::stream_piece + 1, 'x')) == Errc::too_large);
  CHECK(failure(0, "\xff") == Errc::invalid_argument);
  CHECK(failure(1, "beyond the end") == Errc::invalid_argument);
  std::uint64_t at = 0;
  for (; at + limits::stream_piece <= limits::body_default; at += limits::stream_piece)
    room.append(stream, at, std::string(limits::stream_piece, 'x'));
  REQUIRE(at == limits::body_default);
  CHECK(failure(at, "x") == Errc::too_large);
  CHECK(failure(at - 1, "y") == Errc::invalid_argument);  // another text stands there
  const wire::StartStream picture{.conversation = room.id, .content_type = "image/png"};
  CHECK(world.failure(room.bot, picture) == Errc::invalid_argument);
  const wire::StartStream long_type{.conversation = room.id,
                                    .content_type = "text/" + std::string(124, 'x')};
  CHECK(world.failure(room.bot, long_type) == Errc::too_large);
}
