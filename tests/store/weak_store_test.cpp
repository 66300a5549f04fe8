// tests/store/weak_store_test.cpp: the weak store keeps the contract, uses its freedom, and
// repeats.
#include "store/weak_store.hpp"

#include <map>
#include <set>

#include "catch.hpp"
#include "parley/testing/store_conformance.hpp"
#include "store/store_probe.hpp"

using namespace parley;
using namespace std::chrono_literals;
using parley::testing::big_endian;
using parley::testing::Draft;

namespace {

struct SplitMix {
  std::uint64_t state;
  std::uint64_t operator()() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
};

/// A caller that appends events to one partition by the rule for `unknown`, and checks what it
/// sees.
class Appender {
 public:
  Appender(store::WeakStore& world, std::uint64_t id) : world_(world), id_(id) { open(); }

  void open() {
    store_ = world_.opener()().value();
    known_.reset();
    busy_ = false;
    load();
  }
  void die() {
    pending_.reset();
    store_.reset();
  }
  [[nodiscard]] bool alive() const { return store_ != nullptr; }
  [[nodiscard]] bool idle() const { return !busy_; }
  void append() {
    if (busy_ || !alive()) return;
    if (!pending_) {
      const std::uint64_t head = known_ ? head_of(*known_) : 0;
      pending_ = Draft{.expect = known_,
                       .guard = big_endian(head + 1) + big_endian(id_) + big_endian(++nonce_),
                       .puts = {{"e" + big_endian(head + 1), big_endian(id_) + big_endian(nonce_)}},
                       .note = "n"};
    }
    busy_ = true;
    store_->commit(Draft::owned(*pending_), [this](Committed answer) { on_commit(answer); });
  }
  static std::uint64_t head_of(const std::string& guard) {
    std::uint64_t out = 0;
    for (const char c : guard.substr(0, 8)) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }

  std::map<std::string, std::string> acked;  // event key -> value
  std::map<Verdict, int> verdicts;
  int landed_late = 0;

 private:
  void on_commit(const Committed& answer) {
    busy_ = false;
    ++verdicts[answer.verdict];
    if (answer.verdict == Verdict::done) return settle();
    if (answer.verdict == Verdict::failed) return;  // surely not applied: the same batch again
    load();
  }
  void settle() {
    acked.insert(pending_->puts.begin(), pending_->puts.end());
    known_ = pending_->guard;
    pending_.reset();
  }
  void load() {
    busy_ = true;
    Get get;
    get.cells.push_back({{1, "p"}, {}});
    store_->get(std::move(get), [this](Result<Cells> cells) {
      busy_ = false;
      if (!cells) return load();
      const auto& found = cells->values[0];
      if (!pending_) {
        known_ = found ? std::optional<std::string>(*found) : std::nullopt;
        return;
      }
      const bool same = found.has_value() == pending_->expect.has_value() &&
                        (!found || *found == *pending_->expect);
      if (same) return;  // may still land: the same batch again
      if (found && *found == *pending_->guard) {
        ++landed_late;
        return settle();
      }
      known_ = found ? std::optional<std::string>(*found) : std::nullopt;
      check_event();
    });
  }
  /// The guard went past: whether the attempt is in can no longer change.
  void check_event() {
    busy_ = true;
    Get get;
    get.cells.push_back({{1, "p"}, pending_->puts[0].first});
    store_->get(std::move(get), [this](Result<Cells> cells) {
      busy_ = false;
      if (!cells) return check_event();
      const auto& found = cells->values[0];
      if (found && *found == pending_->puts[0].second)
        acked.insert(pending_->puts.begin(), pending_->puts.end());
      pending_.reset();
    });
  }

  store::WeakStore& world_;
  std::uint64_t id_, nonce_ = 0;
  std::unique_ptr<Store> store_;
  std::optional<std::string> known_;
  std::optional<Draft> pending_;
  bool busy_ = false;
};

store::WeakOptions nasty() {
  store::WeakOptions options;
  options.failed = 0.05;
  options.read_failed = 0.05;
  options.unknown = 0.15;
  options.late = 50ms;
  options.early_rows = 0.5;
  options.stale = 0.5;
  options.repeated = 0.3;
  options.crash_late = 0.3;
  return options;
}

}  // namespace

TEST_CASE("the weak store passes the suite where it may", "[store][weak]") {
  std::vector<std::shared_ptr<store::WeakStore>> worlds;  // the probe pumps the newest
  testing::StoreUnderTest under;
  under.threads = false;
  under.scale = 0.2;
  under.fresh = [&] {
    store::WeakOptions options;
    options.early_rows = 0.5;
    options.stale = 0.5;
    options.repeated = 0.5;
    worlds.push_back(std::make_shared<store::WeakStore>(options, SplitMix{worlds.size()}));
    return worlds.back()->opener();
  };
  under.pump = [&] {
    for (const auto& world : worlds) world->step();
  };
  for (const auto& each : testing::store_cases()) {
    DYNAMIC_SECTION(each.name) {
      worlds.clear();
      testing::run_store_case(each, under, [](bool ok, std::string_view what) {
        INFO(what);
        CHECK(ok);
      });
    }
  }
}

