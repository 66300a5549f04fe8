// engine/waiting.hpp: sessions, things collected on engine threads, and waiting for both without
// sleeping.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "parley/engine.hpp"

namespace parley::test {

/// Thread: any.
template <class T>
class Collected {
 public:
  void add(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();  // under the lock: who waits may destroy this as soon as it has it
  }
  /// What is there once it is `count` or more; after a generous deadline, what there is.
  std::vector<T> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return values_.size() >= count; });
    return values_;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

inline Session attach(Engine& engine, const std::string& user) {
  return engine.attach({.user = user}).get().value();
}

}  // namespace parley::test
