// parley/options.hpp: what a host decides when it opens an engine. Bad values are errors of
// Engine::open that name the field.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/hooks.hpp"
#include "parley/limits.hpp"
#include "parley/permissions.hpp"
#include "parley/result.hpp"
#include "parley/store.hpp"
#include "parley/transport.hpp"

namespace parley::inline v0 {

// ---- Who drives the engine (docs/execution.md) ----

/// An engine without threads of its own, as a driver sees it.
class Driven {
 public:
  virtual ~Driven() = default;
  virtual bool poll(std::chrono::microseconds budget) = 0;
  [[nodiscard]] virtual std::optional<std::chrono::steady_clock::time_point> next_deadline()
      const = 0;
  /// A descriptor that is readable when there is something to do: the caller's to close. -1: none.
  [[nodiscard]] virtual int open_descriptor() const = 0;
};
/// Polls an engine on behalf of the host, for instance on its Asio executor (parley/asio.hpp).
/// Thread: start() within Engine::open; stop() any.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual void start(std::shared_ptr<Driven> engine) = 0;
  /// The engine has stopped: lets go of it.
  virtual void stop() = 0;
};

struct HostDriven {};
/// No threads: nothing runs but inside poll(), run() and Pending::get() on the host's thread.
inline constexpr HostDriven host_driven{};

/// How many threads the engine starts, each with one shard. Default: one per core.
class Threads {
 public:
  static constexpr int most = 256;
  Threads() = default;
  Threads(int count) : count_(count) {}                   // NOLINT: 1..most
  Threads(HostDriven) : count_(0), host_driven_(true) {}  // NOLINT: one shard
  Threads(std::shared_ptr<Driver> driver)                 // NOLINT: one shard
      : count_(0), host_driven_(true), driver_(std::move(driver)) {}
  /// None: one per core. Zero and host_driven(): none of the engine's own.
  [[nodiscard]] std::optional<int> count() const noexcept { return count_; }
  [[nodiscard]] bool host_driven() const noexcept { return host_driven_; }
  [[nodiscard]] const std::shared_ptr<Driver>& driver() const noexcept { return driver_; }

 private:
  std::optional<int> count_;
  bool host_driven_ = false;
  std::shared_ptr<Driver> driver_;
};

// ---- Who may come in ----

/// A token that a client showed in its hello.
struct AuthRequest {
  std::string token{};  // up to limits::token bytes, as the client sent it; never log it
};
/// Who it speaks for.
struct AuthAnswer {
  std::string subject{};  // the host's own id of the user, 1..limits::subject bytes of UTF-8
};
/// Decides about a token: calls `done` once, inside the call or later, on any thread. An error
/// refuses the client; its message is not shown to it. Not answering within
/// limits::handshake_hello refuses as well. Called on an engine thread: must not block.
using Authenticator =
    std::function<void(AuthRequest request, std::function<void(Result<AuthAnswer>)> done)>;

/// Believes everybody: the token is the name. For development only; the engine says so in the log,
/// at warning, when it is opened with it. Thread: any.
[[nodiscard]] Authenticator development_authenticator();

// ---- What the engine tells ----

enum class LogLevel : std::uint8_t { debug, info, warning, error };
/// One line for the host's log. Never holds bodies or tokens.
struct LogRecord {
  LogLevel level = LogLevel::info;
  std::string_view message{};  // valid for the call
};
/// Called on the thread that has something to say, by one at a time; must not call the engine.
using LogSink = std::function<void(const LogRecord&)>;

/// A transport of the host's own, or one of ours with other options.
struct TransportChoice {
  std::string scheme{};  // "ws", "quic"; replaces a built-in of the same scheme
  std::function<Result<std::unique_ptr<Transport>>()> open = {};
};

/// The options of an engine. What LimitsUpdate names may change at run time, the rest may not.
struct EngineOptions {
  // Behaviour.

