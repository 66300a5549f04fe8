// core/session.hpp: the sessions of a shard: hello, requests and their answers, subscriptions,
// refill from the store.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/slot_map.hpp"
#include "core/effects.hpp"
#include "core/event_reader.hpp"
#include "core/fan.hpp"
#include "core/outlet.hpp"
#include "core/shard.hpp"
#include "core/sync_token.hpp"
#include "core/tickets.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// One live attachment of a device.
struct SessionState {
  static constexpr std::uint32_t no_slot = ~std::uint32_t{0};
  enum class Phase : std::uint8_t { hello, attaching, ready, closed };
  struct Follow {
    Fan* fan = nullptr;
    std::uint32_t index = 0;  // in fan->subscriptions
  };
  struct Open {
    std::uint32_t number = 0;
    std::uint32_t charge = 0;  // bytes against limits::ingress
    std::uint32_t page = 0;    // bytes against limits::paging, while its page is read
  };
  struct Pages {                         // of those who ask for pages of messages
    std::vector<wire::Request> waiting;  // up to limits::in_flight, the first to come first
    std::size_t reading = 0;             // bytes
    bool in_line = false;
  };
  struct Watched {
    ConversationId conversation;
    UserId user;         // whole: none in the entry of the conversation itself
    bool whole = false;  // by OnlineWatchers; else the client named the user
  };
  struct Greeting {  // until it is ready
    std::string subject;
    std::string device_name;  // "" = ephemeral
    Effects::Timer timer = Effects::Timer::none;
  };
  struct SignalBudget {  // a sender and conversation; the four used last
    ConversationId conversation;
    std::chrono::steady_clock::time_point since{};
    int used = 0;
  };
  struct Interests {  // of those who watch others or signal: most do not
    std::vector<Watched> watched;
    std::vector<SignalBudget> signals;
  };

  Outlet* outlet = nullptr;
  SessionSetup::Kind kind = SessionSetup::Kind::link;
  Phase phase = Phase::hello;
  bool auto_subscribe = false;
  std::uint32_t reading = 0;             // bytes at most of the refill that is with the store
  bool hides_reads = false;              // UserSettings::hide_reads
  bool shows_user = false;               // others can see its user
  std::uint16_t attempts = 0;            // Subscribe items so far
  std::uint32_t requests = 0;            // in the second that began at requests_since
  std::uint32_t next_of_user = no_slot;  // another session of the same user here
  std::uint32_t generation = 0;
  std::chrono::steady_clock::time_point requests_since{};
  std::vector<Open> open;  // requests without an answer
  UserId user;
  DeviceId device;
  std::unique_ptr<Greeting> greeting;
  SyncToken list_token;               // with the last list it was sent
  Ticket ticket;                      // that it was given
  std::vector<Follow> follows;        // ascending by fan, up to limits::subscriptions
  std::list<ConversationId> to_fill;  // filling subscriptions, in the order they will be read
  std::unique_ptr<Interests> interests;
  std::unique_ptr<Pages> pages;

  [[nodiscard]] std::span<const Watched> watched() const noexcept {
    return interests ? std::span<const Watched>(interests->watched) : std::span<const Watched>();
  }
  [[nodiscard]] Interests& make_interests() {
    if (!interests) interests = std::make_unique<Interests>();
    return *interests;
  }
  /// Where it follows a fan; null: it does not.
  [[nodiscard]] Follow* follow(const Fan& fan) noexcept;
  void add(const Follow& follow);
  /// It is sent this list.
  void note(const wire::ListChanged& list);
};

class Sessions {
 public:
  explicit Sessions(ShardState& shard) : shard_(shard) {}

  SessionRef open(Outlet& outlet, SessionSetup setup);
  void request(SessionRef ref, wire::Request&& request);
  void drained(SessionRef ref);
  void closed(SessionRef ref);
  void goodbye_all();

