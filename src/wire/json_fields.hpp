// wire/json_fields.hpp: the fields of every message, once, for the JSON writer and the JSON reader.
#pragma once
#include <optional>

#include "wire/json_archive.hpp"
#include "wire/json_joins.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

// ---- Parts of messages. ----

template <class A, class V>
void given_settings(A& a, V& v) {
  a.may("title", v.title, std::nullopt);
  a.may("description", v.description, std::nullopt);
  a.may("avatar", v.avatar, std::nullopt);
  a.may("metadata", Opaque{v.metadata}, std::nullopt);
  a.may("who_sends", v.who_sends, std::nullopt);
  a.may("who_adds", v.who_adds, std::nullopt);
  a.may("who_pins", v.who_pins, std::nullopt);
  a.may("who_changes", v.who_changes, std::nullopt);
  a.may("join", v.join, std::nullopt);
  a.may("archived", v.archived, std::nullopt);
  a.may("slow_mode_s", v.slow_mode, std::nullopt);
  a.may("expires_after_s", v.expires_after, std::nullopt);
}

template <class A>
void fields(A& a, In<A, Cursor> v) {
  a.must("epoch", v.epoch);
  a.must("seq", v.seq);
  a.must("mark", v.mark);
}
template <class A>
void fields(A& a, In<A, Reaction> v) {
  a.must("key", v.key);
  a.must("count", v.count);
  a.may("users", v.users, None{});
}
template <class A>
void fields(A& a, In<A, PollResults> v) {
  a.must("votes", v.votes);
  a.must("voters", v.voters);
  a.may("closed", v.closed, false);
}
template <class A>
void fields(A& a, In<A, PollTerms> v) {
  a.must("options", v.options);
  a.may("multiple", v.multiple, false);
  a.may("anonymous", v.anonymous, false);
  a.may("closes", v.closes_ms, 0);
}
template <class A>
void fields(A& a, In<A, PollDraft> v) {
  a.must("options", v.options);
  a.may("multiple", v.multiple, false);
  a.may("anonymous", v.anonymous, false);
  a.may("closes_after", v.closes_after, std::chrono::milliseconds(0));
}
template <class A>
void fields(A& a, In<A, Tally> v) {
  a.must("seq", v.seq);
  a.must("revision", v.revision);
  a.must("reactions", v.reactions);
  a.may("poll", v.poll, std::nullopt);
}
template <class A>
void fields(A& a, In<A, SettingsChange> v) {
  given_settings(a, v);
}
template <class A>
void fields(A& a, In<A, SettingsUpdate> v) {
  given_settings(a, v);
}
template <class A>
void fields(A& a, In<A, ConversationSettings> v) {
  a.may("title", v.title, std::string_view());
  a.may("description", v.description, std::string_view());
  a.may("avatar", v.avatar, std::string_view());
  a.may("metadata", Opaque{v.metadata}, std::string_view());
  a.may("who_sends", v.who_sends, Role::none);
  a.may("who_adds", v.who_adds, Role::none);
  a.may("who_pins", v.who_pins, Role::none);
  a.may("who_changes", v.who_changes, Role::none);
  a.must("join", v.join);
  a.may("archived", v.archived, false);
  a.may("slow_mode_s", v.slow_mode, std::chrono::seconds(0));
  a.may("expires_after_s", v.expires_after, std::chrono::seconds(0));
}
template <class A>
void fields(A& a, In<A, Attachment> v) {
  a.must("handle", v.handle);
  a.may("content_type", v.content_type, std::string_view());
  a.may("name", v.name, std::string_view());
  a.may("size", v.size, 0U);
}
template <class A>
void fields(A& a, In<A, MessageHeader> v) {
  a.must("name", v.name);
  a.may("value", v.value, std::string_view());
}
template <class A>
void fields(A& a, In<A, Origin> v) {
  a.may("conversation", v.conversation, ConversationId{});
  a.may("seq", v.seq, 0U);
  a.may("sender", v.sender, UserId{});
  a.must("time", v.time);
}
template <class A>
void fields(A& a, In<A, ForwardOf> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
}
template <class A>
void extras(A& a, In<A, Extras> v) {
  a.may("mentions", v.mentions, None{});
  a.may("mention_scope", v.mention_scope, MentionScope::none);
  a.may("attachments", v.attachments, None{});
  a.may("headers", v.headers, None{});
}
template <class A>
void fields(A& a, In<A, RecordFields> v) {
  a.must("seq", v.seq);
  a.must("kind", v.kind);
  a.must("ordinal", v.ordinal);
  a.may("thread_ordinal", v.thread_ordinal, 0U);
  a.must("id", Text64{v.id});
  a.must("time", v.time_ms);
  a.may("sender", v.sender, UserId{});
  a.may("audience", v.audience, 0U);
  a.may("echo", Text64{v.echo}, 0U);
  a.may("target", v.target, UserId{});
  a.may("role", v.role, Role::none);
  a.may("title", v.title, std::string_view());
  a.may("conversation_kind", v.conversation_kind, ConversationKind{});
  a.may("conversation", v.conversation, ConversationId{});
  a.may("content_type", v.content_type, std::string_view());
  a.body(v.content_type, v.body, v.kind == EventKind::message || v.kind == EventKind::edited);
  a.may("reply_to", v.reply_to, 0U);
  a.may("thread_root", v.thread_root, 0U);
  a.may("groups", v.groups, 0U);
  a.may("shadowed", v.shadowed, false);
  a.may("about", v.about, 0U);
  a.may("about_ordinal", v.about_ordinal, 0U);
  a.may("expires", v.expires_ms, 0);
  a.may("written", v.written_ms, 0);
  a.may("import_id", v.import_id, std::string_view());
  a.may("stream", Text64{v.stream}, 0U);
  a.may("changed", v.changed, 0U);
  a.may("edited", v.edited_ms, 0);
  a.may("deleted", v.deleted, false);
  a.may("pinned", v.pinned, false);
  extras(a, v.extras);
  a.may("origin", v.origin, std::nullopt);
  a.may("poll", v.poll, std::nullopt);
  a.may("replies", v.thread.replies, 0U);
  a.may("thread_head", v.thread.head, 0U);
  a.may("last_reply", v.thread.last, 0U);
  a.may("edits", v.edits, None{});
  a.may("tallies", v.tallies, None{});
  a.may("settings", v.settings, std::nullopt);
  a.may("until", v.until_ms, 0);
  a.may("reason", v.reason, std::string_view());
}
template <class A>
void fields(A& a, In<A, ListEntry> v) {
  a.must("conversation", v.conversation);
  a.must("kind", v.kind);
  a.may("title", v.title, std::string_view());
  a.may("peer", v.peer, UserId{});
  a.may("space", v.space, ConversationId{});
  a.may("children", v.children, None{});
  a.must("role", v.role);
  a.must("visible_from", v.visible_from);
  a.must("head", v.head);
  a.must("head_ordinal", v.head_ordinal);
  a.must("received", v.received);
  a.must("read", v.read);
  a.must("unread", v.unread);
  a.may("mentions", v.mentions, 0U);
  a.must("last_activity", v.last_activity);
  a.may("pinned", v.pinned, false);
  a.may("archived", v.archived, false);
  a.may("marked_unread", v.marked_unread, false);
  a.may("muted_until", v.muted_until, WallTime{});
  a.may("draft", v.draft, std::string_view());
  a.may("drafted", v.drafted, WallTime{});
  a.may("avatar", v.avatar, std::string_view());
  a.may("archived_for_all", v.archived_for_all, false);
  a.may("folder", v.folder, std::string_view());
  a.may("hidden_until", v.hidden_until, 0U);
  a.may("last", OneRecord{v.last_record}, nullptr);
}
template <class A>
void fields(A& a, In<A, Member> v) {
  a.must("user", v.user);
  a.must("role", v.role);
  a.must("since", v.since);
  a.must("visible_from", v.visible_from);
}
template <class A>
void fields(A& a, In<A, Receipt> v) {
  a.must("user", v.user);
  a.must("received", v.received);
  a.must("read", v.read);
}
template <class A>
void fields(A& a, In<A, Presence> v) {
  a.must("user", v.user);
  a.must("online", v.online);
  a.may("last_seen", v.last_seen, WallTime{});
  a.may("state", v.state, PresenceState::offline);
  a.may("status", v.status, std::string_view());
  a.may("status_until", v.status_until, WallTime{});
  if constexpr (A::reads) {
    if (v.online && v.state == PresenceState::offline) v.state = PresenceState::online;
  }
}
template <class A>
void fields(A& a, In<A, UserSettings> v) {
  a.must("hide_reads", v.hide_reads);
  a.must("hide_last_seen", v.hide_last_seen);
  a.may("status", v.status, std::string_view());
  a.may("status_until", v.status_until, WallTime{});
}
template <class A>
void fields(A& a, In<A, Device> v) {
  a.must("id", v.id);
  a.must("name", v.name);
  a.may("created", v.created, WallTime{});
  a.may("last_seen", v.last_seen, WallTime{});
  a.must("online", v.online);
}
template <class A>
void fields(A& a, In<A, UserName> v) {
  a.must("id", v.id);
  a.must("subject", v.subject);
}
template <class A>
void fields(A& a, In<A, ResumeAnswer> v) {
  a.must("conversation", v.conversation);
  a.must("answer", v.answer);
  a.must("level", v.level);
  a.may("head", v.head, Cursor{});
  a.may("head_ordinal", v.head_ordinal, 0U);
  a.may("floor", v.floor, 1U);
  a.may("floor_mark", v.floor_mark, 0U);
  a.may("last_visible", v.last_visible, 0U);
}

