// abuse_test.cpp: peers that stall, drip, flood and lie at each layer; deadlines are absolute,
// bounds hold.
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "base/endian.hpp"
#include "net/manual_host.hpp"
#include "net/websocket_codec.hpp"
#include "parley/limits.hpp"
#include "parley/net.hpp"

using namespace parley;
using namespace parley::testing_net;
using namespace std::chrono_literals;

namespace {

const std::string upgrade =
    "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: parley.v1\r\n";

constexpr std::string_view ws_url = "ws://127.0.0.1:0/chat";
constexpr std::string_view tcp_url = "tcp://127.0.0.1:0";
constexpr auto sweep = 1s;  // how late a deadline may be

std::string masked(net::Opcode opcode, std::string_view payload) {
  return net::masked_frame(opcode, payload, 0x01020304);
}

void open_ws(RawPeer& peer) {
  REQUIRE(peer.write(upgrade + "\r\n"));
  REQUIRE(peer.saw("\r\n\r\n"));
  REQUIRE(peer.received().starts_with("HTTP/1.1 101 "));
  peer.forget();
}

}  // namespace

TEST_CASE("ws: a peer that says nothing is gone at the upgrade deadline, and not before") {
  Server server(websocket_transport(), ws_url);
  RawPeer peer(server);
  server.host.advance(limits::handshake_upgrade - 10ms);
  CHECK(peer.read());
  server.host.advance(10ms + sweep);
  CHECK_FALSE(peer.read());
  CHECK(server.host.ears.empty());
}

