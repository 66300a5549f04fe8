#include "core/user_home.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_state.hpp"
#include "core/user_write.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr auto retry_delay = std::chrono::milliseconds(50);
constexpr std::size_t changes_per_commit = 128;

}  // namespace

UserHome::UserHome(ShardState& shard, UserId id)
    : shard_(shard),
      id_(id),
      partition_(layout::user_id(shard.config.ns, id)),
      used_(shard.world.now().steady) {}

bool UserHome::idle() const noexcept {
  return sessions_.empty() && watchers_.empty() && !loading_ && !committing_ && changes_.empty() &&
         devices_.empty() && operations_ == 0 && presence_timer_ == Effects::Timer::none;
}

// ---- Loading ----

void UserHome::load(std::function<void(Error)> then) {
  used_ = shard_.world.now().steady;
  if (loaded_) return then({});
  waiting_.push_back(std::move(then));
  if (loading_) return;
  loading_ = true;
  // Rows of the list ('c') and devices ('d'); the guard comes with them. 10,000 conversations fit.
  auto memory = std::make_shared<std::pair<std::string, std::string>>(partition_, "c");
  Scan scan;
  scan.partition = {layout::user, memory->first};
  scan.from = memory->second;
  scan.to = "d";
  scan.max_rows = 100'000;
  scan.max_bytes = 16 * 1024 * 1024;
  scan.owner = memory;
  shard_.world.scan(std::move(scan), [this](Result<Rows> rows) { loaded(std::move(rows)); });
}

void UserHome::loaded(Result<Rows> rows) {
  Error error;
  if (!rows) {
    error = std::move(rows).error();
  } else if (!rows->guard) {
    error = Error(Errc::denied, "no such user, or not allowed");
  } else if (auto head = layout::decode_head(*rows->guard); !head) {
    error = Error(Errc::store_corrupt, "the head cell of a user is damaged");
  } else {
    guard_ = std::string(*rows->guard);
    head_ = *head;
    list_.clear();
    for (const Row& row : rows->rows) {
      auto entry = layout::decode_list(row.value);
      if (!entry || row.key.size() != 17) continue;
      ConversationId id;
      row.key.copy(reinterpret_cast<char*>(id.bytes.data()), 16, 1);
      list_.emplace(id, *entry);
    }
    scheduled_.clear();
    if ((head_.flags & layout::head_has_due) != 0) return read_scheduled("q");
  }
  load_finished(std::move(error));
}

void UserHome::load_finished(Error error) {
  loading_ = false;
  loaded_ = !error;
  for (auto& then : std::exchange(waiting_, {})) then(error);
}

// ---- Changes of the list ----

void UserHome::change(ListChange change, Then<void> then) {
  ++operations_;
  load([this, change = std::move(change), then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) return then(std::move(error));
    changes_.push_back({.change = std::move(change), .then = std::move(then)});
    commit_changes();
  });
}

void UserHome::set(wire::SetList set, Then<void> then) {
  ++operations_;
  load([this, set = std::move(set), then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) return then(std::move(error));
    changes_.push_back({.change = {set.conversation, {}},
                        .set = std::move(set.settings),
                        .then = std::move(then)});
    commit_changes();
  });
}

/// Fills in the row that the change leaves; `known`: the list shows it already.
Error UserHome::decide(Change& change, bool& known) const {
  if (change.scheduled) return decide_scheduled(*change.scheduled);
  layout::ListRow& row = change.change.row;
  const auto old = list_.find(change.change.conversation);
  const bool listed = old != list_.end() && old->second.entered;
  if (change.set) {
    const ListSettings& set = *change.set;
    if (!listed) return {Errc::denied, "no such conversation in the list"};
    row = old->second;
    if (set.pinned) row.pinned = *set.pinned;
    if (set.archived) row.archived = *set.archived;
    if (set.marked_unread) row.marked_unread = *set.marked_unread;
    if (set.muted_until) row.muted_until_ms = set.muted_until->time_since_epoch().count();
    if (set.draft) row.has_draft = !set.draft->empty();
    const auto pins = [](const auto& entry) { return entry.second.entered && entry.second.pinned; };
    if (row.pinned && !old->second.pinned &&
        static_cast<std::size_t>(std::count_if(list_.begin(), list_.end(), pins)) >=
            limits::pinned_conversations)
      return {Errc::limit_reached, "pinned: 100 conversations are; unpin one first"};
    known = row == old->second && !(set.draft && row.has_draft);  // its text is not in memory
    return {};
  }
  // A second membership is news, though the row may not have shown the end of the first; so is
  // the end of one that was never listed: a session may have opened it.
  const bool same_membership = listed && row.entered &&
                               old->second.visible_from == row.visible_from &&
                               old->second.joined_ms == row.joined_ms;
  known = same_membership || (old != list_.end() && !row.entered && !old->second.entered);
  return {};
}

