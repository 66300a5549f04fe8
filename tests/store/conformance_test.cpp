// tests/store/conformance_test.cpp: the suite finds stores that break the contract, each in its own
// way.
#include "parley/testing/store_conformance.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "catch.hpp"
#include "parley/memory_store.hpp"

using namespace parley;

namespace {

enum class Defect {
  none,
  refusal_is_done,  // a refused commit is told as done
  wrong_found,      // `found` is another guard
  empty_is_absent,  // an empty value reads as absent
  more_is_never_told,
  one_row_too_few,  // the last row of a full page is lost
  completes_twice,
  says_unknown,         // every 500th commit
  duplicates_accepted,  // a key twice in one batch
  limit_off_by_one,     // one byte more is taken
  feed_skips,           // every tenth entry is lost
  feed_tells_refused,   // refused commits are announced too
  list_ends_early,
  guard_after_rows,  // a scan takes its guard after its rows
  answers_after_close,
  misaligned,
  stale_get,  // every 50th get is answered with the guard before
  count
};

class Defective final : public Store {
 public:
  Defective(std::unique_ptr<Store> real, Defect defect) : real_(std::move(real)), defect_(defect) {}
  [[nodiscard]] const StoreFacts& facts() const noexcept override { return real_->facts(); }

  void commit(Batch batch, Done<Committed> done) override {
    const int number = ++commits_;
    writer_ = std::this_thread::get_id();
    if (defect_ == Defect::limit_off_by_one && batch.note.size() == 65) batch.note.remove_suffix(1);
    if (defect_ == Defect::duplicates_accepted) {
      std::set<Bytes> seen;
      std::erase_if(batch.puts, [&](const Row& row) { return !seen.insert(row.key).second; });
    }
    if (defect_ == Defect::feed_skips && number % 10 == 0) batch.note = {};
    if (defect_ == Defect::feed_tells_refused && batch.expect == "g1" && batch.note == "refused")
      batch.expect = "g2", batch.guard = "g2x";
    real_->commit(std::move(batch), [this, number, done = std::move(done)](Committed answer) {
      if (defect_ == Defect::says_unknown && number % 500 == 0) answer.verdict = Verdict::unknown;
      {
        std::lock_guard lock(mutex_);
        ++committed_;
        changed_.notify_all();
      }
      if (answer.verdict == Verdict::refused) {
        if (defect_ == Defect::refusal_is_done) answer.verdict = Verdict::done;
        if (defect_ == Defect::wrong_found) answer.found = "another";
      }
      if (defect_ == Defect::completes_twice) done(answer);
      done(std::move(answer));
    });
  }
  void get(Get get, Done<Result<Cells>> done) override {
    real_->get(std::move(get), [this, done = std::move(done)](Result<Cells> cells) {
      if (cells)
        for (auto& value : cells->values) {
          if (defect_ == Defect::empty_is_absent && value && value->empty()) value.reset();
          if (defect_ == Defect::stale_get && ++gets_ % 50 == 0) value.reset();
        }
      done(std::move(cells));
    });
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    const Partition partition = scan.partition;
    const std::size_t full = scan.max_rows;
    real_->scan(std::move(scan), [&, done = std::move(done)](Result<Rows> rows) {
      if (!rows) return done(std::move(rows));
      if (defect_ == Defect::more_is_never_told) rows->more = false;
      if (defect_ == Defect::one_row_too_few && rows->rows.size() == full) rows->rows.pop_back();
      if (defect_ == Defect::misaligned)
        for (Row& row : rows->rows)
          if (row.value.size() > 1) shifted(row, *rows);
      if (defect_ != Defect::guard_after_rows) return done(std::move(rows));
      // Where another thread writes, its next commit comes in between.
      if (writer_.load() != std::this_thread::get_id()) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(20),
                          [this, before = committed_] { return committed_ != before; });
      }
      Get get;
      get.cells = {{partition, ""}};
      real_->get(std::move(get), [&](Result<Cells> cells) {
        if (cells && cells->values[0]) rows->guard = cells->values[0];
        auto both = std::make_shared<std::pair<Owner, Owner>>(rows->owner, cells->owner);
        rows->owner = both;
        done(std::move(rows));
      });
    });
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    real_->list(space, after, max, [this, done = std::move(done)](Result<Listed> listed) {
      if (listed && defect_ == Defect::list_ends_early) listed->next = {};
      done(std::move(listed));
    });
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    real_->changes(after, max, std::move(done));
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    real_->forget_changes(through, std::move(done));
  }
  void close(Done<Result<void>> done) override {
    if (defect_ == Defect::answers_after_close) return done({});
    real_->close(std::move(done));
  }

 private:
  static void shifted(Row& row, Rows& rows) {
    const auto block = std::make_shared<std::pair<Owner, std::string>>(rows.owner, "");
    block->second = std::string(9, ' ') + std::string(row.value);
    auto at = block->second.data() + 1;
    while (reinterpret_cast<std::uintptr_t>(at) % 8 == 0) ++at;
    row.value.copy(at, row.value.size());
    row.value = {at, row.value.size()};
    rows.owner = block;
  }
  std::unique_ptr<Store> real_;
  Defect defect_;
  std::atomic<int> commits_{0}, gets_{0};
  std::atomic<std::thread::id> writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int committed_ = 0;  // under mutex_
};

}  // namespace

TEST_CASE("the conformance suite finds every planted defect", "[store]") {
  for (int i = 0; i < static_cast<int>(Defect::count); ++i) {
    const auto defect = static_cast<Defect>(i);
    const testing::StoreUnderTest under{
        .fresh = [defect]() -> StoreOpener {
          return [defect]() -> Result<std::unique_ptr<Store>> {
            return std::unique_ptr<Store>(
                std::make_unique<Defective>(memory_store()().value(), defect));
          };
        },
        .scale = 0.2};
    int failures = 0;
    testing::run_store_conformance(under, [&](bool ok, std::string_view) { failures += !ok; });
    INFO("defect " << i);
    CHECK((failures > 0) == (defect != Defect::none));
  }
}

TEST_CASE("every conformance case has a name of its own and says what must hold", "[store]") {
  std::set<std::string_view> names;
  for (const auto& each : testing::store_cases()) {
    CHECK(names.insert(each.name).second);
    CHECK(each.about.size() > 10);
    CHECK(each.run != nullptr);
  }
  CHECK(names.size() >= 25);
}
