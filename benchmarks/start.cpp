// start.cpp: how long an engine takes from the opening of a filled store until a session is
// attached: after a clean end, with nothing of it in memory, and after a crash with as much in the
// log as may be there.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

#include "lmdb/lmdb_store.hpp"
#include "parley/lmdb_store.hpp"
#include "run.hpp"
#include "stored.hpp"

namespace parley::bench {
namespace {

/// A count that a child process changes and its parent reads.
class SharedCount {
 public:
  SharedCount()
      : at_(mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                 0)) {
    if (at_ == MAP_FAILED) throw std::runtime_error("no shared memory");
    new (at_) Count(0);
  }
  ~SharedCount() { munmap(at_, sizeof(Count)); }
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  void add() { ++*count(); }
  [[nodiscard]] std::uint64_t value() { return *count(); }

 private:
  using Count = std::atomic<std::uint64_t>;
  Count* count() { return static_cast<Count*>(at_); }
  void* at_;
};

/// Sends until nothing goes on any more: the store's fold stands still, and its log is full.
[[noreturn]] void fill_log(const std::string& directory, std::uint64_t rooms, SharedCount& stored) {
  EngineOptions options;
  options.threads = host_driven;
  lmdb::Hooks hooks;
  hooks.at = [](lmdb::Step step) {
    while (step == lmdb::Step::fold) pause();
    return 0;
  };
  options.store = [&] { return lmdb::open_store({.path = directory}, hooks); };
  Engine engine = Engine::open(std::move(options)).value();
  const std::vector<ConversationId> to = stored_rooms(engine, rooms);
  in_flight(engine, 100'000'000, 256, [&](std::uint64_t at, const Answered& answered) {
    MessageDraft draft;
    draft.body.assign(100, 'x');
    engine.send(to[at % to.size()], std::move(draft), {}, [&, answered](const Result<Ack>& ack) {
      stored.add();
      answered(ack.ok());
    });
  });
  _exit(1);  // never: the log is smaller
}

void crash_with_full_log(const std::string& directory, std::uint64_t rooms) {
  SharedCount stored;
  const pid_t child = fork();
  if (child == 0) fill_log(directory, rooms, stored);
  for (std::uint64_t before = 0, still = 0; still < 10;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    still = stored.value() == before ? still + 1 : 0;
    before = std::max<std::uint64_t>(1, stored.value());  // the first has to come
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

struct Started {
  double ms = 0, cpu_us = 0;
};
Started started(const std::string& directory) {
  const auto since = Clock::now();
  const auto cpu = own_cpu();
  Engine engine = open_stored(directory);
  const Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
  return {1e3 * seconds_since(since), static_cast<double>((own_cpu() - cpu).count()) / 1e3};
}

}  // namespace

Figures start(const Arguments& arguments) {
  const std::string directory = arguments.text("data");
  const auto rooms = static_cast<std::uint64_t>(arguments.count("rooms"));
  fill_once(directory, [&](Engine& engine) {
    fill_rooms(engine, stored_rooms(engine, rooms),
               static_cast<std::uint64_t>(arguments.count("messages")) / rooms,
               static_cast<std::size_t>(arguments.count("size")));
  });
  Figures figures;
  const Started clean = started(directory);
  figures.add("start_ms", clean.ms);
  figures.add("cpu_us", clean.cpu_us);
  forget_cached(directory);
  figures.add("start_cold_ms", started(directory).ms);
  crash_with_full_log(directory, rooms);
  const Started crashed = started(directory);
  figures.add("start_crash_ms", crashed.ms);
  figures.add("start_crash_cpu_us", crashed.cpu_us);
  figures.add("disk_bytes", disk_bytes(directory) / arguments.number("messages"));
  return figures;
}

}  // namespace parley::bench
