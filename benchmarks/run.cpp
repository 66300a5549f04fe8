#include "run.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace parley::bench {

using std::chrono::nanoseconds;

Arguments::Arguments(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error("not name=value: " + word);
    values_[word.substr(0, equals)] = word.substr(equals + 1);
  }
}

std::string Arguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::runtime_error("missing: " + name + "=");
  return found->second;
}

double Arguments::number(const std::string& name) const { return std::stod(text(name)); }
int Arguments::count(const std::string& name) const { return std::stoi(text(name)); }

std::string Figures::json() const {
  std::string out = "{";
  for (const auto& [name, value] : values_) {
    char number[32];
    std::snprintf(number, sizeof number, "%.6g", value);
    out += (out.size() > 1 ? ", \"" : "\"") + name + "\": " + number;
  }
  return out + "}";
}

void Latency::record(nanoseconds time, std::uint64_t times) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), steps));
  const int shift = std::bit_width(value) - std::bit_width(steps - 1) - 1;
  const std::size_t at = static_cast<std::size_t>(shift) * steps + (value >> shift) - steps;
  counts_[std::min(at, counts_.size() - 1)] += times;
  total_ += times;
  slowest_ = std::max(slowest_, time);
}

double Latency::quantile_us(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
  std::uint64_t seen = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    seen += counts_[at];
    if (seen > wanted) return static_cast<double>((at % steps + steps) << (at / steps)) / 1e3;
  }
  return static_cast<double>(slowest_.count()) / 1e3;
}

void Latency::report(Figures& figures) const {
  figures.add("p50_us", quantile_us(0.5));
  figures.add("p99_us", quantile_us(0.99));
  figures.add("p999_us", quantile_us(0.999));
  figures.add("slowest_us", static_cast<double>(slowest_.count()) / 1e3);
}

namespace {

/// Of the threads of a process whose names begin so.
nanoseconds scheduled(int pid, const std::string& name) {
  std::uint64_t sum = 0;
  std::error_code gone;  // threads end meanwhile
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    std::string called;
    if (!name.empty()) std::getline(std::ifstream(task.path() / "comm"), called);
    if (called.compare(0, name.size(), name) != 0) continue;
    std::ifstream file(task.path() / "schedstat");
    std::uint64_t run = 0;
    if (file >> run) sum += run;
  }
  return nanoseconds(sum);
}

}  // namespace

nanoseconds process_cpu(int pid) { return scheduled(pid, ""); }
nanoseconds threads_cpu(const std::string& name) { return scheduled(getpid(), name); }

namespace {

nanoseconds clock_time(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

}  // namespace

nanoseconds own_cpu() { return clock_time(CLOCK_PROCESS_CPUTIME_ID); }
nanoseconds thread_cpu() { return clock_time(CLOCK_THREAD_CPUTIME_ID); }

double private_bytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string word;
  double kilobytes = 0;
  while (file >> word) {
    if (word == "Private_Dirty:" && file >> kilobytes) return kilobytes * 1024;
  }
  throw std::runtime_error("no memory figures of process " + std::to_string(pid));
}

double disk_bytes(const std::string& directory) {
  double sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat facts {};
    if (stat(entry.path().c_str(), &facts) == 0)
      sum += 512.0 * static_cast<double>(facts.st_blocks);
  }
  return sum;
}

double device_bytes(const std::string& directory) {
  struct stat facts {};
  if (stat(directory.c_str(), &facts) != 0) return 0;
  std::ifstream file("/sys/dev/block/" + std::to_string(major(facts.st_dev)) + ":" +
                     std::to_string(minor(facts.st_dev)) + "/stat");
  double sectors = 0;
  for (int field = 0; field < 7; ++field) file >> sectors;  // the seventh: sectors written
  return file ? sectors * 512 : 0;
}

void forget_cached(const std::string& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    fdatasync(file);  // what is not on the disk yet is not forgotten
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Window::Window(int server)
    : server_(server != 0 ? server : getpid()),
      start_(Clock::now()),
      server_cpu_(process_cpu(server_)),
      load_cpu_(thread_cpu()) {}

void Window::report(Figures& figures, double units) const {
  const double seconds = seconds_since(start_);
  const auto us = [](nanoseconds time) { return static_cast<double>(time.count()) / 1e3; };
  const double load = us(thread_cpu() - load_cpu_);
  figures.add("cpu_us", us(process_cpu(server_) - server_cpu_) / units);
  figures.add("units_per_s", units / seconds);
  if (server_ == getpid()) return;
  figures.add("load_cpu_us", load / units);
  figures.add("load_share", load / 1e6 / seconds);
}

}  // namespace parley::bench
