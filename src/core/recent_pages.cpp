// recent_pages.cpp: see the header.
#include "core/recent_pages.hpp"

#include <utility>

namespace parley::core {
namespace {

constexpr std::size_t entry_weight = 512;  // the entry, its guard and its place in the index

}  // namespace

std::size_t RecentPages::weight(const RecentPage& page) noexcept {
  return entry_weight + page.events.size() * sizeof(layout::StoredEvent) + page.bytes;
}

std::shared_ptr<const RecentPage> RecentPages::find(const ConversationId& id,
                                                    Clock::time_point now) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  found->second->used = now;
  return found->second->page;
}

void RecentPages::keep(const ConversationId& id, RecentPage page, Clock::time_point now) {
  drop(id);
  const std::size_t more = weight(page);
  if (more > most_bytes_) return;
  while (bytes_ + more > most_bytes_) erase(std::prev(entries_.end()));
  entries_.push_front({id, std::make_shared<const RecentPage>(std::move(page)), now});
  by_id_.emplace(id, entries_.begin());
  bytes_ += more;
}

void RecentPages::drop(const ConversationId& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) erase(found->second);
}

void RecentPages::drop_unused(Clock::time_point since) {
  while (!entries_.empty() && entries_.back().used < since) erase(std::prev(entries_.end()));
}

void RecentPages::erase(Entries::iterator entry) {
  bytes_ -= weight(*entry->page);
  by_id_.erase(entry->id);
  entries_.erase(entry);
}

}  // namespace parley::core
