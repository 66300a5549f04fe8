// parley/client.hpp: a client of a Parley server: outbox, cursors, resume and reconnect, so that
// the host sees every event once and loses no message it handed over.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/joining.hpp"
#include "parley/limits.hpp"
#include "parley/pending.hpp"
#include "parley/result.hpp"
#include "parley/session.hpp"  // MessageDraft and the other structs of operations
#include "parley/transport.hpp"
#include "parley/user.hpp"

namespace parley::inline v0 {

// ---- What a device keeps ----

/// A message that was handed over and is not settled yet.
struct OutboxItem {
  ConversationId conversation{};
  std::uint64_t number = 0;  // in the conversation's outbox, from 1
  std::uint64_t random = 0;  // its Message's echo; stays with the item for ever
  MessageDraft draft{};
};
/// Everything a storage gives back at the start.
struct StoredClient {
  struct Stream {
    ConversationId conversation{};
    Cursor cursor{};                // empty epoch: none
    std::uint64_t next_number = 1;  // of the outbox
  };
  std::string device{};  // "" = nothing was ever stored
  std::vector<Stream> streams{};
  std::vector<OutboxItem> outbox{};  // in any order
};
/// One change of what is kept; all of it or nothing.
struct ClientBatch {
  struct Moved {
    ConversationId conversation{};
    Cursor cursor{};
    std::span<const Event> events{};  // that lead to the cursor; may be stored with it
    bool restart = false;             // the stream begins anew: drop what was stored of it
  };
  struct Numbered {
    ConversationId conversation{};
    std::uint64_t next_number = 1;
  };
  struct Settled {
    ConversationId conversation{};
    std::uint64_t number = 0;
  };
  std::string device{};  // not empty: keep it
  std::vector<Moved> moved{};
  std::vector<Numbered> numbered{};
  std::vector<Settled> settled{};           // leave the outbox; before `added`
  std::vector<OutboxItem> added{};          // enter it
  std::vector<ConversationId> forgotten{};  // cursors that are no longer needed
};

/// Where a device keeps its cursors and its outbox. Derive from it to keep them on a disk: then a
/// restarted client goes on where it was, and a message handed over survives a crash.
/// Thread: the client's only. Calls may block; an error closes the client (ClientState::failed).
class ClientStorage {
 public:
  virtual ~ClientStorage() = default;
  virtual Result<StoredClient> load() = 0;
  /// Views in `batch` are valid for the call.
  virtual Result<void> apply(const ClientBatch& batch) = 0;
};
/// Keeps everything in memory, for as long as it lives itself. Thread: setup only.
std::shared_ptr<ClientStorage> memory_storage();

// ---- What a client tells ----

enum class ClientState : std::uint8_t {
  stopped,     // not wanted, or closed
  waiting,     // will dial later
  connecting,  // dialling, or saying hello
  ready,
  refused,  // the server does not want this client (ClientStatus::error); start() tries again
  failed,   // the storage failed or host code threw; the client does nothing any more
};
/// "stopped", "waiting" …; "unknown" for a value that is none. Thread: any.
std::string_view to_string(ClientState state) noexcept;
struct ClientStatus {
  ClientState state = ClientState::stopped;
  Error error{};                          // why it is no longer ready, if it failed
  UserId user{};                          // once it was ready
  std::chrono::milliseconds retry_in{0};  // waiting: until the next attempt
};
/// A message of the outbox is settled: stored (an Ack) or given up (an Error that no retry helps).
struct MessageSettled {
  ConversationId conversation{};
  std::uint64_t number = 0;
  std::uint64_t random = 0;
  Result<Ack> result = Ack{};
};
/// The server did not know this outbox any more (a restored backup, two copies of one device): the
/// message goes out under a new number. It may stand in the conversation already: show that.
struct MessageRenumbered {
  ConversationId conversation{};
  std::uint64_t before = 0;
  std::uint64_t number = 0;
  Error why{};
};

/// All are called on the client's thread, one at a time, in order; each may be empty. They may call
/// anything of the client but Pending::get() and the destructor. What they, a completion or the
/// storage throw ends the client: it is `failed` with Errc::internal, everything open is answered.
struct ClientHandlers {
  /// Consecutive events of one conversation, after they and the cursor were stored: each exactly
  /// once, in order, no hole but those on_resume tells.
  std::function<void(std::span<const Event>)> on_events{};
  std::function<void(const ListChange&)> on_list{};
  std::function<void(const ScheduledChange&)> on_scheduled{};
  std::function<void(const ThreadState&)> on_thread{};
  std::function<void(const Ballot&)> on_ballot{};
  /// As Session::on_deleted_for_me. A page that was asked for before may still bring them.
  std::function<void(const DeletedForMe&)> on_deleted_for_me{};
  std::function<void(const StreamPiece&)> on_stream{};
  std::function<void(const MessageSettled&)> on_settled{};
  std::function<void(const MessageRenumbered&)> on_renumbered{};
  /// snapshot, trimmed, forked, ahead, not_member, denied: the stream does not simply go on.
  std::function<void(const ResumeAnswer&)> on_resume{};
  std::function<void(const HeadMoved&)> on_head{};
  std::function<void(const ReceiptsMoved&)> on_receipts{};
  std::function<void(const Signal&)> on_signal{};
  std::function<void(const Presence&)> on_presence{};
  std::function<void(const Online&)> on_online{};
  std::function<void(const ClientStatus&)> on_state{};
};

struct ClientOptions {
  std::string url{};    // "ws://127.0.0.1:8080/chat", "tcp://…", or of a scheme in `transports`
  std::string token{};  // the credential that the server's authenticator understands
  /// A stable name of this installation, up to limits::device_name bytes. Default: what the storage
  /// has, else drawn at random and stored.
  std::string device{};
  Encoding encoding = Encoding::binary;
  /// Default: a memory_storage() of its own, gone with the process, unsent messages included.
  std::shared_ptr<ClientStorage> storage{};
  ClientHandlers handlers{};
  /// Follow without being asked: the 64 most recent direct and group conversations at level full,
  /// the others at heads, channels that this client created or joined at full. Default: yes.
  bool follow = true;
  /// The first list of a connection that has to get all of it brings this many conversations, the
  /// last active first; list_page() brings more. Bounds: 0 (everything) .. limits::page_list.
  std::uint32_t list_limit = 0;
  /// A thread of its own. Otherwise nothing runs but inside run() and poll().
  bool own_thread = true;
  /// Run on that thread, first and last. Default: none. Must not throw.
  std::function<void()> on_thread_start{};
  std::function<void()> on_thread_stop{};
  /// Unsettled messages a conversation; more are answered Errc::busy. Bounds: 1..100,000.
  std::size_t max_outbox = 1'000;
  /// By scheme, before ws: and tcp:. Owned from here on.
  struct Scheme {
    std::string scheme{};
    std::shared_ptr<Transport> transport{};
  };
  std::vector<Scheme> transports{};
};

namespace detail {
class ClientImpl;
}

/// One device's connection to a server, kept up until it is stopped. Operations that are not sends
/// wait for a connection (up to 256 of them, then busy), for as long as it takes: so does get().
/// They answer Errc::disconnected when it is lost before their answer came; sends wait in the
/// outbox and survive it.
/// Ownership: the destructor stops, waits for a running handler, and answers what is open with
/// session_closed; not to be run inside a handler. In a fork of the process that opened it every
/// call answers Errc::forked or does nothing. Thread: any, but for moving and destroying.
class Client {
 public:
  /// Errors: invalid_argument (names the option), unsupported (no such scheme), those of the
  /// storage, unavailable (no descriptors or threads). It connects once start() was called.
  static Result<Client> open(ClientOptions options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  void start();
  /// Closes the connection, keeps the outbox. start() goes on.
  void stop();
  void set_token(std::string token);  // for the next connection

  // Messages.
  /// The message is in the storage when this returns to the loop, and is sent until it is settled.
  Pending<Ack> send(const ConversationId& conversation, MessageDraft draft);
  Pending<Ack> send(const ConversationId& conversation, std::string_view text);
  void send(const ConversationId& conversation, MessageDraft draft, Completion<Ack> done);
  /// What is not settled, in the order it will be sent.
  void outbox(Completion<std::vector<OutboxItem>> done);
  Pending<HistoryPage> history(const ConversationId& conversation,
                               HistoryOptions options = HistoryOptions());
  void history(const ConversationId& conversation, HistoryOptions options,
               Completion<HistoryPage> done);

  // Messages to be sent later: see Session.
  Pending<ScheduledMessage> schedule(const ConversationId& conversation, MessageDraft message,
                                     ScheduleOptions options);
  void schedule(const ConversationId& conversation, MessageDraft message, ScheduleOptions options,
                Completion<ScheduledMessage> done);
  Pending<void> unschedule(Snowflake id);
  void unschedule(Snowflake id, Completion<void> done);
  Pending<std::vector<ScheduledMessage>> scheduled();
  void scheduled(Completion<std::vector<ScheduledMessage>> done);

  // Changes of messages: see Session. They need a connection; what failed may be asked again.
  Pending<void> edit(const ConversationId& conversation, Seq message, std::string text,
                     std::string content_type = {});
  void edit(const ConversationId& conversation, Seq message, std::string text,
            std::string content_type, Completion<void> done);
  Pending<void> delete_message(const ConversationId& conversation, Seq message);
  void delete_message(const ConversationId& conversation, Seq message, Completion<void> done);
  Pending<void> delete_for_me(const ConversationId& conversation, std::vector<Seq> messages);
  void delete_for_me(const ConversationId& conversation, std::vector<Seq> messages,
                     Completion<void> done);
  Pending<void> react(const ConversationId& conversation, Seq message, std::string key,
                      bool on = true);
  void react(const ConversationId& conversation, Seq message, std::string key, bool on,
             Completion<void> done);
  Pending<ReactorsPage> reactors(const ConversationId& conversation, Seq message, std::string key,
                                 ReactorsOptions options = ReactorsOptions());
  void reactors(const ConversationId& conversation, Seq message, std::string key,
                ReactorsOptions options, Completion<ReactorsPage> done);
  Pending<void> pin(const ConversationId& conversation, Seq message, bool on = true);
  void pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done);
  Pending<std::vector<Event>> pins(const ConversationId& conversation);
  void pins(const ConversationId& conversation, Completion<std::vector<Event>> done);

