// engine/engine_impl.hpp: the engine itself: its parts, who may come in, who drives it, and its
// end.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/os.hpp"
#include "base/siphash.hpp"
#include "core/shard.hpp"
#include "engine/gate.hpp"
#include "engine/local_session.hpp"
#include "engine/shard_host.hpp"
#include "parley/engine.hpp"

namespace parley::engine {
class Shutdown;
/// The authenticator's answer as the core wants it: a subject within limits, or an error whose
/// message tells a stranger nothing.
Result<core::Identity> check_answer(Result<AuthAnswer> answer);
/// The option that is out of bounds, or none.
Error check_options(const EngineOptions& options);
/// The limit that is out of bounds, or none; bodies also by what a value of the store holds.
Error check_limits(const LimitsUpdate& limits, std::size_t max_value);
/// What Threads means by default.
int default_threads() noexcept;
Error check_subject(std::string_view subject);
using Transports = std::map<std::string, std::unique_ptr<Transport>, std::less<>>;
/// The built-in transports, and those of the options in their place.
Result<Transports> make_transports(const EngineOptions& options);
bool is_development(const Authenticator& authenticator) noexcept;
}  // namespace parley::engine

namespace parley::inline v0::detail {

Error closed_error();
Error forked_error();

/// Shared by the Engine, every Session and Pending (which may outlive it: what is left then is a
/// shell), and its first thread. Thread: any, but where it says otherwise.
class EngineImpl final : public Waiting,
                         public Driven,
                         public std::enable_shared_from_this<EngineImpl> {
 public:
  static Result<std::shared_ptr<EngineImpl>> open(EngineOptions options);
  explicit EngineImpl(EngineOptions options);
  ~EngineImpl() override;

  // Waiting.
  Error wait(const Operation& operation) override;
  void resume(std::uint16_t shard, std::function<void()> work) override;

  // Driven.
  bool poll(std::chrono::microseconds budget) override;
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_deadline() const override;
  [[nodiscard]] int open_descriptor() const override;
  [[nodiscard]] int descriptor() const;
  void sleep(std::chrono::microseconds timeout);  // Engine::wait
  void run();
  void stop() noexcept;
  void on_wake(std::function<void()> handler);

  // The host's side.
  Result<std::string> listen(std::string_view url);
  Result<void> adopt(std::unique_ptr<Link> link, LinkInfo info,
                     std::function<void(LinkEvents*, LinkHost&)> adopted);
  void on_session(std::function<void(const SessionInfo&)> handler);
  Pending<Session> attach(AttachOptions options, Completion<Session> done);
  /// The session through which the host speaks as the system.
  [[nodiscard]] const std::shared_ptr<LocalSession>& system() const noexcept { return system_; }
  /// Resolves a subject on the first shard, then lets `with` go on there; an error fails the call.
  void resolve(std::string subject, engine::CallRef call,
               std::function<void(LocalSession&, engine::CallRef, UserId)> with);
  [[nodiscard]] EngineStats stats() const;
  Pending<void> set_limits(const LimitsUpdate& update, Completion<void> done);

  // The end.
  void close();
  void on_stopped(std::function<void()> handler);
  [[nodiscard]] bool stopped() const noexcept { return phase_.load() == Phase::stopped; }
  /// From ~Engine: closes; waits unless this is one of the engine's own threads.
  void destroy();

  // For the parts.
  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool forked() const noexcept { return fork_.forked(); }
  [[nodiscard]] engine::Gate& gate() noexcept { return gate_; }
  [[nodiscard]] bool accepting() const noexcept { return phase_.load() == Phase::open; }
  [[nodiscard]] bool accepts_links() const noexcept { return accepting(); }
  [[nodiscard]] Store& store() noexcept { return *store_; }
  [[nodiscard]] const StoreFacts& store_facts() const noexcept { return facts_; }
  [[nodiscard]] engine::ShardHost& shard(core::ShardIndex index) noexcept {
    return *shards_[index];
  }
  [[nodiscard]] std::size_t shards() const noexcept { return shards_.size(); }
  [[nodiscard]] engine::Transports& transports() noexcept { return transports_; }
  /// False when the engine has stopped: `work` is dropped.
  bool post(core::ShardIndex to, std::function<void()> work);
  /// As post(), but still in this turn when it is called on that shard.
  void bring(core::ShardIndex to, core::Effects::Work work);
  bool admit_session() noexcept;
  void session_gone() noexcept { sessions_.fetch_sub(1); }
  [[nodiscard]] bool memory_full() const noexcept { return memory() >= memory_limit_; }
  /// Half of the limit: time to let go of what nobody uses.
  [[nodiscard]] bool memory_short() const noexcept { return memory() >= memory_limit_ / 2; }
  /// Of the cores that begin anew (ShardHost::begin_anew): above every one before.
  [[nodiscard]] std::uint64_t next_life() noexcept { return lives_.fetch_add(1) + 1; }
  /// ShardConfig::instance in that life.
  [[nodiscard]] std::uint64_t instance(std::uint64_t life) const noexcept {
    return base::siphash64(key_, {reinterpret_cast<const char*>(&life), sizeof life}) ^ instance_;
  }
  /// What may be queued for all sessions together.
  [[nodiscard]] std::size_t queue_budget() const noexcept {
    return memory_limit_ / limits::queues_part;
  }
  void tell_session(const SessionInfo& info);
  void log(LogLevel level, std::string_view text) const;
  [[nodiscard]] std::uint64_t fallback_random() noexcept;
  void stop_loops();  // the last step of Shutdown

 private:
  enum class Phase : std::uint8_t { opening, open, closing, stopped };

  [[nodiscard]] std::size_t memory() const noexcept;
  Error init();
  Error open_store();
  Error make_shards();
  void set_hooks(core::ShardConfig& config);
  Error start_threads();
  void run_shard(std::size_t index);
  bool poll_locked(std::chrono::microseconds budget);
  bool end_if_stopped();
  void finalize();
  void tell_stopped();
  [[nodiscard]] bool on_own_thread() noexcept;
  [[nodiscard]] bool host_driven() const noexcept { return threads_ == 0; }
  [[nodiscard]] core::ShardIndex shard_for(std::string_view subject) const noexcept;

  // Constant once open.
  const EngineOptions options_;
  const base::ForkGuard fork_;
  int threads_ = 0;
  bool driven_ = false;  // the driver was started
  StoreFacts facts_;
  std::array<std::uint8_t, 16> key_{};
  std::uint64_t instance_ = 0;  // of this opening

  // Made in open, unmade in finalize; used by the shards, and by others within the gate.
  std::unique_ptr<Store> store_;
  std::vector<std::unique_ptr<engine::ShardHost>> shards_;
  std::vector<LinkHost*> link_hosts_;
  engine::Transports transports_;
  std::shared_ptr<LocalSession> system_;
  std::unique_ptr<engine::Shutdown> shutdown_;
  std::vector<std::thread> own_threads_;

  engine::Gate gate_;
  std::atomic<Phase> phase_{Phase::opening};
  std::atomic<std::size_t> sessions_{0};
  std::atomic<std::size_t> max_sessions_, memory_limit_;
  std::atomic<std::uint32_t> next_shard_{0};  // for adopted links
  bool said_nobody_gets_in_ = false;          // listen() is setup only
  std::atomic<std::uint64_t> chance_{0};
  std::atomic<std::uint64_t> lives_{0};

  std::atomic<std::uint32_t> run_ticket_{0};  // moves when run() shall look again
  std::atomic<std::uint32_t> stops_{0};       // stop() not yet honoured by a run()
  mutable std::recursive_mutex driving_;      // host-driven: who polls
  std::atomic<std::thread::id> poll_thread_{};
  std::shared_ptr<EngineImpl> abandoned_;  // destroyed on a thread of its own: lives until stopped

  mutable std::mutex handlers_mutex_;  // guards what follows
  std::shared_ptr<std::function<void(const SessionInfo&)>> on_session_;
  std::shared_ptr<std::function<void()>> on_wake_;
  std::function<void()> on_stopped_;
  bool told_stopped_ = false;
  mutable std::mutex log_mutex_;
};

}  // namespace parley::inline v0::detail
