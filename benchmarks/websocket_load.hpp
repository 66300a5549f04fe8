// websocket_load.hpp: many WebSocket clients on one thread, and Parley's protocol on top of them.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sockets.hpp"
#include "wire/codec.hpp"

namespace parley::bench {

/// Speaks RFC 6455 as a client, no more of it than a benchmark on loopback needs.
class WebsocketLoad {
 public:
  /// Called with each whole message and the client's number. The view is valid for the call.
  using OnMessage = std::function<void(int client, std::string_view message)>;

  WebsocketLoad(int port, std::string path, std::string subprotocol);

  /// Connects and upgrades one client, blocking; its number.
  int connect();
  /// Begins to connect one; on_upgraded is called when it is open.
  int connect_later();
  void on_upgraded(std::function<void(int client)> handler) { upgraded_handler_ = handler; }
  void drop(int client) { sockets_.drop(client); }
  void send(int client, std::string_view payload, bool text = false);
  void on_message(OnMessage handler) { handler_ = std::move(handler); }
  /// Handles what has arrived; waits up to `timeout_ms` for it.
  void poll(int timeout_ms) { sockets_.poll(timeout_ms); }
  [[nodiscard]] int size() const noexcept { return sockets_.size(); }

 private:
  void ask_upgrade(int client);
  void send_frame(int client, int opcode, std::string_view payload);
  std::size_t received(int client, std::string_view bytes);
  std::string path_, subprotocol_;
  Sockets sockets_;
  std::vector<bool> upgraded_;
  OnMessage handler_;
  std::function<void(int client)> upgraded_handler_ = [](int) {};
};

/// Parley's binary protocol over the load: signs clients in and asks one thing at a time.
class ParleyLoad {
 public:
  explicit ParleyLoad(int port);
  int sign_in(const std::string& name);
  /// What a client was told when it signed in.
  [[nodiscard]] const wire::Welcome& welcome(int client) const {
    return welcomes_[static_cast<std::size_t>(client)];
  }
  [[nodiscard]] UserId user(int client) const { return welcome(client).user; }
  /// Begins to connect one more client; on_upgraded is called when it may say hello.
  int connect_later() { return load_.connect_later(); }
  void on_upgraded(std::function<void(int client)> handler) { load_.on_upgraded(handler); }
  void drop(int client) { load_.drop(client); }
  /// Sends a request and waits for its answer; pushes that come meanwhile are counted.
  wire::Answer ask(int client, wire::Operation operation);
  void post(int client, std::uint32_t number, wire::Operation operation);
  void poll(int timeout_ms) { load_.poll(timeout_ms); }
  [[nodiscard]] int size() const noexcept { return load_.size(); }

  std::uint64_t events = 0;                              // delivered so far, over all clients
  std::function<void(std::uint32_t request)> on_answer;  // without a waiting ask()
  std::function<void(int client, std::uint64_t first, std::uint32_t count)> on_events;
  std::function<void(int client, const wire::Reply&)> on_reply;  // the same, decoded
  std::function<void(const wire::Answer&)> on_push;  // what is neither event nor answer, decoded

 private:
  void message(std::string_view bytes, int client);
  std::vector<wire::Reply> decoded(std::string_view frames);
  void pushed(std::string_view frame);
  WebsocketLoad load_;
  std::unique_ptr<wire::Codec> codec_ = wire::binary_codec();
  std::uint32_t asked_ = 0;
  std::uint32_t next_request_ = 1'000'000;
  std::vector<wire::Answer> answer_;
  std::vector<wire::Welcome> welcomes_;
};

}  // namespace parley::bench