// ---- Requests. ----

template <class A>
void fields(A& a, In<A, Hello> v) {
  a.must("min_version", v.min_version);
  a.must("max_version", v.max_version);
  a.may("token", v.token, std::string_view());
  a.may("ticket", Opaque{v.ticket}, std::string_view());
  a.may("device", v.device, std::string_view());
  a.may("sync_token", Opaque{v.sync_token}, std::string_view());
  a.may("state", v.state, PresenceState::online);
  a.may("list_limit", v.list_limit, 0U);
}
template <class A>
void fields(A& a, In<A, Send> v) {
  a.must("conversation", v.conversation);
  a.may("number", Text64{v.number}, 0U);
  a.may("random", Text64{v.random}, 0U);
  a.may("settled", Text64{v.settled}, 0U);
  a.may("content_type", v.content_type, std::string_view());
  a.body(v.content_type, v.body, !v.forward.has_value());
  a.may("reply_to", v.reply_to, 0U);
  a.may("audience", v.audience, 0U);
  a.may("thread_root", v.thread_root, 0U);
  extras(a, v.extras);
  a.may("forward", v.forward, std::nullopt);
  a.may("expires_after", v.expires_after_ms, 0U);
  a.may("poll", v.poll, std::nullopt);
  a.may("stream", Text64{v.stream}, 0U);
}
template <class A>
void fields(A& a, In<A, Create> v) {
  a.must("kind", v.kind);
  a.may("title", v.title, std::string_view());
  a.may("nonce", v.nonce, Nonce{});
  a.may("members", v.members, std::vector<std::string>());
  a.may("space", v.space, ConversationId{});
  a.may("join", v.join, std::nullopt);
}
template <class A>
void fields(A& a, In<A, Direct> v) {
  a.must("peer", v.peer);
}
template <class A>
void fields(A& a, In<A, Join> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, Leave> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, Add> v) {
  a.must("conversation", v.conversation);
  a.must("members", v.members);
}
template <class A>
void fields(A& a, In<A, Remove> v) {
  a.must("conversation", v.conversation);
  a.must("user", v.user);
}
template <class A>
void fields(A& a, In<A, SetRole> v) {
  a.must("conversation", v.conversation);
  a.must("user", v.user);
  a.must("role", v.role);
}
template <class A>
void fields(A& a, In<A, Transfer> v) {
  a.must("conversation", v.conversation);
  a.must("user", v.user);
}
template <class A>
void fields(A& a, In<A, SetTitle> v) {
  a.must("conversation", v.conversation);
  a.must("title", v.title);
}
template <class A>
void fields(A& a, In<A, Subscribe::Item> v) {
  a.must("conversation", v.conversation);
  a.must("level", v.level);
  a.may("cursor", v.cursor, std::nullopt);
  if constexpr (A::reads) {
    a.require(!v.cursor || v.cursor->epoch, "cursor.epoch", "an epoch that is not all zero");
  }
}
template <class A>
void fields(A& a, In<A, Subscribe> v) {
  a.must("items", v.items);
}
template <class A>
void fields(A& a, In<A, History> v) {
  a.must("conversation", v.conversation);
  a.must("from", v.from);
  a.must("backward", v.backward);
  a.may("limit", v.limit, 50U);
}
template <class A>
void fields(A& a, In<A, MarkRead> v) {
  a.must("conversation", v.conversation);
  a.may("received", v.received, 0U);
  a.may("read", v.read, 0U);
}
template <class A>
void fields(A& a, In<A, SendSignal> v) {
  a.must("conversation", v.conversation);
  a.must("kind", v.kind);
  a.body({}, v.data, false);
  a.may("lasts_ms", v.lasts_ms, 6000U);
}
template <class A>
void fields(A& a, In<A, Watch> v) {
  a.must("conversation", v.conversation);
  a.must("users", v.users);
}
template <class A>
void fields(A& a, In<A, WatchConversation> v) {
  a.must("conversation", v.conversation);
  a.may("on", v.on, true);
}
template <class A>
void fields(A& a, In<A, Members> v) {
  a.must("conversation", v.conversation);
  a.may("after", v.after, UserId{});
  a.may("limit", v.limit, 100U);
  a.may("prefix", v.prefix, std::string_view());
}
template <class A>
void fields(A& a, In<A, Lookup> v) {
  a.must("users", v.users);
}
template <class A>
void fields(A& a, In<A, Sync> v) {
  a.may("token", Opaque{v.token}, std::string_view());
  a.may("conversations", v.conversations, None{});
}
template <class A>
void fields(A& a, In<A, Edit> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.may("content_type", v.content_type, std::string_view());
  a.body(v.content_type, v.body, true);
}
template <class A>
void fields(A& a, In<A, Delete> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
}
template <class A>
void fields(A& a, In<A, React> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("key", v.key);
  a.may("on", v.on, true);
}
template <class A>
void fields(A& a, In<A, Pin> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.may("on", v.on, true);
}
template <class A>
void fields(A& a, In<A, Pins> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, SetList> v) {
  a.must("conversation", v.conversation);
  a.may("pinned", v.settings.pinned, std::nullopt);
  a.may("archived", v.settings.archived, std::nullopt);
  a.may("marked_unread", v.settings.marked_unread, std::nullopt);
  a.may("muted_until", v.settings.muted_until, std::nullopt);
  a.may("draft", v.settings.draft, std::nullopt);
  a.may("folder", v.settings.folder, std::nullopt);
  a.may("hidden", v.settings.hidden, std::nullopt);
}
template <class A>
void fields(A& a, In<A, PageList> v) {
  a.may("after_activity", v.after_activity, WallTime{});
  a.may("after", v.after, ConversationId{});
  a.may("limit", v.limit, 100U);
}
template <class A>
void fields(A&, In<A, Devices>) {}
template <class A>
void fields(A& a, In<A, RenameDevice> v) {
  a.must("device", v.device);
  a.must("name", v.name);
}
template <class A>
void fields(A& a, In<A, RevokeDevice> v) {
  a.must("device", v.device);
}
template <class A>
void fields(A& a, In<A, SetUser> v) {
  a.may("hide_reads", v.change.hide_reads, std::nullopt);
  a.may("hide_last_seen", v.change.hide_last_seen, std::nullopt);
  a.may("status", v.change.status, std::nullopt);
  a.may("status_until", v.change.status_until, std::nullopt);
}
template <class A>
void fields(A& a, In<A, SetPresence> v) {
  a.must("state", v.state);
}
template <class A>
void fields(A& a, In<A, Seen> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
}
template <class A>
void fields(A& a, In<A, Thread> v) {
  a.must("conversation", v.conversation);
  a.must("root", v.root);
  a.may("from", v.from, 0U);
  a.may("backward", v.backward, true);
  a.may("limit", v.limit, 50U);
}
template <class A>
void fields(A& a, In<A, Threads> v) {
  a.must("conversation", v.conversation);
  a.may("before", v.before, 0U);
  a.may("limit", v.limit, 20U);
}
template <class A>
void fields(A& a, In<A, FollowThread> v) {
  a.must("conversation", v.conversation);
  a.must("root", v.root);
  a.may("on", v.on, true);
}
template <class A>
void fields(A& a, In<A, ReadThread> v) {
  a.must("conversation", v.conversation);
  a.must("root", v.root);
  a.must("seq", v.seq);
}
template <class A>
void fields(A& a, In<A, Reactors> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("key", v.key);
  a.may("after", v.after, UserId{});
  a.may("limit", v.limit, 100U);
}
template <class A>
void fields(A& a, In<A, Schedule> v) {
  a.may("id", Text64{v.id}, 0U);
  a.must("at", v.at);
  a.must("message", v.message);
}
template <class A>
void fields(A& a, In<A, Unschedule> v) {
  a.must("id", Text64{v.id});
}
template <class A>
void fields(A&, In<A, ListScheduled>) {}
template <class A>
void fields(A& a, In<A, SetSettings> v) {
  a.must("conversation", v.conversation);
  a.must("settings", v.settings);
}
template <class A>
void fields(A& a, In<A, GetInfo> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, Restrict> v) {
  a.must("conversation", v.conversation);
  a.must("kind", v.kind);
  a.must("user", v.user);
  a.may("on", v.on, true);
  a.may("until", v.options.until, WallTime{});
  a.may("reason", v.options.reason, std::string_view());
}
template <class A>
void fields(A& a, In<A, Restrictions> v) {
  a.must("conversation", v.conversation);
  a.must("kind", v.kind);
  a.may("after", v.after, UserId{});
  a.may("limit", v.limit, 100U);
}
template <class A>
void fields(A& a, In<A, SetRetention> v) {
  a.must("conversation", v.conversation);
  a.may("keep_for", v.retention.keep_for, std::chrono::milliseconds(0));
  a.may("keep_events", v.retention.keep_events, 0U);
  a.may("hold", v.retention.hold, false);
}
template <class A>
void fields(A& a, In<A, GetRetention> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, End> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, Vote> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("options", v.options);
}
template <class A>
void fields(A& a, In<A, ClosePoll> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
}
template <class A>
void fields(A& a, In<A, StartStream> v) {
  a.must("conversation", v.conversation);
  a.may("content_type", v.content_type, std::string_view());
  a.may("reply_to", v.reply_to, 0U);
  a.may("thread_root", v.thread_root, 0U);
}
template <class A>
void fields(A& a, In<A, AppendStream> v) {
  a.must("conversation", v.conversation);
  a.must("stream", Text64{v.stream});
  a.must("at", v.at);
  a.must("text", v.text);
}
template <class A>
void fields(A& a, In<A, CancelStream> v) {
  a.must("conversation", v.conversation);
  a.must("stream", Text64{v.stream});
}
template <class A>
void fields(A& a, In<A, GetStream> v) {
  a.must("conversation", v.conversation);
  a.must("stream", Text64{v.stream});
}
template <class A>
void fields(A& a, In<A, GetBallot> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
}
template <class A>
void fields(A& a, In<A, Voters> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("option", v.option);
  a.may("after", v.after, UserId{});
  a.may("limit", v.limit, 100U);
}
template <class A>
void fields(A& a, In<A, DeleteForMe> v) {
  a.must("conversation", v.conversation);
  a.must("seqs", v.seqs);
}
template <class A>
void fields(A&, In<A, Ping>) {}
template <class A>
void fields(A&, In<A, Bye>) {}

