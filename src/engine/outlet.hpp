// engine/outlet.hpp: an outlet that its shard host flushes at the end of a turn.
#pragma once
#include "core/outlet.hpp"
#include "core/shard.hpp"

namespace parley::engine {

class ShardHost;

/// A session's way out, owned by a shard host. Thread: the shard's.
class HostedOutlet : public core::Outlet {
 public:
  explicit HostedOutlet(ShardHost& host) noexcept : host_(host) {}

  /// Hands over what was pushed. True when the turn's budget ended first: it is called again.
  virtual bool flush() = 0;
  /// Every quarter of a second: what may wait a little, and whether the other end still moves.
  virtual void sweep() {}
  /// Requests handed to the core and not answered yet.
  [[nodiscard]] virtual std::size_t open_requests() const noexcept = 0;
  /// The engine stops without waiting any longer.
  virtual void abandon(const Error& why) = 0;

 protected:
  friend class ShardHost;
  ShardHost& host_;
  core::SessionRef ref_;
  bool dirty_ = false;     // in the host's list
  bool released_ = false;  // destroyed at the end of this turn
};

}  // namespace parley::engine
