// outbox.cpp: numbers, the window of open sends, renumbering.
#include "client/outbox.hpp"

#include <algorithm>
#include <utility>

namespace parley::client {
namespace {

auto position(std::deque<Outbox::Item>& items, std::uint64_t number) {
  return std::lower_bound(
      items.begin(), items.end(), number,
      [](const Outbox::Item& item, std::uint64_t n) { return item.message.number < n; });
}

}  // namespace

void Outbox::add(OutboxItem message, std::uint64_t id) {
  raise_next(message.number + 1);
  const auto at = position(items_, message.number);
  Item item;
  item.message = std::move(message);
  item.id = id;
  items_.insert(at, std::move(item));
}

Outbox::Item* Outbox::next_to_send(Time now) noexcept {
  for (Item& item : items_) {
    if (item.message.number >= settled() + limits::open_sends) return nullptr;
    if (item.sent) continue;
    return item.not_before <= now ? &item : nullptr;
  }
  return nullptr;
}

std::optional<Time> Outbox::deadline() const noexcept {
  for (const Item& item : items_) {
    if (item.sent) continue;
    if (item.not_before == Time{}) return std::nullopt;
    return item.not_before;
  }
  return std::nullopt;
}

Outbox::Item* Outbox::find(std::uint64_t number) noexcept {
  const auto at = position(items_, number);
  return at != items_.end() && at->message.number == number ? &*at : nullptr;
}

std::optional<Outbox::Item> Outbox::settle(std::uint64_t number) {
  const auto at = position(items_, number);
  if (at == items_.end() || at->message.number != number) return std::nullopt;
  std::optional<Item> item(std::move(*at));
  items_.erase(at);
  return item;
}

Outbox::Item& Outbox::renumber(std::uint64_t number, std::uint64_t at_least) {
  raise_next(at_least);
  Item item = std::move(*settle(number));
  item.message.number = next_++;
  item.sent = false;
  item.not_before = {};
  item.attempts = 0;
  items_.push_back(std::move(item));
  return items_.back();
}

void Outbox::link_lost() noexcept {
  for (Item& item : items_) {
    item.sent = false;
    item.not_before = {};
  }
}

}  // namespace parley::client
