// engine/shard_host.hpp: one shard at work: its loop, its core, its sessions, and the world as the
// core sees it.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/effects.hpp"
#include "core/shard.hpp"
#include "engine/call.hpp"
#include "engine/outlet.hpp"
#include "engine/store_calls.hpp"
#include "parley/engine.hpp"
#include "runtime/loop.hpp"
#include "wire/codec.hpp"

namespace parley::inline v0::detail {
class EngineImpl;
class LocalSession;
}  // namespace parley::inline v0::detail

namespace parley::engine {

using core::QueuedBytes;
using core::ShardIndex;
using parley::detail::EngineImpl;

/// The core's effects over a loop, a store and a host's functions (DESIGN §3.5, §4).
/// Ownership: by the engine; destroyed when the loop is not driven any more.
/// Thread: the shard's, but where it says otherwise.
class ShardHost final : public core::Effects {
 public:
  ShardHost(EngineImpl& engine, ShardIndex index, std::unique_ptr<runtime::Loop> loop,
            const core::ShardConfig& config);
  ~ShardHost();
  ShardHost(const ShardHost&) = delete;
  ShardHost& operator=(const ShardHost&) = delete;

  // Effects.
  [[nodiscard]] core::Time now() const noexcept override;
  std::uint64_t random() override;
  [[nodiscard]] const StoreFacts& store_facts() const noexcept override;
  [[nodiscard]] std::size_t queue_limit() noexcept override;
  [[nodiscard]] std::size_t queue_room() noexcept override;
  void commit(Batch batch, Then<Committed> then) override;
  void get(Get get, Then<Result<Cells>> then) override;
  void scan(Scan scan, Then<Result<Rows>> then) override;
  void list(std::uint8_t space, std::string after, std::uint32_t max,
            Then<Result<Listed>> then) override;
  void changes(std::string after, std::uint32_t max, Then<Result<Changes>> then) override;
  void forget_changes(std::string through, Then<Result<void>> then) override;
  void post(ShardIndex to, Work work) override;
  void authenticate(std::string token, Then<Result<core::Identity>> then) override;
  void look_at(IncomingMessage message, Then<Result<IncomingMessage>> then) override;
  Timer start_timer(std::chrono::milliseconds delay, std::function<void()> then) override;
  void cancel_timer(Timer timer) noexcept override;
  void log(Severity severity, std::string text) override;

  // For the engine.
  [[nodiscard]] runtime::Loop& loop() noexcept { return *loop_; }
  [[nodiscard]] const core::Shard& core() const noexcept { return *core_; }
  /// Runs what may change the core. When it throws, for want of memory, the core is in no state to
  /// go on with: nothing more is done with it, and with the end of the turn all begin anew from the
  /// store, as after a crash.
  void doubt_core() noexcept { broken_ = true; }
  template <class F>
  void in_core(F&& run) {
    if (broken_) return;
    try {
      run(*core_);
    } catch (...) {
      broken_ = true;
      throw;
    }
  }
  [[nodiscard]] ShardIndex index() const noexcept { return index_; }
  [[nodiscard]] EngineImpl& engine() noexcept { return engine_; }
  [[nodiscard]] bool on_this_shard() const noexcept {
    return runtime::Loop::current() == loop_.get();
  }
  /// Runs `work` later: in this turn, when it is called on this shard. Thread: any.
  void bring(Work work);
  /// The core starts; posted once to the loop.
  void start();
  /// The core stops (goodbyes, last commits); `stopped` runs on this shard.
  void stop(std::function<void()> stopped);

  // Sessions.
  LinkEvents* opened(std::unique_ptr<Link> link, LinkInfo info);
  /// A session of host code, admitted already: its Hello is answered, whatever happens.
  void attach(const std::shared_ptr<parley::detail::LocalSession>& session,
              core::SessionSetup setup, CallRef hello);
  /// Takes over an outlet until release(); counts it as a session.
  void keep(std::shared_ptr<HostedOutlet> outlet);
  void release(HostedOutlet& outlet);
  /// As release(), but the outlet lives on until its link has told that it is closed.
  void orphan(HostedOutlet& outlet);
  void orphan_closed(HostedOutlet& outlet);
  void mark_dirty(HostedOutlet& outlet) {
    if (outlet.dirty_) return;
    dirty_.push_back(&outlet);
    outlet.dirty_ = true;
  }
  /// It is swept every quarter of a second until it says that nothing is left.
  void look_after(HostedOutlet& outlet);
  wire::Codec& codec(Encoding encoding) noexcept {
    return *codecs_[static_cast<std::size_t>(encoding)];
  }
  /// Empty; for the requests of one message, by one link at a time.
  std::vector<wire::Request>& requests_scratch() noexcept {
    requests_.clear();
    return requests_;
  }
  [[nodiscard]] std::size_t open_requests() const noexcept;
  [[nodiscard]] std::size_t outlets() const noexcept { return outlets_.size(); }
  /// Ends what is left, without waiting for anybody.
  void abandon_all(const Error& why);
  /// A link holds so many bytes more, or less, of a message that has not ended.
  void holds(std::ptrdiff_t bytes) noexcept { held_ += bytes; }
  /// References in queues of sessions are so many bytes more, or less.
  void waits(std::ptrdiff_t bytes) noexcept { waiting_ += bytes; }
  /// What is queued here for sessions, counted once however many share it.
  [[nodiscard]] const QueuedBytes& queued_bytes() const noexcept { return queued_; }
  /// EngineOptions::memory_limit is reached.
  [[nodiscard]] bool memory_full() const noexcept;

