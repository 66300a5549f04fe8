// local_fanout.cpp: a channel with sessions in this process: no encoding, no copy, no system call.
// Beside it the least that tells as many handlers, and a copy of each message for each.
#include <cstring>
#include <deque>
#include <functional>
#include <stdexcept>

#include "parley/parley.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

/// Reports `burst`, which makes that many deliveries each time it is called.
template <class Burst>
Figures measure(const Arguments& arguments, double deliveries, Burst burst) {
  const auto run = [&](double seconds) {
    double units = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds; units += deliveries)
      burst();
    return units;
  };
  run(arguments.number("warm"));
  Figures figures;
  const Window window(0);
  window.report(figures, run(arguments.number("seconds")));
  return figures;
}

Figures on_parley(const Arguments& arguments, int subscribers, int together) {
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
  for (std::size_t i = 1; i < sessions.size(); ++i) sessions[i].join(channel).get().value();
  for (auto& session : sessions) session.subscribe(channel).get().value();
  while (engine.poll(std::chrono::milliseconds(10))) {}
  const std::string body(static_cast<std::size_t>(arguments.count("size")), 'x');
  const auto deliveries = static_cast<std::uint64_t>(subscribers) * static_cast<unsigned>(together);
  return measure(arguments, static_cast<double>(deliveries), [&] {
    delivered = 0;
    for (int i = 0; i < together; ++i)
      sessions[0].send(channel, std::string_view(body), {}, [](Result<Ack>) {});
    while (delivered < deliveries) engine.poll(std::chrono::milliseconds(10));
  });
}

/// Handlers called one after the other, each with the whole burst.
Figures with_calls(const Arguments& arguments, int subscribers, int together) {
  std::vector<Event> events(static_cast<std::size_t>(together));
  volatile std::uint64_t delivered = 0;
  std::vector<std::function<void(std::span<const Event>)>> handlers;
  for (int i = 0; i < subscribers; ++i)
    handlers.emplace_back(
        [&](std::span<const Event> seen) { delivered = delivered + seen.size(); });
  return measure(arguments, static_cast<double>(subscribers) * together, [&] {
    for (const auto& handler : handlers) handler(events);
  });
}

/// The message copied into a queue of each subscriber's.
Figures with_copies(const Arguments& arguments, int subscribers, int together) {
  const auto size = static_cast<std::size_t>(arguments.count("size"));
  const std::string body(size, 'x');
  std::vector<std::string> queues(static_cast<std::size_t>(subscribers),
                                  std::string(size * static_cast<std::size_t>(together), '\0'));
  return measure(arguments, static_cast<double>(subscribers) * together, [&] {
    for (std::string& queue : queues) {
      for (std::size_t at = 0; at < queue.size(); at += size)
        std::memcpy(queue.data() + at, body.data(), size);
    }
    asm volatile("" : : "r"(queues.data()) : "memory");
  });
}

}  // namespace

Figures local_fanout(const Arguments& arguments) {
  const std::string contestant = arguments.text("contestant");
  const int subscribers = arguments.count("sockets"), together = arguments.count("burst");
  if (contestant == "parley") return on_parley(arguments, subscribers, together);
  if (contestant == "calls") return with_calls(arguments, subscribers, together);
  if (contestant == "copies") return with_copies(arguments, subscribers, together);
  throw std::runtime_error("no contestant " + contestant);
}

}  // namespace parley::bench
