// user_changes.cpp: what a change of a user's list, devices or settings does to the rows, and what
// follows when it is stored.
#include "core/user_home.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "core/user_write.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

// ---- Asked for ----

void UserHome::change(ListChange change, Then<void> then) {
  queue({std::move(change), std::move(then)});
}

void UserHome::change(RequestChange change, Then<void> then) { queue({change, std::move(then)}); }

void UserHome::block(UserId other, bool on, Then<void> then) {
  queue({BlockChange{other, on}, [this, other, on, then = std::move(then)](Result<void> stored) {
           if (!stored) return then(std::move(stored));
           watchers_changed(other, on);
           tell_pair(other, on, then);
         }});
}

/// The home of their direct conversation, where it is in memory, knows before anybody is answered.
void UserHome::tell_pair(UserId other, bool on, Then<void> then) {
  const ConversationId id = direct_id(shard_.config.key, shard_.config.ns, id_, other);
  const ShardIndex here = shard_.index;
  shard_.at(shard_.shard_of(id), [=, own = id_](ShardState& there) {
    const auto home = there.homes.find(id);
    if (home != there.homes.end()) home->second.conversation->block_changed(own, on);
    there.at(here, [=](ShardState& back) {
      if (on) return then({});
      back.list_again(id, own, [then] { then({}); });  // what the other made meanwhile
    });
  });
}

void UserHome::blocked(Then<std::vector<UserId>> then) {
  ++operations_;
  load([this, then = std::move(then)](Error error) {
    --operations_;
    if (error) return then(std::move(error));
    then(std::vector<UserId>(blocked_.begin(), blocked_.end()));
  });
}

void UserHome::set(wire::SetList set, Then<void> then) {
  ListSet change{set.conversation, std::move(set.settings), 0, {}};
  ++operations_;
  load([this, change = std::move(change), then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) return then(std::move(error));
    const auto known = list_.find(change.conversation);
    const bool listed = known != list_.end() && known->second.entered;
    listed ? set_known(std::move(change), std::move(then))
           : set_inherited(std::move(change), std::move(then));
  });
}