  // Figures. Thread: any.
  [[nodiscard]] EngineStats stats() const noexcept;
  [[nodiscard]] std::size_t memory() const noexcept {
    return queued() + ingress_.load(std::memory_order_relaxed) +
           weight_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t queued() const noexcept {
    return queued_->load(std::memory_order_relaxed) + references_.load(std::memory_order_relaxed);
  }

 private:
  template <class T>
  Store::Done<T> back(Then<T> then);
  void plug_in();
  void arm_sweep();
  void sweep();
  void look_away(HostedOutlet& outlet) noexcept;
  bool turn_end();
  void run_later();
  bool flush_dirty();
  void send_posts();
  void send_commits();
  template <class Call>
  void close_later(Call& call);
  void ended(HostedOutlet& outlet) noexcept;
  std::shared_ptr<HostedOutlet> take_out(HostedOutlet& outlet) noexcept;
  void drop_released();
  void update_figures();
  void receive(std::uint64_t life, const std::shared_ptr<std::vector<Work>>& works);
  template <class Take>
  void tell_answered(const Take& take);
  void begin_anew();
  void join_life(std::uint64_t life) noexcept;

  EngineImpl& engine_;
  const ShardIndex index_;
  std::unique_ptr<runtime::Loop> loop_;
  QueuedBytes queued_;
  std::array<std::unique_ptr<wire::Codec>, 2> codecs_;
  std::vector<wire::Request> requests_;
  std::tuple<StoreCalls<Committed>, StoreCalls<Result<Cells>>, StoreCalls<Result<Rows>>,
             StoreCalls<Result<Listed>>, StoreCalls<Result<Changes>>, StoreCalls<Result<void>>>
      calls_;
  mutable core::Time now_;     // of this turn, once somebody asked
  std::vector<Work> later_;    // of this shard, and results that came inside a call of the core
  std::vector<Work> running_;  // those of this turn, from next_ on
  std::size_t next_ = 0;
  std::vector<std::vector<Work>> posts_;  // by shard, sent once a turn
  struct Commit {
    Batch batch;
    Store::Done<Committed> done;
  };
  std::vector<Commit> commits_;  // of this turn: the store is given them together
  std::vector<std::shared_ptr<HostedOutlet>> outlets_;  // in no order; each knows its index
  std::vector<HostedOutlet*> dirty_;
  std::vector<HostedOutlet*> flushing_;
  std::size_t next_flush_ = 0;
  std::vector<HostedOutlet*> looked_after_;
  bool sweep_armed_ = false;
  std::vector<std::shared_ptr<HostedOutlet>> released_;  // destroyed at the end of the turn
  bool stranded_ = false;  // one of outlets_ is released: there was no memory to say it elsewhere
  std::vector<std::shared_ptr<HostedOutlet>> orphans_;
  std::array<std::uint64_t, 64> chance_{};
  std::size_t chance_left_ = 0;
  std::unique_ptr<core::Shard> core_;
  /// Which core it is, of all shards alike: what an earlier one left is not for a later one.
  std::uint64_t life_ = 0;
  std::uint64_t next_life_ = 0;  // above life_: to be begun, others have
  bool broken_ = false;
  std::function<void()> stopping_;  // told when the core has stopped

  std::ptrdiff_t held_ = 0;                      // by links, of messages that have not ended
  std::ptrdiff_t waiting_ = 0;                   // references in queues
  std::optional<std::size_t> queued_elsewhere_;  // of this turn, once somebody asked
  std::atomic<std::size_t> sessions_{0}, conversations_{0}, ingress_{0};
  std::atomic<std::size_t> references_{0};
  std::atomic<std::size_t> weight_{0};  // of the core, the sessions and what links hold
};

}  // namespace parley::engine
