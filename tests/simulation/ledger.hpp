// ledger.hpp: every message that a device ever issued and what it was told, written down outside
// the engine.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "parley/ids.hpp"
#include "parley/message.hpp"

namespace parley::simulation {

/// One message of one device, named by its random bits through all retries.
struct Sent {
  std::uint64_t random = 0;
  std::string subject;
  std::uint32_t device = 0;  // the simulation's number of it
  std::uint32_t life = 0;    // grows when the device is restored from an old copy
  ConversationId conversation;
  std::uint64_t number = 0;
  std::uint32_t body_hash = 0;         // as it is stored
  std::optional<ForwardOf> forward{};  // then the content is another's
  bool system = false;                 // the host's, of no user
  std::uint64_t issued = 0;            // order of the first attempt
  std::uint32_t attempts = 0;
  std::uint64_t acked = 0;  // order of the first ack, as received; 0: none
  Seq seq = 0;              // as acked
  std::int64_t time_ms = 0;
  bool put_off = false;  // an attempt was answered "try again": later ones may overtake it
  bool renumbered = false;
  bool refused = false;  // answered for good without an ack
};

/// Ordered by first attempt; keyed by the random bits.
class Ledger {
 public:
  Sent& issue(Sent sent) {
    const std::uint64_t random = sent.random;
    sent.issued = ++order_;
    return sent_.emplace(random, std::move(sent)).first->second;
  }
  std::uint64_t next_order() noexcept { return ++order_; }
  Sent* find(std::uint64_t random) {
    const auto at = sent_.find(random);
    return at == sent_.end() ? nullptr : &at->second;
  }
  [[nodiscard]] const std::map<std::uint64_t, Sent>& all() const noexcept { return sent_; }

 private:
  std::map<std::uint64_t, Sent> sent_;
  std::uint64_t order_ = 0;
};

}  // namespace parley::simulation
