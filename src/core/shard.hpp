// core/shard.hpp: one shard of the engine without I/O: its sessions, the homes pinned to it, and
// what it follows for its sessions.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/outlet.hpp"
#include "core/presence_ladder.hpp"
#include "parley/options.hpp"
#include "parley/result.hpp"
#include "wire/messages.hpp"

namespace parley::core {

struct ShardState;  // what it is made of: shard_state.hpp

/// The same for every shard of an engine.
struct ShardConfig {
  ShardIndex shards = 1;
  layout::Namespace ns = 0;
  std::array<std::uint8_t, 16> key{};  // of the store; for hashes of pairs, names and devices
  std::uint64_t instance = 0;          // random per opening; sync stamps are believed within it
  std::uint16_t node = 0;              // 0..1023, in snowflakes
  ConversationLimits conversation;
  std::chrono::milliseconds heartbeat = limits::heartbeat;   // told to clients in Welcome
  std::chrono::milliseconds idle_after = limits::idle_home;  // then a home leaves memory
  std::uint32_t requests_per_second = 0;                     // of a link; 0: any number
  PresenceBorders presence;
  ConnectHook on_connect;
  CommitHook after_commit;
  SignalFilter signal_filter;
};

/// Names a session everywhere in the engine; stale ones are harmless.
struct SessionRef {
  ShardIndex shard = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // never 0 for a real session
  friend bool operator==(const SessionRef&, const SessionRef&) = default;
  struct Hash {
    std::size_t operator()(const SessionRef& ref) const noexcept {
      return std::hash<std::uint64_t>()((std::uint64_t{ref.slot} << 32) ^
                                        (std::uint64_t{ref.shard} << 24) ^ ref.generation);
    }
  };
};

/// How a session starts.
struct SessionSetup {
  enum class Kind : std::uint8_t {
    link,     // must say Hello with a token before anything else, within limits::handshake_hello
    trusted,  // in-process, `identity` is known: Hello needs no token
    system,   // the host itself: no user, no Hello, may everything
  } kind = Kind::link;
  Identity identity;            // trusted only
  bool auto_subscribe = false;  // follow at `full` whatever the user is in or enters (in-process)
};

/// Sans-I/O. Inputs are the public calls; each leaves its outputs in the outlets and effects, the
/// owner flushes dirty outlets at the end of its turn. Thread: one at a time.
class Shard {
 public:
  Shard(ShardIndex index, ShardConfig config, Effects& effects);
  /// In the place of one that is not to be used any more: begins with nothing in memory, as after a
  /// crash, with the limits of that one; `instance` is its ShardConfig::instance.
  Shard(const Shard& before, std::uint64_t instance);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Once, before anything else. Shard 0 also follows the change feed (lists of users).
  void start();
  /// Says goodbye to every session and closes it; what was accepted is committed and answered, then
  /// `stopped` runs. New requests are answered Errc::engine_closed.
  void stop(std::function<void()> stopped);

  /// The outlet must live until session_closed() was called for it.
  SessionRef open(Outlet& outlet, SessionSetup setup);
  /// Answered exactly once by a frame with the request's number, unless the session closes first.
  void request(SessionRef session, wire::Request request);
  /// The outlet's session lagged, and its backlog has fallen to half of Effects::queue_limit().
  void drained(SessionRef session);
  /// The link is gone or the host detached. The outlet is not used any more.
  void session_closed(SessionRef session);

  /// Those that concern a shard, checked by the caller.
  void set_limits(const LimitsUpdate& update);
  [[nodiscard]] std::size_t max_body() const noexcept;

  /// The id of a host's subject; `create`: allocates one at first sight. Callable on any shard.
  void resolve(std::string subject, bool create, Then<UserId> then);

  [[nodiscard]] ShardIndex index() const noexcept;
  [[nodiscard]] std::size_t sessions() const noexcept;
  /// Bytes of requests accepted and not yet answered (limits::ingress), for accounts and tests.
  [[nodiscard]] std::size_t ingress_bytes() const noexcept;
  /// What everything that is in memory weighs, about: homes, users, followed conversations.
  [[nodiscard]] std::size_t weight() const noexcept;
  /// Memory is short: what nobody uses leaves it at once, not after ShardConfig::idle_after.
  void set_short_of_memory(bool is_short) noexcept;
  [[nodiscard]] std::size_t conversations() const noexcept;  // homes in memory
  [[nodiscard]] std::size_t users() const noexcept;          // likewise

 private:
  friend struct ShardAccess;  // the shard's own parts
  std::unique_ptr<ShardState> state_;
};

}  // namespace parley::core
