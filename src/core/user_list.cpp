// user_list.cpp: the conversation list as a read-time join, and the sync token that says what a
// device has (DESIGN §6).
#include <algorithm>
#include <deque>
#include <utility>

#include "core/event_reader.hpp"
#include "core/mentions.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "core/sync_token.hpp"
#include "core/user_home.hpp"
#include "core/user_listing.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr std::size_t cells_per_entry = 4;      // head cell, info, own receipt, own member row
constexpr std::size_t entries_per_get = 1'000;  // a get carries up to 4,096 cells
constexpr std::size_t last_records = 64;        // newest conversations come with their last event
constexpr std::size_t drafts_per_get = 64;
constexpr std::size_t guards_per_get = 4'096;
constexpr std::size_t preview_bytes = 8 * limits::kib;  // a larger one is left to history
/// A commit may become visible so long after its time was taken; naming too much is harmless.
constexpr std::int64_t stamp_slack_ms = 120'000;

/// What the user set about it; the draft is a row of its own.
void add_settings(ListEntry& entry, const layout::ListRow& row) {
  entry.pinned = row.pinned;
  entry.archived = row.archived;
  entry.marked_unread = row.marked_unread;
  entry.muted_until = wall_time(row.muted_until_ms);
  entry.folder = row.folder;
  if (entry.head_ordinal < row.hidden_until) entry.hidden_until = row.hidden_until;
}

void add_draft(ListEntry& entry, const std::optional<Bytes>& value) {
  const auto draft = value ? layout::decode_draft(*value) : std::nullopt;
  if (!draft) return;
  entry.draft = draft->text;
  entry.drafted = wall_time(draft->time_ms);
}

bool is_hidden(const layout::StoredEvent& event) {
  return wire::read_record(event.record.bytes()).kind == EventKind::hidden;
}

/// What a list would show as the last thing that happened: no change of a message.
bool worth_showing(const layout::StoredEvent& event) {
  const EventKind kind = wire::read_record(event.record.bytes()).kind;
  const bool change = kind >= EventKind::edited && kind <= EventKind::unpinned;
  return !change && !is_hidden(event);
}

}  // namespace

// ---- The token ----

std::string UserHome::make_token() const {
  return SyncToken{.instance = shard_.config.instance,
                   .epoch = head_.epoch,
                   .seq = head_.head,
                   .stamp_ms = shard_.world.now().wall_ms,
                   .mark = head_.mark}
      .text();
}

/// Nothing when not all that followed it is known here.
std::optional<SyncToken> UserHome::known_token(std::string_view text) const {
  const auto token = parse_sync_token(text);
  const bool known = token && token->instance == shard_.config.instance &&
                     token->epoch == head_.epoch && token->seq <= head_.head &&
                     token->seq + 1 >= head_.floor;
  return known ? token : std::nullopt;
}

// ---- Which conversations ----

void UserHome::listing(wire::Sync asked, std::uint32_t limit, Then<wire::ListChanged> then) {
  ++operations_;
  ++listings_;
  auto work = std::make_shared<Listing>(*this);
  work->limit = limit;
  work->asked = std::move(asked.conversations);
  work->token = make_token();
  work->then = [this, then = std::move(then)](Result<wire::ListChanged> list) {
    if (list) list->settings = settings();
    then(std::move(list));
    listed();
  };
  const auto token = known_token(asked.token);
  if (!token || (token->seq == head_.head && token->mark != head_.mark))
    return list_everything(std::move(work));
  work->since_ms = std::max<std::int64_t>(1, token->stamp_ms - stamp_slack_ms);
  if (token->seq == head_.head) return list_since(work, {});
  ReadRange range;
  range.space = layout::user;
  range.partition = partition_;
  range.conversation = layout::stream_of(id_);
  range.ns = shard_.config.ns;
  range.from = std::max<Seq>(1, token->seq);
  range.max_events = static_cast<std::uint32_t>(kept_events) + 1;
  read_events(shard_.world, range, [this, work, token](Result<EventPage> page) {
    if (!page) {
      --operations_;
      return work->then(std::move(page).error());
    }
    auto& events = page->events;
    if (token->seq > 0 && token->seq + 1 > page->head.floor) {
      const bool same =
          !events.empty() && events.front().seq == token->seq && events.front().mark == token->mark;
      if (!same) return list_everything(work);
      events.erase(events.begin());
    }
    if (page->more) return list_everything(work);
    std::vector<ConversationId> named;
    for (const auto& event : events) {
      const auto record = wire::read_record(event.record.bytes());
      const bool known = std::find(named.begin(), named.end(), record.conversation) != named.end();
      if (record.conversation && !known) named.push_back(record.conversation);
      if (record.kind == EventKind::devices_changed) work->list.devices.emplace();
      if (record.kind == EventKind::own_request) work->list.requests.emplace();
      if (record.kind == EventKind::blocks_changed) work->list.blocked.emplace();
    }
    list_since(work, named);
  });
}

