// history.cpp: pages of 50 messages of random conversations, through the API from LMDB in cache,
// beside peers that copy as many values of the same size. The first run fills the directory; later
// ones find it filled.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"
#include "row_store.hpp"
#include "run.hpp"

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

/// True once: the caller fills the directory and then calls filled().
bool is_empty(const Shape& shape) { return !std::filesystem::exists(shape.directory + ".filled"); }
void filled(const Shape& shape) { std::ofstream(shape.directory + ".filled") << "\n"; }

/// The conversations are found again by their order in the file beside the directory.
std::vector<ConversationId> fill_parley(Engine& engine, const Shape& shape) {
  std::vector<ConversationId> rooms;
  for (std::uint64_t i = 0; i < shape.rooms; ++i) {
    CreateOptions create;
    create.kind = ConversationKind::channel;
    create.title = "room";
    create.key = "room" + std::to_string(i);
    rooms.push_back(engine.create(std::move(create)).get().value());
  }
  if (!is_empty(shape)) return rooms;
  int open = 0;
  for (std::uint64_t message = 1; message < shape.each; ++message) {  // `created` is the first
    for (const ConversationId& room : rooms) {
      ++open;
      MessageDraft draft;
      draft.body.assign(shape.size, 'x');
      engine.send(room, std::move(draft), {}, [&](const Result<Ack>&) { --open; });
    }
    while (open > 0) {
      engine.wait(std::chrono::milliseconds(5));
      engine.poll(std::chrono::milliseconds(10));
    }
  }
  filled(shape);
  return rooms;
}

Engine open_engine(const Shape& shape) {
  EngineOptions options;
  options.threads = host_driven;
  options.store = lmdb_store({.path = shape.directory});
  return Engine::open(std::move(options)).value();
}

Figures on_parley(const Arguments& arguments, Shape& shape) {
  Engine engine = open_engine(shape);
  const std::vector<ConversationId> rooms = fill_parley(engine, shape);
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
  if (is_empty(shape) || contestant == "copies") {
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
    filled(shape);
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
  if (is_empty(shape)) std::filesystem::remove_all(shape.directory);
  std::filesystem::create_directories(std::filesystem::path(shape.directory).parent_path());
  return arguments.text("contestant") == "parley" ? on_parley(arguments, shape)
                                                  : on_peer(arguments, shape);
}

/// A run opens what is stored once; only the first fills it.
Figures start(const Arguments& arguments) {
  Shape shape(arguments);
  if (is_empty(shape)) {
    std::filesystem::remove_all(shape.directory);
    std::filesystem::create_directories(std::filesystem::path(shape.directory).parent_path());
    Engine engine = open_engine(shape);
    fill_parley(engine, shape);
  }
  const auto since = Clock::now();
  const auto cpu = process_cpu(getpid());
  Engine engine = open_engine(shape);
  Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
  Figures figures;
  figures.add("start_ms", 1e3 * seconds_since(since));
  figures.add("cpu_us", static_cast<double>((process_cpu(getpid()) - cpu).count()) / 1e3);
  figures.add("disk_bytes", disk_bytes(shape.directory) / arguments.number("messages"));
  return figures;
}

}  // namespace parley::bench
