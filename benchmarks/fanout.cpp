// fanout.cpp: publishes to rooms of sockets, and a message from each socket back to itself.
#include <random>
#include <stdexcept>
#include <vector>

#include "pubsub.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

std::unique_ptr<PubSub> clients(const Arguments& arguments) {
  auto out = pubsub(arguments.text("protocol"), arguments.count("port"),
                    static_cast<std::size_t>(arguments.count("size")));
  for (int i = 0; i < arguments.count("sockets"); ++i) out->connect();
  return out;
}

/// Publishes bursts, each when the one before has arrived everywhere.
class Bursts {
 public:
  Bursts(PubSub& load, const Arguments& arguments)
      : load_(load),
        sockets_(arguments.count("sockets")),
        rooms_(arguments.count("rooms")),
        members_(arguments.count("members")),
        burst_(arguments.count("burst")),
        random_(static_cast<std::mt19937::result_type>(arguments.count("seed"))) {
    for (int room = 0; room < rooms_; ++room) {
      for (int i = 0; i < members_; ++i) load_.subscribe(member(room, i), room);
    }
    load_.on_delivery = [this](int, std::uint64_t count) {
      arrived_ += count;
      latency_->record(Clock::now() - since_, count);
    };
  }
  /// Units: deliveries.
  double run(double seconds, Latency& latency) {
    latency_ = &latency;
    double units = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
      arrived_ = 0;
      since_ = Clock::now();
      for (int i = 0; i < burst_; ++i) {
        const int room = static_cast<int>(random_() % static_cast<unsigned>(rooms_));
        load_.publish(member(room, 0), room);
      }
      const auto expected = static_cast<std::uint64_t>(burst_) * static_cast<unsigned>(members_);
      while (arrived_ < expected) {
        load_.poll(1'000);
        if (Clock::now() - since_ > std::chrono::seconds(20))
          throw std::runtime_error("messages were lost");
      }
      units += static_cast<double>(expected);
    }
    return units;
  }

 private:
  [[nodiscard]] int member(int room, int i) const { return (room * members_ + i) % sockets_; }
  PubSub& load_;
  int sockets_, rooms_, members_, burst_;
  std::mt19937 random_;
  std::uint64_t arrived_ = 0;
  Clock::time_point since_;
  Latency* latency_ = nullptr;
};

}  // namespace

Figures fanout(const Arguments& arguments) {
  const auto load = clients(arguments);
  Bursts bursts(*load, arguments);
  Latency warm, latency;
  bursts.run(arguments.number("warm"), warm);
  Figures figures;
  const Window window(arguments.count("pid"));
  const double units = bursts.run(arguments.number("seconds"), latency);
  window.report(figures, units);
  latency.report(figures);
  return figures;
}

Figures echo(const Arguments& arguments) {
  const auto load = clients(arguments);
  const int sockets = arguments.count("sockets");
  for (int i = 0; i < sockets; ++i) load->subscribe(i, i);
  std::vector<Clock::time_point> since(static_cast<std::size_t>(sockets));
  Latency warm, latency;
  Latency* into = &warm;
  std::uint64_t units = 0;
  int open = 0;
  bool going = true;
  const auto go = [&](int client) {
    ++open;
    since[static_cast<std::size_t>(client)] = Clock::now();
    load->publish(client, client);
  };
  load->on_delivery = [&](int client, std::uint64_t count) {
    units += count;
    --open;
    into->record(Clock::now() - since[static_cast<std::size_t>(client)], count);
    if (going) go(client);
  };
  const auto run = [&](double seconds) {
    for (const auto start = Clock::now(); seconds_since(start) < seconds;) load->poll(1'000);
  };
  for (int i = 0; i < sockets; ++i) go(i);
  run(arguments.number("warm"));
  into = &latency;
  units = 0;
  Figures figures;
  const Window window(arguments.count("pid"));
  run(arguments.number("seconds"));
  window.report(figures, static_cast<double>(units));
  latency.report(figures);
  going = false;
  while (open > 0) load->poll(1'000);
  return figures;
}

}  // namespace parley::bench
