// wire/requests.hpp: every operation as a plain struct, client to engine. Every one has a number
// and gets exactly one answer with it.
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
#include "parley/settings.hpp"
#include "parley/user.hpp"
#include "wire/record.hpp"

namespace parley::wire {

inline constexpr std::uint16_t version_min = 1;
inline constexpr std::uint16_t version_max = 1;

using Nonce = Id128<struct NonceTag>;  // chosen by the client; makes create idempotent

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
/// What the user deleted there for itself alone, member or not. Host calls only. Answer:
/// DeletedForMe.
struct OwnDeletionsOf {
  ConversationId conversation{};
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
  std::string subject{};  // for when an attempt before this one has erased what says so
};
/// What a codec makes of a well-formed request whose type it does not know; never encoded.
/// Answer: Failed with Errc::unsupported.
struct Unknown {
  std::string type{};
};

/// What is asked. A class of its own so that one file knows how 76 types are copied and destroyed,
/// not each that names a request (operation.cpp).
struct Operation
    : std::variant<Hello, Send, Create, Direct, Join, Leave, Add, Remove, SetRole, SetTitle,
                   Subscribe, History, MarkRead, SendSignal, Watch, Members, Lookup, Sync, Ping,
                   Bye, Edit, Delete, React, Pin, Pins, Reactors, SetList, Transfer, Schedule,
                   Unschedule, ListScheduled, SetSettings, GetInfo, Restrict, Restrictions, Thread,
                   Threads, FollowThread, ReadThread, PageList, Devices, RenameDevice, RevokeDevice,
                   SetUser, SetPresence, Seen, CreateInvite, ListInvites, RevokeInvite, JoinInvite,
                   RequestJoin, JoinRequests, AnswerRequest, BlockUser, ListBlocked, SetRetention,
                   GetRetention, End, Vote, ClosePoll, GetBallot, Voters, StartStream, AppendStream,
                   CancelStream, GetStream, DeleteForMe, WatchConversation, SetVisibility, PlacesOf,
                   OwnDeletionsOf, Import, Forget, Unknown> {
  using variant::variant;
  Operation();
  Operation(const Operation& other);
  Operation(Operation&& other) noexcept;
  Operation& operator=(const Operation& other);
  Operation& operator=(Operation&& other) noexcept;
  ~Operation();
};
struct Request {
  std::uint32_t number = 0;  // chosen by the client, not 0; in flight once at a time
  Operation operation{};
  std::uint32_t bytes = 0;  // that it came in, about; 0: it came in none
};

}  // namespace parley::wire
