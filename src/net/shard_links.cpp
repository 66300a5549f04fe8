// shard_links.cpp: stage queues, the sweep, and closing.
#include "net/shard_links.hpp"

#include <algorithm>
#include <utility>

#include "net/connection.hpp"

namespace parley::net {
namespace {

using std::chrono::milliseconds;

milliseconds sweep_period(const Timing& timing) {
  const auto shortest = std::min({timing.handshake, timing.dialling, timing.heartbeat,
                                  timing.dead_after, timing.closing, timing.serving});
  return std::clamp(shortest / 4, milliseconds{10}, milliseconds{1000});
}

}  // namespace

ShardLinks::ShardLinks(LinkHost& host, const Timing& timing, std::size_t gather_from, LifeRef life)
    : host_(host),
      timing_(timing),
      period_(sweep_period(timing)),
      gather_from_(gather_from),
      life_(std::move(life)) {}

void ShardLinks::unlink(Connection& connection) noexcept {
  if (connection.stage_ == Stage::none) return;
  Queue& from = queue(connection.stage_);
  (connection.previous_ != nullptr ? connection.previous_->next_ : from.first) = connection.next_;
  (connection.next_ != nullptr ? connection.next_->previous_ : from.last) = connection.previous_;
  connection.previous_ = nullptr;
  connection.next_ = nullptr;
  connection.stage_ = Stage::none;
}

void ShardLinks::link_last(Connection& connection, Stage stage) noexcept {
  Queue& to = queue(stage);
  connection.previous_ = to.last;
  (to.last != nullptr ? to.last->next_ : to.first) = &connection;
  to.last = &connection;
  connection.stage_ = stage;
}

void ShardLinks::enter(Connection& connection) {
  ++count_;
  connection.since_ = host_.now();
  link_last(connection, Stage::handshake);
  arm();
}

void ShardLinks::move(Connection& connection, Stage stage) {
  unlink(connection);
  if (stage == Stage::none) return;
  connection.since_ = host_.now();
  link_last(connection, stage);
}

void ShardLinks::leave(Connection& connection) noexcept {
  unlink(connection);
  if (--count_ > 0 || !closing_) return;
  host_.cancel_timer(std::exchange(timer_, LinkHost::Timer::none));
  const LifeRef last = std::move(life_);  // goes at the end: it may destroy us
}

void ShardLinks::fail_later(Connection& connection) {
  move(connection, Stage::failed);
  if (failing_) return;
  host_.post([this, life = life_] { end_failed(); });
  failing_ = true;
}

void ShardLinks::end_failed() {
  failing_ = false;
  while (Connection* connection = queue(Stage::failed).first) connection->expired();
}

SendBatch* ShardLinks::gathering() {
  const auto now = host_.now();
  if (std::exchange(turn_, now) != now) sends_ = 0;
  if (++sends_ < gather_from_) return nullptr;
  if (!batch_) {
    auto made = SendBatch::create();
    if (!made) {
      gather_from_ = 0;
      return nullptr;
    }
    batch_ = std::move(*made);
  }
  if (!turn_awaited_) {
    host_.at_turn_end([this, life = life_] {
      turn_awaited_ = false;
      send_gathered();
    });
    turn_awaited_ = true;
  }
  if (batch_->full()) send_gathered();
  return batch_.get();
}

void ShardLinks::send_gathered() noexcept {
  if (!batch_ || batch_->empty()) return;
  for (const SendBatch::Entry& entry : batch_->send()) entry.who->sent(entry);
  batch_->clear();
  if (batch_->works()) return;
  batch_.reset();
  gather_from_ = 0;
}

void ShardLinks::arm() {
  if (timer_ != LinkHost::Timer::none) return;
  timer_ = host_.start_timer(period_, [this] {
    timer_ = LinkHost::Timer::none;
    if (count_ == 0) return;
    arm();  // first: whatever happens in the sweep
    sweep();
  });
}

template <class F>
void ShardLinks::expire(Stage stage, milliseconds after, F&& act) {
  const auto due = host_.now() - after;
  while (Connection* connection = queue(stage).first) {
    if (connection->since_ > due) return;
    act(*connection);  // takes it out of this queue
  }
}

void ShardLinks::sweep() {
  const LifeRef alive = life_;
  const auto end = [](Connection& connection) { connection.expired(); };
  expire(Stage::handshake, timing_.handshake, end);
  expire(Stage::dialling, timing_.dialling, end);
  expire(Stage::serving, timing_.serving, end);
  expire(Stage::closing, timing_.closing, end);
  expire(Stage::failed, milliseconds{0}, end);  // those whose end there was no memory to post
  expire(Stage::pinged, timing_.dead_after, end);
  expire(Stage::quiet, timing_.heartbeat, [this](Connection& connection) {
    unlink(connection);
    link_last(connection, Stage::pinged);  // keeps the time when it was last heard
    connection.ping();
  });
}

void ShardLinks::close() {
  if (std::exchange(closing_, true)) return;
  const LifeRef alive = life_;
  const Error why{Errc::engine_closed, "the transport is closing"};
  for (const Stage stage : {Stage::handshake, Stage::dialling, Stage::serving}) {
    while (Connection* connection = queue(stage).first) connection->finish(why);
  }
  if (count_ > 0) return;
  host_.cancel_timer(std::exchange(timer_, LinkHost::Timer::none));
  life_.reset();
}

}  // namespace parley::net