  // Polls: see Session.
  Pending<void> vote(const ConversationId& conversation, Seq message,
                     std::vector<std::uint8_t> options);
  void vote(const ConversationId& conversation, Seq message, std::vector<std::uint8_t> options,
            Completion<void> done);
  Pending<void> close_poll(const ConversationId& conversation, Seq message);
  void close_poll(const ConversationId& conversation, Seq message, Completion<void> done);
  // A message that grows while it is written: see Session::start_stream.
  Pending<Snowflake> start_stream(const ConversationId& conversation,
                                  StreamDraft draft = StreamDraft());
  void start_stream(const ConversationId& conversation, StreamDraft draft,
                    Completion<Snowflake> done);
  Pending<void> append_stream(const ConversationId& conversation, Snowflake stream,
                              std::uint64_t at, std::string text);
  void append_stream(const ConversationId& conversation, Snowflake stream, std::uint64_t at,
                     std::string text, Completion<void> done);
  Pending<void> cancel_stream(const ConversationId& conversation, Snowflake stream);
  void cancel_stream(const ConversationId& conversation, Snowflake stream, Completion<void> done);
  Pending<std::string> stream_text(const ConversationId& conversation, Snowflake stream);
  void stream_text(const ConversationId& conversation, Snowflake stream,
                   Completion<std::string> done);

