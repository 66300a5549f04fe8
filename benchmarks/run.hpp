// run.hpp: what one run of one contestant is told, and what it measures.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace parley::bench {

using Clock = std::chrono::steady_clock;

/// The words `name=value` of the command line.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words);
  /// Throws when it is missing.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] double number(const std::string& name) const;
  [[nodiscard]] int count(const std::string& name) const;

 private:
  std::map<std::string, std::string> values_;
};

/// Named figures of a run, in the units that their names end with.
class Figures {
 public:
  void add(std::string name, double value) { values_.emplace_back(std::move(name), value); }
  [[nodiscard]] std::string json() const;

 private:
  std::vector<std::pair<std::string, double>> values_;
};

/// Latencies, kept to within 2 %.
class Latency {
 public:
  void record(std::chrono::nanoseconds time, std::uint64_t times = 1);
  /// Adds p50_us, p99_us and p999_us, and that of the slowest.
  void report(Figures& figures) const;
  [[nodiscard]] double quantile_us(double share) const;
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  static constexpr std::size_t steps = 64;  // a power of two each
  std::array<std::uint64_t, steps * 40> counts_{};
  std::uint64_t total_ = 0;
  std::chrono::nanoseconds slowest_{};
};

/// CPU time of all threads of a process so far, by the scheduler's own counters.
std::chrono::nanoseconds process_cpu(int pid);
/// The same of those threads of this process whose names begin so.
std::chrono::nanoseconds threads_cpu(const std::string& name);
/// CPU time of this process so far: to the moment, where the counters above lag by a tick.
std::chrono::nanoseconds own_cpu();
/// CPU time of the calling thread.
std::chrono::nanoseconds thread_cpu();
/// Private dirty memory of a process in bytes.
double private_bytes(int pid);
/// Bytes that the files of a directory take on the disk.
double disk_bytes(const std::string& directory);
/// Bytes written so far to the device of a directory, by whomever; 0 where that is not told.
double device_bytes(const std::string& directory);
/// The system forgets what it keeps of the files of a directory: who reads next reads the disk.
void forget_cached(const std::string& directory);
double seconds_since(Clock::time_point start);

/// The time in which units are counted: starts with it, ends with report().
class Window {
 public:
  /// `server`: the process measured, the calling thread being the load; 0: this whole process.
  explicit Window(int server);
  /// Adds cpu_us a unit and units_per_s; with a server also what the load took (load_cpu_us a
  /// unit, load_share of its core).
  void report(Figures& figures, double units) const;

 private:
  int server_;
  Clock::time_point start_;
  std::chrono::nanoseconds server_cpu_, load_cpu_;
};

// The tasks, one file each: a run of one contestant. Throw std::runtime_error with what went wrong.
Figures fanout(const Arguments& arguments);
Figures echo(const Arguments& arguments);
Figures receipts(const Arguments& arguments);
Figures presence(const Arguments& arguments);
Figures connections(const Arguments& arguments);
Figures local_fanout(const Arguments& arguments);
Figures round_trip(const Arguments& arguments);
Figures durable(const Arguments& arguments);
Figures history(const Arguments& arguments);
Figures start(const Arguments& arguments);
Figures scale_messages(const Arguments& arguments);
Figures scale_members(const Arguments& arguments);
Figures scale_conversations(const Arguments& arguments);
Figures scale_users(const Arguments& arguments);
Figures reconnect(const Arguments& arguments);
Figures hold(const Arguments& arguments);

struct Served {
  std::string directory{};  // of an LMDB store; "": a memory store
  bool gathers = true;      // sends through io_uring where that works, else each is a system call
};
/// Serves until killed; prints its port.
void serve_engine(const Served& what);

}  // namespace parley::bench
