// conversation_receipts_test.cpp: positions only grow, within what may be seen, committed before
// they are told; and sealing.
#include "core/conversation.hpp"

#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

TEST_CASE("receipts are clamped, merged, committed together, then told") {
  World world;
  (void)world.direct(1, 2, 1);
  for (int i = 0; i < 5; ++i) REQUIRE(world.say(1) == Errc::ok);
  world.fx.advance(1s);
  world.receipts.clear();
  const int commits = world.fx.commits;
  CHECK(world.mark(2, 2, 0) == Errc::ok);
  CHECK(world.mark(2, 0, 3) == Errc::ok);
  CHECK(world.mark(2, 1, 1) == Errc::ok);
  CHECK(world.access(2).value().receipt.read == 0);  // nothing is shown before it is durable
  world.fx.advance(limits::receipt_delay - 1ms);
  CHECK(world.receipts.empty());
  world.fx.advance(1ms);
  REQUIRE(world.receipts.size() == 1);
  CHECK(world.receipts[0].user == user(2));
  CHECK(world.receipts[0].read == 3);
  CHECK(world.receipts[0].received == 3);
  CHECK(world.fx.commits == commits + 1);
  CHECK(world.access(2).value().receipt.read_ordinal == 3);

  CHECK(world.mark(2, ~Seq{0}, Seq{1} << 63) == Errc::ok);
  world.fx.advance(1s);
  CHECK(world.receipts.back().read == 5);
  CHECK(world.mark(2, 4, 2) == Errc::ok);  // never back
  world.fx.advance(1s);
  CHECK(world.access(2).value().receipt.read == 5);
  CHECK(world.mark(9, 1, 1) == Errc::denied);
  Asked<void> system;
  world->mark_read({}, 1, 1, system.then());
  CHECK(system.errc() == Errc::invalid_argument);
  CHECK(world.home->idle());
  world.restart();
  CHECK(world.access(2).value().receipt.read == 5);
  CHECK(world.mark(2, 1, 1) == Errc::ok);
  world.fx.advance(1s);
  CHECK(world.access(2).value().receipt.read == 5);
}

TEST_CASE("a position is acknowledged once it is stored") {
  World world;
  (void)world.direct(1, 2, 1);
  for (int i = 0; i < 6; ++i) REQUIRE(world.say(1) == Errc::ok);
  world.fx.advance(1s);
  const auto mark = [&world](Seq seq) {
    Asked<void> asked;
    world->mark_read(by(2), seq, seq, asked.then());
    world.fx.drain();
    return asked;
  };
  const Asked<void> first = mark(1), second = mark(3);
  world.fx.advance(limits::receipt_delay - 1ms);
  CHECK_FALSE(first.answered());
  CHECK_FALSE(second.answered());
  world.fx.advance(1ms);
  CHECK(first.errc() == Errc::ok);
  CHECK(second.errc() == Errc::ok);
  CHECK(mark(2).errc() == Errc::ok);  // it is stored already

  bool fails = true;
  world.fx.inject = [&fails](const Batch& batch) {
    return fails && batch.partition.space == layout::receipt ? Fault::failed : Fault::none;
  };
  const Asked<void> third = mark(4);
  world.fx.advance(limits::receipt_delay);
  CHECK_FALSE(third.answered());
  fails = false;
  const Asked<void> fourth = mark(5);  // joins what is tried again
  world.fx.advance(1s);
  CHECK(third.errc() == Errc::ok);
  CHECK(fourth.errc() == Errc::ok);

  const Asked<void> lost = mark(6);
  world.restart();
  world.fx.advance(1s);
  CHECK_FALSE(lost.answered());
  CHECK(world.access(2).value().receipt.read == 5);
}

TEST_CASE("a sender has read what it sent") {
  World world;
  (void)world.direct(1, 2, 1);
  REQUIRE(world.say(1) == Errc::ok);
  REQUIRE(world.say(2) == Errc::ok);
  world.fx.advance(1s);
  CHECK(world.access(1).value().receipt.read == 1);
  CHECK(world.access(2).value().receipt.read == 2);
  CHECK(world.access(2).value().receipt.read_ordinal == 2);
}

