// websocket.cpp: the transport of `ws:`: HTTP in front, frames behind it, both sides.
#include <array>
#include <utility>

#include "base/base64.hpp"
#include "base/os.hpp"
#include "net/connection.hpp"
#include "net/socket_transport.hpp"
#include "net/static_files.hpp"
#include "net/upgrade.hpp"
#include "net/websocket_codec.hpp"
#include "parley/net.hpp"

namespace parley::net {
namespace {

/// What all connections of a transport share; lives as long as it.
struct WebsocketRules {
  std::vector<std::string> origins;
  StaticFiles files;
  std::size_t max_message;
};

CloseCode code_of(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::normal:
      return CloseCode::normal;
    case CloseReason::going_away:
      return CloseCode::going_away;
    case CloseReason::protocol_error:
      return CloseCode::protocol_error;
    case CloseReason::too_large:
      return CloseCode::too_large;
    case CloseReason::policy:
      return CloseCode::policy;
    case CloseReason::slow_consumer:
      return CloseCode::try_again;
    case CloseReason::internal:
      break;
  }
  return CloseCode::internal;
}

/// What the peer's close code means to the engine; empty: orderly.
Error meaning_of(CloseCode code, Bytes reason) {
  Errc errc = Errc::disconnected;
  switch (code) {
    case CloseCode::none:
    case CloseCode::normal:
    case CloseCode::going_away:
      return {};
    case CloseCode::protocol_error:
    case CloseCode::invalid_text:
      errc = Errc::protocol_error;
      break;
    case CloseCode::too_large:
      errc = Errc::too_large;
      break;
    case CloseCode::policy:
      errc = Errc::denied;
      break;
    case CloseCode::try_again:
      errc = Errc::slow_consumer;
      break;
    default:
      break;
  }
  return {errc, "the peer closed with code " + std::to_string(static_cast<int>(code)) + ' ' +
                    std::string(reason)};
}

Payload owned(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {owner, *owner};
}

/// Fresh for each frame, as RFC 6455 section 5.3 wants it, without a system call for each.
std::uint32_t next_mask() {
  thread_local std::array<std::uint32_t, 64> pool;
  thread_local std::size_t next = pool.size();
  if (next == pool.size()) {
    next = 0;
    // Without the kernel's generator masks repeat: they protect middleboxes, not the message.
    static_cast<void>(base::random_bytes(pool.data(), sizeof pool));
  }
  return pool[next++];
}

class WebsocketConnection final : public Connection {
 public:
  WebsocketConnection(base::Descriptor socket, Seat seat, ShardLinks& shard,
                      const WebsocketRules& rules, const transport::Url& bound)
      : Connection(std::move(socket), std::move(seat), shard),
        parser_(WebsocketParser::Role::server, rules.max_message),
        rules_(&rules),
        bound_(&bound) {}

  WebsocketConnection(base::Descriptor socket, ShardLinks& shard, const WebsocketRules& rules,
                      const transport::Url& url, Encoding encoding, Dialled done)
      : Connection(std::move(socket), {}, shard),
        parser_(WebsocketParser::Role::client, rules.max_message),
        rules_(&rules),
        encoding_(encoding) {
    set_masks();
    transport::Url authority = url;
    authority.path.clear();
    authority.query.clear();
    handshake_ = std::make_unique<Handshake>(HttpHeadParser::Kind::response);
    handshake_->host = authority.text().substr(url.scheme.size() + 3);
    handshake_->target = url.path + (url.query.empty() ? "" : "?" + url.query);
    handshake_->done = std::move(done);
  }

  void limit_messages(std::size_t bytes) override { parser_.set_limit(bytes); }
  [[nodiscard]] std::size_t held() const noexcept override { return parser_.buffered(); }

 private:
  struct Handshake {
    explicit Handshake(HttpHeadParser::Kind kind) : parser(kind) {}
    HttpHeadParser parser;
    std::string host;  // the rest: dialled
    std::string target;
    std::string key;
    Dialled done;
  };

