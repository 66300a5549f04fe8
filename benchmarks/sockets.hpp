// sockets.hpp: many client connections on one thread and one epoll.
#pragma once
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

/// Thrown by poll(): the server has closed a client's connection, which is dropped. What else has
/// arrived is handled by the next poll().
struct Closed : std::runtime_error {
  explicit Closed(int number)
      : std::runtime_error("a connection was closed by the server"), client(number) {}
  int client;
};

class Sockets {
 public:
  /// Gets what a client has received and not taken yet; answers how many bytes of it are taken.
  using OnBytes = std::function<std::size_t(int client, std::string_view bytes)>;

  explicit Sockets(int port);
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  void on_bytes(OnBytes handler) { handler_ = std::move(handler); }
  /// Connects one more to 127.0.0.1, blocking; its number.
  int connect();
  /// Begins to connect one more and answers its number; on_open is called when it may send.
  int connect_later();
  void on_open(std::function<void(int client)> handler) { open_handler_ = std::move(handler); }
  /// Closes a client's connection; its number is not used again.
  void drop(int client);
  void send(int client, std::string_view bytes);
  /// Handles what has arrived; waits up to `timeout_ms` for it.
  void poll(int timeout_ms);
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(clients_.size()); }

 private:
  struct Client {
    int socket = -1;
    bool connecting = false;
    std::string partial;
  };
  int add(int socket, bool connecting);
  void opened(int client);
  void receive(int client);
  int port_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  OnBytes handler_;
  std::function<void(int client)> open_handler_;
  std::vector<char> buffer_;
};

}  // namespace parley::bench