void UserHome::commit_changes() {
  if (committing_ || !loaded_) return;
  auto write = std::make_shared<Write>();
  std::vector<std::pair<Then<void>, Error>> answers;
  layout::HeadCell head = head_;
  while (!changes_.empty() && write->changes.size() < changes_per_commit) {
    Change change = std::move(changes_.front());
    changes_.pop_front();
    bool known = false;
    Error error = decide(change, known);
    if (error || known) {
      answers.emplace_back(std::move(change.then), std::move(error));
      continue;
    }
    stage(*write, head, change);
    write->changes.push_back(std::move(change));
  }
  for (auto& device : std::exchange(devices_, {})) {
    write->put(layout::device_key(device.id), layout::encode(device.row));
  }
  for (auto& [then, error] : answers) then(error ? Result<void>(std::move(error)) : Result<void>());
  if (write->batch.puts.empty() && write->batch.erases.empty()) return;
  // The stream stays bounded: what falls behind is erased, and the floor moves in the same commit.
  while (head.head - head.floor + 1 > kept_events) {
    if (head.floor <= head_.head) {
      write->batch.erases.push_back(write->keep(layout::event_key(head.floor)));
    } else {
      const std::string key = layout::event_key(head.floor);
      std::erase_if(write->batch.puts, [&](const Row& row) { return row.key == key; });
    }
    ++head.floor;
  }
  head.nonce = shard_.world.random();
  write->head = head;
  write->expect = guard_;
  write->guard = layout::encode(head);
  write->batch.partition = {layout::user, partition_};
  write->batch.expect = write->expect;
  write->batch.guard = write->guard;
  committing_ = true;
  submit(std::move(write));
}

/// The change as an event of the user's stream, with its rows.
void UserHome::stage(Write& write, layout::HeadCell& head, const Change& change) {
  const layout::ListRow& row = change.change.row;
  const ConversationId& id = change.change.conversation;
  wire::RecordFields fields;
  fields.seq = ++head.head;
  fields.time_ms = head.last_event_ms = std::max(head.last_event_ms, shard_.world.now().wall_ms);
  fields.id = shard_.next_snowflake();
  fields.kind = change.scheduled ? EventKind::scheduled
                : change.set     ? EventKind::list_set
                : row.entered    ? EventKind::list_entered
                                 : EventKind::list_left;
  fields.conversation = id;
  fields.conversation_kind = row.kind;
  layout::StoredEvent event;
  event.seq = head.head;
  event.record = wire::build_record(fields);
  event.mark = head.mark =
      layout::next_mark(head.mark, layout::stream_of(id_), event.record.bytes());
  write.put(layout::event_key(event.seq), layout::encode_event(layout::stream_of(id_), event));
  if (change.scheduled) return stage_scheduled(write, head, *change.scheduled);
  write.put(layout::list_key(id), layout::encode(row));
  layout::ListRow& shown = list_[id];
  const std::string draft = layout::draft_key(id);
  if (change.set && change.set->draft && row.has_draft)
    write.put(draft, layout::encode(layout::DraftRow{fields.time_ms, *change.set->draft}));
  else if (shown.has_draft && !row.has_draft)  // taken back, or gone with the membership
    write.erase(draft);
  shown = row;
}

void UserHome::submit(std::shared_ptr<Write> write) {
  Batch batch = write->batch;
  batch.partition.id = write->keep(partition_);
  batch.owner = write;
  shard_.world.commit(std::move(batch),
                      [this, write](Committed result) { committed(write, std::move(result)); });
}

