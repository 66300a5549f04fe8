// client/outbox.hpp: the unsettled messages of one conversation under their keys (CONTRACT I3).
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "parley/client.hpp"
#include "parley/limits.hpp"

namespace parley::client {

using Time = std::chrono::steady_clock::time_point;

/// Items are in order of their number. At most limits::open_sends of them are on their way.
class Outbox {
 public:
  struct Item {
    OutboxItem message;
    std::uint64_t id = 0;  // the caller's; 0: restored from the storage
    bool sent = false;     // on the way, no answer yet
    Time not_before{};     // the server asked for patience
    int attempts = 0;      // answered retryable
  };

  /// The number the next message gets.
  [[nodiscard]] std::uint64_t next_number() const noexcept { return next_; }
  void raise_next(std::uint64_t next) noexcept { next_ = next > next_ ? next : next_; }
  /// The smallest number that may still be retried; without open messages the next one.
  [[nodiscard]] std::uint64_t settled() const noexcept {
    return items_.empty() ? next_ : items_.front().message.number;
  }
  /// `message.number` is next_number() or, when restored, any; kept in order.
  void add(OutboxItem message, std::uint64_t id);
  /// The next item to send, or null. Nothing overtakes an item that waits for its time.
  Item* next_to_send(Time now) noexcept;
  /// Earliest time at which next_to_send() may turn non-null by itself.
  [[nodiscard]] std::optional<Time> deadline() const noexcept;
  Item* find(std::uint64_t number) noexcept;
  /// Takes an item out.
  std::optional<Item> settle(std::uint64_t number);
  /// Gives an item a number the server has never seen; it goes behind all others.
  Item& renumber(std::uint64_t number, std::uint64_t at_least);
  /// Nothing is on its way any more.
  void link_lost() noexcept;

  [[nodiscard]] const std::deque<Item>& items() const noexcept { return items_; }

 private:
  std::deque<Item> items_;
  std::uint64_t next_ = 1;
};

}  // namespace parley::client