void UserHome::list_everything(std::shared_ptr<Listing> work) {
  work->since_ms = 0;
  work->list.whole = true;
  work->list.devices.emplace();
  work->list.requests.emplace();
  work->list.blocked.emplace();
  for (const auto& [id, row] : list_) {
    if (row.entered) work->items.push_back({id, row, true});
  }
  std::sort(work->items.begin(), work->items.end(),
            [](const auto& a, const auto& b) { return a.conversation < b.conversation; });
  expand(std::move(work));
}

void UserHome::page(wire::PageList asked, Then<wire::ListPage> then) {
  ++operations_;
  load([this, asked, then = std::move(then)](Error error) {
    if (error) {
      --operations_;
      return then(std::move(error));
    }
    auto work = std::make_shared<Listing>(*this);
    work->limit = asked.limit;
    if (asked.after) work->after = {-asked.after_activity.time_since_epoch().count(), asked.after};
    work->then = [then](Result<wire::ListChanged> list) {
      if (!list) return then(std::move(list).error());
      then(wire::ListPage{std::move(list->entries), list->more});
    };
    for (const auto& [id, row] : list_) {
      if (row.entered) work->items.push_back({id, row, true});
    }
    expand(work);
  });
}

/// Of all conversations only the guard, which says when each was active last.
void UserHome::read_activity(std::shared_ptr<Listing> work) {
  if (work->ordered == work->items.size()) {
    cut_page(*work);
    return read_entries(std::move(work));
  }
  const std::size_t from = work->ordered;
  work->ordered = std::min(work->items.size(), from + guards_per_get);
  auto memory = std::make_shared<std::deque<std::string>>();
  Get get;
  get.cells.reserve(work->ordered - from);
  for (std::size_t i = from; i < work->ordered; ++i) {
    memory->push_back(layout::conversation_id(shard_.config.ns, work->items[i].conversation));
    get.cells.push_back({{layout::conversation, memory->back()}, {}});
  }
  get.owner = memory;
  shard_.world.get(std::move(get), [this, work, from](Result<Cells> cells) {
    if (!cells) {
      --operations_;
      return std::exchange(work->then, {})(std::move(cells).error());
    }
    for (std::size_t i = 0; i < cells->values.size(); ++i) {
      Listing::Item& item = work->items[from + i];
      const auto head = cells->values[i] ? layout::decode_head(*cells->values[i]) : std::nullopt;
      item.activity_ms = std::max(head ? head->shown_ms : 0, item.row.joined_ms);
    }
    read_activity(work);
  });
}

/// Keeps the page that was asked for: the last active first.
void UserHome::cut_page(Listing& work) {
  auto& items = work.items;
  if (work.after.second)
    std::erase_if(items, [&](const auto& item) { return item.place() <= work.after; });
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return a.place() < b.place(); });
  work.list.more = items.size() > work.limit;
  if (work.list.more) items.resize(work.limit);
}

void UserHome::list_since(std::shared_ptr<Listing> work, std::vector<ConversationId> named) {
  for (const ConversationId& id : work->asked)
    if (std::find(named.begin(), named.end(), id) == named.end()) named.push_back(id);
  for (const auto& [id, row] : list_) {
    const bool is_named = std::find(named.begin(), named.end(), id) != named.end();
    if (row.entered) work->items.push_back({id, row, is_named});
  }
  for (const ConversationId& id : named) guess(*work, id);
  std::sort(work->items.begin(), work->items.end(),
            [](const auto& a, const auto& b) { return a.conversation < b.conversation; });
  expand(std::move(work));
}

/// Something is told of a conversation that the user's rows do not have: it may be the channel of a
/// space.
void UserHome::guess(Listing& work, const ConversationId& id) {
  const auto row = list_.find(id);
  if (row != list_.end() && row->second.entered) return;
  const bool left = row != list_.end() || work.asks_for(id);
  if (row != list_.end() && row->second.kind != ConversationKind::channel)
    return work.list.removed.push_back(id);
  const layout::ListRow in{.entered = true, .kind = ConversationKind::channel, .inherited = true};
  work.items.push_back(
      {.conversation = id, .row = in, .named = true, .guessed = true, .left = left});
}

