// engine/log_capture.hpp: a log sink that keeps what it was told, for tests.
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/options.hpp"

namespace parley::test {

class LogCapture {
 public:
  [[nodiscard]] LogSink sink() const {
    return [state = state_](const LogRecord& record) {
      const std::lock_guard lock(state->mutex);
      state->lines.emplace_back(record.level, record.message);
    };
  }
  [[nodiscard]] bool has(LogLevel level, std::string_view part) const {
    return count(level, part) != 0;
  }
  [[nodiscard]] std::size_t count(LogLevel level, std::string_view part) const {
    const std::lock_guard lock(state_->mutex);
    std::size_t found = 0;
    for (const auto& [at, line] : state_->lines) {
      if (at == level && line.find(part) != std::string::npos) ++found;
    }
    return found;
  }
  [[nodiscard]] bool mentions(std::string_view part) const {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [at, line] : state_->lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

 private:
  struct State {
    std::mutex mutex;
    std::vector<std::pair<LogLevel, std::string>> lines;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace parley::test