  Pending<Ballot> ballot(const ConversationId& conversation, Seq message);
  void ballot(const ConversationId& conversation, Seq message, Completion<Ballot> done);
  Pending<VotersPage> voters(const ConversationId& conversation, Seq message, std::uint8_t option,
                             VotersOptions options = VotersOptions());
  void voters(const ConversationId& conversation, Seq message, std::uint8_t option,
              VotersOptions options, Completion<VotersPage> done);

  // Threads: see Session.
  Pending<ThreadPage> thread(const ConversationId& conversation, Seq root,
                             ThreadOptions options = ThreadOptions());
  void thread(const ConversationId& conversation, Seq root, ThreadOptions options,
              Completion<ThreadPage> done);
  Pending<ThreadsPage> threads(const ConversationId& conversation,
                               ThreadsOptions options = ThreadsOptions());
  void threads(const ConversationId& conversation, ThreadsOptions options,
               Completion<ThreadsPage> done);
  Pending<ThreadState> follow_thread(const ConversationId& conversation, Seq root, bool on = true);
  void follow_thread(const ConversationId& conversation, Seq root, bool on,
                     Completion<ThreadState> done);
  Pending<ThreadState> read_thread(const ConversationId& conversation, Seq root, Seq seq);
  void read_thread(const ConversationId& conversation, Seq root, Seq seq,
                   Completion<ThreadState> done);

