// scheduler.hpp: virtual time and what happens in it; nothing else in the simulation has a clock.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "simulation/random.hpp"

namespace parley::simulation {

using Time = std::chrono::nanoseconds;  // since the start of the run

/// Runs tasks in the order of time; a seeded choice decides among those of one instant.
class Scheduler {
 public:
  using Task = std::function<void()>;
  enum class Id : std::uint64_t { none = 0 };

  explicit Scheduler(Random random) : random_(random) {}

  [[nodiscard]] Time now() const noexcept { return now_; }
  Id at(Time when, Task task) {
    const auto id = static_cast<Id>(++last_);
    const Key key{when < now_ ? now_ : when, random_.next(), last_};
    places_.emplace(id, key);
    tasks_.emplace(key, std::move(task));
    return id;
  }
  Id after(Time delay, Task task) { return at(now_ + delay, std::move(task)); }
  void cancel(Id id) {
    if (const auto place = places_.find(id); place != places_.end()) {
      tasks_.erase(place->second);
      places_.erase(place);
    }
  }
  [[nodiscard]] std::optional<Time> next() const {
    if (tasks_.empty()) return std::nullopt;
    return std::get<0>(tasks_.begin()->first);
  }
  void run_next() {
    auto node = tasks_.extract(tasks_.begin());
    now_ = std::get<0>(node.key());
    places_.erase(static_cast<Id>(std::get<2>(node.key())));
    ++ran_;
    node.mapped()();
  }
  void move_to(Time now) { now_ = now < now_ ? now_ : now; }
  [[nodiscard]] std::uint64_t ran() const noexcept { return ran_; }

 private:
  using Key = std::tuple<Time, std::uint64_t, std::uint64_t>;
  Random random_;
  Time now_{0};
  std::uint64_t last_ = 0;
  std::uint64_t ran_ = 0;
  std::map<Key, Task> tasks_;
  std::map<Id, Key> places_;
};

}  // namespace parley::simulation
