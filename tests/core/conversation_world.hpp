// conversation_world.hpp: one conversation's home on a memory store, a manual clock and a queue of
// answers; commits can be made to go wrong.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation.hpp"
#include "core/event_reader.hpp"
#include "core/shard.hpp"
#include "core/wall_clock.hpp"
#include "parley/memory_store.hpp"
#include "store/layout.hpp"
#include "store/memory_store.hpp"
#include "wire/record.hpp"

namespace parley::core::test {

enum class Fault : std::uint8_t {
  none,
  refused,            // another writer replaced the guard first
  failed,             // not applied, retryable
  unknown_landed,     // applied, nobody says so
  unknown_lost,       // not applied, nobody says so
  unknown_late,       // applied after the next few answers
  unknown_overtaken,  // applied, and another writer replaced the guard after it
};
inline constexpr Fault every_fault[] = {Fault::refused,        Fault::failed,
                                        Fault::unknown_landed, Fault::unknown_lost,
                                        Fault::unknown_late,   Fault::unknown_overtaken};
/// With none at all.
inline constexpr Fault every_verdict[] = {
    Fault::none,         Fault::refused,      Fault::failed,           Fault::unknown_landed,
    Fault::unknown_lost, Fault::unknown_late, Fault::unknown_overtaken};

class TestEffects final : public Effects {
 public:
  [[nodiscard]] Time now() const noexcept override { return time; }
  std::uint64_t random() override {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
  }
  [[nodiscard]] const StoreFacts& store_facts() const noexcept override { return facts; }

