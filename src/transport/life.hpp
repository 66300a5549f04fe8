// transport/life.hpp: tells a transport's owner when nothing of the transport can run any more.
#pragma once
#include <functional>
#include <memory>
#include <utility>

namespace parley::transport {

/// Shared by everything that may still call back: shards with connections, posted callbacks. When
/// the last reference goes, `stopped` runs, on that thread.
/// Thread: set `stopped` while holding a reference and before giving it up.
struct Life {
  Life() = default;
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() {
    if (stopped) stopped();
  }
  std::function<void()> stopped;
};
using LifeRef = std::shared_ptr<Life>;

}  // namespace parley::transport
