// client/client_core.hpp: the client as a state machine: link events, answers and the time go in;
// requests and notices come out.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "client/outbox.hpp"
#include "parley/client.hpp"
#include "parley/limits.hpp"
#include "wire/messages.hpp"

namespace parley::client {

struct CoreOptions {
  std::string token;
  std::string device;  // "": from the storage, else drawn
  bool follow = true;
  std::uint32_t list_limit = 0;
  std::size_t max_outbox = 1'000;
  std::function<std::uint64_t()> random;  // 64 random bits
};

// ---- What the core tells the host. ----

struct Applied {
  ConversationId conversation;
  std::vector<Event> events;
};
struct ListMoved {
  bool whole = false;
  std::vector<ListEntry> entries;
  std::vector<ConversationId> removed;
  std::optional<UserSettings> settings;
  std::optional<std::vector<Device>> devices;
  std::optional<std::vector<OwnRequest>> requests;
  std::optional<std::vector<UserId>> blocked;
};
struct Settled {
  std::uint64_t id = 0;  // what send() returned; 0: handed over in an earlier life
  MessageSettled message;
};
struct Completed {
  std::uint64_t id = 0;  // what request() returned
  Result<wire::Answer> answer;
};
using Notice = std::variant<Applied, ListMoved, Settled, MessageRenumbered, ResumeAnswer,
                            wire::HeadMoved, wire::ReceiptsMoved, wire::Signalled,
                            wire::PresenceChanged, wire::Scheduled, wire::ThreadState, Ballot,
                            DeletedForMe, Online, wire::Streamed, Completed, ClientStatus>;

/// What an input led to, in this order: requests to send, the link to close, a link to dial.
struct Outputs {
  std::vector<wire::Request> requests;
  std::optional<CloseReason> close;
  bool dial = false;
  std::vector<Notice> notices;  // in the order things happened
};

/// One device. The host feeds inputs with the time, then takes the outputs and acts on them.
/// After `dial` it answers with exactly one of opened() or closed(); after opened() with one
/// closed(), whoever closed. Thread: one at a time; no I/O but the storage's.
class ClientCore {
 public:
  static constexpr std::size_t full_at_once = 64;  // direct and group conversations
  // The server allows limits::in_flight; some are left for pings and what keeps the streams going.
  static constexpr std::size_t open_most = limits::in_flight - 8;
  static constexpr std::size_t waiting_requests = 256;  // without a connection; then busy
  static constexpr auto backoff_first = std::chrono::milliseconds(500);
  static constexpr auto backoff_most = std::chrono::milliseconds(30'000);
  static constexpr auto welcome_within = std::chrono::milliseconds(10'000);
  static constexpr auto pong_within = std::chrono::milliseconds(10'000);
  static constexpr auto sync_delay = std::chrono::milliseconds(500);
  static constexpr auto marks_delay = std::chrono::milliseconds(200);
  /// So long without an event after head_moved: subscribes again.
  static constexpr auto behind_patience = std::chrono::milliseconds(5'000);

  ClientCore(CoreOptions options, ClientStorage& storage);
  /// Reads what the device kept, or draws and stores a device name. Once, first.
  Result<void> load();

  // Link inputs.
  void start(Time now);
  void stop(Time now);
  void opened(Time now);
  void closed(Time now, const Error& why);
  void received(Time now, wire::Reply reply);
  /// A message that was no valid frame arrived.
  void garbled(Time now, const Error& why);
  void tick(Time now);
  /// When tick() is due.
  [[nodiscard]] std::optional<Time> next_deadline() const;

  // The application's inputs. Answers come as notices, also those that are known at once.
  std::uint64_t send(Time now, const ConversationId& conversation, MessageDraft draft);
  std::uint64_t request(Time now, wire::Operation operation);
  std::uint64_t subscribe(Time now, const ConversationId& conversation, Level level,
                          std::optional<Cursor> from);
  void read(Time now, const ConversationId& conversation, Seq seq);
  void set_presence(Time now, PresenceState state);
  void set_token(std::string token) { options_.token = std::move(token); }
  /// The host could not send a request of the outputs (it was too large): as if answered so.
  void refuse(Time now, std::uint32_t request, Error why);
  /// The client does nothing any more: its storage failed, or host code threw. Tells it once.
  void fail(Error why);
  /// No further input but closed() may come: everything open is answered session_closed.
  void shut_down();

  Outputs take();
  [[nodiscard]] ClientState state() const noexcept { return status_.state; }
  [[nodiscard]] const Error& error() const noexcept { return status_.error; }  // why it failed
  [[nodiscard]] const std::string& device() const noexcept { return device_; }
  [[nodiscard]] DeviceId device_id() const noexcept { return device_id_; }
  [[nodiscard]] std::vector<ListEntry> list() const;  // most recent first
  [[nodiscard]] std::vector<OutboxItem> outbox() const;
  [[nodiscard]] std::size_t max_body() const noexcept { return max_body_; }
  [[nodiscard]] std::optional<Cursor> cursor(const ConversationId& conversation) const;

 private:
  enum class Purpose : std::uint8_t { hello, application, send, subscribe, housekeeping };
  struct Open {
    Purpose purpose = Purpose::application;
    std::uint64_t id = 0;                         // application, subscribe: 0 when nobody asks
    ConversationId conversation{};                // send, mark_read
    std::uint64_t number = 0;                     // send
    bool opens = false;                           // create, direct, join: the entry is followed
    std::vector<ConversationId> conversations{};  // subscribe
    Seq received = 0, read = 0;                   // mark_read
    bool lists = false;                           // sync
  };
  struct Waiting {
    Open open;
    wire::Operation operation;
  };
  struct Stream {
    Cursor cursor;                // empty epoch: none
    Level asked = Level::none;    // of the last subscribe
    std::optional<Level> wanted;  // by the application, in place of the policy
    bool subscribing = false;
    Seq known_head = 0;  // from head_moved
  };
  struct Marks {
    Seq received = 0;
    Seq read = 0;
  };

  // client_core.cpp: life of the link, requests.
  void set_state(ClientState state, Error why = {});
  void dial_later(Time now, std::chrono::milliseconds at_least);
  void hello(Time now);
  void welcome(wire::Welcome welcome);
  void refused(const Error& why);
  void lose_link(const Error& why);
  void fail_waiting(const Error& why);
  [[nodiscard]] Error failed_error() const;
  void close_link(CloseReason reason);
  void answer(const Open& open, wire::Answer answer);
  void push(wire::Answer answer);
  void complete(std::uint64_t id, Result<wire::Answer> answer);
  void enqueue(Open open, wire::Operation operation, bool ahead);
  void transmit(Open open, wire::Operation operation);
  void pump();
  bool store(const ClientBatch& batch);
  [[nodiscard]] std::uint64_t draw() { return options_.random(); }

  // client_sending.cpp: the outbox.
  void pump_sends();
  void send_item(const ConversationId& conversation, Outbox& outbox, Outbox::Item& item);
  void send_answered(const Open& open, wire::Answer answer);
  void settle(const ConversationId& conversation, std::uint64_t number, Result<Ack> result);
  void renumber(const ConversationId& conversation, std::uint64_t number, Error why);
  void postpone(Outbox::Item& item, const Error& why);

  // client_streams.cpp: subscriptions, cursors, the list.
  void take_list(wire::ListChanged change, bool first);
  void drop_children(const wire::ListChanged& change, std::vector<ConversationId>& removed) const;
  void note_unlisted(const wire::ListChanged& change, const std::vector<ConversationId>& removed);
  void passed_over(const ConversationId& conversation, const Cursor& head);
  [[nodiscard]] wire::Sync sync_request() const;
  void take_page(std::vector<ListEntry> entries);
  void take_entry(ListEntry entry, bool opened);
  void forget(const ConversationId& conversation);
  void begin(const ListEntry& entry);
  void follow_all();
  void follow(const ListEntry& entry);
  using Wanted = std::vector<std::pair<ConversationId, Level>>;
  void subscribe_to(const Wanted& wanted, std::uint64_t id);
  void subscribe_failed(const Open& open, const Error& why);
  void resubscribe(const ConversationId& conversation, Stream& stream);
  void resumed(const ResumeAnswer& answer);
  void take_events(wire::Events events);
  void head_moved(const wire::HeadMoved& moved);
  void catch_up();
  void note_events(const ConversationId& conversation, const std::vector<Event>& events, Mark mark);
  void note_mention(ListEntry& entry, const Event& event, const Message& message);
  void note_deletion(ListEntry& entry, const Deletion& gone);
  void keep_newer(ListEntry& entry, const ListEntry& known);
  void say_again(ListEntry& entry, const ListEntry& known);
  void nothing_unread(ListEntry& entry);
  void deleted_for_me(DeletedForMe deleted);
  void sync_later();
  void receipts_moved(wire::ReceiptsMoved moved);
  void mark(const ConversationId& conversation, Seq received, Seq read);
  void flush_marks();
  void received_told(const ConversationId& conversation, Seq received);
  [[nodiscard]] Level policy(const ListEntry& entry);
  bool move_cursor(const ConversationId& conversation, Stream& stream, const Cursor& cursor,
                   bool restart);

  CoreOptions options_;
  ClientStorage& storage_;
  std::string device_;
  DeviceId device_id_;  // by the server
  PresenceState presence_ = PresenceState::online;
  ClientStatus status_;
  Outputs outputs_;
  Time now_{};

  // The link.
  bool wanted_ = false;     // start() was called and stop() was not
  bool link_open_ = false;  // between opened() and closed()
  bool dialling_ = false;   // between `dial` and opened() or closed()
  bool closing_ = false;    // close was asked for
  int attempts_ = 0;        // since the last welcome
  std::optional<Time> dial_at_;
  std::optional<Time> not_before_;  // the server asked for patience in its answer to hello
  Error link_error_;                // why we closed, for closed()
  std::optional<wire::Goodbye> goodbye_;
  std::string ticket_;
  std::string sync_token_;
  std::size_t max_body_ = limits::body_default;
  std::chrono::milliseconds silence_{25'000};  // then a ping
  Time heard_{};
  std::optional<Time> must_hear_;  // welcome or the answer to a ping

  // Requests.
  std::uint32_t next_request_ = 1;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint32_t, Open> open_;
  std::deque<Waiting> waiting_;

  std::map<ConversationId, Outbox> outboxes_;
  std::set<ConversationId> sending_;  // those with items
  std::unordered_map<ConversationId, Stream> streams_;
  std::unordered_map<ConversationId, ListEntry> list_;
  std::unordered_set<ConversationId> full_;  // by the policy, of this connection
  std::set<ConversationId> follow_again_;    // whose subscribe was answered retryable
  std::optional<Time> follow_again_at_;
  std::map<ConversationId, Seq> behind_;  // the cursor when it was looked at last
  std::optional<Time> behind_at_;
  std::unordered_set<ConversationId> unlisted_;  // channels of spaces to be asked for by name
  bool knows_list_ = false;                      // a list has come in this life of the process
  std::map<ConversationId, Marks> marks_;
  std::optional<Time> marks_at_;
  /// Mentions told by events that came after what the list stated.
  std::unordered_map<ConversationId, std::set<Seq>> mentioned_;
  std::optional<Time> sync_at_;  // what is unread is not known exactly: the server is asked
};

}  // namespace parley::client
