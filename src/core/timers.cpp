#include "core/timers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/shard_state.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t listed_at_once = 1'000;
constexpr std::uint32_t woken_at_once = 64;
constexpr std::size_t changes_at_once = 512;
constexpr std::int64_t hour_ms = 60LL * 60 * 1000;
constexpr std::int64_t nothing_ms = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t first_wait_ms = 1'000, longest_wait_ms = 60'000;
constexpr std::chrono::milliseconds shortest_sleep{1}, longest_sleep{30'000};  // WallClock asks
constexpr auto list_again = std::chrono::seconds(1);

using Outcome = Settled::Outcome;

std::int64_t end_of(std::uint32_t hour) { return (std::int64_t{hour} + 1) * hour_ms; }

}  // namespace

struct Timers::Round {
  Name name;
  std::int64_t now = 0, next = 0;  // when something is to be done after it
  std::vector<layout::TimerKey> timers;
  std::string after;  // where the pass goes on
  std::size_t open = 0;
};

// ---- Start: which hours there are ----

void Timers::start() { list_from({}); }

void Timers::stop() {
  stopping_ = true;
  if (timer_ != Effects::Timer::none) shard_.world.cancel_timer(std::exchange(timer_, {}));
}

void Timers::list_from(std::string after) {
  shard_.world.list(layout::timer, after, listed_at_once, [this, after](Result<Listed> listed) {
    if (stopping_) return;
    if (!listed) {
      shard_.world.log(Effects::Severity::warning,
                       "timers wait to be found: " + listed.error().message);
      shard_.world.start_timer(list_again, [this, after] { list_from(after); });
      return;
    }
    for (const Row& partition : listed->partitions) {
      const auto name = layout::parse_timer_id(partition.key);
      if (!name || name->second % shard_.config.shards != shard_.index) continue;
      const std::int64_t begin = std::int64_t{name->first} * hour_ms;
      if (partition.key != this->partition(*name)) continue;  // another namespace
      hours_.try_emplace(*name).first->second.look_at_ms = begin;
    }
    look_later();
    if (!listed->next.empty()) list_from(std::string(listed->next));
  });
}

std::string Timers::partition(const Name& name) const {
  return layout::timer_id(shard_.config.ns, name.first, name.second);
}

std::int64_t Timers::now_ms() noexcept { return clock_.at(shard_.world.now()); }

// ---- Storing ----

void Timers::put(const layout::TimerTarget& target, std::int64_t due_ms, Then<void> then) {
  change(target, due_ms, true, std::move(then));
}

void Timers::erase(const layout::TimerTarget& target, std::int64_t due_ms) {
  change(target, due_ms, false, nullptr);
}

void Timers::change(const layout::TimerTarget& target, std::int64_t due_ms, bool put,
                    Then<void> then) {
  due_ms = std::max<std::int64_t>(due_ms, 0);
  const Name name{layout::timer_hour(due_ms), layout::timer_shard_of(target)};
  const auto [at, fresh] = hours_.try_emplace(name);
  Hour& hour = at->second;
  if (fresh) hour.look_at_ms = end_of(name.first);
  hour.waiting.push_back({layout::timer_key(due_ms, target), put, due_ms, std::move(then)});
  commit(name);
}

void Timers::commit(const Name& name) {
  Hour& hour = hours_.at(name);
  if (hour.committing || hour.waiting.empty()) return;
  hour.committing = true;
  hour.guard_known ? submit(name) : read_guard(name);
}

void Timers::read_guard(const Name& name) {
  auto request = owned_get({{layout::timer, partition(name), {}}});
  shard_.world.get(std::move(request), [this, name](Result<Cells> cells) {
    Hour& hour = hours_.at(name);
    if (!cells)
      return settled(name, take(hour), {}, {.outcome = Outcome::failed, .error = cells.error()});
    hour.guard.reset();
    if (cells->values[0]) hour.guard = std::string(*cells->values[0]);
    hour.guard_known = true;
    submit(name);
  });
}

std::vector<Timers::Change> Timers::take(Hour& hour) {
  std::vector<Change> changes;
  while (!hour.waiting.empty() && changes.size() < changes_at_once) {
    changes.push_back(std::move(hour.waiting.front()));
    hour.waiting.pop_front();
  }
  return changes;
}

