// fanout_websocket.cpp: one publisher, many WebSocket subscribers: Parley, the floor (a bare send
// loop), npm ws.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>

#include "bench.hpp"
#include "engine_child.hpp"
#include "floor_server.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

constexpr std::size_t body_size = 64;

struct Run {
  std::uint64_t deliveries = 0;
  double seconds = 0;
  std::chrono::nanoseconds server_cpu{}, client_cpu{};
};

/// Keeps `in_flight` publishes going until `total` were delivered to everybody.
Run drive(const Child& server, int subscribers, int in_flight, std::uint64_t total,
          const std::function<void()>& publish, const std::function<std::uint64_t()>& delivered,
          const std::function<void()>& poll) {
  Run run;
  const auto start = std::chrono::steady_clock::now();
  const auto server_before = server.cpu();
  const auto client_before = thread_cpu();
  const std::uint64_t base = delivered();
  const auto everybody = static_cast<std::uint64_t>(subscribers);
  std::uint64_t published = 0;
  while (delivered() - base < total * everybody) {
    const std::uint64_t done = (delivered() - base) / everybody;
    // A burst goes out together: only when the one before has arrived everywhere.
    if (published == done && published < total) {
      for (int i = 0; i < in_flight && published < total; ++i, ++published) publish();
    }
    poll();
  }
  run.seconds = seconds_since(start);
  run.server_cpu = server.cpu() - server_before;
  run.client_cpu = thread_cpu() - client_before;
  run.deliveries = delivered() - base;
  return run;
}

Figures figures(std::string contestant, const Run& run) {
  const double count = static_cast<double>(run.deliveries);
  return {std::move(contestant),
          {{"server CPU us/delivery", static_cast<double>(run.server_cpu.count()) / 1e3 / count},
           {"deliveries/s", count / run.seconds},
           {"client CPU us/delivery", static_cast<double>(run.client_cpu.count()) / 1e3 / count}}};
}

Run run_parley(int subscribers, int in_flight, std::uint64_t total) {
  Child server([](const auto& ready) { serve_engine(memory_store(), ready); });
  ParleyLoad load(server.port());
  const int publisher = load.sign_in("user0");
  wire::Create create;
  create.kind = ConversationKind::channel;
  create.title = "fan-out";
  const auto opened = std::get<wire::Opened>(load.ask(publisher, create));
  const ConversationId channel = opened.entry.conversation;
  for (int i = 1; i < subscribers; ++i) {
    const int client = load.sign_in("user" + std::to_string(i));
    load.ask(client, wire::Join{channel});
  }
  for (int i = 0; i < subscribers; ++i) {
    wire::Subscribe subscribe;
    subscribe.items.push_back({channel, Level::full, std::nullopt});
    load.ask(i, subscribe);
  }
  wire::Send send;
  send.conversation = channel;
  send.body = Payload::copy_of(std::string(body_size, 'x'));
  std::uint32_t request = 1;
  auto publish = [&] { load.post(publisher, request++, send); };
  auto delivered = [&] { return load.events; };
  auto poll = [&] { load.poll(1'000); };
  drive(server, subscribers, in_flight, total / 10 + 1, publish, delivered, poll);  // warm
  return drive(server, subscribers, in_flight, total, publish, delivered, poll);
}

Run run_plain(Child& server, int subscribers, int in_flight, std::uint64_t total) {
  WebsocketLoad load(server.port(), "/", "");
  std::uint64_t delivered_count = 0;
  load.on_message([&](int, std::string_view) { ++delivered_count; });
  for (int i = 0; i < subscribers; ++i) load.connect();
  const std::string body(body_size, 'x');
  auto publish = [&] { load.send(0, body); };
  auto delivered = [&] { return delivered_count; };
  auto poll = [&] { load.poll(1'000); };
  drive(server, subscribers, in_flight, total / 10 + 1, publish, delivered, poll);
  return drive(server, subscribers, in_flight, total, publish, delivered, poll);
}

}  // namespace

std::vector<Figures> fanout_websocket(const Settings& settings, int subscribers, int in_flight) {
  const auto total = static_cast<std::uint64_t>(
      std::max(1.0, settings.scale * 400'000.0 * (in_flight > 1 ? 4 : 1) / subscribers));
  std::vector<Figures> all;
  all.push_back(figures("parley", run_parley(subscribers, in_flight, total)));
  {
    Child floor([](const auto& ready) { serve_floor(true, ready); });
    all.push_back(
        figures("floor (joined send loop)", run_plain(floor, subscribers, in_flight, total)));
  }
  const std::string peers = PARLEY_BENCH_PEERS;
  if (std::filesystem::exists(peers + "/node_modules/ws")) {
    Child ws({"node", "ws_server.mjs"}, peers);
    all.push_back(figures(
        "npm ws", run_plain(ws, subscribers, in_flight, std::max<std::uint64_t>(1, total / 4))));
  }
  return all;
}

}  // namespace parley::bench
