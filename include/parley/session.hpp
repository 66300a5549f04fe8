// parley/session.hpp: host code as a participant: one live attachment of a user's device, in this
// process.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/error.hpp"
#include "parley/event.hpp"
#include "parley/joining.hpp"
#include "parley/pending.hpp"
#include "parley/result.hpp"
#include "parley/settings.hpp"
#include "parley/user.hpp"

namespace parley::inline v0 {

namespace detail {
class LocalSession;
}

/// A message to send.
struct MessageDraft {
  std::string content_type{};  // default "text/plain"; up to limits::content_type bytes
  /// Up to EngineOptions::max_body bytes: valid UTF-8 when content_type is text/…, else anything.
  std::string body{};
  Seq reply_to = 0;  // the message it answers; zero: none
  /// Who sees it. One that the sender is in: audience::moderators from moderators only,
  /// audience::sender from everybody, a group from its members. Default: everybody.
  std::uint8_t audience = audience::everyone;
  /// The message in whose thread it goes, itself in none; zero: the conversation.
  Seq thread_root = 0;
  /// Up to limits::mentions, in any order. Members see it counted in ListEntry::mentions.
  std::vector<UserId> mentions{};
  MentionScope mention_scope = MentionScope::none;
  /// Up to limits::attachments; with the headers limits::extras bytes.
  std::vector<Attachment> attachments{};
  std::vector<MessageHeader> headers{};  // up to limits::headers
  /// Instead of a content and attachments of its own: those of a message that the sender may read,
  /// as it stands when this one is stored. Anything else there is Errc::denied.
  std::optional<ForwardOf> forward{};
  /// It is deleted for everybody so long after it was stored: limits::expires_least to
  /// limits::expires_most; zero: never.
  std::chrono::milliseconds expires_after{0};
  std::optional<PollDraft> poll{};  // with a question as content; not forwarded, not edited
  Snowflake stream = 0;  // it takes the place of this growing text, the sender's own; zero: none
};
/// What is known of a message before its text: as it will be in the message.
struct StreamDraft {
  std::string content_type{};  // text/…; default "text/plain"
  Seq reply_to = 0;
  Seq thread_root = 0;
};
struct SendOptions {
  /// Makes a repeated send answer with the first one's Ack, for 30 days; up to limits::host_key
  /// bytes. Default: none, every send is a new message.
  std::string key{};
};
struct ScheduleOptions {
  WallTime at{};           // within limits::schedule_ahead from now
  Snowflake replaces = 0;  // a scheduled message of the user's, in whose place; zero: none
};
/// A message that its user will send later.
struct ScheduledMessage {
  Snowflake id = 0;
  ConversationId conversation{};
  WallTime at{};
  MessageDraft message{};
  /// Why it was refused when it was due: it stays here until it is replaced or dropped. None: it
  /// waits.
  Error failed{};
};
/// What changed of a user's scheduled messages. One that was sent is among the removed.
struct ScheduledChange {
  std::span<const ScheduledMessage> messages{};
  std::span<const Snowflake> removed{};
};
struct CreateOptions {
  /// Group, channel or space; see direct() for a pair.
  ConversationKind kind = ConversationKind::group;
  std::string title{};  // up to limits::title bytes of UTF-8
  std::vector<std::string>
      members{};  // subjects, up to limits::add_at_once; the creator needs no mention
  /// Makes a repeated create by the same user, or by the system, find the first one, for ever; up
  /// to limits::host_key bytes. Default: none, every create is a new conversation.
  std::string key{};
  /// The space that a channel belongs to, for ever: whose members are in it while it is open.
  /// Members who are named must be in the space. None: it stands by itself.
  ConversationId space{};
  /// How it is entered. A channel of a space: `open` to all of its members, or `added`. Default: as
  /// JoinRule says of its kind.
  std::optional<JoinRule> join{};
};
struct SubscribeOptions {
  Level level = Level::full;
  std::optional<Cursor> from{};  // none: from the head on
};
struct HistoryOptions {
  /// Backward: events before it (0: the end); forward: from it on. Beyond the end is no error:
  /// backward gives the newest events, forward none.
  Seq from = 0;
  bool backward = true;
  std::uint32_t limit = 50;  // events, 1..limits::page_events
};
/// Consecutive events in ascending order, whatever the direction.
struct HistoryPage {
  std::vector<Event> events{};
  bool more = false;  // there are further ones in the asked direction
  Seq floor = 1;      // the first seq this user could ever get
};
struct MembersOptions {
  UserId after{};             // the last member of the page before; none: the first page
  std::uint32_t limit = 100;  // 1..limits::page_members
  /// Only those whose name begins so, in the order of their names, whatever their case; up to
  /// limits::member_prefix bytes. Empty: all of them, in no order that means anything.
  std::string prefix{};
};
struct MembersPage {
  std::vector<Member> members{};
  std::vector<Receipt> receipts{};  // of those; direct and group conversations only
  std::uint64_t count = 0;          // of all members
  bool more = false;
};
struct RestrictionsOptions {
  UserId after{};             // the last user of the page before; none: the first page
  std::uint32_t limit = 100;  // 1..limits::page_restrictions
};
struct RestrictionsPage {
  std::vector<Restriction> users{};  // ascending
  bool more = false;
};
struct JoinRequestsOptions {
  UserId after{};             // the last user of the page before; none: the first page
  std::uint32_t limit = 100;  // 1..limits::page_join_requests
};
struct JoinRequestsPage {
  std::vector<Applicant> requests{};  // by ascending user
  bool more = false;
};
struct ReactorsOptions {
  UserId after{};             // the last user of the page before; none: the first page
  std::uint32_t limit = 100;  // 1..limits::page_reactors
};
struct ReactorsPage {
  std::vector<UserId> users{};  // ascending
  bool more = false;
};
struct VotersOptions {
  UserId after{};             // the last user of the page before; none: the first page
  std::uint32_t limit = 100;  // 1..limits::page_voters
};
struct VotersPage {
  std::vector<UserId> users{};  // ascending
  bool more = false;
};
struct ThreadOptions {
  /// Backward: replies before it (0: the end); forward: from it on.
  Seq from = 0;
  bool backward = true;
  std::uint32_t limit = 50;  // replies, 1..limits::page_replies
};
struct ThreadPage {
  ThreadState thread{};
  std::vector<Event> replies{};  // as they stand, ascending
  bool more = false;             // there are further ones in the asked direction
};
struct ThreadsOptions {
  Seq before = 0;            // ThreadsPage::next of the page before; zero: the first page
  std::uint32_t limit = 20;  // 1..limits::page_threads
};
struct ThreadsPage {
  std::vector<ThreadState> threads{};  // those followed, the newest root first; may be fewer
  bool more = false;
  Seq next = 0;
};
struct ListPageOptions {
  /// The last entry of the page before: both of its fields. None: the first page.
  WallTime after_activity{};
  ConversationId after{};
  std::uint32_t limit = 100;  // 1..limits::page_list
};
struct ListPage {
  std::vector<ListEntry> entries{};  // the last active first
  bool more = false;
};

/// How far members have come; merged, newest wins.
struct ReceiptsMoved {
  ConversationId conversation{};
  std::span<const Receipt> receipts{};
};
/// A conversation went on whose events are not sent: level `heads`, or this session is behind.
struct HeadMoved {
  ConversationId conversation{};
  Cursor head{};
  std::uint64_t head_ordinal = 0;
};
/// What changed in what the user has for all devices: the conversation list, settings, devices.
struct ListChange {
  bool whole = false;  // `entries` replaces what was known
  std::span<const ListEntry> entries{};
  std::span<const ConversationId> removed{};
  std::optional<UserSettings> settings{};            // when they changed
  std::optional<std::span<const Device>> devices{};  // all of them, when they changed
  /// All that the user asked to be let into, when that changed; in a whole list, too.
  std::optional<std::span<const OwnRequest>> requests{};
  /// All whom the user blocks, when that changed; in a whole list, too.
  std::optional<std::span<const UserId>> blocked{};
};

/// One live attachment of a device, from Engine::attach. It follows, at level full, everything its
/// user is in or enters (AttachOptions::follow), and gets references to the stored records: nothing
/// is encoded or copied.
/// Ownership: destroying it detaches; it waits for a handler of its own that is running, unless it
/// is destroyed inside that one. May outlive the engine: every call then answers engine_closed.
///
/// Operations exist twice: with a Completion as the last argument, or returning a Pending.
/// Lifetime: arguments are taken over. Cancellation: none. Completion: once, on the session's
/// shard. In any of them Errc::denied means absent or forbidden; busy, that limits::in_flight
/// operations are open. Thread: any, but for moving and destroying.
// Defaults of options are written `Options()`: gcc 12 destroys a braced aggregate twice when a
// co_await is in the same expression (its bug 98401).
class Session {
 public:
  Session() = default;  // attached to nothing: every call answers session_closed
  explicit Session(std::shared_ptr<detail::LocalSession> session) noexcept;  // made by the engine
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  explicit operator bool() const noexcept { return session_ != nullptr; }
  [[nodiscard]] UserId user() const noexcept;
  [[nodiscard]] DeviceId device() const noexcept;
  [[nodiscard]] std::string_view subject() const noexcept;

