// tests/client/harness.hpp: a ClientCore without a network: what it asked for is collected, time
// and chance are the test's.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "client/client_core.hpp"
#include "wire/record.hpp"

namespace parley::test {

using client::ClientCore;
using client::Notice;
using client::Time;
using std::chrono::milliseconds;

inline ConversationId conversation(std::uint8_t n) {
  ConversationId id;
  id.bytes[15] = n;
  return id;
}
inline const ConversationId room = conversation(1);
inline const Epoch epoch{{7}};
inline constexpr UserId alice{41};
inline constexpr UserId bob{42};

/// The mark that these tests give the event with this seq.
inline Mark mark_of(Seq seq) { return static_cast<Mark>(seq * 1000); }

inline Payload record(Seq seq, std::string_view body = "hi", UserId sender = bob) {
  wire::RecordFields fields;
  fields.seq = seq;
  fields.ordinal = seq;
  fields.time_ms = 1'000'000 + static_cast<std::int64_t>(seq);
  fields.sender = sender;
  fields.body = body;
  return wire::build_record(fields);
}
/// Events first..last of a conversation as one push.
inline wire::Events events(const ConversationId& id, Seq first, Seq last, const Epoch& of = epoch) {
  wire::Events out{id, of, first, {}, mark_of(last)};
  for (Seq seq = first; seq <= last; ++seq) out.records.push_back(record(seq));
  return out;
}
inline ListEntry entry(std::uint8_t n, Seq head = 5,
                       ConversationKind kind = ConversationKind::group) {
  ListEntry e;
  e.conversation = conversation(n);
  e.kind = kind;
  e.role = Role::member;
  e.head = {epoch, head, mark_of(head)};
  e.head_ordinal = head;
  e.last_activity = WallTime(milliseconds(1'000 + n));
  return e;
}

struct Harness {
  explicit Harness(std::shared_ptr<ClientStorage> kept = memory_storage(),
                   client::CoreOptions options = {})
      : storage(std::move(kept)), core(prepare(std::move(options)), *storage) {
    const auto loaded = core.load();
    REQUIRE(loaded);
  }
  client::CoreOptions prepare(client::CoreOptions options) {
    options.token = "dev:alice";
    options.random = [this] { return chance; };
    return options;
  }

  /// Collects what the last input led to.
  void step() {
    client::Outputs out = core.take();
    for (auto& request : out.requests) sent.push_back(std::move(request));
    for (auto& notice : out.notices) notices.push_back(std::move(notice));
    if (out.dial) ++dials;
    if (out.close) closes.push_back(*out.close);
  }
  void start() {
    core.start(now);
    step();
  }
  void opened() {
    core.opened(now);
    step();
  }
  void closed(const Error& why = {}) {
    core.closed(now, why);
    step();
  }
  void push(wire::Answer answer) {
    core.received(now, {0, std::move(answer)});
    step();
  }
  void reply(std::uint32_t request, wire::Answer answer) {
    core.received(now, {request, std::move(answer)});
    step();
  }
  void advance(milliseconds by) {
    now += by;
    core.tick(now);
    step();
  }
  std::uint64_t send(const ConversationId& id, std::string body) {
    MessageDraft draft;
    draft.body = std::move(body);
    const auto ticket = core.send(now, id, std::move(draft));
    step();
    return ticket;
  }
  std::uint64_t ask(wire::Operation operation) {
    const auto ticket = core.request(now, std::move(operation));
    step();
    return ticket;
  }
  wire::Welcome welcome(std::vector<ListEntry> entries = {}) const {
    wire::Welcome w;
    w.session = 1;
    w.user = alice;
    w.device = DeviceId{9};
    w.subject = "alice";
    w.heartbeat_ms = 20'000;
    w.max_body = 1'000;
    w.ticket = "ticket";
    w.list = {true, std::move(entries), {}, "sync-1"};
    return w;
  }
  /// From nothing to ready; what was sent for that is forgotten, but for what came after welcome.
  void connect(std::vector<ListEntry> entries = {}) {
    start();
    go_on(std::move(entries));
  }
  void go_on(std::vector<ListEntry> entries = {}) {
    opened();
    const std::uint32_t hello = last<wire::Hello>().number;
    sent.clear();
    notices.clear();
    reply(hello, welcome(std::move(entries)));
    REQUIRE(core.state() == ClientState::ready);
  }
  /// Answers the last subscribe: every item with `answer` and `head`.
  void accept(Resume answer = Resume::caught_up, Cursor head = {}) {
    const wire::Request request = last<wire::Subscribe>();
    wire::Subscribed subscribed;
    for (const auto& item : std::get<wire::Subscribe>(request.operation).items) {
      ResumeAnswer each;
      each.conversation = item.conversation;
      each.answer = answer;
      each.level = item.level;
      each.head = head.epoch ? head : item.cursor.value_or(Cursor{});
      subscribed.answers.push_back(each);
    }
    reply(request.number, std::move(subscribed));
  }

  template <class T>
  std::vector<wire::Request> all() const {
    std::vector<wire::Request> out;
    for (const auto& request : sent) {
      if (std::holds_alternative<T>(request.operation)) out.push_back(request);
    }
    return out;
  }
  template <class T>
  wire::Request last() const {
    const auto found = all<T>();
    REQUIRE_FALSE(found.empty());
    return found.back();
  }
  template <class T>
  T operation() const {
    return std::get<T>(last<T>().operation);
  }
  template <class T>
  std::vector<T> told() const {
    std::vector<T> out;
    for (const auto& notice : notices) {
      if (const auto* value = std::get_if<T>(&notice)) out.push_back(*value);
    }
    return out;
  }
  /// The seqs of all events told, in order.
  std::vector<Seq> seqs() const {
    std::vector<Seq> out;
    for (const auto& applied : told<client::Applied>()) {
      for (const Event& event : applied.events) out.push_back(event.seq);
    }
    return out;
  }
  void forget() {
    sent.clear();
    notices.clear();
    closes.clear();
    dials = 0;
  }

  std::uint64_t chance = 123;
  Time now{std::chrono::hours(1)};
  std::shared_ptr<ClientStorage> storage;
  ClientCore core;
  std::vector<wire::Request> sent;
  std::vector<Notice> notices;
  std::vector<CloseReason> closes;
  int dials = 0;
};

}  // namespace parley::test
