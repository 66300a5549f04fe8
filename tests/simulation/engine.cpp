// engine.cpp: the core's effects on virtual time, and the planted lies on their way in and out.
#include "simulation/engine.hpp"

#include <algorithm>
#include <exception>

#include "parley/limits.hpp"
#include "simulation/describe.hpp"

namespace parley::simulation {
namespace {

using namespace std::chrono_literals;

/// About what a reply would weigh on a link.
std::size_t weight(const wire::Reply& reply) {
  std::size_t bytes = 64;
  const auto add = [&](const std::vector<Payload>& records) {
    for (const Payload& record : records) bytes += record.size();
  };
  if (const auto* events = std::get_if<wire::Events>(&reply.answer)) add(events->records);
  if (const auto* page = std::get_if<wire::HistoryPage>(&reply.answer)) add(page->records);
  if (const auto* list = std::get_if<wire::ListChanged>(&reply.answer)) {
    for (const auto& entry : list->entries) bytes += 160 + entry.last_record.size();
  }
  return bytes;
}

std::chrono::steady_clock::time_point steady(Time now) {
  // Away from zero, so that a core that treats a default time point as "never" is not fooled.
  return std::chrono::steady_clock::time_point(std::chrono::hours(1) + now);
}

}  // namespace

// ---- One shard's view of the world ----

class Engine::ShardWorld final : public core::Effects {
 public:
  ShardWorld(Engine& engine, core::ShardIndex index, std::size_t shards)
      : engine_(engine), index_(index), outbound_(shards) {}

  std::unique_ptr<core::Shard> shard;

  [[nodiscard]] core::Time now() const noexcept override {
    return {steady(engine_.world_.scheduler.now()), engine_.world_.wall_ms()};
  }
  std::uint64_t random() override { return engine_.random_.next(); }
  [[nodiscard]] const StoreFacts& store_facts() const noexcept override {
    return engine_.store_->facts();
  }

  void commit(Batch batch, Then<Committed> then) override {
    ++engine_.commits_;
    engine_.look_before(batch);
    engine_.commit(
        batch, later<Committed>([this, batch, then = std::move(then)](Committed c) {
          --engine_.commits_;
          auto& report = engine_.world_.report;
          if (c.verdict == Verdict::refused) report.reached(Sometimes::commit_refused);
          if (c.verdict == Verdict::failed) report.reached(Sometimes::commit_failed);
          if (c.verdict == Verdict::unknown) {
            report.reached(Sometimes::commit_unknown);
            bool landed = false;
            engine_.world_.store.state().look(
                batch.partition, [&](Bytes guard, const auto&) { landed = batch.guard == guard; });
            report.reached(landed ? Sometimes::unknown_landed : Sometimes::unknown_elsewhere);
          }
          then(std::move(c));
        }));
  }
  void get(Get get, Then<Result<Cells>> then) override {
    engine_.store_->get(std::move(get), reading<Cells>(std::move(then)));
  }
  void scan(Scan scan, Then<Result<Rows>> then) override {
    engine_.store_->scan(std::move(scan), reading<Rows>(std::move(then)));
  }
  void list(std::uint8_t space, std::string from, std::uint32_t max,
            Then<Result<Listed>> then) override {
    engine_.store_->list(space, from, max, reading<Listed>(std::move(then)));
  }
  void changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) override {
    engine_.store_->changes(after, max, reading<Changes>(std::move(then)));
  }
  void forget_changes(std::string through, Then<Result<void>> then) override {
    engine_.store_->forget_changes(through, later<Result<void>>(std::move(then)));
  }

  void post(core::ShardIndex to, Work work) override {
    outbound_[to].push_back(std::move(work));
    after(engine_.random_.between(0ns, 100us), to, [this, to] {
      auto next = std::move(outbound_[to].front());
      outbound_[to].pop_front();
      next(*engine_.worlds_[to]->shard);
    });
  }

  void authenticate(std::string token, Then<Result<core::Identity>> then) override {
    after(engine_.random_.between(0ns, 5ms), index_,
          [token = std::move(token), then = shared(std::move(then))] {
            if (token.empty() || token == "stranger") {
              (*then)(Error{Errc::unauthenticated, "token: not one of ours"});
            } else {
              (*then)(core::Identity{token});
            }
          });
  }

