// core/user_home.hpp: a user's own stream at its home: the conversation list, devices, presence,
// and the sync token (DESIGN §6).
#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/shard.hpp"
#include "core/timers.hpp"
#include "store/layout.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// One attached session, as the home of its user knows it.
struct UserSession {
  SessionRef ref;
  DeviceId device;
  std::string device_name;
};

/// The list entry that a membership leads to; derived, idempotent, newest state wins.
struct ListChange {
  ConversationId conversation;
  layout::ListRow row;
};

/// One user. The list rows are derived from memberships by the feed follower; every change is an
/// event of the user's stream, committed with its row under the head cell. The last
/// `kept_events` events are kept: an older token is answered with the whole list.
class UserHome {
 public:
  static constexpr Seq kept_events = 256;

  UserHome(ShardState& shard, UserId id);

  /// A session came: what changed since its token (or everything), and it is told what follows.
  void attach(UserSession session, std::string sync_token, Then<wire::ListChanged> then);
  void detach(SessionRef session);
  void sync(std::string sync_token, Then<wire::ListChanged> then);
  /// Answers when the change is committed, or was known.
  void change(ListChange change, Then<void> then);
  /// The user sets something about a conversation of the list; Errc::denied when it is not there.
  void set(wire::SetList set, Then<void> then);

  /// The user's own position moved: what is unread follows from it. `to_head`: nothing is.
  void position_moved(const ConversationId& conversation, bool to_head);

  /// To all sessions of the user.
  void tell(wire::Answer answer);

  // Messages to be sent later (user_schedule.cpp).
  /// Answers with the message as it waits; Errc::denied when its conversation is not open to the
  /// user now. With an id: in place of that one.
  void schedule(wire::Schedule schedule, Then<wire::Scheduled> then);
  void unschedule(Snowflake id, Then<void> then);
  void scheduled(Then<wire::Scheduled> then);
  /// A wake-up of this user: sends what is due by then; answers once it is sent, or was refused for
  /// good, and the next wake-up is stored.
  void wake(std::int64_t now_ms, Then<void> then);

  // Presence: watchers get at most one update a period; the present state is the answer.
  void watch(SessionRef watcher, std::function<void(const Presence&)> then);
  void unwatch(SessionRef watcher);

  [[nodiscard]] bool idle() const noexcept;
  [[nodiscard]] std::chrono::steady_clock::time_point used() const noexcept { return used_; }

 private:
  struct ScheduledChange {
    Snowflake id = 0;
    bool fresh = false;                       // else it must be there
    std::optional<layout::ScheduledRow> row;  // none: gone
  };
  struct Change {
    ListChange change{};  // `row`: as the change leaves it
    std::optional<ListSettings> set{};
    std::optional<ScheduledChange> scheduled{};  // nothing else then
    Then<void> then{};
  };
  struct Listing;  // one list on its way from the store: user_list.cpp
  struct Write;    // memory of a commit
  struct Token {
    Epoch epoch;
    Seq seq = 0;
    Mark mark = 0;
    std::int64_t stamp_ms = 0;
  };

  void load(std::function<void(Error)> then);
  void loaded(Result<Rows> rows);
  void load_finished(Error error);
  void commit_changes();
  Error decide(Change& change, bool& known) const;
  void stage(Write& write, layout::HeadCell& head, const Change& change);
  void submit(std::shared_ptr<Write> write);
  void committed(std::shared_ptr<Write> write, Committed result);
  void settle(std::shared_ptr<Write> write);
  void announce_later(const std::vector<ConversationId>& ids);
  void announce();
  void listed();

  // user_list.cpp
  void listing(std::string token, Then<wire::ListChanged> then);
  void entries(std::vector<ConversationId> ids, Then<wire::ListChanged> then);
  void list_since(std::shared_ptr<Listing> work, const std::vector<ConversationId>& named);
  void read_entries(std::shared_ptr<Listing> work);
  void entries_read(std::shared_ptr<Listing> work, std::size_t from, Result<Cells> cells);
  void read_drafts(std::shared_ptr<Listing> work);
  void count_mentions(std::shared_ptr<Listing> work);
  void count_deleted(std::shared_ptr<Listing> work);
  void add_last_records(std::shared_ptr<Listing> work);
  void add_last_record(std::shared_ptr<Listing> work, std::size_t i);
  void still_member(std::shared_ptr<Listing> work, std::size_t i);
  void finish(Listing& work);
  [[nodiscard]] std::string make_token() const;
  [[nodiscard]] std::optional<Token> parse_token(std::string_view text) const;

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
  [[nodiscard]] Error decide_scheduled(const ScheduledChange& change) const;
  void stage_scheduled(Write& write, layout::HeadCell& head, const ScheduledChange& change);
  void announce_scheduled(const std::vector<ScheduledChange>& changes);
  void send_due();
  void send_next(const std::shared_ptr<Sending>& work);
  void sent(const std::shared_ptr<Sending>& work, Snowflake id, layout::ScheduledRow row,
            const Error& error);
  void all_sent(const std::shared_ptr<Sending>& work);

  void presence_later();
  void announce_presence();
  [[nodiscard]] Presence presence() const;
  void save_last_seen(const UserSession& session);
  void read_last_seen(std::function<void()> then);

  ShardState& shard_;
  UserId id_;
  std::string partition_;
  bool loaded_ = false, loading_ = false, committing_ = false;
  std::string guard_;  // as the store has it
  layout::HeadCell head_;
  std::unordered_map<ConversationId, layout::ListRow> list_;
  std::vector<std::function<void(Error)>> waiting_;
  std::list<Change> changes_;
  struct DeviceWrite {
    DeviceId id;
    layout::DeviceRow row;
  };
  std::vector<DeviceWrite> devices_;         // to be written with the next commit
  int operations_ = 0;                       // reads under way
  std::vector<ConversationId> to_announce_;  // committed, and not yet told to the sessions
  std::vector<ConversationId> changed_;  // committed while lists were read: told again after them
  int listings_ = 0;                     // lists being read
  bool announcing_ = false;

  std::map<Snowflake, Waiting> scheduled_;  // with what is being committed
  bool sending_ = false;
  std::vector<std::pair<std::int64_t, Then<void>>> wakers_;  // up to when, and who asked
  WakeUp wake_up_;

  std::vector<UserSession> sessions_;
  std::vector<SessionRef> watchers_;
  std::int64_t last_seen_ms_ = 0;
  bool announced_online_ = false;
  Effects::Timer presence_timer_ = Effects::Timer::none;
  std::chrono::steady_clock::time_point presence_at_{};  // the last announcement
  std::chrono::steady_clock::time_point used_{};
};

}  // namespace parley::core
