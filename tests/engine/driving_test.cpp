// Three ways to drive an engine: its own threads, poll, and a driver; forks.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "engine/waiting.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;

TEST_CASE("a host-driven engine runs on the polling thread alone", "[driving]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  const auto here = std::this_thread::get_id();
  std::set<std::thread::id> threads;
  int heard = 0;
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  bob.on_event([&](const Event& event) {
    threads.insert(std::this_thread::get_id());
    heard += event.as<Message>() != nullptr ? 1 : 0;
  });
  auto chat = engine.direct("alice", "bob").get().value();
  bool inside = false;  // nothing runs but inside poll
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    alice.send(chat, "x", {}, [&](Result<Ack> ack) {
      REQUIRE(inside);
      REQUIRE(ack);
      ++answered;
      threads.insert(std::this_thread::get_id());
    });
  }
  REQUIRE(answered == 0);
  const auto end = std::chrono::steady_clock::now() + 20s;
  while ((answered < 10 || heard < 10) && std::chrono::steady_clock::now() < end) {
    inside = true;
    engine.poll(200us);
    inside = false;
  }
  REQUIRE(answered == 10);
  REQUIRE(heard == 10);
  REQUIRE(threads == std::set<std::thread::id>{here});
}

TEST_CASE("poll inside a handler does nothing", "[driving]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  std::optional<bool> more;
  alice.list([&](Result<std::vector<ListEntry>>) { more = engine.poll(1ms); });
  while (!more) engine.poll(1ms);
  REQUIRE(*more == false);
}

TEST_CASE("on_wake tells a host that has polled everything", "[driving]") {
  auto engine = Engine::open({.threads = host_driven}).value();
  std::atomic<int> wakes{0};
  engine.on_wake([&] { ++wakes; });
  auto alice = engine.attach({.user = "alice"}).get().value();
  while (engine.poll(1ms)) {}
  const int before = wakes;
  std::thread other([&] { alice.list(); });
  other.join();
  REQUIRE(wakes == before + 1);
  REQUIRE(engine.descriptor() >= 0);
  REQUIRE(engine.next_deadline());
  alice.list();
  REQUIRE(wakes == before + 1);  // once until the next poll
}

TEST_CASE("run blocks until stop, with threads of its own and without", "[driving]") {
  const bool own = GENERATE(true, false);
  auto engine = Engine::open({.threads = own ? Threads(2) : Threads(host_driven)}).value();
  test::Collected<int> seen;
  std::thread runner([&] {
    engine.run();
    seen.add(1);
    engine.run();
    seen.add(2);
  });
  auto alice = engine.attach({.user = "alice"}).get();  // somebody drives it
  REQUIRE(alice);
  engine.stop();
  REQUIRE(seen.wait_for(1).size() >= 1);
  REQUIRE(engine.attach({.user = "bob"}).get());
  engine.close();
  REQUIRE(seen.wait_for(2).size() == 2);
  runner.join();
  REQUIRE(engine.stopped());
}

TEST_CASE("threads are started and ended through the host's hooks, and block every signal",
          "[driving]") {
  std::atomic<int> started{0};
  std::atomic<int> ended{0};
  std::atomic<int> open_signals{0};
  const auto start = [&] {
    ++started;
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1, SIGALRM}) {
      if (::sigismember(&blocked, one) != 1) ++open_signals;
    }
  };
  {
    auto engine =
        Engine::open({.threads = 3, .on_thread_start = start, .on_thread_stop = [&] { ++ended; }})
            .value();
    auto alice = engine.attach({.user = "alice"}).get().value();
    REQUIRE(engine.stats().shards == 3);
  }
  REQUIRE(started == 3);
  REQUIRE(ended == 3);
  REQUIRE(open_signals == 0);
}

TEST_CASE("several shards: everybody hears everything, in order", "[driving]") {
  auto engine = Engine::open({.threads = 3}).value();
  constexpr int users = 9;
  constexpr int each = 30;
  std::vector<std::string> names;
  for (int i = 0; i < users; ++i) names.push_back("user" + std::to_string(i));
  struct Heard {
    std::mutex mutex;
    std::vector<Seq> seqs;
  };
  std::vector<Heard> heard(users);
  std::vector<Session> sessions;
  for (int i = 0; i < users; ++i) {
    sessions.push_back(engine.attach({.user = names[static_cast<std::size_t>(i)]}).get().value());
    sessions.back().on_event([&, i](const Event& event) {
      Heard& mine = heard[static_cast<std::size_t>(i)];
      const std::lock_guard lock(mine.mutex);
      mine.seqs.push_back(event.seq);
    });
  }
  auto room = engine.create({.members = names}).get().value();
  test::Collected<Seq> acks;
  std::vector<std::thread> writers;
  for (Session& session : sessions) {
    writers.emplace_back([&] {
      for (int i = 0; i < each; ++i) acks.add(session.send(room, "x").get().value().seq);
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto all = acks.wait_for(users * each);
  REQUIRE(std::set<Seq>(all.begin(), all.end()).size() == users * each);  // dense and distinct
  const Seq last = *std::max_element(all.begin(), all.end());
  for (Heard& mine : heard) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    for (;;) {
      const std::lock_guard lock(mine.mutex);
      if (!mine.seqs.empty() && mine.seqs.back() == last) break;
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
    for (std::size_t i = 1; i < mine.seqs.size(); ++i) {
      REQUIRE(mine.seqs[i] == mine.seqs[i - 1] + 1);
    }
  }
}

namespace {

/// Polls from a thread of its own, as a host's executor would.
class ThreadDriver final : public Driver {
 public:
  ~ThreadDriver() override { join(); }
  void start(std::shared_ptr<Driven> engine) override {
    thread_ = std::thread([this, engine = std::move(engine)] {
      while (!stop_) {
        if (!engine->poll(500us)) std::this_thread::yield();
      }
    });
  }
  void stop() override { stop_ = true; }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a driver drives", "[driving]") {
  auto driver = std::make_shared<ThreadDriver>();
  {
    auto engine = Engine::open({.threads = Threads(driver)}).value();
    test::Collected<bool> attached;
    engine.attach({.user = "alice"}, [&](Result<Session> session) { attached.add(session.ok()); });
    REQUIRE(attached.wait_for(1).at(0));
  }
  driver->join();
}

TEST_CASE("after a fork every call answers forked", "[driving]") {
  const bool own = GENERATE(true, false);
  auto engine = Engine::open({.threads = own ? Threads(1) : Threads(host_driven)}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({}).get().value();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int wrong = 0;
    auto expect = [&](const auto& result) {
      wrong += !result && result.error().errc() == Errc::forked ? 0 : 1;
    };
    expect(alice.send(room, "x").get());
    expect(alice.list().get());
    expect(engine.attach({.user = "bob"}).get());
    expect(engine.create({}).get());
    expect(engine.find_user("alice").get());
    expect(engine.listen("inproc:x"));
    wrong += engine.poll(0us) ? 1 : 0;
    engine.close();
    { Session gone = std::move(alice); }
    { Engine gone = std::move(engine); }
    ::_exit(wrong);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(alice.send(room, "the parent goes on").get());
}
