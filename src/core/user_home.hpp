// core/user_home.hpp: a user's own stream at its home: the conversation list, devices, settings,
// presence, and the sync token (DESIGN §6). Its functions are in user_home.cpp (loading, changes),
// user_changes.cpp (what each change does), user_list.cpp, user_counts.cpp (what is unread),
// user_presence.cpp, user_schedule.cpp and user_end.cpp.
#pragma once
#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/shard.hpp"
#include "core/sync_token.hpp"
#include "core/timers.hpp"
#include "store/layout.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// One attached session, as the home of its user knows it.
struct UserSession {
  SessionRef ref;
  DeviceId device;
  std::string device_name;  // "" = ephemeral
  PresenceState state = PresenceState::online;
  bool shown = true;  // what its shard knows: others can see its user
  /// The last announcement that is not for it: one that began before it had its list has a token
  /// for changes that it is told later.
  std::uint64_t told_after = std::numeric_limits<std::uint64_t>::max();
};

/// The list entry that a membership leads to; derived, idempotent, newest state wins.
struct ListChange {
  ConversationId conversation;
  layout::ListRow row;
};

/// What became of a request to join; derived, idempotent, the newest event wins.
struct RequestChange {
  ConversationId conversation;
  layout::OwnRequestRow row;
};

/// One user. The list rows are derived from memberships by the feed follower; every change is an
/// event of the user's stream, committed with its row under the head cell. The last
/// `kept_events` events are kept: an older token is answered with the whole list.
class UserHome {
 public:
  static constexpr Seq kept_events = 256;

  /// `sessions`: attached to an earlier home of the user, which take_sessions() emptied.
  UserHome(ShardState& shard, UserId id, std::vector<UserSession> sessions = {});

  /// A session came: what changed since its token (or everything, or the first page of it), and it
  /// is told what follows. Errc::device_revoked, limit_reached.
  void attach(UserSession session, std::string sync_token, std::uint32_t list_limit,
              Then<wire::ListChanged> then);
  void detach(SessionRef session);
  void sync(wire::Sync asked, Then<wire::ListChanged> then);
  void page(wire::PageList asked, Then<wire::ListPage> then);
  /// Adds what the user set about the conversation, where it is in the list.
  void with_settings(ListEntry entry, Then<ListEntry> then);
  /// Each answers when the change is committed, or was known.
  void change(ListChange change, Then<void> then);
  void change(RequestChange change, Then<void> then);
  /// Answers once nobody of the pair is heard any more, or is again.
  void block(UserId other, bool on, Then<void> then);
  void blocked(Then<std::vector<UserId>> then);
  /// The user sets something about a conversation of the list; Errc::denied when it is not there.
  void set(wire::SetList set, Then<void> then);
  /// Answers what is set then.
  void set(UserSettingsChange change, Then<UserSettings> then);

  /// Whether so many sessions are told that the user's own position moved: what is unread follows
  /// from it. `to_head`: nothing is, and the session that read to the head knows.
  [[nodiscard]] static bool told_of_position(std::size_t sessions, bool to_head) noexcept {
    return sessions > (to_head ? 1 : 0);
  }
  void position_moved(const ConversationId& conversation, bool to_head);
  /// The user deleted these messages for itself alone, and stored is that.
  void deleted_for_me(const ConversationId& conversation, const std::vector<Seq>& messages);

  /// To all sessions of the user.
  void tell(const wire::Answer& answer);

  // Messages to be sent later (user_schedule.cpp).
  /// Answers with the message as it waits; Errc::denied when its conversation is not open to the
  /// user now. With an id: in place of that one.
  void schedule(wire::Schedule schedule, Then<wire::Scheduled> then);
  void unschedule(Snowflake id, Then<void> then);
  void scheduled(Then<wire::Scheduled> then);
  /// A wake-up of this user: sends what is due by then; answers once it is sent, or was refused for
  /// good, and the next wake-up is stored.
  void wake(std::int64_t now_ms, Then<void> then);

