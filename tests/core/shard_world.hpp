// shard_world.hpp: several real shards over a memory store, on one thread and a manual clock:
// everything that happens is a step.
#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "core/shard.hpp"
#include "parley/memory_store.hpp"
#include "store/layout.hpp"
#include "wire/record.hpp"

namespace parley::test {

using namespace std::chrono_literals;

/// Everything that came out of one session. A link's backlog can be held up.
class Client final : public core::Outlet {
 public:
  void push(const core::FramePtr& frame) override {
    if (held) backlog_ += 100'000;
    replies.push_back(frame->reply());
  }
  void close(CloseReason reason, std::string_view) override { closed = reason; }
  void hold(std::size_t bytes) { backlog_ = bytes; }
  void release() { held = false, backlog_ = 0; }

  /// The answers and pushes of one type, in order.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& reply : replies) {
      if (const T* value = std::get_if<T>(&reply.answer)) found.push_back(*value);
    }
    return found;
  }
  /// The texts of the messages pushed for a conversation, checking that seqs are dense.
  std::vector<std::string> texts(const ConversationId& id) const {
    std::vector<std::string> found;
    for (const auto& events : all<wire::Events>()) {
      if (events.conversation != id) continue;
      for (const Payload& record : events.records) {
        const auto fields = wire::read_record(record.bytes());
        if (fields.kind == EventKind::message) found.emplace_back(fields.body);
      }
    }
    return found;
  }
  std::vector<Seq> seqs(const ConversationId& id) const {
    std::vector<Seq> found;
    for (const auto& events : all<wire::Events>()) {
      if (events.conversation != id) continue;
      for (std::size_t i = 0; i < events.records.size(); ++i) found.push_back(events.first + i);
    }
    return found;
  }

  std::vector<wire::Reply> replies;
  std::optional<CloseReason> closed;
  bool held = false;
  core::SessionRef ref;
  std::uint32_t next_request = 1;
  UserId user;
};

class ShardWorld {
 public:
  explicit ShardWorld(int shards = 2, core::PresenceBorders presence = core::PresenceBorders())
      : store_(memory_store()().value()), presence_(presence) {
    start(shards);
  }
  ~ShardWorld() { stop(); }

