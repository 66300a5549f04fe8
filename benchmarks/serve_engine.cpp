// serve_engine.cpp: a Parley server: one thread, the memory store, a WebSocket port, everybody
// believed; its sends gathered through io_uring, or each a system call.
#include <cstdio>
#include <cstdlib>

#include "parley/net.hpp"
#include "parley/parley.hpp"
#include "run.hpp"

namespace parley::bench {

void serve_engine(bool gathers) {
  EngineOptions options;
  options.threads = 1;
  options.authenticator = development_authenticator();
  if (!gathers) {
    options.transports.push_back(
        {"ws", [] { return Result(websocket_transport({{.gather_from = 0}})); }});
  }
  Engine engine = Engine::open(std::move(options)).value();
  const std::string address = engine.listen("ws://127.0.0.1:0/chat").value();
  std::printf("%d\n", std::atoi(address.c_str() + address.rfind(':') + 1));
  std::fflush(stdout);
  engine.run();
}

}  // namespace parley::bench
