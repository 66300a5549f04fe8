// serve_engine.cpp: a Parley server: one thread, the memory store, a WebSocket port, everybody
// believed.
#include <cstdio>
#include <cstdlib>

#include "parley/parley.hpp"
#include "run.hpp"

namespace parley::bench {

void serve_engine() {
  EngineOptions options;
  options.threads = 1;
  options.authenticator = development_authenticator();
  Engine engine = Engine::open(std::move(options)).value();
  const std::string address = engine.listen("ws://127.0.0.1:0/chat").value();
  std::printf("%d\n", std::atoi(address.c_str() + address.rfind(':') + 1));
  std::fflush(stdout);
  engine.run();
}

}  // namespace parley::bench
