// core/online_homes.hpp: at the homes of conversations, what those are told who watch one as a
// whole: who is online there, as exactly as its step says. In memory only, while somebody watches.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/presence_ladder.hpp"
#include "core/shard.hpp"

namespace parley::core {

struct ShardState;

/// What is told of a conversation, the same to everybody; whom a watcher may know is found out
/// where its session is.
struct OnlineNews {
  std::uint64_t revision = 0;  // greater with each
  PresenceStep step = PresenceStep::none;
  std::uint64_t count = 0;    // window, count
  std::vector<UserId> users;  // full: the members; count: a few who are online
};
using OnlineNewsPtr = std::shared_ptr<const OnlineNews>;

/// Those of a shard. A watch begins with the first grant and is forgotten with the last release:
/// each shard gives every grant back once. While a step counts, every shard reports who follows.
class OnlineHomes {
 public:
  explicit OnlineHomes(ShardState& shard) : shard_(shard) {}

  /// OnlineWatchers at `ref` is granted the watch in time, or refused it.
  void watch(const ConversationId& id, SessionRef ref, const Caller& caller);
  void release(const ConversationId& id, ShardIndex from);
  /// Who came and went on a shard since its last report of that round.
  void report(const ConversationId& id, ShardIndex from, std::uint64_t round,
              const OnlineHere::Change& change);

  void published(const Published& events);
  void left(const ConversationId& id, UserId user);
  void ended(const ConversationId& id);
  /// Who is a member may be another: looks again if somebody watches.
  void look(const ConversationId& id);
  [[nodiscard]] std::size_t size() const noexcept { return watches_.size(); }

 private:
  struct Asked {
    SessionRef ref;
    UserId user;
  };
  struct Watch {
    std::uint64_t number = 0;                    // of all watches here: answers may be late
    std::map<ShardIndex, std::size_t> watchers;  // grants that were not released; never 0
    std::vector<Asked> asked;                    // granted, but not told so yet
    bool looking = false, again = false;         // at the members
    PresenceStep step = PresenceStep::none;
    std::vector<UserId> members;  // full
    std::uint64_t round = 0;      // of counting; 0: nobody counts
    std::size_t silent = 0;       // shards that have not reported in this round
    OnlineTogether together;
    std::vector<UserId> sample;  // count: the same ones as long as they are online
    OnlineNewsPtr told;
    std::chrono::steady_clock::time_point told_at{};
    Effects::Timer timer = Effects::Timer::none;
  };

  /// Anybody's access may have ended: those who watch are asked about again.
  void check_watchers(const ConversationId& id);
  [[nodiscard]] Watch* find(const ConversationId& id, std::uint64_t number) noexcept;
  void begin_look(const ConversationId& id, Watch& watch);
  void counted(const ConversationId& id, Watch& watch, std::uint64_t members);
  void look_failed(const ConversationId& id, Watch& watch, const Error& error);
  void looked(const ConversationId& id, Watch& watch, PresenceStep step,
              std::vector<UserId> members);
  void start_counting(const ConversationId& id, Watch& watch);
  void stop_counting(const ConversationId& id, Watch& watch);
  void grant(const ConversationId& id, Watch& watch);
  void tell_later(const ConversationId& id, Watch& watch);
  void tell(const ConversationId& id, Watch& watch);
  void refuse(const ConversationId& id, const Asked& asked, const Error& error);
  /// Those who wait and of whom `which` says so. True: there was nobody else, it is forgotten.
  template <class Which>
  bool refuse_all(const ConversationId& id, Watch& watch, const Error& error, Which which);
  bool give_back(const ConversationId& id, Watch& watch, ShardIndex shard);

  ShardState& shard_;
  std::unordered_map<ConversationId, Watch> watches_;
  std::uint64_t last_ = 0;  // number, round and revision
};

}  // namespace parley::core