  // Handlers: called on the session's shard, one at a time, in order. They may call anything but
  // Pending::get(). One that throws closes the session (Errc::internal in on_closed and the log).
  // Setting one replaces it from the next delivery on. Thread: any.

  /// Each event of the followed conversations, in order, without holes (on_resume tells when one
  /// could not be filled). Returning acknowledges it (`received`) unless manual_ack. Events that
  /// arrive while there is no handler wait for the first one, as long as the queue has room.
  void on_event(std::function<void(const Event&)> handler);
  /// The same, several of one conversation at once; used instead of on_event when set.
  void on_events(std::function<void(std::span<const Event>)> handler);
  void on_signal(std::function<void(const Signal&)> handler);
  void on_receipts(std::function<void(const ReceiptsMoved&)> handler);
  void on_presence(std::function<void(const Presence&)> handler);  // those asked for by watch()
  void on_online(std::function<void(const Online&)> handler);      // watch_conversation()
  void on_list(std::function<void(const ListChange&)> handler);
  /// This user followed, left or read a thread, on whatever device.
  void on_thread(std::function<void(const ThreadState&)> handler);
  /// This user voted on another of its devices.
  void on_ballot(std::function<void(const Ballot&)> handler);
  /// This user deleted messages for itself alone, on whatever device; and, after the answer to a
  /// subscription at Level::full, all that it ever deleted there.
  void on_deleted_for_me(std::function<void(const DeletedForMe&)> handler);
  /// Texts that grow in conversations followed at Level::full, those of this session left out.
  void on_stream(std::function<void(const StreamPiece&)> handler);
  void on_head(std::function<void(const HeadMoved&)> handler);
  void on_scheduled(std::function<void(const ScheduledChange&)> handler);
  /// The stream of a followed conversation goes on elsewhere than after the last event delivered:
  /// snapshot, trimmed, forked, ahead, not_member or denied.
  void on_resume(std::function<void(const ResumeAnswer&)> handler);
  /// Last of all calls, unless the host itself closed or destroyed this: why the session is over.
  void on_closed(std::function<void(const Error&)> handler);

