// sockets.hpp: many client connections on one thread and one epoll.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

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
  void send(int client, std::string_view bytes);
  /// Handles what has arrived; waits up to `timeout_ms` for it.
  void poll(int timeout_ms);
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(clients_.size()); }

 private:
  struct Client {
    int socket = -1;
    std::string partial;
  };
  void receive(int client);
  int port_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  OnBytes handler_;
  std::vector<char> buffer_;
};

}  // namespace parley::bench