TEST_CASE("positions stay within what the user may see") {
  World world;
  (void)world.create(by(1), ConversationKind::group);
  REQUIRE(world.say(1) == Errc::ok);
  REQUIRE(world.add(by(1), {user(2)}) == Errc::ok);  // seq 3
  CHECK(world.mark(2, 2, 2) == Errc::ok);            // before what they see: ignored
  world.fx.advance(1s);
  CHECK(world.access(2).value().receipt.read == 0);
  REQUIRE(world.remove(by(1), 2) == Errc::ok);  // seq 4
  REQUIRE(world.say(1) == Errc::ok);
  CHECK(world.mark(2, 9, 9) == Errc::denied);  // gone
  world.fx.advance(1s);
  CHECK(world.access(2).value().receipt.read == 0);
}

TEST_CASE("the ordinal at an old read position comes from the stream") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  for (int i = 0; i < 200; ++i) REQUIRE(world.say(1) == Errc::ok);
  world.fx.advance(5s);
  world.restart();
  CHECK(world.mark(2, 0, 50) == Errc::ok);
  world.fx.advance(1s);
  CHECK(world.access(2).value().receipt.read == 50);
  CHECK(world.access(2).value().receipt.read_ordinal == 48);
}

TEST_CASE("receipts of a group are listed with its members") {
  World world;
  (void)world.create(by(1), ConversationKind::group, {user(2)});
  REQUIRE(world.say(1) == Errc::ok);
  CHECK(world.mark(2, 3, 2) == Errc::ok);
  world.fx.advance(1s);
  const auto page = world.list(by(1));
  REQUIRE(page->receipts.size() == 2);
  CHECK(page->receipts[1].received == 3);
  CHECK(page->receipts[1].read == 2);
}

TEST_CASE("a channel's receipts: their own buckets, once a second, above 1,000 members only read") {
  World world;
  (void)world.create(by(1), ConversationKind::channel, {user(2)});
  for (int i = 0; i < 3; ++i) REQUIRE(world.say(1) == Errc::ok);
  CHECK(world.mark(2, 4, 2) == Errc::ok);
  world.fx.advance(limits::receipt_delay_channel - 1ms);
  CHECK(world.receipts.empty());
  world.fx.advance(1ms);
  CHECK(world.receipts.size() == 2);
  CHECK(world.access(2).value().receipt.received == 4);
  CHECK(world.access(2).value().receipt.read == 2);
  for (std::uint64_t n = 3; n < 1003; n += 100) {
    std::vector<UserId> more;
    for (std::uint64_t k = n; k < n + 100; ++k) more.push_back(user(k));
    REQUIRE(world.add(by(1), more) == Errc::ok);
  }
  CHECK(world.mark(3, 4, 2) == Errc::ok);
  world.fx.advance(2s);
  CHECK(world.access(3).value().receipt.received == 2);
  CHECK(world.access(3).value().receipt.read == 2);
  CHECK(world.home->idle());
}

TEST_CASE("whatever happens to a receipt's commit, it arrives once and never goes back") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken}) {
    for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
      CAPTURE(static_cast<int>(fault), static_cast<int>(kind));
      World world;
      (void)world.create(by(1), kind, {user(2)});
      REQUIRE(world.say(1) == Errc::ok);
      world.fx.advance(3s);
      const Seq head = world.head().head;
      int left = 2;
      world.fx.inject = [&](const Batch& batch) {
        return batch.partition.space == layout::receipt && left-- > 0 ? fault : Fault::none;
      };
      CHECK(world.mark(2, 0, head) == Errc::ok);
      world.fx.advance(10s);
      CHECK(world.access(2).value().receipt.read == head);
      CHECK(world.access(1).value().receipt.read == head);
      CHECK(world.home->idle());
      CHECK(world.fx.timers() == 0);
    }
  }
}

// ---- Seen by ----

namespace {

std::uint64_t seen(World& world, std::uint64_t asking, Seq seq) {
  Asked<std::uint64_t> asked;
  world.home->seen(by(asking), seq, asked.then());
  world.fx.drain();
  return asked.value();
}

/// From the rows alone: how many others let it be known that they read `seq`.
std::uint64_t counted(World& world, std::uint64_t asking, Seq seq) {
  std::uint64_t count = 0;
  world.fx.store.for_each([&](Partition partition, Bytes, const store::MemoryStore::RowMap& rows) {
    if (partition.space != layout::receipt) return;
    for (const auto& [key, value] : rows) {
      const auto of = layout::parse_number_key('r', key);
      if (of && *of != asking && layout::decode_receipt(value)->shown >= seq) ++count;
    }
  });
  return count;
}

}  // namespace

