// core/recent_pages.hpp: the newest events of the conversations whose history was read lately.
#pragma once
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "parley/ids.hpp"
#include "store/layout.hpp"

namespace parley::core {

/// Events as everybody's changes left them, up to the head, at one value of the guard. Every commit
/// of the conversation gives it another, so they are what a read would find for as long as the
/// store has this one.
struct RecentPage {
  std::string guard;
  layout::HeadCell head;                    // as the guard says
  std::vector<layout::StoredEvent> events;  // consecutive, the last one at the head
  std::size_t bytes = 0;                    // that the events' records keep in memory
};

/// Those of one shard, up to a number of bytes; then the one used least recently goes.
/// Thread: the shard's.
class RecentPages {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RecentPages(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  /// None, or what may be out of date: whether it is, its guard tells.
  std::shared_ptr<const RecentPage> find(const ConversationId& id, Clock::time_point now);
  void keep(const ConversationId& id, RecentPage page, Clock::time_point now);
  void drop(const ConversationId& id);
  /// Those that were not used since then.
  void drop_unused(Clock::time_point since);
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    ConversationId id;
    std::shared_ptr<const RecentPage> page;
    Clock::time_point used;
  };
  using Entries = std::list<Entry>;  // used last first
  static std::size_t weight(const RecentPage& page) noexcept;
  void erase(Entries::iterator entry);

  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;
  std::unordered_map<ConversationId, Entries::iterator> by_id_;
};

}  // namespace parley::core
