// engine_driving.cpp: who drives the engine's loops, by hand or on its threads, and who may wait.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/engine_impl.hpp"

namespace parley::inline v0::detail {

bool EngineImpl::poll(std::chrono::microseconds budget) {
  if (forked() || !host_driven() || on_own_thread()) return false;
  bool more = false;
  bool ended = false;
  std::shared_ptr<EngineImpl> last;  // perhaps the only one: goes when nothing here is used again
  {
    const std::lock_guard lock(driving_);
    poll_thread_.store(std::this_thread::get_id());
    more = poll_locked(budget);
    while (abandoned_ && !stopped()) {  // destroyed by one of its own handlers: ends here
      poll_locked(std::chrono::milliseconds(1));
      if (!stopped()) shards_[0]->loop().wait(std::chrono::milliseconds(20));
    }
    ended = stopped();
    if (ended) last = std::exchange(abandoned_, nullptr);
  }
  if (ended) tell_stopped();
  return more;
}

bool EngineImpl::on_own_thread() noexcept {
  const auto* current = runtime::Loop::current();
  if (current == nullptr) return false;
  const engine::Gate::Pass pass(gate_);
  return pass && std::any_of(shards_.begin(), shards_.end(),
                             [&](const auto& shard) { return &shard->loop() == current; });
}

bool EngineImpl::poll_locked(std::chrono::microseconds budget) {
  if (stopped()) return false;
  const bool more = shards_[0]->loop().poll(budget);
  return !end_if_stopped() && more;
}

bool EngineImpl::end_if_stopped() {
  if (!shards_[0]->loop().stopped()) return false;
  finalize();
  return true;
}

void EngineImpl::sleep(std::chrono::microseconds timeout) {
  if (forked() || !host_driven() || on_own_thread()) return;
  const std::lock_guard lock(driving_);
  if (!stopped()) shards_[0]->loop().wait(timeout);
}

std::optional<std::chrono::steady_clock::time_point> EngineImpl::next_deadline() const {
  if (forked() || !host_driven()) return std::nullopt;
  const std::lock_guard lock(driving_);
  return stopped() ? std::nullopt : shards_[0]->loop().next_deadline();
}

int EngineImpl::descriptor() const {
  if (forked() || !host_driven()) return -1;
  const std::lock_guard lock(driving_);
  return stopped() ? -1 : shards_[0]->loop().descriptor();
}

int EngineImpl::open_descriptor() const {
  if (forked() || !host_driven()) return -1;
  const std::lock_guard lock(driving_);
  return stopped() ? -1 : base::duplicate(shards_[0]->loop().descriptor());
}

void EngineImpl::run() {
  if (forked() || on_own_thread()) return;
  for (;;) {
    const auto ticket = run_ticket_.load();
    if (stops_.exchange(0) != 0 || stopped()) return;
    if (host_driven()) {
      if (!poll(std::chrono::milliseconds(10)) && ticket == run_ticket_.load()) {
        sleep(std::chrono::seconds(1));
      }
    } else {
      run_ticket_.wait(ticket);
    }
  }
}

void EngineImpl::stop() noexcept {
  if (forked()) return;
  stops_.store(1);
  run_ticket_.fetch_add(1);
  run_ticket_.notify_all();
  const engine::Gate::Pass pass(gate_);
  if (pass && host_driven()) shards_[0]->loop().wake();
}

void EngineImpl::on_wake(std::function<void()> handler) {
  const std::lock_guard lock(handlers_mutex_);
  on_wake_ = std::make_shared<std::function<void()>>(std::move(handler));
}

Error EngineImpl::wait(const Operation& operation) {
  if (forked()) return forked_error();
  if (runtime::Loop::current() != nullptr) {
    return {Errc::would_deadlock,
            "get() inside a handler or on an engine thread: the answer comes "
            "on that thread; use then() or co_await"};
  }
  if (!host_driven() || poll_thread_.load() != std::this_thread::get_id()) {
    operation.block();
    return {};
  }
  if (options_.threads.driver()) {
    return {Errc::would_deadlock,
            "get() on the thread that drives the engine: use then() or co_await"};
  }
  while (!operation.is_over()) {
    if (!poll(std::chrono::milliseconds(1)) && !operation.is_over()) {
      sleep(std::chrono::seconds(1));
    }
  }
  return {};
}

void EngineImpl::resume(std::uint16_t shard, std::function<void()> work) {
  {
    const engine::Gate::Pass pass(gate_);
    if (pass) return shards_[shard]->loop().post(std::move(work));
  }
  work();
}

bool EngineImpl::post(core::ShardIndex to, std::function<void()> work) {
  if (forked()) return false;
  const engine::Gate::Pass pass(gate_);
  if (!pass) return false;
  shards_[to]->loop().post(std::move(work));
  return true;
}

void EngineImpl::bring(core::ShardIndex to, core::Effects::Work work) {
  if (forked()) return;
  const engine::Gate::Pass pass(gate_);
  if (pass) shards_[to]->bring(std::move(work));
}

}  // namespace parley::inline v0::detail