void UserHome::committed(std::shared_ptr<Write> write, Committed result) {
  used_ = shard_.world.now().steady;
  if (result.verdict != Verdict::done) return settle(std::move(write));
  guard_ = write->guard;
  head_ = write->head;
  committing_ = false;
  std::vector<ConversationId> changed;
  std::vector<ScheduledChange> scheduled;
  for (auto& change : write->changes) {
    if (change.scheduled)
      scheduled.push_back(std::move(*change.scheduled));
    else
      changed.push_back(change.change.conversation);
    change.then({});
  }
  announce_scheduled(scheduled);
  if (listings_ > 0) changed_.insert(changed_.end(), changed.begin(), changed.end());
  announce_later(changed);
  commit_changes();
}

/// Refused, failed or unknown: the guard tells (STORE §1.2). What did not land goes in again.
void UserHome::settle(std::shared_ptr<Write> write) {
  auto memory = std::make_shared<std::string>(partition_);
  Get get;
  get.cells.push_back({{layout::user, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this, write](Result<Cells> cells) {
    if (!cells && !cells.error().retryable()) {  // the store is to be opened anew
      loaded_ = false;
      committing_ = false;
      for (auto& change : write->changes) change.then(cells.error());
      return;
    }
    if (!cells || !cells->values[0]) {
      shard_.world.start_timer(retry_delay, [this, write] { settle(write); });
      return;
    }
    const Bytes guard = *cells->values[0];
    if (guard == write->guard) {
      Committed done;
      done.verdict = Verdict::done;
      return committed(write, std::move(done));
    }
    if (guard == write->expect) {  // it may still land: the same batch again, one of them can win
      shard_.world.start_timer(retry_delay, [this, write] { submit(write); });
      return;
    }
    // Somebody else's commit: read everything anew, then decide again.
    loaded_ = false;
    committing_ = false;
    for (auto it = write->changes.rbegin(); it != write->changes.rend(); ++it) {
      changes_.push_front(std::move(*it));
    }
    ++operations_;
    load([this](Error error) {
      --operations_;
      if (!error) return commit_changes();
      for (auto& change : std::exchange(changes_, {})) change.then(error);
    });
  });
}

void UserHome::announce_later(const std::vector<ConversationId>& ids) {
  for (const ConversationId& id : ids) {
    if (std::find(to_announce_.begin(), to_announce_.end(), id) == to_announce_.end()) {
      to_announce_.push_back(id);
    }
  }
  if (!announcing_) announce();
}

/// The session that read to the head needs nobody to tell it that nothing is unread.
void UserHome::position_moved(const ConversationId& conversation, bool to_head) {
  if (!loaded_ || sessions_.empty() || (to_head && sessions_.size() == 1)) return;
  if (listings_ > 0) changed_.push_back(conversation);
  announce_later({conversation});
}

/// Tells the sessions what their list looks like now. One at a time and none left out, because the
/// token that comes with an announcement covers all changes before it.
void UserHome::announce() {
  if (to_announce_.empty()) return;
  if (sessions_.empty()) return to_announce_.clear();
  announcing_ = true;
  const auto ids = std::exchange(to_announce_, {});
  entries(ids, [this, ids](Result<wire::ListChanged> list) {
    if (!list) {
      shard_.world.log(Effects::Severity::warning,
                       "a list change waits to be announced: " + list.error().message);
      announce_later(ids);  // announcing_ still: nothing starts before the timer
      ++operations_;
      shard_.world.start_timer(retry_delay, [this] {
        --operations_;
        announcing_ = false;
        announce();
      });
      return;
    }
    const wire::ListChanged& news = *list;
    for (const UserSession& session : sessions_) {
      shard_.at(session.ref.shard, [ref = session.ref, news](ShardState& there) {
        there.sessions.tell(ref, make_frame(0, news));
      });
    }
    announcing_ = false;
    announce();
  });
}

void UserHome::tell(wire::Answer answer) {
  const FramePtr frame = make_frame(0, std::move(answer));
  for (const UserSession& session : sessions_) {
    shard_.at(session.ref.shard,
              [ref = session.ref, frame](ShardState& there) { there.sessions.tell(ref, frame); });
  }
}

/// A list was answered. What changed while it was read is told after it: the list may have it old,
/// and a session that was still attaching was not told.
void UserHome::listed() {
  const auto again = changed_;
  if (--listings_ == 0) changed_.clear();
  announce_later(again);
}

// ---- Sessions and presence ----

void UserHome::attach(UserSession session, std::string sync_token, Then<wire::ListChanged> then) {
  sessions_.push_back(session);
  ++operations_;
  load([this, session = std::move(session), sync_token = std::move(sync_token),
        then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) {
      std::erase_if(sessions_, [&](const auto& other) { return other.ref == session.ref; });
      return then(std::move(error));
    }
    presence_later();
    if (!session.device_name.empty()) save_last_seen(session);
    listing(std::move(sync_token), std::move(then));
  });
}

