// online_truth.hpp: who follows which conversation with a session that others can see, as far as
// that can be known from what sessions asked and were answered.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "parley/ids.hpp"
#include "parley/limits.hpp"
#include "simulation/scheduler.hpp"

namespace parley::simulation {

/// Fed by the checker. A count that is told was true at some moment of the last `window`.
class OnlineTruth {
 public:
  using SessionKey = std::uint64_t;
  static constexpr Time window =
      limits::online_gather + limits::online_period + std::chrono::seconds(2);

  /// Said hello: its user, not known before the welcome, is online for others from here on.
  void greeted(SessionKey session) { sessions_.try_emplace(session); }
  void welcomed(SessionKey session, UserId user) { sessions_[session].user = user; }
  void subscribing(SessionKey session, const ConversationId& id);
  void subscribed(SessionKey session, const ConversationId& id, bool follows, Time now);
  void setting_state(SessionKey session, Time now);
  void state_set(SessionKey session, bool invisible, Time now);
  void closed(SessionKey session, Time now);
  void clear() { *this = {}; }

  struct Bounds {
    std::size_t least = 0, most = 0;
  };
  /// `stayed`: the user has been a member all the time.
  [[nodiscard]] Bounds bounds(const ConversationId& id, Time now,
                              const std::function<bool(UserId, Time)>& stayed) const;
  /// Whether others may be shown the user online.
  [[nodiscard]] bool may_be_online(UserId user, Time now) const;

 private:
  struct Follow {
    std::size_t open = 0;       // requests to change it without an answer
    std::optional<Time> since;  // it surely follows
  };
  struct Session {
    UserId user;
    std::map<ConversationId, Follow> follows;
    std::size_t open = 0;       // requests to change its state without an answer
    std::optional<Time> since;  // surely invisible
  };
  [[nodiscard]] bool hidden(UserId user, Time now) const;

  std::map<SessionKey, Session> sessions_;
  std::map<std::pair<ConversationId, UserId>, Time> followed_;  // possibly up to then
  std::map<UserId, Time> unsure_;  // up to then some session may have been invisible
  std::map<UserId, Time> gone_;    // when a session closed
};

}  // namespace parley::simulation
