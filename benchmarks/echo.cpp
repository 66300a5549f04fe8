// echo.cpp: a message through a session and back: send, ack and the event pushed to the sender, not
// durable.
#include <map>

#include "bench.hpp"
#include "engine_child.hpp"
#include "floor_server.hpp"
#include "websocket_load.hpp"

namespace parley::bench {

std::vector<Figures> echo(const Settings& settings) {
  std::vector<Figures> all;
  for (const int connections : {1, 100}) {
    Child server([](const auto& ready) { serve_engine(memory_store(), ready); });
    ParleyLoad load(server.port());
    std::vector<wire::Send> sends;
    for (int i = 0; i < connections; ++i) {
      const int client = load.sign_in("user" + std::to_string(i));
      wire::Create create;
      create.kind = ConversationKind::group;
      create.title = "echo";
      const auto opened = std::get<wire::Opened>(load.ask(client, create));
      wire::Subscribe subscribe;
      subscribe.items.push_back({opened.entry.conversation, Level::full, std::nullopt});
      load.ask(client, subscribe);
      wire::Send send;
      send.conversation = opened.entry.conversation;
      send.body = Payload::copy_of(std::string(64, 'x'));
      sends.push_back(std::move(send));
    }
    const auto total =
        static_cast<std::uint64_t>(settings.scale * (connections == 1 ? 10'000 : 100'000));
    std::uint64_t started = 0, finished = 0;
    std::uint32_t request = 1;
    std::vector<double> times;
    std::vector<std::chrono::steady_clock::time_point> since(sends.size());
    auto go = [&](int client) {
      if (started >= total) return;
      ++started;
      since[static_cast<std::size_t>(client)] = std::chrono::steady_clock::now();
      load.post(client, request++, sends[static_cast<std::size_t>(client)]);
    };
    load.on_events = [&](int client, std::uint64_t, std::uint32_t count) {
      finished += count;
      times.push_back(seconds_since(since[static_cast<std::size_t>(client)]) * 1e6);
      go(client);
    };
    const auto before = server.cpu();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < connections; ++i) go(i);
    while (finished < total) load.poll(1'000);
    const double count = static_cast<double>(finished);
    all.push_back({"parley, " + std::to_string(connections) + " connections",
                   {{"server CPU us/message",
                     static_cast<double>((server.cpu() - before).count()) / 1e3 / count},
                    {"messages/s", count / seconds_since(start)},
                    {"p50 us", percentile(times, 0.5)},
                    {"p99 us", percentile(times, 0.99)}}});
  }
  return all;
}

}  // namespace parley::bench
