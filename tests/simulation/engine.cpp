// engine.cpp: the core's effects on virtual time.
#include "simulation/engine.hpp"

#include <algorithm>
#include <exception>

#include "simulation/describe.hpp"
#include "simulation/engine_sessions.hpp"

namespace parley::simulation {
namespace {

using namespace std::chrono_literals;

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
          [this, token = std::move(token), then = shared(std::move(then))] {
            if (token.empty() || !engine_.world_.admits(token)) {
              (*then)(Error{Errc::unauthenticated, "token: not one of ours"});
            } else {
              (*then)(core::Identity{token});
            }
          });
  }

  void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) override {
    const bool slow = engine_.random_.chance(0.005);  // past limits::hook_patience, sometimes
    after(engine_.random_.between(0ns, slow ? Time(3s) : Time(20ms)), index_,
          [this, message = std::move(message), then = shared(std::move(then))] {
            (*then)(engine_.looked_at(message));
          });
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

Engine::Engine(World world, Random random, core::ShardIndex shards, std::uint64_t instance)
    : world_(std::move(world)), random_(random) {
  auto opened = world_.store.opener()();
  if (!opened) throw Broken("A the weak store does not open: " + opened.error().message);
  store_ = *std::move(opened);
  core::ShardConfig config{.shards = shards, .instance = instance};
  set_hooks(config.conversation);
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
  system_ = std::make_unique<System>(*this);
  system_->shard = static_cast<core::ShardIndex>(random_.below(shards));
  turn(system_->shard, [this] {
    system_->ref = worlds_[system_->shard]->shard->open(
        *system_, core::SessionSetup{.kind = core::SessionSetup::Kind::system, .identity = {}});
  });
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

Engine::SessionKey Engine::open(Ear& ear, const std::string& trusted) {
  // Keys of all lives of the engine differ, so that late news of a dead one are recognised.
  const SessionKey key = random_.next();
  auto session = std::make_unique<Session>(*this, key, ear);
  session->shard = static_cast<core::ShardIndex>(random_.below(worlds_.size()));
  Session& there = *session;
  sessions_.emplace(key, std::move(session));
  world_.checker.opened(key);
  core::SessionSetup setup;
  if (!trusted.empty()) setup = {.kind = core::SessionSetup::Kind::trusted, .identity = {trusted}};
  turn(there.shard, [&] { there.ref = worlds_[there.shard]->shard->open(there, setup); });
  return key;
}

void Engine::request(SessionKey key, wire::Request request) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end() || at->second->closing) return;
  Session& session = *at->second;
  world_.report.trace(world_.scheduler.now(), session.name() + describe(request));
  world_.checker.heard(key, request);
  if (world_.lie != Lie::none) {
    session.asked[request.number] = request;
    mangle_request(session, request);
    if (delayed(key, request)) return;
  }
  hand_in(key, std::move(request));
}

void Engine::hand_in(SessionKey key, wire::Request request) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end() || at->second->closing) return;
  Session& session = *at->second;
  turn(session.shard,
       [&] { worlds_[session.shard]->shard->request(session.ref, std::move(request)); });
}

void Engine::ask(wire::Operation operation, Answered then) {
  wire::Request request{++system_->last, std::move(operation)};
  world_.report.trace(world_.scheduler.now(), "host " + describe(request));
  if (world_.lie != Lie::none && lied_to(request.operation, then)) return;
  system_->open.emplace(request.number, std::move(then));
  turn(system_->shard,
       [&] { worlds_[system_->shard]->shard->request(system_->ref, std::move(request)); });
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

}  // namespace parley::simulation
