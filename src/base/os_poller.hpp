// base/os_poller.hpp: waits for many descriptors and one wake-up; the only place that sees epoll.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>

#include "parley/result.hpp"

namespace parley::base {

/// A level-triggered poller with a wake-up of its own. Close-on-exec.
/// Ownership: owns its two descriptors, none of those it watches.
/// Thread: wake() any thread; the rest one.
class Poller {
 public:
  struct Event {
    std::uint64_t token = 0;
    bool readable = false;  // also on errors and hang-ups, so that the reader finds them
    bool writable = false;  // likewise
  };
  struct Interest {
    bool readable = false;
    bool writable = false;
  };

  /// Errc::unavailable when the process is out of descriptors.
  static Result<Poller> create();
  Poller(Poller&& other) noexcept;
  Poller& operator=(Poller&&) = delete;
  ~Poller();

  /// `token` comes back in events and must not be wake_token. False when the system refuses.
  bool add(int descriptor, Interest interest, std::uint64_t token) noexcept;
  bool modify(int descriptor, Interest interest, std::uint64_t token) noexcept;
  void remove(int descriptor) noexcept;

  /// Fills `events` and returns how many; sleeps at most `timeout` (rounded up to a millisecond),
  /// for ever when it is negative. A wake-up ends it and is not among the events.
  std::size_t wait(std::span<Event> events, std::chrono::microseconds timeout) noexcept;
  void wake() noexcept;
  /// Readable when wait() would return at once.
  [[nodiscard]] int descriptor() const noexcept { return poll_; }

 private:
  Poller(int poll, int wake) noexcept : poll_(poll), wake_(wake) {}
  static constexpr std::uint64_t wake_token = ~std::uint64_t{0};
  int poll_;
  int wake_;
};

}  // namespace parley::base
