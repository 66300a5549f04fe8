// engine/outlet.hpp: an outlet that its shard host flushes at the end of a turn.
#pragma once
#include <cstdint>

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
  /// Every quarter of a second after ShardHost::look_after: what may wait a little, and whether the
  /// other end still moves. False: there is nothing to look after any more.
  virtual bool sweep() = 0;
  /// Requests handed to the core and not answered yet.
  [[nodiscard]] virtual std::size_t open_requests() const noexcept = 0;
  /// The engine stops without waiting any longer.
  virtual void abandon(const Error& why) = 0;
  /// Its core is gone, with all that was under way: ends the session, or begins it anew.
  virtual void core_lost() noexcept = 0;
  /// What it was doing threw, for want of memory: ends it.
  virtual void give_up() noexcept = 0;
  [[nodiscard]] bool looked_after() const noexcept { return place_ != nowhere; }

 protected:
  friend class ShardHost;
  ShardHost& host_;
  core::SessionRef ref_;
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
  std::uint32_t index_ = nowhere;  // among the host's outlets
  std::uint32_t place_ = nowhere;  // in the host's list of those that it looks after
  bool dirty_ = false;             // in the host's list
  bool released_ = false;          // destroyed at the end of this turn
};

}  // namespace parley::engine
