// frame_requests.cpp: the bodies of requests.
#include "wire/frame_reader.hpp"
#include "wire/frame_types.hpp"
#include "wire/settings_table.hpp"

namespace parley::wire {

namespace {

void read_extras(FrameReader& r, Extras& v, const fb::Send& t) {
  r.users(v.mentions, t.mentions());
  if (t.mention_scope() > 2) return r.fail("send.mention_scope", "0, 1 or 2");
  v.mention_scope = static_cast<MentionScope>(t.mention_scope());
  r.each(v.attachments, t.attachments(), 4, [&](Attachment& out, const fb::Attachment& from) {
    r.text(out.handle, from.handle(), "send.attachments.handle");
    r.text(out.content_type, from.content_type(), "send.attachments.content_type");
    r.text(out.name, from.name(), "send.attachments.name");
    out.size = from.size();
  });
  r.each(v.headers, t.headers(), 4, [&](MessageHeader& out, const fb::Header& from) {
    r.text(out.name, from.name(), "send.headers.name");
    r.text(out.value, from.value(), "send.headers.value");
  });
}

}  // namespace

void read(FrameReader& r, Send& v, const fb::Send& t) {
  r.id(v.conversation, t.conversation(), "send.conversation");
  v.number = t.number();
  v.random = t.random();
  v.settled = t.settled();
  r.text(v.content_type, t.content_type(), "send.content_type");
  r.payload(v.body, t.body());
  v.reply_to = t.reply_to();
  v.audience = t.audience();
  v.thread_root = t.thread_root();
  v.expires_after_ms = t.expires_after();
  v.stream = t.stream();
  read_extras(r, v.extras, t);
  if (const auto* poll = t.poll()) {
    PollDraft& draft = v.poll.emplace();
    r.texts(draft.options, poll->options(), "send.poll.options");
    draft.multiple = poll->multiple();
    draft.anonymous = poll->anonymous();
    draft.closes_after = std::chrono::milliseconds(poll->closes_after());
  }
  if (t.forward_conversation() == nullptr) return;
  ForwardOf& forward = v.forward.emplace();
  r.id(forward.conversation, t.forward_conversation(), "send.forward.conversation");
  forward.seq = t.forward_seq();
}

namespace {

void read(FrameReader& r, Hello& v) {
  const auto* t = r.root<fb::Hello>();
  if (t == nullptr) return;
  v.min_version = t->min_version();
  v.max_version = t->max_version();
  r.text(v.token, t->token(), "hello.token");
  r.bytes(v.ticket, t->ticket());
  r.text(v.device, t->device(), "hello.device");
  r.bytes(v.sync_token, t->sync_token());
  v.state = static_cast<PresenceState>(t->state());
  v.list_limit = t->list_limit();
}
void read(FrameReader& r, Send& v) {
  if (const auto* t = r.root<fb::Send>()) read(r, v, *t);
}
void read(FrameReader& r, Create& v) {
  const auto* t = r.root<fb::CreateConversation>();
  if (t == nullptr) return;
  read_kind(r, v.kind, t->kind(), "create.kind");
  r.text(v.title, t->title(), "create.title");
  if (t->nonce() != nullptr) r.id(v.nonce, t->nonce(), "create.nonce");
  r.texts(v.members, t->members(), "create.members");
  if (t->space() != nullptr) r.id(v.space, t->space(), "create.space");
  if (t->join() != 0) v.join = static_cast<JoinRule>(t->join());
}
void read(FrameReader& r, Direct& v) {
  if (const auto* t = r.root<fb::Direct>()) r.text(v.peer, t->peer(), "direct.peer");
}
void read(FrameReader& r, Join& v) {
  if (const auto* t = r.root<fb::Join>()) {
    r.id(v.conversation, t->conversation(), "join.conversation");
  }
}
void read(FrameReader& r, Leave& v) {
  if (const auto* t = r.root<fb::Leave>()) {
    r.id(v.conversation, t->conversation(), "leave.conversation");
  }
}
void read(FrameReader& r, Add& v) {
  const auto* t = r.root<fb::Add>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "add.conversation");
  r.texts(v.members, t->members(), "add.members");
}
void read(FrameReader& r, Remove& v) {
  const auto* t = r.root<fb::Remove>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "remove.conversation");
  v.user = UserId{t->user()};
}
void read(FrameReader& r, SetRole& v) {
  const auto* t = r.root<fb::SetRole>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_role.conversation");
  v.user = UserId{t->user()};
  v.role = static_cast<Role>(t->role());
}
void read(FrameReader& r, Transfer& v) {
  const auto* t = r.root<fb::Transfer>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "transfer.conversation");
  v.user = UserId{t->user()};
}
void read(FrameReader& r, SetTitle& v) {
  const auto* t = r.root<fb::SetTitle>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_title.conversation");
  r.text(v.title, t->title(), "set_title.title");
}
void read(FrameReader& r, Subscribe& v) {
  const auto* t = r.root<fb::Subscribe>();
  if (t == nullptr) return;
  r.each(v.items, t->items(), 4, [&](Subscribe::Item& item, const fb::SubscribeItem& from) {
    if (!r.charge(4)) return;  // a table may be shared too
    r.id(item.conversation, from.conversation(), "subscribe.items.conversation");
    read_level(r, item.level, from.level(), "subscribe.items.level");
    if (from.cursor() == nullptr) return;
    r.cursor(item.cursor.emplace(), *from.cursor());
    if (!item.cursor->epoch) {
      r.fail("subscribe.items.cursor.epoch", "an epoch that is not all zero");
    }
  });
}
void read(FrameReader& r, History& v) {
  const auto* t = r.root<fb::History>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "history.conversation");
  v.from = t->from();
  v.backward = t->backward();
  v.limit = t->limit();
}
void read(FrameReader& r, MarkRead& v) {
  const auto* t = r.root<fb::MarkRead>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "mark_read.conversation");
  v.received = t->received();
  v.read = t->read();
}
void read(FrameReader& r, SendSignal& v) {
  const auto* t = r.root<fb::Signal>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "signal.conversation");
  r.text(v.kind, t->kind(), "signal.kind");
  r.bytes(v.data, t->data());
  v.lasts_ms = t->lasts_ms();
}
void read(FrameReader& r, Watch& v) {
  const auto* t = r.root<fb::Watch>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "watch.conversation");
  r.users(v.users, t->users());
}
void read(FrameReader& r, WatchConversation& v) {
  const auto* t = r.root<fb::WatchConversation>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "watch_conversation.conversation");
  v.on = t->on();
}
void read(FrameReader& r, Members& v) {
  const auto* t = r.root<fb::Members>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "members.conversation");
  v.after = UserId{t->after()};
  v.limit = t->limit();
  r.text(v.prefix, t->prefix(), "members.prefix");
}
void read(FrameReader& r, Lookup& v) {
  if (const auto* t = r.root<fb::Lookup>()) r.users(v.users, t->users());
}
void read(FrameReader& r, Sync& v) {
  const auto* t = r.root<fb::Sync>();
  if (t == nullptr) return;
  r.bytes(v.token, t->token());
  r.ids(v.conversations, t->conversations());
}
void read(FrameReader& r, Edit& v) {
  const auto* t = r.root<fb::Edit>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "edit.conversation");
  v.seq = t->seq();
  r.text(v.content_type, t->content_type(), "edit.content_type");
  r.payload(v.body, t->body());
}
void read(FrameReader& r, Delete& v) {
  const auto* t = r.root<fb::DeleteMessage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "delete.conversation");
  v.seq = t->seq();
}
void read(FrameReader& r, React& v) {
  const auto* t = r.root<fb::React>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "react.conversation");
  v.seq = t->seq();
  r.text(v.key, t->key(), "react.key");
  v.on = t->on();
}
void read(FrameReader& r, Pin& v) {
  const auto* t = r.root<fb::Pin>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "pin.conversation");
  v.seq = t->seq();
  v.on = t->on();
}
void read(FrameReader& r, Pins& v) {
  if (const auto* t = r.root<fb::Pins>()) {
    r.id(v.conversation, t->conversation(), "pins.conversation");
  }
}
void read(FrameReader& r, Reactors& v) {
  const auto* t = r.root<fb::Reactors>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "reactors.conversation");
  v.seq = t->seq();
  r.text(v.key, t->key(), "reactors.key");
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, Thread& v) {
  const auto* t = r.root<fb::Thread>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "thread.conversation");
  v.root = t->root();
  v.from = t->from();
  v.backward = t->backward();
  v.limit = t->limit();
}
void read(FrameReader& r, Threads& v) {
  const auto* t = r.root<fb::Threads>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "threads.conversation");
  v.before = t->before();
  v.limit = t->limit();
}
void read(FrameReader& r, FollowThread& v) {
  const auto* t = r.root<fb::FollowThread>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "follow_thread.conversation");
  v.root = t->root();
  v.on = t->on();
}
void read(FrameReader& r, ReadThread& v) {
  const auto* t = r.root<fb::ReadThread>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "read_thread.conversation");
  v.root = t->root();
  v.seq = t->seq();
}
void read(FrameReader& r, SetList& v) {
  const auto* t = r.root<fb::SetList>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_list.conversation");
  const auto take = [](auto& out, const auto& given) {
    if (given.has_value()) out = *given;
  };
  take(v.settings.pinned, t->pinned());
  take(v.settings.archived, t->archived());
  take(v.settings.marked_unread, t->marked_unread());
  if (t->muted_until().has_value())
    v.settings.muted_until = WallTime(std::chrono::milliseconds(*t->muted_until()));
  if (t->draft() != nullptr) r.text(v.settings.draft.emplace(), t->draft(), "set_list.draft");
  if (t->folder() != nullptr) r.text(v.settings.folder.emplace(), t->folder(), "set_list.folder");
  take(v.settings.hidden, t->hidden());
}
void read(FrameReader& r, PageList& v) {
  const auto* t = r.root<fb::PageList>();
  if (t == nullptr) return;
  v.after_activity = WallTime(std::chrono::milliseconds(t->after_activity()));
  if (t->after() != nullptr) r.id(v.after, t->after(), "page_list.after");
  v.limit = t->limit();
}
void read(FrameReader& r, Devices&) { r.root<fb::Devices>(); }
void read(FrameReader& r, RenameDevice& v) {
  const auto* t = r.root<fb::RenameDevice>();
  if (t == nullptr) return;
  v.device = DeviceId{t->device()};
  r.text(v.name, t->name(), "rename_device.name");
}
void read(FrameReader& r, RevokeDevice& v) {
  if (const auto* t = r.root<fb::RevokeDevice>()) v.device = DeviceId{t->device()};
}
void read(FrameReader& r, SetUser& v) {
  const auto* t = r.root<fb::SetUser>();
  if (t == nullptr) return;
  if (t->hide_reads().has_value()) v.change.hide_reads = *t->hide_reads();
  if (t->hide_last_seen().has_value()) v.change.hide_last_seen = *t->hide_last_seen();
  if (t->status() != nullptr) r.text(v.change.status.emplace(), t->status(), "set_user.status");
  if (t->status_until().has_value())
    v.change.status_until = WallTime(std::chrono::milliseconds(*t->status_until()));
}
void read(FrameReader& r, SetPresence& v) {
  if (const auto* t = r.root<fb::SetPresence>()) v.state = static_cast<PresenceState>(t->state());
}
void read(FrameReader& r, Seen& v) {
  const auto* t = r.root<fb::Seen>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "seen.conversation");
  v.seq = t->seq();
}
void read(FrameReader& r, Schedule& v) {
  const auto* t = r.root<fb::Schedule>();
  if (t == nullptr) return;
  v.id = t->id();
  v.at = WallTime(std::chrono::milliseconds(t->at()));
  if (t->message() == nullptr) return r.fail("schedule.message", "a message");
  read(r, v.message, *t->message());
}
void read(FrameReader& r, Unschedule& v) {
  if (const auto* t = r.root<fb::Unschedule>()) v.id = t->id();
}
void read(FrameReader& r, ListScheduled&) { r.root<fb::ListScheduled>(); }
void read_restriction_kind(FrameReader& r, RestrictionKind& kind, std::uint8_t value,
                           const char* field) {
  if (value < 1 || value > 2) return r.fail(field, "1 or 2");
  kind = static_cast<RestrictionKind>(value);
}
void read(FrameReader& r, SetSettings& v) {
  const auto* t = r.root<fb::SetSettings>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_settings.conversation");
  if (t->settings() == nullptr) return r.fail("set_settings.settings", "a table");
  const SettingsChange given = settings_of(*t->settings());
  std::size_t size = 0;
  for (const auto& text : {given.title, given.description, given.avatar, given.metadata})
    size += text ? text->size() : 0;
  if (!r.charge(size)) return;
  for (const auto& text : {given.title, given.description, given.avatar})
    if (text && !base::valid_utf8(*text)) return r.fail("set_settings.settings", "UTF-8");
  each_setting(v.settings, given, [](auto& to, const auto& from) {
    if (from) to = *from;
  });
}
void read(FrameReader& r, GetInfo& v) {
  if (const auto* t = r.root<fb::GetInfo>())
    r.id(v.conversation, t->conversation(), "info.conversation");
}
void read(FrameReader& r, Restrict& v) {
  const auto* t = r.root<fb::RestrictUser>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "restrict.conversation");
  read_restriction_kind(r, v.kind, t->kind(), "restrict.kind");
  v.user = UserId{t->user()};
  v.on = t->on();
  v.options.until = WallTime(std::chrono::milliseconds(t->until()));
  r.text(v.options.reason, t->reason(), "restrict.reason");
}
void read(FrameReader& r, Restrictions& v) {
  const auto* t = r.root<fb::Restrictions>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "restrictions.conversation");
  read_restriction_kind(r, v.kind, t->kind(), "restrictions.kind");
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, CreateInvite& v) {
  const auto* t = r.root<fb::CreateInvite>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "create_invite.conversation");
  v.options.role = static_cast<Role>(t->role());
  v.options.expires = WallTime(std::chrono::milliseconds(t->expires()));
  v.options.uses = t->uses();
}
void read(FrameReader& r, ListInvites& v) {
  if (const auto* t = r.root<fb::ListInvites>())
    r.id(v.conversation, t->conversation(), "list_invites.conversation");
}
void read(FrameReader& r, RevokeInvite& v) {
  if (const auto* t = r.root<fb::RevokeInvite>()) r.text(v.token, t->token(), "token");
}
void read(FrameReader& r, JoinInvite& v) {
  if (const auto* t = r.root<fb::JoinInvite>()) r.text(v.token, t->token(), "token");
}
void read(FrameReader& r, RequestJoin& v) {
  const auto* t = r.root<fb::RequestJoin>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "request_join.conversation");
  r.text(v.note, t->note(), "request_join.note");
}
void read(FrameReader& r, JoinRequests& v) {
  const auto* t = r.root<fb::JoinRequests>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "join_requests.conversation");
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, AnswerRequest& v) {
  const auto* t = r.root<fb::AnswerRequest>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "answer_request.conversation");
  v.user = UserId{t->user()};
  if (!t->approve().has_value()) return r.fail("answer_request.approve", "the field to be there");
  v.approve = *t->approve();
}
void read(FrameReader& r, BlockUser& v) {
  const auto* t = r.root<fb::Block>();
  if (t == nullptr) return;
  v.user = UserId{t->user()};
  v.on = t->on();
}
void read(FrameReader& r, ListBlocked&) { r.root<fb::ListBlocked>(); }
void read(FrameReader& r, SetRetention& v) {
  const auto* t = r.root<fb::SetRetention>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_retention.conversation");
  v.retention = {std::chrono::milliseconds(t->keep_for()), t->keep_events(), t->hold()};
}
void read(FrameReader& r, GetRetention& v) {
  if (const auto* t = r.root<fb::GetRetention>()) {
    r.id(v.conversation, t->conversation(), "get_retention.conversation");
  }
}
void read(FrameReader& r, End& v) {
  if (const auto* t = r.root<fb::DeleteConversation>()) {
    r.id(v.conversation, t->conversation(), "delete_conversation.conversation");
  }
}
void read(FrameReader& r, Vote& v) {
  const auto* t = r.root<fb::Vote>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "vote.conversation");
  v.seq = t->seq();
  r.small_numbers(v.options, t->options());
}
void read(FrameReader& r, ClosePoll& v) {
  const auto* t = r.root<fb::ClosePoll>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "close_poll.conversation");
  v.seq = t->seq();
}
void read(FrameReader& r, StartStream& v) {
  const auto* t = r.root<fb::StartStream>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "start_stream.conversation");
  r.text(v.content_type, t->content_type(), "start_stream.content_type");
  v.reply_to = t->reply_to();
  v.thread_root = t->thread_root();
}
void read(FrameReader& r, AppendStream& v) {
  const auto* t = r.root<fb::AppendStream>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "append_stream.conversation");
  v.stream = t->stream();
  v.at = t->at();
  r.text(v.text, t->text(), "append_stream.text");
}
void read(FrameReader& r, CancelStream& v) {
  const auto* t = r.root<fb::CancelStream>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "cancel_stream.conversation");
  v.stream = t->stream();
}
void read(FrameReader& r, GetStream& v) {
  const auto* t = r.root<fb::GetStream>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "get_stream.conversation");
  v.stream = t->stream();
}
void read(FrameReader& r, GetBallot& v) {
  const auto* t = r.root<fb::GetBallot>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "get_ballot.conversation");
  v.seq = t->seq();
}
void read(FrameReader& r, Voters& v) {
  const auto* t = r.root<fb::Voters>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "voters.conversation");
  v.seq = t->seq();
  v.option = t->option();
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, DeleteForMe& v) {
  const auto* t = r.root<fb::DeleteForMe>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "delete_for_me.conversation");
  r.numbers(v.seqs, t->seqs());
}
void read(FrameReader& r, Ping&) { r.root<fb::Ping>(); }
void read(FrameReader& r, Bye&) { r.root<fb::Bye>(); }

// ---- By type. ----

template <class T>
struct Reader {
  static void into(FrameReader& r, Operation& out) { read(r, out.emplace<T>()); }
};
constexpr auto readers =
    read_table<Operation, void (*)(FrameReader&, Operation&), Reader>(request_types);

}  // namespace

bool read_body(FrameReader& reader, Operation& operation) {
  const auto read = readers[reader.header().type];
  if (read == nullptr) return false;
  read(reader, operation);
  return true;
}

}  // namespace parley::wire
