#include "core/shard.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/siphash.hpp"
#include "base/thrown.hpp"
#include "core/conversation_commit.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

constexpr auto sweep_period = std::chrono::seconds(10);
constexpr auto stop_look = std::chrono::milliseconds(5);

std::uint64_t spread(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  return value ^ value >> 33;
}

}  // namespace

ShardState::ShardState(ShardIndex own_index, ShardConfig own_config, Effects& own_effects)
    : index(own_index),
      config(own_config),
      world(own_effects),
      snowflakes(static_cast<std::uint16_t>(own_config.node + own_index)),
      names(*this),
      sessions(*this),
      fans(*this),
      growing(*this),
      online_homes(*this),
      online(*this),
      follower(*this),
      timers(*this),
      recent(limits::recent_pages / own_config.shards) {}

ShardState::~ShardState() = default;

ShardIndex ShardState::shard_of(const ConversationId& id) const noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, id.bytes.data() + 8, sizeof word);
  return static_cast<ShardIndex>(word % config.shards);
}
ShardIndex ShardState::shard_of(UserId id) const noexcept {
  return static_cast<ShardIndex>(spread(id.value) % config.shards);
}
ShardIndex ShardState::shard_of(const layout::TimerTarget& target) const noexcept {
  return static_cast<ShardIndex>(layout::timer_shard_of(target) % config.shards);
}
ShardIndex ShardState::shard_of_subject(std::string_view subject) const noexcept {
  return static_cast<ShardIndex>(base::siphash64(config.key, subject) % config.shards);
}

Home& ShardState::home(const ConversationId& id) {
  Home& home = homes[id];
  if (!home.conversation) {
    home.conversation = std::make_unique<Conversation>(*this, id, config.conversation);
  }
  home.used = world.now().steady;
  return home;
}

UserHome& ShardState::user_home(UserId id) {
  auto& home = users[id];
  if (!home) {
    auto rested = resting.extract(id);
    home = std::make_unique<UserHome>(
        *this, id, rested ? std::move(rested.mapped()) : std::vector<UserSession>{});
  }
  return *home;
}

void ShardState::answer(SessionRef session, std::uint32_t request, wire::Answer&& value) {
  if (session.shard == index) return sessions.answer(session, request, std::move(value));
  at(session.shard, [session, request, value = std::move(value)](ShardState& there) mutable {
    there.sessions.answer(session, request, std::move(value));
  });
}

void ShardState::fail(SessionRef session, std::uint32_t request, Error error) {
  answer(session, request, wire::Failed{std::move(error)});
}

Snowflake ShardState::next_snowflake() {
  return snowflakes.next(static_cast<std::uint64_t>(world.now().wall_ms));
}

void ShardState::tell_host(const Published& events) {
  std::vector<Event> told;
  told.reserve(events.records.size());
  for (const Payload& record : events.records) {
    const bool last = told.size() + 1 == events.records.size();
    told.push_back(
        wire::to_event(events.conversation, events.epoch, record, last ? events.mark : 0));
  }
  try {
    config.after_commit(told);
  } catch (...) {
    world.log(Effects::Severity::error,
              "EngineOptions::after_commit threw: " + base::what_was_thrown());
  }
}

void ShardState::published(std::shared_ptr<const Published> events) {
  if (config.after_commit) tell_host(*events);
  auto home = homes.find(events->conversation);
  if (home == homes.end()) return;
  for (const ShardIndex follower_shard : home->second.followers) {
    at(follower_shard, [events](ShardState& there) { there.fans.published(*events); });
  }
  growing.published(*events);
  online_homes.published(*events);
}

void ShardState::receipts_moved(const ConversationId& id, ConversationKind kind,
                                const std::vector<MovedReceipt>& receipts, Seq head) {
  std::unordered_map<ShardIndex, std::vector<Receipt>> by_shard;
  for (const MovedReceipt& receipt : receipts)
    by_shard[shard_of(receipt.own.user)].push_back(receipt.own);
  for (auto& [shard, moved] : by_shard) {
    at(shard, [id, head, moved = std::move(moved)](ShardState& there) {
      for (const Receipt& receipt : moved) {
        const bool to_head = receipt.read >= head;
        const auto rested = there.resting.find(receipt.user);
        const bool wakes = rested != there.resting.end() &&
                           UserHome::told_of_position(rested->second.size(), to_head);
        if (wakes || there.users.contains(receipt.user))
          there.user_home(receipt.user).position_moved(id, to_head);
      }
    });
  }
  auto home = homes.find(id);
  if (home == homes.end()) return;
  for (const ShardIndex follower_shard : home->second.followers) {
    at(follower_shard,
       [id, kind, receipts](ShardState& there) { there.fans.receipts(id, kind, receipts); });
  }
}