  [[nodiscard]] bool server() const noexcept { return bound_ != nullptr; }

  void connected() override {
    std::array<char, 16> random{};
    if (auto got = base::random_bytes(random.data(), random.size()); !got) {
      return finish(std::move(got).error());
    }
    handshake_->key = base::base64_encode({random.data(), random.size()});
    push(owned(upgrade_request(handshake_->host, handshake_->target, handshake_->key, encoding_)),
         Kind::raw);
  }

  bool consume(std::span<char> input) override {
    if (phase() == Phase::handshake) {
      std::string_view bytes(input.data(), input.size());
      if (!(server() ? take_request(bytes) : take_response(bytes))) return false;
      input = input.last(bytes.size());
    }
    while (phase() == Phase::open) {
      const WebsocketParser::Event event = parser_.next(input);
      if (event.kind == WebsocketParser::Event::Kind::need_more) break;
      take(event);
    }
    return true;
  }

  /// False: this is gone.
  bool take_request(std::string_view& bytes) {
    if (!handshake_) handshake_ = std::make_unique<Handshake>(HttpHeadParser::Kind::request);
    switch (handshake_->parser.feed(bytes)) {
      case HttpHeadParser::Progress::need_more:
        return true;
      case HttpHeadParser::Progress::malformed:
        return refuse(refusal(400, "this is no HTTP/1.1 request"));
      case HttpHeadParser::Progress::too_large:
        return refuse(refusal(431, "expected at most 8 KiB and 64 header fields"));
      case HttpHeadParser::Progress::done:
        break;
    }
    const HttpHead& head = handshake_->parser.head();
    Answer answer = answer_request(
        head,
        {.path = bound_->path, .origins = &rules_->origins, .files = rules_->files.enabled()});
    switch (answer.kind) {
      case Answer::Kind::refuse:
        return refuse(std::move(answer.response));
      case Answer::Kind::file: {
        StaticFiles::Response response = rules_->files.answer(head);
        push(owned(std::move(response.head)), Kind::raw);
        if (!response.body.empty()) push(std::move(response.body), Kind::raw);
        start_closing({});
        stay(ShardLinks::Stage::serving);
        return true;
      }
      case Answer::Kind::upgrade:
        break;
    }
    handshake_.reset();
    encoding_ = answer.encoding;
    push(owned(std::move(answer.response)), Kind::raw);
    return open({.transport = "ws", .peer = peer(), .encoding = encoding_});
  }

  bool refuse(std::string response) {
    push(owned(std::move(response)), Kind::raw);
    start_closing({});
    return true;
  }

  bool take_response(std::string_view& bytes) {
    const HttpHeadParser::Progress progress = handshake_->parser.feed(bytes);
    if (progress == HttpHeadParser::Progress::need_more) return true;
    if (progress != HttpHeadParser::Progress::done) {
      finish({Errc::protocol_error, "the server's answer is no HTTP/1.1 response"});
      return false;
    }
    auto good = check_response(handshake_->parser.head(), handshake_->key, encoding_);
    if (!good) {
      finish(std::move(good).error());
      return false;
    }
    const Dialled done = std::move(handshake_->done);
    handshake_.reset();
    const bool taken = open({.transport = "ws", .peer = peer(), .encoding = encoding_});
    done(taken ? Result<void>{} : Error{Errc::limit_reached, "the engine refused the link"});
    return taken;
  }

  void take(const WebsocketParser::Event& event) {
    switch (event.kind) {
      case WebsocketParser::Event::Kind::message:
        if (event.text != (encoding_ == Encoding::json)) {
          return part(CloseCode::unsupported, "the subprotocol does not use this kind of message");
        }
        return events()->received(event.payload);
      case WebsocketParser::Event::Kind::ping:
        if (queued() < limits::pong_room) push(Payload::copy_of(event.payload), Kind::pong);
        return;
      case WebsocketParser::Event::Kind::close:
        push(event.code == CloseCode::none ? Payload{}
                                           : Payload::copy_of(close_payload(event.code, {})),
             Kind::close);
        return start_closing(meaning_of(event.code, event.payload));
      case WebsocketParser::Event::Kind::violation:
        return part(event.code, event.payload);
      default:
        return;  // pong: that we heard it is enough
    }
  }