/// A few conversations, for an announcement.
void UserHome::entries(const News& news, Then<wire::ListChanged> then) {
  ++operations_;
  auto work = std::make_shared<Listing>(*this);
  work->token = make_token();
  work->then = std::move(then);
  if (news.settings) work->list.settings = settings();
  if (news.devices) work->list.devices.emplace();
  if (news.requests) work->list.requests.emplace();
  if (news.blocks) work->list.blocked.emplace();
  for (const ConversationId& id : news.conversations) {
    const auto row = list_.find(id);
    if (row != list_.end() && row->second.entered)
      work->items.push_back({id, row->second, true});
    else
      guess(*work, id);
  }
  expand(std::move(work));
}

// ---- The join ----

void UserHome::read_entries(std::shared_ptr<Listing> work) {
  if (work->items.empty()) return follow_heads(std::move(work));  // some may be read already
  const layout::Namespace ns = shard_.config.ns;
  work->open = (work->items.size() + entries_per_get - 1) / entries_per_get;
  for (std::size_t from = 0; from < work->items.size(); from += entries_per_get) {
    const std::size_t to = std::min(work->items.size(), from + entries_per_get);
    Get get;
    get.cells.reserve((to - from) * cells_per_entry);
    for (std::size_t i = from; i < to; ++i) {
      const ConversationId& id = work->items[i].conversation;
      const bool channel = scattered(work->items[i].row.kind);
      const Bytes conversation = work->keep(layout::conversation_id(ns, id));
      const Bytes member = work->keep(layout::member_key(id_));
      const std::uint16_t receipts =
          channel ? layout::bucket_of(id_, layout::channel_receipt_buckets) : std::uint16_t{0};
      get.cells.push_back({{layout::conversation, conversation}, {}});
      get.cells.push_back({{layout::conversation, conversation}, work->keep(layout::info_key())});
      get.cells.push_back({{layout::receipt, work->keep(layout::receipt_id(ns, id, receipts))},
                           work->keep(layout::receipt_key(id_))});
      if (channel) {
        const auto bucket = layout::bucket_of(id_, layout::channel_member_buckets);
        get.cells.push_back(
            {{layout::member, work->keep(layout::member_id(ns, id, bucket))}, member});
      } else {
        get.cells.push_back({{layout::conversation, conversation}, member});
      }
    }
    get.owner = work;
    shard_.world.get(std::move(get), [this, work, from](Result<Cells> cells) {
      entries_read(work, from, std::move(cells));
    });
  }
}

/// Notes what of it is left to be counted.
void UserHome::count_unread(Listing& work, ListEntry& entry, const layout::ListRow& row,
                            const layout::HeadCell& head,
                            const std::optional<layout::ReceiptRow>& receipt,
                            const std::optional<layout::MemberRow>& member) {
  const std::uint64_t base =
      unread_from(receipt ? receipt->read_ordinal : 0,
                  member ? member->visible_ordinal : row.visible_ordinal, head.floor_ordinal);
  entry.unread = unread_of(head.ordinal, base, 0);
  if (entry.unread != 0 && head.deleted_ordinal > base)
    work.deleted.push_back({entry.conversation, base, head.ordinal});
  layout::MemberRow membership{.visible_from = row.visible_from,
                               .visible_ordinal = row.visible_ordinal};
  if (member) membership = *member;
  const MentionBase after = mentions_from(entry.read, membership, head.floor);
  if (membership.own_deletion_ms != 0)
    work.deleting.push_back({entry.conversation, base, entry.read, entry.head.seq});
  if ((head.flags & layout::head_has_mentions) != 0 && head.head > after.seq)
    work.mentions.push_back({entry.conversation, after, head.head});
}