  void commit(Batch batch, Then<Committed> then) override {
    ++commits;
    if (batch.partition.space == layout::conversation) ++conversation_commits;
    const Fault fault = inject ? inject(batch) : Fault::none;
    Committed out;
    switch (fault) {
      case Fault::none:
        out = store.commit_now(batch);
        break;
      case Fault::refused:
        touch(batch.partition);
        out = store.commit_now(batch);
        break;
      case Fault::failed:
        out.verdict = Verdict::failed;
        out.error = {Errc::unavailable, "injected"};
        break;
      case Fault::unknown_landed:
        (void)store.commit_now(batch);
        break;
      case Fault::unknown_lost:
        break;
      case Fault::unknown_late:
        late.push_back([this, batch] { (void)store.commit_now(batch); });
        break;
      case Fault::unknown_overtaken:
        if (store.commit_now(batch).verdict == Verdict::done) touch(batch.partition);
        break;
    }
    post([then = std::move(then), out] { then(out); });
  }
  void get(Get get, Then<Result<Cells>> then) override {
    ++gets;
    auto out = read_error ? Result<Cells>(*read_error) : store.get_now(get);
    post([then = std::move(then), out = std::move(out), keep = get.owner] { then(out); });
  }
  void scan(Scan scan, Then<Result<Rows>> then) override {
    ++scans;
    auto out = read_error ? Result<Rows>(*read_error) : store.scan_now(scan);
    if (out)
      for (const Row& row : out->rows) scanned_bytes += row.value.size();
    post([then = std::move(then), out = std::move(out), keep = scan.owner] { then(out); });
  }
  void list(std::uint8_t space, std::string after, std::uint32_t max,
            Then<Result<Listed>> then) override {
    then(store.list_now(space, after, max));
  }
  void changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) override {
    then(store.changes_now(after, max));
  }
  void forget_changes(std::string through, Then<Result<void>> then) override {
    then(store.forget_now(through));
  }
  void post(ShardIndex, Work) override {}
  void authenticate(std::string, Then<Result<Identity>>) override {}
  void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) override {
    looking.emplace_back(std::move(message), std::move(then));
  }

  Timer start_timer(std::chrono::milliseconds delay, std::function<void()> then) override {
    const auto number = ++timer_number_;
    timers_.emplace(std::pair{time.steady + delay, number}, std::move(then));
    return static_cast<Timer>(number);
  }
  void cancel_timer(Timer timer) noexcept override {
    for (auto at = timers_.begin(); at != timers_.end(); ++at) {
      if (at->first.second != static_cast<std::uint64_t>(timer)) continue;
      timers_.erase(at);
      return;
    }
  }
  void log(Severity, std::string text) override { logged.push_back(std::move(text)); }
  void later(Work work) {
    post([this, work = std::move(work)] { work(*nobody_); });
  }

  /// Runs one answer; false when none waits.
  bool step() {
    if (queue_.empty()) return false;
    auto next = std::move(queue_.front());
    queue_.pop_front();
    next();
    if (!late.empty() && ++late_steps_ % 3 == 0) {
      auto landing = std::move(late.front());
      late.pop_front();
      landing();
    }
    return true;
  }
  void drain() {
    while (step()) {}
  }
  /// Drains, moving the clock over every timer due within `span`.
  void advance(std::chrono::milliseconds span) {
    const auto end = time.steady + span;
    drain();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      move_to(timers_.begin()->first.first);
      auto fire = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      fire();
      drain();
    }
    move_to(end);
  }
  /// What another process would do: the same head under another nonce.
  void touch(const Partition& partition) {
    Get get{.cells = {{partition, {}}}};
    auto cells = store.get_now(get);
    if (!cells || !cells->values[0]) return;
    std::string next;
    if (partition.space == layout::conversation) {
      auto head = *layout::decode_head(*cells->values[0]);
      head.nonce = random();
      next = layout::encode(head);
    } else {
      auto cell = *layout::decode_count(*cells->values[0]);
      cell.nonce = random();
      next = layout::encode(cell);
    }
    Batch batch{.partition = partition, .expect = *cells->values[0], .guard = next};
    (void)store.commit_now(batch);
  }
  [[nodiscard]] bool quiet() const { return queue_.empty(); }
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }
  void forget_world() {  // a crash: nothing under way is answered
    queue_.clear();
    timers_.clear();
  }

  store::MemoryStore store{MemoryStoreOptions{.incarnation = {1}}};
  StoreFacts facts;
  Time time{std::chrono::steady_clock::time_point{} + std::chrono::hours(1), 1'800'000'000'000};
  std::function<Fault(const Batch&)> inject;
  std::optional<Error> read_error;
  std::deque<std::function<void()>> late;
  std::vector<std::string> logged;
  std::vector<std::pair<IncomingMessage, Then<Result<IncomingMessage>>>> looking;  // with the host
  int commits = 0, conversation_commits = 0, gets = 0, scans = 0;
  std::size_t scanned_bytes = 0;

 private:
  void post(base::UniqueFunction<void()> then) { queue_.push_back(std::move(then)); }
  void move_to(std::chrono::steady_clock::time_point to) {
    time.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(to - time.steady).count();
    time.steady = to;
  }
  std::unique_ptr<Shard> nobody_ = std::make_unique<Shard>(0, ShardConfig{}, *this);
  std::uint64_t state_ = 42, timer_number_ = 0;
  int late_steps_ = 0;
  std::deque<base::UniqueFunction<void()>> queue_;
  std::map<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>, std::function<void()>>
      timers_;
};

/// An answer that comes later.
template <class T>
struct Asked {
  std::shared_ptr<std::vector<Result<T>>> got = std::make_shared<std::vector<Result<T>>>();
  [[nodiscard]] Then<T> then() const {
    return [got = got](Result<T> result) { got->push_back(std::move(result)); };
  }
  [[nodiscard]] bool answered() const { return !got->empty(); }
  [[nodiscard]] const Result<T>& result() const { return got->at(0); }
  decltype(auto) value() const { return result().value(); }
  [[nodiscard]] Errc errc() const {
    return !answered() ? Errc::timed_out : result().ok() ? Errc::ok : result().error().errc();
  }
};

inline constexpr ConversationKind groups_and_channels[] = {ConversationKind::group,
                                                           ConversationKind::channel};

inline UserId user(std::uint64_t n) { return UserId{n}; }
inline std::vector<UserId> users(std::uint64_t from, std::uint64_t count) {
  std::vector<UserId> out;
  for (std::uint64_t n = from; n < from + count; ++n) out.push_back(user(n));
  return out;
}
inline Caller by(std::uint64_t n, std::uint64_t device = 0) {
  return {UserId{n}, DeviceId{device == 0 ? n * 100 : device}};
}
inline wire::Send text(std::string_view body, std::uint64_t number = 0, std::uint64_t random = 7,
                       std::uint64_t settled = 0) {
  return {.number = number, .random = random, .settled = settled, .body = Payload::copy_of(body)};
}

