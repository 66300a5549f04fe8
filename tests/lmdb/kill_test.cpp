// tests/lmdb/kill_test.cpp: a process that writes is killed with -9, again and again, on one store.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "chains.hpp"
#include "lmdb/check.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"

using namespace parley;

namespace {

constexpr int chain_count = 6;

/// Small segments, folded often: each life goes through folds and the log's reuse, and some groups
/// are too large for the log.
const lmdb::LogTuning tuning{.segment_size = 96 << 10,
                             .fold_every = std::chrono::milliseconds(5),
                             .fold_at = {.bytes = 400'000, .batches = 90, .rows = 1 << 20}};

/// What the writer tells before and after each commit, through a pipe that outlives it.
struct Entry {
  enum class Kind : std::uint32_t { tried, done, not_done, opened } kind;
  std::int32_t chain;
  std::uint64_t number;
};

/// In the child: commits to all chains until it is killed.
[[noreturn]] void write_until_killed(const std::string& path, const std::uint64_t* numbers,
                                     int ledger, lmdb::Hooks hooks) {
  const auto tell = [ledger](Entry entry) {
    if (::write(ledger, &entry, sizeof entry) != sizeof entry) ::_exit(3);
  };
  auto opened = lmdb::open_store({.path = path, .map_size = 1 << 18}, std::move(hooks), tuning);
  if (!opened) ::_exit(4);
  tell({Entry::Kind::opened, 0, 0});
  Store& store = **opened;
  std::vector<std::thread> writers;
  for (int chain = 0; chain < chain_count; ++chain)
    writers.emplace_back([&, chain] {
      for (std::uint64_t number = numbers[chain] + 1;; ++number) {
        tell({Entry::Kind::tried, chain, number});
        testing::Slot<Committed> slot;
        store.commit(testing::Draft::owned(chains::commit_of(chain, number)), slot.done());
        if (!slot.wait(nullptr)) ::_exit(5);
        const bool done = slot.take().verdict == Verdict::done;
        tell({done ? Entry::Kind::done : Entry::Kind::not_done, chain, number});
        if (!done) ::_exit(6);
      }
    });
  for (auto& writer : writers) writer.join();
  ::_exit(7);
}

struct State {
  std::uint64_t numbers[chain_count] = {};
  std::uint64_t done = 0;
  int opened = 0;
};

/// When the writer dies: by itself at a hook, or this long after the so-manieth line of its ledger.
struct Death {
  std::optional<int> line = {};
  std::chrono::microseconds delay{0};
};

/// One life of the writer; afterwards the store must agree with its ledger.
void live_and_die(const std::string& path, State& state, const Death& death,
                  const lmdb::Hooks& hooks) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(path, state.numbers, ends[1], hooks);
  }
  ::close(ends[1]);
  std::uint64_t tried[chain_count], done[chain_count];
  std::copy(std::begin(state.numbers), std::end(state.numbers), tried);
  std::copy(std::begin(state.numbers), std::end(state.numbers), done);
  Entry entry{};
  bool refused = false;
  int lines = 0;
  const auto kill_when_due = [&] {
    if (!death.line || lines++ != *death.line) return;
    std::this_thread::sleep_for(death.delay);
    ::kill(child, SIGKILL);
  };
  kill_when_due();
  while (::read(ends[0], &entry, sizeof entry) == static_cast<ssize_t>(sizeof entry)) {
    if (entry.kind == Entry::Kind::opened) ++state.opened;
    if (entry.kind == Entry::Kind::tried) tried[entry.chain] = entry.number;
    if (entry.kind == Entry::Kind::done) done[entry.chain] = entry.number, ++state.done;
    refused = refused || entry.kind == Entry::Kind::not_done;
    kill_when_due();
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(ends[0]);
  INFO("status " << status);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
  CHECK_FALSE(refused);

  const auto report = lmdb::check_directory(path);
  if (!report) {  // killed before the directory held a store: opening makes one
    REQUIRE(report.error().errc() == Errc::invalid_argument);
    REQUIRE(state.done == 0);
  } else {
    INFO(report->text);
    REQUIRE(report->sound);
  }
  auto store = lmdb_store({.path = path})().value();
  for (int chain = 0; chain < chain_count; ++chain) {
    const auto found = chains::read(*store, chain);
    INFO("chain " << chain << ": done " << done[chain] << ", tried " << tried[chain] << ", found "
                  << found.number << ' ' << found.problem);
    REQUIRE(found.problem.empty());
    REQUIRE(found.number >= done[chain]);
    REQUIRE(found.number <= tried[chain]);
    state.numbers[chain] = found.number;
  }
}

void kill_at_random(int kills, Scratch::Place place) {
  Scratch scratch(place);
  State state;
  std::uint64_t dice = 12345;
  const auto next = [&] {
    dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
    return dice >> 33;
  };
  for (int i = 0; i < kills; ++i) {
    INFO("kill " << i);
    const int line = static_cast<int>(next() % 200);
    live_and_die(scratch / "s", state, {line, std::chrono::microseconds(next() % 1'500)}, {});
  }
  CHECK(state.opened > kills / 2);
  CHECK(state.done > 100);
}

}  // namespace

TEST_CASE("killed at random instants, every done commit is there", "[lmdb][kill]") {
  kill_at_random(40, Scratch::Place::memory);
}

TEST_CASE("killed often, on a disk", "[lmdb][kill][slow]") {
  kill_at_random(300, Scratch::Place::disk);
}

TEST_CASE("killed at each step of a commit, every done commit is there", "[lmdb][kill]") {
  Scratch scratch;
  State state;
  for (int round = 1; round <= 4; ++round)
    for (const lmdb::Step step :
         {lmdb::Step::reserve, lmdb::Step::begin, lmdb::Step::write, lmdb::Step::commit,
          lmdb::Step::committed, lmdb::Step::complete, lmdb::Step::resize, lmdb::Step::fold,
          lmdb::Step::fold_commit, lmdb::Step::folded}) {
      INFO("step " << static_cast<int>(step) << ", time " << round);
      // Steps that become rare as the store grows are given a store of their own.
      const bool rare = step == lmdb::Step::reserve || step == lmdb::Step::resize;
      State fresh;
      if (rare && round > 1) continue;
      const std::string name =
          rare ? std::to_string(round) + "-" + std::to_string(static_cast<int>(step)) : "s";
      const int times = rare ? 1 : round;
      const auto left = std::make_shared<int>(times);
      live_and_die(scratch / name, rare ? fresh : state, {}, {[step, left](lmdb::Step now) {
                     if (now == step && --*left == 0) ::kill(::getpid(), SIGKILL);
                     return 0;
                   }});
    }
  CHECK(state.done > 0);
}

TEST_CASE("killed while the largest batch is written, it is whole or absent", "[lmdb][kill]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  const auto batch = [](int round) {
    testing::Draft draft{.guard = "g" + std::to_string(round)};
    if (round > 0) draft.expect = "g" + std::to_string(round - 1);
    for (std::uint64_t i = 0; i < 4096; ++i)
      draft.puts.emplace_back(testing::big_endian(i),
                              std::string(248, static_cast<char>('a' + round)));
    return draft;
  };
  int whole = 0, round = 0;
  lmdb_store({.path = path})().value().reset();
  for (int kill = 0; kill < 12 || (whole < 2 && kill < 200); ++kill) {  // longer and longer lives
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = lmdb_store({.path = path})().value();
      testing::Slot<Committed> slot;
      store->commit(testing::Draft::owned(batch(round)), slot.done());
      (void)slot.wait(nullptr);
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * kill));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    auto store = lmdb_store({.path = path})().value();
    const testing::StoreUnderTest under;
    testing::StoreProbe probe(under);
    const auto guard = probe.guard(*store, "p");
    const auto rows = probe.rows(*store, "p");
    if (guard == "g" + std::to_string(round)) {
      CHECK(rows == batch(round).puts);
      ++whole;
      ++round;
    } else if (round > 0) {
      CHECK(guard == "g" + std::to_string(round - 1));
      CHECK(rows == batch(round - 1).puts);
    } else {
      CHECK_FALSE(guard);
      CHECK(rows.empty());
    }
  }
  CHECK(whole > 0);
}