void ShardState::access_ended(const ConversationId& id, UserId user, Seq last) {
  growing.left(id, user);
  online_homes.left(id, user);
  auto home = homes.find(id);
  if (home == homes.end()) return;
  for (const ShardIndex follower_shard : home->second.followers) {
    at(follower_shard, [id, user, last](ShardState& there) {
      if (Fan* fan = there.fans.find(id)) there.fans.end_access(*fan, user, last);
    });
  }
}

void ShardState::hearing_changed(const ConversationId& id, UserId user) {
  growing.ended(id);  // begun anew by who is still heard
  auto home = homes.find(id);
  if (home == homes.end()) return;
  for (const ShardIndex follower_shard : home->second.followers) {
    at(follower_shard, [id, user](ShardState& there) {
      if (Fan* fan = there.fans.find(id)) there.fans.change_access(*fan, user);
    });
  }
}

void ShardState::deleted_for_one(const ConversationId& id, UserId user, OwnDeletionsPtr all,
                                 std::vector<Seq> fresh) {
  if (const auto home = homes.find(id); home != homes.end()) {
    for (const ShardIndex follower_shard : home->second.followers) {
      at(follower_shard, [id, user, all](ShardState& there) {
        if (Fan* fan = there.fans.find(id)) there.fans.take_deletions(*fan, user, all);
      });
    }
  }
  at(shard_of(user), [id, user, fresh = std::move(fresh)](ShardState& there) {
    if (there.users.contains(user) || there.resting.contains(user))
      there.user_home(user).deleted_for_me(id, fresh);
  });
}

void ShardState::conversation_ended(const ConversationId& id) {
  growing.ended(id);
  online_homes.ended(id);
  auto home = homes.find(id);
  if (home == homes.end()) return;
  for (const ShardIndex follower_shard : home->second.followers) {
    at(follower_shard, [id](ShardState& there) {
      if (Fan* fan = there.fans.find(id)) there.fans.end_all(*fan);
    });
  }
}

void ShardState::without_blockers(UserId caller, std::vector<UserId> users,
                                  Then<std::vector<UserId>> then) {
  if (!caller) return then(std::move(users));
  std::vector<OwnedCell> cells;
  cells.reserve(users.size());
  for (const UserId user : users)
    cells.push_back({layout::user, layout::user_id(config.ns, user), layout::block_key(caller)});
  world.get(owned_get(std::move(cells)),
            [users = std::move(users), then = std::move(then)](Result<Cells> cells) {
              if (!cells) return then(std::move(cells).error());
              std::vector<UserId> rest;
              for (std::size_t i = 0; i < users.size(); ++i)
                if (!cells->values[i]) rest.push_back(users[i]);
              then(std::move(rest));
            });
}

void ShardState::list_again(const ConversationId& id, UserId user, std::function<void()> then) {
  at(0, [id, user, here = index, then = std::move(then)](ShardState& first) {
    first.follower.derive(
        id, user, [&first, here, then] { first.at(here, [then](ShardState&) { then(); }); });
  });
}

/// At the home of each of them; answers when all have it.
template <class Change>
void ShardState::change_each(const std::vector<UserId>& users, const Change& change,
                             Then<void> then) {
  struct Gather {
    std::size_t open = 0;
    Error error;
    Then<void> then;
  };
  auto gather = std::make_shared<Gather>();
  gather->open = users.size();
  gather->then = std::move(then);
  for (const UserId user : users) {
    at_user(user, [change, gather, back = index](ShardState& there, UserHome& home) {
      home.change(change, [&there, gather, back](const Result<void>& changed) {
        // A user that does not exist has no list.
        const bool failed = !changed && changed.error().errc() != Errc::denied;
        const Error error = failed ? changed.error() : Error();
        there.at(back, [gather, error](ShardState&) {
          if (error) gather->error = error;
          if (--gather->open == 0)
            gather->then(gather->error ? Result<void>(gather->error) : Result<void>());
        });
      });
    });
  }
}

