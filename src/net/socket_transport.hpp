// net/socket_transport.hpp: listening, dialling and closing, common to the transports over sockets.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/os_socket.hpp"
#include "net/connection.hpp"
#include "net/shard_links.hpp"
#include "parley/net.hpp"
#include "transport/url.hpp"

namespace parley::net {

class Listener;
using Dialled = std::function<void(Result<void>)>;

/// Derived classes make the connections. What listen() and dial() start lives until `stopped`.
/// Thread: setup only, but dial() also on a shard.
class SocketTransport : public Transport {
 public:
  SocketTransport(std::string scheme, const SocketOptions& options, Timing timing);
  ~SocketTransport() override;

  [[nodiscard]] TransportCapabilities capabilities() const noexcept final {
    return {.listens = true, .dials = true};
  }
  Result<std::string> listen(std::string_view url, std::span<LinkHost* const> shards) final;
  void dial(std::string_view url, Encoding encoding, LinkHost& shard, Dialled done) final;
  void close(std::function<void()> stopped) final;

 protected:
  /// Errc::invalid_argument when an option is out of its bounds. Asked by listen() and dial().
  [[nodiscard]] virtual Result<void> check_options() const;
  /// Completes a URL of the right scheme (a default port, a default path), or says what is wrong.
  [[nodiscard]] virtual Result<void> complete(transport::Url& url) const = 0;
  /// Both return a connection that was not started yet. `bound` lives as long as the transport.
  virtual Connection* accepted(base::Descriptor socket, Seat seat, ShardLinks& shard,
                               const transport::Url& bound) = 0;
  virtual Connection* dialled(base::Descriptor socket, ShardLinks& shard, const transport::Url& url,
                              Encoding encoding, Dialled done) = 0;
  [[nodiscard]] const SocketOptions& socket_options() const noexcept { return options_; }

 private:
  friend class Listener;
  Result<transport::Url> check(std::string_view url) const;
  ShardLinks* shard_for(LinkHost& host);  // mutex_ held

  const std::string scheme_;
  const SocketOptions options_;
  const Timing timing_;
  Places places_;
  std::mutex mutex_;  // guards what follows
  LifeRef life_ = std::make_shared<Life>();
  std::vector<std::unique_ptr<ShardLinks>> shards_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace parley::net
