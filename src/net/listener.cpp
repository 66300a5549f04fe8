// listener.cpp: accepting, and waiting when the process is out of descriptors.
#include "net/listener.hpp"

namespace parley::net {
namespace {

constexpr int accepts_a_turn = 64;
constexpr std::chrono::milliseconds retry_after{100};

}  // namespace

Listener::Listener(SocketTransport& transport, base::Descriptor socket, transport::Url bound,
                   std::vector<ShardLinks*> shards)
    : transport_(transport),
      socket_(std::move(socket)),
      bound_(std::move(bound)),
      shards_(std::move(shards)),
      batches_(shards_.size()) {}

void Listener::start() {
  if (!socket_) return;  // stopped before it began
  watch_ = home().host().watch(socket_.get(), LinkHost::Ready::readable,
                               [this](LinkHost::Ready) { ready(); });
  if (watch_ == LinkHost::Watch::none) pause();
}

void Listener::stop() {
  home().host().cancel_timer(std::exchange(retry_, LinkHost::Timer::none));
  home().host().unwatch(std::exchange(watch_, LinkHost::Watch::none));
  socket_.reset();
}

/// Level-triggered, so what is not accepted now is reported again.
void Listener::ready() {
  for (int i = 0; i < accepts_a_turn; ++i) {
    base::Descriptor socket;
    const base::IoStatus status = base::accept_stream(socket_.get(), socket);
    if (status == base::IoStatus::would_block) break;
    if (status != base::IoStatus::ok) {
      pause();
      break;
    }
    const SocketOptions& options = transport_.options_;
    Seat seat = transport_.places_.take(socket.get());
    if (!seat) continue;
    if (options.kernel_buffer > 0) {
      base::limit_buffers(socket.get(), options.kernel_buffer, options.kernel_buffer);
    }
    const std::size_t index = next_++ % shards_.size();
    batches_[index].push_back({std::move(socket), std::move(seat)});
  }
  hand_out();
}

void Listener::pause() {
  home().host().unwatch(std::exchange(watch_, LinkHost::Watch::none));
  if (retry_ != LinkHost::Timer::none) return;
  retry_ = home().host().start_timer(retry_after, [this] {
    retry_ = LinkHost::Timer::none;
    start();
  });
}

/// One message a shard, whatever the number of connections.
void Listener::hand_out() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (batches_[i].empty()) continue;
    ShardLinks& shard = *shards_[i];
    if (&shard == &home()) {
      for (Accepted& accepted : std::exchange(batches_[i], {})) adopt(std::move(accepted), shard);
      continue;
    }
    auto batch = std::make_shared<std::vector<Accepted>>(std::exchange(batches_[i], {}));
    shard.host().post([this, life = home().life(), batch, &shard] {
      for (Accepted& accepted : *batch) adopt(std::move(accepted), shard);
      batch->clear();  // gives the seats back while the transport lives for sure
    });
  }
}

void Listener::adopt(Accepted accepted, ShardLinks& shard) {
  if (shard.closing()) return;
  transport_.accepted(std::move(accepted.socket), std::move(accepted.seat), shard, bound_)
      ->start(/*dialled=*/false);
}

}  // namespace parley::net
