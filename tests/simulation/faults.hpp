// faults.hpp: which things go wrong in one seed, and how often; drawn anew for every seed (swarm).
#pragma once
#include <cstdint>

#include "simulation/random.hpp"
#include "simulation/scheduler.hpp"
#include "store/weak_store.hpp"

namespace parley::simulation {

struct Faults {
  store::WeakOptions store;
  // Links. Rates are a second and link.
  Time link_least{0}, link_most{0};  // one-way delay
  double resets = 0;                 // a link breaks, with what is under way
  double half_open = 0;              // share of the breaks that one end does not notice for long
  double stalls = 0;                 // the client stops reading for a while
  Time stall_most{0};
  bool encoded = false;  // links carry bytes through the codecs
  // The process. Rates are a second.
  double crashes = 0;
  double store_breaks = 0;  // an I/O error: fail-stop until the process is restarted
  Time down_most{0};
  double clock_steps = 0;  // the wall clock jumps by up to ten minutes
  // Devices. Rates are an action.
  double device_crashes = 0;   // forgets what was not stored; also a page reload
  double device_restores = 0;  // comes back as an older copy of itself
  double hostile = 0;          // asks for what it must not get, with mutated cursors and keys
  double repeats = 0;          // sends again although an answer is under way
};

/// The faults of one seed: each area is on or off, each strength is drawn.
Faults draw_faults(Random& random);
/// No faults; small, ordinary delays.
Faults no_faults();

}  // namespace parley::simulation
