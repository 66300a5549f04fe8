// world.cpp: time, the engine's lives, the two phases.
#include "simulation/world.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace parley::simulation {

using namespace std::chrono_literals;

namespace {

store::WeakOptions with_facts(store::WeakOptions options) {
  options.facts.durability = StoreFacts::Durability::local;
  options.facts.incarnation[0] = 1;
  return options;
}

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      random_(options.seed),
      faults_(draw_faults(random_)),
      report_(options.verbose),
      scheduler_(random_.fork()),
      store_(with_facts(faults_.store),
             [random = std::make_shared<Random>(random_.fork())] { return random->next(); }),
      checker_(store_.state(), report_, scheduler_),
      network_(scheduler_, report_, random_.fork()),
      host_({scheduler_, checker_, report_, rumours_, [this] { return wall_ms(); },
             [this] { return engine_.get(); },
             [this](const std::string& subject) {
               for (auto& device : devices_)
                 if (device->subject() == subject) device->retire();
             }},
            random_.fork()) {
  if (options_.lie != Lie::none) {
    // Whatever the draw, give the lie something to lie about.
    faults_.store.unknown = std::max(faults_.store.unknown, 0.02);
    faults_.store.failed = std::max(faults_.store.failed, 0.02);
    faults_.resets = std::max(faults_.resets, 0.1);
    faults_.hostile = std::max(faults_.hostile, 0.05);
    faults_.store.unconditional = options_.lie == Lie::no_condition;
    store_.set_options(with_facts(faults_.store));
  }
  network_.set_faults(faults_);
  shards_ = static_cast<core::ShardIndex>(random_.between(1, 3));
  auto users = random_.between(2, 6);
  for (std::uint64_t user = 0; user < users; ++user) {
    rumours_.subjects.push_back("user" + std::to_string(user));
  }
  if (random_.chance(0.4)) rumours_.subjects.emplace_back(robot), ++users;
  looks_ = random_.pick(std::vector{HostLooks::never, HostLooks::at_once, HostLooks::at_once,
                                    HostLooks::later, HostLooks::twice});
  if (options_.lie != Lie::none && looks_ == HostLooks::never) looks_ = HostLooks::at_once;
  checker_.host_looks(looks_);
  const auto count = random_.between(users, users + 6);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Device::Place place{
        scheduler_, network_, checker_, report_, rumours_, faults_, [this] { return wall_ms(); }};
    devices_.push_back(
        std::make_unique<Device>(place, random_.fork(), i, rumours_.subjects[i % users]));
  }
}

World::~World() {
  network_.set_engine(nullptr);
  engine_.reset();
}

// ---- Time ----

bool World::step(Time until) {
  const auto task = scheduler_.next();
  const auto event = store_.next();
  if (!task && !event) return false;
  const bool store_first = event && (!task || *event <= *task);
  if ((store_first ? *event : *task) > until) return false;
  if (store_first) {
    scheduler_.move_to(*event);
    ++store_steps_;
    store_.step();
  } else {
    if (*task > store_.now()) store_.run_until(*task);  // nothing is due: only its clock moves
    scheduler_.run_next();
  }
  return true;
}

void World::run_until(Time when) {
  while (step(when)) {}
  scheduler_.move_to(when);
}

