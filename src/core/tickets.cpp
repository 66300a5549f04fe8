#include "core/tickets.hpp"

#include <charconv>
#include <cstdio>
#include <utility>

#include "parley/limits.hpp"

namespace parley::core {
namespace {

template <class Number>
bool read_hex(std::string_view text, Number& into) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string Ticket::text(ShardIndex issuer) const {
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%04x%016llx%016llx", unsigned{issuer},
                    static_cast<unsigned long long>(high), static_cast<unsigned long long>(low));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<NamedTicket> parse_ticket(std::string_view text) noexcept {
  NamedTicket named;
  if (text.size() != 36 || !read_hex(text.substr(0, 4), named.issuer) ||
      !read_hex(text.substr(4, 16), named.ticket.high) ||
      !read_hex(text.substr(20), named.ticket.low))
    return std::nullopt;
  return named;
}

Ticket Tickets::issue(Effects& effects, Identity identity, std::string device) {
  const Ticket ticket{effects.random(), effects.random()};
  if (young_.size() >= limits::tickets / 2) age(effects.now());
  young_.emplace(ticket, Issued{std::move(identity), std::move(device),
                                effects.now().steady + limits::ticket_life});
  return ticket;
}

std::optional<Identity> Tickets::redeem(Ticket ticket, std::string_view device, Time now) {
  for (auto* map : {&young_, &old_}) {
    auto it = map->find(ticket);
    if (it == map->end()) continue;
    Issued issued = std::move(it->second);
    map->erase(it);
    if (issued.until <= now.steady || issued.device != device) return std::nullopt;
    return std::move(issued.identity);
  }
  return std::nullopt;
}

void Tickets::sweep(Time now) {
  if (now.steady - young_since_ >= limits::ticket_life) age(now);
}

void Tickets::age(Time now) {
  old_ = std::exchange(young_, {});
  young_since_ = now.steady;
}

void Tickets::drop(Ticket ticket) {
  young_.erase(ticket);
  old_.erase(ticket);
}

}  // namespace parley::core
