// core/fan.hpp: what a shard follows for its sessions: one Fan a conversation, one contiguous entry
// a subscription.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/outlet.hpp"
#include "core/shard.hpp"
#include "parley/event.hpp"

namespace parley::core {

/// One session's subscription, as the fan-out walks it.
struct Subscription {
  enum class State : std::uint8_t {
    opening,  // asked for, not answered yet: nothing is pushed
    live,     // everything up to the fan's head was pushed
    filling,  // events from `next` on come from the store, at the session's own pace
  };
  Outlet* outlet = nullptr;
  std::uint32_t session = 0;  // slot of the session on this shard
  Level level = Level::none;
  State state = State::opening;
  std::uint16_t attempt = 0;  // which Subscribe opened it: a later one replaces it
  Seq next = 1;               // the next event to push
  Seq last = 0;               // not 0: access ended with this event; the subscription ends after it
  UserId user;
  Seq visible_from = 1;
  Audiences audiences = 1;
  bool unheard = false;   // its user's signals are for nobody
  bool stale = false;     // opening: the audiences changed meanwhile
  bool deletes = false;   // its user deleted something for itself alone: Fan::deletions
  bool admitted = false;  // the home said that its user is a member, and has not said otherwise
  /// Opening: a right that a space gives changed. The answer may be from before that.
  bool unsettled = false;
};

/// One conversation as this shard sees it: where it stands, and who here wants it.
struct Fan {
  ConversationId id;
  ConversationKind kind = ConversationKind::group;
  Epoch epoch;
  Seq head = 0;
  Mark mark = 0;
  std::uint64_t head_ordinal = 0;
  Seq floor = 1;
  bool known = false;      // the home has answered: the fields above are right, and stay so
  bool heads_due = false;  // a head_moved is waiting for the next period
  bool counted = false;    // OnlineWatchers is told who comes and goes
  std::vector<Subscription> subscriptions;  // in no order
  /// What users who are here deleted for themselves alone; of others nothing.
  std::unordered_map<UserId, OwnDeletionsPtr> deletions;
  std::chrono::steady_clock::time_point empty_since{};
  [[nodiscard]] Cursor cursor() const noexcept { return {epoch, head, mark}; }
  [[nodiscard]] OwnDeletionsPtr deletions_of(const Subscription& sub) const noexcept;
  [[nodiscard]] Reader reader(const Subscription& sub) const noexcept {
    return {sub.user, sub.audiences, deletions_of(sub)};
  }
};

/// All fans of a shard. Sessions hold (Fan*, index) pairs, kept right when entries move.
class Fans {
 public:
  explicit Fans(ShardState& shard) : shard_(shard) {}

  /// Finds or makes the fan. It lives while it has subscriptions and a while longer.
  Fan& fan(const ConversationId& id);
  [[nodiscard]] Fan* find(const ConversationId& id) noexcept;
  /// What the home said when it made this shard a follower.
  void opened(Fan& fan, const Access& access);

  void published(const Published& events);
  /// Ends the subscriptions of a user and tells their sessions; those that are not live are first
  /// given what comes up to `last`.
  void end_access(Fan& fan, UserId user, Seq last);
  /// What the user deleted for itself alone, unless newer is known.
  void take_deletions(Fan& fan, UserId user, OwnDeletionsPtr all);
  /// The conversation was deleted: ends every subscription.
  void end_all(Fan& fan);
  void receipts(const ConversationId& id, ConversationKind kind,
                const std::vector<MovedReceipt>& receipts);
  void signalled(const wire::Signalled& signal, SessionRef except);
  void streamed(const wire::Streamed& piece, SessionRef except);

  /// Adds a subscription for a session (a slot here) in state `opening`; its index in the fan.
  std::uint32_t add(Fan& fan, Subscription subscription);
  /// Its user is a member, or is none any more.
  void admit(Fan& fan, Subscription& sub, bool on);
  /// Removes by index; the session whose entry moved is told.
  void remove(Fan& fan, std::uint32_t index);

  /// There was nothing there to subscribe to: nothing of it is kept.
  void forget_unknown(const ConversationId& id);
  void sweep(std::chrono::steady_clock::time_point now);
  [[nodiscard]] std::size_t size() const noexcept { return fans_.size(); }
  /// Other audiences are for the user from here on: the home says which.
  void change_access(Fan& fan, UserId user);
  void change_access_of_all(Fan& fan);
  /// What the user (no user: anybody) is in that space changed, and the homes know.
  void rights_changed(const ConversationId& space, UserId user);

 private:
  void look_again(Fan& fan, Subscription& sub);
  void push_events(Fan& fan, const Published& events);
  [[nodiscard]] bool host_passes(const wire::Signalled& signal, UserId receiver) const;
  void heads_later(Fan& fan);
  void push_heads();

  ShardState& shard_;
  std::unordered_map<ConversationId, std::unique_ptr<Fan>> fans_;
  std::unordered_map<ConversationId, std::unordered_set<ConversationId>> by_space_;
  std::unordered_set<ConversationId> unknown_;  // fans whose home has not answered yet
  std::vector<ConversationId> heads_due_;
  Effects::Timer heads_timer_ = Effects::Timer::none;
};

}  // namespace parley::core
