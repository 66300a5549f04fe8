// faults.cpp: the draws.
#include "simulation/faults.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

Faults no_faults() {
  Faults faults;
  faults.store.unknown_lands = 0;
  faults.store.crash_lands = 0;
  faults.link_least = 200us;
  faults.link_most = 20ms;
  return faults;
}

Faults draw_faults(Random& random) {
  Faults faults = no_faults();
  auto& store = faults.store;
  const auto on = [&](double probability) { return random.chance(probability); };
  store.crash_lands = random.share();
  store.unknown_lands = random.share();
  if (on(0.3)) store.most_latency = random.between(5ms, 200ms);
  if (on(0.3)) {
    store.slow = random.share() * 0.02;
    store.slow_latency = random.between(500ms, 10s);
  }
  if (on(0.4)) store.failed = random.share() * 0.05;
  if (on(0.4)) store.read_failed = random.share() * 0.05;
  if (on(0.5)) {
    store.unknown = random.share() * 0.05;
    store.late = random.between(1ms, 5s);
  }
  if (on(0.3)) store.early_rows = random.share();
  if (on(0.3)) store.stale = random.share();
  if (on(0.3)) store.repeated = random.share() * 0.5;
  if (on(0.3)) store.crash_late = random.share();
  if (on(0.5)) faults.link_most = random.between(20ms, 2s);
  if (on(0.5)) faults.resets = random.share() * 0.2;
  if (on(0.5)) faults.half_open = random.share();
  if (on(0.3)) {
    faults.stalls = random.share() * 0.2;
    faults.stall_most = random.between(100ms, 12s);
  }
  faults.encoded = on(0.15);
  if (on(0.5)) {
    faults.crashes = random.share() * 0.15;
    faults.down_most = random.between(10ms, 10s);
  }
  if (on(0.15)) faults.store_breaks = random.share() * 0.05;
  if (on(0.3)) faults.clock_steps = random.share() * 0.2;
  if (on(0.4)) faults.device_crashes = random.share() * 0.01;
  if (on(0.2)) faults.device_restores = random.share() * 0.005;
  if (on(0.5)) faults.hostile = random.share() * 0.05;
  if (on(0.5)) faults.repeats = random.share() * 0.2;
  return faults;
}

}  // namespace parley::simulation
