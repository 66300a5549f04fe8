// engine/hook_watch.hpp: logs a call of the host's hooks that held up its shard for too long.
#pragma once
#include <chrono>
#include <string>

#include "engine/engine_impl.hpp"
#include "parley/limits.hpp"

namespace parley::engine {

class HookWatch {
 public:
  HookWatch(detail::EngineImpl& engine, const char* name) : engine_(engine), name_(name) {}
  ~HookWatch() {
    if (std::chrono::steady_clock::now() - began_ <= limits::hook_budget) return;
    engine_.log(LogLevel::warning, std::string(name_) + " took more than 1 ms; its shard waited");
  }
  HookWatch(const HookWatch&) = delete;
  HookWatch& operator=(const HookWatch&) = delete;

 private:
  detail::EngineImpl& engine_;
  const char* name_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace parley::engine