void ShardState::drop_from_lists(const ConversationId& id, ConversationKind kind,
                                 std::vector<UserId> users, Then<void> then) {
  ListChange change;
  change.conversation = id;
  change.row.kind = kind;
  change_each(users, change, std::move(then));
}

void ShardState::refuse_requests(const ConversationId& id, std::vector<UserId> users, Seq seq,
                                 Then<void> then) {
  const auto state = static_cast<std::uint8_t>(JoinRequestState::denied);
  change_each(users, RequestChange{id, {state, seq, world.now().wall_ms}}, std::move(then));
}

void ShardState::signal(const wire::Signalled& signal, SessionRef except) {
  for (const ShardIndex follower_shard : home(signal.conversation).followers) {
    at(follower_shard,
       [signal, except](ShardState& there) { there.fans.signalled(signal, except); });
  }
}

void ShardState::read_message(const ForwardOf& which, Caller reader, Then<Forwardable> then) {
  at_home(which.conversation, [here = index, seq = which.seq, reader, then = std::move(then)](
                                  ShardState& there, Conversation& home) {
    home.read_message(reader, seq, [&there, here, then](Result<Forwardable> found) {
      there.at(here, [then, found = std::move(found)](ShardState&) { then(found); });
    });
  });
}

void ShardState::full_of_spaces(std::vector<UserId> users, Then<std::vector<UserId>> then) {
  struct Job {
    std::size_t open;
    std::vector<UserId> full;
    Error error;
    Then<std::vector<UserId>> then;
  };
  auto job = std::make_shared<Job>(Job{users.size(), {}, {}, std::move(then)});
  for (const UserId user : users) {
    at_user(user, [job, user, back = index](ShardState& there, UserHome& home) {
      home.spaces([&there, job, user, back](Result<std::size_t> count) {
        there.at(back, [job, user, count = std::move(count)](ShardState&) {
          if (!count) job->error = count.error();
          if (count && *count >= limits::spaces) job->full.push_back(user);
          if (--job->open != 0) return;
          if (job->error)
            job->then(job->error);
          else
            job->then(std::move(job->full));
        });
      });
    });
  }
}

void ShardState::bear_child(const ConversationId& child, Caller creator, Creation creation,
                            Then<Access> then) {
  at_home(child, [back = index, creator, creation = std::move(creation), then = std::move(then)](
                     ShardState& there, Conversation& home) mutable {
    home.create(creator, std::move(creation), there.returning<Access>(back, std::move(then)));
  });
}

void ShardState::end_child(const ConversationId& child, Then<void> then) {
  at_home(child, [back = index, then = std::move(then)](ShardState& there, Conversation& home) {
    home.end({}, there.returning<void>(back, then));
  });
}

void ShardState::space_rights(const ConversationId& space, std::uint32_t child,
                              std::vector<UserId> users,
                              std::function<void(UserId, Result<SpaceRight>)> then) {
  at_home(space, [back = index, child, users = std::move(users), then = std::move(then)](
                     ShardState& there, Conversation& home) {
    for (const UserId user : users)
      home.right(user, child,
                 there.returning<SpaceRight>(back, [user, then](Result<SpaceRight> right) {
                   then(user, std::move(right));
                 }));
  });
}

void ShardState::space_members(const ConversationId& space, wire::Members asked,
                               Then<wire::MembersPage> then) {
  at_home(space, [back = index, asked = std::move(asked), then = std::move(then)](
                     ShardState& there, Conversation& home) {
    home.members({}, asked, there.returning<wire::MembersPage>(back, then));
  });
}

void ShardState::on_every_shard(EachShard work, std::function<void()> then) {
  auto open = std::make_shared<std::size_t>(config.shards);
  for (ShardIndex to = 0; to < config.shards; ++to) {
    at(to, [open, work, then, back = index](ShardState& there) {
      work(there, [open, then, &there, back] {
        there.at(back, [open, then](ShardState&) {
          if (--*open == 0) then();
        });
      });
    });
  }
}