void Timers::submit(const Name& name) {
  Hour& hour = hours_.at(name);
  auto changes = std::make_shared<std::vector<Change>>(take(hour));
  std::map<std::string, bool> rows;  // of two changes of a row the later counts
  bool puts = false;
  for (const Change& change : *changes) {
    rows[change.key] = change.put;
    puts = puts || change.put;
  }
  if (!puts && !hour.guard) return settled(name, {}, {}, {});  // nothing to erase
  layout::CountCell cell;
  if (hour.guard) cell = layout::decode_count(*hour.guard).value_or(cell);
  cell.revision += 1;
  cell.nonce = shard_.world.random();
  const std::string guard = layout::encode(cell);
  BatchWriter writer(layout::timer, partition(name), 32 * rows.size());
  if (hour.guard) writer.expect(*hour.guard);
  writer.guard(guard);
  for (const auto& [key, put] : rows) {
    if (put)
      writer.put(key, {});
    else
      writer.erase(key);
  }
  submit_guarded(shard_.world, alive_, std::move(writer).finish(),
                 [this, name, guard, changes](const Settled& outcome) {
                   settled(name, std::move(*changes), guard, outcome);
                 });
}

void Timers::settled(const Name& name, std::vector<Change> changes,
                     std::optional<std::string> guard, const Settled& outcome) {
  Hour& hour = hours_.at(name);
  const bool done = outcome.outcome == Outcome::done;
  hour.committing = false;
  hour.guard_known = done;
  if (done) hour.guard = std::move(guard);
  if (outcome.outcome == Outcome::refused) {  // doing it again changes nothing
    for (auto change = changes.rbegin(); change != changes.rend(); ++change)
      hour.waiting.push_front(std::move(*change));
    return commit(name);
  }
  for (Change& change : changes) {
    if (change.put && done) hour.look_at_ms = std::min(hour.look_at_ms, change.due_ms);
    if (change.then) change.then(done ? Result<void>() : Result<void>(outcome.error));
  }
  commit(name);
  look_later();
}

// ---- Waking ----

void Timers::look_later() {
  if (timer_ != Effects::Timer::none) shard_.world.cancel_timer(std::exchange(timer_, {}));
  if (stopping_ || hours_.empty()) return;
  const std::int64_t now = now_ms();
  std::int64_t next = now + longest_sleep.count();
  for (const auto& [name, hour] : hours_) {
    if (end_of(name.first) - hour_ms > next) break;
    if (!hour.waking) next = std::min(next, hour.look_at_ms);
  }
  const auto sleep = std::max(std::chrono::milliseconds(next - now), shortest_sleep);
  timer_ = shard_.world.start_timer(sleep, [this] {
    timer_ = Effects::Timer::none;
    look();
  });
}

void Timers::look() {
  const std::int64_t now = now_ms();
  if (now < looked_ms_) {  // the clock was set back: what failed does not wait for it
    for (auto& [name, hour] : hours_)
      if (hour.left) hour.look_at_ms = std::min(hour.look_at_ms, now);
  }
  looked_ms_ = now;
  std::vector<Name> due;
  for (const auto& [name, hour] : hours_) {
    if (end_of(name.first) - hour_ms > now) break;
    if (!hour.waking && hour.look_at_ms <= now) due.push_back(name);
  }
  for (const Name& name : due) {
    Hour& hour = hours_.at(name);
    hour.waking = true;
    hour.left = false;
    hour.look_at_ms = nothing_ms;  // but what is put meanwhile
    scan(name, now, "");
  }
  look_later();
}

void Timers::scan(const Name& name, std::int64_t now, std::string from) {
  const bool whole = from.empty();
  auto request = owned_scan(layout::timer, partition(name), std::move(from), {});
  request.max_rows = woken_at_once + 1;
  shard_.world.scan(std::move(request), [this, name, now, whole](Result<Rows> rows) {
    if (rows) return scanned(name, now, *rows, whole);
    hours_.at(name).left = true;
    pass_over(name, now, now);
  });
}

void Timers::scanned(const Name& name, std::int64_t now, const Rows& rows, bool whole) {
  if (!rows.guard) return gone(name);
  auto round = std::make_shared<Round>();
  round->name = name;
  round->now = now;
  round->next = end_of(name.first);
  for (const Row& row : rows.rows) {
    const auto timer = layout::parse_timer_key(row.key);
    if (!timer) continue;  // a later version's
    if (timer->due_ms > now || round->timers.size() == woken_at_once) {
      round->next = timer->due_ms;
      break;
    }
    round->timers.push_back(*timer);
    round->after = std::string(row.key) + '\0';
  }
  // What a pass left behind stands before where it goes on: only a whole look finds it empty.
  if (whole && rows.rows.empty() && round->next <= now) return end(name, std::string(*rows.guard));
  round->open = 1 + round->timers.size();
  for (const layout::TimerKey& timer : round->timers) wake(round, timer);
  woken(round);
}

