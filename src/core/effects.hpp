// core/effects.hpp: everything the core asks of the world. Results arrive later as inputs, never
// inside the call (DESIGN §3.5).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_function.hpp"
#include "parley/conversation.hpp"
#include "parley/hooks.hpp"
#include "parley/limits.hpp"
#include "parley/store.hpp"
#include "parley/transport.hpp"
#include "wire/messages.hpp"

namespace parley::core {

using ShardIndex = std::uint16_t;
class Shard;

/// The two clocks. Steady for timers and deadlines; wall, as the machine has it, for stamps only:
/// it may be set back or forward at any moment (WallClock follows that with care).
struct Time {
  std::chrono::steady_clock::time_point steady{};
  std::int64_t wall_ms = 0;
};

/// A stamp as the API has it.
[[nodiscard]] inline WallTime wall_time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

/// Who a token speaks for.
struct Identity {
  std::string subject;  // the host's own id of the user, 1..limits::subject bytes
};

/// Implemented by the runtime on real clocks, stores and threads, and by the simulation on seeded
/// ones. Callbacks run later, as an input of this shard, exactly once, or never when the shard is
/// gone. Thread: the shard's.
class Effects {
 public:
  template <class T>
  using Then = base::UniqueFunction<void(T)>;
  using Work = base::UniqueFunction<void(Shard&)>;

  [[nodiscard]] virtual Time now() const noexcept = 0;  // of the current turn
  virtual std::uint64_t random() = 0;
  [[nodiscard]] virtual const StoreFacts& store_facts() const noexcept = 0;
  /// Bytes that one session's queue may hold now: above them it lags (I5). limits::queue_soft, or
  /// less while what is queued for all sessions together nears its bound.
  [[nodiscard]] virtual std::size_t queue_limit() noexcept { return limits::queue_soft; }
  /// Bytes that may still be queued for all sessions together.
  [[nodiscard]] virtual std::size_t queue_room() noexcept {
    return limits::memory_default / limits::queues_part;
  }

  // The store. Views in arguments are kept alive by the `owner` beside them.
  virtual void commit(Batch batch, Then<Committed> then) = 0;
  virtual void get(Get get, Then<Result<Cells>> then) = 0;
  virtual void scan(Scan scan, Then<Result<Rows>> then) = 0;
  virtual void list(std::uint8_t space, std::string after, std::uint32_t max,
                    Then<Result<Listed>> then) = 0;
  virtual void changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) = 0;
  virtual void forget_changes(std::string through, Then<Result<void>> then) = 0;

  /// Runs `work` on another shard (or later on this one); order is kept between a pair of shards.
  virtual void post(ShardIndex to, Work work) = 0;

  /// The host's decision about a token.
  virtual void authenticate(std::string token, Then<Result<Identity>> then) = 0;

  /// The host's decision about a message (EngineOptions::before_message_async).
  virtual void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) = 0;

  enum class Timer : std::uint64_t { none = 0 };
  virtual Timer start_timer(std::chrono::milliseconds delay, std::function<void()> then) = 0;
  virtual void cancel_timer(Timer timer) noexcept = 0;

  /// For the log sink: never bodies or tokens.
  enum class Severity : std::uint8_t { debug, info, warning, error };
  virtual void log(Severity severity, std::string text) = 0;

 protected:
  ~Effects() = default;
};

}  // namespace parley::core
