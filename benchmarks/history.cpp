// history.cpp: pages of 50 messages of random conversations, through the API from LMDB in cache,
// beside peers that copy as many values of the same size. The first run fills the directory; later
// ones find it filled.
#include <random>
#include <stdexcept>

#include "parley/parley.hpp"
#include "row_store.hpp"
#include "run.hpp"
#include "stored.hpp"

namespace parley::bench {
namespace {

constexpr int page = 50;

struct Shape {
  explicit Shape(const Arguments& arguments)
      : rooms(static_cast<std::uint64_t>(arguments.count("rooms"))),
        each(static_cast<std::uint64_t>(arguments.count("messages")) / rooms),
        size(static_cast<std::size_t>(arguments.count("size"))),
        last(arguments.text("page") == "last"),
        directory(arguments.text("data")),
        random(static_cast<std::mt19937::result_type>(arguments.count("seed"))) {}
  std::uint64_t next_room() { return random() % rooms; }
  /// Messages before this one are the page.
  std::uint64_t next_end() { return last ? each + 1 : page + 1 + random() % (each - page + 1); }
  std::uint64_t rooms, each;
  std::size_t size;
  bool last;
  std::string directory;
  std::mt19937 random;
};

/// `read` answers how many messages it got.
template <class Read>
Figures measure(const Arguments& arguments, Read read) {
  Latency latency;
  const auto run = [&](double seconds) {
    double pages = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds; ++pages) {
      const auto since = Clock::now();
      if (read() != page) throw std::runtime_error("a page is not whole");
      latency.record(Clock::now() - since);
    }
    return pages;
  };
  run(arguments.number("warm"));
  latency = {};
  Figures figures;
  const Window window(0);
  window.report(figures, run(arguments.number("seconds")));
  latency.report(figures);
  return figures;
}

Figures on_parley(const Arguments& arguments, Shape& shape) {
  fill_once(shape.directory, [&](Engine& into) {
    fill_rooms(into, stored_rooms(into, shape.rooms), shape.each, shape.size);
  });
  Engine engine = open_stored(shape.directory);
  const std::vector<ConversationId> rooms = stored_rooms(engine, shape.rooms);
  Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
  for (const ConversationId& room : rooms) reader.join(room).get().value();
  return measure(arguments, [&] {
    HistoryOptions options;
    options.from = shape.last ? 0 : shape.next_end();
    options.limit = page;
    const auto events = reader.history(rooms[shape.next_room()], options).get().value().events;
    return static_cast<int>(events.size());
  });
}

Figures on_peer(const Arguments& arguments, Shape& shape) {
  const std::string contestant = arguments.text("contestant");
  if (must_fill(shape.directory) || contestant == "copies") {
    const auto store = open_row_store(contestant, shape.directory, false);
    const MessageRows rows = rows_of_a_message(shape.size);
    for (std::uint64_t room = 0; room < shape.rooms; ++room) {
      std::vector<RowToWrite> group;
      for (std::uint64_t seq = 1; seq <= shape.each; ++seq)
        group.push_back({event_key(room, seq), rows.event});
      store->commit(group);
    }
    if (contestant == "copies")
      return measure(arguments, [&] {
        std::string values;
        values.reserve(page * rows.event.size());
        return store->before(event_key(shape.next_room(), 0), page, values);
      });
    say_filled(shape.directory);
  }
  const auto store = open_row_store(contestant, shape.directory, true);
  std::string values;
  return measure(arguments, [&] {
    values.clear();
    const std::uint64_t room = shape.next_room();
    return store->before(event_key(room, shape.next_end()), page, values);
  });
}

}  // namespace

Figures history(const Arguments& arguments) {
  Shape shape(arguments);
  return arguments.text("contestant") == "parley" ? on_parley(arguments, shape)
                                                  : on_peer(arguments, shape);
}

}  // namespace parley::bench
