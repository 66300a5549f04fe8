// pubsub.cpp: clients of a peer, in its dialect, over WebSocket or plain TCP.
#include "pubsub.hpp"

#include "sockets.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

/// What the two ways to carry a dialect share: telling deliveries from answers.
class DialectPubSub : public PubSub {
 public:
  explicit DialectPubSub(Dialect dialect) : dialect_(std::move(dialect)) {}

  int connect() override {
    const int client = open();
    if (dialect_.hello) say(client, dialect_.hello(client));
    if (dialect_.greets) await_answer();
    return client;
  }
  void subscribe(int client, int room) override {
    say(client, dialect_.subscribe(room));
    await_answer();
  }
  void publish(int client, int room) override { say(client, dialect_.publish(room)); }

 protected:
  virtual int open() = 0;
  virtual void say(int client, std::string_view bytes) = 0;
  /// How many bytes were whole messages.
  std::size_t heard(int client, std::string_view bytes) {
    const std::size_t size = bytes.size();
    std::uint64_t deliveries = 0;
    while (!bytes.empty()) {
      const Taken taken = dialect_.take(bytes);
      if (taken.kind == Kind::part) break;
      if (taken.kind == Kind::delivery) ++deliveries;
      if (taken.kind == Kind::answer) ++answers_;
      if (taken.kind == Kind::ping) say(client, dialect_.pong);
      bytes.remove_prefix(taken.size);
    }
    if (deliveries > 0) on_delivery(client, deliveries);
    return size - bytes.size();
  }
  Dialect dialect_;

 private:
  void await_answer() {
    const std::uint64_t before = answers_;
    while (answers_ == before) poll(1'000);
  }
  std::uint64_t answers_ = 0;
};

class WebsocketPubSub final : public DialectPubSub {
 public:
  WebsocketPubSub(const Dialect& dialect, int port)
      : DialectPubSub(dialect), load_(port, dialect.websocket_path, "") {
    load_.on_message([this](int client, std::string_view message) { heard(client, message); });
  }
  void poll(int timeout_ms) override { load_.poll(timeout_ms); }

 private:
  int open() override { return load_.connect(); }
  void say(int client, std::string_view bytes) override {
    load_.send(client, bytes, dialect_.text);
  }
  WebsocketLoad load_;
};

class StreamPubSub final : public DialectPubSub {
 public:
  StreamPubSub(const Dialect& dialect, int port) : DialectPubSub(dialect), sockets_(port) {
    sockets_.on_bytes([this](int client, std::string_view bytes) { return heard(client, bytes); });
  }
  void poll(int timeout_ms) override { sockets_.poll(timeout_ms); }

 private:
  int open() override { return sockets_.connect(); }
  void say(int client, std::string_view bytes) override { sockets_.send(client, bytes); }
  Sockets sockets_;
};

}  // namespace

std::unique_ptr<PubSub> pubsub(const std::string& protocol, int port, std::size_t body_size) {
  if (protocol == "parley") return parley_pubsub(port, body_size);
  const Dialect spoken = dialect(protocol, std::string(body_size, 'x'));
  if (spoken.websocket_path.empty()) return std::make_unique<StreamPubSub>(spoken, port);
  return std::make_unique<WebsocketPubSub>(spoken, port);
}

}  // namespace parley::bench
