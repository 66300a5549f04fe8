// store_bench.cpp: durable commits of one send each on the LMDB store, beside LMDB alone and a raw
// file.
#include <fcntl.h>
#include <lmdb.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "parley/lmdb_store.hpp"
#include "parley/memory_store.hpp"

namespace {

using namespace parley;
using Clock = std::chrono::steady_clock;

// One send as the layout writes it: the head cell replaced, an event inserted, a sender row
// replaced.
constexpr int partitions = 1'000;
constexpr std::size_t guard_size = 108, event_size = 210, sender_size = 40;
constexpr std::size_t log_bytes = 350;  // what a log would hold of it

std::string big_endian(std::uint64_t number, std::size_t size = 8) {
  std::string out(size, '\0');
  for (int i = 7; i >= 0; --i, number >>= 8) out[static_cast<std::size_t>(i)] = char(number & 255);
  return out;
}

struct Figures {
  std::string contestant;
  int group = 0;
  double rate = 0, p50_ms = 0, p99_ms = 0;
};

Figures figures(std::string contestant, int group, std::vector<double>& times, std::uint64_t sends,
                double seconds) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times.empty() ? 0 : times[static_cast<std::size_t>(share * double(times.size() - 1))];
  };
  return {std::move(contestant), group, double(sends) / seconds, at(0.5), at(0.99)};
}

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

struct Send {
  std::string id, expect, guard, event_key, event, sender_key, sender;
};

/// `group` commits in flight, each on a partition of its own; a completed one makes way for the
/// next.
Figures on_store(Store& store, const char* name, int group, double seconds) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<int, Clock::time_point>> ended;
    std::uint64_t failed = 0;
  } shared;
  std::vector<std::uint64_t> seqs(partitions, 0);
  std::vector<double> times;
  std::vector<std::pair<int, Clock::time_point>> ended;
  std::vector<Clock::time_point> began(partitions);
  std::vector<int> free;
  for (int i = partitions; i-- > 0;) free.push_back(i);
  int open = 0;
  std::size_t turn = 0;
  const auto start = Clock::now();
  const auto submit = [&](int at) {
    const std::uint64_t seq = ++seqs[static_cast<std::size_t>(at)];
    auto send = std::make_shared<Send>();
    send->id = "ns00" + std::string(name) + std::to_string(group) + "-" + std::to_string(at);
    send->guard = big_endian(seq, guard_size);
    send->expect = big_endian(seq - 1, guard_size);
    send->event_key = "e" + big_endian(seq);
    send->event.assign(event_size, 'x');
    send->sender_key = "s" + big_endian(7, 16);
    send->sender = big_endian(seq, sender_size);
    Batch batch;
    batch.partition = {1, send->id};
    if (seq > 1) batch.expect = send->expect;
    batch.guard = send->guard;
    batch.puts = {{send->event_key, send->event}, {send->sender_key, send->sender}};
    batch.owner = send;
    began[static_cast<std::size_t>(at)] = Clock::now();
    store.commit(std::move(batch), [&shared, at](Committed answer) {
      std::lock_guard lock(shared.mutex);
      shared.failed += answer.verdict != Verdict::done;
      shared.ended.emplace_back(at, Clock::now());
      shared.changed.notify_one();
    });
  };
  while (true) {
    const bool over = since(start) >= seconds;
    while (!over && open < group) {
      turn = (turn + 7919) % free.size();  // spread over the partitions
      std::swap(free[turn], free.back());
      const int at = free.back();
      free.pop_back();
      ++open;
      submit(at);
    }
    if (open == 0) break;
    {
      std::unique_lock lock(shared.mutex);
      shared.changed.wait(lock, [&] { return !shared.ended.empty(); });
      ended.swap(shared.ended);
    }
    for (const auto& [at, when] : ended) {
      times.push_back(
          std::chrono::duration<double, std::milli>(when - began[static_cast<std::size_t>(at)])
              .count());
      free.push_back(at);
      --open;
    }
    ended.clear();
  }
  const double took = since(start);
  if (shared.failed != 0)
    std::fprintf(stderr, "%llu commits failed\n", (unsigned long long)shared.failed);
  return figures(name, group, times, times.size(), took);
}

Figures on_lmdb_store(const std::string& data, int group, double seconds) {
  const std::string path = data + "/store";
  std::filesystem::remove_all(path);
  auto store = lmdb_store({.path = path})().value();
  (void)on_store(*store, "warm-up", 256, seconds / 2);  // makes the log's files
  Figures out = on_store(*store, "parley lmdb store", group, seconds);
  store.reset();
  std::filesystem::remove_all(path);
  return out;
}

Figures on_memory_store(const std::string&, int group, double seconds) {
  auto store = memory_store()().value();
  return on_store(*store, "parley memory store", group, seconds);
}