  // Messages.
  Pending<Ack> send(const ConversationId& conversation, std::string_view text);
  Pending<Ack> send(const ConversationId& conversation, std::string_view text, SendOptions options);
  Pending<Ack> send(const ConversationId& conversation, MessageDraft draft);
  Pending<Ack> send(const ConversationId& conversation, MessageDraft draft, SendOptions options);
  void send(const ConversationId& conversation, std::string_view text, SendOptions options,
            Completion<Ack> done);
  void send(const ConversationId& conversation, MessageDraft draft, SendOptions options,
            Completion<Ack> done);
  Pending<HistoryPage> history(const ConversationId& conversation,
                               HistoryOptions options = HistoryOptions());
  void history(const ConversationId& conversation, HistoryOptions options,
               Completion<HistoryPage> done);

  // Messages that the engine sends later, in this user's name: kept with the user, the same on
  // every device. When it is due the user must still be allowed to send. It is stamped with the
  // time at which it was sent and leaves the user's read position where it is.
  /// Up to limits::scheduled of them, limits::scheduled_bytes together (limit_reached). Not what
  /// is forwarded, or grows (invalid_argument).
  Pending<ScheduledMessage> schedule(const ConversationId& conversation, MessageDraft message,
                                     ScheduleOptions options);
  void schedule(const ConversationId& conversation, MessageDraft message, ScheduleOptions options,
                Completion<ScheduledMessage> done);
  /// Drops one that was not sent yet.
  Pending<void> unschedule(Snowflake id);
  void unschedule(Snowflake id, Completion<void> done);
  /// All of them, by id.
  Pending<std::vector<ScheduledMessage>> scheduled();
  void scheduled(Completion<std::vector<ScheduledMessage>> done);

