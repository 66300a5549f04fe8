// A host that runs its own Asio, with the features whose functions are extern "C": threads,
// signals.
#include <asio.hpp>
#include <csignal>
#include <cstdio>

#include "parley/parley.hpp"

int main() {
  asio::io_context context;
  asio::signal_set signals(context, SIGUSR1);
  int caught = 0;
  signals.async_wait([&](std::error_code error, int signal) { caught = error ? -1 : signal; });
  asio::post(context, [] { std::raise(SIGUSR1); });
  context.run();

  asio::thread_pool pool(1);
  int worked = 0;
  asio::post(pool, [&] { worked = 1; });
  pool.join();

  // The engine runs on the Asio inside it, beside ours.
  auto engine = parley::Engine::open({.threads = 1}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto chat = alice.direct("bob").get().value();
  const parley::Seq seq = alice.send(chat, "hello").get().value().seq;
  std::printf("signal %d, thread %d, seq %d\n", caught, worked, int(seq));
  return caught == SIGUSR1 && worked == 1 && seq == 1 ? 0 : 1;
}
