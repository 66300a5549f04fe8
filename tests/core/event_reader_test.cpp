// event_reader_test.cpp: ranges over open rows, chunks and overlays; limits, holes and damage.
#include "core/event_reader.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/recent_pages.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using layout::StoredEvent;

namespace {

/// A stream written by hand: seqs 1..head, those up to `sealed` in chunks only.
struct Stream {
  explicit Stream(World& at, Seq head, Seq sealed, std::size_t body = 20) : world(at) {
    cell.epoch.bytes.fill(1);
    for (Seq seq = 1; seq <= head; ++seq) {
      wire::RecordFields fields{.seq = seq, .ordinal = seq, .time_ms = 1, .sender = user(1)};
      const std::string text(body, static_cast<char>('a' + seq % 26));
      fields.body = text;
      StoredEvent event;
      event.seq = seq;
      event.record = wire::build_record(fields);
      cell.mark = event.mark = layout::next_mark(cell.mark, world.id(), event.record.bytes());
      events.push_back(event);
    }
    cell.head = cell.ordinal = head;
    cell.sealed = sealed;
    write_chunks();
    std::vector<std::pair<std::string, std::string>> rows;
    for (Seq seq = sealed + 1; seq <= head; ++seq)
      rows.emplace_back(layout::event_key(seq), layout::encode_event(world.id(), events[seq - 1]));
    commit(rows, {});
  }
  void write_chunks() {
    std::size_t at = 0;
    while (at < cell.sealed) {
      std::size_t count = layout::full_chunk(events.data() + at, cell.sealed - at);
      if (count == 0) count = cell.sealed - at;
      const std::vector<StoredEvent> chunk(
          events.begin() + static_cast<std::ptrdiff_t>(at),
          events.begin() + static_cast<std::ptrdiff_t>(at + count));
      put(layout::archive, layout::archive_id(0, world.id(), chunk[0].seq),
          layout::chunk_key(chunk[0].seq), layout::encode_chunk(world.id(), chunk));
      at += count;
    }
  }
  void put(std::uint8_t space, const std::string& name, const std::string& key,
           const std::string& value) {
    const auto before = guard_of(space, name);
    const std::string next = layout::encode(layout::CountCell{.nonce = ++nonce});
    Batch batch{.partition = {space, name}, .guard = next, .puts = {{key, value}}};
    if (before) batch.expect = *before;
    REQUIRE(world.fx.store.commit_now(batch).verdict == Verdict::done);
  }
  void commit(const std::vector<std::pair<std::string, std::string>>& puts,
              const std::vector<std::string>& erases) {
    const std::string name = layout::conversation_id(0, world.id());
    const auto before = guard_of(layout::conversation, name);
    cell.nonce = ++nonce;
    const std::string next = layout::encode(cell);
    Batch batch{.partition = {layout::conversation, name}, .guard = next};
    if (before) batch.expect = *before;
    for (const auto& [key, value] : puts) batch.puts.push_back({key, value});
    for (const auto& key : erases) batch.erases.push_back(key);
    REQUIRE(world.fx.store.commit_now(batch).verdict == Verdict::done);
  }
  std::optional<std::string> guard_of(std::uint8_t space, const std::string& name) {
    const Get get{.cells = {{{space, name}, {}}}};
    const auto cells = world.fx.store.get_now(get);
    if (!cells->values[0]) return std::nullopt;
    return std::string(*cells->values[0]);
  }

  World& world;
  layout::HeadCell cell;
  std::vector<StoredEvent> events;
  std::uint64_t nonce = 0;
};

std::string shape(const Result<EventPage>& page) {
  if (!page) return std::string(to_string(page.error().errc()));
  if (page->events.empty()) return page->more ? "none, more" : "none";
  return std::to_string(page->events.front().seq) + "-" + std::to_string(page->events.back().seq) +
         (page->more ? ", more" : "");
}

}  // namespace