void UserHome::set_known(ListSet change, Then<void> then) {
  if (!change.settings.hidden.value_or(false)) return queue({std::move(change), std::move(then)});
  // Hidden until the next message: the one after those that there are now.
  ++operations_;
  auto memory =
      std::make_shared<std::string>(layout::conversation_id(shard_.config.ns, change.conversation));
  Get get;
  get.cells.push_back({{layout::conversation, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this, change = std::move(change),
                                    then = std::move(then)](Result<Cells> cells) mutable {
    --operations_;
    if (!cells) return then(std::move(cells).error());
    const auto head = cells->values[0] ? layout::decode_head(*cells->values[0]) : std::nullopt;
    if (head) change.head_ordinal = head->ordinal;
    queue({std::move(change), std::move(then)});
  });
}

void UserHome::set(UserSettingsChange change, Then<UserSettings> then) {
  queue({SettingsSet{std::move(change), {}}, [this, then = std::move(then)](Result<void> set) {
           then(set ? Result<UserSettings>(settings()) : std::move(set).error());
         }});
}

void UserHome::rename_device(DeviceId device, std::string name, Then<void> then) {
  DeviceSet change;
  change.what = DeviceSet::What::renamed;
  change.device = device;
  change.name = std::move(name);
  queue({std::move(change), std::move(then)});
}

void UserHome::revoke_device(DeviceId device, Then<void> then) {
  const auto session =
      std::find_if(sessions_.begin(), sessions_.end(),
                   [device](const UserSession& each) { return each.device == device; });
  if (session != sessions_.end() && session->device_name.empty()) {
    close_sessions(device);  // an ephemeral one is nothing but its session
    return then({});
  }
  DeviceSet change;
  change.what = DeviceSet::What::revoked;
  change.device = device;
  queue({std::move(change), std::move(then)});
}

void UserHome::note_seen(const UserSession& session, bool shown) {
  DeviceSet change;
  change.device = session.device_name.empty() ? DeviceId{0} : session.device;
  change.name = session.device_name;
  change.shown = shown;
  queue({std::move(change), [](const Result<void>&) {}});  // a hint; the next one says it again
}

void UserHome::devices(Then<wire::DeviceList> then) {
  ++operations_;
  load([this, then = std::move(then)](Error error) {
    --operations_;
    if (error) return then(std::move(error));
    then(wire::DeviceList{device_list()});
  });
}

// ---- Decided ----

Error UserHome::decide(Change& change, bool& known) const {
  return std::visit([&](auto& what) { return decide(what, known); }, change.what);
}

/// A second membership is news, though the row may not have shown the end of the first; so is
/// the end of one that was never listed: a session may have opened it.
Error UserHome::decide(ListChange& change, bool& known) const {
  const auto old = list_.find(change.conversation);
  const bool listed = old != list_.end() && old->second.entered;
  const bool same_membership = listed && change.row.entered && !old->second.inherited &&
                               old->second.visible_from == change.row.visible_from &&
                               old->second.joined_ms == change.row.joined_ms;
  // A channel may be in the list by its space, and the row says nothing of that.
  const bool out = old != list_.end() && !listed && change.row.kind != ConversationKind::channel;
  known = same_membership || (out && !change.row.entered);
  return {};
}

Error UserHome::decide(ListSet& change, bool& known) const {
  const auto old = list_.find(change.conversation);
  const bool listed = old != list_.end() && old->second.entered;
  if (!listed && !change.inherited) return {Errc::denied, "no such conversation in the list"};
  const layout::ListRow before =
      listed
          ? old->second
          : layout::ListRow{.entered = true, .kind = ConversationKind::channel, .inherited = true};
  const ListSettings& set = change.settings;
  layout::ListRow& row = change.row;
  row = before;
  if (set.pinned) row.pinned = *set.pinned;
  if (set.archived) row.archived = *set.archived;
  if (set.marked_unread) row.marked_unread = *set.marked_unread;
  if (set.muted_until) row.muted_until_ms = ms(*set.muted_until);
  if (set.draft) row.has_draft = !set.draft->empty();
  if (set.folder) row.folder = *set.folder;
  if (set.hidden) row.hidden_until = *set.hidden ? change.head_ordinal + 1 : 0;
  const auto pins = [](const auto& entry) { return entry.second.entered && entry.second.pinned; };
  if (row.pinned && !before.pinned &&
      static_cast<std::size_t>(std::count_if(list_.begin(), list_.end(), pins)) >=
          limits::pinned_conversations)
    return {Errc::limit_reached, "pinned: 100 conversations are; unpin one first"};
  if (!row.folder.empty() && row.folder != before.folder) {
    std::set<std::string_view> folders{row.folder};
    for (const auto& [id, entry] : list_)
      if (entry.entered && id != change.conversation) folders.insert(entry.folder);
    folders.erase("");
    if (folders.size() > limits::folders)
      return {Errc::limit_reached, "folder: there are 100 of them; empty one first"};
  }
  known = row == before && !(set.draft && row.has_draft);  // its text is not in memory
  return {};
}

Error UserHome::decide(DeviceSet& change, bool& known) const {
  const std::int64_t now = shard_.world.now().wall_ms;
  const auto old = devices_.find(change.device);
  const bool there = old != devices_.end();
  layout::DeviceRow& row = change.row;
  row = there ? old->second : layout::DeviceRow{};
  if (change.what == DeviceSet::What::seen) {
    known = row.revoked_ms != 0;
    row.last_seen_ms = now;
    if (change.shown) row.shown_ms = now;
    if (there || !change.device) return {};
    change.told = true;
    row.name = change.name;
    row.created_ms = now;
    change.forgotten = oldest(change, limits::devices);
    return {};
  }
  const bool revoke = change.what == DeviceSet::What::revoked;
  if (!there || !change.device || (!revoke && row.revoked_ms != 0))
    return {Errc::denied, "no such device"};
  change.told = true;
  if (revoke) {
    known = row.revoked_ms != 0;
    row.revoked_ms = now;
    change.forgotten = oldest(change, limits::revoked_devices);
  } else {
    known = row.given == change.name;
    row.given = change.name;
  }
  return {};
}

bool UserHome::in_use(DeviceId device) const noexcept {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [device](const UserSession& session) { return session.device == device; });
}

/// The rows that go, so that with the change's own there are `most` of its sort: of those whose
/// device is not here, the ones that were seen, or revoked, longest ago.
std::vector<DeviceId> UserHome::oldest(const DeviceSet& change, std::size_t most) const {
  const bool revoked = change.row.revoked_ms != 0;
  std::vector<std::pair<std::int64_t, DeviceId>> idle;
  std::size_t count = 1;
  for (const auto& [id, row] : devices_) {
    if (!id || id == change.device || (row.revoked_ms != 0) != revoked) continue;
    ++count;
    if (!in_use(id)) idle.emplace_back(revoked ? row.revoked_ms : row.last_seen_ms, id);
  }
  std::sort(idle.begin(), idle.end());
  idle.resize(std::min(idle.size(), count - std::min(count, most)));
  std::vector<DeviceId> ids;
  for (const auto& [when, id] : idle) ids.push_back(id);
  return ids;
}

