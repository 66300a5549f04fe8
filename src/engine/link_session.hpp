// engine/link_session.hpp: a session behind a link: bytes to requests, frames to bytes, limits and
// stalls watched.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/outlet.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"
#include "parley/transport.hpp"
#include "wire/codec.hpp"

namespace parley::engine {

/// Owned by its shard host from the link's opening until LinkEvents::closed. Thread: the shard's.
class LinkSession final : public HostedOutlet, public LinkEvents {
 public:
  LinkSession(ShardHost& host, std::unique_ptr<Link> link, LinkInfo info);
  void open();

  // core::Outlet.
  void push(const core::FramePtr& frame) override;
  void close(CloseReason reason, std::string_view text) override;

  // HostedOutlet.
  bool flush() override;
  bool sweep() override;
  [[nodiscard]] std::size_t open_requests() const noexcept override { return open_requests_; }
  void abandon(const Error& why) override;
  void core_lost() noexcept override;
  void give_up() noexcept override;

  // LinkEvents.
  void received(Bytes message) override;
  void drained() override;
  void holding() override;
  void closed(Error why) override;

 private:
  void take(Bytes message);
  void end() noexcept;
  void note_answer(const wire::Reply& reply);
  void measure();
  void tell_drained();
  void note_queued(std::size_t bytes) noexcept;
  void note_held(std::size_t bytes) noexcept;
  [[nodiscard]] Error refuse_all() const;
  void fail_link(CloseReason reason, Errc code, std::string text);

  std::unique_ptr<Link> link_;
  const LinkInfo info_;
  wire::Codec& codec_;
  std::vector<Payload> pending_;  // of this turn
  std::size_t pending_bytes_ = 0;
  std::uint32_t open_requests_ = 0;
  bool closing_ = false;  // close() was asked for
  bool closed_ = false;   // Link::close was called
  bool lost_ = false;     // a frame, for want of memory: what comes after it is not sent
  CloseReason reason_ = CloseReason::normal;
  std::unique_ptr<const std::string> text_;  // with reason_
  std::unique_ptr<SessionInfo> welcome_;     // to be told to the host
  std::size_t references_ = 0;               // messages that the link may have in its queue
  std::size_t referenced_ = 0;               // bytes of them
  std::uint64_t accepted_ = 0;               // bytes given to the link
  std::uint64_t taken_ = 0;                  // of those: taken by the network, at the last look
  std::size_t one_message_ = 0;              // the largest one since the queue was low
  std::size_t most_ = limits::message_before_hello;  // a message from the peer: as it was told
  std::chrono::steady_clock::time_point progress_{};
  std::size_t held_ = 0;  // bytes of a message that has not ended, at the last look
  std::chrono::steady_clock::time_point held_since_{};  // the link holds a part of a message
};

}  // namespace parley::engine
