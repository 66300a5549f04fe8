// wire/json_parts.hpp: the fields of what several messages are made of. See json_fields.hpp.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "wire/json_archive.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

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

}  // namespace parley::wire
