// world.hpp: one seed: a store, an engine that dies and comes back, devices, faults; then healing
// and the verdict.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulation/checker.hpp"
#include "simulation/device.hpp"
#include "simulation/engine.hpp"
#include "simulation/faults.hpp"
#include "simulation/host.hpp"
#include "simulation/lies.hpp"
#include "simulation/network.hpp"
#include "simulation/report.hpp"
#include "simulation/scheduler.hpp"

namespace parley::simulation {

struct RunOptions {
  std::uint64_t seed = 1;
  bool verbose = false;
  Lie lie = Lie::none;
  Time faulty{0};  // length of the first phase; zero: drawn
};

class World {
 public:
  explicit World(const RunOptions& options);
  ~World();

  /// Both phases and the final audit. Throws Broken.
  void run();

  [[nodiscard]] const Report& report() const noexcept { return report_; }
  [[nodiscard]] std::uint64_t committed() { return checker_.truth().committed(); }
  [[nodiscard]] std::uint64_t steps() const noexcept { return scheduler_.ran() + store_steps_; }
  [[nodiscard]] Time now() const noexcept { return scheduler_.now(); }

 private:
  bool step(Time until);
  void run_until(Time when);
  /// Throws when `holds` does not become true in time.
  void await(const char* check, Time within, const std::function<std::string()>& missing);

  [[nodiscard]] std::int64_t wall_ms();
  void start_engine();
  void kill_engine();
  void plan_crash();
  void plan_store_break();
  void plan_clock_step();
  void plan_hour();
  Time in(double rate);

  void heal();
  void converge();
  [[nodiscard]] std::size_t unsent() const;
  void audit();
  void audit_device(Device& device);
  void audit_blocks();
  void audit_list(Device& device);
  void audit_requests(Device& device, const wire::ListChanged& list);
  void audit_history(Device& device, const ConversationId& id);
  void audit_members(Device& device, const ConversationId& id);
  void audit_search(Device& device, const ConversationId& id,
                    const std::map<UserId, Role>& members);
  void audit_threads(Device& device, const ConversationId& id);
  void audit_receipts();
  void audit_seen(Device& device);
  void audit_pages(Device& device);
  void audit_devices();
  void audit_reactions();
  void audit_presence();
  void audit_online();
  void audit_exports();
  void pass_an_hour();
  void audit_layout();
  void audit_sight(const ConversationId& id, UserId user, const layout::MemberRow& row);
  [[nodiscard]] bool is_here(UserId user) const;
  wire::Reply ask(Device& device, wire::Operation operation);

  RunOptions options_;
  Random random_;
  Faults faults_;
  Report report_;
  Scheduler scheduler_;
  store::WeakStore store_;
  Checker checker_;
  Network network_;
  Rumours rumours_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Device>> retired_;
  std::unique_ptr<Engine> engine_;
  Host host_;
  core::ShardIndex shards_ = 1;
  HostLooks looks_ = HostLooks::never;
  std::uint64_t lives_ = 0, store_steps_ = 0;
  std::int64_t clock_skew_ms_ = 0;
  bool healing_ = false, restart_planned_ = false;
};

}  // namespace parley::simulation