  void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) override {
    after(engine_.random_.between(0ns, 20ms), index_,
          [message = std::move(message), then = shared(std::move(then))] { (*then)(message); });
  }

  Timer start_timer(std::chrono::milliseconds delay, std::function<void()> then) override {
    const auto id = static_cast<Timer>(++last_timer_);
    const Time late = engine_.random_.between(0ns, 10ms);
    timers_[id] = after(delay + late, index_, [this, id, then = std::move(then)] {
      timers_.erase(id);
      then();
    });
    return id;
  }
  void cancel_timer(Timer timer) noexcept override {
    const auto at = timers_.find(timer);
    if (at == timers_.end()) return;
    engine_.world_.scheduler.cancel(at->second);
    timers_.erase(at);
  }
  void log(Severity severity, std::string text) override {
    if (engine_.world_.report.verbose()) {
      engine_.world_.report.trace(engine_.world_.scheduler.now(),
                                  "log " + std::to_string(static_cast<int>(severity)) + " " + text);
    }
  }

 private:
  Scheduler::Id after(Time delay, core::ShardIndex to, std::function<void()> input) {
    return engine_.world_.scheduler.after(
        delay, [&engine = engine_, alive = std::weak_ptr<int>(engine_.alive_), to,
                input = std::move(input)]() mutable {
          if (!alive.expired()) engine.turn(to, std::move(input));
        });
  }
  /// For the scheduler, which copies what it is given.
  template <class T>
  static std::shared_ptr<const Then<T>> shared(Then<T> then) {
    return std::make_shared<const Then<T>>(std::move(then));
  }
  /// A completion that becomes an input of this shard, later.
  template <class T>
  Store::Done<T> later(Then<T> then) {
    return [this, alive = std::weak_ptr<int>(engine_.alive_),
            then = shared(std::move(then))](T value) {
      if (alive.expired()) return;
      after(0ns, index_,
            [then, value = std::make_shared<T>(std::move(value))] { (*then)(std::move(*value)); });
    };
  }
  template <class T>
  Store::Done<Result<T>> reading(Then<Result<T>> then) {
    return later<Result<T>>([this, then = std::move(then)](Result<T> result) {
      if (!result) engine_.world_.report.reached(Sometimes::read_failed);
      then(std::move(result));
    });
  }

  Engine& engine_;
  core::ShardIndex index_;
  std::vector<std::deque<Work>> outbound_;
  std::map<Timer, Scheduler::Id> timers_;
  std::uint64_t last_timer_ = 0;
};

// ---- Sessions ----

struct Engine::Session final : core::Outlet {
  Session(Engine& engine_of, SessionKey own_key, Ear& own_ear)
      : engine(engine_of), key(own_key), ear(own_ear) {}

  void push(const core::FramePtr& frame) override {
    if (closing) return;
    std::vector<wire::Reply> replies;
    if (engine.world_.lie == Lie::none) {
      take(frame->reply());
      return;
    }
    replies.push_back(frame->reply());
    engine.mangle(*this, replies);
    for (const auto& reply : replies) take(reply);
  }
  void take(const wire::Reply& reply) {
    if (failure) return;
    engine.world_.report.trace(engine.world_.scheduler.now(), name() + describe(reply));
    try {
      engine.world_.checker.said(key, reply);
    } catch (...) {
      failure = std::current_exception();  // not through the core's frames
    }
    const std::size_t bytes = weight(reply);
    backlog_ += bytes;
    if (backlog_ > limits::queue_soft) above = true;
    waiting.emplace_back(reply, bytes);
    engine.dirty_.push_back(key);
  }
  void close(CloseReason, std::string_view) override {
    closing = true;
    engine.dirty_.push_back(key);
  }
  /// True when the session must be told that it drained.
  bool taken(std::size_t bytes) {
    backlog_ -= std::min(bytes, backlog_);
    if (!above || backlog_ > limits::queue_soft / 2) return false;
    above = false;
    return true;
  }

