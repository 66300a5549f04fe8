// store/conformance_stress.cpp: conformance cases with many writers, readers, and closing under
// load.
#include <algorithm>
#include <map>
#include <set>

#include "store/store_probe.hpp"

namespace parley::inline v0::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t number_of(Bytes bytes) {
  std::uint64_t out = 0;
  for (const char c : bytes.substr(0, 8)) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

/// A guard of the layout's kind: a growing number and a nonce that no other attempt has.
std::string stamped(std::uint64_t number, std::uint64_t nonce) {
  return big_endian(number) + big_endian(nonce);
}

void sixteen_writers(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const int attempts = t.scaled(10'000);
  std::atomic<int> left{attempts};
  std::atomic<std::uint64_t> acks{0}, nonce{0};
  std::mutex mutex;
  std::map<std::string, std::string> next_of;  // guard -> the guard that replaced it
  const auto writer = [&] {
    std::optional<std::string> known;
    while (left.fetch_sub(1) > 0) {
      const std::uint64_t head = known ? number_of(*known) : 0;
      Draft draft{.expect = known,
                  .guard = stamped(head + 1, ++nonce),
                  .puts = {{"e" + big_endian(head + 1), big_endian(nonce)}}};
      const Committed answer = t.commit(*store, draft);
      if (answer.verdict == Verdict::done) {
        ++acks;
        std::lock_guard lock(mutex);
        const bool fresh = next_of.emplace(known.value_or(""), *draft.guard).second;
        t.check(fresh, "two commits replaced the same guard");
        known = draft.guard;
      } else {
        t.check(answer.verdict == Verdict::refused, "a verdict other than done and refused");
        known = answer.found ? std::optional<std::string>(*answer.found) : t.guard(*store, "p");
      }
    }
  };
  std::vector<std::thread> writers;
  for (int i = 0; i < 16; ++i) writers.emplace_back(writer);
  for (auto& thread : writers) thread.join();

  const auto rows = t.rows(*store, "p");
  t.check(rows.size() == acks, "acks and events differ");
  for (std::size_t i = 0; i < rows.size(); ++i)
    t.check(rows[i].first == "e" + big_endian(i + 1), "events are not dense");
  std::string at;
  std::size_t chain = 0;
  for (auto next = next_of.find(at); next != next_of.end(); next = next_of.find(at), ++chain)
    at = next->second;
  t.check(chain == acks && t.guard(*store, "p") == at, "the guards form no single chain");
  t.close(*store).value();
}

// Writers add an event and erase the one ten before it; the guard says which must be there.
void guard_and_rows(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = stamped(0, 0)}, "create");
  std::atomic<bool> stop{false};
  std::atomic<int> scans{0};
  std::thread writer([&] {
    std::string known = stamped(0, 0);
    int seen = 0;
    for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(t.scaled(3000)); ++i) {
      // A fast writer lets the readers in now and then: beside it is where they look.
      if (i % 10 == 1) {
        scans.wait(seen);
        seen = scans;
      }
      Draft draft{.expect = known, .guard = stamped(i, i), .puts = {{"e" + big_endian(i), "x"}}};
      if (i > 10) draft.erases = {"e" + big_endian(i - 10)};
      t.done(*store, draft, "a writer's commit");
      known = *draft.guard;
    }
    stop = true;
  });
  const auto reader = [&](bool reverse) {
    while (!stop) {
      ++scans;
      scans.notify_one();
      const auto rows = t.scan(*store, {.partition = {1, "p"}, .reverse = reverse});
      if (!rows || !rows->guard) {
        t.check(false, "a scan beside a writer fails");
        continue;
      }
      const std::uint64_t head = number_of(*rows->guard);
      std::set<std::uint64_t> found;
      for (const Row& row : rows->rows) found.insert(number_of(row.key.substr(1)));
      for (std::uint64_t n = head > 9 ? head - 9 : 1; n <= head; ++n)
        t.check(found.contains(n), "the guard vouches for a row that is missing");
    }
  };
  std::thread first(reader, false), second(reader, true);
  writer.join();
  first.join();
  second.join();
  t.close(*store).value();
}

