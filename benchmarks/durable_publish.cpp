// durable_publish.cpp: acknowledged sends on LMDB through the whole engine, beside a raw append +
// fdatasync at the same rhythm.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>

#include "bench.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

namespace parley::bench {
namespace {

constexpr int conversations = 1'000;

/// What the disk can do at best: `group` records of the size of an event, then one fdatasync.
Figures raw_file(const Settings& settings, int group) {
  const std::string path = settings.data + "/raw";
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  const std::string record(350 * static_cast<std::size_t>(group), 'x');
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t done = 0;
  while (seconds_since(start) < 2 * settings.scale) {
    const auto before = std::chrono::steady_clock::now();
    if (write(file, record.data(), record.size()) < 0 || fdatasync(file) != 0) break;
    times.push_back(seconds_since(before) * 1e3);
    done += static_cast<std::uint64_t>(group);
  }
  const double rate = static_cast<double>(done) / seconds_since(start);
  close(file);
  std::filesystem::remove(path);
  return {"raw file, " + std::to_string(group) + " a flush",
          {{"records/s", rate},
           {"p50 ms", percentile(times, 0.5)},
           {"p99 ms", percentile(times, 0.99)}}};
}

Figures engine_on_lmdb(const Settings& settings, int in_flight) {
  const std::string path = settings.data + "/chat.lmdb";
  std::filesystem::remove_all(path);
  EngineOptions options;
  options.threads = 1;
  options.store = lmdb_store({.path = path});
  Engine engine = Engine::open(std::move(options)).value();
  std::vector<Pending<Conversation>> made;
  for (int i = 0; i < conversations; ++i) {
    CreateOptions create;
    create.kind = ConversationKind::channel;
    create.title = "c" + std::to_string(i);
    made.push_back(engine.create(std::move(create)));
  }
  std::vector<Conversation> channels;
  for (auto& each : made) channels.push_back(each.get().value());
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    int open = 0;
    std::vector<double> times;
    std::uint64_t failed = 0;
  } shared;
  const std::string body(100, 'x');
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t sent = 0;
  while (seconds_since(start) < 3 * settings.scale) {
    {
      std::unique_lock lock(shared.mutex);
      shared.changed.wait(lock, [&] { return shared.open < in_flight; });
      ++shared.open;
    }
    const auto before = std::chrono::steady_clock::now();
    MessageDraft draft;
    draft.body = body;
    engine.send(channels[sent++ * 7919 % conversations], std::move(draft), {},
                [&shared, before](Result<Ack> ack) {
                  std::lock_guard lock(shared.mutex);
                  --shared.open;
                  if (!ack) ++shared.failed;
                  shared.times.push_back(seconds_since(before) * 1e3);
                  shared.changed.notify_one();
                });
  }
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [&] { return shared.open == 0; });
  const double rate = static_cast<double>(shared.times.size()) / seconds_since(start);
  Figures figures{"parley, " + std::to_string(in_flight) + " in flight",
                  {{"acked sends/s", rate},
                   {"p50 ms", percentile(shared.times, 0.5)},
                   {"p99 ms", percentile(shared.times, 0.99)},
                   {"refused", static_cast<double>(shared.failed)}}};
  lock.unlock();
  return figures;
}

}  // namespace

std::vector<Figures> durable_publish(const Settings& settings) {
  std::filesystem::create_directories(settings.data);
  std::vector<Figures> all;
  for (const int group : {1, 16, 64, 256}) {
    all.push_back(raw_file(settings, group));
    all.push_back(engine_on_lmdb(settings, group));
  }
  std::filesystem::remove_all(settings.data + "/chat.lmdb");
  return all;
}

}  // namespace parley::bench
