#include "simulation/online_truth.hpp"

#include <algorithm>

namespace parley::simulation {

/// While it opens anew it does not follow, for a moment.
void OnlineTruth::subscribing(SessionKey session, const ConversationId& id) {
  Follow& follow = sessions_[session].follows[id];
  ++follow.open;
  follow.since.reset();
}

void OnlineTruth::subscribed(SessionKey session, const ConversationId& id, bool follows, Time now) {
  Session& known = sessions_[session];
  Follow& follow = known.follows[id];
  if (follow.open > 0) --follow.open;
  followed_[{id, known.user}] = now;
  if (!follows || follow.open > 0)
    follow.since.reset();
  else if (!follow.since)
    follow.since = now;
}

void OnlineTruth::setting_state(SessionKey session, Time now) {
  Session& known = sessions_[session];
  ++known.open;
  known.since.reset();
  unsure_[known.user] = now;
}

void OnlineTruth::state_set(SessionKey session, bool invisible, Time now) {
  Session& known = sessions_[session];
  if (known.open > 0) --known.open;
  unsure_[known.user] = now;
  if (invisible && known.open == 0) known.since = now;
}

void OnlineTruth::closed(SessionKey session, Time now) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  for (const auto& [id, follow] : known->second.follows) followed_[{id, known->second.user}] = now;
  if (known->second.open > 0 || known->second.since) unsure_[known->second.user] = now;
  gone_[known->second.user] = now;
  sessions_.erase(known);
}

bool OnlineTruth::hidden(UserId user, Time now) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
    const Session& each = entry.second;
    return each.user == user && each.open == 0 && each.since && *each.since + window < now;
  });
}

bool OnlineTruth::may_be_online(UserId user, Time now) const {
  if (hidden(user, now)) return false;
  const auto gone = gone_.find(user);
  if (gone != gone_.end() && gone->second + window >= now) return true;
  return std::any_of(sessions_.begin(), sessions_.end(), [user](const auto& entry) {
    return entry.second.user == user || !entry.second.user;
  });
}

OnlineTruth::Bounds OnlineTruth::bounds(const ConversationId& id, Time now,
                                        const std::function<bool(UserId, Time)>& stayed) const {
  std::set<UserId> surely, perhaps;
  for (const auto& [key, session] : sessions_) {
    const auto follow = session.follows.find(id);
    if (follow == session.follows.end()) continue;
    perhaps.insert(session.user);
    const Follow& state = follow->second;
    if (state.open == 0 && state.since && *state.since + window < now &&
        stayed(session.user, *state.since))
      surely.insert(session.user);
  }
  for (const auto& [which, until] : followed_)
    if (which.first == id && until + window >= now) perhaps.insert(which.second);
  std::erase_if(perhaps, [&](UserId user) { return hidden(user, now); });
  std::erase_if(surely, [&](UserId user) {
    const auto unsure = unsure_.find(user);
    const bool shown = unsure == unsure_.end() || unsure->second + window < now;
    const bool asked = std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
      const Session& each = entry.second;
      return each.user == user && (each.open > 0 || each.since);
    });
    return !shown || asked;
  });
  return {surely.size(), perhaps.size()};
}

}  // namespace parley::simulation