  // Changes of messages, by their seq: told to everybody as events, shown by history ever after.
  // What a change asks for and is so already is answered at once and changes nothing.
  /// One's own message gets another content, within EngineOptions::edit_window.
  Pending<void> edit(const ConversationId& conversation, Seq message, std::string text,
                     std::string content_type = {});
  void edit(const ConversationId& conversation, Seq message, std::string text,
            std::string content_type, Completion<void> done);
  /// For everybody: a tombstone stays. One's own, or anybody's for admins and owners.
  Pending<void> delete_message(const ConversationId& conversation, Seq message);
  void delete_message(const ConversationId& conversation, Seq message, Completion<void> done);
  /// For this user alone, on all of its devices, until the message is trimmed; nobody else learns
  /// of it. 1 to limits::delete_for_me_at_once messages that the user sees, deleted ones too; all
  /// of them or, with an error, none. History and streams have stand-ins in their place and in that
  /// of events about them; threads, pins, previews and what is unread leave them out. Replies in
  /// the thread of such a message stay. Up to limits::own_deletions (limit_reached).
  Pending<void> delete_for_me(const ConversationId& conversation, std::vector<Seq> messages);
  void delete_for_me(const ConversationId& conversation, std::vector<Seq> messages,
                     Completion<void> done);
  /// Puts a reaction on, or takes it off: any short string, up to limits::reaction_key bytes.
  Pending<void> react(const ConversationId& conversation, Seq message, std::string key,
                      bool on = true);
  void react(const ConversationId& conversation, Seq message, std::string key, bool on,
             Completion<void> done);
  /// Who reacted with `key`, a page at a time.
  Pending<ReactorsPage> reactors(const ConversationId& conversation, Seq message, std::string key,
                                 ReactorsOptions options = ReactorsOptions());
  void reactors(const ConversationId& conversation, Seq message, std::string key,
                ReactorsOptions options, Completion<ReactorsPage> done);

