// tcp.cpp: the transport of `tcp:` (the wire is described in parley/net.hpp).
#include "base/endian.hpp"
#include "net/connection.hpp"
#include "net/socket_transport.hpp"
#include "net/tcp_codec.hpp"
#include "parley/net.hpp"

namespace parley::net {
namespace {

constexpr std::string_view binary_preamble = "PB1\n";
constexpr std::string_view json_preamble = "PJ1\n";

class TcpConnection final : public Connection {
 public:
  TcpConnection(base::Descriptor socket, Seat seat, ShardLinks& shard, std::size_t max_message)
      : Connection(std::move(socket), std::move(seat), shard), parser_(max_message) {}

  /// What only a dialled one needs.
  void set_dialled(Encoding encoding, Dialled done) {
    encoding_ = encoding;
    done_ = std::make_unique<Dialled>(std::move(done));
  }
  void limit_messages(std::size_t bytes) override { parser_.set_limit(bytes); }
  [[nodiscard]] std::size_t held() const noexcept override { return parser_.buffered(); }

 private:
  void connected() override {
    const bool json = encoding_ == Encoding::json;
    push(Payload::copy_of(json ? json_preamble : binary_preamble), Kind::raw);
    const auto done = std::move(done_);
    const LifeRef alive = shard().life();
    const bool taken = open({.transport = "tcp", .peer = peer(), .encoding = encoding_});
    if (taken) return (*done)({});
    (*done)(Error{Errc::limit_reached, "the engine refused the link"});
  }

  bool consume(std::span<char> input) override {
    if (phase() == Phase::handshake && !take_preamble(input)) return false;
    while (phase() == Phase::open) {
      const TcpParser::Event event = parser_.next(input);
      switch (event.kind) {
        case TcpParser::Event::Kind::need_more:
          return true;
        case TcpParser::Event::Kind::message:
          events()->received(event.payload);
          break;
        case TcpParser::Event::Kind::ping:
          if (queued() < limits::pong_room) push({}, Kind::pong);
          break;
        case TcpParser::Event::Kind::pong:
          break;
        case TcpParser::Event::Kind::goodbye:
          push({}, Kind::close);
          start_closing({});
          break;
        case TcpParser::Event::Kind::too_large:
          push({}, Kind::close);
          start_closing({Errc::too_large, "the peer announced a message above the limit"});
          break;
      }
    }
    return true;
  }

  /// False: this is gone. Opens the link when the preamble is whole.
  bool take_preamble(std::span<char>& input) {
    for (; preamble_size_ < binary_preamble.size() && !input.empty(); ++preamble_size_) {
      const char got = input.front();
      input = input.subspan(1);
      if (preamble_size_ == 1 && got == json_preamble[1]) encoding_ = Encoding::json;
      const bool json = encoding_ == Encoding::json;
      if (got != (json ? json_preamble : binary_preamble)[preamble_size_]) {
        finish({Errc::protocol_error, "the peer does not speak this protocol"});
        return false;
      }
    }
    if (preamble_size_ < binary_preamble.size()) return true;
    return open({.transport = "tcp", .peer = peer(), .encoding = encoding_});
  }

  std::size_t frame(char* prefix, Kind kind, std::size_t size) const noexcept override {
    switch (kind) {
      case Kind::message:
        base::put_be32(prefix, static_cast<std::uint32_t>(size));
        return 4;
      case Kind::ping:
        base::put_be32(prefix, tcp_ping);
        return 4;
      case Kind::pong:
        base::put_be32(prefix, tcp_pong);
        return 4;
      case Kind::close:
        base::put_be32(prefix, tcp_goodbye);
        return 4;
      default:
        return 0;
    }
  }

  Payload masked(Kind, Bytes payload) override { return Payload::copy_of(payload); }
  void ping() override { push({}, Kind::ping); }
  void say_goodbye(CloseReason, std::string_view) override { push({}, Kind::close); }

  [[nodiscard]] Error peer_ended() const override {
    return {Errc::disconnected, parser_.idle() ? "the peer left without a goodbye"
                                               : "the peer left in the middle of a message"};
  }

  void handshake_failed(Error why) override {
    if (done_) (*done_)(std::move(why));
  }

  TcpParser parser_;
  std::unique_ptr<Dialled> done_;
  std::uint8_t preamble_size_ = 0;
  Encoding encoding_ = Encoding::binary;
};

class TcpTransport final : public SocketTransport {
 public:
  explicit TcpTransport(const TcpOptions& options)
      : SocketTransport("tcp", options,
                        {.handshake = options.handshake,
                         .dialling = options.handshake,
                         .heartbeat = options.heartbeat,
                         .dead_after = options.dead_after,
                         .closing = options.closing,
                         .serving = options.handshake}) {}

 private:
  Result<void> complete(transport::Url& url) const override {
    if (!url.port) return Error{Errc::invalid_argument, "url: tcp needs a port"};
    if (!url.path.empty() || !url.query.empty()) {
      return Error{Errc::invalid_argument, "url: tcp has no path"};
    }
    return {};
  }
  Connection* accepted(base::Descriptor socket, Seat seat, ShardLinks& shard,
                       const transport::Url&) override {
    return new TcpConnection(std::move(socket), std::move(seat), shard,
                             socket_options().max_message);
  }
  Connection* dialled(base::Descriptor socket, ShardLinks& shard, const transport::Url&,
                      Encoding encoding, Dialled done) override {
    auto* connection =
        new TcpConnection(std::move(socket), {}, shard, socket_options().max_message);
    connection->set_dialled(encoding, std::move(done));
    return connection;
  }
};

}  // namespace
}  // namespace parley::net

namespace parley::inline v0 {

std::unique_ptr<Transport> tcp_transport(TcpOptions options) {
  return std::make_unique<net::TcpTransport>(options);
}

}  // namespace parley::inline v0
