// shard_host.cpp: turns of a shard, and its effects on the real world.
#include "engine/shard_host.hpp"

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "base/os.hpp"
#include "base/siphash.hpp"
#include "base/thrown.hpp"
#include "engine/engine_impl.hpp"
#include "engine/hook_watch.hpp"
#include "engine/link_session.hpp"
#include "engine/queued_codec.hpp"

namespace parley::engine {
namespace {

constexpr auto sweep_period = std::chrono::milliseconds(250);
constexpr std::size_t session_weight = 1'536;  // of an idle one

LogLevel level_of(core::Effects::Severity severity) noexcept {
  switch (severity) {
    case core::Effects::Severity::debug:
      return LogLevel::debug;
    case core::Effects::Severity::info:
      return LogLevel::info;
    case core::Effects::Severity::warning:
      return LogLevel::warning;
    case core::Effects::Severity::error:
      break;
  }
  return LogLevel::error;
}

}  // namespace

ShardHost::ShardHost(EngineImpl& engine, ShardIndex index, std::unique_ptr<runtime::Loop> loop,
                     const core::ShardConfig& config)
    : engine_(engine),
      index_(index),
      loop_(std::move(loop)),
      queued_(std::make_shared<std::atomic<std::size_t>>(0)),
      posts_(config.shards) {
  codecs_[static_cast<std::size_t>(Encoding::binary)] =
      std::make_unique<QueuedCodec>(wire::binary_codec(), queued_);
  codecs_[static_cast<std::size_t>(Encoding::json)] =
      std::make_unique<QueuedCodec>(wire::json_codec(), queued_);
  core_ = std::make_unique<core::Shard>(index, config, *this);
  plug_in();
}

ShardHost::~ShardHost() {
  released_.clear();  // links may unwatch and cancel when they are destroyed
  orphans_.clear();
  running_.clear();
  later_.clear();
  core_.reset();
  loop_.reset();
}

void ShardHost::plug_in() {
  loop_->on_opened([this](std::unique_ptr<Link> link, LinkInfo info) {
    return opened(std::move(link), std::move(info));
  });
  loop_->on_turn_end([this] { return turn_end(); });
  loop_->on_failed([this](std::string_view what) {
    log(Severity::error,
        "shard " + std::to_string(index_) + ": an exception: " + std::string(what));
  });
}

void ShardHost::start() {
  in_core([](core::Shard& core) { core.start(); });
}

void ShardHost::look_after(HostedOutlet& outlet) {
  if (outlet.released_) return;
  if (!outlet.looked_after()) {
    looked_after_.push_back(&outlet);
    outlet.place_ = static_cast<std::uint32_t>(looked_after_.size() - 1);
  }
  arm_sweep();
}

void ShardHost::arm_sweep() {
  if (sweep_armed_) return;
  loop_->start_timer(sweep_period, [this] {
    sweep_armed_ = false;
    if (looked_after_.empty()) return;
    arm_sweep();  // first: whatever happens below
    sweep();
  });
  sweep_armed_ = true;
}

void ShardHost::look_away(HostedOutlet& outlet) noexcept {
  if (!outlet.looked_after()) return;
  HostedOutlet* last = looked_after_.back();
  last->place_ = outlet.place_;
  looked_after_[outlet.place_] = last;
  looked_after_.pop_back();
  outlet.place_ = HostedOutlet::nowhere;
}

/// From the end: the last one takes the place of one that goes.
void ShardHost::sweep() {
  for (std::size_t i = looked_after_.size(); i-- > 0;) {
    if (i >= looked_after_.size()) continue;
    HostedOutlet& outlet = *looked_after_[i];
    bool stays = false;
    try {
      stays = outlet.sweep();
    } catch (...) {
      outlet.give_up();
    }
    if (!stays) look_away(outlet);
  }
}

void ShardHost::stop(std::function<void()> stopped) {
  stopping_ = std::move(stopped);
  in_core([this](core::Shard& core) { core.stop(stopping_); });
}

// ---- Turns ----

bool ShardHost::turn_end() {
  if (broken_ || next_life_ > life_) begin_anew();
  run_later();
  send_posts();
  bool more = flush_dirty();
  send_posts();
  drop_released();
  update_figures();
  more = more || next_ != running_.size() || !later_.empty() || !dirty_.empty();
  return more;
}

/// Generation by generation: what work leaves for later runs after everything that was there
/// before, and in the same turn while its budget lasts.
void ShardHost::run_later() {
  for (;;) {
    if (next_ == running_.size()) {
      running_.clear();
      next_ = 0;
      if (later_.empty()) send_commits();
      if (later_.empty()) return;
      running_.swap(later_);
    }
    while (next_ < running_.size()) {
      const Work work = std::move(running_[next_++]);
      in_core(work);
      if (loop_->should_yield()) return send_commits();
    }
  }
}

/// Every dirty outlet once; those that have more, and those made dirty meanwhile, in the next turn.
bool ShardHost::flush_dirty() {
  if (next_flush_ == flushing_.size()) {
    flushing_.clear();
    next_flush_ = 0;
    flushing_.swap(dirty_);
  }
  while (next_flush_ < flushing_.size()) {
    HostedOutlet* outlet = flushing_[next_flush_++];
    outlet->dirty_ = false;
    if (outlet->released_) continue;
    bool more = false;
    try {
      more = outlet->flush();
    } catch (...) {
      outlet->give_up();
    }
    if (more && !outlet->released_) mark_dirty(*outlet);
    if ((next_flush_ & 63U) == 0 && loop_->should_yield()) break;
  }
  return next_flush_ != flushing_.size();
}

void ShardHost::send_posts() {
  for (std::size_t to = 0; to < posts_.size(); ++to) {
    if (posts_[to].empty()) continue;
    ShardHost& there = engine_.shard(static_cast<ShardIndex>(to));
    in_core([&](core::Shard&) {  // what is not sent is lost
      auto works = std::make_shared<std::vector<Work>>(std::exchange(posts_[to], {}));
      there.loop().hand_over(
          [&there, life = life_, works = std::move(works)] { there.receive(life, works); });
    });
  }
}

/// Those who sent it have begun anew: so does this shard, at the end of the turn, and then hears
/// it.
void ShardHost::receive(std::uint64_t life, const std::shared_ptr<std::vector<Work>>& works) {
  if (life < life_) return;
  if (life == life_) {
    for (const Work& each : *works) in_core(each);
    return;
  }
  join_life(life);
  try {
    loop_->hand_over([this, life, works] { receive(life, works); });
  } catch (...) {  // it is lost, and they wait for it: all begin once more
    next_life_ = engine_.next_life();
    throw;
  }
}

void ShardHost::join_life(std::uint64_t life) noexcept { next_life_ = std::max(next_life_, life); }

/// What other shards wait for from here would never come, nor what this one waits for from them:
/// all begin anew. Nothing of it may be left undone: what throws is tried again with the next turn.
void ShardHost::begin_anew() {
  broken_ = true;
  if (next_life_ <= life_) next_life_ = engine_.next_life();
  for (std::size_t i = 0; i < engine_.shards(); ++i) {
    if (i == index_) continue;
    ShardHost& there = engine_.shard(static_cast<ShardIndex>(i));
    there.loop().hand_over([&there, life = next_life_] { there.join_life(life); });
  }
  auto fresh = std::make_unique<core::Shard>(*core_, engine_.instance(next_life_));
  std::vector<HostedOutlet*> sessions;
  sessions.reserve(outlets_.size());
  for (const auto& outlet : outlets_) sessions.push_back(outlet.get());
  log(Severity::error, "shard " + std::to_string(index_) +
                           ": no memory: sessions are closed, and all begins anew from the store");

  running_.clear();
  next_ = 0;
  later_.clear();
  for (auto& posts : posts_) posts.clear();
  std::apply([](auto&... calls) { (calls.forget(), ...); }, calls_);
  core_.swap(fresh);
  life_ = next_life_;
  broken_ = false;
  for (HostedOutlet* session : sessions) session->core_lost();
  fresh.reset();
  start();
  if (stopping_) in_core([this](core::Shard& core) { core.stop(stopping_); });
}

void ShardHost::update_figures() {
  sessions_.store(outlets_.size(), std::memory_order_relaxed);
  conversations_.store(core_->conversations(), std::memory_order_relaxed);
  ingress_.store(core_->ingress_bytes(), std::memory_order_relaxed);
  references_.store(static_cast<std::size_t>(waiting_), std::memory_order_relaxed);
  queued_elsewhere_.reset();
  const std::size_t weight =
      core_->weight() + session_weight * outlets_.size() + static_cast<std::size_t>(held_);
  weight_.store(weight, std::memory_order_relaxed);
  core_->set_short_of_memory(engine_.memory_short());
}

EngineStats ShardHost::stats() const noexcept {
  return {1, sessions_.load(std::memory_order_relaxed),
          conversations_.load(std::memory_order_relaxed), ingress_.load(std::memory_order_relaxed),
          queued()};
}

/// What is left of the budget: so many slow sessions together never have all of it, each has the
/// same share at most, and one that holds less than is left goes on.
std::size_t ShardHost::queue_limit() noexcept { return std::min(limits::queue_soft, queue_room()); }

std::size_t ShardHost::queue_room() noexcept {
  if (!queued_elsewhere_) {
    queued_elsewhere_ = 0;
    for (std::size_t i = 0; i < engine_.shards(); ++i)
      if (i != index_) *queued_elsewhere_ += engine_.shard(static_cast<ShardIndex>(i)).queued();
  }
  const std::size_t here =
      queued_->load(std::memory_order_relaxed) + static_cast<std::size_t>(waiting_);
  const std::size_t budget = engine_.queue_budget();
  return budget - std::min(budget, *queued_elsewhere_ + here);
}

bool ShardHost::memory_full() const noexcept { return engine_.memory_full(); }

// ---- Sessions ----

LinkEvents* ShardHost::opened(std::unique_ptr<Link> link, LinkInfo info) {
  if (!engine_.accepts_links() || memory_full() || !engine_.admit_session()) return nullptr;
  LinkSession* raw = nullptr;
  try {
    auto session = std::make_shared<LinkSession>(*this, std::move(link), std::move(info));
    raw = session.get();
    keep(std::move(session));
  } catch (...) {
    engine_.session_gone();
    return nullptr;
  }
  try {
    raw->open();
  } catch (...) {
    raw->give_up();
  }
  return raw;
}

void ShardHost::attach(const std::shared_ptr<parley::detail::LocalSession>& session,
                       core::SessionSetup setup, CallRef hello) {
  try {
    keep(session);
  } catch (...) {
    engine_.session_gone();
    return hello.fail(no_memory());
  }
  try {
    session->open(std::move(setup), std::move(hello));
  } catch (...) {
    session->give_up();
  }
}

void ShardHost::keep(std::shared_ptr<HostedOutlet> outlet) {
  HostedOutlet& kept = *outlet;
  outlets_.push_back(std::move(outlet));
  kept.index_ = static_cast<std::uint32_t>(outlets_.size() - 1);
}

/// From outlets_; the last one takes its place.
std::shared_ptr<HostedOutlet> ShardHost::take_out(HostedOutlet& outlet) noexcept {
  std::swap(outlets_[outlet.index_], outlets_.back());
  outlets_[outlet.index_]->index_ = outlet.index_;
  outlet.index_ = HostedOutlet::nowhere;
  std::shared_ptr<HostedOutlet> taken = std::move(outlets_.back());
  outlets_.pop_back();
  return taken;
}

void ShardHost::release(HostedOutlet& outlet) {
  if (outlet.index_ == HostedOutlet::nowhere || outlet.released_) return;
  ended(outlet);
  try {
    released_.push_back(outlets_[outlet.index_]);
    take_out(outlet);
  } catch (const std::bad_alloc&) {
    stranded_ = true;
  }
}

void ShardHost::ended(HostedOutlet& outlet) noexcept {
  outlet.released_ = true;
  look_away(outlet);
  engine_.session_gone();
}

/// One that is in a list still is met there, and skipped, in the next turn.
void ShardHost::drop_released() {
  std::erase_if(released_, [](const auto& outlet) { return !outlet->dirty_; });
  if (!stranded_) return;
  stranded_ = false;
  for (std::size_t i = outlets_.size(); i-- > 0;) {
    HostedOutlet& outlet = *outlets_[i];
    if (!outlet.released_) continue;
    if (outlet.dirty_) {
      stranded_ = true;
    } else {
      take_out(outlet);
    }
  }
}

void ShardHost::orphan(HostedOutlet& outlet) {
  if (outlet.index_ == HostedOutlet::nowhere || outlet.released_) return;
  orphans_.push_back(outlets_[outlet.index_]);  // what throws has changed nothing
  take_out(outlet);
  ended(outlet);
}

void ShardHost::orphan_closed(HostedOutlet& outlet) {
  const auto found = std::find_if(orphans_.begin(), orphans_.end(),
                                  [&](const auto& orphan) { return orphan.get() == &outlet; });
  if (found == orphans_.end()) return;
  released_.push_back(std::move(*found));
  orphans_.erase(found);
}

std::size_t ShardHost::open_requests() const noexcept {
  std::size_t sum = 0;
  for (const auto& outlet : outlets_) sum += outlet->open_requests();
  return sum;
}

void ShardHost::abandon_all(const Error& why) {
  const auto here = [](const auto& outlet) { return !outlet->released_; };
  for (;;) {
    const auto next = std::find_if(outlets_.rbegin(), outlets_.rend(), here);
    if (next == outlets_.rend()) return;
    const std::shared_ptr<HostedOutlet> outlet = *next;
    try {
      outlet->abandon(why);
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();  // and once more: nothing may be left
    }
  }
}

// ---- Effects ----

core::Time ShardHost::now() const noexcept {
  const bool here = on_this_shard();
  const auto steady = loop_->now();
  if (here && steady == now_.steady) return now_;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const core::Time time{steady,
                        std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()};
  if (here) now_ = time;
  return time;
}

std::uint64_t ShardHost::random() {
  if (chance_left_ == 0) {
    if (!base::random_bytes(chance_.data(), sizeof chance_)) {
      // Only a kernel without getrandom: the seed of the opening goes on, keyed.
      for (auto& word : chance_) word = engine_.fallback_random();
    }
    chance_left_ = chance_.size();
  }
  return std::exchange(chance_[--chance_left_], 0);
}

const StoreFacts& ShardHost::store_facts() const noexcept { return engine_.store().facts(); }

/// A completion of the store, brought to this shard and out of the call that it may have come in.
template <class T>
Store::Done<T> ShardHost::back(Then<T> then) {
  auto& calls = std::get<StoreCalls<T>>(calls_);
  return [this, call = &calls.open(std::move(then))](T answer) {
    auto& all = std::get<StoreCalls<T>>(calls_);
    call->answer.emplace(std::move(answer));
    if (on_this_shard()) return close_later(*call);
    if (!all.answered(*call)) return;
    tell_answered(
        [this, &all] { all.take_answered([this](auto& each) { this->close_later(each); }); });
  };
}

/// On a thread of the store, which has nothing better to do than to tell: nobody else would.
template <class Take>
void ShardHost::tell_answered(const Take& take) {
  for (;;) {
    try {
      return loop_->hand_over(take);  // a copy: one that was not handed over is gone
    } catch (const std::bad_alloc&) {
      std::this_thread::yield();
    }
  }
}

template <class Call>
void ShardHost::close_later(Call& call) {
  call.closing = true;
  in_core([&](core::Shard&) {
    later_.emplace_back([this, &call](core::Shard&) {
      std::get<StoreCalls<typename Call::Answer>>(calls_).close(call);
    });
  });
}

void ShardHost::commit(Batch batch, Then<Committed> then) {
  commits_.push_back({std::move(batch), back<Committed>(std::move(then))});
}

void ShardHost::send_commits() {
  in_core([this](core::Shard&) {
    for (Commit& each : std::exchange(commits_, {}))
      engine_.store().commit(std::move(each.batch), std::move(each.done));
  });
}
void ShardHost::get(Get get, Then<Result<Cells>> then) {
  engine_.store().get(std::move(get), back<Result<Cells>>(std::move(then)));
}
void ShardHost::scan(Scan scan, Then<Result<Rows>> then) {
  engine_.store().scan(std::move(scan), back<Result<Rows>>(std::move(then)));
}
void ShardHost::list(std::uint8_t space, std::string after, std::uint32_t max,
                     Then<Result<Listed>> then) {
  engine_.store().list(space, after, max, back<Result<Listed>>(std::move(then)));
}
void ShardHost::changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) {
  engine_.store().changes(after, max, back<Result<Changes>>(std::move(then)));
}
void ShardHost::forget_changes(std::string through, Then<Result<void>> then) {
  engine_.store().forget_changes(through, back<Result<void>>(std::move(then)));
}

