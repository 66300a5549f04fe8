// online_homes.cpp: see the header.
#include "core/online_homes.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_state.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr auto look_again = std::chrono::seconds(1);
/// More than are shown: some of them may not want to be seen by some.
constexpr std::size_t sample_size = limits::online_sample + 2;
static_assert(limits::presence_full < limits::page_members);

bool counts(PresenceStep step) noexcept {
  return step == PresenceStep::window || step == PresenceStep::count;
}

bool moves_members(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::created:
    case EventKind::joined:
    case EventKind::left:
    case EventKind::added:
    case EventKind::removed:
    case EventKind::settings_changed:  // a channel of a space was opened or closed
      return true;
    default:
      return false;
  }
}

}  // namespace

OnlineHomes::Watch* OnlineHomes::find(const ConversationId& id, std::uint64_t number) noexcept {
  const auto known = watches_.find(id);
  return known != watches_.end() && known->second.number == number ? &known->second : nullptr;
}

// ---- Who watches ----

void OnlineHomes::watch(const ConversationId& id, SessionRef ref, const Caller& caller) {
  shard_.home(id).conversation->count_members(
      caller, [this, id, asked = Asked{ref, caller.user}](const Result<std::uint64_t>& members) {
        if (!members) return refuse(id, asked, members.error());
        Watch& watch = watches_[id];
        if (watch.number == 0) watch.number = ++last_;
        ++watch.watchers[asked.ref.shard];
        watch.asked.push_back(asked);
        if (!watch.told) return begin_look(id, watch);
        grant(id, watch);
      });
}

void OnlineHomes::refuse(const ConversationId& id, const Asked& asked, const Error& error) {
  shard_.at(asked.ref.shard, [id, ref = asked.ref, error](ShardState& there) {
    there.online.unwatch(ref, id, error);
  });
}

template <class Which>
bool OnlineHomes::refuse_all(const ConversationId& id, Watch& watch, const Error& error,
                             Which which) {
  const auto gone = std::stable_partition(watch.asked.begin(), watch.asked.end(),
                                          [&](const Asked& asked) { return !which(asked); });
  const std::vector<Asked> refused(gone, watch.asked.end());
  watch.asked.erase(gone, watch.asked.end());
  bool forgotten = false;
  for (const Asked& asked : refused) {
    refuse(id, asked, error);
    forgotten = give_back(id, watch, asked.ref.shard);
  }
  return forgotten;
}

void OnlineHomes::grant(const ConversationId& id, Watch& watch) {
  for (const Asked& asked : std::exchange(watch.asked, {})) {
    shard_.at(asked.ref.shard, [id, ref = asked.ref, news = watch.told](ShardState& there) {
      there.online.granted(id, ref, news);
    });
  }
}

void OnlineHomes::release(const ConversationId& id, ShardIndex from) {
  const auto known = watches_.find(id);
  if (known != watches_.end()) give_back(id, known->second, from);
}

bool OnlineHomes::give_back(const ConversationId& id, Watch& watch, ShardIndex shard) {
  const auto from = watch.watchers.find(shard);
  if (from == watch.watchers.end()) return false;
  if (--from->second == 0) watch.watchers.erase(from);
  if (!watch.watchers.empty()) return false;
  stop_counting(id, watch);
  if (watch.timer != Effects::Timer::none) shard_.world.cancel_timer(watch.timer);
  watches_.erase(id);
  return true;
}

void OnlineHomes::left(const ConversationId& id, UserId user) {
  const auto known = watches_.find(id);
  if (known == watches_.end()) return;
  for (const auto& [shard, grants] : known->second.watchers)
    shard_.at(shard, [id, user](ShardState& there) { there.online.left(id, user); });
  refuse_all(id, known->second, denied(),
             [user](const Asked& asked) { return asked.user == user; });
}

void OnlineHomes::check_watchers(const ConversationId& id) {
  for (const auto& [shard, grants] : watches_.at(id).watchers)
    shard_.at(shard, [id](ShardState& there) { there.online.check(id); });
}

void OnlineHomes::ended(const ConversationId& id) {
  const auto known = watches_.find(id);
  if (known == watches_.end()) return;
  for (const auto& [shard, grants] : known->second.watchers)
    shard_.at(shard, [id](ShardState& there) { there.online.ended(id); });
  refuse_all(id, known->second, denied(), [](const Asked&) { return true; });
}

// ---- The members, and the step ----

void OnlineHomes::published(const Published& events) {
  if (!watches_.contains(events.conversation)) return;
  const bool moved = std::any_of(
      events.records.begin(), events.records.end(),
      [](const Payload& record) { return moves_members(wire::read_record(record.bytes()).kind); });
  if (moved) look(events.conversation);
  if (events.ended) left(events.conversation, events.ended);
  if (events.everybody) check_watchers(events.conversation);
}

void OnlineHomes::look(const ConversationId& id) {
  const auto known = watches_.find(id);
  if (known != watches_.end()) begin_look(id, known->second);
}

