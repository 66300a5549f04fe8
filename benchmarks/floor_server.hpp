// floor_server.hpp: the least work a thread can do for a fan-out: frame once, loop over send().
#pragma once

namespace parley::bench {

/// Serves rooms ("S0001" enters one, "P0001…" goes to it) over WebSocket until killed; prints its
/// port. `join`: messages of one turn travel in one send() a subscriber.
void serve_floor(bool join);

}  // namespace parley::bench
