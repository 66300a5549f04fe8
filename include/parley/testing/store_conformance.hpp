// parley/testing/store_conformance.hpp: the suite that defines what a store is; run it on yours.
#pragma once
#include <functional>
#include <span>
#include <string_view>

#include "parley/store.hpp"

namespace parley::inline v0::testing {

/// What the suite runs on. A backend's own test fills this in and loops over store_cases().
struct StoreUnderTest {
  /// Each call gives the opener of another, empty store.
  std::function<StoreOpener()> fresh = {};
  /// Calling the same opener again after close() finds everything that was `done`.
  bool persistent = false;
  /// Calls may come from several threads at once (false only for stores in virtual time).
  bool threads = true;
  /// Multiplies the counts of the long cases, 0 < scale <= 1.
  double scale = 1.0;
  /// Called again and again while a completion is awaited; none: the store completes by itself.
  std::function<void()> pump = {};
};

/// Called once per case that held, and once per failed expectation of a case that did not; always
/// on the thread that runs the case. It may throw to end the run.
using StoreCheck = std::function<void(bool ok, std::string_view what)>;

class StoreProbe;

struct StoreCase {
  std::string_view name{};   // unique, [a-z_]
  std::string_view about{};  // one sentence: what must hold
  bool needs_threads = false;
  bool needs_persistence = false;
  void (*run)(StoreProbe&) = nullptr;
};

/// Every case, in the order of the contract. Thread: any.
[[nodiscard]] std::span<const StoreCase> store_cases() noexcept;

/// Runs one; false when it does not apply to this store (and nothing was checked). A completion
/// that does not come within 60 s fails the case. Thread: any, one case at a time per store.
bool run_store_case(const StoreCase& wanted, const StoreUnderTest& store, const StoreCheck& check);

/// All of them. Thread: any.
void run_store_conformance(const StoreUnderTest& store, const StoreCheck& check);

}  // namespace parley::inline v0::testing