class World : public ConversationHost {
 public:
  virtual ~World() = default;
  explicit World(std::uint8_t name = 1) {
    id_.bytes.fill(name);
    restart();
  }

  Effects& effects() noexcept override { return fx; }
  [[nodiscard]] layout::Namespace ns() const noexcept override { return 0; }
  Snowflake next_snowflake() override { return ++snowflake_; }
  void published(std::shared_ptr<const Published> events) override {
    trace.push_back("published " + std::to_string(events->first) + "-" +
                    std::to_string(events->last()));
    pieces.push_back(std::move(events));
  }
  void receipts_moved(const ConversationId&, ConversationKind,
                      const std::vector<MovedReceipt>& moved, Seq) override {
    for (const MovedReceipt& receipt : moved) receipts.push_back(receipt.own);
  }
  void access_ended(const ConversationId&, UserId who, Seq last) override {
    trace.push_back("ended " + std::to_string(who.value) + " at " + std::to_string(last));
  }
  bool grows_for_another(const ConversationId&, Snowflake, UserId) override { return false; }
  void read_message(const ForwardOf& which, Caller reader, Then<Forwardable> then) override {
    auto later = [this, then = std::move(then)](Result<Forwardable> found) {
      fx.later([then, found](Shard&) { then(found); });
    };
    World& source = other != nullptr && which.conversation == other->id() ? *other : *this;
    source.home->read_message(reader, which.seq, std::move(later));
    if (&source != this) source.fx.drain();
  }
  void members_changed(const ConversationId&, ConversationKind) override {}
  void hearing_changed(const ConversationId&, UserId who) override {
    trace.push_back("hearing of " + std::to_string(who.value));
  }
  void deleted_for_one(const ConversationId&, UserId who, OwnDeletionsPtr all,
                       std::vector<Seq> fresh) override {
    deletions[who.value] = std::move(all);
    for (const Seq seq : fresh) told_deleted[who.value].insert(seq);
  }
  void conversation_ended(const ConversationId&) override { trace.push_back("ended for all"); }
  void drop_from_lists(const ConversationId&, ConversationKind, std::vector<UserId> users,
                       Then<void> then) override {
    for (const UserId user : users) dropped.push_back(user.value);
    fx.later([then = std::move(then)](Shard&) { then({}); });
  }
  void refuse_requests(const ConversationId&, std::vector<UserId> users, Seq seq,
                       Then<void> then) override {
    if (!refusing_fails)
      for (const UserId user : users) refused[user.value] = seq;
    fx.later([then = std::move(then), failed = refusing_fails](Shard&) {
      then(failed ? Result<void>(Error{Errc::unavailable, "injected"}) : Result<void>());
    });
  }
  void full_of_spaces(std::vector<UserId>, Then<std::vector<UserId>> then) override {
    fx.later([then = std::move(then)](Shard&) { then(std::vector<UserId>()); });
  }
  void bear_child(const ConversationId&, Caller, Creation, Then<Access> then) override {
    fx.later([then = std::move(then)](Shard&) { then(denied()); });
  }
  void end_child(const ConversationId&, Then<void> then) override {
    fx.later([then = std::move(then)](Shard&) { then({}); });
  }
  void child_gone(const ConversationId&, const ConversationId&, Then<void> then) override {
    fx.later([then = std::move(then)](Shard&) { then({}); });
  }
  void space_rights(const ConversationId&, std::uint32_t, std::vector<UserId> users,
                    std::function<void(UserId, Result<SpaceRight>)> then) override {
    fx.later([users = std::move(users), then = std::move(then)](Shard&) {
      for (const UserId user : users) then(user, SpaceRight{});
    });
  }
  void space_changed(const ConversationId&, UserId who, bool gone,
                     std::function<void()> then) override {
    trace.push_back("rights of " + std::to_string(who.value) + (gone ? " gone" : ""));
    fx.later([then = std::move(then)](Shard&) { then(); });
  }
  void space_members(const ConversationId&, wire::Members, Then<wire::MembersPage> then) override {
    fx.later([then = std::move(then)](Shard&) { then(denied()); });
  }
  void child_loaded(const ConversationId&, const ConversationId&) override {}
  void feed_moved() override { ++feed; }
  void found_absent(const ConversationId&) override { ++absent; }
  void names_of(std::vector<UserId> users, Then<std::vector<UserName>> then) override {
    std::vector<UserName> known;
    for (const UserId user : users)
      if (const auto at = names.find(user.value); at != names.end())
        known.push_back({user, at->second});
    then(std::move(known));
  }
  std::int64_t settled_wall_ms() override { return clock.at(fx.time); }
  void later(Effects::Work work) override { fx.later(std::move(work)); }
  void wake_at(const layout::TimerTarget&, std::int64_t due_ms, Then<void> then) override {
    if (!wake_fails) wakes.push_back(due_ms);
    fx.later([then = std::move(then), failed = wake_fails](Shard&) {
      then(failed ? Result<void>(Error{Errc::unavailable, "injected"}) : Result<void>());
    });
  }
  void drop_wake(const layout::TimerTarget&, std::int64_t due_ms) override {
    std::erase(wakes, due_ms);
  }