void ShardHost::post(ShardIndex to, Work work) {
  (to == index_ ? later_ : posts_[to]).push_back(std::move(work));
}

void ShardHost::bring(Work work) {
  if (on_this_shard()) return later_.push_back(std::move(work));
  loop_->hand_over([this, work = std::move(work)] { in_core(work); });
}

void ShardHost::authenticate(std::string token, Then<Result<core::Identity>> then) {
  struct Asked {
    std::atomic<bool> answered{false};
    Then<Result<core::Identity>> then;
  };
  auto asked = std::make_shared<Asked>();
  asked->then = std::move(then);
  auto done = [asked, engine = engine_.weak_from_this(), index = index_,
               life = life_](Result<AuthAnswer> answer) {
    if (asked->answered.exchange(true)) return;
    const auto alive = engine.lock();
    if (!alive) return;
    auto identity = check_answer(std::move(answer));
    alive->bring(index, [asked, &there = alive->shard(index), life,
                         identity = std::move(identity)](core::Shard&) mutable {
      if (there.life_ == life) asked->then(std::move(identity));
    });
  };
  const Authenticator& decide = engine_.options().authenticator;
  if (!decide) return done(Error{Errc::unauthenticated, "this engine has no authenticator"});
  try {
    decide({std::move(token)}, done);
  } catch (...) {
    log(Severity::error, "the authenticator threw: " + base::what_was_thrown());
    done(Error{Errc::unauthenticated, "not authenticated"});
  }
}