TEST_CASE("ranges over open and sealed events") {
  World world;
  Stream stream(world, 100, 60);
  const auto read = [&](Seq from, Seq to, bool backward = false, std::uint32_t most = 256) {
    return shape(world.read({.from = from, .to = to, .backward = backward, .max_events = most}));
  };
  CHECK(read(1, 0) == "1-100");
  CHECK(read(1, 100) == "1-100");
  CHECK(read(0, 500) == "1-100");
  CHECK(read(61, 0) == "61-100");
  CHECK(read(60, 0) == "60-100");
  CHECK(read(30, 40) == "30-40");
  CHECK(read(100, 100) == "100-100");
  CHECK(read(101, 0) == "none");
  CHECK(read(50, 40) == "none");
  CHECK(read(1, 0, false, 10) == "1-10, more");
  CHECK(read(55, 0, false, 10) == "55-64, more");
  CHECK(read(1, 0, true, 10) == "91-100, more");
  CHECK(read(1, 65, true, 10) == "56-65, more");
  CHECK(read(1, 40, true, 40) == "1-40");
  CHECK(read(1, 0, true, 50) == "51-100, more");
  CHECK(read(1, 0, true, 0) == "100-100, more");
}

TEST_CASE("every event comes back as it was, with its mark") {
  World world;
  Stream stream(world, 40, 25);
  const auto page = world.read({});
  REQUIRE(page->events.size() == 40);
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(page->events[i].mark == stream.events[i].mark);
    CHECK(page->events[i].record.bytes() == stream.events[i].record.bytes());
  }
  CHECK(page->head == stream.cell);
}

TEST_CASE("bytes limit the page from the asked end, one event at least") {
  World world;
  Stream stream(world, 40, 20, 1000);
  const std::size_t one = stream.events[0].record.size();
  for (const bool backward : {false, true}) {
    for (const std::size_t count : {1U, 2U, 5U, 19U, 20U, 21U, 39U}) {
      CAPTURE(backward, count);
      const auto page =
          world.read({.backward = backward, .max_bytes = static_cast<std::uint32_t>(one * count)});
      REQUIRE(page.ok());
      CHECK(page->events.size() == count);
      CHECK(page->more);
      CHECK(page->events.front().seq == (backward ? 41 - count : 1));
    }
    CHECK(world.read({.backward = backward, .max_bytes = 1})->events.size() == 1);
  }
}

TEST_CASE("ranges cross archive partitions") {
  World world;
  const Seq boundary = Seq{1} << layout::archive_shift;
  Stream stream(world, boundary + 200, boundary + 100, 8);
  CHECK(shape(world.read({.from = boundary - 20, .to = boundary + 20})) ==
        std::to_string(boundary - 20) + "-" + std::to_string(boundary + 20));
  CHECK(shape(world.read({.to = boundary + 10, .backward = true, .max_events = 20})) ==
        std::to_string(boundary - 9) + "-" + std::to_string(boundary + 10) + ", more");
  CHECK(shape(world.read({.from = boundary - 1, .to = boundary - 1})) ==
        std::to_string(boundary - 1) + "-" + std::to_string(boundary - 1));
  CHECK(shape(world.read({.from = boundary, .to = boundary})) ==
        std::to_string(boundary) + "-" + std::to_string(boundary));
}

TEST_CASE("rows above the head are not events") {
  World world;
  Stream stream(world, 10, 0);
  --stream.cell.head;  // as a store may show the rows of a commit before its guard
  stream.commit({}, {});
  CHECK(shape(world.read({})) == "1-9");
  CHECK(shape(world.read({.backward = true, .max_events = 3})) == "8-9, more");
  CHECK(shape(world.read({.backward = true, .max_events = 1})) == "9-9, more");
}

TEST_CASE("rows that were erased before the guard moved are found in the archive") {
  World world;
  Stream stream(world, 60, 40);
  stream.cell.sealed = 0;  // the guard of before the sealing, the rows of after it
  stream.commit({}, {});
  CHECK(shape(world.read({})) == "1-60");
  CHECK(shape(world.read({.backward = true})) == "1-60");
  CHECK(shape(world.read({.from = 10, .to = 20})) == "10-20");
}

TEST_CASE("both copies of a sealed event may be there") {
  World world;
  Stream stream(world, 60, 40);
  std::vector<std::pair<std::string, std::string>> rows;
  for (Seq seq = 20; seq <= 40; ++seq)
    rows.emplace_back(layout::event_key(seq),
                      layout::encode_event(world.id(), stream.events[seq - 1]));
  stream.commit(rows, {});
  CHECK(shape(world.read({})) == "1-60");
  CHECK(shape(world.read({.backward = true, .max_events = 45})) == "16-60, more");
}