TEST_CASE("ws: dripping header bytes does not move the deadline") {
  Server server(websocket_transport(), ws_url);
  RawPeer peer(server);
  const std::string request = upgrade + "X-Slow: " + std::string(4'000, 'x');
  std::size_t at = 0;
  milliseconds passed = 0ms;
  while (peer.read() && passed < 60s && peer.write(request.substr(at, 1))) {
    ++at;
    server.host.advance(100ms);
    passed += 100ms;
  }
  CHECK(passed >= limits::handshake_upgrade - 100ms);
  CHECK(passed <= limits::handshake_upgrade + sweep + 200ms);
}

TEST_CASE("ws: header floods are answered with 431") {
  Server server(websocket_transport(), ws_url);
  SECTION("bytes at the limit are taken, one more is not") {
    const std::size_t room = limits::http_header - upgrade.size() - 9 - 4;
    for (const std::size_t more : {0, 1}) {
      RawPeer peer(server);
      peer.write(upgrade + "X-Flood: " + std::string(room + more, 'x') + "\r\n\r\n");
      CHECK(peer.saw(more == 0 ? "HTTP/1.1 101 " : "HTTP/1.1 431 "));
    }
    RawPeer peer(server);
    peer.write(upgrade + "X-Flood: " + std::string(limits::http_header, 'x'));
    CHECK(peer.saw("HTTP/1.1 431 "));
  }
  SECTION("fields at the limit, and one past it") {
    for (const std::size_t more : {0, 1}) {
      std::string request = upgrade;  // six fields
      for (std::size_t i = 6; i < limits::http_headers + more; ++i) request += "X: y\r\n";
      RawPeer peer(server);
      peer.write(request + "\r\n");
      CHECK(peer.saw(more == 0 ? "HTTP/1.1 101 " : "HTTP/1.1 431 "));
    }
  }
  SECTION("an endless target") {
    RawPeer peer(server);
    peer.write("GET /" + std::string(limits::http_header, 'a'));
    CHECK(peer.saw("HTTP/1.1 431 "));
  }
  SECTION("no HTTP at all") {
    for (const char* junk : {"\x16\x03\x01\x02\x00\x01\x00", "PB1\n", "SSH-2.0-x\r\n",
                             "GET\r\n\r\n", "GET / HTTP/1.1\nHost x\n\n", "\r\n\r\n\0\0"}) {
      RawPeer peer(server);
      peer.write(std::string(junk) + std::string(64, '\x01'));
      CHECK(peer.saw("HTTP/1.1 400 "));
    }
  }
}

TEST_CASE("ws: a refused peer that does not leave is cut at the closing deadline") {
  Server server(websocket_transport(), ws_url);
  RawPeer peer(server);
  peer.write("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(peer.saw("HTTP/1.1 404 "));
  const std::size_t listening = 1;
  CHECK(server.host.watches() == listening + 1);  // it drains, so that no reset eats the answer
  for (milliseconds passed = 0ms; passed < 3s + sweep; passed += 100ms) {
    peer.write("x");
    server.host.advance(100ms);
  }
  CHECK(server.host.watches() == listening);
}

TEST_CASE("a silent link is pinged, kept while it answers, and given up when it does not") {
  const bool ws = GENERATE(true, false);
  Server server(ws ? websocket_transport() : tcp_transport(), ws ? ws_url : tcp_url);
  RawPeer peer(server);
  if (ws) {
    open_ws(peer);
  } else {
    peer.write("PB1\n");
  }
  REQUIRE(server.host.ears.size() == 1);
  const std::string ping = ws ? std::string("\x89\0", 2) : std::string(4, '\0');
  const std::string pong = ws ? masked(net::Opcode::pong, "") : std::string(4, '\xff');
  for (int round = 0; round < 3; ++round) {
    server.host.advance(limits::heartbeat - 10ms);
    peer.read();
    CHECK(peer.received().empty());
    server.host.advance(10ms + sweep);
    CHECK(peer.saw(ping));
    CHECK(peer.received() == ping);
    peer.forget();
    REQUIRE(peer.write(pong));
    server.host.turn();
  }
  server.host.advance(limits::dead_after - 10ms);
  CHECK_FALSE(server.host.ears[0]->closed_seen);
  server.host.advance(10ms + sweep);
  CHECK(server.host.ears[0]->closed_seen);
  CHECK(server.host.ears[0]->why.errc() == Errc::disconnected);
  CHECK(server.host.ears[0]->got.empty());
}

TEST_CASE("a peer that ignores our goodbye is cut at the closing deadline") {
  const bool ws = GENERATE(true, false);
  Server server(ws ? websocket_transport() : tcp_transport(), ws ? ws_url : tcp_url);
  RawPeer peer(server);
  if (ws) {
    open_ws(peer);
  } else {
    peer.write("PB1\n");
  }
  REQUIRE(server.host.ears.size() == 1);
  Ear& ear = *server.host.ears[0];
  ear.link->close(CloseReason::policy, "leave");
  CHECK(peer.saw(ws ? std::string("\x88\x07\x03\xf0leave") : std::string("\xff\xff\xff\xfe")));
  const std::string chatter =
      ws ? masked(net::Opcode::binary, "more") : std::string("\0\0\0\1x", 5);
  for (milliseconds passed = 0ms; passed < 3s - 200ms; passed += 100ms) {
    peer.write(chatter);
    server.host.advance(100ms);
    REQUIRE_FALSE(ear.closed_seen);
  }
  server.host.advance(200ms + sweep);
  CHECK(ear.closed_seen);
  CHECK_FALSE(ear.why);
  CHECK(ear.got.empty());
}

TEST_CASE("ws: what a peer must not send ends the link with the right code") {
  struct Row {
    std::string bytes;
    net::CloseCode code;
    Errc errc;
  };
  std::string huge("\x82\xff", 2);
  base::append_be(huge, std::uint64_t{1} << 40);
  const Row rows[] = {
      {huge + "mask", net::CloseCode::too_large, Errc::too_large},
      {std::string("\x82\x01x", 3), net::CloseCode::protocol_error, Errc::protocol_error},
      {masked(net::Opcode::text, "{}"), net::CloseCode::unsupported, Errc::protocol_error},
      {std::string("\x83\x80", 2) + "mask", net::CloseCode::protocol_error, Errc::protocol_error},
      {masked(net::Opcode::close, std::string("\x03", 1)), net::CloseCode::protocol_error,
       Errc::protocol_error},
  };
  Server server(websocket_transport(), ws_url);
  for (const Row& row : rows) {
    RawPeer peer(server);
    open_ws(peer);
    Ear& ear = *server.host.ears.back();
    peer.write(row.bytes);
    std::string code(2, '\0');
    base::put_be16(code.data(), static_cast<std::uint16_t>(row.code));
    CHECK(peer.saw(code));
    CHECK(peer.received()[0] == '\x88');
    peer.leave();
    for (int i = 0; i < 1000 && !ear.closed_seen; ++i) server.host.turn();
    CHECK(ear.closed_seen);
    CHECK(ear.why.errc() == row.errc);
  }
}

TEST_CASE("ws: a close is answered with the same code, and means something to the engine") {
  Server server(websocket_transport(), ws_url);
  const std::pair<int, Errc> rows[] = {{1000, Errc::ok},
                                       {1001, Errc::ok},
                                       {0, Errc::ok},
                                       {1009, Errc::too_large},
                                       {4001, Errc::disconnected}};
  for (const auto& [code, errc] : rows) {
    RawPeer peer(server);
    open_ws(peer);
    Ear& ear = *server.host.ears.back();
    std::string payload;
    if (code != 0) base::append_be(payload, static_cast<std::uint16_t>(code));
    peer.write(masked(net::Opcode::close, payload));
    CHECK(peer.read_all() == std::string{'\x88', static_cast<char>(payload.size())} + payload);
    peer.leave();
    for (int i = 0; i < 1000 && !ear.closed_seen; ++i) server.host.turn();
    CHECK(ear.closed_seen);
    CHECK(ear.why.errc() == errc);
  }
}

TEST_CASE("half-open: a peer that shuts its side down is gone") {
  const bool ws = GENERATE(true, false);
  const bool open = GENERATE(true, false);
  Server server(ws ? websocket_transport() : tcp_transport(), ws ? ws_url : tcp_url);
  RawPeer peer(server);
  if (open) {
    ws ? open_ws(peer) : void(peer.write("PB1\n"));
    server.host.turn();
    REQUIRE(server.host.ears.size() == 1);
  } else {
    peer.write(ws ? "GET / HT" : "PB");
  }
  peer.shut();
  CHECK(peer.read_all().empty());
  if (open) CHECK(server.host.ears[0]->why.errc() == Errc::disconnected);
  CHECK(server.host.ears.size() == (open ? 1U : 0U));
}

TEST_CASE("tcp: a preamble that stalls, drips or is wrong") {
  Server server(tcp_transport(), tcp_url);
  SECTION("stalls") {
    RawPeer peer(server);
    peer.write("PB1");
    server.host.advance(limits::handshake_tcp - 10ms);
    CHECK(peer.read());
    server.host.advance(10ms + sweep);
    CHECK_FALSE(peer.read());
  }
  SECTION("is wrong from the first byte that is") {
    for (const char* wrong : {"GET / HTTP", "PX", "PB2", "PJ1\r", "PB1\r"}) {
      RawPeer peer(server);
      peer.write(wrong);
      CHECK(peer.read_all().empty());
    }
  }
  SECTION("announces too much") {
    RawPeer peer(server);
    std::string bytes = "PB1\n";
    base::append_be(bytes, std::uint32_t{0xfffffffd});
    peer.write(bytes + "x");
    CHECK(peer.read_all() == "\xff\xff\xff\xfe");
    peer.leave();
    server.host.turn();
    CHECK(server.host.ears[0]->why.errc() == Errc::too_large);
  }
  CHECK(server.host.ears.size() <= 1);
}

TEST_CASE("a flood of pings from a peer that does not read is not answered without bound") {
  const bool ws = GENERATE(true, false);
  Server server(ws ? websocket_transport({{.kernel_buffer = 4096}})
                   : tcp_transport({{.kernel_buffer = 4096}}),
                ws ? ws_url : tcp_url);
  RawPeer peer(server);
  ws ? open_ws(peer) : void(peer.write("PB1\n"));
  server.host.turn();
  REQUIRE(server.host.ears.size() == 1);
  const std::string ping =
      ws ? masked(net::Opcode::ping, std::string(125, 'p')) : std::string(4, '\0');
  std::string waiting;
  std::size_t most = 0, sent = 0;
  int full = 0;
  // The kernel takes some, and nobody says how much; then half a megabyte on top.
  for (std::size_t end = 16 * limits::mib; sent < end;) {
    if (most >= limits::pong_room) end = std::min(end, sent + 8 * limits::pong_room);
    while (waiting.size() < 4 * limits::kib) waiting += ping;
    const std::size_t taken = peer.write_only(waiting);
    full = taken == 0 ? full + 1 : 0;
    REQUIRE(full < 100'000);  // the server reads on, whatever waits to be sent
    waiting.erase(0, taken);
    sent += taken;
    most = std::max(most, server.host.ears[0]->link->queued());
  }
  UNSCOPED_INFO("pings of " << sent << " bytes");
  CHECK(most >= limits::pong_room);        // answered up to there
  CHECK(most <= limits::pong_room + 256);  // and the one that was under way
  CHECK(server.host.ears[0]->holds > 0);   // the engine is to look whether it ever reads
  CHECK_FALSE(server.host.ears[0]->closed_seen);
}

TEST_CASE("the engine hears of a message that comes in parts, and of no other") {
  const bool ws = GENERATE(true, false);
  Server server(ws ? websocket_transport() : tcp_transport(), ws ? ws_url : tcp_url);
  RawPeer peer(server);
  ws ? open_ws(peer) : void(peer.write("PB1\n"));
  server.host.turn();
  REQUIRE(server.host.ears.size() == 1);
  const Ear& ear = *server.host.ears[0];
  std::string whole;
  if (ws) {
    whole = masked(net::Opcode::binary, "a message");
  } else {
    base::append_be(whole, std::uint32_t{9});
    whole += "a message";
  }
  peer.write(whole);
  peer.write(whole + whole);
  CHECK(ear.got.size() == 3);
  CHECK(ear.holds == 0);
  peer.write(whole + whole.substr(0, 7));
  CHECK(ear.got.size() == 4);
  CHECK(ear.holds == 1);
  CHECK(ear.link->held() > 0);
  peer.write(whole.substr(7));
  CHECK(ear.got.size() == 5);
  CHECK(ear.holds == 1);
  CHECK(ear.link->held() == 0);
}

TEST_CASE("the number of connections is bounded, and a place becomes free again") {
  Server server(tcp_transport({{.max_connections = 2}}), tcp_url);
  RawPeer one(server);
  RawPeer two(server);
  RawPeer three(server);
  CHECK(three.read_all().empty());
  CHECK(one.read());
  CHECK(two.write("PB1\n"));
  CHECK(server.host.ears.size() == 1);
  one.leave();
  for (int i = 0; i < 100; ++i) server.host.turn();
  RawPeer four(server);
  CHECK(four.write("PB1\n"));
  server.host.turn();
  CHECK(server.host.ears.size() == 2);
}

TEST_CASE("one address has no more than its places, and others have theirs") {
  Server server(tcp_transport({{.max_connections = 4, .max_connections_per_address = 2}}), tcp_url);
  RawPeer one(server);
  RawPeer two(server);
  RawPeer refused(server);
  CHECK(refused.read_all().empty());
  RawPeer elsewhere(server, "127.0.0.2");
  CHECK(elsewhere.write("PB1\n"));
  CHECK(server.host.ears.size() == 1);
  one.leave();
  for (int i = 0; i < 100; ++i) server.host.turn();
  RawPeer again(server);
  CHECK(again.write("PB1\n"));
  server.host.turn();
  CHECK(server.host.ears.size() == 2);
  RawPeer third(server, "127.0.0.3");
  RawPeer beyond_all(server, "127.0.0.4");
  CHECK(third.read());
  CHECK(beyond_all.read_all().empty());
}

TEST_CASE("an address is an IPv4 one, mapped or not, or the network of an IPv6 one") {
  const auto network = [](const char* text) {
    return base::network_of(base::socket_address(text, 1).value());
  };
  CHECK(network("192.0.2.1") == network("::ffff:192.0.2.1"));
  CHECK(network("192.0.2.1") != network("192.0.2.2"));
  CHECK(network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9"));
  CHECK(network("2001:db8:1:2::1") != network("2001:db8:1:3::1"));
  CHECK(base::network_of({}) == 0);
}

TEST_CASE("out of descriptors: accepting pauses, and goes on when there are some again") {
  Server server(tcp_transport(), tcp_url);
  const auto url = transport::parse_url(server.bound).value();
  const auto address = base::socket_address(url.host, *url.port).value();
  auto client = base::connect_stream(address).value();
  // The client holds the highest number in use; the server may not have another one.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<base::Descriptor> fill;
  rlimit low = before;
  low.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  for (;;) {
    auto more = base::connect_stream(address);
    if (!more) break;
    fill.push_back(std::move(*more));
  }
  server.host.advance(500ms);
  const std::size_t stalled = server.host.watches();
  CHECK(stalled == 0);  // not even the listener: it does not spin
  fill.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  server.host.advance(150ms);
  CHECK(server.host.watches() >= 2);
  const Bytes hello = "PB1\n";
  CHECK(base::send_gathered(client.get(), std::span(&hello, 1)).bytes == 4);
  for (int i = 0; i < 1000 && server.host.ears.empty(); ++i) server.host.turn();
  CHECK(server.host.ears.size() == 1);
}

TEST_CASE("ws: a reader that takes a file too slowly is cut at the serving deadline") {
  const auto folder = std::filesystem::temp_directory_path() / "parley_abuse_files";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "large.bin") << std::string(3 * limits::mib, 'x');
  Server server(websocket_transport({{.kernel_buffer = 4096}, 5s, {}, folder.string()}), ws_url);
  RawPeer peer(server);
  peer.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
  server.host.advance(60s - 10ms);
  CHECK(server.host.watches() == 2);
  server.host.advance(10ms + sweep);
  CHECK(server.host.watches() == 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("many stalled connections at every layer do not keep honest ones out") {
  Server server(websocket_transport(), ws_url);
  std::vector<std::unique_ptr<RawPeer>> stalled;
  for (int i = 0; i < 300; ++i) {
    stalled.push_back(std::make_unique<RawPeer>(server));
    switch (i % 5) {
      case 1:
        stalled.back()->write("G");
        break;
      case 2:
        stalled.back()->write(upgrade);
        break;
      case 3:
        stalled.back()->write(upgrade + "\r\n\x82");
        break;
      case 4:
        stalled.back()->write("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
        break;
      default:
        break;
    }
  }
  RawPeer honest(server);
  open_ws(honest);
  honest.write(masked(net::Opcode::binary, "hello"));
  server.host.turn();
  CHECK(server.host.ears.back()->got == std::vector<std::string>{"hello"});
  server.host.advance(limits::handshake_upgrade + sweep);
  CHECK(server.host.watches() == 1 + 60 + 1);  // the listener, the open ones, the honest one
  for (std::size_t i = 0; i < stalled.size(); ++i) CHECK(stalled[i]->read() == (i % 5 == 3));
}
