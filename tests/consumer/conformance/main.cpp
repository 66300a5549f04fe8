// Runs both suites, then an engine on what passed them.
#include <cstdio>
#include <string_view>

#include "parley/parley.hpp"
#include "parley/testing/store_conformance.hpp"
#include "parley/testing/transport_conformance.hpp"
#include "plugins.hpp"

namespace {
int held = 0;
int broken = 0;

void count(bool ok, std::string_view what) {
  ++(ok ? held : broken);
  if (!ok) std::printf("BROKEN %.*s\n", int(what.size()), what.data());
}

bool engine_runs() {
  auto engine = parley::Engine::open({
      .threads = parley::host_driven,
      .store = map_store(),
      .transports = {{.scheme = "pipe",
                      .open = []() -> parley::Result<std::unique_ptr<parley::Transport>> {
                        return pipe_transport();
                      }}},
  });
  if (!engine || !engine->listen("pipe:chat")) return false;
  auto alice = engine->attach({.user = "alice"}).get().value();
  auto chat = alice.direct("bob").get().value();
  return alice.send(chat, "hello").get().value().seq == 1;
}
}  // namespace

int main() {
  //! [suites]
  parley::testing::run_store_conformance({.fresh = map_store, .scale = 0.2}, count);
  std::printf("store: %d held, %d broken\n", held, broken);
  held = 0;
  parley::testing::run_transport_conformance(
      {
          .make = pipe_transport,
          .url = "pipe:conformance",
          .nowhere = "pipe:nobody",
          .bad_url = "pipe:",
          .scale = 0.2,
      },
      count);
  std::printf("transport: %d held, %d broken in all\n", held, broken);
  //! [suites]
  const bool runs = engine_runs();
  std::printf("engine: %s\n", runs ? "runs" : "does not run");
  return broken == 0 && held > 0 && runs ? 0 : 1;
}
