// presence_ladder.cpp: see the header.
#include "core/presence_ladder.hpp"

#include <algorithm>

namespace parley::core {

PresenceStep next_step(PresenceStep now, std::uint64_t members,
                       const PresenceBorders& borders) noexcept {
  if (members > borders.window) return PresenceStep::count;
  if (now == PresenceStep::count && members >= borders.window_again) return PresenceStep::count;
  if (members > borders.full) return PresenceStep::window;
  const bool was_full = now == PresenceStep::none || now == PresenceStep::full;
  if (!was_full && members >= borders.full_again) return PresenceStep::window;
  return PresenceStep::full;
}

// ---- On a shard ----

void OnlineHere::came(UserId user) {
  if (++sessions_[user] == 1) note(user, true);
}

void OnlineHere::went(UserId user) {
  const auto known = sessions_.find(user);
  if (known == sessions_.end() || --known->second != 0) return;
  sessions_.erase(known);
  note(user, false);
}

void OnlineHere::note(UserId user, bool here) {
  const auto [at, fresh] = changed_.try_emplace(user, here);
  if (!fresh) changed_.erase(at);  // back to what was told
}

OnlineHere::Change OnlineHere::take_changes() {
  Change change;
  for (const auto& [user, here] : changed_) (here ? change.came : change.went).push_back(user);
  changed_.clear();
  std::sort(change.came.begin(), change.came.end());
  std::sort(change.went.begin(), change.went.end());
  return change;
}

// ---- Together ----

void OnlineTogether::apply(ShardIndex shard, const OnlineHere::Change& change) {
  auto& here = shards_[shard];
  for (const UserId user : change.came)
    if (here.insert(user).second) ++users_[user];
  for (const UserId user : change.went) {
    if (here.erase(user) == 0) continue;
    const auto known = users_.find(user);
    if (--known->second == 0) users_.erase(known);
  }
  if (here.empty()) shards_.erase(shard);
}

std::vector<UserId> OnlineTogether::sample(std::size_t most,
                                           const std::vector<UserId>& without) const {
  std::vector<UserId> found;
  for (const auto& [user, shards] : users_) {
    if (found.size() == most) break;
    if (std::find(without.begin(), without.end(), user) == without.end()) found.push_back(user);
  }
  return found;
}

}  // namespace parley::core
