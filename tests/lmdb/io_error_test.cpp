// tests/lmdb/io_error_test.cpp: the k-th write or sync fails: no false `done`, fail-stop, clean
// reopen.
#include <errno.h>

#include <atomic>

#include "catch.hpp"
#include "chains.hpp"
#include "io_faults.hpp"
#include "lmdb/check.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"

using namespace parley;
using parley::testing::Slot;

namespace {

constexpr int chain_count = 3;

struct Run {
  bool opened = false, failed = false;
  std::uint64_t done[chain_count] = {}, tried[chain_count] = {};
  bool done_after_failure = false;
};

/// Five rounds of one commit per chain in one group, as far as it gets.
Run run_chains(const LmdbStoreOptions& options, bool once) {
  Run run;
  auto opened = lmdb::open_store(options);
  if (!opened) {
    CHECK_FALSE(opened.error().message.empty());
    return run;
  }
  run.opened = true;
  auto store = std::move(*opened);
  for (std::uint64_t number = 1; number <= 5; ++number) {
    std::vector<Slot<Committed>> slots(chain_count);
    for (int chain = 0; chain < chain_count; ++chain) {
      if (run.done[chain] + 1 != number) continue;
      run.tried[chain] = number;
      store->commit(testing::Draft::owned(chains::commit_of(chain, number)),
                    slots[static_cast<std::size_t>(chain)].done());
    }
    for (int chain = 0; chain < chain_count; ++chain) {
      if (run.tried[chain] != number) continue;
      auto& slot = slots[static_cast<std::size_t>(chain)];
      REQUIRE(slot.wait(nullptr));
      const Committed answer = slot.take();
      REQUIRE(answer.verdict != Verdict::refused);
      if (answer.verdict == Verdict::done) {
        run.done_after_failure = run.done_after_failure || (run.failed && !once);
        run.done[chain] = number;
      } else {
        run.failed = true;
        CHECK(answer.error);
        if (answer.verdict == Verdict::failed) run.tried[chain] = run.done[chain];
      }
    }
  }
  Slot<Result<void>> closing;
  store->close(closing.done());
  REQUIRE(closing.wait(nullptr));
  if (!closing.take().ok()) run.failed = true;
  return run;
}

void verify(const std::string& path, const Run& run) {
  const auto report = lmdb::check_directory(path);
  if (!run.opened && !report) return;  // it was not even created
  REQUIRE(report.ok());
  INFO(report->text);
  REQUIRE(report->sound);
  auto store = lmdb_store({.path = path})().value();
  for (int chain = 0; chain < chain_count; ++chain) {
    const auto found = chains::read(*store, chain);
    CHECK(found.problem.empty());
    CHECK(found.number >= run.done[chain]);
    CHECK(found.number <= std::max(run.done[chain], run.tried[chain]));
  }
}

}  // namespace

TEST_CASE("whichever write or sync fails, nothing acknowledged is lost", "[lmdb][faults]") {
  const int error = GENERATE(EIO, ENOSPC);
  const bool once = GENERATE(false, true);
  const bool made_before = GENERATE(false, true);
  Scratch scratch;
  int failing_runs = 0;
  for (long k = 1; k < 500; ++k) {
    INFO("call " << k << (once ? " fails once" : " and later fail") << " with " << error);
    const LmdbStoreOptions options{.path = scratch / std::to_string(k), .map_size = 1 << 20};
    if (made_before) lmdb_store(options)().value().reset();
    io_faults::fail_from(k, error, once);
    const Run run = run_chains(options, once);
    const long calls = io_faults::calls();
    io_faults::stop_failing();
    CHECK_FALSE(run.done_after_failure);
    verify(options.path, run);
    if (calls < k) {
      CHECK(run.opened);
      CHECK_FALSE(run.failed);
      CHECK(failing_runs > 10);
      return;
    }
    ++failing_runs;
  }
  FAIL("the run never got through");
}