  void restart() {
    home.reset();
    fx.forget_world();
    home = std::make_unique<Conversation>(*this, id_, limits);
  }
  void forget_snowflakes() { snowflake_ = 0; }
  Conversation* operator->() { return home.get(); }
  [[nodiscard]] const ConversationId& id() const { return id_; }

  Asked<Ack> send(Caller caller, wire::Send what) {
    Asked<Ack> asked;
    home->send(caller, std::move(what), asked.then());
    return asked;
  }
  Asked<Access> create(Caller caller, ConversationKind kind, std::vector<UserId> members = {}) {
    Asked<Access> asked;
    home->create(caller, {kind, "title", std::move(members), {}}, asked.then());
    fx.drain();
    return asked;
  }
  Asked<Access> direct(std::uint64_t a, std::uint64_t b, std::uint64_t asking) {
    Asked<Access> asked;
    home->create_direct(user(a), user(b), user(asking), asked.then());
    fx.drain();
    return asked;
  }
  Asked<Access> access(std::uint64_t n) {
    Asked<Access> asked;
    home->access(user(n), asked.then());
    fx.drain();
    if (!asked.answered()) fx.advance(std::chrono::milliseconds(100));  // a change of theirs first
    return asked;
  }
  Asked<Access> join(std::uint64_t n) {
    Asked<Access> asked;
    home->join(by(n), asked.then());
    fx.drain();
    return asked;
  }
  Errc leave(std::uint64_t n) {
    Asked<void> asked;
    home->leave(by(n), asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc add(Caller caller, std::vector<UserId> users) {
    Asked<void> asked;
    home->add(caller, std::move(users), asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc remove(Caller caller, std::uint64_t n) {
    Asked<void> asked;
    home->remove(caller, user(n), asked.then());
    fx.drain();
    return asked.errc();
  }
  Errc set_role(Caller caller, std::uint64_t n, Role role) {
    Asked<void> asked;
    home->set_role(caller, user(n), role, asked.then());
    fx.drain();
    return asked.errc();
  }
  /// Errc::ok: it is taken; the answer comes once it is stored.
  Errc mark(std::uint64_t n, Seq received, Seq read) {
    Asked<void> asked;
    home->mark_read(by(n), received, read, asked.then());
    fx.drain();
    return asked.answered() ? asked.errc() : Errc::ok;
  }
  Errc say(std::uint64_t n, std::string_view body = "hello") {
    auto asked = send(by(n), text(body));
    fx.drain();
    return asked.errc();
  }
  Result<wire::MembersPage> list(Caller caller, UserId after = {}, std::uint32_t limit = 100) {
    Asked<wire::MembersPage> asked;
    home->members(caller, {id_, after, limit, {}}, asked.then());
    fx.drain();
    return asked.result();
  }
  Result<wire::MembersPage> search(Caller caller, std::string prefix, UserId after = {},
                                   std::uint32_t limit = 100) {
    Asked<wire::MembersPage> asked;
    home->members(caller, {id_, after, limit, std::move(prefix)}, asked.then());
    fx.drain();
    if (!asked.answered()) fx.advance(std::chrono::seconds(2));
    return asked.result();
  }
  Result<EventPage> read(ReadRange range, RecentPages* recent = nullptr) {
    range.partition = layout::conversation_id(0, id_);
    range.conversation = id_;
    std::optional<Result<EventPage>> out;
    read_events(
        fx, std::move(range), [&out](Result<EventPage> page) { out = std::move(page); }, recent);
    fx.drain();
    return *out;
  }
  /// The whole stream, checked: dense, chained, ordinals right, published as stored.
  std::vector<wire::RecordFields> stream() {
    std::vector<wire::RecordFields> all;
    Mark mark = 0;
    std::uint64_t ordinal = 0;
    for (Seq next = 1;;) {
      auto page = read({.from = next, .max_events = 64}).value();
      for (const auto& event : page.events) {
        mark = layout::next_mark(mark, id_, event.record.bytes());
        const auto fields = wire::read_record(event.record.bytes());
        if (fields.kind == EventKind::message && fields.thread_root == 0) ++ordinal;
        if (event.seq != next || fields.seq != next || event.mark != mark ||
            fields.ordinal != ordinal)
          throw std::runtime_error("the stream breaks at " + std::to_string(next));
        kept.push_back(event.record);
        all.push_back(fields);
        ++next;
      }
      if (page.more) continue;
      if (page.head.head != all.size() || page.head.mark != mark || page.head.ordinal != ordinal)
        throw std::runtime_error("the head does not fit the stream");
      return all;
    }
  }
  [[nodiscard]] layout::HeadCell head() {
    const std::string name = layout::conversation_id(0, id_);
    Get get{.cells = {{{layout::conversation, name}, {}}}};
    return *layout::decode_head(*fx.store.get_now(get)->values[0]);
  }
  /// Until it is answered, through doubt.
  template <class T>
  const Asked<T>& settle(const Asked<T>& asked) {
    fx.drain();
    for (int i = 0; i < 50 && !asked.answered(); ++i) fx.advance(std::chrono::seconds(1));
    return asked;
  }
  /// The next commit of that space goes wrong so.
  void fail_next(Fault fault, std::uint8_t space = layout::conversation) {
    auto first = std::make_shared<bool>(true);
    fx.inject = [fault, first, space](const Batch& batch) {
      const bool hit = batch.partition.space == space && std::exchange(*first, false);
      return hit ? fault : Fault::none;
    };
  }
  [[nodiscard]] std::size_t rows(char prefix, std::uint8_t space = layout::conversation) {
    std::size_t count = 0;
    fx.store.for_each([&](Partition partition, Bytes, const store::MemoryStore::RowMap& rows) {
      if (partition.space != space) return;
      for (const auto& row : rows) count += row.first[0] == prefix ? 1 : 0;
    });
    return count;
  }

  TestEffects fx;
  WallClock clock;
  ConversationLimits limits;
  std::unique_ptr<Conversation> home;
  World* other = nullptr;  // a conversation to forward from
  std::vector<std::shared_ptr<const Published>> pieces;
  std::vector<Receipt> receipts;
  std::vector<std::string> trace;
  std::vector<std::int64_t> wakes;       // stored wake-ups
  std::map<std::uint64_t, Seq> refused;  // whose request to join is over, and by which event
  bool wake_fails = false, refusing_fails = false;
  std::map<std::uint64_t, std::string> names;          // of users
  std::vector<std::uint64_t> dropped;                  // whose lists lost it
  std::vector<Payload> kept;                           // what stream() shows
  std::map<std::uint64_t, OwnDeletionsPtr> deletions;  // of users, as told last
  std::map<std::uint64_t, std::set<Seq>> told_deleted;
  int feed = 0, absent = 0;

 private:
  ConversationId id_;
  Snowflake snowflake_ = 0;
};

}  // namespace parley::core::test
