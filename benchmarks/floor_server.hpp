// floor_server.hpp: the least work a thread can do for a fan-out: frame once, loop over send().
#pragma once

namespace parley::bench {

/// One send() for each message and subscriber, one for all messages of a turn, or as `each` through
/// io_uring.
enum class FloorSends { each, joined, by_io_uring };

/// Serves rooms ("S0001" enters one, "P0001…" goes to it) over WebSocket until killed; prints its
/// port.
void serve_floor(FloorSends sends);

}  // namespace parley::bench
