// idle_memory.cpp: what an idle session costs: authenticated, in one conversation, subscribed.
#include "bench.hpp"
#include "engine_child.hpp"
#include "websocket_load.hpp"

namespace parley::bench {

std::vector<Figures> idle_memory(const Settings& settings) {
  const int sessions = static_cast<int>(9'000 * std::min(1.0, settings.scale));
  Child server([](const auto& ready) { serve_engine(memory_store(), ready); });
  ParleyLoad load(server.port());
  const int first = load.sign_in("owner");
  wire::Create create;
  create.kind = ConversationKind::channel;
  create.title = "idle";
  const auto opened = std::get<wire::Opened>(load.ask(first, create));
  auto join = [&](int i) {
    const int client = load.sign_in("user" + std::to_string(i));
    load.ask(client, wire::Join{opened.entry.conversation});
    wire::Subscribe subscribe;
    subscribe.items.push_back({opened.entry.conversation, Level::full, std::nullopt});
    load.ask(client, subscribe);
  };
  for (int i = 0; i < 500; ++i) join(i);  // what grows once
  const std::size_t memory = server.memory();
  const auto cpu = server.cpu();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < sessions; ++i) join(500 + i);
  const double accept = static_cast<double>((server.cpu() - cpu).count()) / 1e3 / sessions;
  const double bytes = static_cast<double>(server.memory() - memory) / sessions;
  const double seconds = seconds_since(start);
  const auto idle_before = server.cpu();
  const auto idle_start = std::chrono::steady_clock::now();
  while (seconds_since(idle_start) < 3) load.poll(100);
  const double idle = static_cast<double>((server.cpu() - idle_before).count()) / 1e9 / 3;
  return {{"parley, memory store",
           {{"private bytes/session", bytes},
            {"CPU us to connect, sign in, join, subscribe", accept},
            {"sessions/s", sessions / seconds},
            {"idle CPU share", idle}}}};
}

}  // namespace parley::bench
