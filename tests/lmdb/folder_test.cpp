// tests/lmdb/folder_test.cpp: a fold that lags holds commits back instead of filling memory.
#include "lmdb/folder.hpp"

#include <errno.h>

#include <atomic>

#include "catch.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"
#include "store/store_probe.hpp"

using namespace parley;
using lmdb::Step;
using parley::testing::Draft;
using parley::testing::Slot;
using parley::testing::StoreProbe;

namespace {

const testing::StoreUnderTest by_itself;
const lmdb::LogTuning small{.fold_every = std::chrono::hours(1),
                            .fold_at = {.bytes = 1 << 20, .batches = 4, .rows = 1 << 20},
                            .most = {.bytes = 1 << 20, .batches = 10, .rows = 1 << 20}};

}  // namespace

TEST_CASE("at the cap commits wait for the fold, then the queue fills, then they are busy",
          "[lmdb][log]") {
  Scratch scratch;
  std::atomic<bool> hold{true};
  auto store = lmdb::open_store({.path = scratch / "s", .queue_limit = 20'000}, {[&](Step step) {
                                  if (step == Step::fold) hold.wait(true);
                                  return 0;
                                }},
                                small)
                   .value();
  StoreProbe probe(by_itself);
  int log = 0;
  for (; log < 10; ++log)  // the tenth reaches the cap
    probe.done(*store, {.id = "p" + std::to_string(log), .guard = "g"}, "into the log");
  int busy = 0;
  std::vector<Slot<Committed>> slots(200);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    store->commit(Draft::owned({.id = "q" + std::to_string(i), .guard = "g"}),
                  [&, done = slots[i].done()](Committed answer) {
                    if (answer.verdict == Verdict::failed) {
                      ++busy;  // told at once, on this thread
                      CHECK(answer.error.errc() == Errc::busy);
                      CHECK(answer.error.retryable());
                    }
                    done(std::move(answer));
                  });
  }
  CHECK(busy > 50);
  CHECK(probe.guard(*store, "p9") == "g");  // reads go on
  CHECK_FALSE(probe.guard(*store, "q0"));
  hold = false;
  hold.notify_all();
  int done = 0;
  for (auto& slot : slots) {
    REQUIRE(slot.wait(nullptr));
    done += slot.take().verdict == Verdict::done;
  }
  CHECK(done + busy == 200);
  CHECK(done > 20);
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}

TEST_CASE("a fold that fails stops the store, and loses nothing", "[lmdb][faults]") {
  Scratch scratch;
  const Step where = GENERATE(Step::fold, Step::fold_commit, Step::folded);
  auto store = lmdb::open_store({.path = scratch / "s"},
                                {[=](Step step) { return step == where ? EIO : 0; }}, small)
                   .value();
  StoreProbe probe(by_itself);
  int done = 0;
  Committed answer;
  do {
    answer = probe.commit(*store, {.id = "p" + std::to_string(done), .guard = "g"});
    done += answer.verdict == Verdict::done;
  } while (answer.verdict == Verdict::done && done < 100);
  CHECK(done < 100);  // at the cap at the latest
  CHECK(answer.verdict == Verdict::failed);
  CHECK(answer.error.errc() == Errc::store_failed);
  CHECK(probe.close(*store).error().errc() == Errc::store_failed);
  store = lmdb_store({.path = scratch / "s"})().value();
  for (int i = 0; i < done; ++i) CHECK(probe.guard(*store, "p" + std::to_string(i)) == "g");
  CHECK(probe.take_failures().empty());
}