  // Polls, by the seq of their message. Results come with the message, and with ReactionsChange.
  /// Chooses in place of what was chosen before, by the numbers of the options from 0; none: takes
  /// the vote back. A closed poll is Errc::denied.
  Pending<void> vote(const ConversationId& conversation, Seq message,
                     std::vector<std::uint8_t> options);
  void vote(const ConversationId& conversation, Seq message, std::vector<std::uint8_t> options,
            Completion<void> done);
  /// No vote is taken any more. For who asked, and for who may delete what others write.
  Pending<void> close_poll(const ConversationId& conversation, Seq message);
  void close_poll(const ConversationId& conversation, Seq message, Completion<void> done);
  /// What this user has chosen.
  Pending<Ballot> ballot(const ConversationId& conversation, Seq message);
  void ballot(const ConversationId& conversation, Seq message, Completion<Ballot> done);
  /// Who has chosen that option, a page at a time. Errc::denied when the poll is anonymous.
  Pending<VotersPage> voters(const ConversationId& conversation, Seq message, std::uint8_t option,
                             VotersOptions options = VotersOptions());
  void voters(const ConversationId& conversation, Seq message, std::uint8_t option,
              VotersOptions options, Completion<VotersPage> done);

  // Pins: up to limits::pins; in a channel for admins and owners.
  Pending<void> pin(const ConversationId& conversation, Seq message, bool on = true);
  void pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done);
  /// The pinned messages as they stand, by ascending seq.
  Pending<std::vector<Event>> pins(const ConversationId& conversation);
  void pins(const ConversationId& conversation, Completion<std::vector<Event>> done);

  // Threads, by the seq of their root, whose replies are events of the conversation like others.
  Pending<ThreadPage> thread(const ConversationId& conversation, Seq root,
                             ThreadOptions options = ThreadOptions());
  void thread(const ConversationId& conversation, Seq root, ThreadOptions options,
              Completion<ThreadPage> done);
  /// The threads of the conversation that this user follows.
  Pending<ThreadsPage> threads(const ConversationId& conversation,
                               ThreadsOptions options = ThreadsOptions());
  void threads(const ConversationId& conversation, ThreadsOptions options,
               Completion<ThreadsPage> done);
  /// Replying and being mentioned follows by itself; `false` ends it until the next own reply.
  Pending<ThreadState> follow_thread(const ConversationId& conversation, Seq root, bool on = true);
  void follow_thread(const ConversationId& conversation, Seq root, bool on,
                     Completion<ThreadState> done);
  /// The user has read the replies up to `seq`; merged by maximum. Beyond the end means the end.
  Pending<ThreadState> read_thread(const ConversationId& conversation, Seq root, Seq seq);
  void read_thread(const ConversationId& conversation, Seq root, Seq seq,
                   Completion<ThreadState> done);

  // Conversations: made and found. The creator of a group or channel is its owner.
  Pending<Conversation> create(CreateOptions options);
  void create(CreateOptions options, Completion<Conversation> done);
  /// The direct conversation with `peer` (a subject), found or created.
  Pending<Conversation> direct(std::string peer);
  void direct(std::string peer, Completion<Conversation> done);

