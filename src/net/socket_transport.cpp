// socket_transport.cpp: from URLs to listeners and connections.
#include "net/socket_transport.hpp"

#include "net/listener.hpp"

namespace parley::net {

using transport::Url;

SocketTransport::SocketTransport(std::string scheme, const SocketOptions& options, Timing timing)
    : scheme_(std::move(scheme)),
      options_(options),
      timing_(timing),
      places_(options.max_connections, options.max_connections_per_address) {}

SocketTransport::~SocketTransport() = default;

Result<void> SocketTransport::check_options() const {
  const auto bad = [](const char* what) { return Error{Errc::invalid_argument, what}; };
  constexpr std::chrono::milliseconds zero{0};
  if (options_.max_message == 0 || options_.max_message > std::size_t{1} << 30) {
    return bad("max_message: expected 1 byte to 1 GiB");
  }
  if (options_.handshake <= zero || options_.heartbeat <= zero || options_.closing <= zero) {
    return bad("handshake, heartbeat, closing: expected more than 0");
  }
  if (options_.dead_after <= options_.heartbeat) {
    return bad("dead_after: expected more than heartbeat");
  }
  if (options_.backlog <= 0) return bad("backlog: expected more than 0");
  return {};
}

Result<Url> SocketTransport::check(std::string_view text) const {
  if (auto good = check_options(); !good) return std::move(good).error();
  auto url = transport::parse_url(text);
  if (!url) return url;
  if (url->scheme != scheme_) {
    return Error{Errc::invalid_argument, "url: expected the scheme " + scheme_};
  }
  if (auto good = complete(*url); !good) return std::move(good).error();
  return url;
}

ShardLinks* SocketTransport::shard_for(LinkHost& host) {
  for (const auto& shard : shards_) {
    if (&shard->host() == &host) return shard.get();
  }
  shards_.push_back(std::make_unique<ShardLinks>(host, timing_, options_.gather_from, life_));
  return shards_.back().get();
}

Result<std::string> SocketTransport::listen(std::string_view text,
                                            std::span<LinkHost* const> shards) {
  auto url = check(text);
  if (!url) return std::move(url).error();
  if (shards.empty()) return Error{Errc::invalid_argument, "shards: expected at least one"};
  for (const LinkHost* host : shards) {
    if (!host->can_watch()) return Error{Errc::unsupported, "this shard cannot watch descriptors"};
  }
  auto address = base::socket_address(url->host, *url->port);
  if (!address) return std::move(address).error();
  auto socket = base::listen_stream(*address, options_.backlog);
  if (!socket) return std::move(socket).error();
  url->port = base::port_of(base::local_address(socket->get()));
  std::string bound = url->text();

  const std::scoped_lock lock(mutex_);
  if (!life_) return Error{Errc::engine_closed, "the transport is closed"};
  std::vector<ShardLinks*> spread;
  for (LinkHost* host : shards) spread.push_back(shard_for(*host));
  listeners_.push_back(
      std::make_unique<Listener>(*this, std::move(*socket), std::move(*url), std::move(spread)));
  Listener* listener = listeners_.back().get();
  shards.front()->post([listener, life = life_] { listener->start(); });
  return bound;
}

void SocketTransport::dial(std::string_view text, Encoding encoding, LinkHost& shard,
                           Dialled done) {
  auto url = check(text);
  auto address = url ? base::socket_address(url->host, *url->port)
                     : Result<base::SocketAddress>(std::move(url).error());
  ShardLinks* links = nullptr;
  LifeRef life;
  {
    const std::scoped_lock lock(mutex_);
    life = life_;
    if (life && address) links = shard_for(shard);
  }
  if (!life) address = Error{Errc::engine_closed, "the transport is closed"};
  if (address && !shard.can_watch()) {
    address = Error{Errc::unsupported, "this shard cannot watch descriptors"};
  }
  if (!address) {
    shard.post([life, done = std::move(done), error = std::move(address).error()] { done(error); });
    return;
  }
  shard.post([this, life, links, encoding, url = *url, address = *address, done = std::move(done)] {
    if (links->closing()) return done(Error{Errc::engine_closed, "the transport is closed"});
    auto socket = base::connect_stream(address);
    if (!socket) return done(std::move(socket).error());
    if (options_.kernel_buffer > 0) {
      base::limit_buffers(socket->get(), options_.kernel_buffer, options_.kernel_buffer);
    }
    dialled(std::move(*socket), *links, url, encoding, done)->start(/*dialled=*/true);
  });
}

void SocketTransport::close(std::function<void()> stopped) {
  LifeRef life;
  {
    const std::scoped_lock lock(mutex_);
    life = std::move(life_);
  }
  if (!life) return;  // a second call changes nothing
  life->stopped = std::move(stopped);
  // Without life_ nothing is added to these any more.
  for (const auto& listener : listeners_) {
    listener->home().host().post([listener = listener.get(), life] { listener->stop(); });
  }
  for (const auto& shard : shards_) {
    shard->host().post([shard = shard.get(), life] { shard->close(); });
  }
}

}  // namespace parley::net

namespace parley::inline v0 {

Result<void> io_uring_works() {
  auto made = net::SendBatch::create();
  if (!made) return std::move(made).error();
  return {};
}

}  // namespace parley::inline v0