  void devices(Then<wire::DeviceList> then);
  void rename_device(DeviceId device, std::string name, Then<void> then);
  /// Its sessions are closed; the device is refused from here on.
  void revoke_device(DeviceId device, Then<void> then);

  // The end of a user (user_end.cpp).
  /// Every conversation that the user is in, or ever was.
  /// In how many spaces the user is, as the list says.
  void spaces(Then<std::size_t> then);
  void places(Then<wire::Places> then);
  /// Closes the sessions, and everything that the user keeps leaves the store.
  void forget(Then<void> then);

  // Presence: watchers get at most one update a period; the present state is the answer. A user's
  // own sessions see it as it is.
  void set_state(SessionRef session, PresenceState state);
  /// `user`: whose session that is.
  void watch(SessionRef watcher, UserId user, std::function<void(const Presence&)> then);
  void unwatch(SessionRef watcher);

  /// Nothing is under way, and nobody is told of changes but its own sessions.
  [[nodiscard]] bool idle() const noexcept;
  [[nodiscard]] std::vector<UserSession> take_sessions() noexcept { return std::move(sessions_); }
  [[nodiscard]] std::chrono::steady_clock::time_point used() const noexcept { return used_; }

 private:
  // What is to become of the partition; `row`: as the change leaves it.
  struct ListSet {
    ConversationId conversation;
    ListSettings settings;
    std::uint64_t head_ordinal = 0;  // when it is hidden
    layout::ListRow row;
    bool inherited = false;  // the user is in it by a space
  };
  struct DeviceSet {
    enum class What : std::uint8_t { seen, renamed, revoked } what = What::seen;
    DeviceId device;     // 0: all ephemeral ones together
    std::string name;    // as it said hello; renamed: the new one
    bool shown = false;  // seen: others can see the user there
    layout::DeviceRow row;
    bool told = false;                // to the other devices: more than a time has changed
    std::vector<DeviceId> forgotten;  // make room
  };
  struct SettingsSet {
    UserSettingsChange change;
    layout::SettingsRow row;
  };
  struct BlockChange {
    UserId other;
    bool on = true;
  };
  struct ScheduledChange {
    Snowflake id = 0;
    bool fresh = false;                       // else it must be there
    std::optional<layout::ScheduledRow> row;  // none: gone
    ConversationId conversation;
  };
  struct Change {
    std::variant<ListChange, ListSet, DeviceSet, SettingsSet, ScheduledChange, RequestChange,
                 BlockChange>
        what;
    Then<void> then;
  };
  /// What a list is told beside the entries.
  struct News {
    std::vector<ConversationId> conversations;
    bool devices = false, settings = false, requests = false, blocks = false;
    [[nodiscard]] bool empty() const noexcept {
      return conversations.empty() && !devices && !settings && !requests && !blocks;
    }
    void add(const News& more);
  };
  struct Watcher {
    UserId user;
    bool blocked = false;  // by this user
  };
  struct Listing;  // one list on its way from the store: user_list.cpp
  struct Write;    // memory of a commit: user_write.hpp

  void load(std::function<void(Error)> then);
  void load_profile(Rows list);
  void loaded(const Rows& list, const Rows& profile);
  void load_finished(const Error& error);
  void queue(Change change);
  void commit_changes();
  void decide_anew();
  void submit(std::shared_ptr<Write> write);
  void committed(std::shared_ptr<Write> write, Committed result);
  void settle(std::shared_ptr<Write> write);
  void forgotten(Write& write);