void feed_with_writers(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const int each = t.scaled(200);
  std::atomic<int> running{16};
  std::vector<std::thread> writers;
  for (int w = 0; w < 16; ++w)
    writers.emplace_back([&, w] {
      for (int i = 1; i <= each; ++i) {
        Draft draft{.id = "w" + std::to_string(w), .guard = big_endian(i), .note = big_endian(i)};
        if (i > 1) draft.expect = big_endian(i - 1);
        t.done(*store, draft, "a writer's commit");
      }
      --running;
    });
  // Two readers poll while it happens; each must be told everything, in order per partition.
  const auto reader = [&] {
    std::map<std::string, std::uint64_t> newest;
    std::string after;
    for (bool last = false, idle = false; !(last && idle);) {
      last = running == 0;
      const auto changes = t.changes(*store, after, 64);
      if (!changes) return t.check(false, "changes fails under writers");
      t.check(!changes->trimmed, "trimmed without a reason");
      for (const auto& entry : changes->entries) {
        auto& seen = newest[std::string(entry.partition.id)];
        const std::uint64_t number = number_of(entry.note);
        t.check(number <= seen + 1, "an entry was inserted behind a position, or lost");
        seen = std::max(seen, number);
      }
      idle = changes->entries.empty();
      after = std::string(changes->next);
      if (idle) std::this_thread::yield();
    }
    for (int w = 0; w < 16; ++w)
      t.check(newest["w" + std::to_string(w)] == static_cast<std::uint64_t>(each),
              "the newest entry of a partition was not told");
  };
  std::thread first(reader), second(reader);
  for (auto& thread : writers) thread.join();
  first.join();
  second.join();
  t.close(*store).value();
}

void close_in_flight(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  struct Count {
    std::atomic<int> done{0}, failed{0}, other{0}, reads{0}, twice{0}, after{0};
    std::atomic<bool> closed{false};
    std::vector<std::atomic<int>> runs = std::vector<std::atomic<int>>(1000);
  };
  const auto count = std::make_shared<Count>();
  for (int i = 0; i < 1000; ++i) {
    store->commit(Draft::owned({.id = "p" + std::to_string(i), .guard = "g", .puts = {{"k", "v"}}}),
                  [count, i](Committed answer) {
                    if (count->runs[static_cast<std::size_t>(i)]++ != 0) ++count->twice;
                    if (count->closed) ++count->after;
                    ++(answer.verdict == Verdict::done     ? count->done
                       : answer.verdict == Verdict::failed ? count->failed
                                                           : count->other);
                  });
    if (i % 10 == 0)
      store->scan({.partition = {1, "p"}}, [count](Result<Rows>) {
        ++count->reads;
        if (count->closed) ++count->after;
      });
  }
  Slot<Result<void>> closing;
  store->close([count, done = closing.done()](Result<void> result) {
    count->closed = true;
    done(std::move(result));
  });
  t.check(closing.wait(t.under().pump), "close does not complete");
  t.check(count->done + count->failed == 1000 && count->other == 0,
          "commits in flight did not end done or failed before close completed");
  t.check(count->reads == 100, "reads in flight did not end before close completed");
  store.reset();
  t.check(count->twice == 0, "a completion ran twice");
  t.check(count->after == 0, "a completion ran after close had completed");
  if (!t.under().persistent) return;
  store = t.reopen();
  if (!store) return;
  int there = 0;
  for (int i = 0; i < 1000; ++i) there += t.guard(*store, "p" + std::to_string(i)) ? 1 : 0;
  t.check(there == count->done, "what was done at close and what is there differ");
  t.close(*store).value();
}

// Many small commits with readers beside them: nobody waits for long.
void small_commits(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const int writers = 8, each = t.scaled(20'000) / writers;
  std::atomic<int> running{writers};
  std::atomic<std::int64_t> slowest{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      for (int i = 1; i <= each; ++i) {
        Draft draft{.id = "w" + std::to_string(w),
                    .guard = big_endian(i),
                    .puts = {{"e" + big_endian(i % 64), "value"}}};
        if (i > 1) draft.expect = big_endian(i - 1);
        t.done(*store, draft, "a small commit");
      }
      --running;
    });
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([&] {
      for (int i = 0; running > 0; ++i) {
        const auto began = Clock::now();
        const std::string id = "w" + std::to_string(i % writers);
        const auto rows = t.scan(*store, {.partition = {1, id}});
        t.check(rows.ok(), "a scan beside small commits fails");
        const std::int64_t took = (Clock::now() - began).count();
        for (auto seen = slowest.load();
             took > seen && !slowest.compare_exchange_weak(seen, took);) {}
      }
    });
  for (auto& thread : threads) thread.join();
  t.check(slowest < std::chrono::nanoseconds(std::chrono::seconds(1)).count(),
          "a read stalled for more than a second");
  for (int w = 0; w < writers; ++w)
    t.check(t.guard(*store, "w" + std::to_string(w)) == big_endian(each), "a commit was lost");
  t.close(*store).value();
}

}  // namespace

void add_stress_cases(std::vector<StoreCase>& cases) {
  cases.insert(cases.end(),
               {{"sixteen_writers", "one partition, 16 writers: one chain, dense, acks = events",
                 true, false, sixteen_writers},
                {"guard_and_rows", "a scan's guard vouches for rows that are there, under a writer",
                 true, false, guard_and_rows},
                {"feed_with_writers", "changes under 16 writers: everything, in order, once passed",
                 true, false, feed_with_writers},
                {"close_in_flight", "1,000 in flight at close: each completes once, before close",
                 false, false, close_in_flight},
                {"small_commits", "20,000 small commits with readers: no read stalls", true, false,
                 small_commits}});
}

}  // namespace parley::inline v0::testing
