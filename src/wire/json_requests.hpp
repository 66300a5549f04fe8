// wire/json_requests.hpp: the fields of requests. See json_fields.hpp.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "wire/json_archive.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

template <class A>
void fields(A& a, In<A, Hello> v) {
  a.must("min_version", v.min_version);
  a.must("max_version", v.max_version);
  a.may("token", v.token, std::string_view());
  a.may("ticket", GivenBack{v.ticket}, std::string_view());
  a.may("device", v.device, std::string_view());
  a.may("sync_token", GivenBack{v.sync_token}, std::string_view());
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
  a.may("token", GivenBack{v.token}, std::string_view());
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

}  // namespace parley::wire
