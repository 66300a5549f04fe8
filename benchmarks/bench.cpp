#include "bench.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace parley::bench {

Child::Child(const std::function<void(std::function<void(int port)>)>& serve) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pipe_ends[0]);
    serve([&](int port) { dprintf(pipe_ends[1], "%d\n", port); });
    _exit(0);
  }
  close(pipe_ends[1]);
  read_port(pipe_ends[0]);
}

Child::Child(const std::vector<std::string>& command, const std::string& directory) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[0]);
    if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(1);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(1);
  }
  close(pipe_ends[1]);
  read_port(pipe_ends[0]);
}

void Child::read_port(int descriptor) {
  std::string text;
  char c = 0;
  while (read(descriptor, &c, 1) == 1 && c != '\n') text += c;
  close(descriptor);
  port_ = std::atoi(text.c_str());
  if (port_ == 0) throw std::runtime_error("the server did not start");
}

Child::~Child() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::chrono::nanoseconds Child::cpu() const {
  std::uint64_t sum = 0;
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream file(task.path() / "schedstat");
    std::uint64_t run = 0;
    if (file >> run) sum += run;
  }
  return std::chrono::nanoseconds(sum);
}

std::size_t Child::memory() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("Private_Dirty:", 0) == 0) {
      std::istringstream words(line.substr(14));
      std::size_t kilobytes = 0;
      words >> kilobytes;
      return kilobytes * 1024;
    }
  }
  return 0;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::chrono::nanoseconds thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

double percentile(std::vector<double>& values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(p * values.size()))];
}

const std::vector<Scenario>& scenarios() {
  auto fan = [](int subscribers, int in_flight) {
    return [=](const Settings& settings) {
      return fanout_websocket(settings, subscribers, in_flight);
    };
  };
  static const std::vector<Scenario> all = {
      {"fanout_1k", "one publisher, 1,000 WebSocket subscribers, 64 B, each publish alone",
       fan(1'000, 1)},
      {"fanout_1k_burst", "the same with 16 publishes in flight", fan(1'000, 16)},
      {"fanout_5k", "5,000 subscribers, each publish alone", fan(5'000, 1)},
      {"fanout_5k_burst", "5,000 subscribers, 16 publishes in flight", fan(5'000, 16)},
      {"fanout_local", "1,000 in-process sessions in one channel", fanout_local},
      {"durable_publish", "acknowledged sends on LMDB, 1 to 256 in flight, 1,000 conversations",
       durable_publish},
      {"echo", "send to ack and event over WebSocket, 100 connections", echo},
      {"history_page", "last 50 events of a random conversation", history_page},
      {"idle_memory", "private memory of an idle authenticated session", idle_memory},
  };
  return all;
}

}  // namespace parley::bench