void World::await(const char* check, Time within, const std::function<std::string()>& missing) {
  const Time deadline = scheduler_.now() + within;
  std::string what = missing();
  while (!what.empty() && scheduler_.now() < deadline) {
    run_until(std::min(deadline, scheduler_.now() + 100ms));
    what = missing();
  }
  if (!what.empty())
    throw Broken(std::string(check) + " still after " +
                 std::to_string(within.count() / 1'000'000'000) + " s: " + what);
}

Time World::in(double rate) {
  const double seconds = -std::log(1.0 - random_.share()) / rate;
  return std::chrono::duration_cast<Time>(std::chrono::duration<double>(std::min(seconds, 1e5)));
}

// ---- The engine's lives ----

std::int64_t World::wall_ms() {
  const std::int64_t now =
      1'767'225'600'000 + clock_skew_ms_ + scheduler_.now().count() / 1'000'000;
  checker_.truth().read_clock(now);
  return now;
}

void World::start_engine() {
  report_.trace(scheduler_.now(), "engine starts");
  if (++lives_ > 1) report_.reached(Sometimes::engine_restarted);
  Engine::World world{
      .scheduler = scheduler_,
      .store = store_,
      .checker = checker_,
      .report = report_,
      .wall_ms = [this] { return wall_ms(); },
      .admits = [this](const std::string& who) { return !rumours_.gone.contains(who); },
      .looks = looks_,
      .lie = options_.lie};
  engine_ = std::make_unique<Engine>(std::move(world), random_.fork(), shards_, lives_);
  network_.set_engine(engine_.get());
}

void World::kill_engine() {
  if (!engine_) return;
  report_.reached(Sometimes::engine_crashed);
  if (engine_->committing()) report_.reached(Sometimes::crash_in_commit);
  report_.trace(scheduler_.now(), "engine dies");
  network_.set_engine(nullptr);
  checker_.engine_died();
  host_.engine_died();
  engine_.reset();
  restart_planned_ = true;
  scheduler_.after(random_.between(0ns, healing_ ? Time(1s) : faults_.down_most), [this] {
    restart_planned_ = false;
    if (!engine_) start_engine();
  });
}

void World::plan_crash() {
  if (faults_.crashes <= 0) return;
  scheduler_.after(in(faults_.crashes), [this] {
    if (healing_) return;
    plan_crash();
    if (!engine_) return;
    if (engine_->committing() || random_.chance(0.3)) return kill_engine();
    scheduler_.after(random_.between(0ms, 20ms), [this] {
      if (!healing_) kill_engine();
    });
  });
}

void World::plan_store_break() {
  if (faults_.store_breaks <= 0) return;
  scheduler_.after(in(faults_.store_breaks), [this] {
    if (healing_) return;
    plan_store_break();
    report_.reached(Sometimes::store_broken);
    report_.trace(scheduler_.now(), "the store breaks");
    store_.break_store();
    // The host sees store_failed and restarts its process.
    scheduler_.after(random_.between(0ms, 3s), [this] { kill_engine(); });
  });
}

void World::plan_clock_step() {
  if (faults_.clock_steps <= 0) return;
  scheduler_.after(in(faults_.clock_steps), [this] {
    if (healing_) return;
    plan_clock_step();
    report_.reached(Sometimes::clock_stepped);
    clock_skew_ms_ += static_cast<std::int64_t>(random_.below(1'200'000)) - 600'000;
  });
}

// ---- The run ----

void World::run() {
  start_engine();
  for (auto& device : devices_) {
    scheduler_.after(random_.between(0ms, 2s), [&device] { device->start(); });
  }
  plan_crash();
  plan_store_break();
  plan_clock_step();
  plan_hour();
  host_.start();
  const Time length =
      options_.faulty > Time(0) ? options_.faulty : random_.between(Time(10s), Time(40s));
  run_until(length);
  heal();
  converge();
  audit();
}

void World::heal() {
  report_.trace(scheduler_.now(), "healing");
  healing_ = true;
  faults_ = no_faults();
  store_.set_options(with_facts(faults_.store));
  network_.set_faults(faults_);
  host_.calm();
  for (auto& device : devices_) device->retired() ? device->leave() : device->calm();
  const auto gone = std::stable_partition(devices_.begin(), devices_.end(),
                                          [](const auto& device) { return !device->retired(); });
  retired_.assign(std::make_move_iterator(gone), std::make_move_iterator(devices_.end()));
  devices_.erase(gone, devices_.end());
  if (!engine_ && !restart_planned_) start_engine();
}

std::size_t World::unsent() const {
  std::size_t count = 0;
  for (const auto& device : devices_) count += device->unsent();
  return count;
}

void World::converge() {
  await("C20", 5min, [this]() -> std::string { return host_.unsettled(); });
  // The clock may have been set back several times, by ten minutes each.
  await("C16", 2h, [this]() -> std::string { return checker_.owed(); });
  // Slow mode lets what a user's devices have queued through one by one: wait as long as some goes.
  for (std::size_t left = unsent(); left > 0; left = unsent()) {
    await("convergence", 60s, [this, left]() -> std::string {
      return unsent() < left ? "" : "none of " + std::to_string(left) + " unsent messages was sent";
    });
  }
  await("convergence", 60s, [this]() -> std::string {
    for (const auto& device : devices_) {
      if (auto why = device->unsettled(); !why.empty()) return why;
    }
    return engine_ ? "" : "the engine is down";
  });
  checker_.finish();
}

}  // namespace parley::simulation