void UserHome::entries_read(std::shared_ptr<Listing> work, std::size_t from, Result<Cells> cells) {
  if (!cells) {
    if (work->then) {
      --operations_;
      std::exchange(work->then, {})(std::move(cells).error());
    }
    return;
  }
  const std::size_t count = cells->values.size() / cells_per_entry;
  for (std::size_t i = 0; i < count; ++i) {
    Listing::Item& item = work->items[from + i];
    const auto* values = &cells->values[i * cells_per_entry];
    const auto head = values[0] ? layout::decode_head(*values[0]) : std::nullopt;
    const auto info = values[1] ? layout::decode_info(*values[1]) : std::nullopt;
    const auto receipt = values[2] ? layout::decode_receipt(*values[2]) : std::nullopt;
    auto member = values[3] ? layout::decode_member(*values[3]) : std::nullopt;
    const Told told = by_its_space(*work, from + i, head ? info : std::nullopt, member);
    if (told == Told::later) continue;
    const Role role = member ? member->role : Role::member;
    const bool out = told == Told::nothing || role == Role::none;
    if (out || (head->flags & layout::head_ended) != 0) {
      // The list row follows: never a word of what came after.
      const bool was = item.guessed ? item.left : told != Told::nothing;
      if (was && !work->list.whole) work->list.removed.push_back(item.conversation);
      continue;
    }
    const std::int64_t moved = std::max({head->last_event_ms, receipt ? receipt->time_ms : 0,
                                         member ? member->own_deletion_ms : 0});
    if (!item.named && moved < work->since_ms) continue;
    ListEntry entry;
    entry.conversation = item.conversation;
    entry.kind = info->kind;
    entry.title = info->settings.title;
    entry.avatar = info->settings.avatar;
    entry.archived_for_all = info->settings.archived;
    if (info->kind == ConversationKind::direct) {
      entry.peer = info->first == id_ ? info->second : info->first;
    }
    entry.space = info->space;
    entry.role = role;
    // The member row is the truth; the list row follows it.
    entry.visible_from = member ? member->visible_from : item.row.visible_from;
    entry.head = {head->epoch, head->head, head->mark};
    entry.head_ordinal = head->ordinal;
    if (receipt) {
      entry.received = receipt->received;
      entry.read = receipt->read;
    }
    count_unread(*work, entry, item.row, *head, receipt, member);
    add_settings(entry, item.row);
    if (item.row.has_draft) work->drafts.push_back(item.conversation);
    if (entry.kind == ConversationKind::space) compare_space(*work, entry, member);
    const bool before = item.guessed ? item.left : list_.contains(item.conversation);
    if (entry.space && before) work->had.insert(item.conversation);
    work->audiences[item.conversation] =
        audiences_of(info->kind, member.value_or(layout::MemberRow{.role = role}));
    const std::int64_t activity = std::max(head->shown_ms, item.row.joined_ms);
    entry.last_activity = wall_time(activity);
    work->list.entries.push_back(std::move(entry));
  }
  if (--work->open != 0 || !work->then) return;
  work->again.empty() ? follow_heads(std::move(work)) : judge_again(std::move(work));
}

void UserHome::read_drafts(std::shared_ptr<Listing> work) {
  if (work->drafts.empty()) return read_own_deletions(std::move(work));
  const std::size_t count = std::min(work->drafts.size(), drafts_per_get);
  const std::vector<ConversationId> ids(work->drafts.end() - static_cast<std::ptrdiff_t>(count),
                                        work->drafts.end());
  work->drafts.resize(work->drafts.size() - count);
  Get get;
  const Bytes partition = work->keep(partition_);
  for (const ConversationId& id : ids)
    get.cells.push_back({{layout::user, partition}, work->keep(layout::draft_key(id))});
  get.owner = work;
  shard_.world.get(std::move(get), [this, work, ids](Result<Cells> cells) {
    if (!cells) {
      --operations_;
      return std::exchange(work->then, {})(std::move(cells).error());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ListEntry* entry = work->entry(ids[i])) add_draft(*entry, cells->values[i]);
    }
    read_drafts(work);
  });
}

/// The newest conversations bring their last event, enough for the first screen.
void UserHome::add_last_records(std::shared_ptr<Listing> work) {
  auto& entries = work->list.entries;
  std::sort(entries.begin(), entries.end(), [](const ListEntry& a, const ListEntry& b) {
    if (a.last_activity != b.last_activity) return a.last_activity > b.last_activity;
    return a.conversation < b.conversation;
  });
  const std::size_t count = std::min(entries.size(), last_records);
  work->open = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const ListEntry& entry = entries[i];
    if (entry.head.seq < entry.visible_from) continue;
    ++work->open;
    if (scattered(entry.kind)) {
      still_member(work, i);
    } else {
      add_last_record(work, i);
    }
  }
  if (--work->open == 0) finish(*work);
}

