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

/// The tickets issued by one shard. The text names the shard, so that any other can ask it.
/// Bounded: the oldest go when there are too many; their owners authenticate again.
class Tickets {
 public:
  static constexpr std::chrono::minutes life{5};
  static constexpr std::size_t most = 65'536;

  /// For the device of that name only: a revoked one cannot come back as another.
  std::string issue(ShardIndex shard, Effects& effects, Identity identity, std::string device);
  /// The identity, and the ticket is gone; nothing when unknown, used, another's or too old.
  std::optional<Identity> redeem(std::string_view ticket, std::string_view device, Time now);
  void drop(const std::string& ticket);
  /// Which shard issued it; nothing when the text is no ticket.
  static std::optional<ShardIndex> issuer(std::string_view ticket) noexcept;

 private:
  struct Issued {
    Identity identity;
    std::string device;
    std::chrono::steady_clock::time_point until{};
  };
  std::unordered_map<std::string, Issued> young_, old_;
};

}  // namespace parley::core
