// runtime/loop.hpp: one shard's event loop: mailbox, timer wheel, descriptors, turns and budgets.
// No Asio here.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/unique_function.hpp"
#include "parley/transport.hpp"

namespace parley::runtime {

/// A single-threaded loop, and all of LinkHost. Work is done in turns: what was posted, timers that
/// are due, descriptors that are ready, then the turn's end hook (the engine flushes there).
/// Drive it by run() on a thread of its own, or by poll() from a host's loop or executor.
/// Ownership: callbacks belong to the loop until they ran, were cancelled, or the loop is
/// destroyed. Thread: post(), hand_over(), stop(), wake() any thread; everything else the thread
/// that drives the loop (one at a time), or before it is driven.
class Loop final : public LinkHost {
 public:
  using Opened = std::function<LinkEvents*(std::unique_ptr<Link>, LinkInfo)>;
  /// Returns true when it has more to do and stopped early; it is called again in the next turn.
  using TurnEnd = std::function<bool()>;
  using Failed = std::function<void(std::string_view what)>;

  /// Longest time between two looks at the descriptors; should_yield() turns true after it.
  static constexpr std::chrono::microseconds turn_limit{2000};
  static constexpr std::size_t scratch_size = std::size_t{64} * 1024;

  /// Fails (Errc::unavailable) when the process has no descriptors left.
  static Result<std::unique_ptr<Loop>> create();
  /// Destroys, without running them, all callbacks it still holds. The loop must not be driven.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // What the engine plugs in; each before the loop is driven.
  void on_opened(Opened sink);
  void on_turn_end(TurnEnd hook);
  /// Gets the text of an exception that a callback let out; the loop goes on. Without it the
  /// exception leaves run() or poll().
  void on_failed(Failed hook);
  /// Called (from any thread, never under a lock) when a loop that poll() or wait() left idle has
  /// got something posted, or was stopped: at most once until the next poll(). Readiness of
  /// descriptors is not announced here: poll regularly, or watch descriptor().
  void on_wake(std::function<void()> hook);

  // LinkHost.
  LinkEvents* opened(std::unique_ptr<Link> link, LinkInfo info) override;
  void post(Callback callback) override { hand_over(std::move(callback)); }
  /// The same for work that cannot be copied.
  void hand_over(base::UniqueFunction<void()> work);
  void at_turn_end(Callback callback) override;
  [[nodiscard]] Clock::time_point now() const noexcept override;
  Timer start_timer(std::chrono::milliseconds delay, Callback callback) override;
  void cancel_timer(Timer timer) noexcept override;
  [[nodiscard]] bool can_watch() const noexcept override;
  Watch watch(int descriptor, Ready interest, std::function<void(Ready)> callback) override;
  void rewatch(Watch watch, Ready interest) override;
  void unwatch(Watch watch) noexcept override;
  std::span<char> scratch() noexcept override;

  // Driving.
  /// Turns until stop(); sleeps while there is nothing to do.
  void run();
  /// Makes run() return after the current turn, poll() and wait() return false. Thread: any.
  void stop() noexcept;
  [[nodiscard]] bool stopped() const noexcept;
  /// Works for about `budget` (looks at the clock after every callback) and returns true when work
  /// was left over. Zero: one callback of each kind at most. Never sleeps.
  bool poll(std::chrono::microseconds budget);
  /// Sleeps until there is something to do or `timeout` is over, without doing it.
  void wait(std::chrono::microseconds timeout);
  /// When the earliest timer is due; none when there is no timer. Earlier than needed by at most
  /// one tick of the wheel.
  [[nodiscard]] std::optional<Clock::time_point> next_deadline() const noexcept;
  /// Wakes a sleeping run() or wait(), calls on_wake. Thread: any.
  void wake() noexcept;
  /// A descriptor that is readable when a descriptor watched here is ready or something was posted;
  /// a host's loop may wait on it. -1 where there are none.
  [[nodiscard]] int descriptor() const noexcept;

  /// For long work inside a callback or the turn's end: true when the budget of this turn is used
  /// up. Looks at the clock at every 16th call, so it may be asked for each delivery.
  [[nodiscard]] bool should_yield() noexcept;
  /// The loop whose callback runs on this thread; null outside. Thread: any.
  [[nodiscard]] static Loop* current() noexcept;

  /// For tests and metrics: descriptors watched, timers armed.
  [[nodiscard]] std::size_t watches() const noexcept;
  [[nodiscard]] std::size_t timers() const noexcept;

 private:
  struct State;
  explicit Loop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace parley::runtime
