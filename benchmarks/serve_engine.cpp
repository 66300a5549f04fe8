// serve_engine.cpp: a Parley server: one thread, the memory store or LMDB, a WebSocket port,
// everybody believed; its sends gathered through io_uring, or each a system call. On SIGUSR1 it
// tells what its heap holds.
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "parley/lmdb_store.hpp"
#include "parley/net.hpp"
#include "parley/parley.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

/// Writes it into the file `heap` of the working directory, whole or not at all.
void tell_heap() {
  const auto held = mallinfo2();
  std::ofstream("heap.new") << held.uordblks + held.hblkhd << "\n";
  std::rename("heap.new", "heap");
}

void tell_heap_when_asked() {
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &asked, nullptr);  // of all threads that are started from here on
  std::thread([asked] {
    for (int signal = 0; sigwait(&asked, &signal) == 0;) tell_heap();
  }).detach();
}

}  // namespace

void serve_engine(const Served& what) {
  tell_heap_when_asked();
  EngineOptions options;
  options.threads = 1;
  options.authenticator = development_authenticator();
  if (!what.directory.empty()) options.store = lmdb_store({.path = what.directory});
  if (!what.gathers) {
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
