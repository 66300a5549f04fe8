// parley/engine.hpp: the engine: open it, attach sessions, listen, drive it, close it.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/options.hpp"
#include "parley/pending.hpp"
#include "parley/result.hpp"
#include "parley/session.hpp"
#include "parley/transfer.hpp"
#include "parley/transport.hpp"
#include "parley/user.hpp"

namespace parley::inline v0 {

namespace detail {
class EngineImpl;
}

/// How host code becomes a participant.
struct AttachOptions {
  std::string user{};       // the subject, 1..limits::subject bytes; known from here on
  std::string device{};     // a stable name of the installation; "" = an ephemeral device
  bool manual_ack = false;  // a handler's return does not acknowledge; call Session::acknowledge
  /// Follow at level full whatever the user is in or enters. What it is in already and channels
  /// are followed from their heads on: whoever creates a channel is not given its `created` event.
  /// Direct and group conversations entered later begin with the first event the user may see.
  bool follow = true;
  PresenceState presence = PresenceState::online;  // Session::set_presence from the first moment on
};
/// A session that was welcomed: a link that has shown its token, or an attached one.
struct SessionInfo {
  UserId user{};
  DeviceId device{};
  std::string subject{};
  std::string transport{};  // "ws"; "" for host code in this process
};
/// Figures of the moment, each up to a turn old.
struct EngineStats {
  std::size_t shards = 0;
  std::size_t sessions = 0;       // links and in-process
  std::size_t conversations = 0;  // in memory
  std::size_t ingress_bytes = 0;  // operations accepted and not yet answered
  std::size_t queued_bytes = 0;   // for sessions, not yet taken by the network or a handler
};

/// One messaging engine over one store. Opens, listens and registers synchronously; whatever may
/// touch the store takes a Completion as its last argument or returns a Pending.
/// Ownership: owns its store, transports, links and threads. Sessions and Pendings may outlive it.
/// Fork: in a child every call answers Errc::forked, and destroying it does nothing.
/// Thread: any, but for moving, destroying and what says otherwise.
class Engine {
 public:
  /// Opens the store and starts the threads. Errors: invalid_argument (names the option), those of
  /// the store, store_format (written by a newer version), unavailable (no descriptors or threads).
  /// Thread: setup only.
  static Result<Engine> open(EngineOptions options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  /// Closes and waits until stopped; on an engine thread, or inside a handler, without waiting.
  ~Engine();

  // Links.
  /// Listens at a URL of a registered scheme, as ws://127.0.0.1:8080/chat or tcp://[::]:9000;
  /// answers the address, with its port. Port 0: one that is free; ws without a port: 80. Errors:
  /// unsupported (no such scheme), invalid_argument, address_in_use, unavailable (the system does
  /// not let it: a port below 1024, an address of another machine), unreachable (a name: they are
  /// not looked up, give an address). Thread: setup only.
  Result<std::string> listen(std::string_view url);
  /// Takes over a connected link of the host's own. `adopted` runs once on the link's shard: feed
  /// `events` there, from other threads through shard.post(). Null: refused (a limit is reached),
  /// the link is gone. Errors: engine_closed, invalid_argument.
  Result<void> adopt(std::unique_ptr<Link> link, LinkInfo info,
                     std::function<void(LinkEvents* events, LinkHost& shard)> adopted);
  /// Called on its shard whenever a session was welcomed. Thread: setup only, before listen().
  void on_session(std::function<void(const SessionInfo&)> handler);

  // Host code as a participant.
  Pending<Session> attach(AttachOptions options);
  void attach(AttachOptions options, Completion<Session> done);

  // The host as the system: bound by no role, member of nothing. Users by subject; one that was
  // never seen gets its id here, but for find_user, remove, set_role, restrict_user, lift and
  // answer_request (Errc::denied). The system reads no history and no members: for that attach() a
  // session whose user is in the conversation, or export_conversation().
  Pending<Conversation> create(CreateOptions options);
  void create(CreateOptions options, Completion<Conversation> done);
  /// The direct conversation of a pair, found or created.
  Pending<Conversation> direct(std::string first, std::string second);
  void direct(std::string first, std::string second, Completion<Conversation> done);
  Pending<Ack> send(const ConversationId& conversation, std::string_view text);
  Pending<Ack> send(const ConversationId& conversation, MessageDraft draft);
  Pending<Ack> send(const ConversationId& conversation, MessageDraft draft, SendOptions options);
  void send(const ConversationId& conversation, MessageDraft draft, SendOptions options,
            Completion<Ack> done);
  Pending<void> add(const ConversationId& conversation, std::vector<std::string> members);
  void add(const ConversationId& conversation, std::vector<std::string> members,
           Completion<void> done);
  Pending<void> remove(const ConversationId& conversation, std::string member);
  void remove(const ConversationId& conversation, std::string member, Completion<void> done);
  Pending<void> set_role(const ConversationId& conversation, std::string member, Role role);
  void set_role(const ConversationId& conversation, std::string member, Role role,
                Completion<void> done);
  /// The groups of the host's that a member is in, audience::first_group to last_group; others get
  /// nothing with those audiences. Taken away: from that event on, exactly. Gone with the
  /// membership.
  Pending<void> set_groups(const ConversationId& conversation, std::string member,
                           std::vector<std::uint8_t> groups);
  void set_groups(const ConversationId& conversation, std::string member,
                  std::vector<std::uint8_t> groups, Completion<void> done);
  /// What a shadow banned member writes is for themselves and moderators; they are not told. What
  /// they do to what everybody sees has no effect: reactions and pins are answered and dropped,
  /// edits refused as too late. Stays over leaving and coming back.
  Pending<void> shadow_ban(const ConversationId& conversation, std::string member, bool on = true);
  void shadow_ban(const ConversationId& conversation, std::string member, bool on,
                  Completion<void> done);
  /// The system's own messages, at any time; deletions and pins of everybody's.
  Pending<void> edit(const ConversationId& conversation, Seq message, std::string text,
                     std::string content_type = {});
  void edit(const ConversationId& conversation, Seq message, std::string text,
            std::string content_type, Completion<void> done);
  Pending<void> delete_message(const ConversationId& conversation, Seq message);
  void delete_message(const ConversationId& conversation, Seq message, Completion<void> done);
  Pending<void> close_poll(const ConversationId& conversation, Seq message);
  void close_poll(const ConversationId& conversation, Seq message, Completion<void> done);
  Pending<void> pin(const ConversationId& conversation, Seq message, bool on = true);
  void pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done);
  // Links as the system makes them: see Session.
  Pending<Invite> create_invite(const ConversationId& conversation,
                                InviteOptions options = InviteOptions());
  void create_invite(const ConversationId& conversation, InviteOptions options,
                     Completion<Invite> done);
  Pending<std::vector<Invite>> invites(const ConversationId& conversation);
  void invites(const ConversationId& conversation, Completion<std::vector<Invite>> done);
  Pending<void> revoke_invite(std::string token);
  void revoke_invite(std::string token, Completion<void> done);
  Pending<JoinRequestsPage> join_requests(const ConversationId& conversation,
                                          JoinRequestsOptions options = JoinRequestsOptions());
  void join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                     Completion<JoinRequestsPage> done);
  Pending<void> answer_request(const ConversationId& conversation, std::string user, bool approve);
  void answer_request(const ConversationId& conversation, std::string user, bool approve,
                      Completion<void> done);
  Pending<void> set_settings(const ConversationId& conversation, SettingsUpdate settings);
  void set_settings(const ConversationId& conversation, SettingsUpdate settings,
                    Completion<void> done);
  Pending<ConversationInfo> info(const ConversationId& conversation);
  void info(const ConversationId& conversation, Completion<ConversationInfo> done);
  Pending<void> restrict_user(const ConversationId& conversation, std::string user,
                              RestrictionKind kind, RestrictOptions options = RestrictOptions());
  void restrict_user(const ConversationId& conversation, std::string user, RestrictionKind kind,
                     RestrictOptions options, Completion<void> done);
  Pending<void> lift(const ConversationId& conversation, std::string user, RestrictionKind kind);
  void lift(const ConversationId& conversation, std::string user, RestrictionKind kind,
            Completion<void> done);
  Pending<void> set_title(const ConversationId& conversation, std::string title);
  void set_title(const ConversationId& conversation, std::string title, Completion<void> done);
  /// See Session; also of direct conversations, and with a legal hold.
  Pending<void> set_retention(const ConversationId& conversation, Retention retention);
  void set_retention(const ConversationId& conversation, Retention retention,
                     Completion<void> done);
  Pending<Retention> retention(const ConversationId& conversation);
  void retention(const ConversationId& conversation, Completion<Retention> done);
  Pending<void> delete_conversation(const ConversationId& conversation);
  void delete_conversation(const ConversationId& conversation, Completion<void> done);
  /// Errc::denied when it was never seen.
  Pending<UserId> find_user(std::string subject);
  void find_user(std::string subject, Completion<UserId> done);
  /// The inverse; Errc::denied for an unknown id.
  Pending<std::string> subject(UserId user);
  void subject(UserId user, Completion<std::string> done);
  /// A user's devices, and the end of one: see Session.
  Pending<std::vector<Device>> devices(std::string user);
  void devices(std::string user, Completion<std::vector<Device>> done);
  Pending<void> revoke_device(std::string user, DeviceId device);
  void revoke_device(std::string user, DeviceId device, Completion<void> done);

