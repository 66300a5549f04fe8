// runtime/host_executor.hpp: drives a loop or an engine on a host's Asio executor. Header only, so
// it uses the host's Asio.
#pragma once
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/bind_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

namespace parley::runtime {

/// What can be driven from outside: runtime::Loop, and an engine that is host-driven.
template <class T>
concept Pollable = requires(T& t, const T& c) {
  { t.poll(std::chrono::microseconds{}) } -> std::convertible_to<bool>;
  {
    c.next_deadline()
    } -> std::convertible_to<std::optional<std::chrono::steady_clock::time_point>>;
  { c.descriptor() } -> std::convertible_to<int>;
};

/// Runs polls on a strand of a host's executor, which may be a thread pool: when the descriptor is
/// readable, when a deadline has come, and again while work is left. Other handlers get their turn
/// between two polls. From start() to `stopped` it counts as work of the executor's context.
/// Ownership: borrows the target and the executor's context; both outlive `stopped`.
/// Thread: any.
template <Pollable Target>
class HostExecutor {
 public:
  explicit HostExecutor(Target& target, asio::any_io_executor executor,
                        std::chrono::microseconds budget = std::chrono::microseconds{500})
      : state_(std::make_shared<State>(target, std::move(executor), budget)) {}

  void start() {
    asio::post(state_->strand, [state = state_] {
      asio::error_code failed;
      state->ready.assign(state->target.descriptor(), failed);
      if (!failed) turn(state);
    });
  }

  /// Starts stopping; `stopped` runs on the executor when no poll can run any more.
  void stop(std::function<void()> stopped) {
    asio::post(state_->strand, [state = state_, stopped = std::move(stopped)]() mutable {
      state->stopped = std::move(stopped);
      state->stopping = true;
      state->timer.cancel();
      asio::error_code ignored;  // fails only when start() was never called
      state->ready.cancel(ignored);
      finish(state);
    });
  }

 private:
  struct State {
    State(Target& to, asio::any_io_executor executor, std::chrono::microseconds each)
        : target(to), strand(executor), timer(executor), ready(executor), budget(each) {}
    ~State() {
      if (ready.is_open()) ready.release();  // the descriptor is the target's
    }
    Target& target;
    asio::strand<asio::any_io_executor> strand;
    asio::steady_timer timer;
    asio::posix::stream_descriptor ready;
    std::chrono::microseconds budget;
    std::optional<std::chrono::steady_clock::time_point> armed;
    int pending = 0;  // handlers of ours that have not run
    bool waiting = false;
    bool stopping = false;
    std::function<void()> stopped;
  };
  using Shared = std::shared_ptr<State>;

  static void finish(const Shared& state) {
    if (state->pending > 0 || !state->stopped) return;
    if (state->ready.is_open()) state->ready.release();
    std::exchange(state->stopped, nullptr)();
  }

  /// Every handler comes through here; `then` runs unless the executor is stopping.
  static void arrive(const Shared& state, void (*then)(const Shared&)) {
    --state->pending;
    if (state->stopping) return finish(state);
    then(state);
  }

  static void turn(const Shared& state) {
    if (state->stopping) return;
    if (state->target.poll(state->budget)) {
      ++state->pending;
      asio::post(state->strand, [state] { arrive(state, &turn); });
      return;
    }
    arm_timer(state);
    if (state->waiting) return;
    state->waiting = true;
    ++state->pending;
    state->ready.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::bind_executor(state->strand, [state](asio::error_code) {
                              state->waiting = false;
                              arrive(state, &turn);
                            }));
  }

  static void arm_timer(const Shared& state) {
    const auto deadline = state->target.next_deadline();
    if (!deadline || (state->armed && *state->armed <= *deadline)) return;
    state->armed = deadline;
    state->timer.expires_at(*deadline);  // cancels the wait for the later one
    ++state->pending;
    state->timer.async_wait(
        asio::bind_executor(state->strand, [state](const asio::error_code& cancelled) {
          if (!cancelled) state->armed.reset();
          arrive(state, cancelled ? &nothing : &turn);
        }));
  }

  static void nothing(const Shared&) {}

  Shared state_;
};

}  // namespace parley::runtime