Error UserHome::decide(SettingsSet& change, bool& known) const {
  const UserSettingsChange& set = change.change;
  layout::SettingsRow& row = change.row;
  row = settings_;
  if (set.hide_reads) row.hide_reads = *set.hide_reads;
  if (set.hide_last_seen) row.hide_last_seen = *set.hide_last_seen;
  if (set.status) {
    row.status = *set.status;
    row.status_until_ms = set.status->empty() ? 0 : ms(set.status_until.value_or(WallTime{}));
  }
  known = row == settings_;
  return {};
}

Error UserHome::decide(RequestChange& change, bool& known) const {
  const auto old = requests_.find(change.conversation);
  known = old != requests_.end() && old->second.as_of >= change.row.as_of;
  return {};
}

Error UserHome::decide(BlockChange& change, bool& known) const {
  known = blocked_.contains(change.other) == change.on;
  if (!known && change.on && blocked_.size() >= limits::blocked)
    return {Errc::limit_reached, "user: 1,000 are blocked; unblock one first"};
  return {};
}

// ---- Staged ----

void UserHome::stage(Write& write, layout::HeadCell& head, const Change& change) {
  if (const auto* list = std::get_if<ListChange>(&change.what)) {
    const EventKind kind = list->row.entered ? EventKind::list_entered : EventKind::list_left;
    stage_event(write, head, kind, list->conversation, list->row.kind);
    const auto old = list_.find(list->conversation);
    layout::ListRow row = list->row;
    // What was set while the user was in by a space stays.
    if (row.entered && old != list_.end() && old->second.inherited) {
      row = old->second;
      row.inherited = false;
      row.visible_from = list->row.visible_from;
      row.visible_ordinal = list->row.visible_ordinal;
      row.joined_ms = list->row.joined_ms;
    }
    stage_list(write, list->conversation, row, {});
  } else if (const auto* set = std::get_if<ListSet>(&change.what)) {
    stage_event(write, head, EventKind::list_set, set->conversation, set->row.kind);
    stage_list(write, set->conversation, set->row, set->settings.draft);
  } else if (const auto* device = std::get_if<DeviceSet>(&change.what)) {
    if (device->told) stage_event(write, head, EventKind::devices_changed);
    write.put(layout::device_key(device->device), layout::encode(device->row));
    devices_[device->device] = device->row;
    for (const DeviceId forgotten : device->forgotten) {
      write.erase(layout::device_key(forgotten));
      devices_.erase(forgotten);
    }
  } else if (const auto* settings = std::get_if<SettingsSet>(&change.what)) {
    stage_event(write, head, EventKind::settings_set);
    write.put(layout::setting_key("settings"), layout::encode(settings->row));
    settings_ = settings->row;
  } else if (const auto* message = std::get_if<ScheduledChange>(&change.what)) {
    stage_event(write, head, EventKind::scheduled, message->conversation, ConversationKind::group);
    stage_scheduled(write, head, *message);
  } else if (const auto* request = std::get_if<RequestChange>(&change.what)) {
    stage_event(write, head, EventKind::own_request);
    stage_request(write, *request);
  } else if (const auto* block = std::get_if<BlockChange>(&change.what)) {
    stage_event(write, head, EventKind::blocks_changed);
    const std::string key = layout::block_key(block->other);
    if (block->on) {
      write.put(key, layout::encode(layout::BlockRow{shard_.world.now().wall_ms}));
      blocked_.insert(block->other);
    } else {
      write.erase(key);
      blocked_.erase(block->other);
    }
  }
}

/// Those that are over make room first, then those that wait.
void UserHome::stage_request(Write& write, const RequestChange& change) {
  requests_[change.conversation] = change.row;
  write.put(layout::own_request_key(change.conversation), layout::encode(change.row));
  if (requests_.size() <= limits::own_requests) return;
  const auto waits = [](const layout::OwnRequestRow& row) {
    return row.state == static_cast<std::uint8_t>(JoinRequestState::waiting);
  };
  const auto oldest =
      std::min_element(requests_.begin(), requests_.end(), [&](const auto& a, const auto& b) {
        return std::pair(waits(a.second), a.second.time_ms) <
               std::pair(waits(b.second), b.second.time_ms);
      });
  write.erase(layout::own_request_key(oldest->first));
  requests_.erase(oldest);
}

