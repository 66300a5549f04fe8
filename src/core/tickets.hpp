// core/tickets.hpp: spare a reconnecting client the authenticator: five minutes, single use, in
// memory, never needed for correctness.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/effects.hpp"

namespace parley::core {

/// 128 random bits; zero for none. As text it also names the shard that issued it, so that any
/// other can ask there.
struct Ticket {
  std::uint64_t high = 0, low = 0;
  explicit operator bool() const noexcept { return (high | low) != 0; }
  friend bool operator==(const Ticket&, const Ticket&) = default;
  [[nodiscard]] std::string text(ShardIndex issuer) const;
};
struct NamedTicket {
  ShardIndex issuer = 0;
  Ticket ticket;
};
/// Nothing when the text is no ticket.
std::optional<NamedTicket> parse_ticket(std::string_view text) noexcept;

/// The tickets issued by one shard. Bounded: the oldest go when there are too many; their owners
/// authenticate again.
class Tickets {
 public:
  /// For the device of that name only: a revoked one cannot come back as another.
  Ticket issue(Effects& effects, Identity identity, std::string device);
  /// The identity, and the ticket is gone; nothing when unknown, used, another's or too old.
  std::optional<Identity> redeem(Ticket ticket, std::string_view device, Time now);
  void drop(Ticket ticket);
  /// Every few seconds: those that count no more leave memory, within twice their life.
  void sweep(Time now);
  [[nodiscard]] std::size_t size() const noexcept { return young_.size() + old_.size(); }

 private:
  struct Issued {
    Identity identity;
    std::string device;
    std::chrono::steady_clock::time_point until{};
  };
  struct Hash {
    std::size_t operator()(const Ticket& ticket) const noexcept { return ticket.low; }
  };
  void age(Time now);

  std::unordered_map<Ticket, Issued, Hash> young_, old_;
  std::chrono::steady_clock::time_point young_since_{};
};

}  // namespace parley::core
