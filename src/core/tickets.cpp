#include "core/tickets.hpp"

#include <charconv>
#include <cstdio>
#include <utility>

namespace parley::core {

std::string Tickets::issue(ShardIndex shard, Effects& effects, Identity identity,
                           std::string device) {
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%04x%016llx%016llx", unsigned{shard},
                                 static_cast<unsigned long long>(effects.random()),
                                 static_cast<unsigned long long>(effects.random()));
  std::string ticket(text, static_cast<std::size_t>(size));
  if (young_.size() >= most / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(ticket,
                 Issued{std::move(identity), std::move(device), effects.now().steady + life});
  return ticket;
}

std::optional<Identity> Tickets::redeem(std::string_view ticket, std::string_view device,
                                        Time now) {
  const std::string key(ticket);
  for (auto* map : {&young_, &old_}) {
    auto it = map->find(key);
    if (it == map->end()) continue;
    Issued issued = std::move(it->second);
    map->erase(it);
    if (issued.until <= now.steady || issued.device != device) return std::nullopt;
    return std::move(issued.identity);
  }
  return std::nullopt;
}

void Tickets::drop(const std::string& ticket) {
  young_.erase(ticket);
  old_.erase(ticket);
}

std::optional<ShardIndex> Tickets::issuer(std::string_view ticket) noexcept {
  if (ticket.size() != 36) return std::nullopt;
  unsigned shard = 0;
  const auto [end, ec] = std::from_chars(ticket.data(), ticket.data() + 4, shard, 16);
  if (ec != std::errc{} || end != ticket.data() + 4) return std::nullopt;
  return static_cast<ShardIndex>(shard);
}

}  // namespace parley::core
