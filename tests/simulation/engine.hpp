// engine.hpp: one process of the real core: its shards, its store handle, its clocks, on virtual
// time.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/shard.hpp"
#include "simulation/checker.hpp"
#include "simulation/faults.hpp"
#include "simulation/lies.hpp"
#include "simulation/report.hpp"
#include "simulation/scheduler.hpp"
#include "store/weak_store.hpp"

namespace parley::simulation {

/// What the engine says, in the order it says it. Owned by the network, outlives the session.
class Ear {
 public:
  virtual void said(const wire::Reply& reply, std::size_t bytes) = 0;
  virtual void closing() = 0;  // after everything said
 protected:
  ~Ear() = default;
};

/// Destroying it is a crash: nothing of it runs any more.
class Engine {
 public:
  struct World {  // everything outlives the engine
    Scheduler& scheduler;
    store::WeakStore& store;
    Checker& checker;
    Report& report;
    std::function<std::int64_t()> wall_ms;
    std::function<bool(const std::string& subject)> admits;
    HostLooks looks = HostLooks::never;
    Lie lie = Lie::none;
  };
  using SessionKey = Checker::SessionKey;

  Engine(World world, Random random, core::ShardIndex shards, std::uint64_t instance);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// `trusted` not empty: of host code in this process, which is believed to be that user.
  SessionKey open(Ear& ear, const std::string& trusted);
  void request(SessionKey session, wire::Request request);
  /// The other end took so many bytes off the link.
  void taken(SessionKey session, std::size_t bytes);
  /// The link is gone. The ear is not used any more.
  void closed(SessionKey session);
  void stop(std::function<void()> stopped);

  /// Asks in the host's name. `then` runs later, or never when the engine dies first.
  using Answered = std::function<void(const wire::Answer&)>;
  void ask(wire::Operation operation, Answered then);

  [[nodiscard]] bool committing() const noexcept { return commits_ > 0; }
  [[nodiscard]] std::size_t ingress_bytes() const;

 private:
  class ShardWorld;
  struct Session;
  struct System;

  void turn(core::ShardIndex shard, std::function<void()> input);
  void flush();
  void hand_in(SessionKey session, wire::Request request);
  void look_before(const Batch& batch);
  void mangle(Session& session, std::vector<wire::Reply>& replies);
  void mangle_lists(Session& session, wire::Reply& reply, bool now);
  // engine_words.cpp: what the host says of messages, and the lies about that and about sights.
  void set_hooks(core::ConversationLimits& limits);
  [[nodiscard]] Result<IncomingMessage> looked_at(IncomingMessage message) const;
  void mangle_request(Session& session, wire::Request& request);
  void mangle_sight(Session& session, wire::Reply& reply);
  void mangle_words(Session& session, wire::Reply& reply);
  void mangle_sighted_rows(Batch& batch) const;
  void mangle_host(wire::Reply& reply);
  /// The host's question, changed; true: `then` has its answer.
  bool lied_to(wire::Operation& operation, const Answered& then);
  void mangle_rows(Batch& batch);
  /// True: it comes later.
  bool delayed(SessionKey key, const wire::Request& request);
  void commit(Batch batch, std::function<void(Committed)> then);

  World world_;
  Random random_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // tasks hold it weakly
  std::unique_ptr<Store> store_;
  std::size_t commits_ = 0;
  std::vector<std::unique_ptr<ShardWorld>> worlds_;
  std::map<SessionKey, std::unique_ptr<Session>> sessions_;
  std::unique_ptr<System> system_;
  std::vector<SessionKey> dirty_;
  std::exception_ptr failure_;     // of the checker, found inside the core's frames
  std::set<ConversationId> held_;  // only when lying
};

}  // namespace parley::simulation
