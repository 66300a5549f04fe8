// bench.hpp: named scenarios, their figures, and what the operating system says about a process.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace parley::bench {

/// What a scenario measured for one contestant in one round.
struct Figures {
  std::string contestant;
  std::vector<std::pair<std::string, double>> values;  // "deliveries/s", "server CPU us/delivery"
};
struct Settings {
  int rounds = 3;      // contestants are interleaved within a round
  double scale = 1.0;  // of the number of messages
  std::string data;    // a directory on the disk to be measured
};
struct Scenario {
  std::string name, description;
  std::function<std::vector<Figures>(const Settings&)> round;
};
const std::vector<Scenario>& scenarios();

/// A server in a process of its own: `serve` runs in the child, tells its port by the function it
/// gets, and returns never; the child is killed when this goes.
class Child {
 public:
  explicit Child(const std::function<void(std::function<void(int port)>)>& serve);
  Child(const std::vector<std::string>& command, const std::string& directory);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] int port() const noexcept { return port_; }
  /// CPU time of all its threads so far, by the scheduler's own counters.
  [[nodiscard]] std::chrono::nanoseconds cpu() const;
  /// Private dirty memory in bytes.
  [[nodiscard]] std::size_t memory() const;

 private:
  void read_port(int descriptor);
  int pid_ = -1;
  int port_ = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start);
/// CPU time of the calling thread.
std::chrono::nanoseconds thread_cpu();
double percentile(std::vector<double>& values, double p);

// The scenarios, one file each.
std::vector<Figures> fanout_websocket(const Settings& settings, int subscribers, int in_flight);
std::vector<Figures> fanout_local(const Settings& settings);
std::vector<Figures> durable_publish(const Settings& settings);
std::vector<Figures> echo(const Settings& settings);
std::vector<Figures> history_page(const Settings& settings);
std::vector<Figures> idle_memory(const Settings& settings);

}  // namespace parley::bench