/// The same rows by hand: a transaction of `group` sends, with the guard read and compared.
Figures on_raw_lmdb(const std::string& data, int group, double seconds) {
  const std::string path = data + "/raw";
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  MDB_env* env = nullptr;
  mdb_env_create(&env);
  mdb_env_set_mapsize(env, std::size_t{4} << 30);
  if (mdb_env_open(env, path.c_str(), MDB_NOTLS, 0600) != 0) std::abort();
  std::vector<std::uint64_t> seqs(partitions, 0);
  std::vector<double> times;
  std::uint64_t sends = 0;
  const auto start = Clock::now();
  while (since(start) < seconds) {
    const auto before = Clock::now();
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    if (mdb_txn_begin(env, nullptr, 0, &txn) != 0 || mdb_dbi_open(txn, nullptr, 0, &dbi) != 0)
      std::abort();
    const auto put = [&](const std::string& key, const std::string& value) {
      MDB_val k{key.size(), const_cast<char*>(key.data())};
      MDB_val v{value.size(), const_cast<char*>(value.data())};
      if (mdb_put(txn, dbi, &k, &v, 0) != 0) std::abort();
    };
    for (int i = 0; i < group; ++i, ++sends) {
      const std::size_t at = sends * 7919 % partitions;
      const std::uint64_t seq = ++seqs[at];
      const std::string id = "\1" + std::to_string(at);
      const std::string guard_key = std::string(1, '\0') + id;
      MDB_val k{guard_key.size(), const_cast<char*>(guard_key.data())}, v{};
      if ((mdb_get(txn, dbi, &k, &v) == 0) != (seq > 1)) std::abort();
      put(guard_key, big_endian(seq, guard_size));
      put("\1" + id + "e" + big_endian(seq), std::string(event_size, 'x'));
      put("\1" + id + "s" + big_endian(7, 16), big_endian(seq, sender_size));
    }
    if (mdb_txn_commit(txn) != 0) std::abort();
    times.push_back(since(before) * 1e3);
  }
  Figures out = figures("raw lmdb", group, times, sends, since(start));
  mdb_env_close(env);
  std::filesystem::remove_all(path);
  return out;
}

/// What the disk can do at best: `group` sends, then one fdatasync. Behind one another in a file
/// that grows, or over and over in 4 MiB that were written before.
Figures on_raw_file(const std::string& data, const char* name, bool grows, int group,
                    double seconds) {
  const std::string path = data + "/file";
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const std::string bytes(log_bytes * static_cast<std::size_t>(group), 'x');
  const std::string zeros(std::size_t{4} << 20, '\0');
  if (!grows && (::pwrite(file, zeros.data(), zeros.size(), 0) < 0 || ::fsync(file) != 0))
    std::abort();
  std::vector<double> times;
  std::uint64_t sends = 0;
  std::size_t at = 0;
  const auto start = Clock::now();
  while (since(start) < seconds) {
    const auto before = Clock::now();
    if (!grows && at + bytes.size() > zeros.size()) at = 0;
    if (::pwrite(file, bytes.data(), bytes.size(), off_t(at)) < 0 || ::fdatasync(file) != 0)
      std::abort();
    at += grows ? bytes.size() : (bytes.size() + 4095) / 4096 * 4096;
    times.push_back(since(before) * 1e3);
    sends += static_cast<std::uint64_t>(group);
  }
  Figures out = figures(name, group, times, sends, since(start));
  ::close(file);
  std::filesystem::remove(path);
  return out;
}
Figures on_growing_file(const std::string& data, int group, double seconds) {
  return on_raw_file(data, "raw append + fdatasync", true, group, seconds);
}
Figures on_written_file(const std::string& data, int group, double seconds) {
  return on_raw_file(data, "raw overwrite + fdatasync", false, group, seconds);
}

}  // namespace

// parley_store_bench [DIRECTORY [SECONDS [ROUNDS [CONTESTANT]]]]: contestants take turns within
// each round. CPU is that of all threads, the load's included.
int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "store_bench_data";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  const std::string only = argc > 4 ? argv[4] : "";
  std::filesystem::create_directories(data);
  using Run = Figures (*)(const std::string&, int, double);
  const std::pair<const char*, Run> contestants[] = {{"append", on_growing_file},
                                                     {"overwrite", on_written_file},
                                                     {"lmdb", on_raw_lmdb},
                                                     {"store", on_lmdb_store},
                                                     {"memory", on_memory_store}};
  std::printf("{\"scenario\": \"durable_commit\", \"partitions\": %d, \"results\": [", partitions);
  const char* comma = "\n";
  for (int round = 1; round <= rounds; ++round)
    for (const int group : {1, 16, 64, 256})
      for (const auto& [name, run] : contestants) {
        if (!only.empty() && only != name) continue;
        const double before = cpu_seconds();
        const Figures got = run(data, group, seconds);
        const double cpu = (cpu_seconds() - before) * 1e6 / (got.rate * seconds);
        std::printf(
            "%s  {\"round\": %d, \"contestant\": \"%s\", \"group\": %d, \"sends_per_s\": %.0f, "
            "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"cpu_us\": %.2f}",
            comma, round, got.contestant.c_str(), got.group, got.rate, got.p50_ms, got.p99_ms, cpu);
        std::fflush(stdout);
        comma = ",\n";
      }
  std::printf("\n]}\n");
}