// ---- Answers and pushes. ----

template <class A>
void fields(A& a, In<A, ListChanged> v) {
  a.must("whole", v.whole);
  a.must("entries", v.entries);
  a.must("removed", v.removed);
  a.must("token", Opaque{v.token});
  a.may("more", v.more, false);
  a.may("settings", v.settings, std::nullopt);
  a.may("devices", v.devices, std::nullopt);
  a.may("requests", v.requests, std::nullopt);
  a.may("blocked", v.blocked, std::nullopt);
}
template <class A>
void fields(A& a, In<A, ListPage> v) {
  a.must("entries", v.entries);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, DeviceList> v) {
  a.must("devices", v.devices);
}
template <class A>
void fields(A& a, In<A, SeenBy> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("count", v.count);
}
template <class A>
void fields(A& a, In<A, Welcome> v) {
  a.must("version", v.version);
  a.must("session", Text64{v.session});
  a.must("user", v.user);
  a.must("device", v.device);
  a.must("subject", v.subject);
  a.must("heartbeat_ms", v.heartbeat_ms);
  a.must("max_body", v.max_body);
  a.may("ticket", Opaque{v.ticket}, std::string_view());
  a.must("list", v.list);
}
template <class A>
void fields(A&, In<A, Done>) {}
template <class A>
void fields(A& a, In<A, Ack> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("time", v.time);
  a.may("number", Text64{v.number}, 0U);
  a.may("repeated", v.repeated, false);
}
template <class A>
void fields(A& a, In<A, Acked> v) {
  fields(a, v.ack);
}
template <class A>
void fields(A& a, In<A, Opened> v) {
  a.must("entry", v.entry);
}
template <class A>
void fields(A& a, In<A, Subscribed> v) {
  a.must("answers", v.answers);
}
template <class A>
void fields(A& a, In<A, Events> v) {
  a.must("conversation", v.conversation);
  a.must("epoch", v.epoch);
  a.must("first", v.first);
  a.must("events", Records{v.records});
  a.must("mark", v.mark);
}
template <class A>
void fields(A& a, In<A, HeadMoved> v) {
  a.must("conversation", v.conversation);
  a.must("head", v.head);
  a.must("head_ordinal", v.head_ordinal);
}
template <class A>
void fields(A& a, In<A, HistoryPage> v) {
  a.must("conversation", v.conversation);
  a.must("epoch", v.epoch);
  a.must("first", v.first);
  a.must("events", Records{v.records});
  a.must("mark", v.mark);
  a.must("more", v.more);
  a.must("floor", v.floor);
}
template <class A>
void fields(A& a, In<A, ReceiptsMoved> v) {
  a.must("conversation", v.conversation);
  a.must("receipts", v.receipts);
}
template <class A>
void fields(A& a, In<A, Signalled> v) {
  a.must("conversation", v.conversation);
  a.must("sender", v.sender);
  a.must("kind", v.kind);
  a.body({}, v.data, false);
  a.may("lasts_ms", v.lasts_ms, 6000U);
}
template <class A>
void fields(A& a, In<A, PresenceChanged> v) {
  a.must("users", v.users);
}
template <class A>
void fields(A& a, In<A, Online> v) {
  a.must("conversation", v.conversation);
  a.must("step", v.step);
  a.may("count", v.count, std::uint64_t{0});
  a.may("users", v.users, std::nullopt);
}
template <class A>
void fields(A& a, In<A, MembersPage> v) {
  a.must("conversation", v.conversation);
  a.must("members", v.members);
  a.must("receipts", v.receipts);
  a.must("count", v.count);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, Names> v) {
  a.must("users", v.users);
}
template <class A>
void fields(A& a, In<A, Messages> v) {
  a.must("conversation", v.conversation);
  a.must("messages", Records{v.records});
}
template <class A>
void fields(A& a, In<A, ReactorsPage> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("users", v.users);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, Scheduled::Item> v) {
  a.must("id", Text64{v.id});
  a.must("at", v.at);
  a.must("message", v.message);
  a.may("failed", v.failed, 0U);
  a.may("why", v.why, std::string_view());
}
template <class A>
void fields(A& a, In<A, Scheduled> v) {
  a.must("whole", v.whole);
  a.must("items", v.items);
  a.may("removed", Texts64{v.removed}, None{});
}
template <class A>
void fields(A& a, In<A, Info> v) {
  a.must("conversation", v.info.conversation);
  a.must("kind", v.info.kind);
  a.must("settings", v.info.settings);
  a.may("creator", v.info.creator, UserId{});
  a.must("created", v.info.created);
  a.must("members", v.info.members);
  a.may("pins", v.info.pins, 0U);
  a.may("role", v.info.role, Role::none);
  a.may("muted", v.info.muted, false);
  a.may("muted_until", v.info.muted_until, WallTime{});
  a.may("space", v.info.space, ConversationId{});
  a.may("children", v.info.children, None{});
}
template <class A>
void fields(A& a, In<A, Restriction> v) {
  a.must("user", v.user);
  a.may("by", v.by, UserId{});
  a.must("since", v.since);
  a.may("until", v.until, WallTime{});
  a.may("reason", v.reason, std::string_view());
}
template <class A>
void fields(A& a, In<A, RestrictionsPage> v) {
  a.must("conversation", v.conversation);
  a.must("kind", v.kind);
  a.must("users", v.users);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, ThreadState> v) {
  a.must("conversation", v.conversation);
  a.must("root", OneRecord{v.root});
  a.must("followed", v.followed);
  a.must("read", v.read);
  a.must("unread", v.unread);
}
template <class A>
void fields(A& a, In<A, ThreadPage> v) {
  a.must("thread", v.thread);
  a.must("replies", Records{v.records});
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, ThreadsPage> v) {
  a.must("conversation", v.conversation);
  a.must("threads", v.threads);
  a.must("more", v.more);
  a.may("next", v.next, 0U);
}
template <class A>
void fields(A& a, In<A, Kept> v) {
  a.must("conversation", v.conversation);
  a.must("keep_for", v.retention.keep_for);
  a.must("keep_events", v.retention.keep_events);
  a.must("hold", v.retention.hold);
}
template <class A>
void fields(A& a, In<A, Ballot> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.message);
  a.must("options", v.options);
}
template <class A>
void fields(A& a, In<A, StreamStarted> v) {
  a.must("conversation", v.conversation);
  a.must("stream", Text64{v.stream});
}
template <class A>
void fields(A& a, In<A, Streamed> v) {
  a.must("conversation", v.conversation);
  a.must("stream", Text64{v.stream});
  a.must("sender", v.sender);
  a.may("content_type", v.content_type, std::string_view());
  a.may("reply_to", v.reply_to, 0U);
  a.may("thread_root", v.thread_root, 0U);
  a.must("at", v.at);
  a.may("text", v.text, std::string_view());
  a.may("ended", v.ended, false);
}
template <class A>
void fields(A& a, In<A, DeletedForMe> v) {
  a.must("conversation", v.conversation);
  a.must("seqs", v.messages);
}
template <class A>
void fields(A& a, In<A, VotersPage> v) {
  a.must("conversation", v.conversation);
  a.must("seq", v.seq);
  a.must("option", v.option);
  a.must("users", v.users);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, Goodbye> v) {
  a.must("reason", v.reason);
  a.may("spread_ms", v.spread_ms, 0U);
  a.must("reconnect", v.reconnect);
}

}  // namespace parley::wire
