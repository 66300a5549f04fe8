// core/conversation.hpp: the home of one conversation: decides, numbers, batches and commits
// (DESIGN §3.2, §5; STORE §5, §6, §9).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/effects.hpp"
#include "core/inherited.hpp"
#include "core/permissions.hpp"
#include "core/timers.hpp"
#include "core/visibility.hpp"
#include "parley/event.hpp"
#include "parley/joining.hpp"
#include "parley/limits.hpp"
#include "parley/options.hpp"
#include "parley/result.hpp"
#include "parley/settings.hpp"
#include "store/layout.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// Whether members and their positions are rows in partitions of their own: there may be many.
[[nodiscard]] inline bool scattered(ConversationKind kind) noexcept {
  return kind == ConversationKind::channel || kind == ConversationKind::space;
}

/// Who asks. The system (host code without a session) may everything and is no member.
struct Caller {
  UserId user;  // none: the system
  DeviceId device;
  bool hides_reads = false;  // UserSettings::hide_reads
  [[nodiscard]] bool system() const noexcept { return !user; }
};

/// What a group, channel or space begins with.
struct Creation {
  ConversationKind kind = ConversationKind::group;
  std::string title;
  std::vector<UserId> members;   // each once
  std::optional<JoinRule> join;  // none: as its kind begins
  struct Child {                 // of a channel of a space
    ConversationId space;
    std::uint32_t number = 0;
    std::uint64_t entry = 0;             // of the creator, into the space
    std::vector<std::uint64_t> entries;  // of the members
  };
  Child child{};
};

/// What a user may see of a conversation, and where it stands, at one instant of its home.
struct Access {
  ConversationKind kind = ConversationKind::group;
  std::string title, avatar;
  bool archived = false;
  UserId peer;             // direct: the other user
  Role role = Role::none;  // none: a former member (left_at != 0); strangers get Errc::denied
  Audiences audiences = 1;
  bool unheard = false;  // the user's signals are for nobody
  bool ignores = false;  // direct: the user blocks the peer
  Seq visible_from = 1;
  std::uint64_t visible_ordinal = 0;
  Seq left_at = 0;  // former member: the last seq they may see
  Cursor head;
  std::uint64_t head_ordinal = 0;
  Seq floor = 1;
  Mark floor_mark = 0;
  std::uint64_t floor_ordinal = 0;
  std::int64_t shown_ms = 0;   // the last event that everybody sees
  layout::ReceiptRow receipt;  // the user's own
  std::uint64_t deleted = 0;   // countable messages after what the user read that are gone for it
  std::uint64_t mentions = 0;  // unread messages that mention the user
  std::uint64_t members = 0;
  OwnDeletionsPtr deletions{};  // what the user deleted for itself alone
  ConversationId space;         // that a channel belongs to
};

/// The events that a user may read, inclusive; a former member's end where the membership did.
struct Visible {
  Seq first = 1, last = 0;  // 0: the head, whatever it is
  Reader reader;
  bool ended = false;  // with `last`
};

/// A message as it stands, for somebody who may read it.
struct Forwardable {
  Payload record;
  bool open = false;  // everybody may come and read it where it is
};

/// Consecutive committed events, shared by every shard that follows the conversation. When one ends
/// or changes somebody's access, it is the last one here (an authority event ends a joined buffer).
struct Published {
  ConversationId conversation;
  ConversationKind kind = ConversationKind::group;
  Epoch epoch;
  Seq first = 0;
  std::vector<Payload> records;
  Mark before = 0;                 // mark before `first`
  Mark mark = 0;                   // mark after the last record
  std::uint64_t head_ordinal = 0;  // after the last record
  UserId ended;                    // whose access ended with the last record; none mostly
  UserId changed;                  // who may see other audiences after it; none mostly
  bool everybody = false;          // anybody's access may be another after it
  ConversationId opened;  // the channel that is open to the space from there on; none mostly
  bool for_all = true;    // everybody may see every record
  [[nodiscard]] Seq last() const noexcept { return first + records.size() - 1; }
};

/// A position that moved, as its user and as others may know it.
struct MovedReceipt {
  Receipt own;
  Seq shown = 0;          // others: in place of own.read
  bool own_only = false;  // others are told nothing
};

