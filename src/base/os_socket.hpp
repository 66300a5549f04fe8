// base/os_socket.hpp: non-blocking stream sockets; the only place that makes socket calls.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/payload.hpp"
#include "parley/result.hpp"

namespace parley::base {

/// Owns a descriptor and closes it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() noexcept;
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// An IPv4 or IPv6 address and a port.
struct SocketAddress {
  alignas(8) std::array<std::byte, 28> bytes{};  // as the system lays it out
  std::uint32_t size = 0;
};

/// A literal ("127.0.0.1", "::1", also in brackets), "localhost" (127.0.0.1), or "" and "*" (every
/// IPv4 address). Nothing is looked up: any other name is Errc::unreachable.
Result<SocketAddress> socket_address(std::string_view host, std::uint16_t port);

/// The port of an address, and the address as text without the port ("" when there is none).
std::uint16_t port_of(const SocketAddress& address) noexcept;
std::string host_of(const SocketAddress& address);
/// What one party has to itself: an IPv4 address (mapped into IPv6 or not), or the first 64 bits of
/// an IPv6 one. 0 when it is neither.
std::uint64_t network_of(const SocketAddress& address) noexcept;

enum class IoStatus : std::uint8_t {
  ok,
  would_block,
  end,        // the peer has shut its side down
  exhausted,  // accept: out of descriptors or memory, try again later
  failed,
};

struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;
  int error = 0;  // errno, when failed
};

/// The system's text for an errno.
std::string system_message(int error);

// All descriptors made here are non-blocking and close-on-exec; connections have TCP_NODELAY set.

/// Errc::address_in_use, or unavailable for whatever else the system says.
Result<Descriptor> listen_stream(const SocketAddress& address, int backlog);
/// Puts the connection into `accepted`. Errors of the connection itself are would_block-like: the
/// caller just goes on, so they are not reported.
IoStatus accept_stream(int listener, Descriptor& accepted) noexcept;
/// Starts connecting; the descriptor becomes writable when that is over, see connect_error().
Result<Descriptor> connect_stream(const SocketAddress& address);
/// How connecting ended: 0, or an errno.
int connect_error(int descriptor) noexcept;

IoResult receive(int descriptor, std::span<char> into) noexcept;
inline constexpr std::size_t max_pieces = 128;
/// Sends up to max_pieces pieces with one call, without SIGPIPE.
IoResult send_gathered(int descriptor, std::span<const Bytes> pieces) noexcept;
/// Tells the peer that nothing more will come.
void shutdown_send(int descriptor) noexcept;

SocketAddress local_address(int descriptor) noexcept;
SocketAddress peer_address(int descriptor) noexcept;
/// Bounds what the kernel holds for a connection, in bytes; 0 leaves the system's choice.
void limit_buffers(int descriptor, int send, int receive) noexcept;

}  // namespace parley::base
