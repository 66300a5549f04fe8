// frame_answers.cpp: the bodies of answers and pushes.
#include "wire/frame_reader.hpp"
#include "wire/frame_types.hpp"
#include "wire/settings_table.hpp"

namespace parley::wire {

void FrameReader::records(std::size_t at, const RecordsHeader& head, std::vector<Payload>& out) {
  if (head.count > (frame_.size() - at) / 16) return fail("count", "as many records as follow");
  out.reserve(head.count);
  for (std::uint32_t i = 0; i < head.count; ++i) {
    const std::size_t left = frame_.size() - at;
    const std::size_t size =
        left < 16 ? 0 : std::size_t{load<std::uint32_t>(frame_.data() + at)} + 4;
    if (size < 16 || size > left || size % 8 != 0) {
      return fail("records", "a length that fits the frame and is a multiple of 8");
    }
    const Bytes bytes = frame_.substr(at, size);
    const auto fields = verify_record(bytes);
    if (!fields) return fail("records", "a valid record");
    if (fields->seq != head.first + i) return fail("records", "consecutive seqs from first");
    out.emplace_back(message_->owner(), bytes);
    at += size;
  }
  if (at != frame_.size()) fail("records", "nothing after the last one");
}

namespace {

WallTime time_of(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

void read(FrameReader& r, ListEntry& v, const fb::ListEntry& t) {
  r.id(v.conversation, t.conversation(), "entry.conversation");
  read_kind(r, v.kind, t.kind(), "entry.kind");
  r.text(v.title, t.title(), "entry.title");
  v.peer = UserId{t.peer()};
  if (t.space() != nullptr) r.id(v.space, t.space(), "entry.space");
  r.ids(v.children, t.children());
  v.role = static_cast<Role>(t.role());
  v.visible_from = t.visible_from();
  if (t.head() == nullptr) return r.fail("entry.head", "a cursor");
  r.cursor(v.head, *t.head());
  v.head_ordinal = t.head_ordinal();
  v.received = t.received();
  v.read = t.read();
  v.unread = t.unread();
  v.mentions = t.mentions();
  v.last_activity = time_of(t.last_activity());
  v.pinned = t.pinned();
  v.archived = t.archived();
  v.marked_unread = t.marked_unread();
  v.muted_until = time_of(t.muted_until());
  r.text(v.draft, t.draft(), "entry.draft");
  r.text(v.avatar, t.avatar(), "entry.avatar");
  v.archived_for_all = t.archived_for_all();
  v.drafted = time_of(t.drafted());
  r.text(v.folder, t.folder(), "entry.folder");
  v.hidden_until = t.hidden_until();
  r.record(v.last_record, t.last(), "entry.last");
}
void read(FrameReader& r, UserSettings& v, const fb::UserSettings& t) {
  v.hide_reads = t.hide_reads();
  v.hide_last_seen = t.hide_last_seen();
  r.text(v.status, t.status(), "settings.status");
  v.status_until = time_of(t.status_until());
}
void read_devices(FrameReader& r, std::vector<Device>& out,
                  const Vector<flatbuffers::Offset<fb::Device>>* from) {
  r.each(out, from, 4, [&](Device& v, const fb::Device& t) {
    v.id = DeviceId{t.id()};
    r.text(v.name, t.name(), "devices.name");
    v.created = time_of(t.created());
    v.last_seen = time_of(t.last_seen());
    v.online = t.online();
  });
}
void read(FrameReader& r, ListChanged& v, const fb::List& t) {
  v.whole = t.whole();
  r.each(v.entries, t.entries(), 4,
         [&](ListEntry& entry, const fb::ListEntry& from) { read(r, entry, from); });
  r.ids(v.removed, t.removed());
  r.bytes(v.token, t.token());
  v.more = t.more();
  if (t.settings() != nullptr) read(r, v.settings.emplace(), *t.settings());
  if (t.devices() != nullptr) read_devices(r, v.devices.emplace(), t.devices());
  if (t.blocked() != nullptr) r.users(v.blocked.emplace(), t.blocked());
  if (t.requests() == nullptr) return;
  r.each(v.requests.emplace(), t.requests(), 4, [&](OwnRequest& own, const fb::OwnRequest& from) {
    r.id(own.conversation, from.conversation(), "list.requests.conversation");
    own.state = static_cast<JoinRequestState>(from.state());
    own.time = time_of(from.time());
  });
}
void read(FrameReader& r, ListChanged& v) {
  if (const auto* t = r.root<fb::List>()) read(r, v, *t);
}
void read(FrameReader& r, Welcome& v) {
  const auto* t = r.root<fb::Welcome>();
  if (t == nullptr) return;
  v.version = t->version();
  v.session = t->session();
  v.user = UserId{t->user()};
  v.device = DeviceId{t->device()};
  r.text(v.subject, t->subject(), "welcome.subject");
  v.heartbeat_ms = t->heartbeat_ms();
  v.max_body = t->max_body();
  r.bytes(v.ticket, t->ticket());
  if (t->list() != nullptr) read(r, v.list, *t->list());
}
void read(FrameReader& r, Done&) { r.root<fb::Done>(); }
void read(FrameReader& r, Failed& v) {
  const auto* t = r.root<fb::Error>();
  if (t == nullptr) return;
  if (t->code() <= 0) return r.fail("error.code", "a positive number");
  v.error.code = std::error_code(t->code(), error_category());
  r.text(v.error.message, t->message(), "error.message");
  v.error.retry_after = std::chrono::milliseconds(t->retry_after_ms());
  v.error.next = t->next();
}
void read(FrameReader& r, Acked& v) {
  const auto* t = r.root<fb::Ack>();
  if (t == nullptr) return;
  r.id(v.ack.conversation, t->conversation(), "ack.conversation");
  v.ack.seq = t->seq();
  v.ack.time = time_of(t->time());
  v.ack.number = t->number();
  v.ack.repeated = t->repeated();
}
void read(FrameReader& r, Opened& v) {
  const auto* t = r.root<fb::Opened>();
  if (t == nullptr) return;
  if (t->entry() == nullptr) return r.fail("opened.entry", "a list entry");
  read(r, v.entry, *t->entry());
}
void read(FrameReader& r, Subscribed& v) {
  const auto* t = r.root<fb::Subscribed>();
  if (t == nullptr) return;
  r.each(v.answers, t->answers(), 4, [&](ResumeAnswer& answer, const fb::ResumeAnswer& from) {
    if (!r.charge(4)) return;
    r.id(answer.conversation, from.conversation(), "subscribed.answers.conversation");
    read_level(r, answer.level, from.level(), "subscribed.answers.level");
    if (from.answer() < 1 || from.answer() > 8) {
      return r.fail("subscribed.answers.answer", "1 to 8");
    }
    answer.answer = static_cast<Resume>(from.answer());
    if (from.head() != nullptr) r.cursor(answer.head, *from.head());
    answer.head_ordinal = from.head_ordinal();
    answer.floor = from.floor();
    answer.floor_mark = from.floor_mark();
    answer.last_visible = from.last_visible();
  });
}
void read(FrameReader& r, Events& v) {
  constexpr std::size_t fixed = FrameHeader::size + sizeof(RecordsHeader);
  RecordsHeader head;
  if (!r.records_header(head, fixed)) return;
  v.conversation = head.conversation;
  v.epoch = head.epoch;
  v.first = head.first;
  v.mark = head.mark;
  if (head.count == 0) return r.fail("events.count", "at least one record");
  r.records(fixed, head, v.records);
}
void read(FrameReader& r, HeadMoved& v) {
  const auto* t = r.root<fb::HeadMoved>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "head_moved.conversation");
  if (t->head() == nullptr) return r.fail("head_moved.head", "a cursor");
  r.cursor(v.head, *t->head());
  v.head_ordinal = t->head_ordinal();
}
void read(FrameReader& r, HistoryPage& v) {
  constexpr std::size_t fixed = FrameHeader::size + sizeof(RecordsHeader) + sizeof(Seq);
  RecordsHeader head;
  if (!r.records_header(head, fixed)) return;
  v.conversation = head.conversation;
  v.epoch = head.epoch;
  v.first = head.first;
  v.mark = head.mark;
  v.more = (r.header().flags & FrameHeader::more) != 0;
  v.floor = load<Seq>(r.frame().data() + fixed - sizeof(Seq));
  r.records(fixed, head, v.records);
}
void read_receipts(FrameReader& r, std::vector<Receipt>& out,
                   const Vector<const fb::Receipt*>* from) {
  r.each(out, from, sizeof(fb::Receipt), [](Receipt& v, const fb::Receipt& t) {
    v = {UserId{t.user()}, t.received(), t.read()};
  });
}
void read(FrameReader& r, ReceiptsMoved& v) {
  const auto* t = r.root<fb::Receipts>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "receipts.conversation");
  read_receipts(r, v.receipts, t->receipts());
}
void read(FrameReader& r, Signalled& v) {
  const auto* t = r.root<fb::Signalled>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "signalled.conversation");
  v.sender = UserId{t->sender()};
  r.text(v.kind, t->kind(), "signalled.kind");
  r.bytes(v.data, t->data());
  v.lasts_ms = t->lasts_ms();
}
void read_presence(FrameReader& r, std::vector<Presence>& users, const fb::PresenceChanged& t) {
  r.each(users, t.users(), sizeof(fb::Presence), [](Presence& p, const fb::Presence& from) {
    p = {UserId{from.user()}, from.online(), time_of(from.last_seen())};
    p.state = static_cast<PresenceState>(from.state());
    if (p.online && p.state == PresenceState::offline) p.state = PresenceState::online;
  });
  std::size_t at = 0;  // statuses come in the order of the users
  std::vector<const fb::Status*> statuses;
  r.each(statuses, t.statuses(), 4,
         [](const fb::Status*& status, const fb::Status& from) { status = &from; });
  for (const fb::Status* status : statuses) {
    while (at < users.size() && users[at].user.value != status->user()) ++at;
    if (at == users.size()) return r.fail("presence.statuses", "users in the same order");
    r.text(users[at].status, status->text(), "presence.statuses.text");
    users[at].status_until = time_of(status->until());
    ++at;
  }
}
void read(FrameReader& r, PresenceChanged& v) {
  if (const auto* t = r.root<fb::PresenceChanged>()) read_presence(r, v.users, *t);
}
void read(FrameReader& r, Online& v) {
  const auto* t = r.root<fb::Online>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "online.conversation");
  if (t->step() > 3) return r.fail("online.step", "0, 1, 2 or 3");
  v.step = static_cast<PresenceStep>(t->step());
  v.count = t->count();
  if (t->users() != nullptr) read_presence(r, v.users.emplace(), *t->users());
}
void read(FrameReader& r, MembersPage& v) {
  const auto* t = r.root<fb::MembersPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "members_page.conversation");
  r.each(v.members, t->members(), sizeof(fb::Member), [](Member& m, const fb::Member& from) {
    m = {UserId{from.user()}, static_cast<Role>(from.role()), time_of(from.since()),
         from.visible_from()};
  });
  read_receipts(r, v.receipts, t->receipts());
  v.count = t->count();
  v.more = t->more();
}
void read(FrameReader& r, Names& v) {
  const auto* t = r.root<fb::Names>();
  if (t == nullptr) return;
  r.each(v.users, t->users(), 4, [&](UserName& name, const fb::UserName& from) {
    name.id = UserId{from.id()};
    r.text(name.subject, from.subject(), "names.users.subject");
  });
}
void read(FrameReader& r, Messages& v) {
  const auto* t = r.root<fb::Messages>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "messages.conversation");
  r.each(v.records, t->records(), 4, [&](Payload& record, const fb::RecordBytes& from) {
    r.record(record, from.record(), "messages.records");
    if (r.ok() && record.empty()) r.fail("messages.records", "a record");
  });
}
void read(FrameReader& r, ReactorsPage& v) {
  const auto* t = r.root<fb::ReactorsPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "reactors_page.conversation");
  v.seq = t->seq();
  r.users(v.users, t->users());
  v.more = t->more();
}
void read(FrameReader& r, Scheduled& v) {
  const auto* t = r.root<fb::Scheduled>();
  if (t == nullptr) return;
  v.whole = t->whole();
  r.each(v.items, t->items(), 4, [&](Scheduled::Item& item, const fb::ScheduledItem& from) {
    item.id = from.id();
    item.at = time_of(from.at());
    if (from.message() == nullptr) return r.fail("scheduled.items.message", "a message");
    read(r, item.message, *from.message());
    item.failed = from.failed();
    r.text(item.why, from.why(), "scheduled.items.why");
  });
  r.numbers(v.removed, t->removed());
}
void read(FrameReader& r, Info& v) {
  const auto* t = r.root<fb::ConversationInfo>();
  if (t == nullptr) return;
  ConversationInfo& info = v.info;
  r.id(info.conversation, t->conversation(), "conversation_info.conversation");
  read_kind(r, info.kind, t->kind(), "conversation_info.kind");
  if (t->settings() == nullptr) return r.fail("conversation_info.settings", "a table");
  apply_settings(settings_of(*t->settings()), info.settings);
  info.creator = UserId{t->creator()};
  info.created = time_of(t->created());
  info.members = t->members();
  info.pins = t->pins();
  info.role = static_cast<Role>(t->role());
  info.muted = t->muted();
  info.muted_until = time_of(t->muted_until());
  if (t->space() != nullptr) r.id(info.space, t->space(), "conversation_info.space");
  r.ids(info.children, t->children());
}
void read(FrameReader& r, RestrictionsPage& v) {
  const auto* t = r.root<fb::RestrictionsPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "restrictions_page.conversation");
  if (t->kind() < 1 || t->kind() > 2) return r.fail("restrictions_page.kind", "1 or 2");
  v.kind = static_cast<RestrictionKind>(t->kind());
  r.each(v.users, t->users(), 4, [&](Restriction& user, const fb::Restriction& from) {
    user.user = UserId{from.user()};
    user.by = UserId{from.by()};
    user.since = time_of(from.since());
    user.until = time_of(from.until());
    r.text(user.reason, from.reason(), "restrictions_page.users.reason");
  });
  v.more = t->more();
}
void read(FrameReader& r, ThreadState& v, const fb::ThreadState& t) {
  if (!r.charge(4)) return;
  r.id(v.conversation, t.conversation(), "thread.conversation");
  r.record(v.root, t.root(), "thread.root");
  if (r.ok() && v.root.empty()) r.fail("thread.root", "a record");
  v.followed = t.followed();
  v.read = t.read();
  v.unread = t.unread();
}
void read(FrameReader& r, ThreadState& v) {
  if (const auto* t = r.root<fb::ThreadState>()) read(r, v, *t);
}
void read(FrameReader& r, ThreadPage& v) {
  const auto* t = r.root<fb::ThreadPage>();
  if (t == nullptr) return;
  if (t->thread() == nullptr) return r.fail("thread_page.thread", "a table");
  read(r, v.thread, *t->thread());
  r.each(v.records, t->records(), 4, [&](Payload& record, const fb::RecordBytes& from) {
    r.record(record, from.record(), "thread_page.records");
    if (r.ok() && record.empty()) r.fail("thread_page.records", "a record");
  });
  v.more = t->more();
}
void read(FrameReader& r, ThreadsPage& v) {
  const auto* t = r.root<fb::ThreadsPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "threads_page.conversation");
  r.each(v.threads, t->threads(), 4,
         [&](ThreadState& state, const fb::ThreadState& from) { read(r, state, from); });
  v.more = t->more();
  v.next = t->next();
}
void read(FrameReader& r, ListPage& v) {
  const auto* t = r.root<fb::ListPage>();
  if (t == nullptr) return;
  r.each(v.entries, t->entries(), 4,
         [&](ListEntry& entry, const fb::ListEntry& from) { read(r, entry, from); });
  v.more = t->more();
}
void read(FrameReader& r, DeviceList& v) {
  if (const auto* t = r.root<fb::DeviceList>()) read_devices(r, v.devices, t->devices());
}
void read(FrameReader& r, SeenBy& v) {
  const auto* t = r.root<fb::SeenBy>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "seen_by.conversation");
  v.seq = t->seq();
  v.count = t->count();
}
void read(FrameReader& r, UserSettings& v) {
  if (const auto* t = r.root<fb::UserSettings>()) read(r, v, *t);
}
void read(FrameReader& r, Invites& v) {
  const auto* t = r.root<fb::Invites>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "invites.conversation");
  r.each(v.invites, t->invites(), 4, [&](Invite& link, const fb::InviteLink& from) {
    r.text(link.token, from.token(), "invites.token");
    link.role = static_cast<Role>(from.role());
    link.by = UserId{from.by()};
    link.created = time_of(from.created());
    link.expires = time_of(from.expires());
    link.uses = from.uses();
    link.used = from.used();
  });
}
void read(FrameReader& r, JoinRequestsPage& v) {
  const auto* t = r.root<fb::JoinRequestsPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "join_requests_page.conversation");
  r.each(v.requests, t->requests(), 4, [&](Applicant& request, const fb::Asking& from) {
    request.user = UserId{from.user()};
    request.since = time_of(from.since());
    r.text(request.note, from.note(), "join_requests_page.note");
  });
  v.more = t->more();
}
void read(FrameReader& r, BlockedUsers& v) {
  if (const auto* t = r.root<fb::BlockedUsers>()) r.users(v.users, t->users());
}
void read(FrameReader& r, Kept& v) {
  const auto* t = r.root<fb::Retention>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "retention.conversation");
  v.retention = {std::chrono::milliseconds(t->keep_for()), t->keep_events(), t->hold()};
}
void read(FrameReader& r, Ballot& v) {
  const auto* t = r.root<fb::Ballot>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "ballot.conversation");
  v.message = t->seq();
  r.small_numbers(v.options, t->options());
}
void read(FrameReader& r, StreamStarted& v) {
  const auto* t = r.root<fb::StreamStarted>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "stream_started.conversation");
  v.stream = t->stream();
}
void read(FrameReader& r, Streamed& v) {
  const auto* t = r.root<fb::Streamed>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "streamed.conversation");
  v.stream = t->stream();
  v.sender = UserId{t->sender()};
  r.text(v.content_type, t->content_type(), "streamed.content_type");
  v.reply_to = t->reply_to();
  v.thread_root = t->thread_root();
  v.at = t->at();
  r.text(v.text, t->text(), "streamed.text");
  v.ended = t->ended();
}
void read(FrameReader& r, DeletedForMe& v) {
  const auto* t = r.root<fb::DeletedForMe>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "deleted_for_me.conversation");
  r.numbers(v.messages, t->seqs());
}
void read(FrameReader& r, VotersPage& v) {
  const auto* t = r.root<fb::VotersPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "voters_page.conversation");
  v.seq = t->seq();
  v.option = t->option();
  r.users(v.users, t->users());
  v.more = t->more();
}
void read(FrameReader& r, Goodbye& v) {
  const auto* t = r.root<fb::Goodbye>();
  if (t == nullptr) return;
  r.text(v.reason, t->reason(), "goodbye.reason");
  v.spread_ms = t->spread_ms();
  v.reconnect = t->reconnect();
}

// ---- By type. ----

template <class T>
struct Reader {
  static void into(FrameReader& r, Answer& out) { read(r, out.emplace<T>()); }
};
constexpr auto readers = read_table<Answer, void (*)(FrameReader&, Answer&), Reader>(answer_types);

}  // namespace

bool read_body(FrameReader& reader, Answer& answer) {
  const auto read = readers[reader.header().type];
  if (read == nullptr) return false;
  read(reader, answer);
  return true;
}

}  // namespace parley::wire