/// What a home needs of its shard. Thread: the shard's; never re-enters the conversation.
class ConversationHost : public WakeStore {
 public:
  virtual Effects& effects() noexcept = 0;
  virtual layout::Namespace ns() const noexcept = 0;
  virtual Snowflake next_snowflake() = 0;
  virtual void published(std::shared_ptr<const Published> events) = 0;
  /// `head`: the last seq; who has not read up to there has something unread.
  virtual void receipts_moved(const ConversationId& id, ConversationKind kind,
                              const std::vector<MovedReceipt>& receipts, Seq head) = 0;
  /// A channel's member went by itself: no event says so.
  virtual void access_ended(const ConversationId& id, UserId user, Seq last) = 0;
  /// Whether that text grows there, and somebody else is its sender; not one that nobody hears.
  virtual bool grows_for_another(const ConversationId& id, Snowflake stream, UserId user) = 0;
  /// A message at its own home, for the reader who forwards it: Conversation::read_message.
  virtual void read_message(const ForwardOf& which, Caller reader, Then<Forwardable> then) = 0;
  /// Rows of the members of a channel or a space are stored: who is in, and how many, may be
  /// another.
  virtual void members_changed(const ConversationId& id, ConversationKind kind) = 0;
  /// Whom the user hears, or is heard by, is another from here on: no event says so.
  virtual void hearing_changed(const ConversationId& id, UserId user) = 0;
  /// The user deleted these messages, of `all` that there are now, for itself alone.
  virtual void deleted_for_one(const ConversationId& id, UserId user, OwnDeletionsPtr all,
                               std::vector<Seq> fresh) = 0;
  /// It was deleted: nobody follows it any more.
  virtual void conversation_ended(const ConversationId& id) = 0;
  /// These users are no members any more. Answers when their lists say so.
  virtual void drop_from_lists(const ConversationId& id, ConversationKind kind,
                               std::vector<UserId> users, Then<void> then) = 0;
  /// These users wait to be let in, and the event at `seq` says that nobody is any more. Answers
  /// when their lists say so.
  virtual void refuse_requests(const ConversationId& id, std::vector<UserId> users, Seq seq,
                               Then<void> then) = 0;
  // Spaces. Each answers when the other home has stored it.
  /// Those of the users who are in limits::spaces already, as their lists say.
  virtual void full_of_spaces(std::vector<UserId> users, Then<std::vector<UserId>> then) = 0;
  /// A channel of this space is to be born; answers what the caller has there.
  virtual void bear_child(const ConversationId& child, Caller creator, Creation creation,
                          Then<Access> then) = 0;
  virtual void end_child(const ConversationId& child, Then<void> then) = 0;
  /// What the users are in the space of the channel that has that number there; one answer each.
  virtual void space_rights(const ConversationId& space, std::uint32_t child,
                            std::vector<UserId> users,
                            std::function<void(UserId, Result<SpaceRight>)> then) = 0;
  /// A page of the members of a space, as the system sees it.
  virtual void space_members(const ConversationId& space, wire::Members asked,
                             Then<wire::MembersPage> then) = 0;
  /// What the user is in this space has changed, or it is gone (no user: for everybody); `gone`:
  /// is not in it any more. `then`: nothing of before holds anywhere.
  virtual void space_changed(const ConversationId& space, UserId user, bool gone,
                             std::function<void()> then) = 0;
  /// A channel of that space is here, in memory.
  virtual void child_loaded(const ConversationId& space, const ConversationId& child) = 0;
  /// This channel of a space is deleted.
  virtual void child_gone(const ConversationId& space, const ConversationId& child,
                          Then<void> then) = 0;
  /// A commit with a note was done: the change feed has news.
  virtual void feed_moved() = 0;
  /// There is nothing in the store: the home may go as soon as it is idle.
  virtual void found_absent(const ConversationId& id) = 0;
  /// The names of users, as far as there are such users; at once where they are known.
  virtual void names_of(std::vector<UserId> users, Then<std::vector<UserName>> then) = 0;
  /// The wall clock for what expires: a jump of it counts once it has been stable for a minute.
  virtual std::int64_t settled_wall_ms() = 0;
  /// Runs `work` on this shard after everything that is waiting there now.
  virtual void later(Effects::Work work) = 0;