TEST_CASE("two appenders on a weak store lose and double nothing", "[store][weak]") {
  std::map<Verdict, int> verdicts;
  int landed_late = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    SplitMix dice{seed * 7919};
    store::WeakStore world(nasty(), SplitMix{seed});
    Appender first(world, 1), second(world, 2);
    for (int round = 0; round < 300; ++round) {
      if (dice() % 2) first.append();
      if (dice() % 2) second.append();
      if (!world.step()) break;
      if (dice() % 100 == 0) {  // one process dies and comes back
        Appender& victim = dice() % 2 ? first : second;
        victim.die();
        victim.open();
      }
    }
    while (world.step()) {}
    std::vector<std::pair<std::string, std::string>> rows;
    std::string guard;
    world.state().for_each([&](Partition, Bytes found, const store::MemoryStore::RowMap& stored) {
      guard = found;
      rows.assign(stored.begin(), stored.end());
    });
    REQUIRE(rows.size() == (guard.empty() ? 0 : Appender::head_of(guard)));
    std::set<std::string> values;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      REQUIRE(rows[i].first == "e" + big_endian(i + 1));
      REQUIRE(values.insert(rows[i].second).second);
    }
    const std::map<std::string, std::string> stored(rows.begin(), rows.end());
    for (const Appender* appender : {&first, &second}) {
      for (const auto& [key, value] : appender->acked) REQUIRE(stored.at(key) == value);
      for (const auto& [verdict, count] : appender->verdicts) verdicts[verdict] += count;
      landed_late += appender->landed_late;
    }
  }
  // The freedom was used.
  CHECK(verdicts[Verdict::done] > 1000);
  CHECK(verdicts[Verdict::refused] > 100);
  CHECK(verdicts[Verdict::failed] > 100);
  CHECK(verdicts[Verdict::unknown] > 100);
  CHECK(landed_late > 10);
}

TEST_CASE("rows can be seen before their guard, and never after", "[store][weak]") {
  store::WeakOptions options;
  options.early_rows = 1.0;
  int early = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    store::WeakStore world(options, SplitMix{seed});
    auto store = world.opener()().value();
    testing::Slot<Committed> created;
    store->commit(Draft::owned({.guard = "g1", .puts = {{"a", "1"}}}), created.done());
    REQUIRE(created.wait([&] { world.step(); }));
    bool done = false;
    store->commit(
        Draft::owned({.expect = "g1", .guard = "g2", .puts = {{"b", "2"}}, .erases = {"a"}}),
        [&](Committed) { done = true; });
    while (!done) {
      bool answered = false;
      const bool began_done = done;
      store->scan({.partition = {1, "p"}}, [&](Result<Rows> rows) {
        answered = true;
        REQUIRE(rows.ok());
        std::set<Bytes> keys;
        for (const Row& row : rows->rows) keys.insert(row.key);
        if (rows->guard == "g1") {
          CHECK_FALSE(began_done);
          CHECK(keys.contains("a"));
          early += keys.contains("b");
        } else {
          CHECK(keys == std::set<Bytes>{"b"});
        }
      });
      while (!answered && world.step()) {}
    }
    while (world.step()) {}
  }
  CHECK(early > 0);
}

TEST_CASE("a crash drops completions and applies each commit whole or not", "[store][weak]") {
  int there = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    store::WeakStore world({}, SplitMix{seed});
    auto store = world.opener()().value();
    int completions = 0;
    for (int i = 0; i < 20; ++i)
      store->commit(
          Draft::owned(
              {.id = "p" + std::to_string(i), .guard = "g", .puts = {{"a", "1"}, {"b", "2"}}}),
          [&](Committed) { ++completions; });
    for (std::uint64_t i = seed % 20; i > 0; --i) world.step();
    const int before = completions;
    world.crash();
    CHECK_FALSE(world.step());
    CHECK(completions == before);
    store.reset();
    world.state().for_each([&](Partition, Bytes, const store::MemoryStore::RowMap& rows) {
      ++there;
      CHECK(rows.size() == 2);
    });
  }
  CHECK(there > 500);
  CHECK(there < 1500);
}

TEST_CASE("a broken weak store is fail-stop until reopened", "[store][weak]") {
  store::WeakStore world({}, SplitMix{5});
  auto store = world.opener()().value();
  std::map<Verdict, int> verdicts;
  for (int i = 0; i < 50; ++i)
    store->commit(Draft::owned({.id = "p" + std::to_string(i), .guard = "g"}),
                  [&](Committed answer) { ++verdicts[answer.verdict]; });
  for (int i = 0; i < 30; ++i) world.step();
  const int before = verdicts[Verdict::done];
  world.break_store();
  while (world.step()) {}
  CHECK(verdicts[Verdict::done] == before);
  CHECK(verdicts[Verdict::unknown] == 50 - before);
  Committed late;
  store->commit(Draft::owned({.id = "q", .guard = "g"}), [&](Committed answer) { late = answer; });
  CHECK(late.verdict == Verdict::failed);
  CHECK(late.error.errc() == Errc::store_failed);
  store.reset();
  store = world.opener()().value();
  testing::Slot<Committed> again;
  store->commit(Draft::owned({.id = "q", .guard = "g"}), again.done());
  REQUIRE(again.wait([&] { world.step(); }));
  CHECK(again.take().verdict == Verdict::done);
}

TEST_CASE("the same seed gives the same run", "[store][weak]") {
  const auto run = [](std::uint64_t seed) {
    store::WeakStore world(nasty(), SplitMix{seed});
    Appender first(world, 1), second(world, 2);
    std::vector<std::int64_t> trace;
    for (int round = 0; round < 500; ++round) {
      first.append();
      second.append();
      world.step();
      trace.push_back(world.now().count());
      trace.push_back(static_cast<std::int64_t>(first.acked.size() * 1000 + second.acked.size()));
    }
    return trace;
  };
  CHECK(run(42) == run(42));
  CHECK(run(42) != run(43));
}
