#include "sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace parley::bench {

Sockets::Sockets(int port)
    : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)), buffer_(256 * 1024) {}

Sockets::~Sockets() {
  for (const Client& client : clients_) close(client.socket);
  close(epoll_);
}

int Sockets::connect() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  const int number = size();
  clients_.push_back({socket, {}});
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(number);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  return number;
}

void Sockets::send(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(clients_[static_cast<std::size_t>(client)].socket, bytes.data(),
                                bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
  }
}

void Sockets::poll(int timeout_ms) {
  epoll_event events[512];
  const int count = epoll_wait(epoll_, events, 512, timeout_ms);
  for (int i = 0; i < count; ++i) receive(static_cast<int>(events[i].data.u32));
}

void Sockets::receive(int number) {
  Client& client = clients_[static_cast<std::size_t>(number)];
  const ssize_t got = recv(client.socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) throw std::runtime_error("a connection was closed by the server");
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (client.partial.empty()) {
    bytes.remove_prefix(handler_(number, bytes));
    if (!bytes.empty()) client.partial.assign(bytes);
    return;
  }
  client.partial += bytes;
  client.partial.erase(0, handler_(number, client.partial));
  if (client.partial.empty()) client.partial.shrink_to_fit();
}

}  // namespace parley::bench