/// An event of the user's stream: what it is about is in the rows.
void UserHome::stage_event(Write& write, layout::HeadCell& head, EventKind kind,
                           const ConversationId& conversation, ConversationKind conversation_kind) {
  wire::RecordFields fields;
  fields.seq = ++head.head;
  fields.time_ms = head.last_event_ms = std::max(head.last_event_ms, shard_.world.now().wall_ms);
  fields.id = shard_.next_snowflake();
  fields.kind = kind;
  fields.conversation = conversation;
  fields.conversation_kind = conversation_kind;
  layout::StoredEvent event;
  event.seq = head.head;
  event.record = wire::build_record(fields);
  event.mark = head.mark =
      layout::next_mark(head.mark, layout::stream_of(id_), event.record.bytes());
  write.put(layout::event_key(event.seq), layout::encode_event(layout::stream_of(id_), event));
}

void UserHome::stage_list(Write& write, const ConversationId& id, const layout::ListRow& row,
                          const std::optional<std::string>& draft) {
  write.put(layout::list_key(id), layout::encode(row));
  layout::ListRow& shown = list_[id];
  const std::string key = layout::draft_key(id);
  if (draft && row.has_draft)
    write.put(key, layout::encode(layout::DraftRow{shard_.world.now().wall_ms, *draft}));
  else if (shown.has_draft && !row.has_draft)  // taken back, or gone with the membership
    write.erase(key);
  shown = row;
}

// ---- Stored ----

void UserHome::came_true(const Change& change, News& news) {
  if (const auto* list = std::get_if<ListChange>(&change.what)) {
    news.add({{list->conversation}});
    if (list->row.kind == ConversationKind::space && !list->row.entered)
      drop_children(list->conversation);
  } else if (const auto* set = std::get_if<ListSet>(&change.what)) {
    news.add({{set->conversation}});
  } else if (const auto* device = std::get_if<DeviceSet>(&change.what)) {
    if (device->what == DeviceSet::What::revoked) close_sessions(device->device);
    news.devices |= device->told;
  } else if (std::holds_alternative<RequestChange>(change.what)) {
    news.requests = true;
  } else if (std::holds_alternative<BlockChange>(change.what)) {
    news.blocks = true;
  } else if (std::holds_alternative<SettingsSet>(change.what)) {
    news.settings = true;
    for (const UserSession& session : sessions_) {
      shard_.at(session.ref.shard,
                [ref = session.ref, hide = settings_.hide_reads](ShardState& there) {
                  there.sessions.hide_reads(ref, hide);
                });
    }
    presence_later();
  }
}

void UserHome::close_sessions(DeviceId device) {
  for (const UserSession& session : sessions_) {
    if (session.device != device) continue;
    shard_.at(session.ref.shard,
              [ref = session.ref](ShardState& there) { there.sessions.revoked(ref); });
  }
}

std::vector<OwnRequest> UserHome::request_list() const {
  std::vector<OwnRequest> list;
  for (const auto& [id, row] : requests_) {
    const auto state = static_cast<JoinRequestState>(row.state);
    if (state == JoinRequestState::waiting || state == JoinRequestState::denied)
      list.push_back({id, state, wall_time(row.time_ms)});
  }
  std::sort(list.begin(), list.end(), [](const OwnRequest& a, const OwnRequest& b) {
    return std::pair(a.time, a.conversation) < std::pair(b.time, b.conversation);
  });
  return list;
}

std::vector<Device> UserHome::device_list() const {
  std::vector<Device> list;
  const WallTime now = wall_time(shard_.world.now().wall_ms);
  for (const auto& [id, row] : devices_) {
    if (!id || row.revoked_ms != 0) continue;
    Device device{id, row.given.empty() ? row.name : row.given, wall_time(row.created_ms),
                  wall_time(row.last_seen_ms)};
    device.online = in_use(id);
    if (device.online) device.last_seen = now;
    list.push_back(std::move(device));
  }
  for (const UserSession& session : sessions_) {
    if (session.device_name.empty()) list.push_back({session.device, "", {}, now, true});
  }
  std::sort(list.begin(), list.end(), [](const Device& a, const Device& b) { return a.id < b.id; });
  return list;
}

UserSettings UserHome::settings() const {
  return {settings_.hide_reads, settings_.hide_last_seen, settings_.status,
          wall_time(settings_.status_until_ms)};
}

}  // namespace parley::core