void ShardHost::look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) {
  struct Asked {
    std::atomic<bool> answered{false};
    Then<Result<IncomingMessage>> then;
  };
  auto asked = std::make_shared<Asked>();
  asked->then = std::move(then);
  auto done = [asked, engine = engine_.weak_from_this(), index = index_,
               life = life_](Result<IncomingMessage> verdict) {
    if (asked->answered.exchange(true)) return;
    const auto alive = engine.lock();
    if (!alive) return;
    alive->bring(index, [asked, &there = alive->shard(index), life,
                         verdict = std::move(verdict)](core::Shard&) mutable {
      if (there.life_ == life) asked->then(std::move(verdict));
    });
  };
  const HookWatch watch(engine_, "before_message_async");
  try {
    engine_.options().before_message_async(std::move(message), done);
  } catch (...) {
    log(Severity::error, "EngineOptions::before_message_async threw: " + base::what_was_thrown());
    done(Error{Errc::internal, "the message could not be looked at"});
  }
}

core::Effects::Timer ShardHost::start_timer(std::chrono::milliseconds delay,
                                            std::function<void()> then) {
  return static_cast<Timer>(loop_->start_timer(delay, [this, life = life_, then = std::move(then)] {
    if (life == life_) in_core([&](core::Shard&) { then(); });
  }));
}
void ShardHost::cancel_timer(Timer timer) noexcept {
  loop_->cancel_timer(static_cast<LinkHost::Timer>(timer));
}
void ShardHost::log(Severity severity, std::string text) { engine_.log(level_of(severity), text); }

}  // namespace parley::engine