TEST_CASE("after an error of the flush every call fails until reopened", "[lmdb][faults]") {
  Scratch scratch;
  std::atomic<bool> fail{false};
  const lmdb::Step where = GENERATE(lmdb::Step::commit, lmdb::Step::committed);
  const LmdbStoreOptions options{.path = scratch / "s"};
  auto store =
      lmdb::open_store(options, {[&](lmdb::Step step) { return fail && step == where ? EIO : 0; }})
          .value();
  const testing::StoreUnderTest under;
  testing::StoreProbe probe(under);
  probe.done(*store, {.guard = "g1", .puts = {{"k", "v"}}, .note = "n"}, "before");
  const std::string position(probe.changes(*store, {}, 1)->next);
  fail = true;
  const Committed answer = probe.commit(*store, {.expect = "g1", .guard = "g2"});
  CHECK(answer.verdict == Verdict::unknown);
  CHECK(answer.error.errc() == Errc::store_failed);
  fail = false;
  const Committed after = probe.commit(*store, {.expect = "g1", .guard = "g3"});
  CHECK(after.verdict == Verdict::failed);
  CHECK(after.error.errc() == Errc::store_failed);
  Get get;
  get.cells = {{{1, "p"}, ""}};
  CHECK(probe.get(*store, get).error().errc() == Errc::store_failed);
  CHECK(probe.scan(*store, {.partition = {1, "p"}}).error().errc() == Errc::store_failed);
  CHECK(probe.list(*store, 1, {}, 1).error().errc() == Errc::store_failed);
  CHECK(probe.changes(*store, {}, 1).error().errc() == Errc::store_failed);
  CHECK(probe.forget(*store, position).error().errc() == Errc::store_failed);
  CHECK(probe.close(*store).error().errc() == Errc::store_failed);
  store = lmdb::open_store(options).value();
  CHECK(probe.guard(*store, "p") == (where == lmdb::Step::commit ? "g1" : "g2"));
  probe.done(*store, {.id = "q", .guard = "g"}, "after reopening");
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}

TEST_CASE("a refusal that rested on a failed group is not told as one", "[lmdb][faults]") {
  Scratch scratch;
  std::atomic<bool> fail{false}, hold{false};
  auto store = lmdb::open_store({.path = scratch / "s"}, {[&](lmdb::Step step) {
                                  while (hold && step == lmdb::Step::begin) {}
                                  return fail && step == lmdb::Step::commit ? EIO : 0;
                                }})
                   .value();
  const testing::StoreUnderTest under;
  testing::StoreProbe probe(under);
  hold = true;  // so that the two are one group
  std::vector<Slot<Committed>> slots(3);
  store->commit(testing::Draft::owned({.id = "first", .guard = "g"}), slots[0].done());
  store->commit(testing::Draft::owned({.id = "p", .guard = "g1"}), slots[1].done());
  store->commit(testing::Draft::owned({.id = "p", .guard = "g2"}), slots[2].done());
  fail = true;
  hold = false;
  for (auto& slot : slots) REQUIRE(slot.wait(nullptr));
  CHECK(slots[0].take().verdict == Verdict::unknown);
  CHECK(slots[1].take().verdict != Verdict::done);
  CHECK(slots[2].take().verdict == Verdict::failed);
}

TEST_CASE("a full disk fails what grows, and goes on when there is room", "[lmdb][faults]") {
  Scratch scratch;
  std::atomic<bool> full{false};
  auto store = lmdb::open_store({.path = scratch / "s"}, {[&](lmdb::Step step) {
                                  return full && step == lmdb::Step::reserve ? ENOSPC : 0;
                                }})
                   .value();
  const testing::StoreUnderTest under;
  testing::StoreProbe probe(under);
  int number = 0;
  const auto key = [](int i) { return testing::big_endian(static_cast<std::uint64_t>(i)); };
  const auto commit = [&](testing::Draft draft) {
    if (number > 0) draft.expect = "g" + std::to_string(number);
    draft.guard = "g" + std::to_string(number + 1);
    const Committed answer = probe.commit(*store, draft);
    if (answer.verdict == Verdict::done) ++number;
    return answer;
  };
  const auto put = [&](int i) { return commit({.puts = {{key(i), std::string(200'000, 'v')}}}); };
  REQUIRE(put(0).verdict == Verdict::done);
  full = true;
  Committed answer;
  int last = 0;
  do answer = put(++last);
  while (answer.verdict == Verdict::done && last < 1000);
  REQUIRE(answer.verdict == Verdict::failed);
  CHECK(answer.error.errc() == Errc::disk_full);
  CHECK(answer.error.retryable());
  CHECK_FALSE(probe.value(*store, "p", key(last)));
  // Erasing still fits, beside a neighbour in the same group that does not.
  for (int i = 0; i < last; ++i) CHECK(commit({.erases = {key(i)}}).verdict == Verdict::done);
  full = false;
  CHECK(put(last).verdict == Verdict::done);
  CHECK(probe.rows(*store, "p").size() == 1);
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}