 protected:
  ~ConversationHost() = default;
};

/// What the host's options say of conversations. Some of it may change between two inputs.
struct ConversationLimits {
  std::size_t max_body = limits::body_default;
  std::chrono::milliseconds edit_window = limits::edit_window;
  std::size_t group_members = limits::group_members;
  std::size_t channel_members = limits::channel_members;
  Permissions permissions;
  MessageHook before_message;
  bool looks_at_messages = false;  // Effects::look_at
  JoinHook on_join;
};

/// One conversation at its home shard. Created empty and loads itself on the first operation;
/// operations wait for the load. One commit in flight at most; what arrives meanwhile gathers and
/// is validated in order against the speculative state (committed + pending). Answers come after
/// the commit that they depend on. Every operation is answered exactly once, on this shard.
class Conversation {
 public:
  /// `limits` outlive it.
  Conversation(ConversationHost& host, ConversationId id, const ConversationLimits& limits);
  Conversation(ConversationHost& host, ConversationId id,
               const ConversationLimits&& limits) = delete;
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Births: idempotent (an existing conversation answers with its Access). Members are unique ids.
  void create(Caller caller, Creation creation, Then<Access> then);
  void create_direct(UserId first, UserId second, UserId asking, Then<Access> then);

  // Spaces: their channels.
  /// One is born under that id, if it was not: answers what the caller has there.
  void create_child(Caller caller, const ConversationId& child, Creation creation,
                    Then<Access> then);
  /// The channel's event `as_of` says whether it is open to the space.
  void child_changed(const ConversationId& child, bool open, std::string title, Seq as_of,
                     Then<void> then);
  void child_gone(const ConversationId& child, Then<void> then);
  /// What the user is in this space, as it is when `then` runs; who is not in it has no role.
  void right(UserId user, std::uint32_t child, Then<SpaceRight> then);
  /// Of a channel of a space: what that said of the user is no more so (no user: of anybody).
  /// `then`: nothing that was let through by it is under way.
  void right_changed(UserId user, std::function<void()> then);

  void send(Caller caller, wire::Send&& send, base::UniqueFunction<void(Result<Ack>)> then);
  /// Whether it could be sent now, as far as its content and the caller's rights go.
  void may_send(Caller caller, const wire::Send& send, Then<void> then);
  void join(Caller caller, Then<Access> then);
  /// With a link of this conversation; Errc::denied when it does not hold.
  void join(Caller caller, const layout::InviteSecret& invite, Then<Access> then);
  void create_invite(Caller caller, InviteOptions options, Then<Invite> then);
  /// Nothing when there is no such link.
  void revoke_invite(Caller caller, const layout::InviteSecret& invite, Then<void> then);
  /// Those that the caller could make, the oldest first.
  void invites(Caller caller, Then<std::vector<Invite>> then);
  void request_join(Caller caller, std::string note, Then<void> then);
  void answer_request(Caller caller, UserId user, bool approve, Then<void> then);
  void join_requests(Caller caller, const wire::JoinRequests& asked,
                     Then<wire::JoinRequestsPage> then);
  void leave(Caller caller, Then<void> then);
  void add(Caller caller, std::vector<UserId> users, Then<void> then);
  void remove(Caller caller, UserId user, Then<void> then);
  void set_role(Caller caller, UserId user, Role role, Then<void> then);
  /// `user` becomes an owner and the caller an admin, or neither.
  void transfer(Caller caller, UserId user, Then<void> then);
  /// Direct: one of the pair blocks the other from here on, or does no more; stored before.
  void block_changed(UserId blocker, bool on);
  void set_visibility(Caller caller, wire::SetVisibility set, Then<void> then);
  void set_settings(Caller caller, SettingsUpdate settings, Then<void> then);
  /// Mutes or bans, or lifts that.
  void restrict(Caller caller, wire::Restrict asked, Then<void> then);

