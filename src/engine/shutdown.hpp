// engine/shutdown.hpp: the fixed order of the end: accept nothing, answer what was accepted,
// goodbye, store, threads.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "engine/shard_host.hpp"

namespace parley::engine {

/// Runs on the first shard, once. Each step has a deadline, but for the store's close, which owes
/// its completion. Thread: the first shard's.
class Shutdown {
 public:
  explicit Shutdown(EngineImpl& engine) noexcept : engine_(engine) {}
  void begin();

 private:
  enum class Step { answers, goodbyes, transports, store };
  void tick();
  void ask_shards();
  void heard(std::size_t open_requests);
  void enter(Step step);
  void stop_cores();
  void close_transports();
  void abandon();
  void close_store();
  [[nodiscard]] bool late() const;

  EngineImpl& engine_;
  Step step_ = Step::answers;
  std::chrono::steady_clock::time_point deadline_{};
  std::size_t asked_ = 0;  // shards that have not answered the present round
  std::size_t open_ = 0;   // sum of the round
  bool abandoned_ = false;
  int quiet_rounds_ = 0;
  std::size_t cores_ = 0;       // not stopped yet
  std::size_t transports_ = 0;  // likewise
};

}  // namespace parley::engine
