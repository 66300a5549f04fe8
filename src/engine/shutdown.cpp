// shutdown.cpp: the steps of the end.
#include "engine/shutdown.hpp"

#include <string>
#include <utility>

#include "engine/engine_impl.hpp"
#include "parley/limits.hpp"

namespace parley::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_period = 10ms;

}  // namespace

void Shutdown::begin() {
  close_transports();
  enter(Step::answers);
  tick();
}

void Shutdown::enter(Step step) {
  step_ = step;
  quiet_rounds_ = 0;
  const auto now = engine_.shard(0).loop().now();
  switch (step) {
    case Step::answers:
      deadline_ = now + limits::close_answers;
      break;
    case Step::goodbyes:
      deadline_ = now + limits::close_links;
      stop_cores();
      break;
    case Step::transports:
      break;
    case Step::store:
      close_store();
      break;
  }
}

bool Shutdown::late() const { return engine_.shard(0).loop().now() >= deadline_; }

void Shutdown::tick() {
  if (step_ == Step::store) return;
  engine_.shard(0).loop().start_timer(tick_period, [this] { tick(); });  // whatever happens below
  switch (step_) {
    case Step::answers:
      if (late()) return enter(Step::goodbyes);
      ask_shards();
      break;
    case Step::goodbyes:
      if (cores_ == 0) {
        enter(Step::transports);
      } else if (late()) {
        abandon();
      }
      break;
    case Step::transports:  // their callbacks may come until they have stopped
      if (transports_ == 0) return enter(Step::store);
      break;
    case Step::store:
      break;
  }
}

/// A round trip behind everything that was posted before, so that nothing is overlooked.
void Shutdown::ask_shards() {
  if (asked_ != 0) return;
  asked_ = engine_.shards();
  open_ = 0;
  for (std::size_t i = 0; i < engine_.shards(); ++i) {
    const auto index = static_cast<ShardIndex>(i);
    engine_.shard(index).loop().post([this, index] {
      const std::size_t open = engine_.shard(index).open_requests();
      engine_.shard(0).loop().post([this, open] { heard(open); });
    });
  }
}

void Shutdown::heard(std::size_t open_requests) {
  open_ += open_requests;
  if (--asked_ != 0 || step_ != Step::answers) return;
  quiet_rounds_ = open_ == 0 ? quiet_rounds_ + 1 : 0;
  if (quiet_rounds_ >= 2 || late()) enter(Step::goodbyes);
}

void Shutdown::stop_cores() {
  cores_ = engine_.shards();
  for (std::size_t i = 0; i < engine_.shards(); ++i) {
    const auto index = static_cast<ShardIndex>(i);
    engine_.shard(index).loop().post([this, index] {
      if (index == 0) engine_.system()->finish(parley::detail::closed_error());
      engine_.shard(index).stop([this] { engine_.shard(0).loop().post([this] { --cores_; }); });
    });
  }
}

void Shutdown::close_transports() {
  transports_ = engine_.transports().size();
  for (auto& [scheme, transport] : engine_.transports()) {
    transport->close([this] { engine_.shard(0).loop().post([this] { --transports_; }); });
  }
}

/// Links first; then, when a core cannot finish its writes, the core.
void Shutdown::abandon() {
  if (abandoned_) {
    engine_.log(LogLevel::error, "closing: a shard could not finish its writes in time");
    return enter(Step::transports);
  }
  abandoned_ = true;
  deadline_ += limits::close_writes;
  for (std::size_t i = 0; i < engine_.shards(); ++i) {
    const auto index = static_cast<ShardIndex>(i);
    engine_.shard(index).loop().post([this, index] {
      ShardHost& host = engine_.shard(index);
      if (host.outlets() == 0) return;
      engine_.log(LogLevel::warning,
                  "closing: " + std::to_string(host.outlets()) + " sessions did not end in time");
      host.abandon_all(parley::detail::closed_error());
    });
  }
}

void Shutdown::close_store() {
  engine_.store().close([this](Result<void> closed) {
    if (!closed) engine_.log(LogLevel::error, "closing the store: " + closed.error().message);
    engine_.shard(0).loop().post([this] { engine_.stop_loops(); });
  });
}

}  // namespace parley::engine
