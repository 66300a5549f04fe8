// parley/transport.hpp: framed, ordered, flow-controlled pipes. Derive from Transport, or hand a
// Link to Engine::adopt.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/payload.hpp"
#include "parley/result.hpp"

namespace parley::inline v0 {

/// How the messages of a link are written; the transport negotiates it (a WebSocket subprotocol).
enum class Encoding : std::uint8_t { binary, json };

/// Why the engine closes a link. A transport maps it to its own close code.
enum class CloseReason : std::uint8_t {
  normal,          // detached, goodbye said
  going_away,      // the engine shuts down
  protocol_error,  // bytes that are no valid frame
  too_large,       // a message above the limit
  policy,          // unauthenticated, revoked
  slow_consumer,   // no progress within limits::stall
  internal,
};

/// One pipe to one peer. Derived by transports, owned by the engine, which destroys it after
/// LinkEvents::closed. It knows nothing of conversations; a message is an opaque block of bytes.
/// Thread: every call comes on the link's shard, and every call it makes must.
class Link {
 public:
  virtual ~Link() = default;
  /// Queues whole messages (of at least one byte) in order, writes at once what the network takes,
  /// keeps references to the rest. Never blocks. The engine calls it once a turn and link with all
  /// that is waiting. After close() it does nothing.
  virtual void send(std::span<const Payload> messages) = 0;
  /// Bytes accepted by send() and not yet taken by the network.
  [[nodiscard]] virtual std::size_t queued() const noexcept = 0;
  /// Bytes kept of a message that is still coming in; they count against the engine's memory.
  [[nodiscard]] virtual std::size_t held() const noexcept { return 0; }
  /// Starts closing, never blocks; what is queued may still be written. LinkEvents::closed follows
  /// exactly once. A second call changes nothing.
  virtual void close(CloseReason reason, std::string_view text) = 0;
  /// The largest message the engine takes from now on, in bytes; may be called inside opened(). A
  /// transport that can refuses a larger one before it buffers it, and ends with Errc::too_large.
  /// The engine checks all the same.
  virtual void limit_messages(std::size_t bytes) { (void)bytes; }
  /// Asks for LinkEvents::drained, once, when queued() has fallen to `at_most` bytes; it is above
  /// that now. A transport that cannot tell ignores it: the engine looks again every quarter of a
  /// second.
  virtual void tell_drained(std::size_t at_most) { (void)at_most; }
};

/// What a link tells the engine. Owned by the engine, valid until closed() returns.
/// Thread: the link's shard only, and never from inside Link::send or Link::close.
class LinkEvents {
 public:
  /// One whole message. The view is valid for the call only and need not be aligned.
  virtual void received(Bytes message) = 0;
  /// queued() has fallen to limits::queue_soft / 2 or below after having been above
  /// limits::queue_soft, or to what Link::tell_drained named.
  virtual void drained() = 0;
  /// The link keeps something that the engine does not know of: a part of a message (held()), or
  /// answers of its own that are queued. Called after each read that leaves it so; the engine looks
  /// after a link only while it does, so a link that never calls this is not held to
  /// limits::message_within.
  virtual void holding() = 0;
  /// The last call. An empty error means that the peer or the engine closed in an orderly way.
  virtual void closed(Error why) = 0;

 protected:
  ~LinkEvents() = default;
};

/// What the engine learns about a new link.
struct LinkInfo {
  std::string transport{};  // "ws"
  std::string peer{};       // for the log; "" when there is none
  Encoding encoding = Encoding::binary;
};

/// One shard as a transport sees it: a single-threaded loop with timers and descriptors.
/// Thread: the shard's, but for post(). Callbacks given here run on the shard, and not after
/// they were cancelled or the host has stopped.
class LinkHost {
 public:
  using Callback = std::function<void()>;
  using Clock = std::chrono::steady_clock;
  enum class Timer : std::uint64_t { none = 0 };
  enum class Watch : std::uint64_t { none = 0 };
  enum class Ready : std::uint8_t { readable = 1, writable = 2, both = 3 };

  /// Hands a connected link over. Null: refused (closing, or a limit is reached); the link is gone.
  virtual LinkEvents* opened(std::unique_ptr<Link> link, LinkInfo info) = 0;

  /// Runs `callback` on the shard, in the order posted. Thread: any.
  virtual void post(Callback callback) = 0;
  /// Runs `callback` on the shard before the current turn ends, when the engine has given its links
  /// all that it has for them in this turn: for what a transport does once for many links. As it
  /// stands here it posts it. Thread: the shard's.
  virtual void at_turn_end(Callback callback) { post(std::move(callback)); }
  /// The time of the current turn.
  [[nodiscard]] virtual Clock::time_point now() const noexcept = 0;
  /// One shot, not earlier than `delay`; resolution about 10 ms (one wheel a shard).
  virtual Timer start_timer(std::chrono::milliseconds delay, Callback callback) = 0;
  virtual void cancel_timer(Timer timer) noexcept = 0;

  /// True when watch() works here (not on platforms without descriptors).
  [[nodiscard]] virtual bool can_watch() const noexcept = 0;
  /// Calls back whenever a non-blocking descriptor is ready for what was asked (level-triggered).
  /// The descriptor stays the caller's; unwatch before closing it.
  virtual Watch watch(int descriptor, Ready interest, std::function<void(Ready)> callback) = 0;
  virtual void rewatch(Watch watch, Ready interest) = 0;  // changes the interest
  virtual void unwatch(Watch watch) noexcept = 0;
  /// A scratch buffer of at least 64 KiB shared by every link of the shard, for reads within one
  /// callback.
  virtual std::span<char> scratch() noexcept = 0;

 protected:
  ~LinkHost() = default;
};

/// What a transport can do; declared, not discovered.
struct TransportCapabilities {
  bool listens = false;
  bool dials = false;
};

/// Makes links. Found by URL scheme; registered in EngineOptions::transports. At most one engine
/// uses an instance. Thread: setup only (listen, dial, close), but dial may be called on a shard.
class Transport {
 public:
  virtual ~Transport() = default;  // after `stopped`
  [[nodiscard]] virtual TransportCapabilities capabilities() const noexcept = 0;
  /// Listens on `url` and spreads new links over `shards`. Returns the address bound, with the
  /// port filled in when the URL asked for port 0.
  virtual Result<std::string> listen(std::string_view url, std::span<LinkHost* const> shards) = 0;
  /// Connects; on success the link was handed to shard.opened() before `done` runs on the shard.
  virtual void dial(std::string_view url, Encoding encoding, LinkHost& shard,
                    std::function<void(Result<void>)> done) = 0;
  /// Stops listening at once and starts closing what is half open; `stopped` runs once, on any
  /// thread, when no callback of this transport can run any more. Open links are the engine's.
  virtual void close(std::function<void()> stopped) = 0;
};

}  // namespace parley::inline v0
