// core/shard_state.hpp: what a shard is made of, and how its parts reach one another and other
// shards.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/snowflake.hpp"
#include "core/bounded_cache.hpp"
#include "core/fan.hpp"
#include "core/feed_follower.hpp"
#include "core/growing.hpp"
#include "core/names.hpp"
#include "core/online_homes.hpp"
#include "core/online_watchers.hpp"
#include "core/recent_pages.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "core/tickets.hpp"
#include "core/timers.hpp"
#include "core/user_home.hpp"
#include "core/wall_clock.hpp"

namespace parley::core {

/// A conversation whose home is here, and the shards that follow it.
struct Home {
  std::unique_ptr<Conversation> conversation;
  std::vector<ShardIndex> followers;
  std::chrono::steady_clock::time_point used{};
};

struct ShardState final : ConversationHost {
  ShardState(ShardIndex own_index, ShardConfig own_config, Effects& own_effects);
  ~ShardState();

  // ---- Placement ----
  [[nodiscard]] ShardIndex shard_of(const ConversationId& id) const noexcept;
  [[nodiscard]] ShardIndex shard_of(UserId id) const noexcept;
  [[nodiscard]] ShardIndex shard_of(const layout::TimerTarget& target) const noexcept;
  [[nodiscard]] ShardIndex shard_of_subject(std::string_view subject) const noexcept;
  /// Runs `work(ShardState&)` on a shard, later; on this one too.
  template <class Work>
  void at(ShardIndex to, Work&& work);
  /// Runs `work(ShardState&, Conversation&)` at the home of a conversation.
  template <class Work>
  void at_home(const ConversationId& id, Work&& work);
  /// Runs `work(ShardState&, UserHome&)` at the home of a user.
  template <class Work>
  void at_user(UserId id, Work&& work);

  Home& home(const ConversationId& id);
  UserHome& user_home(UserId id);

  // ---- Answers: from any shard to the session that asked ----
  void answer(SessionRef session, std::uint32_t request, wire::Answer&& answer);
  void fail(SessionRef session, std::uint32_t request, Error error);
  /// A completion that answers `request` with `to_answer(value)`, or with the error.
  template <class T, class ToAnswer>
  auto answering(SessionRef session, std::uint32_t request, ToAnswer to_answer);

  /// A completion that is carried to another shard and runs there.
  template <class T>
  Then<T> returning(ShardIndex back, Then<T> then) {
    return [this, back, then = std::move(then)](Result<T> result) {
      at(back,
         [then, result = std::move(result)](ShardState&) mutable { then(std::move(result)); });
    };
  }

  // ---- ConversationHost ----
  Effects& effects() noexcept override { return world; }
  layout::Namespace ns() const noexcept override { return config.ns; }
  Snowflake next_snowflake() override;
  void published(std::shared_ptr<const Published> events) override;
  void receipts_moved(const ConversationId& id, ConversationKind kind,
                      const std::vector<MovedReceipt>& receipts, Seq head) override;
  void access_ended(const ConversationId& id, UserId user, Seq last) override;
  bool grows_for_another(const ConversationId& id, Snowflake stream, UserId user) override {
    return growing.of_another(id, stream, user);
  }
  void members_changed(const ConversationId& id, ConversationKind kind) override;
  void hearing_changed(const ConversationId& id, UserId user) override;
  void tell_host(const Published& events);
  void read_message(const ForwardOf& which, Caller reader, Then<Forwardable> then) override;
  void deleted_for_one(const ConversationId& id, UserId user, OwnDeletionsPtr all,
                       std::vector<Seq> fresh) override;
  void conversation_ended(const ConversationId& id) override;
  void drop_from_lists(const ConversationId& id, ConversationKind kind, std::vector<UserId> users,
                       Then<void> then) override;
  void refuse_requests(const ConversationId& id, std::vector<UserId> users, Seq seq,
                       Then<void> then) override;
  template <class Change>
  void change_each(const std::vector<UserId>& users, const Change& change, Then<void> then);
  void full_of_spaces(std::vector<UserId> users, Then<std::vector<UserId>> then) override;
  void bear_child(const ConversationId& child, Caller creator, Creation creation,
                  Then<Access> then) override;
  void end_child(const ConversationId& child, Then<void> then) override;
  void child_gone(const ConversationId& space, const ConversationId& child,
                  Then<void> then) override;
  void space_rights(const ConversationId& space, std::uint32_t child, std::vector<UserId> users,
                    std::function<void(UserId, Result<SpaceRight>)> then) override;
  void space_members(const ConversationId& space, wire::Members asked,
                     Then<wire::MembersPage> then) override;
  void space_changed(const ConversationId& space, UserId user, bool gone,
                     std::function<void()> then) override;
  void child_loaded(const ConversationId& space, const ConversationId& child) override {
    children[space].insert(child);
  }
  /// Of the homes here: `then` when none has something under way by a right of before.
  void rights_changed(const ConversationId& space, UserId user, bool gone,
                      std::function<void()> then);
  /// Runs `work(ShardState&, done)` on every shard, and `then` here when all have called `done`.
  using EachShard = std::function<void(ShardState&, std::function<void()>)>;
  void on_every_shard(EachShard work, std::function<void()> then);
  void feed_moved() override;
  void found_absent(const ConversationId& id) override;
  void names_of(std::vector<UserId> users, Then<std::vector<UserName>> then) override {
    names.lookup(std::move(users), std::move(then));
  }
  std::int64_t settled_wall_ms() override { return wall_clock.at(world.now()); }
  void later(Effects::Work work) override { world.post(index, std::move(work)); }
  void wake_at(const layout::TimerTarget& target, std::int64_t due_ms, Then<void> then) override;
  void drop_wake(const layout::TimerTarget& target, std::int64_t due_ms) override;

