// checker_online.cpp: what is told of who is online in a conversation (C19).
#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {

void Checker::heard_online(SessionKey key, const wire::Operation& operation) {
  if (std::holds_alternative<wire::Hello>(operation)) online_.greeted(key);
  if (const auto* subscribe = std::get_if<wire::Subscribe>(&operation)) {
    for (const auto& item : subscribe->items) online_.subscribing(key, item.conversation);
  }
  if (std::holds_alternative<wire::SetPresence>(operation))
    online_.setting_state(key, scheduler_.now());
}

void Checker::answered_online(SessionKey key, const wire::Operation& asked,
                              const wire::Answer& answer) {
  const Time now = scheduler_.now();
  if (const auto* welcome = std::get_if<wire::Welcome>(&answer))
    online_.welcomed(key, welcome->user);
  if (const auto* subscribed = std::get_if<wire::Subscribed>(&answer)) {
    for (const ResumeAnswer& each : subscribed->answers)
      online_.subscribed(key, each.conversation, each.level != Level::none, now);
  }
  const auto* set = std::get_if<wire::SetPresence>(&asked);
  if (set != nullptr && std::holds_alternative<wire::Done>(answer))
    online_.state_set(key, set->state == PresenceState::invisible, now);
}

void Checker::on(Session& session, const Online& online) {
  const ConversationId& id = online.conversation;
  const Time now = scheduler_.now();
  const auto& own = spans(id, session.user);
  if (own.empty()) broken("C7", "a stranger is told who is online in " + short_name(id));
  // A subscription ends with the membership; who comes back subscribes again.
  const auto stayed = [&](UserId user, Time since) {
    const auto& known = spans(id, user);
    const auto row = truth_.member(id, user);
    if (!row || row->role == Role::none) return false;
    return known.back().seen <= since && known.back().seen + OnlineTruth::window < now;
  };
  if (online.step != PresenceStep::full) {
    const auto bounds = online_.bounds(id, now, stayed);
    if (!ended(id) && (online.count < bounds.least || online.count > bounds.most)) {
      broken("C19", session.subject + " is told that " + std::to_string(online.count) +
                        " are online in " + short_name(id) + ", there were " +
                        std::to_string(bounds.least) + " to " + std::to_string(bounds.most));
    }
  }
  if (!online.users) return;
  if (online.step == PresenceStep::window && !online.users->empty())
    broken("C19", "users are named whom nobody asked for");
  for (const Presence& each : *online.users) {
    if (!ended(id) && spans(id, each.user).empty())
      broken("C7", "a stranger is shown in " + short_name(id));
    if (!each.online) {
      if (online.step == PresenceStep::count) broken("C19", "one who is offline is named");
      continue;
    }
    const auto block = blocks_.find({each.user, session.user});
    if (block != blocks_.end() && block->second.on &&
        block->second.since + OnlineTruth::window < now)
      broken("C19", session.subject + " is shown who blocks it");
    if (each.user != session.user && !online_.may_be_online(each.user, now))
      broken("C19", "user " + to_string(each.user) + " is shown online, which is not seen");
  }
  report_.reached(online.step == PresenceStep::full     ? Sometimes::online_full
                  : online.step == PresenceStep::window ? Sometimes::online_window
                                                        : Sometimes::online_count);
}

}  // namespace parley::simulation
