// connections.cpp: what it costs a server to let clients in, and to keep them when they are quiet.
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

#include "pubsub.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

/// What the heap of a Parley server holds, which it says when it is asked; nothing for others.
std::optional<double> heap_bytes(PubSub& load, int pid) {
  const std::string file = "/proc/" + std::to_string(pid) + "/cwd/heap";
  std::remove(file.c_str());
  kill(pid, SIGUSR1);
  for (const auto start = Clock::now(); seconds_since(start) < 5;) {
    load.poll(10);
    double bytes = 0;
    if (std::ifstream(file) >> bytes) return bytes;
  }
  return std::nullopt;
}

void rest(PubSub& load, double seconds) {
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) load.poll(100);
}

/// CPU time of the server by wall clock, while nobody does anything.
double idle_share(PubSub& load, int pid, double seconds) {
  const auto before = process_cpu(pid);
  const auto start = Clock::now();
  rest(load, seconds);
  return static_cast<double>((process_cpu(pid) - before).count()) / 1e9 / seconds_since(start);
}

}  // namespace

Figures connections(const Arguments& arguments) {
  const int pid = arguments.count("pid");
  const int sockets = arguments.count("sockets");
  const double idle = arguments.number("idle");
  const bool ours = arguments.text("protocol") == "parley";
  const auto load = pubsub(arguments.text("protocol"), arguments.count("port"), 64);
  for (int i = 0; i < sockets / 10; ++i) load->subscribe(load->connect(), 0);  // what grows once
  const auto per_client = [&](auto work) {
    const auto before = process_cpu(pid);
    for (int i = 0; i < sockets; ++i) work(sockets / 10 + i);
    return static_cast<double>((process_cpu(pid) - before).count()) / 1e3 / sockets;
  };
  const double memory = private_bytes(pid);
  const auto grown = [&] { return (private_bytes(pid) - memory) / sockets; };
  const auto heap = ours ? heap_bytes(*load, pid) : std::nullopt;
  Figures figures;
  figures.add("cpu_us", per_client([&](int) { load->connect(); }));
  figures.add("bytes_connected", grown());
  figures.add("subscribe_cpu_us", per_client([&](int client) { load->subscribe(client, 0); }));
  figures.add("bytes", grown());
  if (idle > 0) {
    rest(*load, idle);
    figures.add("bytes_idle", grown());
    const auto held = heap ? heap_bytes(*load, pid) : std::nullopt;
    if (held) figures.add("heap_idle", (*held - *heap) / sockets);
  }
  figures.add("idle_share", idle_share(*load, pid, arguments.number("quiet")));
  return figures;
}

/// A part of very many: connects, says so, and answers pings until it is told to end.
Figures hold(const Arguments& arguments) {
  const auto load = pubsub(arguments.text("protocol"), arguments.count("port"), 64);
  for (int i = 0; i < arguments.count("sockets"); ++i) load->subscribe(load->connect(), 0);
  std::printf("ready\n");
  std::fflush(stdout);
  const std::string end = arguments.text("end");  // this file appears
  for (struct stat facts{}; stat(end.c_str(), &facts) != 0;) load->poll(200);
  return {};
}

}  // namespace parley::bench