  /// At the home of its conversation: to everybody who looks, but for the session that sent it.
  void signal(const wire::Signalled& signal, SessionRef except);
  /// Those of the users who do not block the caller: whom it may add. The system may add anybody.
  void without_blockers(UserId caller, std::vector<UserId> users, Then<std::vector<UserId>> then);
  /// The conversation comes into the user's list, if the user is in it; `then` here, afterwards.
  void list_again(const ConversationId& id, UserId user, std::function<void()> then);
  /// How long what nobody uses stays in memory.
  [[nodiscard]] std::chrono::milliseconds idle_after() const noexcept;
  void sweep();       // every few seconds: what nobody uses leaves memory
  void await_idle();  // while stopping

  ShardIndex index;
  ShardConfig config;
  Effects& world;
  base::SnowflakeSource snowflakes;
  WallClock wall_clock;
  bool stopping = false;
  bool short_of_memory = false;
  std::function<void()> stopped;
  Effects::Timer sweep_timer = Effects::Timer::none;

  Names names;
  Tickets tickets;
  Sessions sessions;
  Fans fans;
  Growing growing;
  OnlineHomes online_homes;
  OnlineWatchers online;
  FeedFollower follower;
  Timers timers;
  RecentPages recent;
  std::unordered_map<ConversationId, Home> homes;
  /// By space: its channels whose homes are, or were, in memory here.
  std::unordered_map<ConversationId, std::unordered_set<ConversationId>> children;
  std::unordered_map<UserId, std::unique_ptr<UserHome>> users;
  /// The sessions of users of whom nothing was wanted for a while: their home is made anew.
  std::unordered_map<UserId, std::vector<UserSession>> resting;
};

/// From the public class to its parts.
struct ShardAccess {
  static ShardState& state(Shard& shard) { return *shard.state_; }
};

template <class Work>
void ShardState::at(ShardIndex to, Work&& work) {
  world.post(to, [work = std::forward<Work>(work)](Shard& shard) mutable {
    work(ShardAccess::state(shard));
  });
}

template <class Work>
void ShardState::at_home(const ConversationId& id, Work&& work) {
  at(shard_of(id), [id, work = std::forward<Work>(work)](ShardState& there) mutable {
    work(there, *there.home(id).conversation);
  });
}

template <class Work>
void ShardState::at_user(UserId id, Work&& work) {
  at(shard_of(id), [id, work = std::forward<Work>(work)](ShardState& there) mutable {
    work(there, there.user_home(id));
  });
}

template <class T, class ToAnswer>
auto ShardState::answering(SessionRef session, std::uint32_t request, ToAnswer to_answer) {
  return [this, session, request, to_answer = std::move(to_answer)](Result<T> result) {
    if (!result) return fail(session, request, std::move(result).error());
    if constexpr (std::is_void_v<T>) {
      answer(session, request, to_answer());
    } else {
      answer(session, request, to_answer(std::move(*result)));
    }
  };
}

}  // namespace parley::core
