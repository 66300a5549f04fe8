// os_socket.cpp: BSD sockets on Linux.
#include "base/os_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/endian.hpp"

namespace parley::base {
namespace {

static_assert(sizeof(sockaddr_in6) <= sizeof(SocketAddress::bytes));

template <class T>
SocketAddress wrap(const T& from) noexcept {
  SocketAddress address;
  std::memcpy(address.bytes.data(), &from, sizeof from);
  address.size = sizeof from;
  return address;
}

const sockaddr* raw(const SocketAddress& address) noexcept {
  return reinterpret_cast<const sockaddr*>(address.bytes.data());
}

void set_option(int descriptor, int level, int name, int value) noexcept {
  ::setsockopt(descriptor, level, name, &value, sizeof value);
}

template <class F>
SocketAddress ask(F call, int descriptor) noexcept {
  SocketAddress address;
  auto size = static_cast<socklen_t>(address.bytes.size());
  auto* to = reinterpret_cast<sockaddr*>(address.bytes.data());
  if (call(descriptor, to, &size) == 0 && size <= address.bytes.size()) address.size = size;
  return address;
}

IoResult failure() noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.status = IoStatus::would_block};
  return {.status = IoStatus::failed, .error = errno};
}

Error system_error(std::string what, int error) {
  const Errc code = error == EADDRINUSE ? Errc::address_in_use : Errc::unavailable;
  return {code, std::move(what) + ": " + system_message(error)};
}

}  // namespace

void Descriptor::reset() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::string system_message(int error) { return std::generic_category().message(error); }

Result<SocketAddress> socket_address(std::string_view host, std::uint16_t port) {
  std::string text(host);
  if (text.size() > 1 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  if (text == "localhost") text = "127.0.0.1";
  if (text.empty() || text == "*") text = "0.0.0.0";
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) return wrap(four);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) return wrap(six);
  return Error{Errc::unreachable,
               "host: expected an IPv4 or IPv6 address or localhost; names are "
               "not looked up here, resolve '" +
                   text + "' first"};
}

std::uint16_t port_of(const SocketAddress& address) noexcept {
  if (address.size < sizeof(sockaddr_in)) return 0;
  sockaddr_in in{};  // sin_port and sin6_port lie at the same place
  std::memcpy(&in, address.bytes.data(), sizeof in);
  return ntohs(in.sin_port);
}

std::string host_of(const SocketAddress& address) {
  if (address.size == sizeof(sockaddr_in)) {
    sockaddr_in four{};
    std::memcpy(&four, address.bytes.data(), sizeof four);
    const std::uint32_t host = ntohl(four.sin_addr.s_addr);
    std::string text = std::to_string(host >> 24);  // inet_ntop() does it by sprintf()
    for (const int shift : {16, 8, 0})
      text.append(1, '.').append(std::to_string(host >> shift & 255));
    return text;
  }
  if (address.size != sizeof(sockaddr_in6)) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  sockaddr_in6 six{};
  std::memcpy(&six, address.bytes.data(), sizeof six);
  ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  return text.data();
}

std::uint64_t network_of(const SocketAddress& address) noexcept {
  constexpr std::uint64_t mapped = std::uint64_t{0xffff} << 32;  // ::ffff:a.b.c.d
  if (address.size == sizeof(sockaddr_in)) {
    sockaddr_in four{};
    std::memcpy(&four, address.bytes.data(), sizeof four);
    return mapped | ntohl(four.sin_addr.s_addr);
  }
  if (address.size != sizeof(sockaddr_in6)) return 0;
  sockaddr_in6 six{};
  std::memcpy(&six, address.bytes.data(), sizeof six);
  const auto* bytes = reinterpret_cast<const char*>(six.sin6_addr.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) return get_be64(bytes + 8);
  return get_be64(bytes);
}

Result<Descriptor> listen_stream(const SocketAddress& address, int backlog) {
  Descriptor socket(
      ::socket(raw(address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("cannot make a socket", errno);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // past connections in TIME_WAIT only
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);  // those that are accepted inherit it
  if (::bind(socket.get(), raw(address), address.size) != 0 ||
      ::listen(socket.get(), backlog) != 0) {
    return system_error(
        "cannot listen on " + host_of(address) + " port " + std::to_string(port_of(address)),
        errno);
  }
  return socket;
}

IoStatus accept_stream(int listener, Descriptor& accepted) noexcept {
  for (;;) {
    const int got = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (got >= 0) {
      accepted = Descriptor(got);
      return IoStatus::ok;
    }
    switch (errno) {
      case EAGAIN:
        return IoStatus::would_block;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return IoStatus::exhausted;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
        return IoStatus::failed;
      default:
        break;  // the connection died while it waited
    }
  }
}

Result<Descriptor> connect_stream(const SocketAddress& address) {
  Descriptor socket(
      ::socket(raw(address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("cannot make a socket", errno);
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (::connect(socket.get(), raw(address), address.size) != 0 && errno != EINPROGRESS) {
    return Error{Errc::unreachable, "cannot connect: " + system_message(errno)};
  }
  return socket;
}

int connect_error(int descriptor) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

IoResult receive(int descriptor, std::span<char> into) noexcept {
  for (;;) {
    const ssize_t got = ::recv(descriptor, into.data(), into.size(), 0);
    if (got > 0) return {.bytes = static_cast<std::size_t>(got)};
    if (got == 0) return {.status = IoStatus::end};
    if (errno != EINTR) return failure();
  }
}

IoResult send_gathered(int descriptor, std::span<const Bytes> pieces) noexcept {
  std::array<iovec, max_pieces> parts;  // NOLINT(*-member-init): filled as far as it is used
  const std::size_t count = std::min(pieces.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (sent >= 0) return {.bytes = static_cast<std::size_t>(sent)};
    if (errno != EINTR) return failure();
  }
}

void shutdown_send(int descriptor) noexcept { ::shutdown(descriptor, SHUT_WR); }

SocketAddress local_address(int descriptor) noexcept { return ask(::getsockname, descriptor); }
SocketAddress peer_address(int descriptor) noexcept { return ask(::getpeername, descriptor); }

void limit_buffers(int descriptor, int send, int receive) noexcept {
  if (send > 0) set_option(descriptor, SOL_SOCKET, SO_SNDBUF, send);
  if (receive > 0) set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receive);
}

}  // namespace parley::base
