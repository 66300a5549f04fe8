// round_trip.cpp: a call from a host's thread and its answer: send() until the Ack, beside a bare
// post to another thread and its answer.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "parley/parley.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

template <class Trip>
Figures measure(const Arguments& arguments, Trip trip) {
  Latency latency;
  const auto run = [&](double seconds) {
    double units = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds; ++units) {
      const auto since = Clock::now();
      trip();
      latency.record(Clock::now() - since);
    }
    return units;
  };
  run(arguments.number("warm"));
  latency = {};
  Figures figures;
  const Window window(0);
  window.report(figures, run(arguments.number("seconds")));
  latency.report(figures);
  return figures;
}

Figures on_parley(const Arguments& arguments, bool host_drives) {
  EngineOptions options;
  if (host_drives) {
    options.threads = host_driven;
  } else {
    options.threads = 1;
  }
  Engine engine = Engine::open(std::move(options)).value();
  Session session = engine.attach({.user = "host"}).get().value();
  const Conversation room =
      session.create({.kind = ConversationKind::channel, .title = "room"}).get().value();
  const std::string body(static_cast<std::size_t>(arguments.count("size")), 'x');
  return measure(arguments, [&] { session.send(room, std::string_view(body)).get().value(); });
}

/// A thread that sleeps in epoll and runs what is posted to it.
class Poster {
 public:
  Poster() {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
    thread_ = std::thread([this] { run(); });
  }
  ~Poster() {
    post([this] { over_ = true; });
    thread_.join();
    close(wake_);
    close(epoll_);
  }
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    }
    if (eventfd_write(wake_, 1) != 0) throw std::runtime_error("no wake");
  }

 private:
  void run() {
    std::vector<std::function<void()>> taken;
    while (!over_) {
      epoll_event event{};
      epoll_wait(epoll_, &event, 1, -1);
      eventfd_t count = 0;
      eventfd_read(wake_, &count);
      {
        const std::lock_guard lock(mutex_);
        taken.swap(work_);
      }
      for (const auto& work : taken) work();
      taken.clear();
    }
  }
  int wake_ = eventfd(0, EFD_NONBLOCK), epoll_ = epoll_create1(0);
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;
  bool over_ = false;
  std::thread thread_;
};

Figures with_posts(const Arguments& arguments) {
  Poster poster;
  std::mutex mutex;
  std::condition_variable changed;
  return measure(arguments, [&] {
    bool answered = false;
    poster.post([&] {
      const std::lock_guard lock(mutex);
      answered = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answered; });
  });
}

}  // namespace

Figures round_trip(const Arguments& arguments) {
  const std::string contestant = arguments.text("contestant");
  if (contestant == "parley") return on_parley(arguments, false);
  if (contestant == "parley_poll") return on_parley(arguments, true);
  if (contestant == "post") return with_posts(arguments);
  throw std::runtime_error("no contestant " + contestant);
}

}  // namespace parley::bench
