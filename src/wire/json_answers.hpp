// wire/json_answers.hpp: the fields of answers and pushes. See json_fields.hpp.
#pragma once
#include <optional>
#include <string_view>

#include "wire/json_archive.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

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
