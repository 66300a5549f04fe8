// A host that runs its own Asio, with the features whose functions are extern "C": threads,
// signals.
#include <asio.hpp>
#include <csignal>
#include <cstdio>

#include "parley/memory_store.hpp"

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

  auto store = parley::memory_store()().value();
  store->close([](parley::Result<void>) {});
  std::printf("signal %d, thread %d\n", caught, worked);
  return caught == SIGUSR1 && worked == 1 ? 0 : 1;
}