  // Coming in and going: by oneself, with a link, by request.
  /// Where ConversationSettings::join is open.
  Pending<Conversation> join(const ConversationId& conversation);
  void join(const ConversationId& conversation, Completion<Conversation> done);
  /// With a link (Invite::token), which is all that one needs. Errc::denied when it does not hold,
  /// whatever the reason; limit_reached when the conversation is full. Who is in already is in.
  Pending<Conversation> join_invite(std::string token);
  void join_invite(std::string token, Completion<Conversation> done);
  /// Makes a link, up to limits::invites a conversation; for those with the right to invite.
  Pending<Invite> create_invite(const ConversationId& conversation,
                                InviteOptions options = InviteOptions());
  void create_invite(const ConversationId& conversation, InviteOptions options,
                     Completion<Invite> done);
  /// The links that hold and that this user could have made, the oldest first.
  Pending<std::vector<Invite>> invites(const ConversationId& conversation);
  void invites(const ConversationId& conversation, Completion<std::vector<Invite>> done);
  /// Nobody joins with it any more; nothing when there is no such link.
  Pending<void> revoke_invite(std::string token);
  void revoke_invite(std::string token, Completion<void> done);
  /// Asks to be let in, where ConversationSettings::join is by_request; again changes nothing.
  /// ListChange::requests tells how it stands, on every device. leave() takes it back.
  Pending<void> request_join(const ConversationId& conversation, std::string note = {});
  void request_join(const ConversationId& conversation, std::string note, Completion<void> done);
  /// Who waits for an answer; for those with the right to invite.
  Pending<JoinRequestsPage> join_requests(const ConversationId& conversation,
                                          JoinRequestsOptions options = JoinRequestsOptions());
  void join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                     Completion<JoinRequestsPage> done);
  /// Lets in who asked, as a member, or says no. The same answer again changes nothing.
  Pending<void> answer_request(const ConversationId& conversation, UserId user, bool approve);
  void answer_request(const ConversationId& conversation, UserId user, bool approve,
                      Completion<void> done);
  Pending<void> leave(const ConversationId& conversation);
  void leave(const ConversationId& conversation, Completion<void> done);

  // Blocks, between users.
  /// Hears nothing of that user any more, who is not told: what they write in the direct
  /// conversation is for themselves alone, they add this user nowhere and see it offline, and its
  /// signals and positions there are not for them. Up to limits::blocked.
  Pending<void> block(UserId user);
  void block(UserId user, Completion<void> done);
  /// Ends that. What was written meanwhile stays hidden.
  Pending<void> unblock(UserId user);
  void unblock(UserId user, Completion<void> done);
  /// All whom this user blocks, ascending. ListChange::blocked tells changes on every device.
  Pending<std::vector<UserId>> blocked();
  void blocked(Completion<std::vector<UserId>> done);

  // Members, what they may, and what the conversation is.
  /// Subjects, 1..limits::add_at_once.
  Pending<void> add(const ConversationId& conversation, std::vector<std::string> members);
  void add(const ConversationId& conversation, std::vector<std::string> members,
           Completion<void> done);
  /// By pages, or searched by the beginning of the name that the host gave them: at the same cost
  /// for any number of members. Errc::invalid_argument when `prefix` is no UTF-8, or when a search
  /// goes on after somebody who was erased meanwhile; too_large when it is too long.
  Pending<MembersPage> members(const ConversationId& conversation,
                               MembersOptions options = MembersOptions());
  void members(const ConversationId& conversation, MembersOptions options,
               Completion<MembersPage> done);
  Pending<void> remove(const ConversationId& conversation, UserId user);
  void remove(const ConversationId& conversation, UserId user, Completion<void> done);
  Pending<void> set_role(const ConversationId& conversation, UserId user, Role role);
  void set_role(const ConversationId& conversation, UserId user, Role role, Completion<void> done);
  /// An owner makes another member one and becomes an admin, in one step.
  Pending<void> transfer(const ConversationId& conversation, UserId user);
  void transfer(const ConversationId& conversation, UserId user, Completion<void> done);
  /// What is given changes, as one event.
  Pending<void> set_settings(const ConversationId& conversation, SettingsUpdate settings);
  void set_settings(const ConversationId& conversation, SettingsUpdate settings,
                    Completion<void> done);
  Pending<void> set_title(const ConversationId& conversation, std::string title);
  void set_title(const ConversationId& conversation, std::string title, Completion<void> done);
  Pending<ConversationInfo> info(const ConversationId& conversation);
  void info(const ConversationId& conversation, Completion<ConversationInfo> done);

  // Mutes and bans, of somebody of a lower role; again: until another time.
  Pending<void> restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                              RestrictOptions options = RestrictOptions());
  void restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                     RestrictOptions options, Completion<void> done);
  /// Ends that; nothing when there is none.
  Pending<void> lift(const ConversationId& conversation, UserId user, RestrictionKind kind);
  void lift(const ConversationId& conversation, UserId user, RestrictionKind kind,
            Completion<void> done);
  /// Who is muted or banned; for those who may mute or ban.
  Pending<RestrictionsPage> restrictions(const ConversationId& conversation, RestrictionKind kind,
                                         RestrictionsOptions options = RestrictionsOptions());
  void restrictions(const ConversationId& conversation, RestrictionKind kind,
                    RestrictionsOptions options, Completion<RestrictionsPage> done);

  // What is kept, and the end of a conversation.
  /// For owners of groups and channels. Takes effect within a minute, and from then on; the newest
  /// limits::open_events may stay a little above keep_events.
  Pending<void> set_retention(const ConversationId& conversation, Retention retention);
  void set_retention(const ConversationId& conversation, Retention retention,
                     Completion<void> done);
  Pending<Retention> retention(const ConversationId& conversation);
  void retention(const ConversationId& conversation, Completion<Retention> done);
  /// Deletes it for good, for everybody: for owners of groups and channels. Once it is answered
  /// nobody finds it any more; its traces leave the store within seconds.
  Pending<void> delete_conversation(const ConversationId& conversation);
  void delete_conversation(const ConversationId& conversation, Completion<void> done);

  // Messages that grow while they are written.
  /// Begins one that grows before the eyes of those who look at the conversation: append to
  /// it, then send() the whole text with MessageDraft::stream, which ends it and is what is stored;
  /// or cancel. It ends by itself when this session is gone for limits::stream_orphaned. What grows
  /// is shown as it is: the host's hooks see the message when it is sent. Errors: as send();
  /// limit_reached beyond limits::streams of the user and limits::streams_conversation there.
  Pending<Snowflake> start_stream(const ConversationId& conversation,
                                  StreamDraft draft = StreamDraft());
  void start_stream(const ConversationId& conversation, StreamDraft draft,
                    Completion<Snowflake> done);
  /// `at`: bytes that were appended before, so that a repeated call changes nothing. `text`: UTF-8,
  /// up to limits::stream_piece; all of it up to EngineOptions::max_body. Told at most once in
  /// limits::stream_period. Errors: denied when it has ended; invalid_argument when `at` is beyond
  /// its end; too_large.
  Pending<void> append_stream(const ConversationId& conversation, Snowflake stream,
                              std::uint64_t at, std::string text);
  void append_stream(const ConversationId& conversation, Snowflake stream, std::uint64_t at,
                     std::string text, Completion<void> done);
  /// Nothing when it has ended.
  Pending<void> cancel_stream(const ConversationId& conversation, Snowflake stream);
  void cancel_stream(const ConversationId& conversation, Snowflake stream, Completion<void> done);
  /// All that was appended so far. Errc::denied when it has ended.
  Pending<std::string> stream_text(const ConversationId& conversation, Snowflake stream);
  void stream_text(const ConversationId& conversation, Snowflake stream,
                   Completion<std::string> done);

  // What this session follows, and what its user has seen.
  Pending<ResumeAnswer> subscribe(const ConversationId& conversation,
                                  SubscribeOptions options = SubscribeOptions());
  void subscribe(const ConversationId& conversation, SubscribeOptions options,
                 Completion<ResumeAnswer> done);
  /// The user's conversations with their heads, positions and unread counts.
  Pending<std::vector<ListEntry>> list();
  void list(Completion<std::vector<ListEntry>> done);
  /// The same by pages, when all of it is too much. A conversation that becomes active meanwhile is
  /// told by on_list or its events, not by a later page.
  Pending<ListPage> list_page(ListPageOptions options = ListPageOptions());
  void list_page(ListPageOptions options, Completion<ListPage> done);
  /// Pins, archives, hides, mutes, files it, keeps a draft: in this user's list, on all devices.
  Pending<void> set_list(const ConversationId& conversation, ListSettings settings);
  void set_list(const ConversationId& conversation, ListSettings settings, Completion<void> done);
  /// The user has read up to `seq`, or the end; merged by maximum. Done once it is stored, within
  /// limits::receipt_delay (receipt_delay_channel).
  Pending<void> read(const ConversationId& conversation, Seq seq);
  void read(const ConversationId& conversation, Seq seq, Completion<void> done);
  /// A device has stored everything up to `seq`. With manual_ack, the way to acknowledge.
  Pending<void> received(const ConversationId& conversation, Seq seq);
  void received(const ConversationId& conversation, Seq seq, Completion<void> done);
  void acknowledge(const Event& event);  // received(), nobody asks
  /// How many others have read up to `seq`, as far as they let it be known; former members count.
  /// Errc::denied for who hides what it reads.
  Pending<std::uint64_t> seen(const ConversationId& conversation, Seq seq);
  void seen(const ConversationId& conversation, Seq seq, Completion<std::uint64_t> done);

  // The user: the same on every device.
  /// Answers what is set then; nothing given: what is set.
  Pending<UserSettings> set_user(UserSettingsChange change = UserSettingsChange());
  void set_user(UserSettingsChange change, Completion<UserSettings> done);
  /// How the user of this session is; not offline.
  Pending<void> set_presence(PresenceState state);
  void set_presence(PresenceState state, Completion<void> done);
  /// Those with a name, and the live sessions of ephemeral ones; by ascending id.
  Pending<std::vector<Device>> devices();
  void devices(Completion<std::vector<Device>> done);
  /// Up to limits::device_name bytes of UTF-8; "" gives it the name back that it said hello with.
  Pending<void> rename_device(DeviceId device, std::string name);
  void rename_device(DeviceId device, std::string name, Completion<void> done);
  /// Closes its sessions (Errc::device_revoked) and refuses it for ever: its tickets count no more,
  /// and a hello with its name is refused whatever the token. The limits::revoked_devices revoked
  /// last are remembered. Tokens are the host's: it ends those of a stolen device itself.
  Pending<void> revoke_device(DeviceId device);
  void revoke_device(DeviceId device, Completion<void> done);

  // People.
  /// Dropped silently above limits::signals_per_second. It holds for `lasts`, 0 (it ended) to
  /// limits::signal_lasts_most, unless a newer one of its kind comes; default limits::signal_lasts.
  Pending<void> signal(const ConversationId& conversation, std::string kind, std::string data = {});
  Pending<void> signal(const ConversationId& conversation, std::string kind, std::string data,
                       std::chrono::milliseconds lasts);
  void signal(const ConversationId& conversation, std::string kind, std::string data,
              Completion<void> done);
  void signal(const ConversationId& conversation, std::string kind, std::string data,
              std::chrono::milliseconds lasts, Completion<void> done);
  /// Watches members of a conversation this user is in, in place of an earlier watch there; no
  /// users end it. Answers their state; who is no member is left out, without an error.
  Pending<std::vector<Presence>> watch(const ConversationId& conversation,
                                       std::vector<UserId> users);
  void watch(const ConversationId& conversation, std::vector<UserId> users,
             Completion<std::vector<Presence>> done);
  /// Watches a conversation this user is in as a whole, beside the users that are named there,
  /// until it is ended, the user is no member any more or the session closes: on_online() is told
  /// what changes, and on_presence() of the users in Online::users. Nothing is stored, and where
  /// nobody watches nobody is counted. Errc::denied, limit_reached (limits::watched_conversations).
  Pending<Online> watch_conversation(const ConversationId& conversation);
  void watch_conversation(const ConversationId& conversation, Completion<Online> done);
  /// Answers PresenceStep::none.
  Pending<Online> unwatch_conversation(const ConversationId& conversation);
  void unwatch_conversation(const ConversationId& conversation, Completion<Online> done);
  /// The host's names of up to limits::lookup_at_once users; unknown ones are left out.
  Pending<std::vector<UserName>> names(std::vector<UserId> users);
  void names(std::vector<UserId> users, Completion<std::vector<UserName>> done);

  /// Detaches as the destructor does, without waiting. Operations under way are answered
  /// session_closed; what was accepted is still committed.
  void close();

 private:
  std::shared_ptr<detail::LocalSession> session_;
};

}  // namespace parley::inline v0