  /// Other limits from here on: answered once they hold in every conversation and session. Nothing
  /// is taken from anybody who has more already. They last as long as the engine: give them to
  /// EngineOptions as well. Errors: invalid_argument (names the field; nothing is changed).
  Pending<void> set_limits(LimitsUpdate update);
  void set_limits(LimitsUpdate update, Completion<void> done);

  // History from elsewhere and to elsewhere, and the end of a user.
  /// Up to limits::import_at_once messages, stored in this order after what is there; hooks are not
  /// asked. Errors name the first message that was refused; others may be stored: import all again,
  /// and what is new then comes after those.
  Pending<std::vector<Ack>> import_messages(const ConversationId& conversation,
                                            std::vector<ImportedMessage> messages);
  void import_messages(const ConversationId& conversation, std::vector<ImportedMessage> messages,
                       Completion<std::vector<Ack>> done);
  /// Everything there is of a conversation, whoever may see it. Each line is an answer in JSON as
  /// docs/design/wire_format.md spells it: conversation_info, retention, members_page,
  /// restrictions_page, then history_page from the floor on.
  Pending<void> export_conversation(const ConversationId& conversation, ExportSink sink);
  void export_conversation(const ConversationId& conversation, ExportSink sink,
                           Completion<void> done);
  /// Everything there is of a user: user_settings, device_list, list_page, scheduled; then of every
  /// conversation that the user is in or ever was: deleted_for_me, what it deleted for itself
  /// alone, and messages, those that it wrote. Errc::denied when it was never seen.
  Pending<void> export_user(std::string user, ExportSink sink);
  void export_user(std::string user, ExportSink sink, Completion<void> done);
  /// Takes the user out of every conversation that is not under a legal hold, and deletes what it
  /// wrote there and wherever it ever was: tombstones stay, and all counts are right. Then, unless
  /// something was held, all that the user keeps goes, devices and the name; whoever comes with it
  /// again is another user. Interrupted, or Errc::unavailable: erase again. First see to it that
  /// they cannot sign in, and that nobody adds them. Errc::denied when there is no such user.
  Pending<ErasedUser> erase_user(std::string user);
  void erase_user(std::string user, Completion<ErasedUser> done);

