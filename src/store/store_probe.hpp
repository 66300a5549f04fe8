// store/store_probe.hpp: what the conformance cases are written with: drafts, waiting,
// expectations.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "parley/testing/store_conformance.hpp"

namespace parley::inline v0::testing {

/// A batch that owns its bytes.
struct Draft {
  std::string id = "p";
  std::optional<std::string> expect, guard;
  std::vector<std::pair<std::string, std::string>> puts = {};
  std::vector<std::string> erases = {};
  std::string note = {};
  std::uint8_t space = 1;

  [[nodiscard]] Batch batch() const;  // views of this draft
  static Batch owned(Draft draft);    // views of a copy that the batch's owner keeps
};

/// One completion to wait for.
template <class T>
class Slot {
 public:
  [[nodiscard]] Store::Done<T> done() {
    return [state = state_](T value) {
      std::lock_guard lock(state->mutex);
      ++state->count;
      if (!state->value) state->value.emplace(std::move(value));
      state->ready.notify_all();
    };
  }
  /// False after 60 s.
  bool wait(const std::function<void()>& pump) {
    std::unique_lock lock(state_->mutex);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!state_->value) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (!pump) {
        state_->ready.wait_until(lock, deadline);
        continue;
      }
      lock.unlock();
      pump();
      lock.lock();
    }
    return true;
  }
  [[nodiscard]] int count() const {
    std::lock_guard lock(state_->mutex);
    return state_->count;
  }
  T take() { return std::move(*state_->value); }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<T> value;
    int count = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Handed to every case. Thread: any for check() and the calls.
class StoreProbe {
 public:
  explicit StoreProbe(const StoreUnderTest& under) : under_(under) {}

  /// Another empty store, open. Null (and a failure noted) when it does not open.
  std::unique_ptr<Store> fresh();
  /// The same store again, after close().
  std::unique_ptr<Store> reopen();
  [[nodiscard]] int scaled(int count) const;
  [[nodiscard]] const StoreUnderTest& under() const noexcept { return under_; }

  void check(bool ok, std::string what);
  [[nodiscard]] std::vector<std::string> take_failures();

  // The store's calls, waited for.
  Committed commit(Store& store, const Draft& draft);
  Result<Cells> get(Store& store, Get get);
  Result<Rows> scan(Store& store, Scan scan);
  Result<Listed> list(Store& store, std::uint8_t space, Bytes after, std::uint32_t max);
  Result<Changes> changes(Store& store, Bytes after, std::uint32_t max);
  Result<void> forget(Store& store, Bytes through);
  Result<void> close(Store& store);

  // Shorthands that note a failure when the answer is another.
  void done(Store& store, const Draft& draft, const char* what);
  void refused(Store& store, const Draft& draft, std::optional<std::string> found,
               const char* what);
  void failed(Store& store, const Draft& draft, const char* what);
  std::optional<std::string> guard(Store& store, const std::string& id, std::uint8_t space = 1);
  std::optional<std::string> value(Store& store, const std::string& id, const std::string& key);
  /// Every row of a partition, page by page.
  std::vector<std::pair<std::string, std::string>> rows(Store& store, const std::string& id,
                                                        std::uint8_t space = 1);

 private:
  template <class T>
  T await(Slot<T>& slot, T otherwise);

  const StoreUnderTest& under_;
  StoreOpener opener_;
  std::mutex mutex_;
  std::vector<std::string> failures_;
};

/// A number as eight big-endian bytes: keys that sort as numbers do.
[[nodiscard]] std::string big_endian(std::uint64_t number);

// The groups of cases, one file each.
void add_commit_cases(std::vector<StoreCase>& cases);
void add_read_cases(std::vector<StoreCase>& cases);
void add_limit_cases(std::vector<StoreCase>& cases);
void add_feed_cases(std::vector<StoreCase>& cases);
void add_stress_cases(std::vector<StoreCase>& cases);

}  // namespace parley::inline v0::testing