  // Conversations: see Session for what each means. Those that find, make or enter one answer its
  // ListEntry (ListEntry::conversation is the id), as list() has it from then on.
  Pending<ListEntry> create(CreateOptions options);
  void create(CreateOptions options, Completion<ListEntry> done);
  Pending<ListEntry> direct(std::string peer);
  void direct(std::string peer, Completion<ListEntry> done);
  Pending<ListEntry> join(const ConversationId& channel);
  void join(const ConversationId& channel, Completion<ListEntry> done);
  Pending<void> block(UserId user);
  void block(UserId user, Completion<void> done);
  Pending<void> unblock(UserId user);
  void unblock(UserId user, Completion<void> done);
  Pending<std::vector<UserId>> blocked();
  void blocked(Completion<std::vector<UserId>> done);
  Pending<ListEntry> join_invite(std::string token);
  void join_invite(std::string token, Completion<ListEntry> done);
  Pending<Invite> create_invite(const ConversationId& conversation,
                                InviteOptions options = InviteOptions());
  void create_invite(const ConversationId& conversation, InviteOptions options,
                     Completion<Invite> done);
  Pending<std::vector<Invite>> invites(const ConversationId& conversation);
  void invites(const ConversationId& conversation, Completion<std::vector<Invite>> done);
  Pending<void> revoke_invite(std::string token);
  void revoke_invite(std::string token, Completion<void> done);
  Pending<void> request_join(const ConversationId& conversation, std::string note = {});
  void request_join(const ConversationId& conversation, std::string note, Completion<void> done);
  Pending<JoinRequestsPage> join_requests(const ConversationId& conversation,
                                          JoinRequestsOptions options = JoinRequestsOptions());
  void join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                     Completion<JoinRequestsPage> done);
  Pending<void> answer_request(const ConversationId& conversation, UserId user, bool approve);
  void answer_request(const ConversationId& conversation, UserId user, bool approve,
                      Completion<void> done);
  Pending<void> leave(const ConversationId& conversation);
  void leave(const ConversationId& conversation, Completion<void> done);
  Pending<void> add(const ConversationId& conversation, std::vector<std::string> members);
  void add(const ConversationId& conversation, std::vector<std::string> members,
           Completion<void> done);
  Pending<void> remove(const ConversationId& conversation, UserId user);
  void remove(const ConversationId& conversation, UserId user, Completion<void> done);
  Pending<void> set_role(const ConversationId& conversation, UserId user, Role role);
  void set_role(const ConversationId& conversation, UserId user, Role role, Completion<void> done);
  Pending<void> transfer(const ConversationId& conversation, UserId user);
  void transfer(const ConversationId& conversation, UserId user, Completion<void> done);
  Pending<void> set_settings(const ConversationId& conversation, SettingsUpdate settings);
  void set_settings(const ConversationId& conversation, SettingsUpdate settings,
                    Completion<void> done);
  Pending<ConversationInfo> info(const ConversationId& conversation);
  void info(const ConversationId& conversation, Completion<ConversationInfo> done);
  Pending<void> restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                              RestrictOptions options = RestrictOptions());
  void restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                     RestrictOptions options, Completion<void> done);
  Pending<void> lift(const ConversationId& conversation, UserId user, RestrictionKind kind);
  void lift(const ConversationId& conversation, UserId user, RestrictionKind kind,
            Completion<void> done);
  Pending<RestrictionsPage> restrictions(const ConversationId& conversation, RestrictionKind kind,
                                         RestrictionsOptions options = RestrictionsOptions());
  void restrictions(const ConversationId& conversation, RestrictionKind kind,
                    RestrictionsOptions options, Completion<RestrictionsPage> done);
  Pending<void> set_title(const ConversationId& conversation, std::string title);
  void set_title(const ConversationId& conversation, std::string title, Completion<void> done);
  Pending<void> set_retention(const ConversationId& conversation, Retention retention);
  void set_retention(const ConversationId& conversation, Retention retention,
                     Completion<void> done);
  Pending<Retention> retention(const ConversationId& conversation);
  void retention(const ConversationId& conversation, Completion<Retention> done);
  Pending<void> delete_conversation(const ConversationId& conversation);
  void delete_conversation(const ConversationId& conversation, Completion<void> done);
  Pending<MembersPage> members(const ConversationId& conversation,
                               MembersOptions options = MembersOptions());
  void members(const ConversationId& conversation, MembersOptions options,
               Completion<MembersPage> done);

  // What this device follows, and what its user has seen.
  /// From then on, also after a reconnect, in place of ClientOptions::follow. Without `from` it
  /// goes on from the stored cursor, else from the head.
  Pending<ResumeAnswer> subscribe(const ConversationId& conversation,
                                  SubscribeOptions options = SubscribeOptions());
  void subscribe(const ConversationId& conversation, SubscribeOptions options,
                 Completion<ResumeAnswer> done);
  /// The conversations as this device knows them, most recent first. Answers without the server.
  Pending<std::vector<ListEntry>> list();
  void list(Completion<std::vector<ListEntry>> done);
  /// A page from the server; its conversations are known and followed from then on.
  Pending<ListPage> list_page(ListPageOptions options = ListPageOptions());
  void list_page(ListPageOptions options, Completion<ListPage> done);
  /// Pin, archive, hide, mark unread, mute, put into a folder, keep a draft: about this user's list
  /// entry, on every device.
  Pending<void> set_list(const ConversationId& conversation, ListSettings settings);
  void set_list(const ConversationId& conversation, ListSettings settings, Completion<void> done);
  /// The user has read up to `seq`: told to the server within 200 ms of a connection, and again
  /// when the engine lost it with a crash; so with what the user sent here itself.
  void read(const ConversationId& conversation, Seq seq);
  Pending<std::uint64_t> seen(const ConversationId& conversation, Seq seq);
  void seen(const ConversationId& conversation, Seq seq, Completion<std::uint64_t> done);

  // The user: see Session.
  Pending<UserSettings> set_user(UserSettingsChange change = UserSettingsChange());
  void set_user(UserSettingsChange change, Completion<UserSettings> done);
  /// For this connection and the later ones.
  void set_presence(PresenceState state);
  Pending<std::vector<Device>> devices();
  void devices(Completion<std::vector<Device>> done);
  Pending<void> rename_device(DeviceId device, std::string name);
  void rename_device(DeviceId device, std::string name, Completion<void> done);
  /// A client whose own device is revoked is `refused`, with Errc::device_revoked.
  Pending<void> revoke_device(DeviceId device);
  void revoke_device(DeviceId device, Completion<void> done);

  // People.
  void signal(const ConversationId& conversation, std::string kind, std::string data = {},
              std::chrono::milliseconds lasts = limits::signal_lasts);
  Pending<std::vector<Presence>> watch(const ConversationId& conversation,
                                       std::vector<UserId> users);
  void watch(const ConversationId& conversation, std::vector<UserId> users,
             Completion<std::vector<Presence>> done);
  /// As Session::watch_conversation(), on this connection: ask again after the next `online`.
  Pending<Online> watch_conversation(const ConversationId& conversation);
  void watch_conversation(const ConversationId& conversation, Completion<Online> done);
  Pending<Online> unwatch_conversation(const ConversationId& conversation);
  void unwatch_conversation(const ConversationId& conversation, Completion<Online> done);
  Pending<std::vector<UserName>> names(std::vector<UserId> users);
  void names(std::vector<UserId> users, Completion<std::vector<UserName>> done);

  // Driving, without a thread of its own. Thread: one at a time.
  /// Works until stop_running().
  void run();
  void stop_running() noexcept;  // Thread: any
  /// Works for about `budget`; true when work is left. Never sleeps.
  bool poll(std::chrono::microseconds budget);
  /// Sleeps until there is work, at most `timeout`.
  void wait(std::chrono::microseconds timeout);

 private:
  explicit Client(std::unique_ptr<detail::ClientImpl> impl) noexcept;
  std::unique_ptr<detail::ClientImpl> impl_;
};

}  // namespace parley::inline v0