void Timers::wake(const std::shared_ptr<Round>& round, const layout::TimerKey& timer) {
  const ShardIndex here = shard_.index;
  const auto then = [this, round, timer, here](ShardState& there, const Result<void>& result) {
    const bool nobody = !result && result.error().errc() == Errc::denied;
    there.at(here, [this, round, timer, done = result || nobody](ShardState&) {
      if (done)
        erase(timer.target, timer.due_ms);
      else
        hours_.at(round->name).left = true;
      woken(round);
    });
  };
  if (timer.target.kind == layout::TimerTarget::Kind::user) {
    shard_.at_user(timer.target.user, [then, now = round->now](ShardState& there, UserHome& home) {
      home.wake(now, [then, &there](const Result<void>& result) { then(there, result); });
    });
  } else {
    shard_.at_home(
        timer.target.conversation, [then, now = round->now](ShardState& there, Conversation& home) {
          home.wake(now, [then, &there](const Result<void>& result) { then(there, result); });
        });
  }
}

/// What did not answer well stays and is tried again after the pass.
void Timers::woken(const std::shared_ptr<Round>& round) {
  if (--round->open > 0) return;
  if (stopping_) return;
  const bool more = round->next <= round->now && !round->after.empty();
  if (more) return scan(round->name, round->now, std::move(round->after));
  pass_over(round->name, round->now, round->next);
}

void Timers::pass_over(const Name& name, std::int64_t now, std::int64_t next) {
  Hour& hour = hours_.at(name);
  hour.waking = false;
  hour.wait_ms = !hour.left ? 0 : std::clamp(2 * hour.wait_ms, first_wait_ms, longest_wait_ms);
  next = hour.left ? now + hour.wait_ms : std::max(next, now + 1);
  hour.look_at_ms = std::min(hour.look_at_ms, next);
  look_later();
}

/// Nothing is in it and nothing that is not due already will be put there.
void Timers::end(const Name& name, const std::string& guard) {
  Hour& hour = hours_.at(name);
  if (hour.committing || !hour.waiting.empty()) {
    hour.left = true;
    return pass_over(name, now_ms(), 0);
  }
  hour.committing = true;
  BatchWriter writer(layout::timer, partition(name), 0);
  writer.expect(guard);
  Batch batch = std::move(writer).finish();
  batch.guard.reset();
  submit_guarded(shard_.world, alive_, std::move(batch), [this, name](const Settled& outcome) {
    Hour& ended = hours_.at(name);
    ended.committing = false;
    ended.guard_known = false;
    ended.guard.reset();
    if (outcome.outcome == Outcome::done) return gone(name);
    ended.left = true;
    commit(name);
    pass_over(name, now_ms(), 0);
  });
}

void Timers::gone(const Name& name) {
  Hour& hour = hours_.at(name);
  const bool put_since = hour.guard.has_value() || hour.committing || !hour.waiting.empty();
  hour.guard.reset();
  hour.guard_known = false;
  if (put_since) {  // what was seen may be old: look again
    hour.left = true;
    commit(name);
    return pass_over(name, now_ms(), 0);
  }
  hours_.erase(name);
  look_later();
}

// ---- Owners ----

void WakeUp::ensure(WakeStore& store, const layout::TimerTarget& target, std::int64_t due_ms,
                    Then<void> then) {
  if (covers(due_ms)) return then({});
  due_ms = std::max(due_ms, passed_ms_ + 1);  // one that is passing is erased after its answer
  store.wake_at(target, due_ms,
                [this, here = std::weak_ptr<const int>(alive_), &store, target, due_ms,
                 then = std::move(then)](Result<void> stored) {
                  if (here.expired()) return;
                  if (stored && due_ms <= passed_ms_)  // it has come already
                    return ensure(store, target, due_ms, then);
                  if (stored && !covers(due_ms)) {
                    if (stored_ms_) store.drop_wake(target, *stored_ms_);
                    stored_ms_ = due_ms;
                    earlier_ = false;
                  }
                  then(std::move(stored));
                });
}

}  // namespace parley::core
