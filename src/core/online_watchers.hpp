// core/online_watchers.hpp: on the shards of sessions, who watches a conversation as a whole and
// what each was told; and who here follows one that is counted.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/effects.hpp"
#include "core/online_homes.hpp"
#include "core/outlet.hpp"
#include "core/presence_ladder.hpp"
#include "core/shard.hpp"
#include "wire/messages.hpp"

namespace parley::core {

struct SessionState;
struct ShardState;

/// Those of a shard. Whom a watcher may know is asked of the users' homes, as for named users: an
/// invisible one is offline, and so is who blocks the watcher. The watched users are kept with the
/// session (SessionState::watched).
class OnlineWatchers {
 public:
  explicit OnlineWatchers(ShardState& shard) : shard_(shard) {}

  // From sessions.
  void request(SessionRef ref, std::uint32_t number, const wire::WatchConversation& asked);
  /// Ends it; what waits for an answer is refused so.
  void unwatch(SessionRef ref, const ConversationId& id, const Error& why);
  /// Its users are unwatched by the session itself.
  void session_closed(SessionRef ref, const ConversationId& id);

  // From the conversation's home.
  void granted(const ConversationId& id, SessionRef ref, const OnlineNewsPtr& news);
  void told(const ConversationId& id, const OnlineNewsPtr& news);
  void left(const ConversationId& id, UserId user);
  void ended(const ConversationId& id);
  /// Ends those whose users are no members any more.
  void check(const ConversationId& id);
  /// Reports who follows, now and whenever that changes; round 0: no more.
  void count(const ConversationId& id, std::uint64_t round);

  // From fans: those of a conversation that is counted.
  [[nodiscard]] bool counts(const ConversationId& id) const noexcept {
    return !counting_.empty() && counting_.contains(id);
  }
  void note(const ConversationId& id, UserId user, bool here);

  /// Conversations that are watched or counted here.
  [[nodiscard]] std::size_t size() const noexcept { return watched_.size() + counting_.size(); }

 private:
  struct Watcher {
    std::uint64_t number = 0;             // of all watchers here: answers may be late
    std::vector<std::uint32_t> requests;  // without an answer
    bool granted = false;
    bool asking = false;  // the homes of users
    std::uint64_t revision = 0;
    PresenceStep step = PresenceStep::none;
  };
  struct Watched {
    OnlineNewsPtr news;  // none before the first grant
    std::unordered_map<SessionRef, Watcher, SessionRef::Hash> watchers;
    FramePtr frame;  // of the news without users, for whom nothing else has changed
  };
  struct Counting {
    std::uint64_t round = 0;
    OnlineHere here;
  };

  [[nodiscard]] Watcher* find(const ConversationId& id, SessionRef ref) noexcept;
  [[nodiscard]] bool may_watch_more(const SessionState& session) const;
  void take(const ConversationId& id, const OnlineNewsPtr& news);
  void serve(const ConversationId& id, SessionRef ref, Watcher& watcher);
  void show(const ConversationId& id, SessionRef ref, std::uint64_t number,
            const OnlineNewsPtr& news, bool whole, std::vector<Presence> found);
  void tell_count(Watched& watched, const ConversationId& id, SessionRef ref, Watcher& watcher);
  [[nodiscard]] Watcher take_out(const ConversationId& id, SessionRef ref);
  void end(const ConversationId& id, SessionRef ref, const wire::Answer& answer);
  template <class Which>
  void end_all(const ConversationId& id, Which which);
  void report(const ConversationId& id, std::uint64_t round, OnlineHere::Change change);
  void report_changes();

  ShardState& shard_;
  std::unordered_map<ConversationId, Watched> watched_;
  std::unordered_map<ConversationId, Counting> counting_;
  bool report_due_ = false;  // of changes, by a timer
  std::uint64_t last_ = 0;
};

}  // namespace parley::core
