// user_presence.cpp: the sessions of a user, and what watchers are told of them.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/shard_state.hpp"
#include "core/user_home.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

/// Which of two sessions' states the user is in.
int rank(PresenceState state) noexcept {
  switch (state) {
    case PresenceState::invisible:
      return 4;
    case PresenceState::busy:
      return 3;
    case PresenceState::online:
      return 2;
    case PresenceState::away:
      return 1;
    case PresenceState::offline:
      break;
  }
  return 0;
}

bool shows(PresenceState state) noexcept {
  return state == PresenceState::online || state == PresenceState::away ||
         state == PresenceState::busy;
}

}  // namespace

// ---- Sessions ----

void UserHome::attach(UserSession session, std::string sync_token, std::uint32_t list_limit,
                      Then<wire::ListChanged> then) {
  session.shown = shows(session.state);
  sessions_changed([&] { sessions_.push_back(session); });
  ++operations_;
  load([this, session = std::move(session), sync_token = std::move(sync_token), list_limit,
        then = std::move(then)](Error error) mutable {
    --operations_;
    if (!error) error = check_device(session);
    if (!error && sessions_.size() > limits::user_sessions)
      error = {Errc::limit_reached, "the user has 1,000 sessions already"};
    if (error) {
      sessions_changed([&] {
        std::erase_if(sessions_, [&](const auto& other) { return other.ref == session.ref; });
      });
      return then(std::move(error));
    }
    presence_later();
    if (!session.device_name.empty()) note_seen(session, shows(session.state) && visible());
    auto listed = [this, ref = session.ref,
                   then = std::move(then)](Result<wire::ListChanged> list) {
      for (UserSession& each : sessions_)
        if (each.ref == ref) each.told_after = announcements_;
      then(std::move(list));
    };
    listing({std::move(sync_token), {}}, list_limit, std::move(listed));
  });
}

Error UserHome::check_device(const UserSession& session) const {
  if (session.device_name.empty()) return {};
  const auto row = devices_.find(session.device);
  if (row != devices_.end()) {
    if (row->second.revoked_ms == 0) return {};
    return {Errc::device_revoked, "device: it was revoked; another name is another device"};
  }
  const auto live = std::count_if(devices_.begin(), devices_.end(), [this](const auto& entry) {
    return entry.first && entry.second.revoked_ms == 0 && in_use(entry.first);
  });
  if (static_cast<std::size_t>(live) < limits::devices) return {};
  return {Errc::limit_reached, "device: 100 others are connected"};
}

void UserHome::detach(SessionRef ref) {
  auto it = std::find_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& session) { return session.ref == ref; });
  if (it == sessions_.end()) return;
  const UserSession gone = std::move(*it);
  const bool was_visible = visible();
  sessions_changed([&] { sessions_.erase(it); });
  used_ = shard_.world.now().steady;
  presence_later();
  note_seen(gone, was_visible);
}

void UserHome::set_state(SessionRef ref, PresenceState state) {
  const auto it = std::find_if(sessions_.begin(), sessions_.end(),
                               [&](const auto& session) { return session.ref == ref; });
  if (it == sessions_.end()) return;
  const bool was_visible = visible();
  sessions_changed([&] { it->state = state; });
  presence_later();
  if (was_visible && !visible()) note_seen(*it, true);
}

void UserHome::sessions_changed(const std::function<void()>& change) {
  const bool was_visible = visible();
  change();
  const bool shown = visible();
  if (was_visible && !shown) last_shown_ms_ = shard_.world.now().wall_ms;
  for (UserSession& session : sessions_) {
    if (std::exchange(session.shown, shown) == shown) continue;
    shard_.at(session.ref.shard, [ref = session.ref, shown](ShardState& there) {
      there.sessions.user_shown(ref, shown);
    });
  }
}

// ---- Presence ----

PresenceState UserHome::state() const noexcept {
  PresenceState merged = PresenceState::offline;
  for (const UserSession& session : sessions_) {
    if (rank(session.state) > rank(merged)) merged = session.state;
  }
  return merged;
}

bool UserHome::visible() const noexcept { return shows(state()); }

Presence UserHome::presence(bool own) const {
  Presence presence;
  presence.user = id_;
  presence.state = state();
  if (!own && presence.state == PresenceState::invisible) presence.state = PresenceState::offline;
  presence.online = shows(presence.state);
  if (!presence.online && (own || !settings_.hide_last_seen))
    presence.last_seen = wall_time(last_shown_ms_);
  const std::int64_t until = settings_.status_until_ms;
  if (until == 0 || until > shard_.world.now().wall_ms) {
    presence.status = settings_.status;
    presence.status_until = wall_time(until);
  }
  return presence;
}