TEST_CASE("how many have read a message is counted by blocks") {
  World world;
  (void)world.create(by(1), ConversationKind::channel);
  std::vector<UserId> all;
  for (std::uint64_t n = 2; n <= 80; ++n) all.push_back(user(n));
  REQUIRE(world.add(by(1), all) == Errc::ok);
  for (int i = 0; i < 300; ++i) REQUIRE(world.say(1, "x") == Errc::ok);
  const Seq head = world.head().head;
  for (std::uint64_t n = 2; n <= 80; ++n)
    REQUIRE(world.mark(n, 0, std::min<Seq>(head, n * 4)) == Errc::ok);
  world.fx.advance(3s);
  for (const Seq seq : {Seq{1}, Seq{2}, Seq{8}, Seq{9}, Seq{63}, Seq{64}, Seq{65}, Seq{127},
                        Seq{128}, Seq{200}, head - 1, head}) {
    CAPTURE(seq);
    CHECK(seen(world, 1, seq) == counted(world, 1, seq));
    CHECK(seen(world, 5, seq) == counted(world, 5, seq));
  }
  CHECK(seen(world, 1, 8) == 79);
  CHECK(seen(world, 1, 9) == 78);
  CHECK(seen(world, 1, head + 1) == 0);
  CHECK(world.rows('h', layout::receipt) > 0);

  // No scan of everybody: the question costs a bounded number of short scans.
  const int scans = world.fx.scans;
  CHECK(seen(world, 1, 65) == counted(world, 1, 65));
  CHECK(world.fx.scans - scans <= 3 * layout::channel_receipt_buckets);
  // Positions move from block to block, and what is empty leaves.
  for (std::uint64_t n = 2; n <= 80; ++n) REQUIRE(world.mark(n, 0, head) == Errc::ok);
  world.fx.advance(3s);
  CHECK(seen(world, 1, head) == 79);
  CHECK(world.rows('h', layout::receipt) <= 2 * layout::channel_receipt_buckets + 2);
  Asked<std::uint64_t> stranger;
  world.home->seen(by(999), 1, stranger.then());
  world.fx.drain();
  CHECK(stranger.errc() == Errc::denied);
}

TEST_CASE("a channel's counts are what its receipts say, whatever goes wrong") {
  for (const Fault fault : {Fault::none, Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken}) {
    CAPTURE(static_cast<int>(fault));
    World world;
    (void)world.create(by(1), ConversationKind::channel, {user(2), user(3), user(4), user(5)});
    for (int i = 0; i < 140; ++i) REQUIRE(world.say(1, "x") == Errc::ok);
    world.fx.advance(3s);
    int number = 0;
    world.fx.inject = [&](const Batch& batch) {
      return batch.partition.space == layout::receipt && ++number % 3 == 0 ? fault : Fault::none;
    };
    for (Seq seq = 1; seq <= 140; seq += 7) {
      for (std::uint64_t n = 2; n <= 5; ++n) {
        Caller caller = by(n);
        caller.hides_reads = (seq + n) % 5 == 0;
        Asked<void> asked;
        world.home->mark_read(caller, 0, std::min<Seq>(140, seq + n), asked.then());
        world.fx.drain();
      }
      world.fx.advance(1s);
      if (seq == 71) world.restart();  // a crash
    }
    world.fx.advance(20s);
    for (Seq seq = 1; seq <= 141; seq += 5) {
      CAPTURE(seq);
      CHECK(seen(world, 1, seq) == counted(world, 1, seq));
    }
    CHECK(world.home->idle());
  }
}

// ---- Sealing ----

TEST_CASE("old events move into chunks and the rows leave") {
  World world;
  (void)world.direct(1, 2, 1);
  for (std::size_t i = 0; i < limits::open_events; ++i) REQUIRE(world.say(1, "x") == Errc::ok);
  world.fx.advance(3s);
  CHECK(world.head().sealed == 0);
  REQUIRE(world.say(1, "x") == Errc::ok);
  world.fx.advance(3s);
  CHECK(world.head().sealed > 0);
  for (int i = 0; i < 300; ++i) REQUIRE(world.say(1, "x") == Errc::ok);
  world.fx.advance(3s);
  const auto head = world.head();
  CHECK(head.head - head.sealed <= limits::open_events);
  CHECK(world.rows('e') == head.head - head.sealed);
  CHECK(world.rows('c', layout::archive) > 5);
  CHECK(world.home->idle());
  CHECK(world.stream().size() == 365);
  std::size_t largest = 0;
  world.fx.store.for_each([&](Partition at, Bytes, const store::MemoryStore::RowMap& rows) {
    if (at.space != layout::archive) return;
    for (const auto& row : rows) largest = std::max(largest, row.second.size());
  });
  CHECK(largest <= limits::chunk_bytes);
}