  [[nodiscard]] std::string name() const { return "s" + std::to_string(key % 100'000) + " "; }

  Engine& engine;
  SessionKey key;
  Ear& ear;
  core::SessionRef ref;
  core::ShardIndex shard = 0;
  bool closing = false, told_closing = false, above = false;
  std::vector<std::pair<wire::Reply, std::size_t>> waiting;
  std::exception_ptr failure;
  std::map<std::uint32_t, wire::Request> asked;              // only when lying
  std::map<std::pair<ConversationId, UserId>, Receipt> old;  // likewise
};

Engine::Engine(World world, Random random, core::ShardIndex shards, std::uint64_t instance)
    : world_(std::move(world)), random_(random) {
  auto opened = world_.store.opener()();
  if (!opened) throw Broken("A the weak store does not open: " + opened.error().message);
  store_ = *std::move(opened);
  core::ShardConfig config{.shards = shards, .instance = instance};
  config.presence = {.full = 3, .full_again = 2, .window = 5, .window_again = 4};
  if (random_.chance(0.5)) config.idle_after = 0s;  // every home that is idle leaves at each sweep
  for (std::size_t i = 0; i < config.key.size(); ++i) config.key[i] = static_cast<std::uint8_t>(i);
  for (core::ShardIndex i = 0; i < shards; ++i) {
    worlds_.push_back(std::make_unique<ShardWorld>(*this, i, shards));
  }
  for (core::ShardIndex i = 0; i < shards; ++i) {
    worlds_[i]->shard = std::make_unique<core::Shard>(i, config, *worlds_[i]);
  }
  for (core::ShardIndex i = 0; i < shards; ++i) {
    turn(i, [this, i] { worlds_[i]->shard->start(); });
  }
}

Engine::~Engine() {
  alive_.reset();
  for (auto& world : worlds_) world->shard.reset();  // while their effects and outlets are there
  store_.reset();                                    // completions under way die with the handle
}

void Engine::turn(core::ShardIndex, std::function<void()> input) {
  input();
  flush();
}

/// What the last commits brought, before one may trim or replace it.
void Engine::look_before(const Batch& batch) {
  if (failure_) return;
  try {
    world_.checker.before(batch);
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Engine::flush() {
  if (failure_) std::rethrow_exception(failure_);
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const auto at = sessions_.find(dirty_[i]);
    if (at == sessions_.end()) continue;
    Session& session = *at->second;
    if (session.failure) std::rethrow_exception(session.failure);
    for (auto& [reply, bytes] : std::exchange(session.waiting, {})) session.ear.said(reply, bytes);
    if (session.closing && !std::exchange(session.told_closing, true)) session.ear.closing();
  }
  dirty_.clear();
}

Engine::SessionKey Engine::open(Ear& ear) {
  // Keys of all lives of the engine differ, so that late news of a dead one are recognised.
  const SessionKey key = random_.next();
  auto session = std::make_unique<Session>(*this, key, ear);
  session->shard = static_cast<core::ShardIndex>(random_.below(worlds_.size()));
  Session& there = *session;
  sessions_.emplace(key, std::move(session));
  world_.checker.opened(key);
  turn(there.shard,
       [&] { there.ref = worlds_[there.shard]->shard->open(there, core::SessionSetup{}); });
  return key;
}

void Engine::request(SessionKey key, wire::Request request) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end() || at->second->closing) return;
  Session& session = *at->second;
  world_.report.trace(world_.scheduler.now(), session.name() + describe(request));
  world_.checker.heard(key, request);
  if (world_.lie != Lie::none) session.asked[request.number] = request;
  turn(session.shard,
       [&] { worlds_[session.shard]->shard->request(session.ref, std::move(request)); });
}

void Engine::taken(SessionKey key, std::size_t bytes) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end() || !at->second->taken(bytes)) return;
  Session& session = *at->second;
  turn(session.shard, [&] { worlds_[session.shard]->shard->drained(session.ref); });
}

void Engine::closed(SessionKey key) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end()) return;
  Session& session = *at->second;
  turn(session.shard, [&] { worlds_[session.shard]->shard->session_closed(session.ref); });
  world_.checker.closed(key);
  sessions_.erase(key);
}

void Engine::stop(std::function<void()> stopped) {
  auto left = std::make_shared<std::size_t>(worlds_.size());
  for (core::ShardIndex i = 0; i < worlds_.size(); ++i) {
    turn(i, [&] {
      worlds_[i]->shard->stop([left, stopped] {
        if (--*left == 0) stopped();
      });
    });
  }
}

std::size_t Engine::ingress_bytes() const {
  std::size_t bytes = 0;
  for (const auto& world : worlds_) bytes += world->shard->ingress_bytes();
  return bytes;
}