  void start(int shards) {
    core::ShardConfig config;
    config.shards = static_cast<core::ShardIndex>(shards);
    config.key[0] = 7;
    config.instance = random_();
    config.presence = presence_;
    for (int i = 0; i < shards; ++i)
      effects_.push_back(std::make_unique<ShardWorld::Side>(*this, i));
    for (int i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<core::Shard>(i, config, *effects_[i]));
    }
    for (auto& shard : shards_) shard->start();
    settle();
  }
  void stop() {
    work_.clear();
    held_.clear();
    held_scans_.clear();
    timers_.clear();
    shards_.clear();
    effects_.clear();
  }
  /// As after kill -9: what the store has is all that is left.
  void restart() {
    const int shards = static_cast<int>(shards_.size());
    stop();
    start(shards);
  }

  core::Shard& shard(std::size_t i) { return *shards_[i]; }
  /// Runs the next thing that is due; false when nothing is.
  bool step() {
    if (work_.empty()) return false;
    auto next = work_.begin();
    if (shuffled) {  // what goes from one shard to another stays in order, nothing else does
      const auto any = static_cast<std::ptrdiff_t>((*shuffled)() % work_.size());
      const int lane = (next + any)->lane;
      next = std::find_if(next, work_.end(), [&](const Due& due) { return due.lane == lane; });
    }
    const auto run = std::move(next->run);
    work_.erase(next);
    run();
    return true;
  }
  /// Runs what is due until nothing is.
  void settle() {
    while (step()) {}
  }
  /// Lets time pass, in steps of 10 ms where something is due.
  void pass(std::chrono::milliseconds time) {
    settle();
    for (const auto end = now_ + time; now_ < end;) {
      const auto next = timers_.empty() ? end : timers_.begin()->first.first;  // in steps of 10 ms
      now_ += 10ms * std::max<std::int64_t>(1, (std::min(next, end) - now_) / 10ms);
      while (!timers_.empty() && timers_.begin()->first.first <= now_) {
        auto then = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        then();
        settle();
      }
    }
  }

  /// A link's session that has said nothing yet.
  Client& link(std::size_t shard = 0) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    client.ref = shards_[shard]->open(client, {});
    return client;
  }
  /// A link's session that was welcomed.
  Client& sign_in(const std::string& name, const std::string& device = "phone",
                  std::size_t shard = 0, const std::string& token = "") {
    Client& client = link(shard);
    wire::Hello hello;
    hello.token = name;
    hello.device = device;
    hello.sync_token = token;
    client.user = ask<wire::Welcome>(client, hello).user;
    return client;
  }
  Client& host(const std::string& name, std::size_t shard = 0) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    core::SessionSetup setup;
    setup.kind = core::SessionSetup::Kind::trusted;
    setup.identity.subject = name;
    setup.auto_subscribe = true;
    client.ref = shards_[shard]->open(client, setup);
    client.user = ask<wire::Welcome>(client, wire::Hello{}).user;
    return client;
  }
  Client& system() {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    core::SessionSetup setup;
    setup.kind = core::SessionSetup::Kind::system;
    client.ref = shards_[0]->open(client, setup);
    return client;
  }
  void sign_out(Client& client) {
    shards_[client.ref.shard]->session_closed(client.ref);
    settle();
  }

  std::uint32_t post(Client& client, wire::Operation operation) {
    const std::uint32_t number = client.next_request++;
    shards_[client.ref.shard]->request(client.ref, {number, std::move(operation)});
    return number;
  }
  /// The answer, which must have come exactly once; waits up to two seconds of the clock.
  wire::Answer answer(Client& client, wire::Operation operation) {
    const std::uint32_t number = post(client, std::move(operation));
    settle();
    for (int i = 0; i < 200 && !answered(client, number); ++i) pass(10ms);
    std::vector<wire::Answer> found;
    for (const auto& reply : client.replies) {
      if (reply.request == number) found.push_back(reply.answer);
    }
    REQUIRE(found.size() == 1);
    return found[0];
  }
  template <class T>
  T ask(Client& client, wire::Operation operation) {
    wire::Answer found = answer(client, std::move(operation));
    if (auto* failed = std::get_if<wire::Failed>(&found)) INFO("failed: " << failed->error.message);
    T* value = std::get_if<T>(&found);
    REQUIRE(value != nullptr);
    return std::move(*value);
  }
  Errc failure(Client& client, wire::Operation operation) {
    return ask<wire::Failed>(client, std::move(operation)).error.errc();
  }
  Seq say(Client& client, const ConversationId& id, const std::string& text) {
    wire::Send send;
    send.conversation = id;
    send.body = Payload::copy_of(text);
    return ask<wire::Acked>(client, send).ack.seq;
  }
  ConversationId group(Client& owner, std::vector<std::string> members,
                       ConversationKind kind = ConversationKind::group) {
    wire::Create create;
    create.kind = kind;
    create.title = "team";
    create.members = std::move(members);
    const auto id = ask<wire::Opened>(owner, create).entry.conversation;
    settle();
    return id;
  }
  ResumeAnswer subscribe(Client& client, const ConversationId& id,
                         std::optional<Cursor> cursor = {}, Level level = Level::full) {
    wire::Subscribe subscribe;
    subscribe.items.push_back({id, level, cursor});
    auto answers = ask<wire::Subscribed>(client, subscribe).answers;
    REQUIRE(answers.size() == 1);
    settle();
    return answers[0];
  }

  /// Whatever may happen in any order does.
  std::optional<std::mt19937_64> shuffled;
  enum class Fault : std::uint8_t { none, refused, failed, unknown_landed, unknown_lost };
  std::function<Fault(const Batch&)> fault;
  /// Commits land, and nobody is told of it.
  bool hold_commits = false;
  void release_commits() {
    hold_commits = false;
    for (const auto& tell : std::exchange(held_, {})) tell();
    settle();
  }
  /// Scans of which it says so are answered late.
  std::function<bool(const Scan&)> hold_scans;
  void release_scans() {
    hold_scans = {};
    for (const auto& tell : std::exchange(held_scans_, {})) tell();
    settle();
  }
  /// Nobody runs for a while.
  void sleep(std::chrono::milliseconds time) { now_ += time; }
  WallTime wall() const { return WallTime(wall_begin + now_ + clock_step); }
  std::chrono::milliseconds clock_step{0};  // by which the wall clock was set forward, or back
  std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::time_point(now_);
  }

  Store& store() { return *store_; }
  /// Everything the store holds now, in another one.
  std::unique_ptr<Store> copy_of_store() {
    auto copy = memory_store()().value();
    for (int space = layout::system; space <= layout::thread; ++space) {
      std::string after;
      do {
        Listed page;
        store_->list(static_cast<std::uint8_t>(space), after, 4096,
                     [&](Result<Listed> listed) { page = std::move(listed).value(); });
        for (const Row& each : page.partitions) {
          copy_partition({static_cast<std::uint8_t>(space), each.key}, each.value, *copy);
        }
        after = std::string(page.next);
      } while (!after.empty());
    }
    return copy;
  }
  /// The process ends, the directory is put back from a backup, another process opens it.
  void restart_on(std::unique_ptr<Store> other) {
    const int shards = static_cast<int>(shards_.size());
    stop();
    store_ = std::move(other);
    start(shards);
  }
  std::vector<std::string> log;
  /// What one session may have queued.
  std::size_t queue_limit = limits::queue_soft;
  /// What may still be queued for all of them.
  std::size_t queue_room = limits::memory_default / limits::queues_part;

 private:
  static constexpr std::chrono::milliseconds wall_begin{1'800'000'000'000};
  struct Side final : core::Effects {
    Side(ShardWorld& owner, int own_index) : world(owner), index(own_index) {}
    core::Time now() const noexcept override {
      return {world.now(), world.wall().time_since_epoch().count()};
    }
    std::uint64_t random() override { return world.random_(); }
    const StoreFacts& store_facts() const noexcept override { return world.store_->facts(); }
    std::size_t queue_limit() noexcept override { return world.queue_limit; }
    std::size_t queue_room() noexcept override { return world.queue_room; }
    template <class T>
    Store::Done<T> later(Then<T> then) {
      return [this, then = std::make_shared<Then<T>>(std::move(then))](T value) {
        world.work_.push_back({-1 - index, [then, value = std::move(value)]() mutable {
                                 (*then)(std::move(value));
                               }});
      };
    }
    void commit(Batch batch, Then<Committed> then) override {
      auto done = later(std::move(then));
      const Fault fault = world.fault ? world.fault(batch) : Fault::none;
      if (fault == Fault::unknown_landed) world.store_->commit(std::move(batch), [](Committed) {});
      if (fault == Fault::refused) return done({.verdict = Verdict::refused});
      if (fault == Fault::failed)
        return done({.verdict = Verdict::failed, .error = {Errc::unavailable, "injected"}});
      if (fault != Fault::none) return done({});
      if (!world.hold_commits) return world.store_->commit(std::move(batch), std::move(done));
      world.store_->commit(std::move(batch), [this, done](Committed committed) {
        world.held_.push_back([done, committed] { done(committed); });
      });
    }
    void get(Get get, Then<Result<Cells>> then) override {
      world.store_->get(std::move(get), later(std::move(then)));
    }
    void scan(Scan scan, Then<Result<Rows>> then) override {
      auto done = later(std::move(then));
      if (!world.hold_scans || !world.hold_scans(scan))
        return world.store_->scan(std::move(scan), std::move(done));
      world.held_scans_.push_back([this, scan, done] { world.store_->scan(scan, done); });
    }
    void list(std::uint8_t space, std::string after, std::uint32_t max,
              Then<Result<Listed>> then) override {
      world.store_->list(space, after, max, later(std::move(then)));
    }
    void changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) override {
      world.store_->changes(after, max, later(std::move(then)));
    }
    void forget_changes(std::string through, Then<Result<void>> then) override {
      world.store_->forget_changes(through, later(std::move(then)));
    }
    void post(core::ShardIndex to, Work work) override {
      world.work_.push_back({1 + index * 64 + static_cast<int>(to),
                             [this, to, work = std::move(work)] { work(*world.shards_[to]); }});
    }
    void authenticate(std::string token, Then<Result<core::Identity>> then) override {
      world.work_.push_back({-1 - index, [token = std::move(token), then = std::move(then)] {
                               if (token == "nobody")
                                 return then(Error(Errc::unauthenticated, "who is nobody?"));
                               then(core::Identity{token});
                             }});
    }
    void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) override {
      world.work_.push_back(
          {-1 - index, [message = std::move(message), then = std::move(then)] { then(message); }});
    }
    Timer start_timer(std::chrono::milliseconds delay, std::function<void()> then) override {
      const std::uint64_t id = ++world.timer_id_;
      world.timers_.emplace(std::pair(world.now_ + delay, id), std::move(then));
      return static_cast<Timer>(id);
    }
    void cancel_timer(Timer timer) noexcept override {
      std::erase_if(world.timers_, [&](const auto& entry) {
        return entry.first.second == static_cast<std::uint64_t>(timer);
      });
    }
    void log(Severity, std::string text) override { world.log.push_back(std::move(text)); }
    ShardWorld& world;
    int index;
  };

  void copy_partition(const Partition& partition, Bytes guard, Store& into) {
    std::optional<std::string> expect;
    std::string from;
    for (bool more = true; more;) {
      Rows page;
      store_->scan({.partition = partition, .from = from, .max_rows = 4096},
                   [&](Result<Rows> rows) { page = std::move(rows).value(); });
      more = page.more;
      if (more) from = std::string(page.rows.back().key) + '\0';
      // A guard never returns in a partition: those before the last are of the copy's own.
      const std::string next = more ? "copied to " + from : std::string(guard);
      into.commit({.partition = partition, .expect = expect, .guard = next, .puts = page.rows},
                  [](Committed committed) { REQUIRE(committed.verdict == Verdict::done); });
      expect = next;
    }
  }

  static bool answered(const Client& client, std::uint32_t number) {
    for (const auto& reply : client.replies) {
      if (reply.request == number) return true;
    }
    return false;
  }

  std::unique_ptr<Store> store_;
  const core::PresenceBorders presence_;
  std::mt19937_64 random_{42};
  std::chrono::milliseconds now_{1'000'000};
  struct Due {
    int lane;  // from where to where
    base::UniqueFunction<void()> run;
  };
  std::deque<Due> work_;
  std::vector<std::function<void()>> held_, held_scans_;
  std::map<std::pair<std::chrono::milliseconds, std::uint64_t>, std::function<void()>> timers_;
  std::uint64_t timer_id_ = 0;
  std::vector<std::unique_ptr<Side>> effects_;
  std::vector<std::unique_ptr<core::Shard>> shards_;
  std::vector<std::unique_ptr<Client>> clients_;
};

/// What was told last of a conversation of the list.
inline std::optional<ListEntry> listed(const Client& client, const ConversationId& id) {
  std::optional<ListEntry> last;
  for (const auto& push : client.all<wire::ListChanged>())
    for (const ListEntry& each : push.entries)
      if (each.conversation == id) last = each;
  return last;
}

}  // namespace parley::test