TEST_CASE("an overlay replaces the record at its seq, open or sealed") {
  World world;
  Stream stream(world, 30, 20);
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Seq seq : {5U, 25U}) {
    wire::RecordFields fields{.seq = seq, .ordinal = seq, .time_ms = 1, .sender = user(1)};
    fields.body = "redacted";
    StoredEvent overlay = stream.events[seq - 1];
    overlay.record = wire::build_record(fields);
    rows.emplace_back(layout::overlay_key(seq), layout::encode_event(world.id(), overlay));
  }
  stream.commit(rows, {});
  const auto body = [](const StoredEvent& event) {
    return std::string(wire::read_record(event.record.bytes()).body);
  };
  const auto unflagged = world.read({});
  CHECK(body(unflagged->events[4]) != "redacted");  // nobody looks without the flag
  stream.cell.flags |= layout::head_has_overlays;
  stream.commit({}, {});
  const auto page = world.read({});
  REQUIRE(page->events.size() == 30);
  CHECK(body(page->events[4]) == "redacted");
  CHECK(body(page->events[24]) == "redacted");
  CHECK(page->events[4].mark == stream.events[4].mark);
  CHECK(body(page->events[5]) == std::string(20, 'g'));
  CHECK(body(world.read({.from = 5, .to = 5})->events[0]) == "redacted");
  CHECK(body(world.read({.from = 6, .to = 6})->events[0]) != "redacted");
}