// ---- Lies ----

void Engine::commit(Batch batch, std::function<void(Committed)> then) {
  const auto done = [](std::function<void(Committed)>& tell) {
    tell(Committed{.verdict = Verdict::done, .found = {}, .error = {}, .owner = {}});
  };
  switch (world_.lie) {
    case Lie::unknown_is_done:
    case Lie::failed_is_done: {
      const Verdict from = world_.lie == Lie::unknown_is_done ? Verdict::unknown : Verdict::failed;
      store_->commit(std::move(batch), [from, then = std::move(then)](Committed c) {
        if (c.verdict == from) c.verdict = Verdict::done;
        then(std::move(c));
      });
      return;
    }
    case Lie::ack_before_commit:
      done(then);
      world_.scheduler.after(50ms, [this, alive = std::weak_ptr<int>(alive_), batch] {
        if (!alive.expired()) store_->commit(batch, [](Committed) {});
      });
      return;
    case Lie::lost_write:
      if (batch.partition.space == 1 && random_.chance(0.01)) return done(then);
      break;
    case Lie::lost_overlay:
      std::erase_if(batch.puts, [](const Row& row) { return row.key[0] == 'o'; });
      break;
    case Lie::lost_reactor:
      if (batch.partition.space == layout::reaction)
        std::erase_if(batch.puts, [](const Row& row) { return row.key[0] == 'u'; });
      break;
    case Lie::lost_ballot:
      if (batch.partition.space == layout::reaction)
        std::erase_if(batch.puts, [](const Row& row) { return row.key[0] == 'b'; });
      break;
    default:
      break;
  }
  store_->commit(std::move(batch), std::move(then));
}

void Engine::mangle(Session& session, std::vector<wire::Reply>& replies) {
  wire::Reply& reply = replies.front();
  const bool now = random_.chance(0.02);
  const Lie lie = world_.lie;
  if (auto* events = std::get_if<wire::Events>(&reply.answer); events != nullptr && now) {
    if (lie == Lie::drop_event) return replies.clear();
    if (lie == Lie::repeat_event) return replies.push_back(reply);
    if (lie == Lie::change_event) {
      std::string bytes(events->records.front().bytes());
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
      events->records.front() = Payload::copy_of(bytes);
    }
  }
  if (auto* acked = std::get_if<wire::Acked>(&reply.answer); acked != nullptr && now) {
    if (lie == Lie::forget_ack) return replies.clear();
    if (lie == Lie::other_seq) ++acked->ack.seq;
  }
  if (auto* moved = std::get_if<wire::ReceiptsMoved>(&reply.answer);
      moved != nullptr && lie == Lie::receipts_go_back) {
    for (Receipt& receipt : moved->receipts) {
      Receipt& before = session.old[{moved->conversation, receipt.user}];
      if (before.user && now) {
        receipt = before;
      } else {
        if (!before.user || random_.chance(0.5)) before = receipt;
      }
    }
  }
  if (auto* answer = std::get_if<wire::Subscribed>(&reply.answer)) {
    const auto& asked = session.asked[reply.request];
    const auto* subscribe = std::get_if<wire::Subscribe>(&asked.operation);
    for (std::size_t i = 0; i < answer->answers.size() && subscribe != nullptr; ++i) {
      ResumeAnswer& resume = answer->answers[i];
      const auto& cursor = subscribe->items[i].cursor;
      if (lie == Lie::caught_up && resume.answer == Resume::range && cursor) {
        resume.answer = Resume::caught_up;
      }
      if (lie == Lie::never_forked && resume.answer == Resume::forked) {
        resume.answer = Resume::caught_up;
      }
    }
  }
  if (auto* events = std::get_if<wire::Events>(&reply.answer);
      events != nullptr && lie == Lie::resume_off_by_one && events->records.size() > 1 && now) {
    events->records.erase(events->records.begin());
    ++events->first;
  }
  if (auto* online = std::get_if<Online>(&reply.answer);
      online != nullptr && lie == Lie::wrong_online) {
    ++online->count;
  }
  if (auto* welcome = std::get_if<wire::Welcome>(&reply.answer);
      welcome != nullptr && lie == Lie::wrong_unread && now && !welcome->list.entries.empty()) {
    ++welcome->list.entries.front().unread;
  }
}

}  // namespace parley::simulation
