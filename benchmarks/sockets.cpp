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
  for (const Client& client : clients_) {
    if (client.socket >= 0) close(client.socket);
  }
  close(epoll_);
}

namespace {

sockaddr_in loopback(int port, std::uint32_t which) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + which);
  return address;
}

/// Of client `number`: a few thousand each come from an address of their own, as the system looks
/// long for a free port when half of one's are taken.
int open_socket(int port, int flags, int number) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const int on = 1;
  setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in own = loopback(0, static_cast<std::uint32_t>(number / 4'000));
  const sockaddr_in address = loopback(port, 0);
  if (bind(socket, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

}  // namespace

int Sockets::add(int socket, bool connecting) {
  const int number = size();
  clients_.push_back({socket, connecting, {}});
  epoll_event event{};
  event.events = connecting ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(number);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  return number;
}

int Sockets::connect() {
  const int socket = open_socket(port_, 0, size());
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  return add(socket, false);
}

int Sockets::connect_later() { return add(open_socket(port_, SOCK_NONBLOCK, size()), true); }

void Sockets::opened(int number) {
  Client& client = clients_[static_cast<std::size_t>(number)];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client.socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) throw std::runtime_error(std::string("connect: ") + std::strerror(error));
  client.connecting = false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(number);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, client.socket, &event);
  open_handler_(number);
}

void Sockets::drop(int client) {
  close(clients_[static_cast<std::size_t>(client)].socket);
  clients_[static_cast<std::size_t>(client)] = {};
}

void Sockets::send(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(clients_[static_cast<std::size_t>(client)].socket, bytes.data(),
                                bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return;  // poll() tells
    } else if (errno != EAGAIN) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
  }
}

void Sockets::poll(int timeout_ms) {
  epoll_event events[512];
  const int count = epoll_wait(epoll_, events, 512, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const auto number = static_cast<int>(events[i].data.u32);
    if (clients_[static_cast<std::size_t>(number)].connecting) opened(number);
    if ((events[i].events & ~static_cast<unsigned>(EPOLLOUT)) != 0) receive(number);
  }
}

void Sockets::receive(int number) {
  Client& client = clients_[static_cast<std::size_t>(number)];
  const ssize_t got = recv(client.socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(number);
    throw Closed(number);
  }
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
