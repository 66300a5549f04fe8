#include "stored.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "parley/lmdb_store.hpp"

namespace parley::bench {

Engine open_stored(const std::string& directory) {
  EngineOptions options;
  options.threads = host_driven;
  options.store = lmdb_store({.path = directory});
  return Engine::open(std::move(options)).value();
}

bool must_fill(const std::string& directory) {
  if (std::filesystem::exists(directory + ".filled")) return false;
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path());
  return true;
}

void say_filled(const std::string& directory) { std::ofstream(directory + ".filled") << "\n"; }

void fill_once(const std::string& directory, const std::function<void(Engine& engine)>& fill) {
  if (!must_fill(directory)) return;
  const pid_t child = fork();
  if (child == 0) {
    try {
      Engine engine = open_stored(directory);
      fill(engine);
      engine.close();
      while (!engine.stopped()) engine.poll(std::chrono::milliseconds(10));
      _exit(0);
    } catch (const std::exception& failed) {
      std::fprintf(stderr, "parley_bench: %s\n", failed.what());
      _exit(1);
    }
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0)
    throw std::runtime_error("the store could not be filled");
  say_filled(directory);
}

void in_flight(Engine& engine, std::uint64_t count, int open,
               const std::function<void(std::uint64_t at, Answered answered)>& start) {
  int unanswered = 0;
  bool refused = false;
  const Answered answered = [&](bool good) {
    --unanswered;
    refused = refused || !good;
  };
  const auto wait_below = [&](int most) {
    while (unanswered > most) {
      if (!engine.poll(std::chrono::milliseconds(1))) engine.wait(std::chrono::milliseconds(5));
    }
    if (refused) throw std::runtime_error("the engine refused an operation");
  };
  for (std::uint64_t at = 0; at < count; ++at) {
    ++unanswered;
    start(at, answered);
    wait_below(open - 1);
  }
  wait_below(0);
}

std::vector<ConversationId> stored_rooms(Engine& engine, std::uint64_t count) {
  std::vector<ConversationId> rooms(count);
  in_flight(engine, count, 64, [&](std::uint64_t at, const Answered& answered) {
    CreateOptions create;
    create.kind = ConversationKind::channel;
    create.title = "room";
    create.key = "room" + std::to_string(at);
    engine.create(std::move(create), [&rooms, at, answered](Result<Conversation> made) {
      if (made) rooms[at] = made.value();
      answered(made.ok());
    });
  });
  return rooms;
}

void fill_rooms(Engine& engine, const std::vector<ConversationId>& rooms, std::uint64_t each,
                std::size_t size) {
  const std::string body(size, 'x');
  const std::uint64_t messages = (each - 1) * rooms.size();  // `created` is the first event
  in_flight(engine, messages, 1000, [&](std::uint64_t at, const Answered& answered) {
    MessageDraft draft;
    draft.body = body;
    engine.send(rooms[at % rooms.size()], std::move(draft), {},
                [answered](const Result<Ack>& ack) { answered(ack.ok()); });
  });
}

}  // namespace parley::bench
