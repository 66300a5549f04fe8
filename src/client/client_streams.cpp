// client_streams.cpp: the list, subscriptions, cursors and the gap rule (CONTRACT I2, I4).
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "client/client_core.hpp"
#include "wire/record.hpp"

namespace parley::client {
namespace {

// A conversation with so few visible events is followed from its beginning, not from its head.
constexpr Seq fresh_events = 64;
constexpr auto follow_again_after = std::chrono::milliseconds(1'000);

/// What a list would show as the last thing that happened: no change of a message.
bool worth_showing(EventKind kind) {
  const bool change = kind >= EventKind::edited && kind <= EventKind::unpinned;
  return !change && kind != EventKind::hidden;
}

}  // namespace

// ---- The list. ----

void ClientCore::take_list(wire::ListChanged change, bool with_welcome) {
  sync_token_ = std::move(change.token);
  std::vector<ConversationId> removed = std::move(change.removed);
  if (change.devices) {
    for (Device& device : *change.devices) device.current = device.id == device_id_;
  }
  if (change.whole) {
    std::unordered_set<ConversationId> present;
    for (const ListEntry& entry : change.entries) present.insert(entry.conversation);
    removed.clear();
    for (const auto& [id, entry] : list_) {
      if (!present.contains(id)) removed.push_back(id);
    }
    for (const auto& [id, stream] : streams_) {  // stored cursors of what was left meanwhile
      if (change.more) break;
      if (!present.contains(id) && !list_.contains(id) && !stream.wanted) removed.push_back(id);
    }
  }
  drop_children(change, removed);
  for (const ConversationId& id : removed) {
    if (change.more) {
      list_.erase(id);  // it may be on a later page, and goes on from its cursor then
    } else {
      forget(id);
    }
  }
  std::vector<ListEntry> fresh;
  for (ListEntry& entry : change.entries) {
    const auto known = list_.find(entry.conversation);
    if (known == list_.end()) {
      fresh.push_back(entry);
    } else if (!with_welcome) {  // a welcome comes before every push of its session
      keep_newer(entry, known->second);
    } else {
      mentioned_.erase(entry.conversation);
      say_again(entry, known->second);
    }
    list_.insert_or_assign(entry.conversation, entry);
  }
  note_unlisted(change, removed);
  outputs_.notices.emplace_back(ListMoved{change.whole, std::move(change.entries), removed,
                                          std::move(change.settings), std::move(change.devices),
                                          std::move(change.requests), std::move(change.blocked)});
  if (std::exchange(knows_list_, true)) {
    for (const ListEntry& entry : fresh) begin(entry);
  }
  if (with_welcome) return;  // follow_all() comes next
  for (const ListEntry& entry : fresh) follow(entry);
}

/// A space names all of its channels that this user is in; without a space there are none.
void ClientCore::drop_children(const wire::ListChanged& change,
                               std::vector<ConversationId>& removed) const {
  std::unordered_map<ConversationId, const std::vector<ConversationId>*> kept;
  static const std::vector<ConversationId> none;
  for (const ConversationId& id : removed) kept[id] = &none;
  for (const ListEntry& entry : change.entries)
    if (entry.kind == ConversationKind::space) kept[entry.conversation] = &entry.children;
  if (kept.empty() || change.whole) return;
  for (const auto& [id, entry] : list_) {
    const auto space = entry.space ? kept.find(entry.space) : kept.end();
    if (space == kept.end() || kept.contains(id)) continue;
    const auto& children = *space->second;
    if (std::find(children.begin(), children.end(), id) == children.end()) removed.push_back(id);
  }
}

/// What was asked for is told. A channel that its space names may have come before a token that
/// another push brought: the token does not bring it any more.
void ClientCore::note_unlisted(const wire::ListChanged& change,
                               const std::vector<ConversationId>& removed) {
  for (const ConversationId& id : removed) unlisted_.erase(id);
  for (const ListEntry& entry : change.entries) unlisted_.erase(entry.conversation);
  for (const ListEntry& entry : change.entries) {
    if (change.more) break;  // they may be on a later page
    for (const ConversationId& child : entry.children)
      if (!list_.contains(child)) unlisted_.insert(child);
  }
  if (!unlisted_.empty()) sync_later();
}

wire::Sync ClientCore::sync_request() const {
  wire::Sync sync{sync_token_, {}};
  for (const ConversationId& id : unlisted_) {
    if (sync.conversations.size() == limits::children) break;
    sync.conversations.push_back(id);
  }
  return sync;
}

void ClientCore::take_page(std::vector<ListEntry> entries) {
  for (ListEntry& entry : entries) {
    const auto known = list_.find(entry.conversation);
    if (known != list_.end()) keep_newer(entry, known->second);
    const bool fresh = known == list_.end();
    list_.insert_or_assign(entry.conversation, entry);
    if (fresh) follow(entry);
  }
  outputs_.notices.emplace_back(ListMoved{false, std::move(entries), {}});
}

void ClientCore::take_entry(ListEntry entry, bool opened) {
  const auto found = list_.find(entry.conversation);
  const bool known = found != list_.end();
  if (known) keep_newer(entry, found->second);
  if (known) entry.children = found->second.children;  // a list alone tells them
  list_.insert_or_assign(entry.conversation, entry);
  outputs_.notices.emplace_back(ListMoved{false, {entry}, {}});
  if (!known) begin(entry);
  if (!opened || !options_.follow) return;
  Stream& stream = streams_[entry.conversation];
  if (entry.kind == ConversationKind::channel && !stream.wanted) stream.wanted = Level::full;
  if (stream.asked != Level::full && !stream.subscribing) follow(entry);
}

void ClientCore::forget(const ConversationId& conversation) {
  list_.erase(conversation);
  mentioned_.erase(conversation);
  marks_.erase(conversation);
  full_.erase(conversation);
  if (streams_.erase(conversation) == 0) return;
  ClientBatch batch;
  batch.forgotten.push_back(conversation);
  store(batch);
}

std::vector<ListEntry> ClientCore::list() const {
  std::vector<ListEntry> out;
  out.reserve(list_.size());
  for (const auto& [id, entry] : list_) out.push_back(entry);
  std::sort(out.begin(), out.end(), [](const ListEntry& a, const ListEntry& b) {
    return a.last_activity != b.last_activity ? a.last_activity > b.last_activity
                                              : a.conversation < b.conversation;
  });
  return out;
}

std::optional<Cursor> ClientCore::cursor(const ConversationId& conversation) const {
  const auto found = streams_.find(conversation);
  if (found == streams_.end() || !found->second.cursor.epoch) return std::nullopt;
  return found->second.cursor;
}

/// A list is read while newer things are pushed: within an epoch, head and positions never go back.
void ClientCore::keep_newer(ListEntry& entry, const ListEntry& known) {
  std::set<Seq>& mentioned = mentioned_[entry.conversation];
  if (entry.head.epoch != known.head.epoch) return mentioned.clear();
  std::erase_if(mentioned, [&](Seq seq) { return seq <= entry.head.seq; });
  entry.mentions += mentioned.size();
  const auto counted_from = [](const ListEntry& of) {  // the ordinal where unread begins
    return of.head_ordinal - std::min(of.head_ordinal, of.unread);
  };
  const std::uint64_t from = std::max(counted_from(entry), counted_from(known));
  if (known.head.seq > entry.head.seq) {
    entry.head = known.head;
    entry.head_ordinal = known.head_ordinal;
    entry.last_activity = known.last_activity;
    entry.last_record = known.last_record;
  }
  entry.received = std::max(entry.received, known.received);
  entry.read = std::max(entry.read, known.read);
  entry.unread = entry.head_ordinal - std::min(entry.head_ordinal, from);
  if (entry.read >= entry.head.seq) nothing_unread(entry);
}

/// The engine may have lost a position with a crash: that of an own send moves after its answer.
void ClientCore::say_again(ListEntry& entry, const ListEntry& known) {
  if (entry.head.epoch != known.head.epoch) return;
  if (entry.read >= known.read && entry.received >= known.received) return;
  Marks& marks = marks_[entry.conversation];
  marks.received = std::max(marks.received, known.received);
  if (entry.read < known.read) marks.read = std::max(marks.read, known.read);
  entry.received = std::max(entry.received, known.received);
  entry.read = std::max(entry.read, known.read);
  if (entry.read >= entry.head.seq) nothing_unread(entry);
}

// ---- Following. ----

// Where the stream of a conversation begins that this device did not know.
void ClientCore::begin(const ListEntry& entry) {
  if (!entry.head.epoch) return;
  Stream& stream = streams_[entry.conversation];
  if (stream.cursor.epoch) return;
  const bool fresh = entry.head.seq < entry.visible_from + fresh_events;
  move_cursor(entry.conversation, stream,
              fresh && entry.kind != ConversationKind::channel ? Cursor{entry.head.epoch, 0, 0}
                                                               : entry.head,
              false);
}

Level ClientCore::policy(const ListEntry& entry) {
  const auto found = streams_.find(entry.conversation);
  if (found != streams_.end() && found->second.wanted) return *found->second.wanted;
  if (!options_.follow || entry.kind == ConversationKind::channel) return Level::none;
  if (full_.contains(entry.conversation)) return Level::full;
  if (full_.size() >= full_at_once) return Level::heads;
  full_.insert(entry.conversation);
  return Level::full;
}

// After a welcome nothing is subscribed.
void ClientCore::follow_all() {
  full_.clear();
  for (auto& [id, stream] : streams_) {
    stream.asked = Level::none;
    stream.subscribing = false;
    stream.known_head = 0;
  }
  behind_.clear();
  behind_at_.reset();
  Wanted wanted;
  for (const ListEntry& entry : list()) {
    const Level level = policy(entry);
    if (level != Level::none) wanted.emplace_back(entry.conversation, level);
  }
  for (const auto& [id, stream] : streams_) {
    if (!list_.contains(id) && stream.wanted.value_or(Level::none) != Level::none) {
      wanted.emplace_back(id, *stream.wanted);
    }
  }
  if (wanted.size() > limits::subscriptions) wanted.resize(limits::subscriptions);
  subscribe_to(wanted, 0);
}

void ClientCore::follow(const ListEntry& entry) {
  if (status_.state != ClientState::ready) return;
  Level level = policy(entry);
  if (level == Level::heads && !streams_[entry.conversation].wanted) {
    full_.insert(entry.conversation);  // the newest is among the most recent
    level = Level::full;
  }
  if (level != Level::none) subscribe_to({{entry.conversation, level}}, 0);
}

std::uint64_t ClientCore::subscribe(Time now, const ConversationId& conversation, Level level,
                                    std::optional<Cursor> from) {
  now_ = now;
  const std::uint64_t id = next_id_++;
  if (status_.state == ClientState::failed) {
    complete(id, failed_error());
    return id;
  }
  if (from && !from->epoch) {
    complete(id, Error{Errc::invalid_argument, "from.epoch: expected not to be empty"});
    return id;
  }
  if (waiting_.size() >= waiting_requests) {
    complete(id, Error{Errc::busy, "256 requests wait for the connection; try again"});
    return id;
  }
  Stream& stream = streams_[conversation];
  stream.wanted = level;
  if (from && !move_cursor(conversation, stream, *from, false)) {
    complete(id, failed_error());
    return id;
  }
  subscribe_to({{conversation, level}}, id);
  pump();
  return id;
}

void ClientCore::subscribe_to(const Wanted& wanted, std::uint64_t id) {
  std::size_t at = 0;
  while (at < wanted.size() && status_.state != ClientState::failed) {
    wire::Subscribe request;
    Open open{.purpose = Purpose::subscribe, .id = id};
    for (; at < wanted.size() && request.items.size() < limits::subscribe_at_once; ++at) {
      const auto& [conversation, level] = wanted[at];
      Stream& stream = streams_[conversation];
      stream.asked = level;
      stream.subscribing = true;
      wire::Subscribe::Item item{conversation, level, std::nullopt};
      if (level == Level::full) {
        // Without a cursor of its own it begins where the list stood: nothing after it is missed.
        const auto entry = list_.find(conversation);
        if (!stream.cursor.epoch && entry != list_.end() && entry->second.head.epoch &&
            !move_cursor(conversation, stream, entry->second.head, false)) {
          return;
        }
        if (stream.cursor.epoch) item.cursor = stream.cursor;
      }
      request.items.push_back(item);
      open.conversations.push_back(conversation);
    }
    enqueue(std::move(open), std::move(request), id == 0);
  }
}

void ClientCore::resubscribe(const ConversationId& conversation, Stream& stream) {
  if (stream.subscribing || stream.asked != Level::full) return;
  subscribe_to({{conversation, Level::full}}, 0);
}

void ClientCore::subscribe_failed(const Open& open, const Error& why) {
  for (const ConversationId& conversation : open.conversations) {
    const auto found = streams_.find(conversation);
    if (found == streams_.end()) continue;
    found->second.subscribing = false;
    if (why.retryable()) {
      follow_again_.insert(conversation);
    } else {
      found->second.asked = Level::none;
    }
  }
  if (follow_again_.empty()) return;
  const auto wait = std::max<std::chrono::milliseconds>(follow_again_after, why.retry_after);
  follow_again_at_ = now_ + wait;
}

void ClientCore::resumed(const ResumeAnswer& answer) {
  const auto found = streams_.find(answer.conversation);
  if (found == streams_.end()) return;  // left meanwhile
  Stream& stream = found->second;
  stream.subscribing = false;
  const bool full = stream.asked == Level::full;
  const bool skips = answer.answer != Resume::caught_up && answer.answer != Resume::range;
  if (!full || skips) passed_over(answer.conversation, answer.head);
  bool tell = full;
  switch (answer.answer) {
    case Resume::caught_up:
    case Resume::range:
      tell = false;
      break;
    case Resume::snapshot:
    case Resume::forked:
    case Resume::ahead:
      if (full && !move_cursor(answer.conversation, stream, answer.head,
                               answer.answer != Resume::snapshot)) {
        return;
      }
      break;
    case Resume::trimmed: {
      tell = full && stream.cursor.seq != 0;  // from the beginning on: nothing was missed
      const Cursor cursor{answer.head.epoch, answer.floor - 1, answer.floor_mark};
      if (full && !move_cursor(answer.conversation, stream, cursor, false)) return;
      break;
    }
    case Resume::not_member:
    case Resume::denied:
      stream.asked = Level::none;
      stream.wanted.reset();
      tell = true;
      break;
  }
  if (tell) outputs_.notices.emplace_back(answer);
}

/// Events of a space that are not read here may say of other channels.
void ClientCore::passed_over(const ConversationId& conversation, const Cursor& head) {
  const auto found = list_.find(conversation);
  if (found == list_.end() || found->second.kind != ConversationKind::space) return;
  if (head.seq <= found->second.head.seq) return;
  unlisted_.insert(conversation);
  sync_later();
}

bool ClientCore::move_cursor(const ConversationId& conversation, Stream& stream,
                             const Cursor& cursor, bool restart) {
  ClientBatch batch;
  batch.moved.push_back({conversation, cursor, {}, restart});
  if (!store(batch)) return false;
  stream.cursor = cursor;
  return true;
}

// ---- Events. ----

void ClientCore::take_events(wire::Events events) {
  const auto found = streams_.find(events.conversation);
  if (found == streams_.end() || !found->second.cursor.epoch) return;
  Stream& stream = found->second;
  if (events.epoch != stream.cursor.epoch || events.first > stream.cursor.seq + 1) {
    return resubscribe(events.conversation, stream);  // the gap rule
  }
  const Seq last = events.first + events.records.size() - 1;
  if (last <= stream.cursor.seq) return;  // all of it is known
  std::vector<Event> fresh;
  fresh.reserve(last - stream.cursor.seq);
  for (Seq seq = stream.cursor.seq + 1; seq <= last; ++seq) {
    fresh.push_back(wire::to_event(events.conversation, events.epoch,
                                   std::move(events.records[seq - events.first]),
                                   seq == last ? events.mark : 0));
  }
  const Cursor cursor{events.epoch, last, events.mark};
  ClientBatch batch;
  batch.moved.push_back({events.conversation, cursor, fresh, false});
  if (!store(batch)) return;
  stream.cursor = cursor;
  note_events(events.conversation, fresh, events.mark);
  mark(events.conversation, last, 0);
  for (const Event& event : fresh) {
    if (const auto* change = event.as<ChildChange>()) unlisted_.insert(change->child);
  }
  if (!unlisted_.empty()) sync_later();
  outputs_.notices.emplace_back(Applied{events.conversation, std::move(fresh)});
}

// Keeps the list's entry as the server would show it.
void ClientCore::note_events(const ConversationId& conversation, const std::vector<Event>& events,
                             Mark mark) {
  const auto found = list_.find(conversation);
  if (found == list_.end()) return;
  ListEntry& entry = found->second;
  for (const Event& event : events) {
    if (event.seq <= entry.head.seq && event.epoch == entry.head.epoch) continue;
    entry.head = {event.epoch, event.seq, event.seq == events.back().seq ? mark : 0};
    const std::uint64_t counted =
        event.ordinal > entry.head_ordinal ? event.ordinal - entry.head_ordinal : 0;
    entry.head_ordinal = std::max(entry.head_ordinal, event.ordinal);
    const bool for_all = event.kind != EventKind::hidden && event.audience == audience::everyone;
    const auto* message = event.as<Message>();
    const bool imported = message != nullptr && message->written != WallTime{};  // it is old
    if (for_all && !imported) entry.last_activity = event.time;
    if (worth_showing(event.kind)) entry.last_record = event.record;
    if (const auto* gone = event.as<Deletion>()) note_deletion(entry, *gone);
    if (message != nullptr && !imported && event.sender == status_.user &&
        message->thread_root == 0) {
      entry.read = entry.received = event.seq;  // who writes has read
      nothing_unread(entry);
    } else {
      entry.unread += counted;
      if (message != nullptr && !imported) note_mention(entry, event, *message);
    }
    if (event.kind == EventKind::settings_changed) {
      if (const auto* change = event.as<SettingsChange>()) {
        if (change->title) entry.title = *change->title;
        if (change->avatar) entry.avatar = *change->avatar;
        if (change->archived) entry.archived_for_all = *change->archived;
      }
    }
  }
}

void ClientCore::note_mention(ListEntry& entry, const Event& event, const Message& message) {
  const bool named =
      std::binary_search(message.mentions.begin(), message.mentions.end(), status_.user);
  const bool counts = named || message.mention_scope == MentionScope::all;
  if (!counts || message.deleted || event.seq <= entry.read || event.sender == status_.user) return;
  if (mentioned_[entry.conversation].insert(event.seq).second) ++entry.mentions;
}

void ClientCore::note_deletion(ListEntry& entry, const Deletion& gone) {
  if (gone.message <= entry.read || gone.message < entry.visible_from) return;
  if (gone.ordinal + entry.unread > entry.head_ordinal && entry.unread > 0) --entry.unread;
  if (entry.mentions == 0) return;
  if (mentioned_[entry.conversation].erase(gone.message) != 0) {
    --entry.mentions;
  } else {
    sync_later();  // whom it mentioned is not known here any more
  }
}

/// The line of the list that follows brings the message to show instead.
void ClientCore::deleted_for_me(DeletedForMe deleted) {
  const auto found = list_.find(deleted.conversation);
  if (found != list_.end() && !found->second.last_record.empty()) {
    const Seq last = wire::read_record(found->second.last_record.bytes()).seq;
    if (std::binary_search(deleted.messages.begin(), deleted.messages.end(), last))
      found->second.last_record = {};
  }
  outputs_.notices.emplace_back(std::move(deleted));
}

void ClientCore::nothing_unread(ListEntry& entry) {
  entry.unread = entry.mentions = 0;
  mentioned_.erase(entry.conversation);
}

void ClientCore::sync_later() {
  if (!sync_at_) sync_at_ = now_ + sync_delay;
}

void ClientCore::head_moved(const wire::HeadMoved& moved) {
  const auto stream_of = streams_.find(moved.conversation);
  if (stream_of == streams_.end() || stream_of->second.asked != Level::full)
    passed_over(moved.conversation, moved.head);
  if (const auto found = list_.find(moved.conversation); found != list_.end()) {
    ListEntry& entry = found->second;
    if (moved.head_ordinal > entry.head_ordinal) {
      entry.unread += moved.head_ordinal - entry.head_ordinal;
    }
    entry.head = moved.head;
    entry.head_ordinal = moved.head_ordinal;
  }
  outputs_.notices.emplace_back(moved);
  const auto found = streams_.find(moved.conversation);
  if (found == streams_.end() || found->second.asked != Level::full) {
    if (list_.contains(moved.conversation)) sync_later();  // whom it mentions is not told
    return;
  }
  Stream& stream = found->second;
  if (moved.head.epoch == stream.cursor.epoch && moved.head.seq <= stream.cursor.seq) return;
  // The link was too slow. The server goes on from its store by itself; if it does not, we ask.
  stream.known_head = std::max(stream.known_head, moved.head.seq);
  behind_[moved.conversation] = stream.cursor.seq;
  if (!behind_at_) behind_at_ = now_ + behind_patience;
}

void ClientCore::catch_up() {
  behind_at_.reset();
  for (const auto& [conversation, seq] : std::exchange(behind_, {})) {
    const auto found = streams_.find(conversation);
    if (found == streams_.end() || found->second.known_head <= found->second.cursor.seq) continue;
    Stream& stream = found->second;
    if (stream.cursor.seq == seq) resubscribe(conversation, stream);
    behind_[conversation] = stream.cursor.seq;
    behind_at_ = now_ + behind_patience;
  }
}

// ---- Positions. ----

void ClientCore::receipts_moved(wire::ReceiptsMoved moved) {
  if (const auto found = list_.find(moved.conversation); found != list_.end()) {
    for (const Receipt& receipt : moved.receipts) {
      if (receipt.user != status_.user) continue;
      ListEntry& entry = found->second;
      entry.received = std::max(entry.received, receipt.received);
      entry.read = std::max(entry.read, receipt.read);
      if (entry.read >= entry.head.seq) nothing_unread(entry);
    }
  }
  outputs_.notices.emplace_back(std::move(moved));
}

void ClientCore::read(Time now, const ConversationId& conversation, Seq seq) {
  now_ = now;
  if (const auto found = list_.find(conversation); found != list_.end()) {
    found->second.read = std::max(found->second.read, seq);
    if (seq >= found->second.head.seq) nothing_unread(found->second);
  }
  mark(conversation, 0, seq);
}

void ClientCore::mark(const ConversationId& conversation, Seq received, Seq read) {
  const auto entry = list_.find(conversation);
  if (read == 0 && entry != list_.end() && received <= entry->second.received) return;
  if ((received | read) == 0) return;
  Marks& marks = marks_[conversation];
  marks.received = std::max(marks.received, received);
  marks.read = std::max(marks.read, read);
  if (!marks_at_) marks_at_ = now_ + marks_delay;
}

void ClientCore::received_told(const ConversationId& conversation, Seq received) {
  const auto entry = list_.find(conversation);
  if (entry == list_.end()) return;
  entry->second.received = std::max(entry->second.received, received);
}

// One request a conversation, however many events came.
void ClientCore::flush_marks() {
  marks_at_.reset();
  for (const auto& [conversation, marks] : std::exchange(marks_, {})) {
    enqueue({.purpose = Purpose::housekeeping,
             .conversation = conversation,
             .received = marks.received,
             .read = marks.read},
            wire::MarkRead{conversation, marks.received, marks.read}, true);
  }
}

}  // namespace parley::client
