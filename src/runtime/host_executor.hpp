// runtime/host_executor.hpp: drives a Loop on a host's Asio executor. The only header here that sees Asio.
#pragma once
#include <memory>

#include <asio/any_io_executor.hpp>

#include "runtime/loop.hpp"

namespace parley::runtime {

/// Runs a loop's turns on a host's executor (on a strand of it, so a thread pool will do). It keeps
/// no work count of its own alive beyond what start() to stop() needs.
/// Ownership: borrows the loop and the executor's context; both outlive `stopped`.
/// Thread: start setup only; stop any thread.
class HostExecutor {
 public:
  HostExecutor(Loop& loop, asio::any_io_executor executor);
  ~HostExecutor();
  HostExecutor(const HostExecutor&) = delete;
  HostExecutor& operator=(const HostExecutor&) = delete;

  void start();
  /// Starts stopping; `stopped` runs on the executor when no turn of the loop can run any more.
  void stop(std::function<void()> stopped);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace parley::runtime
