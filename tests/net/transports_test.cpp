// transports_test.cpp: the suite on `tcp:` and `ws:`, both encodings, sending at once and gathered.
#include "base/os_socket.hpp"
#include "parley/net.hpp"
#include "transport/conformance.hpp"
#include "transport/url.hpp"

using namespace parley;

namespace {

/// Writes `bytes` to a bound address and closes.
void write_and_vanish(std::string_view bound, std::string_view bytes) {
  const auto url = transport::parse_url(bound).value();
  auto socket = base::connect_stream(base::socket_address(url.host, *url.port).value()).value();
  const Bytes piece = bytes;
  // Connecting to loopback is over when connect() returns.
  REQUIRE(base::send_gathered(socket.get(), std::span(&piece, 1)).bytes == bytes.size());
}

}  // namespace

TEST_CASE("tcp passes the transport suite") {
  const auto encoding = GENERATE(Encoding::binary, Encoding::json);
  const std::size_t gather_from = GENERATE(0, 1);
  check_transport(
      {.make =
           [=] { return tcp_transport({{.max_message = 300'000, .gather_from = gather_from}}); },
       .url = "tcp://127.0.0.1:0",
       .nowhere = "tcp://127.0.0.1:1",
       .bad_url = "tcp://127.0.0.1:0/path",
       .encoding = encoding,
       .max_message = 300'000,
       .tells_drained = true,
       .vanish =
           [](std::string_view bound) {
             write_and_vanish(bound, std::string_view("PB1\n\0\0\0\x10half", 12));
           }});
}

TEST_CASE("ws passes the transport suite") {
  const auto encoding = GENERATE(Encoding::binary, Encoding::json);
  const std::size_t gather_from = GENERATE(0, 1);
  check_transport({.make =
                       [=] {
                         return websocket_transport(
                             {{.max_message = 300'000, .gather_from = gather_from}});
                       },
                   .url = "ws://127.0.0.1:0/chat",
                   .nowhere = "ws://127.0.0.1:1/chat",
                   .bad_url = "ws://127.0.0.1:70000/chat",
                   .encoding = encoding,
                   .max_message = 300'000,
                   .tells_drained = true,
                   .vanish =
                       [](std::string_view bound) {
                         const std::string head =
                             "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             "Sec-WebSocket-Protocol: parley.v1\r\n\r\n";
                         write_and_vanish(bound, head + std::string("\x82\x90\0\0\0\0half", 10));
                       }});
}

TEST_CASE("both speak IPv6") {
  for (const char* url : {"tcp://[::1]:0", "ws://[::1]:0/chat"}) {
    auto transport =
        std::string_view(url).starts_with("tcp") ? tcp_transport() : websocket_transport();
    const auto driver = testing::transport_driver();
    LinkHost* host = &driver->host(0);
    const auto bound = transport->listen(url, std::span(&host, 1));
    if (!bound.ok()) {
      WARN("no IPv6 here: " << bound.error().message);
      return;
    }
    CHECK(bound.value().find("[::1]:") != std::string::npos);
    bool stopped = false;
    transport->close([&] { stopped = true; });
    while (!stopped) driver->turn();
  }
}

TEST_CASE("options out of their bounds are refused by listen and dial") {
  const auto refused = [](std::unique_ptr<Transport> transport, const char* url) {
    const auto driver = testing::transport_driver();
    LinkHost* host = &driver->host(0);
    const auto bound = transport->listen(url, std::span(&host, 1));
    CHECK_FALSE(bound.ok());
    if (!bound.ok()) CHECK(bound.error().errc() == Errc::invalid_argument);
  };
  using std::chrono::milliseconds;
  refused(tcp_transport({{.max_message = 0}}), "tcp://127.0.0.1:0");
  refused(tcp_transport({{.max_message = (std::size_t{1} << 30) + 1}}), "tcp://127.0.0.1:0");
  refused(tcp_transport({{.handshake = milliseconds{0}}}), "tcp://127.0.0.1:0");
  refused(tcp_transport({{.heartbeat = milliseconds{5}, .dead_after = milliseconds{5}}}),
          "tcp://127.0.0.1:0");
  refused(tcp_transport({{.backlog = 0}}), "tcp://127.0.0.1:0");
  refused(websocket_transport({.upgrade = milliseconds{0}}), "ws://127.0.0.1:0");
  refused(websocket_transport({.static_files = "/nonexistent/folder"}), "ws://127.0.0.1:0");
  refused(websocket_transport({.max_static_file = 64 * limits::mib + 1}), "ws://127.0.0.1:0");

  const auto driver = testing::transport_driver();
  LinkHost* host = &driver->host(0);
  const auto named =
      websocket_transport()->listen("ws://no.such.name.example:0", std::span(&host, 1));
  CHECK(named.error().errc() == Errc::unreachable);
}
