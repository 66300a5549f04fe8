// loop.cpp: turns over the mailbox, the timer wheel and the poller.
#include "runtime/loop.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include "base/mpsc_queue.hpp"
#include "base/os_poller.hpp"
#include "base/timer_wheel.hpp"

namespace parley::runtime {
namespace {

thread_local Loop* current_loop = nullptr;

base::Poller::Interest interest_of(LinkHost::Ready ready) noexcept {
  const auto bits = static_cast<unsigned>(ready);
  return {.readable = (bits & 1) != 0, .writable = (bits & 2) != 0};
}

class Current {
 public:
  explicit Current(Loop* loop) noexcept : before_(std::exchange(current_loop, loop)) {}
  ~Current() { current_loop = before_; }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  Loop* before_;
};

}  // namespace

struct Loop::State {
  struct WatchSlot {
    std::function<void(Ready)> callback;
    std::uint32_t generation = 1;
    int descriptor = -1;
    Ready interest = Ready::readable;
  };
  // What the driving thread is doing, so that a sender knows whether a wake-up is needed.
  enum class Mood : int { awake, idle, sleeping };

  explicit State(base::Poller&& from) : poller(std::move(from)), time(Clock::now()), wheel(time) {}

  base::Poller poller;
  using Work = base::UniqueFunction<void()>;
  base::MpscQueue<Work> mailbox;
  base::MpscQueue<Work>::Taken posted;  // from the mailbox
  Clock::time_point time;
  base::TimerWheel wheel;
  std::deque<WatchSlot> slots;  // stable: a callback may add watches while it runs
  std::vector<std::uint32_t> free_slots;
  std::vector<std::uint32_t> dead;  // unwatched, perhaps while running; free after this turn
  std::array<base::Poller::Event, 256> events{};
  std::size_t next_event = 0;
  std::size_t event_count = 0;
  std::size_t watch_count = 0;
  std::vector<Callback> at_turn_end;
  bool looked = false;                                 // this turn has asked the poller
  bool more = false;                                   // the turn's end wants to be called again
  Clock::time_point limit = Clock::time_point::max();  // of this turn
  unsigned yield_calls = 0;
  bool yield_seen = false;
  std::unique_ptr<char[]> scratch;
  Opened opened;
  TurnEnd turn_end;
  Failed failed;
  std::function<void()> on_wake;
  std::atomic<Mood> mood{Mood::idle};
  std::atomic<bool> watched{false};  // by a host that has the descriptor
  std::atomic<bool> stopped{false};

  template <class F>
  void guarded(F&& run) {
    if (!failed) return run();
    try {
      run();
    } catch (const std::exception& error) {
      tell_failed(error.what());
    } catch (...) {
      tell_failed("an exception that is no std::exception");
    }
  }
  void tell_failed(const char* what) noexcept {
    try {
      failed(what);
    } catch (...) {  // nor is there memory to tell of it
    }
  }

  [[nodiscard]] bool used_up() noexcept { return Clock::now() >= limit; }

  WatchSlot* find(std::uint64_t token) noexcept {
    const auto index = static_cast<std::uint32_t>(token);
    if (index >= slots.size()) return nullptr;
    WatchSlot& slot = slots[index];
    const bool live = slot.descriptor >= 0 && slot.generation == token >> 32;
    return live ? &slot : nullptr;
  }