/// Who is in a space is in its channels: they are looked at where they are.
void ShardState::members_changed(const ConversationId& id, ConversationKind kind) {
  online_homes.look(id);
  if (kind != ConversationKind::space) return;
  for (ShardIndex to = 0; to < config.shards; ++to) {
    at(to, [id](ShardState& there) {
      const auto known = there.children.find(id);
      if (known == there.children.end()) return;
      for (const ConversationId& child : known->second) there.online_homes.look(child);
    });
  }
}

/// First the homes forget the right, and carry through what they let pass by it. Only then are
/// subscriptions asked about again: one that asked before would be told what held until then.
void ShardState::space_changed(const ConversationId& space, UserId user, bool gone,
                               std::function<void()> then) {
  on_every_shard(
      [space, user, gone](ShardState& there, std::function<void()> done) {
        there.rights_changed(space, user, gone, std::move(done));
      },
      [this, space, user, then = std::move(then)] {
        on_every_shard(
            [space, user](ShardState& there, const std::function<void()>& done) {
              there.fans.rights_changed(space, user);
              done();
            },
            then);
      });
}

void ShardState::rights_changed(const ConversationId& space, UserId user, bool gone,
                                std::function<void()> then) {
  const auto known = children.find(space);
  if (known == children.end()) return then();
  std::erase_if(known->second, [this](const ConversationId& id) { return !homes.contains(id); });
  auto open = std::make_shared<std::size_t>(known->second.size() + 1);
  const auto one_done = [open, then = std::move(then)] {
    if (--*open == 0) then();
  };
  const std::vector<ConversationId> here(known->second.begin(), known->second.end());
  if (here.empty()) children.erase(known);
  for (const ConversationId& id : here) {
    if (gone) user ? growing.left(id, user) : growing.ended(id);
    if (gone) user ? online_homes.left(id, user) : online_homes.ended(id);
    homes.find(id)->second.conversation->right_changed(user, one_done);
  }
  one_done();
}

void ShardState::child_gone(const ConversationId& space, const ConversationId& child,
                            Then<void> then) {
  at_home(space,
          [back = index, child, then = std::move(then)](ShardState& there, Conversation& home) {
            home.child_gone(child, there.returning<void>(back, then));
          });
}

void ShardState::feed_moved() {
  at(0, [](ShardState& there) { there.follower.kick(); });
}

void ShardState::found_absent(const ConversationId& id) {
  later([this, id](Shard&) {  // made-up ids must not fill memory
    const auto home = homes.find(id);
    if (home != homes.end() && home->second.followers.empty() && home->second.conversation->empty())
      homes.erase(home);
  });
}

void ShardState::wake_at(const layout::TimerTarget& target, std::int64_t due_ms, Then<void> then) {
  at(shard_of(target), [target, due_ms, then = std::move(then), back = index](ShardState& there) {
    there.timers.put(target, due_ms, [&there, then, back](Result<void> stored) {
      there.at(back, [then, stored = std::move(stored)](ShardState&) { then(stored); });
    });
  });
}

void ShardState::drop_wake(const layout::TimerTarget& target, std::int64_t due_ms) {
  at(shard_of(target), [target, due_ms](ShardState& there) { there.timers.erase(target, due_ms); });
}

std::chrono::milliseconds ShardState::idle_after() const noexcept {
  return short_of_memory ? std::min<std::chrono::milliseconds>(config.idle_after, sweep_period)
                         : config.idle_after;
}

void ShardState::sweep() {
  sweep_timer = world.start_timer(sweep_period, [this] { sweep(); });  // whatever happens below
  const auto now = world.now().steady;
  static_cast<void>(settled_wall_ms());  // notices a jump that nobody asked about
  if (index == 0) follower.kick();       // a commit of an earlier life may have landed since
  fans.sweep(now);
  tickets.sweep(world.now());
  recent.drop_unused(now - idle_after());
  std::erase_if(homes, [&](const auto& entry) {
    const Home& home = entry.second;
    if (now - home.used < idle_after()) return false;
    home.conversation->rest();
    return home.followers.empty() && home.conversation->idle();
  });
  for (auto space = children.begin(); space != children.end();) {
    std::erase_if(space->second, [&](const ConversationId& id) { return !homes.contains(id); });
    space = space->second.empty() ? children.erase(space) : std::next(space);
  }
  std::erase_if(users, [&](const auto& entry) {
    UserHome& home = *entry.second;
    if (!home.idle() || now - home.used() < idle_after()) return false;
    if (auto sessions = home.take_sessions(); !sessions.empty())
      resting.emplace(entry.first, std::move(sessions));
    return true;
  });
}