  // Driving (docs/execution.md).
  /// With threads of its own: blocks until stop() or until closed. Host-driven: also does the work.
  void run();
  /// Makes run() return, or the next one at once; the engine goes on. Thread: any; in a signal
  /// handler as well, unless host-driven.
  void stop() noexcept;
  /// Host-driven only: works for about `budget`; true when work is left. Never sleeps. Zero: one
  /// piece of each kind. Thread: one at a time.
  bool poll(std::chrono::microseconds budget);
  /// Host-driven only: sleeps until there is work, at most `timeout`. Thread: as poll.
  void wait(std::chrono::microseconds timeout);
  /// When the next timer is due; none: nothing to wait for but what on_wake() or the descriptor
  /// tells.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_deadline() const;
  /// Called on any thread when an engine whose last poll() found nothing left has work again; at
  /// most once until the next poll(). Sockets do not show here: poll regularly or watch
  /// descriptor(). Must not call the engine. Thread: setup only.
  void on_wake(std::function<void()> handler);
  /// Readable when there is work; a host's own epoll may wait on it. -1: none, or not host-driven.
  [[nodiscard]] int descriptor() const noexcept;

  // The end.
  /// Starts closing, never blocks: refuses what is new (engine_closed), says goodbye, commits and
  /// answers what was accepted, fails the rest, closes the store, ends the threads. Host-driven:
  /// goes on inside poll().
  void close();
  /// Called once when stopped: no handler or completion runs any more. Runs on the last engine
  /// thread, in poll(), or at once when it is so already. Replaces an earlier one.
  void on_stopped(std::function<void()> handler);
  [[nodiscard]] bool stopped() const noexcept;

  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] const StoreFacts& store_facts() const noexcept;

 private:
  explicit Engine(std::shared_ptr<detail::EngineImpl> impl) noexcept;
  std::shared_ptr<detail::EngineImpl> impl_;
};

}  // namespace parley::inline v0
