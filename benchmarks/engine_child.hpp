// engine_child.hpp: a Parley server in a child process: one shard, a development authenticator, one
// WebSocket port.
#pragma once
#include <cstdlib>
#include <functional>
#include <string>

#include "bench.hpp"
#include "parley/parley.hpp"

namespace parley::bench {

/// Serves until killed; `with` may prepare the engine before the port is told.
inline void serve_engine(StoreOpener store, const std::function<void(int port)>& ready,
                         const std::function<void(Engine&)>& with = {}) {
  EngineOptions options;
  options.threads = 1;
  options.store = std::move(store);
  options.authenticator = development_authenticator();
  Engine engine = Engine::open(std::move(options)).value();
  const std::string address = engine.listen("ws://127.0.0.1:0/chat").value();
  if (with) with(engine);
  const auto colon = address.rfind(':');
  ready(std::atoi(address.c_str() + colon + 1));
  engine.run();
}

}  // namespace parley::bench