  // Changes of messages: each answers when it is stored, and at once when it is so already.
  void edit(Caller caller, Seq seq, std::string content_type, Payload body, Then<void> then);
  void delete_message(Caller caller, Seq seq, Then<void> then);
  void pin(Caller caller, Seq seq, bool on, Then<void> then);
  void react(Caller caller, Seq seq, std::string key, bool on, Then<void> then);
  /// Answers with what is chosen now.
  void vote(Caller caller, Seq seq, const std::vector<std::uint8_t>& options, Then<Ballot> then);
  void close_poll(Caller caller, Seq seq, Then<void> then);
  /// From the caller's own view, for ever. Answers once it is stored and every shard that follows
  /// knows.
  void delete_for_me(Caller caller, std::vector<Seq> seqs, Then<void> then);
  /// What somebody deleted that way, member or not.
  void deleted_by(UserId user, Then<std::vector<Seq>> then);
  /// The change feed says that the reactions on a message have this revision: answers when the
  /// stream tells at least that.
  void retell(Seq seq, std::uint64_t revision, Then<void> then);

  /// A wake-up of this conversation: does what is due by then, and answers once the next one is
  /// stored.
  void wake(std::int64_t now_ms, Then<void> then);
  void set_retention(Caller caller, Retention keep, Then<void> then);
  void retention(Caller caller, Then<Retention> then);
  /// Deletes it for good. Answers once it is absent for everybody; the rest follows.
  void end(Caller caller, Then<void> then);

  /// Merged by maximum, committed together after limits::receipt_delay, then announced. Answers at
  /// once with what was accepted (clamped to what the user may see).
  void mark_read(Caller caller, Seq received, Seq read, Then<void> then);

  /// How many others have read up to there, as far as they let it be known. Cost: the members of a
  /// direct conversation or group; in a channel some rows of each receipt partition, however many
  /// members there are.
  void seen(Caller caller, Seq seq, Then<std::uint64_t> then);

  /// Errc::denied for strangers and for what does not exist.
  /// `told`: a seq that the store has shown to the caller. While a commit is under way that may
  /// have made it, the answer waits for the verdict, so that the head is not below it.
  void access(UserId user, Then<Access> then, Seq told = 0);
  /// The same decision, of which a page of history needs no more than this.
  void visible(UserId user, Then<Visible> then);
  /// Errc::denied, or nothing when the caller is a member who may.
  void allows(Caller caller, Action action, Then<void> then);
  /// Whether the user could write now, as far as rights and mutes go; true: and be heard.
  void may_write(Caller caller, Then<bool> then);
  void members(Caller caller, wire::Members asked, Then<wire::MembersPage> then);
  void count_members(Caller caller, Then<std::uint64_t> then);
  void info(Caller caller, Then<ConversationInfo> then);
  void restrictions(Caller caller, wire::Restrictions asked, Then<wire::RestrictionsPage> then);
  void pins(Caller caller, Then<std::vector<Payload>> then);
  // Threads: what is committed now is in all of them.
  void thread(Caller caller, wire::Thread asked, Then<wire::ThreadPage> then);
  void threads(Caller caller, wire::Threads asked, Then<wire::ThreadsPage> then);
  void follow_thread(Caller caller, Seq root, bool on, Then<wire::ThreadState> then);
  void read_thread(Caller caller, Seq root, Seq seq, Then<wire::ThreadState> then);
  /// Answers once what is committed now is with all who follow it; at once when nothing is kept.
  void threads_moved(Then<void> then);
  void reactors(Caller caller, wire::Reactors asked, Then<wire::ReactorsPage> then);
  void ballot(Caller caller, Seq seq, Then<Ballot> then);
  void voters(Caller caller, const wire::Voters& asked, Then<wire::VotersPage> then);
  /// Which of these are members now; the caller must be one.
  /// A message that the reader may see, not deleted; else Errc::denied.
  void read_message(Caller reader, Seq seq, Then<Forwardable> then);
  void check_members(Caller caller, std::vector<UserId> users, Then<std::vector<UserId>> then);

  /// The engine closes: what waits for its time is committed now.
  void hurry();
  /// Nothing was wanted for a while: rows that can be read again leave memory.
  void rest();
  /// Nothing pending, in flight or waiting: may be dropped from memory.
  [[nodiscard]] bool idle() const noexcept;
  /// Nothing is known of it, and nobody waits for anything.
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] const ConversationId& id() const noexcept { return id_; }

 private:
  struct State;
  ConversationId id_;
  std::unique_ptr<State> state_;
};

}  // namespace parley::core
