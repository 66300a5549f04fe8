// net/listener.hpp: one listening socket that spreads what it accepts over the shards.
#pragma once
#include <utility>
#include <vector>

#include "net/socket_transport.hpp"

namespace parley::net {

/// Ownership: the transport's. Thread: the first shard's, but for the constructor.
class Listener {
 public:
  Listener(SocketTransport& transport, base::Descriptor socket, transport::Url bound,
           std::vector<ShardLinks*> shards);

  [[nodiscard]] ShardLinks& home() const noexcept { return *shards_.front(); }
  void start();
  void stop();

 private:
  struct Accepted {
    base::Descriptor socket;
    Seat seat;
  };
  void ready();
  void pause();
  void hand_out();
  void adopt(Accepted accepted, ShardLinks& shard);

  SocketTransport& transport_;
  base::Descriptor socket_;
  const transport::Url bound_;
  const std::vector<ShardLinks*> shards_;
  std::vector<std::vector<Accepted>> batches_;  // one a shard
  std::size_t next_ = 0;
  LinkHost::Watch watch_ = LinkHost::Watch::none;
  LinkHost::Timer retry_ = LinkHost::Timer::none;
};

}  // namespace parley::net
