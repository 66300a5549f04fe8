// wire/answers.hpp: answers (request != 0) and pushes (request == 0) as plain structs, engine to
// client.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/ids.hpp"
#include "parley/joining.hpp"
#include "parley/limits.hpp"
#include "parley/payload.hpp"
#include "parley/result.hpp"
#include "parley/settings.hpp"
#include "parley/user.hpp"
#include "wire/requests.hpp"

namespace parley::wire {

/// The list, or what changed in it. With `whole` it replaces what the client has.
struct ListChanged {
  bool whole = false;
  std::vector<ListEntry> entries{};
  std::vector<ConversationId> removed{};
  std::string token{};  // durable, for Hello::sync_token and Sync::token; opaque, <= 128 bytes
  bool more = false;    // with `whole`: the first page only, the others by PageList
  std::optional<UserSettings> settings{};        // when they changed, and in every answer
  std::optional<std::vector<Device>> devices{};  // all of them, when they changed and with `whole`
  std::optional<std::vector<OwnRequest>> requests{};  // all of them, when they changed, and `whole`
  std::optional<std::vector<UserId>> blocked{};       // all of them, when they changed, and `whole`
};
struct ListPage {
  std::vector<ListEntry> entries{};  // the last active first
  bool more = false;
};
struct DeviceList {
  std::vector<Device> devices{};  // `current` is the receiver's to find out
};
struct SeenBy {
  ConversationId conversation{};
  Seq seq = 0;
  std::uint64_t count = 0;
};
struct Welcome {
  std::uint16_t version = version_max;
  std::uint64_t session = 0;
  UserId user{};
  DeviceId device{};
  std::string subject{};
  std::uint32_t heartbeat_ms = 0;  // the engine pings a silent link so often
  std::uint32_t max_body = 0;      // bytes
  std::string ticket{};
  ListChanged list{};
};
struct Done {};
struct Failed {
  Error error{};
};
struct Acked {
  Ack ack{};
};
struct Opened {
  ListEntry entry{};
};
struct Subscribed {
  std::vector<ResumeAnswer> answers{};
};
/// Consecutive events of one stream; `mark` is the mark after the last. A client applies the first
/// only if its seq is its cursor's + 1. Records are size-prefixed FlatBuffers as stored.
struct Events {
  ConversationId conversation{};
  Epoch epoch{};
  Seq first = 0;
  std::vector<Payload> records{};  // seq first, first + 1, ...
  Mark mark = 0;
};
/// Bodies were not pushed (level heads, or lagging): fetch from the cursor when wanted.
struct HeadMoved {
  ConversationId conversation{};
  Cursor head{};
  std::uint64_t head_ordinal = 0;
};
struct HistoryPage {
  ConversationId conversation{};
  Epoch epoch{};
  Seq first = 0;                   // seq of records[0]
  std::vector<Payload> records{};  // ascending, consecutive
  Mark mark = 0;                   // after the last record
  bool more = false;               // further events in the asked direction
  Seq floor = 1;  // first seq this reader could ever get (trimmed or not visible before)
};
struct ReceiptsMoved {
  ConversationId conversation{};
  std::vector<Receipt> receipts{};
};
struct Signalled {
  ConversationId conversation{};
  UserId sender{};
  std::string kind{};
  std::string data{};
  std::uint32_t lasts_ms = limits::signal_lasts / std::chrono::milliseconds(1);
};
struct PresenceChanged {
  std::vector<Presence> users{};
};
struct MembersPage {
  ConversationId conversation{};
  std::vector<Member> members{};
  std::vector<Receipt> receipts{};  // of the members listed; direct and group only
  std::uint64_t count = 0;          // of all members
  bool more = false;
};
struct Names {
  std::vector<UserName> users{};
};  // unknown ids are left out
/// Messages as they stand, not consecutive, in ascending order of their seqs.
struct Messages {
  ConversationId conversation{};
  std::vector<Payload> records{};
};
struct ReactorsPage {
  ConversationId conversation{};
  Seq seq = 0;
  std::vector<UserId> users{};
  bool more = false;
};
/// The user's messages that wait to be sent, or what changed of them: to all its sessions.
struct Scheduled {
  struct Item {
    Snowflake id = 0;
    WallTime at{};
    Send message{};
    std::uint32_t failed = 0;  // refused when it was due, with this code; it stays until dropped
    std::string why{};
  };
  bool whole = false;
  std::vector<Item> items{};
  std::vector<Snowflake> removed{};
};
struct Info {
  ConversationInfo info{};
};
struct RestrictionsPage {
  ConversationId conversation{};
  RestrictionKind kind = RestrictionKind::ban;
  std::vector<Restriction> users{};
  bool more = false;
};
struct Invites {
  ConversationId conversation{};
  std::vector<Invite> invites{};  // the oldest first
};
struct BlockedUsers {
  std::vector<UserId> users{};  // ascending
};
struct JoinRequestsPage {
  ConversationId conversation{};
  std::vector<Applicant> requests{};
  bool more = false;
};
/// A thread's root as it stands, and where the caller is in it.
struct ThreadState {
  ConversationId conversation{};
  Payload root{};
  bool followed = false;
  Seq read = 0;
  std::uint64_t unread = 0;
};
struct ThreadPage {
  ThreadState thread{};
  std::vector<Payload> records{};  // ascending, not consecutive
  bool more = false;
};
struct ThreadsPage {
  ConversationId conversation{};
  std::vector<ThreadState> threads{};
  bool more = false;
  Seq next = 0;
};
struct Kept {
  ConversationId conversation{};
  Retention retention{};
};
struct StreamStarted {
  ConversationId conversation{};
  Snowflake stream = 0;
};
/// A piece of a text that grows. Push, and the answer to GetStream.
struct Streamed {
  ConversationId conversation{};
  Snowflake stream = 0;
  UserId sender{};
  std::string content_type{};
  Seq reply_to = 0;
  Seq thread_root = 0;
  std::uint64_t at = 0;  // bytes before the text
  std::string text{};
  bool ended = false;
};
struct VotersPage {
  ConversationId conversation{};
  Seq seq = 0;
  std::uint8_t option = 0;
  std::vector<UserId> users{};
  bool more = false;
};
struct Places {  // never on the wire
  std::vector<ConversationId> conversations{};
};
struct Imported {  // never on the wire
  std::vector<Ack> acks{};
};
/// The link closes after this. `spread` is how long a client should wait at random before it dials.
struct Goodbye {
  std::string reason{};
  std::uint32_t spread_ms = 0;
  bool reconnect = false;
};

/// What is answered, or told; as Operation, of operation.cpp.
struct Answer
    : std::variant<Welcome, Done, Failed, Acked, Opened, Subscribed, Events, HeadMoved, HistoryPage,
                   ReceiptsMoved, Signalled, PresenceChanged, ListChanged, MembersPage, Names,
                   Goodbye, Messages, ReactorsPage, Scheduled, Info, RestrictionsPage, ThreadPage,
                   ThreadsPage, ThreadState, ListPage, DeviceList, SeenBy, UserSettings, Invites,
                   JoinRequestsPage, BlockedUsers, Kept, Ballot, VotersPage, StreamStarted,
                   Streamed, DeletedForMe, Online, Places, Imported> {
  using variant::variant;
  Answer();
  Answer(const Answer& other);
  Answer(Answer&& other) noexcept;
  Answer& operator=(const Answer& other);
  Answer& operator=(Answer&& other) noexcept;
  ~Answer();
};
struct Reply {
  std::uint32_t request = 0;  // 0: a push
  Answer answer;
};

}  // namespace parley::wire
