// fanout_local.cpp: a channel with a thousand in-process sessions: no encoding, no copy, no system
// call.
#include <atomic>

#include "bench.hpp"
#include "parley/parley.hpp"

namespace parley::bench {

std::vector<Figures> fanout_local(const Settings& settings) {
  constexpr int subscribers = 1'000;
  std::vector<Figures> all;
  for (const int in_flight : {1, 16}) {
    EngineOptions options;
    options.threads = host_driven;
    Engine engine = Engine::open(std::move(options)).value();
    std::uint64_t delivered = 0;
    std::vector<Session> sessions;
    for (int i = 0; i < subscribers; ++i) {
      sessions.push_back(engine.attach({.user = "user" + std::to_string(i)}).get().value());
      sessions.back().on_events([&](std::span<const Event> events) { delivered += events.size(); });
    }
    const Conversation channel =
        sessions[0].create({.kind = ConversationKind::channel, .title = "fan-out"}).get().value();
    for (int i = 1; i < subscribers; ++i) sessions[i].join(channel).get().value();
    for (auto& session : sessions) session.subscribe(channel).get().value();
    while (engine.poll(std::chrono::milliseconds(10))) {}
    const auto total = static_cast<std::uint64_t>(settings.scale * 2'000);
    const std::string body(64, 'x');
    delivered = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto before = thread_cpu();
    std::uint64_t published = 0;
    while (delivered < total * subscribers) {
      if (published == delivered / subscribers && published < total) {
        for (int i = 0; i < in_flight && published < total; ++i, ++published) {
          sessions[0].send(channel, std::string_view(body), {}, [](Result<Ack>) {});
        }
      }
      engine.poll(std::chrono::milliseconds(10));
    }
    const double count = static_cast<double>(delivered);
    all.push_back(
        {"parley, " + std::to_string(in_flight) + " in flight",
         {{"CPU us/delivery", static_cast<double>((thread_cpu() - before).count()) / 1e3 / count},
          {"deliveries/s", count / seconds_since(start)}}});
  }
  return all;
}

}  // namespace parley::bench
