// engine_sessions.hpp: what the engine's sessions say, on its way to the network and to the host.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/outlet.hpp"
#include "parley/limits.hpp"
#include "simulation/describe.hpp"
#include "simulation/engine.hpp"

namespace parley::simulation {

/// About what a reply would weigh on a link.
inline std::size_t weight(const wire::Reply& reply) {
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
  std::map<std::uint32_t, wire::Request> asked;                               // only when lying
  std::map<std::pair<ConversationId, UserId>, Receipt> old;                   // likewise
  std::map<std::pair<ConversationId, std::uint64_t>, std::uint64_t> refused;  // numbers: whose
};

/// The host's own session. What it is pushed concerns nobody.
struct Engine::System final : core::Outlet {
  explicit System(Engine& engine_of) : engine(engine_of) {}

  void push(const core::FramePtr& frame) override {
    auto asked = open.extract(frame->reply().request);
    if (!asked) return;
    auto reply = std::make_shared<wire::Reply>(frame->reply());
    if (engine.world_.lie != Lie::none) engine.mangle_host(*reply);
    engine.world_.report.trace(engine.world_.scheduler.now(), "host " + describe(*reply));
    engine.world_.scheduler.after(
        engine.random_.between(Time(0), std::chrono::milliseconds(1)),
        [alive = std::weak_ptr<int>(engine.alive_), then = std::move(asked.mapped()), reply] {
          if (!alive.expired()) then(reply->answer);
        });
  }
  void close(CloseReason, std::string_view) override {}

  Engine& engine;
  core::SessionRef ref;
  core::ShardIndex shard = 0;
  std::uint32_t last = 0;
  std::map<std::uint32_t, Answered> open;
};

}  // namespace parley::simulation
