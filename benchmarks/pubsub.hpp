// pubsub.hpp: what the load asks of any server: connect, subscribe to a room, publish to it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace parley::bench {

/// Clients of one server, on one thread. Rooms are numbered from zero.
class PubSub {
 public:
  virtual ~PubSub() = default;
  /// A client more, connected and signed in; its number. Blocks.
  virtual int connect() = 0;
  /// Returns when the server has confirmed it.
  virtual void subscribe(int client, int room) = 0;
  /// Of the body given when this was made. Only clients that are in the room may.
  virtual void publish(int client, int room) = 0;
  virtual void poll(int timeout_ms) = 0;

  /// Called as messages arrive at clients, the publisher included.
  std::function<void(int client, std::uint64_t count)> on_delivery = [](int, std::uint64_t) {};
};

/// What a message from a server is to the load.
enum class Kind : std::uint8_t { part, delivery, answer, ping, other };
struct Taken {
  std::size_t size = 0;
  Kind kind = Kind::part;  // part: not whole yet
};
/// How a peer's protocol says things.
struct Dialect {
  std::string websocket_path{};  // empty: plain TCP
  bool text = false;             // WebSocket messages are text
  bool greets = false;           // the server's answer to hello is awaited
  std::function<std::string(int client)> hello{};
  std::function<std::string(int room)> subscribe{};
  std::function<std::string(int room)> publish{};
  std::string pong{};
  /// The first message of those that arrived.
  std::function<Taken(std::string_view bytes)> take{};
};

/// `protocol`: parley, plain (the floors and ws), socketio, centrifuge, redis, nats or mqtt. Throws
/// when there is no such.
std::unique_ptr<PubSub> pubsub(const std::string& protocol, int port, std::size_t body_size);
std::unique_ptr<PubSub> parley_pubsub(int port, std::size_t body_size);
Dialect dialect(const std::string& protocol, const std::string& body);

}  // namespace parley::bench
