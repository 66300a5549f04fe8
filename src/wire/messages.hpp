// wire/messages.hpp: every operation and answer as a plain struct; codecs write them as frames or
// JSON, the core speaks them directly.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
#include "wire/record.hpp"

namespace parley::wire {

inline constexpr std::uint16_t version_min = 1;
inline constexpr std::uint16_t version_max = 1;

using Nonce = Id128<struct NonceTag>;  // chosen by the client; makes create idempotent

// ---- Requests: client to engine. Every one has a number and gets exactly one answer with it. ----

/// First frame of a link; anything before it is a protocol error. Answer: Welcome.
struct Hello {
  std::uint16_t min_version = version_min, max_version = version_max;
  std::string token{};       // credential for the authenticator
  std::string ticket{};      // from an earlier Welcome; spares the authenticator, never needed
  std::string device{};      // stable name of the installation; "" = an ephemeral device
  std::string sync_token{};  // "" = everything
  PresenceState state = PresenceState::online;  // SetPresence from the first moment on
  std::uint32_t list_limit = 0;  // 0: a whole list is told whole; else its first page only
};
/// Answer: Acked.
struct Send {
  ConversationId conversation{};
  std::uint64_t number = 0;  // outbox number in (conversation, device), from 1; 0 = no idempotency
  std::uint64_t random =
      0;  // 64 random bits that belong to the number; travels in the record as `echo`
  std::uint64_t settled = 0;   // the smallest number this device may still retry
  std::string key{};           // host calls only (never on the wire): string key, 30 days
  std::string content_type{};  // "" = text/plain
  Payload body{};
  Seq reply_to = 0;
  std::uint8_t audience = audience::everyone;
  Seq thread_root = 0;
  bool unattended = false;  // never on the wire: the sender's read position stays
  Extras extras{};
  std::optional<ForwardOf> forward{};  // then without a content, attachments or headers
  std::uint64_t expires_after_ms = 0;  // it is deleted so long after it was stored; 0: never
  std::optional<PollDraft> poll{};
  Snowflake stream = 0;  // the growing text in whose place it comes; 0: none
  struct Import {
    UserId sender{};  // none: the system
    std::int64_t written_ms = 0;
    std::string id{};  // the host's own
  };
  std::optional<Import> import{};  // never on the wire
};
/// Answer: Opened.
struct Create {
  ConversationKind kind = ConversationKind::group;  // not direct
  std::string title{};
  Nonce nonce{};                       // none: not idempotent
  std::vector<std::string> members{};  // subjects; the caller is owner and need not be named
  ConversationId space{};              // of a channel; none: it belongs to no space
  std::optional<JoinRule> join{};      // none: as its kind begins
};
struct Direct {
  std::string peer{};
  std::string first{};  // host calls only (never on the wire): the other of the pair
};                      // Answer: Opened
struct Join {
  ConversationId conversation{};
};  // Answer: Opened (channels)
struct Leave {
  ConversationId conversation{};
};  // Answer: Done
struct Add {
  ConversationId conversation{};
  std::vector<std::string> members{};
};  // Answer: Done
struct Remove {
  ConversationId conversation{};
  UserId user{};
};  // Answer: Done
struct SetRole {
  ConversationId conversation{};
  UserId user{};
  Role role = Role::member;
};  // Done
/// Another member becomes an owner and the caller an admin, in one step. Answer: Done.
struct Transfer {
  ConversationId conversation{};
  UserId user{};
};
struct SetTitle {
  ConversationId conversation{};
  std::string title{};
};  // Answer: Done
/// Answer: Subscribed, then what it promised. An item for a conversation already subscribed
/// replaces the subscription (that is how a client repairs a gap).
struct Subscribe {
  struct Item {
    ConversationId conversation{};
    Level level = Level::full;
    std::optional<Cursor> cursor{};  // none: from the head (answer: snapshot)
  };
  std::vector<Item> items{};  // up to limits::subscribe_at_once
};
/// Answer: HistoryPage. Backward: events before `from` (0 = the end), newest first in the range but
/// listed in ascending order; forward: events from `from` on.
struct History {
  ConversationId conversation{};
  Seq from = 0;
  bool backward = true;
  std::uint32_t limit = 50;  // 1..limits::page_events
};
/// Moves the caller's own positions (merged by maximum; 0 = leave it). Answer: Done, at once.
struct MarkRead {
  ConversationId conversation{};
  Seq received = 0;
  Seq read = 0;
};
/// Answer: Done. Dropped silently above limits::signals_per_second.
struct SendSignal {
  ConversationId conversation{};
  std::string kind{};
  std::string data{};
  std::uint32_t lasts_ms = limits::signal_lasts / std::chrono::milliseconds(1);  // 0: it ended
};
/// Watches the presence of members of a conversation the caller is in; an empty list ends the
/// watch made through that conversation. Answer: PresenceChanged with the present state.
struct Watch {
  ConversationId conversation{};
  std::vector<UserId> users{};
};
/// Watches a conversation as a whole, or ends that. Answer: Online, which is pushed when it
/// changes.
struct WatchConversation {
  ConversationId conversation{};
  bool on = true;
};
struct Members {
  ConversationId conversation{};
  UserId after{};
  std::uint32_t limit = 100;
  std::string prefix{};  // empty: all
};                       // MembersPage
struct Lookup {
  std::vector<UserId> users{};
};  // Answer: Names
/// `conversations`: told whatever the token says, each as an entry or as removed; up to 500.
struct Sync {
  std::string token{};
  std::vector<ConversationId> conversations{};
};  // Answer: ListChanged
/// Replaces the content of a message of one's own. The same content again changes nothing. Done.
struct Edit {
  ConversationId conversation{};
  Seq seq = 0;
  std::string content_type{};  // "" = text/plain
  Payload body{};
};
/// Deletes a message for everybody; a deleted one again changes nothing. Answer: Done.
struct Delete {
  ConversationId conversation{};
  Seq seq = 0;
};
/// Puts a reaction of the caller's on a message, or takes it off. Answer: Done.
struct React {
  ConversationId conversation{};
  Seq seq = 0;
  std::string key{};
  bool on = true;
};
/// Pins a message for everybody, or unpins it. Answer: Done.
struct Pin {
  ConversationId conversation{};
  Seq seq = 0;
  bool on = true;
};
struct Pins {
  ConversationId conversation{};
};  // Answer: Messages, the newest pinned last
/// Who reacted with `key`, by ascending id. Answer: ReactorsPage.
struct Reactors {
  ConversationId conversation{};
  Seq seq = 0;
  std::string key{};
  UserId after{};
  std::uint32_t limit = 100;  // 1..limits::page_reactors
};
/// The replies of a thread, from `from` on, or before it (0: the end). Answer: ThreadPage.
struct Thread {
  ConversationId conversation{};
  Seq root = 0;
  Seq from = 0;
  bool backward = true;
  std::uint32_t limit = 50;  // 1..limits::page_replies
};
/// The threads that the caller follows, the newest root first. Answer: ThreadsPage.
struct Threads {
  ConversationId conversation{};
  Seq before = 0;            // ThreadsPage::next of the page before; 0: the first page
  std::uint32_t limit = 20;  // 1..limits::page_threads
};
/// Answer: ThreadState, which the caller's other sessions are pushed.
struct FollowThread {
  ConversationId conversation{};
  Seq root = 0;
  bool on = true;
};
/// The caller has read the replies up to `seq`; never goes back. Answer: as FollowThread.
struct ReadThread {
  ConversationId conversation{};
  Seq root = 0;
  Seq seq = 0;
};
/// Sets something about a conversation of the caller's own list, for all devices. Answer: Done.
struct SetList {
  ConversationId conversation{};
  ListSettings settings{};
};
/// Sends a message later; with an id: in place of that scheduled one. Answer: Scheduled, with it.
struct Schedule {
  Snowflake id = 0;
  WallTime at{};
  Send message{};  // without a number or key
};
/// Drops a scheduled message. Answer: Done.
struct Unschedule {
  Snowflake id = 0;
};
struct ListScheduled {
  UserId user{};  // host calls only (never on the wire): whose
};                // Answer: Scheduled, whole
/// Changes what is given, as one event; nothing when it is so already. Answer: Done.
struct SetSettings {
  ConversationId conversation{};
  SettingsUpdate settings{};
};
struct GetInfo {
  ConversationId conversation{};
};  // Answer: Info
/// Mutes or bans somebody, or lifts that. Answer: Done.
struct Restrict {
  ConversationId conversation{};
  RestrictionKind kind = RestrictionKind::mute;
  UserId user{};
  bool on = true;
  RestrictOptions options{};
};
/// Who is muted or banned, by ascending id. Answer: RestrictionsPage.
struct Restrictions {
  ConversationId conversation{};
  RestrictionKind kind = RestrictionKind::ban;
  UserId after{};
  std::uint32_t limit = 100;  // 1..limits::page_restrictions
};
/// Makes a link that lets in whoever has it. Answer: Invites, with it.
struct CreateInvite {
  ConversationId conversation{};
  InviteOptions options{};
};
/// Answer: Invites, those that the caller could make.
struct ListInvites {
  ConversationId conversation{};
};
/// Answer: Done, also when there is no such link any more.
struct RevokeInvite {
  std::string token{};
};
/// Answer: Opened.
struct JoinInvite {
  std::string token{};
};
/// Asks to be let in; again changes nothing. Answer: Done.
struct RequestJoin {
  ConversationId conversation{};
  std::string note{};
};
/// Who waits to be let in, by ascending id. Answer: JoinRequestsPage.
struct JoinRequests {
  ConversationId conversation{};
  UserId after{};
  std::uint32_t limit = 100;  // 1..limits::page_join_requests
};
/// Lets in who asked, or says no. Answer: Done.
struct AnswerRequest {
  ConversationId conversation{};
  UserId user{};
  bool approve = true;
};
/// Hears nothing of somebody from here on, or does again. Answer: Done.
struct BlockUser {
  UserId user{};
  bool on = true;
};
struct ListBlocked {};  // Answer: BlockedUsers
/// A page of the list, the last active first. Answer: ListPage.
struct PageList {
  /// The last entry of the page before; none: the first page.
  WallTime after_activity{};
  ConversationId after{};
  std::uint32_t limit = 100;  // 1..limits::page_list
  UserId user{};              // host calls only (never on the wire): whose
};
struct Devices {
  UserId user{};  // host calls only (never on the wire): whose
};                // Answer: DeviceList
struct RenameDevice {
  DeviceId device{};
  std::string name{};
};  // Answer: Done
/// Ends the device for ever and closes its sessions. Answer: Done.
struct RevokeDevice {
  DeviceId device{};
  UserId user{};  // host calls only (never on the wire): whose
};
/// Sets something for all devices of the caller; nothing given: asks. Answer: UserSettings.
struct SetUser {
  UserSettingsChange change{};
  UserId user{};  // host calls only (never on the wire): whose
};
/// How the user of this session is. Answer: Done.
struct SetPresence {
  PresenceState state = PresenceState::online;  // not offline
};
/// How many have read a message. Answer: SeenBy.
struct Seen {
  ConversationId conversation{};
  Seq seq = 0;
};
/// How much is kept. Answer: Done.
struct SetRetention {
  ConversationId conversation{};
  Retention retention{};
};
struct GetRetention {
  ConversationId conversation{};
};  // Answer: Kept
/// Deletes a conversation for good. Answer: Done, when nobody finds it any more.
struct End {
  ConversationId conversation{};
};
/// Chooses in a poll in place of what was chosen before; none: no vote. Answer: Ballot, which the
/// caller's other sessions are pushed.
struct Vote {
  ConversationId conversation{};
  Seq seq = 0;
  std::vector<std::uint8_t> options{};
};
/// Answer: Done.
struct ClosePoll {
  ConversationId conversation{};
  Seq seq = 0;
};
struct GetBallot {
  ConversationId conversation{};
  Seq seq = 0;
};  // Answer: Ballot
/// A text that grows begins. Answer: StreamStarted.
struct StartStream {
  ConversationId conversation{};
  std::string content_type{};
  Seq reply_to = 0;
  Seq thread_root = 0;
};
/// Answer: Done.
struct AppendStream {
  ConversationId conversation{};
  Snowflake stream = 0;
  std::uint64_t at = 0;  // bytes before the text
  std::string text{};
};
/// Answer: Done, though it has ended.
struct CancelStream {
  ConversationId conversation{};
  Snowflake stream = 0;
};
/// Answer: Streamed, all of it.
struct GetStream {
  ConversationId conversation{};
  Snowflake stream = 0;
};
/// Who chose that option, by ascending id. Answer: VotersPage.
struct Voters {
  ConversationId conversation{};
  Seq seq = 0;
  std::uint8_t option = 0;
  UserId after{};
  std::uint32_t limit = 100;  // 1..limits::page_voters
};
/// Takes messages from the caller's own view, for ever. Answer: Done; the caller's sessions are
/// pushed DeletedForMe.
struct DeleteForMe {
  ConversationId conversation{};
  std::vector<Seq> seqs{};  // 1..limits::delete_for_me_at_once
};
struct Ping {};  // Answer: Done
struct Bye {};   // Answer: Goodbye
/// What a member sees, and who sees what the member writes. Host calls only (never on the wire).
/// Answer: Done.
struct SetVisibility {
  ConversationId conversation{};
  UserId user{};
  std::optional<std::uint16_t> groups{};  // bit a: audience a; none: as they are
  std::optional<bool> shadowed{};
};
/// Every conversation that the user is in, or ever was. Host calls only. Answer: Places.
struct PlacesOf {
  UserId user{};
};
/// Messages from elsewhere, in this order. Host calls only. Answer: Imported.
struct Import {
  ConversationId conversation{};
  std::vector<Send> messages{};
  std::vector<std::string> senders{};  // subjects, one for each; "": the system
};
/// The user's own data and name go; what conversations hold of the user stays. Host calls only.
/// Answer: Done.
struct Forget {
  UserId user{};
};
/// What a codec makes of a well-formed request whose type it does not know; never encoded.
/// Answer: Failed with Errc::unsupported.
struct Unknown {
  std::string type{};
};

using Operation = std::variant<
    Hello, Send, Create, Direct, Join, Leave, Add, Remove, SetRole, SetTitle, Subscribe, History,
    MarkRead, SendSignal, Watch, Members, Lookup, Sync, Ping, Bye, Edit, Delete, React, Pin, Pins,
    Reactors, SetList, Transfer, Schedule, Unschedule, ListScheduled, SetSettings, GetInfo,
    Restrict, Restrictions, Thread, Threads, FollowThread, ReadThread, PageList, Devices,
    RenameDevice, RevokeDevice, SetUser, SetPresence, Seen, CreateInvite, ListInvites, RevokeInvite,
    JoinInvite, RequestJoin, JoinRequests, AnswerRequest, BlockUser, ListBlocked, SetRetention,
    GetRetention, End, Vote, ClosePoll, GetBallot, Voters, StartStream, AppendStream, CancelStream,
    GetStream, DeleteForMe, WatchConversation, SetVisibility, PlacesOf, Import, Forget, Unknown>;
struct Request {
  std::uint32_t number = 0;  // chosen by the client, not 0; in flight once at a time
  Operation operation{};
  std::uint32_t bytes = 0;  // that it came in, about; 0: it came in none
};

// ---- Answers (request != 0) and pushes (request == 0): engine to client. ----

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

using Answer =
    std::variant<Welcome, Done, Failed, Acked, Opened, Subscribed, Events, HeadMoved, HistoryPage,
                 ReceiptsMoved, Signalled, PresenceChanged, ListChanged, MembersPage, Names,
                 Goodbye, Messages, ReactorsPage, Scheduled, Info, RestrictionsPage, ThreadPage,
                 ThreadsPage, ThreadState, ListPage, DeviceList, SeenBy, UserSettings, Invites,
                 JoinRequestsPage, BlockedUsers, Kept, Ballot, VotersPage, StreamStarted, Streamed,
                 DeletedForMe, Online, Places, Imported>;
struct Reply {
  std::uint32_t request = 0;  // 0: a push
  Answer answer;
};

/// The public view of consecutive events; only the last one's mark is known.
inline std::vector<Event> to_events(const Events& pushed) {
  std::vector<Event> events;
  events.reserve(pushed.records.size());
  for (const Payload& record : pushed.records)
    events.push_back(to_event(pushed.conversation, pushed.epoch, record, 0));
  if (!events.empty()) events.back().mark = pushed.mark;
  return events;
}
/// The public view of messages that came alone, without their stream's epoch and mark.
inline std::vector<Event> to_events(const Messages& messages) {
  std::vector<Event> events;
  events.reserve(messages.records.size());
  for (const Payload& record : messages.records)
    events.push_back(to_event(messages.conversation, {}, record, 0));
  return events;
}

/// What is stored of a poll that closes then, as views of the draft.
inline PollTerms terms_of(const PollDraft& draft, std::int64_t closes_ms) {
  return {{draft.options.begin(), draft.options.end()}, draft.multiple, draft.anonymous, closes_ms};
}

/// The public view of a piece; of the piece's texts.
inline StreamPiece to_piece(const Streamed& piece) {
  return {piece.conversation, piece.stream, piece.sender, piece.content_type, piece.reply_to,
          piece.thread_root,  piece.at,     piece.text,   piece.ended};
}

/// The public view of where a user is in a thread.
inline parley::ThreadState to_thread(const ThreadState& state) {
  return {to_event(state.conversation, {}, state.root, 0), state.followed, state.read,
          state.unread};
}

}  // namespace parley::wire