void UserHome::watch(SessionRef ref, UserId user, std::function<void(const Presence&)> then) {
  watchers_.try_emplace(ref, Watcher{user, user != id_ && !loaded_});
  used_ = shard_.world.now().steady;
  const auto answer = [this, ref, user, then = std::move(then)](bool blocked) {
    if (const auto known = watchers_.find(ref); known != watchers_.end())
      known->second.blocked = blocked;
    then(presence_for({user, blocked}));
  };
  if (loaded_) return answer(blocked_.contains(user));
  with_profile([this, user, answer] {
    ++operations_;
    auto memory =
        std::make_shared<std::pair<std::string, std::string>>(partition_, layout::block_key(user));
    Get get;
    get.cells.push_back({{layout::user, memory->first}, memory->second});
    get.owner = memory;
    shard_.world.get(std::move(get), [this, user, answer](const Result<Cells>& cells) {
      --operations_;
      // What cannot be read is not told.
      answer(loaded_ ? blocked_.contains(user) : !cells || cells->values[0].has_value());
    });
  });
}

void UserHome::with_profile(std::function<void()> then) {
  if (profile_read_) return then();
  ++operations_;
  read_profile([this, then = std::move(then)] {
    --operations_;
    then();
  });
}

/// As that watcher may know it: who is blocked is told that nobody is there.
Presence UserHome::presence_for(const Watcher& watcher) const {
  if (!watcher.blocked) return presence(watcher.user == id_);
  Presence nobody;
  nobody.user = id_;
  return nobody;
}

void UserHome::watchers_changed(UserId user, bool blocked) {
  for (auto& [ref, watcher] : watchers_) {
    if (watcher.user != user || std::exchange(watcher.blocked, blocked) == blocked) continue;
    shard_.at(ref.shard, [ref = ref, told = presence_for(watcher)](ShardState& there) {
      there.sessions.presence_changed({ref}, told);
    });
  }
}

/// What watchers may know, without the user's list: it is not loaded for those who only look.
void UserHome::read_profile(std::function<void()> then) {
  if (profile_read_) return then();
  auto memory = std::make_shared<std::string>(partition_);
  Scan scan;
  scan.partition = {layout::user, *memory};
  scan.from = "d";
  scan.to = "e";
  scan.max_rows = limits::devices + limits::revoked_devices + 1;
  scan.owner = memory;
  shard_.world.scan(std::move(scan), [this, memory, then = std::move(then)](Result<Rows> rows) {
    if (rows) {
      for (const Row& row : rows->rows) {
        if (const auto device = layout::decode_device(row.value))
          last_shown_ms_ = std::max(last_shown_ms_, device->shown_ms);
      }
    }
    auto key = std::make_shared<std::string>(layout::setting_key("settings"));
    Get get;
    get.cells.push_back({{layout::user, *memory}, *key});
    get.owner = std::make_shared<std::pair<Owner, Owner>>(memory, key);
    shard_.world.get(std::move(get), [this, then, whole = bool(rows)](Result<Cells> cells) {
      if (cells && !profile_read_) {
        auto row = cells->values[0] ? layout::decode_settings(*cells->values[0]) : std::nullopt;
        if (row) settings_ = std::move(*row);
        profile_read_ = whole;
      }
      then();
    });
  });
}

void UserHome::unwatch(SessionRef watcher) {
  watchers_.erase(watcher);
  used_ = shard_.world.now().steady;
}

/// At most one update a period; going offline waits for the grace, so that a reconnect shows
/// nothing.
void UserHome::presence_later() {
  if (presence_timer_ != Effects::Timer::none) return;
  const auto now = shard_.world.now().steady;
  std::chrono::milliseconds delay(0);
  if (sessions_.empty()) delay = limits::presence_grace;
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - presence_at_);
  if (presence_at_ != std::chrono::steady_clock::time_point{} && since < limits::presence_period) {
    delay = std::max(delay, std::chrono::milliseconds(limits::presence_period) - since);
  }
  presence_timer_ = shard_.world.start_timer(delay, [this] {
    presence_timer_ = Effects::Timer::none;
    with_profile([this] { announce_presence(); });
  });
}

void UserHome::announce_presence() {
  const Presence shown = presence(false), own = presence(true);
  const bool news = shown != std::exchange(announced_, shown);
  const bool own_news = own != std::exchange(announced_own_, own);
  if (!news && !own_news) return;
  presence_at_ = shard_.world.now().steady;
  used_ = presence_at_;
  std::unordered_map<ShardIndex, std::vector<SessionRef>> others, mine;
  for (const auto& [ref, watcher] : watchers_) {
    const bool own = watcher.user == id_;
    if (!watcher.blocked && (own ? own_news : news))
      (own ? mine : others)[ref.shard].push_back(ref);
  }
  for (ShardIndex i = 0; i < shard_.config.shards; ++i) {
    for (auto* group : {&others, &mine}) {
      const auto it = group->find(i);
      if (it == group->end()) continue;
      shard_.at(i, [watchers = std::move(it->second), told = group == &mine ? own : shown](
                       ShardState& there) { there.sessions.presence_changed(watchers, told); });
    }
  }
}

}  // namespace parley::core