void ShardState::await_idle() {
  for (auto& [id, home] : homes) home.conversation->hurry();
  const bool idle =
      sessions.size() == 0 && std::all_of(homes.begin(), homes.end(), [](const auto& entry) {
        return entry.second.conversation->idle();
      });
  if (idle) return std::exchange(stopped, {})();
  world.start_timer(stop_look, [this] { await_idle(); });
}

Shard::Shard(ShardIndex index, ShardConfig config, Effects& effects)
    : state_(std::make_unique<ShardState>(index, config, effects)) {}
Shard::Shard(const Shard& before, std::uint64_t instance) {
  ShardConfig config = before.state_->config;
  config.instance = instance;
  state_ = std::make_unique<ShardState>(before.state_->index, config, before.state_->world);
  state_->snowflakes = before.state_->snowflakes;  // none is given twice
}
Shard::~Shard() = default;

void Shard::start() {
  state_->sweep_timer = state_->world.start_timer(sweep_period, [this] { state_->sweep(); });
  if (state_->index == 0) state_->follower.start();
  state_->timers.start();
}

void Shard::stop(std::function<void()> stopped) {
  state_->stopping = true;
  state_->follower.stop();
  state_->timers.stop();
  state_->stopped = std::move(stopped);
  state_->sessions.goodbye_all();
  state_->await_idle();
}

SessionRef Shard::open(Outlet& outlet, SessionSetup setup) {
  return state_->sessions.open(outlet, std::move(setup));
}
void Shard::request(SessionRef session, wire::Request request) {
  state_->sessions.request(session, std::move(request));
}
void Shard::drained(SessionRef session) { state_->sessions.drained(session); }
void Shard::session_closed(SessionRef session) { state_->sessions.closed(session); }
void Shard::set_limits(const LimitsUpdate& update) {
  ConversationLimits& conversation = state_->config.conversation;
  conversation.max_body = update.max_body.value_or(conversation.max_body);
  conversation.edit_window = update.edit_window.value_or(conversation.edit_window);
  conversation.group_members = update.group_members.value_or(conversation.group_members);
  conversation.channel_members = update.channel_members.value_or(conversation.channel_members);
  auto& requests = state_->config.requests_per_second;
  requests = update.requests_per_second.value_or(requests);
}
// Estimates. 44,000 direct conversations with as many new users made a process 420 MiB larger, with
// its store's mapped pages: 10 KiB a pair.
constexpr std::size_t home_weight = 4 * limits::kib, user_weight = 2 * limits::kib,
                      fan_weight = 320;
std::size_t Shard::weight() const noexcept {
  return home_weight * state_->homes.size() + user_weight * state_->users.size() +
         fan_weight * state_->fans.size() + state_->growing.bytes() + state_->recent.bytes();
}
void Shard::set_short_of_memory(bool is_short) noexcept {
  state_->short_of_memory = is_short;
  if (is_short) state_->recent.drop_unused(RecentPages::Clock::time_point::max());
}
std::size_t Shard::max_body() const noexcept { return state_->config.conversation.max_body; }
void Shard::resolve(std::string subject, bool create, Then<UserId> then) {
  state_->names.resolve(std::move(subject), create, std::move(then));
}
ShardIndex Shard::index() const noexcept { return state_->index; }
std::size_t Shard::sessions() const noexcept { return state_->sessions.size(); }
std::size_t Shard::ingress_bytes() const noexcept { return state_->sessions.ingress(); }
std::size_t Shard::conversations() const noexcept { return state_->homes.size(); }
std::size_t Shard::users() const noexcept { return state_->users.size(); }

}  // namespace parley::core
