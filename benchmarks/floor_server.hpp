// floor_server.hpp: the least work a thread can do for a fan-out: frame once, loop over send().
#pragma once
#include <functional>

namespace parley::bench {

/// Serves until killed. `join`: messages of one turn travel in one send() a subscriber.
void serve_floor(bool join, const std::function<void(int port)>& ready);

}  // namespace parley::bench
