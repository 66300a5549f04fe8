// parley/net.hpp: the transports over sockets: `ws:` for browsers and everybody else, `tcp:` for
// the plain case.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "parley/limits.hpp"
#include "parley/transport.hpp"

namespace parley::inline v0 {

/// What every socket transport has. All deadlines are absolute: no byte that a peer sends extends
/// them. They are kept by a sweep of each shard, so one may end late by a quarter of the shortest
/// of them, a second at most. Not to be changed at run time.
struct SocketOptions {
  /// Largest message in bytes until Link::limit_messages says otherwise. 1 to 1 GiB.
  std::size_t max_message = limits::body_default + 64 * limits::kib;
  /// Accepted connections at one time, over all shards; more are closed at once.
  std::size_t max_connections = 1'000'000;
  /// Of those, from one IPv4 address or one IPv6 network of 64 bits; more are closed at once. 0:
  /// not counted, for a listener behind a proxy, where everybody comes from one address.
  std::size_t max_connections_per_address = 0;
  /// Connected (or accepted) to usable.
  std::chrono::milliseconds handshake = limits::handshake_tcp;
  /// A peer that was silent for so long is pinged.
  std::chrono::milliseconds heartbeat = limits::heartbeat;
  /// One that was silent for so long is given up; more than `heartbeat`.
  std::chrono::milliseconds dead_after = limits::dead_after;
  /// From our goodbye to the end of the connection, whatever the peer does.
  std::chrono::milliseconds closing{3'000};
  /// Connections that the system holds for us before we accept them.
  int backlog = 4'096;
  /// Bytes that the kernel buffers a connection and direction; 0: its own choice.
  int kernel_buffer = 0;
  /// The how-manieth send of a shard's turn is the first that is gathered: small ones (messages of
  /// 4 KiB in all) from there on are given to the kernel together, at the end of the turn, through
  /// io_uring. 1: all of them; 0: none, each is a system call. Where io_uring does not work each is
  /// one too; the first to be gathered finds that out. Takes 100 KiB a shard.
  std::size_t gather_from = 8;
};

/// Whether sends can be gathered here: Errc::unsupported and the reason when Parley was built
/// without liburing, or the kernel or what guards it (seccomp, kernel.io_uring_disabled) refuses.
/// Thread: any.
Result<void> io_uring_works();

/// `tcp://host:port`. The wire: the side that dialled sends four bytes, "PB1\n" for binary or
/// "PJ1\n" for JSON messages. After them both sides send messages: a length of 4 bytes, big-endian,
/// and so many bytes. Length 0 asks for a sign of life and is answered by length 0xffffffff;
/// neither carries a message. Length 0xfffffffe is the last one of a side that closes; a stream
/// that ends without it was cut.
struct TcpOptions : SocketOptions {};

/// `ws://host:port/path` (RFC 6455 without extensions). The subprotocol chooses the encoding:
/// "parley.v1" binary messages, "parley.v1.json" text messages; a client that offers neither is
/// refused with 400. A path other than the URL's is refused with 404, or is a static file.
struct WebsocketOptions : SocketOptions {
  /// Connected to the end of the HTTP request (in place of SocketOptions::handshake, which holds
  /// for dialling).
  std::chrono::milliseconds upgrade = limits::handshake_upgrade;
  /// Origins that browsers may connect from, as they send them ("https://chat.example"); "*" allows
  /// any. Empty: only the origin whose host and port are those of the request itself. A request
  /// without an Origin header comes from no browser and is always allowed.
  std::vector<std::string> origins{};
  /// A directory whose files are served to GET and HEAD on the same port; "/" is index.html. Never
  /// anything outside it, nothing whose name begins with a dot. Empty: none. Read on the shard:
  /// meant for a small page, not for a web site.
  std::string static_files{};
  /// Larger files are refused with 404. At most 64 MiB.
  std::size_t max_static_file = 4 * limits::mib;
  /// From the request to the last byte of a file.
  std::chrono::milliseconds serving{60'000};
};

/// Both listen and dial. Host names are not looked up: an IPv4 or IPv6 literal, `localhost`, and to
/// listen also `*`. A dialled link answers with Errc::unreachable, timed_out, or protocol_error.
/// Thread: setup only.
std::unique_ptr<Transport> tcp_transport(TcpOptions options = {});
std::unique_ptr<Transport> websocket_transport(WebsocketOptions options = {});

}  // namespace parley::inline v0