  // user_changes.cpp. `known`: nothing is to be written.
  Error decide(Change& change, bool& known) const;
  Error decide(ListChange& change, bool& known) const;
  Error decide(ListSet& change, bool& known) const;
  Error decide(DeviceSet& change, bool& known) const;
  Error decide(SettingsSet& change, bool& known) const;
  Error decide(ScheduledChange& change, bool& known) const;
  Error decide(RequestChange& change, bool& known) const;
  Error decide(BlockChange& change, bool& known) const;
  void stage(Write& write, layout::HeadCell& head, const Change& change);
  void stage_list(Write& write, const ConversationId& id, const layout::ListRow& row,
                  const std::optional<std::string>& draft);
  void stage_event(Write& write, layout::HeadCell& head, EventKind kind,
                   const ConversationId& conversation = {},
                   ConversationKind conversation_kind = ConversationKind{});
  void stage_request(Write& write, const RequestChange& change);
  [[nodiscard]] std::vector<OwnRequest> request_list() const;
  void tell_pair(UserId other, bool on, Then<void> then);
  void came_true(const Change& change, News& news);
  void close_sessions(DeviceId device);
  void forget_places(const std::shared_ptr<std::vector<ConversationId>>& places,
                     const Then<void>& then);
  void note_seen(const UserSession& session, bool shown);
  [[nodiscard]] bool in_use(DeviceId device) const noexcept;
  [[nodiscard]] std::vector<DeviceId> oldest(const DeviceSet& change, std::size_t most) const;
  [[nodiscard]] std::vector<Device> device_list() const;
  [[nodiscard]] UserSettings settings() const;

  void announce_later(const News& news);
  void announce();
  void listed();

  // user_list.cpp
  void listing(wire::Sync asked, std::uint32_t limit, Then<wire::ListChanged> then);
  void list_everything(std::shared_ptr<Listing> work);
  void guess(Listing& work, const ConversationId& id);
  void entries(const News& news, Then<wire::ListChanged> then);
  void read_activity(std::shared_ptr<Listing> work);
  void cut_page(Listing& work);
  void list_since(std::shared_ptr<Listing> work, std::vector<ConversationId> named);
  void read_entries(std::shared_ptr<Listing> work);
  void entries_read(std::shared_ptr<Listing> work, std::size_t from, Result<Cells> cells);
  static void count_unread(Listing& work, ListEntry& entry, const layout::ListRow& row,
                           const layout::HeadCell& head,
                           const std::optional<layout::ReceiptRow>& receipt,
                           const std::optional<layout::MemberRow>& member);
  void read_drafts(std::shared_ptr<Listing> work);
  // user_counts.cpp
  void read_own_deletions(std::shared_ptr<Listing> work);
  void count_mentions(std::shared_ptr<Listing> work);
  void count_deleted(std::shared_ptr<Listing> work);
  void add_last_records(std::shared_ptr<Listing> work);
  void add_last_record(std::shared_ptr<Listing> work, std::size_t i);
  void still_member(std::shared_ptr<Listing> work, std::size_t i);
  void finish(Listing& work);
  [[nodiscard]] std::string make_token() const;
  [[nodiscard]] std::optional<SyncToken> known_token(std::string_view text) const;

  // user_spaces.cpp
  void expand(std::shared_ptr<Listing> work);
  using EachRow = std::function<void(const Row&)>;
  void scan_space(const ConversationId& space, std::string from, std::string until, EachRow each,
                  Then<std::optional<layout::HeadCell>> then,
                  std::optional<layout::HeadCell> head = std::nullopt);
  struct Children {
    std::vector<ConversationId> ids;
    Seq as_of = 0;  // the space's head then
  };
  void scan_children(const ConversationId& space, Then<Children> then);
  void read_children(std::shared_ptr<Listing> work, const ConversationId& space,
                     std::function<void()> then);
  static void compare_space(Listing& work, const ListEntry& entry,
                            const std::optional<layout::MemberRow>& member);
  void follow_heads(std::shared_ptr<Listing> work);
  void look_again(std::shared_ptr<Listing> work);
  void expand_next(std::shared_ptr<Listing> work, std::vector<ConversationId> spaces);
  void expanded(std::shared_ptr<Listing> work);
  void read_right(std::shared_ptr<Listing> work, const ConversationId& space,
                  std::function<void()> then);
  void judge(std::shared_ptr<Listing> work, const ConversationId& space,
             std::vector<ConversationId> ids, std::function<void()> then);
  void judge_again(std::shared_ptr<Listing> work);
  enum class Told : std::uint8_t { entry, nothing, later };
  Told by_its_space(Listing& work, std::size_t i, const std::optional<layout::InfoRow>& info,
                    std::optional<layout::MemberRow>& member);
  void still_inherited(std::shared_ptr<Listing> work, std::size_t i);
  static void add_children(Listing& work);
  void drop_child(const ConversationId& id);
  void drop_children(const ConversationId& space);
  void failed(Listing& work, const Error& error);
  void set_known(ListSet change, Then<void> then);
  void set_inherited(ListSet change, Then<void> then);
  void add_places(std::shared_ptr<wire::Places> all, std::vector<ConversationId> spaces,
                  Then<wire::Places> then);

