// engine/fake_link.hpp: a link under the test's control: what is sent is kept, what is received is
// said.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/transport.hpp"

namespace parley::test {

/// The other end, shared with the link. For host-driven engines: everything on one thread.
struct Peer {
  std::vector<std::string> got;  // messages sent to the peer
  std::size_t unread = 0;
  std::size_t held =
      0;  // of a message that is still coming        // bytes the "network" has not taken
  bool reading = true;  // takes everything at once
  std::optional<CloseReason> closed;
  LinkEvents* events = nullptr;
  LinkHost* host = nullptr;
  bool gone = false;  // the engine destroyed the link
  std::size_t limit = 0;
  bool keep = false;  // holds on to what it was sent, as a full queue would
  std::vector<Payload> kept;

  [[nodiscard]] bool has(std::string_view part) const {
    for (const std::string& message : got) {
      if (message.find(part) != std::string::npos) return true;
    }
    return false;
  }
  /// So many bytes of a message have come, which is not over.
  void hold(std::size_t bytes) {
    host->post([this, bytes] {
      held = bytes;
      if (!closed) events->holding();
    });
  }
  /// One message to the engine, on its shard.
  void say(std::string message) {
    host->post([this, message = std::move(message)] {
      if (!closed) events->received(message);
    });
  }
};

class FakeLink final : public Link {
 public:
  explicit FakeLink(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {}
  ~FakeLink() override { peer_->gone = true; }
  void send(std::span<const Payload> messages) override {
    for (const Payload& message : messages) {
      peer_->got.emplace_back(message.bytes());
      if (peer_->keep) peer_->kept.push_back(message);
      if (!peer_->reading) peer_->unread += message.size();
    }
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return peer_->unread; }
  [[nodiscard]] std::size_t held() const noexcept override { return peer_->held; }
  void close(CloseReason reason, std::string_view) override {
    if (peer_->closed) return;
    peer_->closed = reason;
    peer_->host->post([peer = peer_] { peer->events->closed({}); });
  }
  void limit_messages(std::size_t bytes) override { peer_->limit = bytes; }

 private:
  std::shared_ptr<Peer> peer_;
};

}  // namespace parley::test