  /// Default: one thread and shard per core. Bounds: 1..Threads::most.
  Threads threads{};
  /// Default: an empty memory_store().
  StoreOpener store{};
  /// Open fails (Errc::unsupported) when the store promises less. Default: anything.
  StoreFacts::Durability durability = StoreFacts::Durability::memory;
  /// Default: refuses everybody, and listen() says so in the log; in-process sessions need none.
  Authenticator authenticator{};
  /// Who may do what, for every conversation. Default: see parley/permissions.hpp. Bounds: each
  /// entry a role from read_only to owner.
  Permissions permissions{};
  /// Default: none, everything that a role allows is posted. Both: the first one first.
  MessageHook before_message{};
  AsyncMessageHook before_message_async{};
  /// Default: none, nobody is told.
  CommitHook after_commit{};
  /// Default: none, everybody comes in.
  JoinHook on_join{};
  ConnectHook on_connect{};
  /// Default: none, every signal goes to all who look.
  SignalFilter signal_filter{};
  /// Beside inproc, tcp and ws (the last two where Parley was built with PARLEY_NET). Default:
  /// none.
  std::vector<TransportChoice> transports{};
  /// A directory whose files the built-in WebSocket transport serves by HTTP on the same port.
  /// Default: none. Must exist.
  std::string web_root{};
  /// Default: none, nothing is said. The library never prints.
  LogSink log{};
  /// Run on every thread the engine starts, first and last. Default: none. Must not throw.
  std::function<void()> on_thread_start = {};
  std::function<void()> on_thread_stop = {};

  // Limits.

  /// Bytes of one message's body. Default 256 KiB. Bounds: 1 .. what the store holds in one value
  /// less 16 KiB, 16 MiB at most.
  std::size_t max_body = limits::body_default;
  /// How long members of groups and channels may edit a message after they sent it; admins, owners
  /// and the two of a direct conversation always may. Default 48 h. Bounds: 0 (never) and up.
  std::chrono::milliseconds edit_window = limits::edit_window;
  /// Bytes of what the engine holds in memory: queues, accepted and unanswered operations, messages
  /// that have not come whole, sessions, history (limits::recent_pages), and by a fixed weight each
  /// the conversations and users in use. From half of it on what nobody uses leaves memory at once;
  /// above it new operations are answered Errc::busy and new links refused. Queues of sessions have
  /// a fourth of it (limits::queues_part) together: what is encoded for links, the records that
  /// wait for a handler, each once however many sessions share them, and every session's references
  /// to them; not answers on their way to host code. One that has more queued than is left of that
  /// part lags (I5), and one behind a link is answered Errc::busy until it has read. A store bounds
  /// its own memory (LmdbStoreOptions). Default 256 MiB. Bounds: 1 MiB and up.
  std::size_t memory_limit = limits::memory_default;
  /// Sessions at once, links and in-process; more are refused (links) or answered
  /// Errc::limit_reached (attach). Default 100,000. Bounds: 1..10,000,000.
  std::size_t max_sessions = 100'000;
  /// Members of one group; who would be one more is answered Errc::limit_reached. Default 1,000.
  /// Bounds: 2..limits::group_members.
  std::size_t group_members = limits::group_members;
  /// Members of one channel, likewise. Default 1,000,000. Bounds: 1..limits::channel_members.
  std::size_t channel_members = limits::channel_members;
  /// Requests of any kind that one link may make in a second, whoever floods; more are answered
  /// Errc::busy with a time to retry and have no effect. Sessions of host code are not counted.
  /// Default 0: none is refused for that. Bounds: 0..1,000,000.
  std::uint32_t requests_per_second = 0;

  // Tuning.

  /// How often a client hears from a silent engine. Default 20 s. Bounds: 1 s .. 10 min.
  std::chrono::milliseconds heartbeat = limits::heartbeat;
  /// The first node in snowflakes; each shard takes one from here on, so engines on one store need
  /// ranges that do not overlap. Default 0. Bounds: 0..1023, the last shard's as well.
  std::uint16_t node = 0;
};

/// What a host changes while the engine runs (Engine::set_limits); what is absent stays. Meaning
/// and bounds: see EngineOptions.
struct LimitsUpdate {
  /// Clients go by what they were told when they connected; a longer body is then refused.
  std::optional<std::size_t> max_body{};
  std::optional<std::chrono::milliseconds> edit_window{};
  std::optional<std::size_t> memory_limit{};
  std::optional<std::size_t> max_sessions{};   // those that are there stay
  std::optional<std::size_t> group_members{};  // those that are in stay
  std::optional<std::size_t> channel_members{};
  std::optional<std::uint32_t> requests_per_second{};
};

}  // namespace parley::inline v0