TEST_CASE("overlays are read as far as the page goes, from either end") {
  World world;
  Stream stream(world, 100, 80);
  std::vector<std::pair<std::string, std::string>> rows;
  for (Seq seq = 1; seq <= 100; ++seq) {
    wire::RecordFields fields{.seq = seq, .ordinal = seq, .time_ms = 1, .sender = user(1)};
    const std::string text(8'000, static_cast<char>('a' + seq % 26));
    fields.body = text;
    StoredEvent overlay = stream.events[seq - 1];
    overlay.record = wire::build_record(fields);
    rows.emplace_back(layout::overlay_key(seq), layout::encode_event(world.id(), overlay));
  }
  stream.cell.flags |= layout::head_has_overlays;
  stream.commit(rows, {});
  for (const bool backward : {false, true}) {
    CAPTURE(backward);
    Seq at = backward ? 100 : 1;
    std::size_t pages = 0;
    for (bool more = true; more; ++pages) {
      world.fx.scanned_bytes = 0;
      const auto page = backward ? world.read({.to = at, .backward = true, .max_bytes = 36'000})
                                 : world.read({.from = at, .max_bytes = 36'000});
      REQUIRE(page.ok());
      CHECK(world.fx.scanned_bytes < 150'000);
      CHECK(page->events.size() == 4);
      for (const auto& event : page->events)
        CHECK(wire::read_record(event.record.bytes()).body.size() == 8'000);
      CHECK((backward ? page->events.back().seq : page->events.front().seq) == at);
      at = backward ? page->events.front().seq - 1 : page->events.back().seq + 1;
      more = page->more;
    }
    CHECK(pages == 25);
  }
}

TEST_CASE("what is sealed and merged between two scans of a read is shown as it stands") {
  for (const bool backward : {false, true}) {
    CAPTURE(backward);
    World world;
    Stream stream(world, 30, 20);
    wire::RecordFields fields{.seq = 25, .ordinal = 25, .time_ms = 1, .sender = user(1)};
    fields.body = "redacted";
    StoredEvent& changed = stream.events[24];
    const StoredEvent before = changed;
    changed.record = wire::build_record(fields);
    stream.cell.flags |= layout::head_has_overlays;
    stream.commit({{layout::overlay_key(25), layout::encode_event(world.id(), changed)}}, {});

    std::optional<Result<EventPage>> page;
    read_events(world.fx,
                {.partition = layout::conversation_id(0, world.id()),
                 .conversation = world.id(),
                 .backward = backward},
                [&](Result<EventPage> read) { page = std::move(read); });
    // The scan of the open rows is answered with them as they were.
    stream.cell.sealed = 30;
    stream.write_chunks();
    std::vector<std::string> erased = {layout::overlay_key(25)};
    for (Seq seq = 21; seq <= 30; ++seq) erased.push_back(layout::event_key(seq));
    stream.commit({}, erased);
    world.fx.drain();
    REQUIRE((page && *page && (*page)->events.size() == 30));
    const StoredEvent& shown = (*page)->events[24];
    CHECK(wire::read_record(shown.record.bytes()).body == "redacted");
    CHECK(shown.mark == before.mark);
  }
}

TEST_CASE("what is missing or damaged is told, never skipped") {
  World world;
  SECTION("no stream") { CHECK(shape(world.read({})) == "denied"); }
  SECTION("an open event is gone") {
    Stream stream(world, 30, 10);
    stream.commit({}, {layout::event_key(20)});
    CHECK(shape(world.read({})) == "store_corrupt");
    CHECK(shape(world.read({.backward = true})) == "store_corrupt");
    CHECK(shape(world.read({.from = 21})) == "21-30");
  }
  SECTION("a chunk is gone") {
    Stream stream(world, 30, 10);
    stream.cell.sealed = 15;
    stream.commit({}, {layout::event_key(11), layout::event_key(12), layout::event_key(13),
                       layout::event_key(14), layout::event_key(15)});
    CHECK(shape(world.read({})) == "store_corrupt");
  }
  SECTION("an event is damaged") {
    Stream stream(world, 5, 0);
    std::string value = layout::encode_event(world.id(), stream.events[2]);
    value.back() = static_cast<char>(value.back() ^ 1);
    stream.commit({{layout::event_key(3), value}}, {});
    CHECK(shape(world.read({})) == "store_corrupt");
  }
  SECTION("the store says no") {
    Stream stream(world, 5, 0);
    world.fx.read_error = Error(Errc::unavailable, "later");
    CHECK(shape(world.read({})) == "unavailable");
  }
}

TEST_CASE("pages in either direction put the stream together") {
  CHECK(rc::check("pages", [] {
    const auto head = *rc::gen::inRange<Seq>(1, 150);
    const auto sealed = *rc::gen::inRange<Seq>(0, head + 1);
    const auto events = *rc::gen::inRange<std::uint32_t>(1, 40);
    const auto bytes = *rc::gen::inRange<std::uint32_t>(1, 4000);
    World world;
    Stream stream(world, head, sealed, *rc::gen::inRange<std::size_t>(0, 300));
    Seq next = 1;
    while (next <= head) {
      const auto page = world.read({.from = next, .max_events = events, .max_bytes = bytes});
      RC_ASSERT(page.ok());
      RC_ASSERT(!page->events.empty() && page->events.front().seq == next);
      for (const auto& event : page->events) RC_ASSERT(event.seq == next++);
      RC_ASSERT(page->more == (next <= head));
    }
    Seq last = head;
    while (last >= 1) {
      const auto page =
          world.read({.to = last, .backward = true, .max_events = events, .max_bytes = bytes});
      RC_ASSERT(page.ok());
      RC_ASSERT(!page->events.empty() && page->events.back().seq == last);
      last = page->events.front().seq - 1;
      RC_ASSERT(page->more == (last >= 1));
    }
  }));
}

namespace {

bool same(const EventPage& a, const EventPage& b) {
  return a.head == b.head && a.more == b.more &&
         std::equal(a.events.begin(), a.events.end(), b.events.begin(), b.events.end(),
                    [](const StoredEvent& x, const StoredEvent& y) {
                      return x.seq == y.seq && x.mark == y.mark &&
                             x.record.bytes() == y.record.bytes();
                    });
}

}  // namespace

TEST_CASE("the newest events are read once for each guard") {
  World world;
  Stream stream(world, 100, 60);
  RecentPages recent(limits::mib);
  const auto scans = [&](ReadRange range, const std::string& expected) {
    const int before = world.fx.scans;
    CHECK(shape(world.read(range, &recent)) == expected);
    return world.fx.scans - before;
  };
  CHECK(scans({.backward = true, .max_events = 50}, "51-100, more") == 2);
  CHECK(scans({.backward = true, .max_events = 50}, "51-100, more") == 0);
  CHECK(scans({.backward = true, .max_events = 10}, "91-100, more") == 0);
  CHECK(scans({.to = 70, .backward = true, .max_events = 20}, "51-70, more") == 0);
  CHECK(scans({.from = 51}, "51-100") == 0);
  CHECK(scans({.from = 60, .to = 65}, "60-65") == 0);
  CHECK(scans({.from = 101}, "none") == 0);
  CHECK(scans({.to = 70, .backward = true, .max_events = 21}, "50-70, more") == 2);
  CHECK(scans({.from = 50}, "50-100") > 0);  // more of it, which is kept now
  CHECK(scans({.from = 50, .max_events = 51}, "50-100") == 0);
  CHECK(recent.bytes() > 0);

  stream.cell.floor = 90;
  stream.commit({}, {});
  CHECK(scans({.from = 50}, "90-100") > 0);
  CHECK(scans({.from = 50}, "90-100") == 0);
}

TEST_CASE("a change is shown at once, whatever was kept") {
  World world;
  Stream stream(world, 30, 20);
  RecentPages recent(limits::mib);
  const auto body = [&](Seq seq) {
    const auto page = world.read({.backward = true, .max_events = 20}, &recent).value();
    return std::string(
        wire::read_record(page.events[seq - page.events.front().seq].record.bytes()).body);
  };
  for (const Seq seq : {15U, 25U}) {
    CHECK(body(seq) == std::string(20, static_cast<char>('a' + seq % 26)));
    wire::RecordFields fields{.seq = seq, .ordinal = seq, .time_ms = 1, .sender = user(1)};
    fields.body = "redacted";
    StoredEvent overlay = stream.events[seq - 1];
    overlay.record = wire::build_record(fields);
    stream.cell.flags |= layout::head_has_overlays;
    stream.commit({{layout::overlay_key(seq), layout::encode_event(world.id(), overlay)}}, {});
    CHECK(body(seq) == "redacted");
  }
  CHECK(body(15) == "redacted");
}

TEST_CASE("a stream that is gone is gone, whatever was kept") {
  World world;
  Stream stream(world, 3, 0);
  RecentPages recent(limits::mib);
  CHECK(shape(world.read({}, &recent)) == "1-3");
  const std::string name = layout::conversation_id(0, world.id());
  Batch end{.partition = {layout::conversation, name}};
  const auto guard = stream.guard_of(layout::conversation, name);
  end.expect = *guard;
  const std::string keys[] = {layout::event_key(1), layout::event_key(2), layout::event_key(3)};
  for (const std::string& key : keys) end.erases.push_back(key);
  REQUIRE(world.fx.store.commit_now(end).verdict == Verdict::done);
  CHECK(shape(world.read({}, &recent)) == "denied");
}

TEST_CASE("kept or not, a range reads the same") {
  CHECK(rc::check("kept", [] {
    const auto head = *rc::gen::inRange<Seq>(1, 120);
    World world;
    Stream stream(world, head, *rc::gen::inRange<Seq>(0, head + 1),
                  *rc::gen::inRange<std::size_t>(0, 300));
    stream.cell.floor = *rc::gen::inRange<Seq>(1, head + 1);
    std::vector<std::string> trimmed;
    for (Seq seq = stream.cell.sealed + 1; seq < stream.cell.floor; ++seq)
      trimmed.push_back(layout::event_key(seq));
    stream.commit({}, trimmed);
    RecentPages recent(*rc::gen::element<std::size_t>(8'000, limits::mib));
    for (int i = 0; i < 12; ++i) {
      const ReadRange range{.from = *rc::gen::inRange<Seq>(0, head + 3),
                            .to = *rc::gen::inRange<Seq>(0, head + 3),
                            .backward = *rc::gen::arbitrary<bool>(),
                            .max_events = *rc::gen::inRange<std::uint32_t>(0, 60),
                            .max_bytes = *rc::gen::inRange<std::uint32_t>(1, 10'000)};
      const auto expected = world.read(range), page = world.read(range, &recent);
      RC_ASSERT(shape(expected) == shape(page));
      RC_ASSERT(page.ok());
      RC_ASSERT(same(*expected, *page));
    }
  }));
}