void UserHome::add_last_record(std::shared_ptr<Listing> work, std::size_t i) {
  const ListEntry& entry = work->list.entries[i];
  ReadRange range;
  range.conversation = entry.conversation;
  range.ns = shard_.config.ns;
  range.partition = layout::conversation_id(range.ns, entry.conversation);
  range.from = std::max<Seq>(entry.visible_from, 1);
  range.to = entry.head.seq;
  range.backward = true;
  range.max_events = Listing::preview_events;
  read_events(shard_.world, range, [this, work, i](Result<EventPage> page) {
    if (page && !page->events.empty()) {
      // What was edited since may be for others now: the right to see it was that of the head.
      const ListEntry& entry = work->list.entries[i];
      const bool moved = edited_after(page->events, entry.head.seq);
      hide(page->events, {id_, moved ? Audiences{1} : work->audiences[entry.conversation],
                          work->deletions_of(entry.conversation)});
      auto newest = std::find_if(page->events.rbegin(), page->events.rend(), worth_showing);
      if (newest == page->events.rend())
        newest = std::find_if_not(page->events.rbegin(), page->events.rend(), is_hidden);
      if (newest != page->events.rend() && newest->record.size() <= preview_bytes)
        work->list.entries[i].last_record = newest->record;
    }
    if (--work->open == 0) finish(*work);
  });
}

/// A removal from a channel stands in the conversation first and in the member row later: whoever
/// is in neither place, read in this order, was a member at the entry's head.
void UserHome::still_member(std::shared_ptr<Listing> work, std::size_t i) {
  const ConversationId id = work->list.entries[i].conversation;
  const layout::Namespace ns = shard_.config.ns;
  const auto skip = [this, work] {
    if (--work->open == 0) finish(*work);
  };
  Scan scan;
  scan.partition = {layout::conversation, work->keep(layout::conversation_id(ns, id))};
  scan.from = "p";
  scan.to = "q";
  scan.max_rows = 4096;
  scan.owner = work;
  shard_.world.scan(std::move(scan), [this, work, i, id, ns, skip](Result<Rows> rows) {
    if (!rows || rows->more) return skip();
    for (const Row& row : rows->rows) {
      const auto pending = layout::decode_pending(row.value);
      if (!pending || pending->user == id_) return skip();  // the member row is old news
    }
    if (work->list.entries[i].space) return still_inherited(work, i);
    const auto bucket = layout::bucket_of(id_, layout::channel_member_buckets);
    Get get;
    get.cells.push_back({{layout::member, work->keep(layout::member_id(ns, id, bucket))},
                         work->keep(layout::member_key(id_))});
    get.owner = work;
    shard_.world.get(std::move(get), [this, work, i, id, skip](Result<Cells> cells) {
      const auto row =
          cells && cells->values[0] ? layout::decode_member(*cells->values[0]) : std::nullopt;
      if (!row || row->role == Role::none) return skip();
      work->audiences[id] = audiences_of(work->list.entries[i].kind, *row);
      add_last_record(work, i);
    });
  });
}

void UserHome::sync(wire::Sync asked, Then<wire::ListChanged> then) {
  ++operations_;
  load([this, asked = std::move(asked), then = std::move(then)](Error error) mutable {
    --operations_;
    if (error) return then(std::move(error));
    listing(std::move(asked), 0, std::move(then));
  });
}

/// An entry that its conversation told, which knows nothing of what the user set.
void UserHome::with_settings(ListEntry entry, Then<ListEntry> then) {
  ++operations_;
  load([this, entry = std::move(entry), then = std::move(then)](const Error& error) mutable {
    --operations_;
    if (error) return then(error);
    const auto row = list_.find(entry.conversation);
    if (row == list_.end() || !row->second.entered) return then(std::move(entry));
    add_settings(entry, row->second);
    if (!row->second.has_draft) return then(std::move(entry));
    ++operations_;
    shard_.world.get(
        owned_get({{layout::user, partition_, layout::draft_key(entry.conversation)}}),
        [this, entry = std::move(entry), then = std::move(then)](Result<Cells> cells) mutable {
          --operations_;
          if (!cells) return then(std::move(cells).error());
          add_draft(entry, cells->values[0]);
          then(std::move(entry));
        });
  });
}

void UserHome::finish(Listing& work) {
  --operations_;
  used_ = shard_.world.now().steady;
  add_children(work);
  // In no order of how they were found: it would tell which of those that are asked for exist.
  std::sort(work.list.removed.begin(), work.list.removed.end());
  work.list.token = std::move(work.token);
  if (work.list.devices) work.list.devices = device_list();
  if (work.list.requests) work.list.requests = request_list();
  if (work.list.blocked) work.list.blocked.emplace(blocked_.begin(), blocked_.end());
  std::exchange(work.then, {})(std::move(work.list));
}

}  // namespace parley::core
