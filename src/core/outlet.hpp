// core/outlet.hpp: a session's way out: frames encoded once and shared by everybody who gets them.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "parley/payload.hpp"
#include "parley/transport.hpp"
#include "wire/codec.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// Bytes in memory that some queue holds: a figure of a shard, shared by what is counted in it.
using QueuedBytes = std::shared_ptr<std::atomic<std::size_t>>;

/// One answer or push, with its bytes made at most once per encoding. Shard-local.
class Frame {
 public:
  Frame(std::uint32_t request, wire::Answer&& answer) : reply_{request, std::move(answer)} {}
  ~Frame() {
    if (account_) account_->fetch_sub(charge_, std::memory_order_relaxed);
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  [[nodiscard]] const wire::Reply& reply() const noexcept { return reply_; }
  /// The answer to a request goes to one session, which may take it away.
  [[nodiscard]] wire::Answer&& take_answer() const { return std::move(reply_.answer); }
  /// The bytes for a link; the codec must be of the shard's own.
  const Payload& encoded(wire::Codec& codec) const {
    Payload& bytes = encoded_[static_cast<std::size_t>(codec.encoding())];
    if (bytes.empty()) bytes = codec.encode(reply_);
    return bytes;
  }
  /// The public view of pushed events, made once for all sessions of host code.
  [[nodiscard]] const std::vector<Event>& events() const {
    const auto* pushed = std::get_if<wire::Events>(&reply_.answer);
    if (events_.empty() && pushed != nullptr) events_ = wire::to_events(*pushed);
    return events_;
  }
  /// Counts `bytes` for as long as the frame lives, once, whoever queues it: what the bytes of an
  /// encoded one do by themselves.
  void charge(const QueuedBytes& account, std::size_t bytes) const noexcept {
    if (account_) return;
    account_ = account;
    charge_ = bytes;
    account_->fetch_add(charge_, std::memory_order_relaxed);
  }

 private:
  mutable wire::Reply reply_;
  mutable std::vector<Event> events_;
  mutable std::array<Payload, 2> encoded_;
  mutable QueuedBytes account_;
  mutable std::size_t charge_ = 0;
};
using FramePtr = std::shared_ptr<const Frame>;

inline FramePtr make_frame(std::uint32_t request, wire::Answer&& answer) {
  return std::make_shared<Frame>(request, std::move(answer));
}

/// Implemented by the engine for links (encodes) and in-process sessions (hands over the structs).
/// Thread: the session's shard.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Queues for the end of the turn; never blocks, never calls back.
  virtual void push(const FramePtr& frame) = 0;
  /// Bytes pushed and not yet taken by the network or by the host's handler.
  [[nodiscard]] std::size_t backlog() const noexcept { return backlog_; }
  /// Its session is behind: once the backlog has fallen to half of Effects::queue_limit() the owner
  /// calls Shard::drained.
  void lag() noexcept { lagging_ = true; }
  /// Starts closing after what is queued; the owner calls Shard::session_closed when it is over.
  virtual void close(CloseReason reason, std::string_view text) = 0;

 protected:
  std::size_t backlog_ = 0;
  bool lagging_ = false;
};

}  // namespace parley::core