TEST_CASE("sealing keeps up with a conversation that never rests") {
  World world;
  (void)world.direct(1, 2, 1);
  std::size_t most = 0;
  std::size_t erased = 0;
  world.fx.inject = [&](const Batch& batch) {
    if (batch.partition.space == layout::conversation)
      erased = std::max(erased, batch.erases.size());
    return Fault::none;
  };
  int sent = 0;
  std::function<void()> keep_full = [&] {
    if (sent == 40'000) return;
    for (int i = 0; i < 1000; ++i, ++sent) {
      world->send(by(1), text("x"), [&, last = i == 999](const Result<Ack>& ack) {
        if (ack && last) keep_full();
      });
    }
  };
  for (int i = 0; i < 3; ++i) keep_full();
  while (world.fx.step()) {
    if (sent % 5000 == 0) most = std::max(most, world.rows('e'));
  }
  CHECK(world.head().head == 40'000);
  CHECK(most > 0);
  CHECK(most < 6'000);
  CHECK(erased <= 1'600);
  world.fx.advance(10s);
  CHECK(world.head().sealed > 39'900);
  CHECK(world.rows('e') == world.head().head - world.head().sealed);
  CHECK(world.stream().size() == 40'000);
}

TEST_CASE("large events are sealed one by one, also those of an earlier life") {
  World world;
  (void)world.direct(1, 2, 1);
  world.fx.inject = [](const Batch& batch) {
    return batch.partition.space == layout::archive ? Fault::failed : Fault::none;
  };
  for (int i = 0; i < 3; ++i) REQUIRE(world.say(1, std::string(100'000, 'x')) == Errc::ok);
  CHECK(world.head().sealed == 0);
  world.restart();
  world.fx.inject = nullptr;
  REQUIRE(world.say(1, "small") == Errc::ok);
  world.fx.advance(3s);
  CHECK(world.head().sealed == 3);
  CHECK(world.stream().size() == 4);
}

TEST_CASE("whatever happens to a sealing commit, the stream stays whole") {
  for (const Fault fault : {Fault::refused, Fault::failed, Fault::unknown_landed,
                            Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken}) {
    CAPTURE(static_cast<int>(fault));
    World world;
    (void)world.direct(1, 2, 1);
    int count = 0;
    world.fx.inject = [&](const Batch& batch) {
      return batch.partition.space == layout::archive && count++ % 2 == 0 ? fault : Fault::none;
    };
    for (int i = 0; i < 200; ++i) {
      (void)world.send(by(1), text("some words that take up room"));
      world.fx.drain();
      if (i % 40 == 39) world.fx.advance(3s);
    }
    world.fx.advance(10s);
    REQUIRE(world.say(1) == Errc::ok);
    world.fx.advance(10s);
    const auto head = world.head();
    CHECK(head.sealed > 100);
    CHECK(world.rows('e') == head.head - head.sealed);
    CHECK(world.stream().size() == 201);
    CHECK(world.home->idle());
  }
}

TEST_CASE("a crash between the chunk and the erasing leaves both copies, which is no harm") {
  World world;
  (void)world.direct(1, 2, 1);
  for (int i = 0; i < 50; ++i) REQUIRE(world.say(1, "some words that take up room") == Errc::ok);
  bool archived = false;
  world.fx.inject = [&](const Batch& batch) {
    archived = archived || batch.partition.space == layout::archive;
    return Fault::none;
  };
  while (!archived) REQUIRE(world.say(1, "some words that take up room") == Errc::ok);
  world.restart();
  const std::size_t size = world.head().head;
  CHECK(world.stream().size() == size);
  for (int i = 0; i < 100; ++i) REQUIRE(world.say(1, "some words that take up room") == Errc::ok);
  world.fx.advance(3s);
  CHECK(world.stream().size() == size + 100);
  CHECK(world.rows('e') == world.head().head - world.head().sealed);
}
