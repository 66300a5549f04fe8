// tests/lmdb/model_test.cpp: the LMDB store and the memory store answer alike, wherever the rows
// are.
#include <errno.h>

#include <atomic>
#include <map>
#include <random>

#include "catch.hpp"
#include "lmdb/lmdb_store.hpp"
#include "parley/memory_store.hpp"
#include "scratch.hpp"
#include "store/store_probe.hpp"

using namespace parley;
using parley::testing::Draft;
using parley::testing::StoreProbe;

namespace {

const testing::StoreUnderTest by_itself;
constexpr int partitions = 6, keys = 14;

/// Answers as text.
std::string told(const Result<Cells>& cells) {
  if (!cells) return "error " + cells.error().message;
  std::string text;
  for (const auto& value : cells->values) text += value ? "[" + std::string(*value) + "]" : "-";
  return text;
}
std::string told(const Result<Rows>& rows) {
  if (!rows) return "error " + rows.error().message;
  std::string text = rows->guard ? std::string(*rows->guard) : "-";
  for (const Row& row : rows->rows)
    text += ", " + std::string(row.key) + "=" + std::string(row.value);
  return text + (rows->more ? " more" : "");
}

class Pair {
 public:
  explicit Pair(unsigned seed) : dice_(seed) { open(); }
  ~Pair() { CHECK(probe_.take_failures().empty()); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void step() {
    const unsigned what = number(20);
    if (what < 12) return commit();
    if (what < 14) return scan();
    if (what < 16) return get();
    if (what < 17) return list();
    if (what < 18) return changes();
    if (number(4) == 0) return forget();
    if (number(4) == 0) return reopen();
  }

 private:
  unsigned number(unsigned bound) { return static_cast<unsigned>(dice_() % bound); }
  std::string id() { return "p" + std::string(number(partitions), 'x'); }
  std::string key() { return std::string(1, static_cast<char>('a' + number(keys))); }

  void open() {
    const lmdb::LogTuning tuning{
        .segment_size = 64 << 10,
        .fold_every = std::chrono::hours(1),  // so that it is chance, and not time, that decides
        .fold_at = {.bytes = 1 << 20, .batches = 1 + number(30), .rows = 1 << 20},
        .most = {.bytes = 1 << 20, .batches = 40, .rows = 1 << 20}};
    // Half of the lives end with a fold that fails, so that the next one recovers the log.
    failing_ = std::make_shared<std::atomic<bool>>(false);
    store_ = lmdb::open_store({.path = scratch_ / "s", .feed_limit = 4'000},
                              {[failing = failing_](lmdb::Step step) {
                                return *failing && step == lmdb::Step::fold_commit ? EIO : 0;
                              }},
                              tuning)
                 .value();
  }
  void reopen() {
    *failing_ = number(2) == 0;
    (void)probe_.close(*store_);
    store_.reset();
    open();
  }

  void commit() {
    Draft draft{.id = id(), .guard = "g" + std::to_string(++guard_)};
    draft.expect = probe_.guard(*model_, draft.id);
    if (number(10) == 0) draft.expect = "wrong";
    if (draft.expect && number(12) == 0) {
      draft.guard.reset();
      for (const auto& [row, value] : probe_.rows(*model_, draft.id)) draft.erases.push_back(row);
      if (!draft.erases.empty() && number(4) == 0) draft.erases.pop_back();  // not all of them
    } else {
      for (char row = 'a'; row < 'a' + keys; ++row) {
        const unsigned dice = number(8);
        if (dice == 0) draft.erases.emplace_back(1, row);
        if (dice == 1) draft.puts.emplace_back(std::string(1, row), std::to_string(guard_));
        if (dice == 2 && number(20) == 0)
          draft.puts.emplace_back(std::string(1, row), std::string(9'000, row));
      }
    }
    if (number(2) == 0) draft.note = "n" + std::to_string(guard_);
    const Committed mine = probe_.commit(*store_, draft), model = probe_.commit(*model_, draft);
    REQUIRE(mine.verdict == model.verdict);
    CHECK(mine.found.has_value() == model.found.has_value());
    if (mine.found && model.found) CHECK(*mine.found == *model.found);
  }
  void get() {
    const std::string first = id(), second = id(), row = key(), other = key();
    Get get;
    get.cells = {{{1, first}, row}, {{1, first}, ""}, {{1, second}, other}, {{1, "none"}, other}};
    CHECK(told(probe_.get(*store_, get)) == told(probe_.get(*model_, get)));
  }
  void scan() {
    const std::string of = id(), from = number(3) == 0 ? "" : key(),
                      to = number(3) == 0 ? "" : key();
    const Scan scan{.partition = {1, of},
                    .from = from,
                    .to = to,
                    .reverse = number(2) == 0,
                    .max_rows = 1 + number(keys),
                    .max_bytes = number(3) == 0 ? 10'000U : 1'000'000U};
    CHECK(told(probe_.scan(*store_, scan)) == told(probe_.scan(*model_, scan)));
  }
  static std::map<std::string, std::string> listed(StoreProbe& probe, Store& store,
                                                   std::uint32_t page) {
    std::map<std::string, std::string> all;
    for (std::string after;;) {
      const auto part = probe.list(store, 1, after, page);
      REQUIRE(part.ok());
      for (const Row& row : part->partitions)
        CHECK(all.emplace(std::string(row.key), std::string(row.value)).second);
      after = std::string(part->next);
      if (after.empty()) return all;
    }
  }
  void list() { CHECK(listed(probe_, *store_, 1 + number(3)) == listed(probe_, *model_, 100)); }
  /// What is new since the last time, in pages.
  void changes() {
    std::vector<std::string> mine, model;
    bool trimmed = false;
    const auto read = [&](Store& store, std::string& position, std::vector<std::string>& into,
                          std::uint32_t page) {
      while (true) {
        const auto part = probe_.changes(store, position, page);
        REQUIRE(part.ok());
        if (&store == store_.get()) trimmed = trimmed || part->trimmed;
        for (const auto& entry : part->entries)
          into.push_back(std::string(entry.partition.id) + " " + std::string(entry.note));
        position = std::string(part->next);
        if (part->entries.empty()) return;
      }
    };
    read(*store_, mine_position_, mine, 1 + number(5));
    read(*model_, model_position_, model, 100);
    if (trimmed) {  // the model's limit is another
      REQUIRE(mine.size() <= model.size());
      model.erase(model.begin(), model.end() - static_cast<std::ptrdiff_t>(mine.size()));
    }
    CHECK(mine == model);
  }
  void forget() {
    if (!mine_position_.empty()) CHECK(probe_.forget(*store_, mine_position_).ok());
  }

  std::mt19937 dice_;
  Scratch scratch_;
  StoreProbe probe_{by_itself};
  std::shared_ptr<std::atomic<bool>> failing_;
  std::unique_ptr<Store> store_, model_ = memory_store()().value();
  std::string mine_position_, model_position_;
  int guard_ = 0;
};

void compare(unsigned seeds, int steps) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Pair pair(seed);
    for (int step = 0; step < steps; ++step) pair.step();
  }
}

}  // namespace

TEST_CASE("tails, folds and recoveries show in no answer", "[lmdb]") { compare(6, 600); }

TEST_CASE("many tails, folds and recoveries show in no answer", "[lmdb][slow]") {
  compare(100, 2'000);
}
