// own_socket: a host hands the engine a socket of its own as a link.
//! [includes]
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "parley/parley.hpp"
//! [includes]

namespace {

//! [link]
/// A non-blocking SOCK_SEQPACKET socket: the kernel keeps the borders of messages. Over a stream
/// put a length in front of each. Everything here happens on the link's shard.
class PacketLink final : public parley::Link {
 public:
  explicit PacketLink(int socket) : socket_(socket) {}
  ~PacketLink() override {
    if (watch_ != parley::LinkHost::Watch::none) shard_->unwatch(watch_);
    ::close(socket_);
  }
  /// From Engine::adopt.
  void start(parley::LinkEvents& events, parley::LinkHost& shard) {
    events_ = &events, shard_ = &shard;
    watch_ = shard.watch(socket_, Ready::readable, [this](Ready ready) { turn(ready); });
  }

  void send(std::span<const parley::Payload> messages) override {
    if (closing_) return;
    for (const parley::Payload& message : messages) {
      queue_.push_back(message);  // a reference, no copy
      queued_ += message.size();
    }
    high_ = high_ || queued_ > parley::limits::queue_soft;
    write();
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return queued_; }
  void close(parley::CloseReason, std::string_view) override {
    if (closing_) return;
    closing_ = true;
    shard_->post([this, alive = std::weak_ptr(alive_)] {  // never from inside close()
      if (!alive.expired()) end({});
    });
  }

 private:
  using Ready = parley::LinkHost::Ready;

  void turn(Ready ready) {
    if (ready != Ready::readable) {
      write();
      if (high_ && queued_ <= parley::limits::queue_soft / 2) high_ = false, events_->drained();
    }
    if (ready == Ready::writable || closing_) return;
    const std::span<char> buffer = shard_->scratch();  // 64 KiB, shared by every link of the shard
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) return;  // nothing there after all; a broken socket reads as zero next time
    if (size == 0) return end({parley::Errc::disconnected, "the peer is gone"});
    if (std::size_t(size) > buffer.size()) return end({parley::Errc::too_large, "above 64 KiB"});
    events_->received({buffer.data(), std::size_t(size)});
  }
  void write() {
    while (!queue_.empty()) {
      const auto bytes = queue_.front().bytes();
      if (::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno != EAGAIN) ::shutdown(socket_, SHUT_RDWR);  // the next turn reads the end
        break;
      }
      queued_ -= bytes.size();
      queue_.pop_front();
    }
    shard_->rewatch(watch_, queue_.empty() ? Ready::readable : Ready::both);
  }
  void end(parley::Error why) {  // the last call: the engine destroys this link inside closed()
    if (!ended_) ended_ = true, events_->closed(std::move(why));
  }

  int socket_;
  parley::LinkEvents* events_ = nullptr;
  parley::LinkHost* shard_ = nullptr;
  parley::LinkHost::Watch watch_ = parley::LinkHost::Watch::none;
  std::deque<parley::Payload> queue_;
  std::size_t queued_ = 0;
  bool high_ = false, closing_ = false, ended_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};
//! [link]

}  // namespace

int main() {
  auto engine =
      parley::Engine::open({.authenticator = parley::development_authenticator()}).value();
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return 1;

  //! [adopt]
  auto link = std::make_unique<PacketLink>(sockets[0]);
  auto* raw = link.get();
  engine
      .adopt(std::move(link),
             {.transport = "game", .peer = "player 1", .encoding = parley::Encoding::json},
             [raw](parley::LinkEvents* events, parley::LinkHost& shard) {
               if (events != nullptr)
                 raw->start(*events, shard);  // null: refused, the link is gone
             })
      .value();
  //! [adopt]

  // The player at the other end, in the JSON of the wire format.
  const std::string_view hello =
      R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":"alice"})";
  if (::send(sockets[1], hello.data(), hello.size(), 0) < 0) return 1;
  char answer[4096];
  const ssize_t size = ::recv(sockets[1], answer, sizeof answer, 0);
  std::printf("%.*s\n", int(size), answer);
  ::close(sockets[1]);
  return size > 0 && std::string_view(answer, std::size_t(size)).find("welcome") !=
                         std::string_view::npos
             ? 0
             : 1;
}
