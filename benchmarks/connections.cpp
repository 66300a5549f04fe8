// connections.cpp: what it costs a server to let clients in, and to keep them when they are quiet.
#include "pubsub.hpp"
#include "run.hpp"

namespace parley::bench {

Figures connections(const Arguments& arguments) {
  const int pid = arguments.count("pid");
  const int sockets = arguments.count("sockets");
  const auto load = pubsub(arguments.text("protocol"), arguments.count("port"), 64);
  for (int i = 0; i < sockets / 10; ++i) load->subscribe(load->connect(), 0);  // what grows once
  const auto per_client = [&](auto work) {
    const auto before = process_cpu(pid);
    for (int i = 0; i < sockets; ++i) work(sockets / 10 + i);
    return static_cast<double>((process_cpu(pid) - before).count()) / 1e3 / sockets;
  };
  const double memory = private_bytes(pid);
  Figures figures;
  figures.add("cpu_us", per_client([&](int) { load->connect(); }));
  figures.add("bytes_connected", (private_bytes(pid) - memory) / sockets);
  figures.add("subscribe_cpu_us", per_client([&](int client) { load->subscribe(client, 0); }));
  figures.add("bytes", (private_bytes(pid) - memory) / sockets);
  const auto before = process_cpu(pid);
  const double seconds = arguments.number("seconds");
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) load->poll(100);
  figures.add("idle_share",
              static_cast<double>((process_cpu(pid) - before).count()) / 1e9 / seconds);
  return figures;
}

}  // namespace parley::bench