  // user_schedule.cpp
  struct Waiting {  // a scheduled message, as far as it is in memory
    std::int64_t due_ms = 0;
    ConversationId conversation;
    std::size_t bytes = 0;
    bool failed = false;
  };
  struct Sending;  // what is due, one after the other
  void read_scheduled(std::string from);
  [[nodiscard]] std::optional<std::int64_t> next_due() const;
  void change_scheduled(ScheduledChange change, Then<void> then);
  void stage_scheduled(Write& write, layout::HeadCell& head, const ScheduledChange& change);
  void announce_scheduled(const std::vector<ScheduledChange>& changes);
  void send_due();
  void send_next(const std::shared_ptr<Sending>& work);
  void sent(const std::shared_ptr<Sending>& work, Snowflake id, layout::ScheduledRow row,
            const Error& error);
  void all_sent(const std::shared_ptr<Sending>& work);

  // user_presence.cpp
  [[nodiscard]] Error check_device(const UserSession& session) const;
  [[nodiscard]] PresenceState state() const noexcept;
  [[nodiscard]] bool visible() const noexcept;
  /// After `change` of the sessions: keeps the moment when others saw the user last.
  void sessions_changed(const std::function<void()>& change);
  void presence_later();
  void announce_presence();
  [[nodiscard]] Presence presence(bool own) const;
  [[nodiscard]] Presence presence_for(const Watcher& watcher) const;
  void watchers_changed(UserId user, bool blocked);
  void with_profile(std::function<void()> then);
  void read_profile(std::function<void()> then);

  ShardState& shard_;
  UserId id_;
  std::string partition_;
  bool loaded_ = false, loading_ = false, committing_ = false;
  std::string guard_;  // as the store has it
  layout::HeadCell head_;
  std::unordered_map<ConversationId, layout::ListRow> list_;
  std::vector<std::function<void(Error)>> waiting_;
  std::unordered_map<DeviceId, layout::DeviceRow> devices_;
  layout::SettingsRow settings_;
  std::unordered_map<ConversationId, layout::OwnRequestRow> requests_;
  std::set<UserId> blocked_;
  std::list<Change> changes_;
  int operations_ = 0;  // reads under way
  News to_announce_;    // committed, and not yet told to the sessions
  News changed_;        // committed while lists were read: told again after them
  int listings_ = 0;    // lists being read
  std::shared_ptr<const int> read_from_ = std::make_shared<const int>(0);  // held by each Listing
  std::uint64_t announcements_ = 0;                                        // that have begun
  bool announcing_ = false;

  std::map<Snowflake, Waiting> scheduled_;  // with what is being committed
  bool sending_ = false;
  std::vector<std::pair<std::int64_t, Then<void>>> wakers_;  // up to when, and who asked
  WakeUp wake_up_;

  std::vector<UserSession> sessions_;
  std::unordered_map<SessionRef, Watcher, SessionRef::Hash> watchers_;
  bool profile_read_ = false;           // settings_ and last_shown_ms_ without the rest
  std::int64_t last_shown_ms_ = 0;      // when others could see the user last
  Presence announced_, announced_own_;  // what watchers were told last
  Effects::Timer presence_timer_ = Effects::Timer::none;
  std::chrono::steady_clock::time_point presence_at_{};  // the last announcement
  std::chrono::steady_clock::time_point used_{};
};

}  // namespace parley::core
