// store/weak_store.hpp: a memory store that is only as good as the contract demands; for
// simulations.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/memory_store.hpp"
#include "store/memory_store.hpp"

namespace parley::store {

/// Probabilities are 0..1; times are virtual.
struct WeakOptions {
  std::chrono::nanoseconds least_latency = std::chrono::microseconds(100);
  std::chrono::nanoseconds most_latency = std::chrono::milliseconds(5);
  double slow = 0.0;  // share of calls that take up to `slow_latency` instead
  std::chrono::nanoseconds slow_latency = std::chrono::seconds(10);

  double failed = 0.0;         // commits that fail without a reason (retryable)
  double read_failed = 0.0;    // gets, scans, lists, feed calls likewise
  double unknown = 0.0;        // commits whose verdict is unknown
  double unknown_lands = 0.5;  // of those: the share that takes effect, before or after the verdict
  std::chrono::nanoseconds late = std::chrono::seconds(5);  // so long after the verdict at most
  double early_rows = 0.0;  // commits whose rows can be seen before their guard
  double stale = 0.0;       // relaxed reads that lag, by up to `history` commits
  std::size_t history = 8;
  double repeated = 0.0;     // feed answers that begin with entries told before
  double crash_lands = 0.5;  // at a crash: commits in flight that take effect
  double crash_late = 0.0;   // of the others: the share that may still land after the crash

  /// Breaks the contract, to prove that a harness notices: a commit replaces whatever stands where
  /// it lands.
  bool unconditional = false;

  StoreFacts facts{};  // incarnation all zero: a fixed one
};

/// The world behind the store: its state, its time and what is under way. Handles come from
/// opener(); several at once are several processes on one store. It must outlive no handle: they
/// share it. Everything is decided by `random`, so the same calls give the same run.
/// Thread: one at a time; completions run inside step() and run_until(), never inside a call,
/// except that a handle which is closed, crashed or broken answers at once.
class WeakStore {
 public:
  using Time = std::chrono::nanoseconds;
  using Random = std::function<std::uint64_t()>;

  WeakStore(WeakOptions options, Random random);
  WeakStore(WeakStore&&) noexcept;
  WeakStore& operator=(WeakStore&&) noexcept;
  ~WeakStore();

  [[nodiscard]] StoreOpener opener();

  /// Carries out what is next, moving time to it; false when nothing is under way.
  bool step();
  /// Carries out everything due by `now`, in order of time, and moves time there.
  void run_until(Time now);
  [[nodiscard]] Time now() const noexcept;
  [[nodiscard]] std::optional<Time> next() const;  // when step() would have something to do

  /// The processes of all handles die: completions under way are dropped without running, each
  /// commit in flight takes effect whole or not at all, the handles answer no more. Open again.
  void crash();
  /// An I/O error: commits in flight end `unknown` (landed or not), later calls of the present
  /// handles fail with store_failed until reopened.
  void break_store();

  void set_options(const WeakOptions& options);  // facts excepted
  [[nodiscard]] const WeakOptions& options() const noexcept;
  /// What is really stored, for a checker.
  [[nodiscard]] const MemoryStore& state() const noexcept;

 private:
  class Handle;
  struct World;
  std::shared_ptr<World> world_;
};

}  // namespace parley::store