void UserHome::detach(SessionRef ref) {
  auto it = std::find_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& session) { return session.ref == ref; });
  if (it == sessions_.end()) return;
  const UserSession gone = std::move(*it);
  sessions_.erase(it);
  used_ = shard_.world.now().steady;
  if (sessions_.empty()) last_seen_ms_ = shard_.world.now().wall_ms;
  presence_later();
  save_last_seen(gone);
}

void UserHome::save_last_seen(const UserSession& session) {
  // Ephemeral devices share one row: it keeps the user's last seen.
  const DeviceId id = session.device_name.empty() ? DeviceId{0} : session.device;
  devices_.push_back({id, {session.device_name, shard_.world.now().wall_ms}});
  ++operations_;
  load([this](Error error) {
    --operations_;
    if (error) return devices_.clear();
    commit_changes();
  });
}

void UserHome::sync(std::string sync_token, Then<wire::ListChanged> then) {
  ++operations_;
  load([this, token = std::move(sync_token), then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) return then(std::move(error));
    listing(std::move(token), std::move(then));
  });
}

Presence UserHome::presence() const {
  Presence presence;
  presence.user = id_;
  presence.online = !sessions_.empty();
  if (!presence.online) {
    presence.last_seen = WallTime(std::chrono::milliseconds(last_seen_ms_));
  }
  return presence;
}

void UserHome::watch(SessionRef watcher, std::function<void(const Presence&)> then) {
  if (std::find(watchers_.begin(), watchers_.end(), watcher) == watchers_.end()) {
    watchers_.push_back(watcher);
  }
  used_ = shard_.world.now().steady;
  if (last_seen_ms_ != 0 || !sessions_.empty()) return then(presence());
  ++operations_;
  read_last_seen([this, then = std::move(then)] {
    --operations_;
    then(presence());
  });
}

void UserHome::read_last_seen(std::function<void()> then) {
  auto memory = std::make_shared<std::pair<std::string, std::string>>(partition_, "d");
  Scan scan;
  scan.partition = {layout::user, memory->first};
  scan.from = memory->second;
  scan.to = "e";
  scan.owner = memory;
  shard_.world.scan(std::move(scan), [this, then = std::move(then)](Result<Rows> rows) {
    if (rows) {
      for (const Row& row : rows->rows) {
        if (auto device = layout::decode_device(row.value)) {
          last_seen_ms_ = std::max(last_seen_ms_, device->last_seen_ms);
        }
      }
    }
    then();
  });
}

void UserHome::unwatch(SessionRef watcher) {
  std::erase(watchers_, watcher);
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
    announce_presence();
  });
}

void UserHome::announce_presence() {
  const bool online = !sessions_.empty();
  if (online == announced_online_) return;
  announced_online_ = online;
  presence_at_ = shard_.world.now().steady;
  used_ = presence_at_;
  std::unordered_map<ShardIndex, std::vector<SessionRef>> by_shard;
  for (const SessionRef& watcher : watchers_) by_shard[watcher.shard].push_back(watcher);
  for (ShardIndex i = 0; i < shard_.config.shards; ++i) {
    auto it = by_shard.find(i);
    if (it == by_shard.end()) continue;
    shard_.at(i, [watchers = std::move(it->second), presence = presence()](ShardState& there) {
      there.sessions.presence_changed(watchers, presence);
    });
  }
}

}  // namespace parley::core