  /// The answer to a request, on the session's shard; late ones for closed sessions are dropped.
  void answer(SessionRef ref, std::uint32_t request, wire::Answer&& answer);
  [[nodiscard]] SessionState* find(SessionRef ref) noexcept;
  /// Where the sessions of a user on this shard follow a fan: their slots.
  [[nodiscard]] std::vector<std::uint32_t> followers_of(UserId user, const Fan& fan);
  /// The subscription of a session to a fan; null: there is none.
  [[nodiscard]] Subscription* subscription(std::uint32_t slot, Fan& fan) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }
  [[nodiscard]] std::size_t ingress() const noexcept { return ingress_ + paging_; }

  // From the fans.
  void lag(std::uint32_t slot, Fan& fan);     // a live subscription fell behind
  void refill(std::uint32_t slot, Fan& fan);  // a live subscription was passed over
  /// Nothing more is pushed before the home has said how the subscription goes on.
  void ask_again(Subscription& sub, const ConversationId& id);
  void forget(std::uint32_t slot, Fan& fan);
  void moved(std::uint32_t slot, Fan& fan, std::uint32_t index);
  void unwatch_all(std::uint32_t slot, const ConversationId& conversation);
  [[nodiscard]] bool shows_user(std::uint32_t slot) noexcept;
  /// The reader is this session's, which may have been told of more deletions since.
  void forget_deleted(SessionRef ref, const ConversationId& id, Reader& reader);
  void child_opened(std::uint32_t slot, const ConversationId& child);

  // Presence: these were found to be members of a conversation the session is in.
  void watch(SessionRef ref, std::uint32_t number, const ConversationId& conversation,
             const std::vector<UserId>& users);
  void unwatch_named(SessionRef ref, const ConversationId& conversation);
  /// Watches them too; `then` once, with what each is known to be, unless the session is gone.
  void watch_each(SessionRef ref, const ConversationId& conversation,
                  const std::vector<UserId>& users, bool whole,
                  std::function<void(std::vector<Presence>)> then);
  /// Ends what `which` names.
  void unwatch(SessionRef ref, const std::function<bool(const SessionState::Watched&)>& which);

  // From the user's home.
  void tell(SessionRef ref, const FramePtr& frame);
  /// Its user left and the subscription ended; the list's own news come later, or never when the
  /// user is back by then.
  void left(std::uint32_t slot, const ConversationId& id);
  void hide_reads(SessionRef ref, bool hide);
  void user_shown(SessionRef ref, bool shown);
  [[nodiscard]] bool hides_reads(std::uint32_t slot) noexcept;
  /// Its device was revoked: says so and closes.
  void revoked(SessionRef ref);
  void presence_changed(const std::vector<SessionRef>& watchers, const Presence& presence);

 private:
  friend struct Operations;  // one function an operation: operations.cpp
  struct Subscribing;        // one Subscribe request on its way: session_subscribe.cpp

  [[nodiscard]] SessionRef ref_of(std::uint32_t slot) const noexcept;
  [[nodiscard]] std::size_t ingress_share() const noexcept;
  [[nodiscard]] bool has_room(const SessionState& session, std::uint32_t charge) const noexcept;
  [[nodiscard]] std::chrono::milliseconds too_often(SessionState& session) const;
  void dispatch(SessionRef ref, SessionState& session, wire::Request&& request);
  void close(SessionRef ref, CloseReason reason, std::string text);
  void enter_user(SessionRef ref, SessionState& session);
  void leave_user(SessionRef ref, const SessionState& session) noexcept;

  // Hello.
  void hello(SessionRef ref, std::uint32_t number, wire::Hello hello);
  void identified(SessionRef ref, std::uint32_t number, wire::Hello hello, Identity identity);
  [[nodiscard]] Error host_refuses(const SessionState& session, UserId user,
                                   const std::string& device) const;
  void welcome(SessionRef ref, std::uint32_t number, wire::Hello hello, UserId user);
  void welcomed(SessionRef ref, std::uint32_t number, Result<wire::ListChanged> list);

  // Pages of messages that are asked for, one session after the other (session_pages.cpp).
  void ask_page(SessionRef ref, SessionState& session, wire::Request&& request);
  [[nodiscard]] bool may_read(const SessionState& session) const noexcept;
  void read_page(SessionRef ref, SessionState& session, wire::Request&& request,
                 std::uint32_t page);
  void line_up(SessionRef ref, SessionState& session);
  void read_pages();
  void read_pages_soon();
  [[nodiscard]] std::uint32_t next_page() noexcept;
  [[nodiscard]] static std::uint32_t page_of(const SessionState& session,
                                             std::uint32_t number) noexcept;
  void page_over(SessionState& session, const SessionState::Open& open) noexcept;

  // Subscriptions and refill (session_subscribe.cpp).
  void subscribe(SessionRef ref, std::uint32_t number, wire::Subscribe subscribe);
  void open_item(std::shared_ptr<Subscribing> work, std::size_t item);
  [[nodiscard]] Subscription* opening(SessionState& session, const Subscribing& work,
                                      std::size_t item) noexcept;
  void item_opened(std::shared_ptr<Subscribing> work, std::size_t item, Result<Access> access);
  void check_cursor(std::shared_ptr<Subscribing> work, std::size_t item);
  void item_done(std::shared_ptr<Subscribing> work);
  void settle(Subscribing& work, std::size_t item);
  void answer_item(Subscribing& work, std::size_t item, const Access& access);
  void follow_list(SessionRef ref, const std::vector<ListEntry>& entries, bool fresh);
  void unsubscribe(SessionState& session, const ConversationId& id);
  [[nodiscard]] Subscription* subscription(SessionState& session,
                                           const ConversationId& id) noexcept;
  struct Reopening {
    SessionRef ref;
    ConversationId id;
    Seq last = 0;  // up to there the subscription was served
    std::uint16_t attempt = 0;
  };
  void asked_again(const Reopening& asked, const Result<Access>& access);
  void pump(SessionRef ref);
  void stop_reading(SessionState& session) noexcept;
  void fill(SessionRef ref, const ConversationId& id, const ReadRange& range,
            Result<EventPage> page);

  ShardState& shard_;
  base::SlotMap<SessionState> sessions_;
  std::unordered_map<UserId, std::uint32_t> of_user_;  // the first slot; then next_of_user
  std::chrono::steady_clock::time_point alarm_after_{};
  std::size_t ingress_ = 0;  // requests accepted and not answered: a fixed charge and the body
  std::size_t reading_ = 0;  // of all sessions
  std::deque<SessionRef> page_line_;  // those with a page to ask for, each once
  std::size_t paging_ = 0;            // bytes of pages that are read for requests
  bool lining_ = false;               // read_pages() is running
  bool pages_soon_ = false;           // or will run
};

}  // namespace parley::core