  /// The peer broke a rule.
  void part(CloseCode code, Bytes why) {
    push(Payload::copy_of(close_payload(code, why)), Kind::close);
    start_closing(
        {code == CloseCode::too_large ? Errc::too_large : Errc::protocol_error, std::string(why)});
  }

  [[nodiscard]] Opcode opcode_of(Kind kind) const noexcept {
    switch (kind) {
      case Kind::ping:
        return Opcode::ping;
      case Kind::pong:
        return Opcode::pong;
      case Kind::close:
        return Opcode::close;
      default:
        return encoding_ == Encoding::json ? Opcode::text : Opcode::binary;
    }
  }

  std::size_t frame(char* prefix, Kind kind, std::size_t size) const noexcept override {
    return kind == Kind::raw ? 0 : write_prefix(prefix, opcode_of(kind), size);
  }
  Payload masked(Kind kind, Bytes payload) override {
    return owned(masked_frame(opcode_of(kind), payload, next_mask()));
  }
  void ping() override { push({}, Kind::ping); }
  void say_goodbye(CloseReason reason, std::string_view text) override {
    push(Payload::copy_of(close_payload(code_of(reason), text)), Kind::close);
  }
  [[nodiscard]] Error peer_ended() const override {
    return {Errc::disconnected, "the peer left without a close frame"};
  }
  void handshake_failed(Error why) override {
    if (handshake_ && handshake_->done) handshake_->done(std::move(why));
  }

  WebsocketParser parser_;
  const WebsocketRules* rules_;
  const transport::Url* bound_ = nullptr;  // of a server
  std::unique_ptr<Handshake> handshake_;
  Encoding encoding_ = Encoding::binary;
};

class WebsocketTransport final : public SocketTransport {
 public:
  explicit WebsocketTransport(const WebsocketOptions& options)
      : SocketTransport("ws", options,
                        {.handshake = options.upgrade,
                         .dialling = options.handshake,
                         .heartbeat = options.heartbeat,
                         .dead_after = options.dead_after,
                         .closing = options.closing,
                         .serving = options.serving}),
        rules_{
            options.origins, {options.static_files, options.max_static_file}, options.max_message},
        options_good_(options.upgrade.count() > 0 && options.serving.count() > 0 &&
                      options.max_static_file <= 64 * limits::mib) {}

 private:
  [[nodiscard]] Result<void> check_options() const override {
    if (!options_good_) {
      return Error{Errc::invalid_argument,
                   "upgrade, serving: expected more than 0; max_static_file: 64 MiB at most"};
    }
    if (rules_.files.enabled() && !rules_.files.usable()) {
      return Error{Errc::invalid_argument, "static_files: expected a directory"};
    }
    return SocketTransport::check_options();
  }
  Result<void> complete(transport::Url& url) const override {
    if (!url.port) url.port = 80;
    if (url.path.empty()) url.path = "/";
    return {};
  }
  Connection* accepted(base::Descriptor socket, Seat seat, ShardLinks& shard,
                       const transport::Url& bound) override {
    return new WebsocketConnection(std::move(socket), std::move(seat), shard, rules_, bound);
  }
  Connection* dialled(base::Descriptor socket, ShardLinks& shard, const transport::Url& url,
                      Encoding encoding, Dialled done) override {
    return new WebsocketConnection(std::move(socket), shard, rules_, url, encoding,
                                   std::move(done));
  }

  const WebsocketRules rules_;
  const bool options_good_;
};

}  // namespace
}  // namespace parley::net

namespace parley::inline v0 {

std::unique_ptr<Transport> websocket_transport(WebsocketOptions options) {
  return std::make_unique<net::WebsocketTransport>(options);
}

}  // namespace parley::inline v0