  /// Each of these runs what is waiting, at least one callback; false when the budget is used up.
  bool run_posted();
  bool run_timers();
  bool run_ready();
  bool turn(Clock::time_point now);
  bool rest();
  void end_turn();
  void recycle_dead() noexcept;
  [[nodiscard]] std::chrono::microseconds until_timer() const noexcept;
};

bool Loop::State::run_posted() {
  if (posted.empty()) posted = mailbox.take();
  while (!posted.empty()) {
    const Work work = posted.pop();
    guarded(work);
    if (!posted.empty() && used_up()) return false;
  }
  return true;
}

bool Loop::State::run_timers() {
  for (;;) {
    std::size_t ran = 0;
    guarded([&] {
      ran = 1;  // counts when the callback throws
      ran = wheel.advance(time, 64);
    });
    if (ran == 0) return true;
    if (used_up()) return false;
  }
}

bool Loop::State::run_ready() {
  if (next_event == event_count) {
    next_event = 0;
    event_count = 0;
    // With nothing watched there is only the wake-up to be taken back, which wait() does as well.
    const bool anything = watch_count != 0 || watched.load(std::memory_order_relaxed);
    if (!looked && anything) event_count = poller.wait(events, std::chrono::microseconds{0});
    looked = true;
  }
  while (next_event < event_count) {
    const auto event = events[next_event++];
    WatchSlot* slot = find(event.token);
    if (slot == nullptr) continue;
    const unsigned asked = static_cast<unsigned>(slot->interest);
    const unsigned got = asked & ((event.readable ? 1U : 0U) | (event.writable ? 2U : 0U));
    if (got == 0) continue;
    guarded([&] { slot->callback(static_cast<Ready>(got)); });
    if (used_up()) return next_event == event_count;
  }
  return true;
}

void Loop::State::recycle_dead() noexcept {
  while (!dead.empty()) {
    const std::uint32_t index = dead.back();
    dead.pop_back();
    const auto gone = std::exchange(slots[index].callback, nullptr);
    free_slots.push_back(index);
  }
}

bool Loop::State::rest() {
  recycle_dead();
  more = static_cast<bool>(turn_end);  // and stays so when it throws: something is left
  if (more) guarded([this] { more = turn_end(); });
  end_turn();
  return more;
}

void Loop::State::end_turn() {
  while (!at_turn_end.empty()) {
    const Callback callback = std::move(at_turn_end.back());
    at_turn_end.pop_back();
    guarded(callback);
  }
}

/// One turn, or as much as the budget allows. True when work is left.
bool Loop::State::turn(Clock::time_point now) {
  time = now;
  looked = event_count != next_event;
  yield_calls = 0;
  yield_seen = false;
  bool done = run_posted();
  done = run_timers() && done;
  done = run_ready() && done;
  const bool again = rest();
  return !done || again || !mailbox.empty() || next_event != event_count;
}

std::chrono::microseconds Loop::State::until_timer() const noexcept {
  const auto deadline = wheel.next_deadline();
  if (!deadline) return std::chrono::microseconds{-1};
  const auto left = *deadline - Clock::now();
  if (left <= Clock::duration::zero()) return std::chrono::microseconds{0};
  return std::chrono::ceil<std::chrono::microseconds>(left);
}

Result<std::unique_ptr<Loop>> Loop::create() {
  auto poller = base::Poller::create();
  if (!poller) return std::move(poller).error();
  return std::unique_ptr<Loop>(new Loop(std::make_unique<State>(std::move(*poller))));
}

Loop::Loop(std::unique_ptr<State> state) : state_(std::move(state)) {}

Loop::~Loop() {
  // What a callback owns may cancel timers and watches when it is destroyed: the state is whole
  // here.
  State& state = *state_;
  do {
    state.mailbox.take_all([](State::Work&&) {});
    state.posted = {};
    state.at_turn_end.clear();
    for (State::WatchSlot& slot : state.slots) {
      const auto dead = std::exchange(slot.callback, nullptr);
    }
    state.wheel.clear();
  } while (!state.mailbox.empty());
}

void Loop::on_opened(Opened sink) { state_->opened = std::move(sink); }
void Loop::on_turn_end(TurnEnd hook) { state_->turn_end = std::move(hook); }
void Loop::on_failed(Failed hook) { state_->failed = std::move(hook); }
void Loop::on_wake(std::function<void()> hook) { state_->on_wake = std::move(hook); }

LinkEvents* Loop::opened(std::unique_ptr<Link> link, LinkInfo info) {
  return state_->opened ? state_->opened(std::move(link), std::move(info)) : nullptr;
}

void Loop::hand_over(base::UniqueFunction<void()> work) {
  if (state_->mailbox.push(std::move(work))) wake();  // whoever found it not empty need not
}

void Loop::wake() noexcept {
  // Either the loop's own exchange comes later and it sees what was pushed, or this one sees it
  // asleep.
  const auto before = state_->mood.exchange(State::Mood::awake, std::memory_order_acq_rel);
  if (before == State::Mood::awake) return;
  // An idle loop is driven by its host, which sees no descriptor unless it has asked for it.
  if (before == State::Mood::sleeping || state_->watched.load(std::memory_order_acquire))
    state_->poller.wake();
  if (state_->on_wake) state_->on_wake();
}

void Loop::at_turn_end(Callback callback) {
  if (current_loop != this) return post(std::move(callback));  // between two turns
  state_->at_turn_end.push_back(std::move(callback));
}

LinkHost::Clock::time_point Loop::now() const noexcept {
  return current_loop == this ? state_->time : Clock::now();
}

LinkHost::Timer Loop::start_timer(std::chrono::milliseconds delay, Callback callback) {
  return static_cast<Timer>(state_->wheel.start(now() + delay, std::move(callback)));
}

void Loop::cancel_timer(Timer timer) noexcept {
  state_->wheel.cancel(static_cast<base::TimerWheel::Id>(timer));
}

bool Loop::can_watch() const noexcept { return true; }

LinkHost::Watch Loop::watch(int descriptor, Ready interest, std::function<void(Ready)> callback) {
  State& state = *state_;
  std::uint32_t index = 0;
  if (state.free_slots.empty()) {
    index = static_cast<std::uint32_t>(state.slots.size());
    const std::size_t needed = state.slots.size() + 1;
    if (state.free_slots.capacity() < needed) state.free_slots.reserve(2 * needed);
    if (state.dead.capacity() < needed) state.dead.reserve(2 * needed);  // unwatch() cannot fail
    state.slots.emplace_back();
  } else {
    index = state.free_slots.back();
    state.free_slots.pop_back();
  }
  State::WatchSlot& slot = state.slots[index];
  const std::uint64_t token = std::uint64_t{slot.generation} << 32 | index;
  if (!state.poller.add(descriptor, interest_of(interest), token)) {
    state.free_slots.push_back(index);
    return Watch::none;
  }
  slot.callback = std::move(callback);
  slot.descriptor = descriptor;
  slot.interest = interest;
  ++state.watch_count;
  return static_cast<Watch>(token);
}

void Loop::rewatch(Watch watch, Ready interest) {
  State::WatchSlot* slot = state_->find(static_cast<std::uint64_t>(watch));
  if (slot == nullptr || slot->interest == interest) return;
  slot->interest = interest;
  state_->poller.modify(slot->descriptor, interest_of(interest), static_cast<std::uint64_t>(watch));
}

void Loop::unwatch(Watch watch) noexcept {
  State::WatchSlot* slot = state_->find(static_cast<std::uint64_t>(watch));
  if (slot == nullptr) return;
  state_->poller.remove(slot->descriptor);
  slot->descriptor = -1;
  if (++slot->generation == 0) slot->generation = 1;
  state_->dead.push_back(static_cast<std::uint32_t>(watch));
  --state_->watch_count;
}

std::span<char> Loop::scratch() noexcept {
  if (!state_->scratch) state_->scratch = std::make_unique_for_overwrite<char[]>(scratch_size);
  return {state_->scratch.get(), scratch_size};
}

void Loop::run() {
  State& state = *state_;
  const Current scope(this);
  while (!state.stopped.load(std::memory_order_acquire)) {
    const auto now = Clock::now();
    state.limit = now + turn_limit;
    if (!state.turn(now)) wait(std::chrono::microseconds{-1});
  }
  state.mood.store(State::Mood::idle, std::memory_order_release);
}

void Loop::stop() noexcept {
  state_->stopped.store(true, std::memory_order_seq_cst);
  wake();
}

bool Loop::stopped() const noexcept { return state_->stopped.load(std::memory_order_acquire); }

bool Loop::poll(std::chrono::microseconds budget) {
  State& state = *state_;
  if (stopped()) return false;
  const Current scope(this);
  state.mood.store(State::Mood::awake, std::memory_order_release);
  auto time = Clock::now();
  const auto end = time + budget;
  bool more = true;
  do {
    state.limit = std::min(time + turn_limit, end);
    more = state.turn(time);
  } while (more && !stopped() && (time = Clock::now()) < end);
  if (stopped()) return false;
  if (more) return true;
  state.mood.exchange(State::Mood::idle, std::memory_order_acq_rel);
  return !state.mailbox.empty();  // pushed by somebody who saw the loop awake
}

void Loop::wait(std::chrono::microseconds timeout) {
  State& state = *state_;
  if (state.next_event != state.event_count || state.more) return;
  if (!state.posted.empty()) return;
  state.mood.exchange(State::Mood::sleeping, std::memory_order_acq_rel);
  if (!state.mailbox.empty() || stopped()) {
    state.mood.store(State::Mood::awake, std::memory_order_release);
    return;
  }
  const auto timer = state.until_timer();
  if (timer.count() >= 0 && (timeout.count() < 0 || timer < timeout)) timeout = timer;
  state.next_event = 0;
  state.event_count = state.poller.wait(state.events, timeout);
  state.mood.store(State::Mood::awake, std::memory_order_release);
}

std::optional<LinkHost::Clock::time_point> Loop::next_deadline() const noexcept {
  return state_->wheel.next_deadline();
}

int Loop::descriptor() const noexcept {
  if (!state_->watched.exchange(true)) state_->poller.wake();  // what came before was not told
  return state_->poller.descriptor();
}

bool Loop::should_yield() noexcept {
  State& state = *state_;
  if (!state.yield_seen && (state.yield_calls++ & 15U) == 0) state.yield_seen = state.used_up();
  return state.yield_seen;
}

Loop* Loop::current() noexcept { return current_loop; }
std::size_t Loop::watches() const noexcept { return state_->watch_count; }
std::size_t Loop::timers() const noexcept { return state_->wheel.size(); }

}  // namespace parley::runtime
