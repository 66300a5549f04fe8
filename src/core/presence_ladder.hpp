// core/presence_ladder.hpp: the steps of what is told of who is online in a conversation, and the
// exact count, kept only while somebody watches.
#pragma once
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/effects.hpp"
#include "parley/ids.hpp"
#include "parley/limits.hpp"
#include "parley/user.hpp"

namespace parley::core {

/// Up above one, down below `again`.
struct PresenceBorders {
  std::uint64_t full = limits::presence_full, full_again = limits::presence_full_again;
  std::uint64_t window = limits::presence_window, window_again = limits::presence_window_again;
};

/// The step of a conversation with so many members that stood on `now`.
PresenceStep next_step(PresenceStep now, std::uint64_t members,
                       const PresenceBorders& borders = PresenceBorders()) noexcept;

/// Of one conversation, the users who follow it on one shard with a session that others can see.
/// Exists while somebody watches. A change costs the same for any number of members.
class OnlineHere {
 public:
  struct Change {
    std::vector<UserId> came, went;  // each at most once, and in one of both
    [[nodiscard]] bool empty() const noexcept { return came.empty() && went.empty(); }
  };
  /// One session more, or less, of the user.
  void came(UserId user);
  void went(UserId user);
  /// What has changed since the last call; who came and went meanwhile is in neither.
  Change take_changes();

 private:
  void note(UserId user, bool here);
  std::unordered_map<UserId, std::uint32_t> sessions_;
  std::unordered_map<UserId, bool> changed_;  // and whether the user is here now
};

/// The same of all shards together, at the conversation's home.
class OnlineTogether {
 public:
  void apply(ShardIndex shard, const OnlineHere::Change& change);
  [[nodiscard]] std::size_t count() const noexcept { return users_.size(); }
  [[nodiscard]] bool contains(UserId user) const noexcept { return users_.contains(user); }
  /// Up to `most` of them, in no order; `without` anybody of these.
  [[nodiscard]] std::vector<UserId> sample(std::size_t most,
                                           const std::vector<UserId>& without) const;

 private:
  std::unordered_map<ShardIndex, std::unordered_set<UserId>> shards_;
  std::unordered_map<UserId, std::uint32_t> users_;  // and on how many shards
};

}  // namespace parley::core