void OnlineHomes::begin_look(const ConversationId& id, Watch& watch) {
  if (watch.looking) {
    watch.again = true;
    return;
  }
  watch.looking = true;
  watch.again = false;
  const auto counted_then = [this, id,
                             number = watch.number](const Result<std::uint64_t>& members) {
    Watch* there = find(id, number);
    if (there == nullptr) return;
    members ? counted(id, *there, *members) : look_failed(id, *there, members.error());
  };
  shard_.home(id).conversation->count_members({}, counted_then);
}

void OnlineHomes::counted(const ConversationId& id, Watch& watch, std::uint64_t members) {
  const PresenceStep step = next_step(watch.step, members, shard_.config.presence);
  if (step != PresenceStep::full) return looked(id, watch, step, {});
  wire::Members asked{.conversation = id, .limit = limits::page_members};
  const auto listed = [this, id, number = watch.number](const Result<wire::MembersPage>& page) {
    Watch* there = find(id, number);
    if (there == nullptr) return;
    if (!page) return look_failed(id, *there, page.error());
    std::vector<UserId> users;
    for (const Member& member : page->members) users.push_back(member.user);
    std::sort(users.begin(), users.end());
    looked(id, *there, PresenceStep::full, std::move(users));
  };
  shard_.home(id).conversation->members({}, std::move(asked), listed);
}

void OnlineHomes::look_failed(const ConversationId& id, Watch& watch, const Error& error) {
  watch.looking = false;
  if (refuse_all(id, watch, error, [](const Asked&) { return true; })) return;
  shard_.world.start_timer(look_again, [this, id, number = watch.number] {
    if (Watch* later = find(id, number)) begin_look(id, *later);
  });
}

void OnlineHomes::looked(const ConversationId& id, Watch& watch, PresenceStep step,
                         std::vector<UserId> members) {
  watch.looking = false;
  const bool news = step != watch.step || members != watch.members;
  watch.step = step;
  watch.members = std::move(members);
  if (counts(step) && watch.round == 0) start_counting(id, watch);
  if (!counts(step)) stop_counting(id, watch);
  if (news && watch.silent == 0) tell(id, watch);
  if (watch.again) begin_look(id, watch);
}

// ---- The count ----

void OnlineHomes::start_counting(const ConversationId& id, Watch& watch) {
  watch.round = ++last_;
  watch.silent = shard_.config.shards;
  for (ShardIndex i = 0; i < shard_.config.shards; ++i) {
    shard_.at(i, [id, round = watch.round](ShardState& there) { there.online.count(id, round); });
  }
}

void OnlineHomes::stop_counting(const ConversationId& id, Watch& watch) {
  if (watch.round == 0) return;
  watch.round = 0;
  watch.silent = 0;
  watch.together = {};
  watch.sample.clear();
  for (ShardIndex i = 0; i < shard_.config.shards; ++i)
    shard_.at(i, [id](ShardState& there) { there.online.count(id, 0); });
}

void OnlineHomes::report(const ConversationId& id, ShardIndex from, std::uint64_t round,
                         const OnlineHere::Change& change) {
  const auto known = watches_.find(id);
  if (known == watches_.end() || known->second.round != round) return;
  Watch& watch = known->second;
  watch.together.apply(from, change);
  if (watch.silent == 0) return tell_later(id, watch);
  if (--watch.silent == 0) tell(id, watch);  // each reports at once when it begins
}

// ---- What is told ----

void OnlineHomes::tell_later(const ConversationId& id, Watch& watch) {
  if (watch.timer != Effects::Timer::none) return;
  const auto due = watch.told_at + limits::online_period - shard_.world.now().steady;
  const auto delay = std::max(due, std::chrono::steady_clock::duration::zero());
  watch.timer = shard_.world.start_timer(std::chrono::ceil<std::chrono::milliseconds>(delay),
                                         [this, id, number = watch.number] {
                                           Watch* later = find(id, number);
                                           if (later == nullptr) return;
                                           later->timer = Effects::Timer::none;
                                           if (later->silent == 0) tell(id, *later);
                                         });
}

void OnlineHomes::tell(const ConversationId& id, Watch& watch) {
  OnlineNews news{.step = watch.step, .users = watch.members};
  if (counts(watch.step)) news.count = watch.together.count();
  if (watch.step == PresenceStep::count) {
    std::erase_if(watch.sample, [&](UserId user) { return !watch.together.contains(user); });
    for (const UserId user : watch.together.sample(sample_size - watch.sample.size(), watch.sample))
      watch.sample.push_back(user);
    std::sort(watch.sample.begin(), watch.sample.end());
    news.users = watch.sample;
  }
  const bool same = watch.told && watch.told->step == news.step &&
                    watch.told->count == news.count && watch.told->users == news.users;
  if (!same) {
    news.revision = ++last_;
    watch.told = std::make_shared<const OnlineNews>(std::move(news));
    watch.told_at = shard_.world.now().steady;
    for (const auto& [shard, grants] : watch.watchers)
      shard_.at(shard, [id, told = watch.told](ShardState& there) { there.online.told(id, told); });
  }
  grant(id, watch);
}

}  // namespace parley::core
