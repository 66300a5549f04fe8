// loop_test.cpp: mailbox, timers, descriptors, budgets and the ways to drive a loop.
#include "runtime/loop.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;
using parley::LinkHost;
using parley::runtime::Loop;
using Ready = LinkHost::Ready;

namespace {

std::unique_ptr<Loop> make_loop() { return Loop::create().value(); }

struct Pair {
  std::array<int, 2> end{-1, -1};
  Pair() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, end.data()) == 0);
  }
  ~Pair() {
    for (const int fd : end) ::close(fd);
  }
  void fill(int which) const {
    const std::string block(4096, 'x');
    while (::send(end[which], block.data(), block.size(), MSG_NOSIGNAL) > 0) {}
  }
};

void turn(Loop& loop) {
  while (loop.poll(1ms)) {}
}

}  // namespace

TEST_CASE("posted callbacks run in order, in the next turn when posted from one") {
  auto loop = make_loop();
  std::string log;
  loop->post([&] {
    log += 'a';
    REQUIRE(Loop::current() == loop.get());
    loop->post([&] { log += 'c'; });
  });
  loop->post([&] { log += 'b'; });
  loop->on_turn_end([&] {
    log += '.';
    return false;
  });
  REQUIRE(Loop::current() == nullptr);
  turn(*loop);
  REQUIRE(log == "ab.c.");
}

TEST_CASE("a zero budget still makes progress and says that work is left") {
  auto loop = make_loop();
  int ran = 0;
  for (int i = 0; i < 3; ++i) loop->post([&] { ++ran; });
  REQUIRE(loop->poll(0us));
  REQUIRE(ran == 1);
  REQUIRE(loop->poll(0us));
  REQUIRE_FALSE(loop->poll(0us));
  REQUIRE(ran == 3);
}

TEST_CASE("the turn's end is called again while it has more to do, and sees the budget") {
  auto loop = make_loop();
  int calls = 0;
  bool yielded = false;
  loop->on_turn_end([&] {
    while (calls == 0 && !loop->should_yield()) {}
    yielded = yielded || loop->should_yield();
    return ++calls < 3;
  });
  REQUIRE(loop->poll(100us));
  REQUIRE(yielded);
  turn(*loop);
  REQUIRE(calls == 3);
}

TEST_CASE("a turn's end that throws is called again: something may be left") {
  auto loop = make_loop();
  std::string failed;
  loop->on_failed([&](std::string_view what) { failed += what; });
  int calls = 0;
  loop->on_turn_end([&]() -> bool {
    if (++calls == 1) throw std::runtime_error("bang");
    loop->stop();
    return false;
  });
  loop->post([] {});
  loop->run();
  REQUIRE(failed == "bang");
  REQUIRE(calls == 2);
}

TEST_CASE("what is for the end of a turn runs once, after the engine's part, in the same turn") {
  auto loop = make_loop();
  std::string log;
  const auto last = [&](const char* what) { loop->at_turn_end([&log, what] { log += what; }); };
  loop->on_turn_end([&] {
    log += '.';
    if (log == "a.") last("e");  // given by the engine's part
    return false;
  });
  loop->post([&] {
    log += 'a';
    last("l");
    loop->post([&] { log += 'b'; });
  });
  turn(*loop);
  REQUIRE((log == "a.elb." || log == "a.leb."));
  last("c");  // between two turns
  REQUIRE((log == "a.elb." || log == "a.leb."));
  loop->wait(1s);
  turn(*loop);
  REQUIRE(log.substr(6) == "c.");
}

TEST_CASE("what throws at the end of a turn is told, and the rest of it runs") {
  auto loop = make_loop();
  std::string log;
  loop->on_failed([&](std::string_view what) { log += what; });
  loop->post([&] {
    loop->at_turn_end([&] { log += 'a'; });
    loop->at_turn_end([] { throw std::runtime_error("bang"); });
  });
  turn(*loop);
  std::sort(log.begin(), log.end());
  REQUIRE(log == "aabgn");
}

TEST_CASE("timers run no earlier than asked and not after they were cancelled") {
  auto loop = make_loop();
  std::string log;
  const auto start = LinkHost::Clock::now();
  LinkHost::Clock::time_point when;
  loop->start_timer(20ms, [&] {
    log += 'b';
    when = LinkHost::Clock::now();
    loop->stop();
  });
  LinkHost::Timer dead = LinkHost::Timer::none;
  loop->start_timer(1ms, [&] {
    log += 'a';
    loop->cancel_timer(dead);
  });
  dead = loop->start_timer(1ms, [&] { log += 'x'; });
  loop->cancel_timer(LinkHost::Timer::none);
  REQUIRE(loop->next_deadline());
  REQUIRE(loop->timers() == 3);
  loop->run();
  REQUIRE(log == "ab");
  REQUIRE(when - start >= 20ms);
}

TEST_CASE("a descriptor is reported as long as it is ready for what was asked") {
  auto loop = make_loop();
  const Pair pair;
  int reads = 0;
  int writes = 0;
  const auto watch = loop->watch(pair.end[0], Ready::readable, [&](Ready ready) {
    if (ready != Ready::writable) ++reads;
    if (ready != Ready::readable) ++writes;
  });
  REQUIRE(watch != LinkHost::Watch::none);
  turn(*loop);
  REQUIRE(reads == 0);
  REQUIRE(::send(pair.end[1], "x", 1, 0) == 1);
  turn(*loop);
  REQUIRE(reads == 1);
  turn(*loop);
  REQUIRE(reads == 2);  // level-triggered
  loop->rewatch(watch, Ready::both);
  turn(*loop);
  REQUIRE(reads == 3);
  REQUIRE(writes == 1);
  loop->rewatch(watch, Ready::writable);
  turn(*loop);
  REQUIRE(reads == 3);
  REQUIRE(writes == 2);
  loop->unwatch(watch);
  turn(*loop);
  REQUIRE(writes == 2);
  REQUIRE(loop->watches() == 0);
}

TEST_CASE("unwatching inside a callback stops the other one of the same turn") {
  auto loop = make_loop();
  const Pair one;
  const Pair two;
  int calls = 0;
  std::array<LinkHost::Watch, 2> watches{};
  const auto alive = std::make_shared<int>(0);
  for (int i = 0; i < 2; ++i) {
    watches[i] = loop->watch(i == 0 ? one.end[0] : two.end[0], Ready::writable, [&, alive](Ready) {
      ++calls;
      for (const auto watch : watches) loop->unwatch(watch);
      REQUIRE(alive.use_count() > 1);  // what runs is not destroyed under itself
    });
  }
  turn(*loop);
  REQUIRE(calls == 1);
  REQUIRE(alive.use_count() == 1);
  // The slots are used again; the old ids are dead.
  int fresh = 0;
  loop->watch(one.end[0], Ready::writable, [&](Ready) { ++fresh; });
  loop->rewatch(watches[0], Ready::readable);
  loop->unwatch(watches[1]);
  turn(*loop);
  REQUIRE(fresh == 1);
}

TEST_CASE("a watch that the system refuses is none") {
  auto loop = make_loop();
  REQUIRE(loop->watch(-1, Ready::readable, [](Ready) {}) == LinkHost::Watch::none);
  REQUIRE(loop->watches() == 0);
}

TEST_CASE("a peer that hung up is reported to a reader and to a writer") {
  auto loop = make_loop();
  Pair pair;
  ::close(pair.end[1]);
  pair.end[1] = -1;
  std::array<char, 8> buffer{};
  ssize_t got = -2;
  loop->watch(pair.end[0], Ready::readable,
              [&](Ready) { got = ::recv(pair.end[0], buffer.data(), buffer.size(), 0); });
  turn(*loop);
  REQUIRE(got == 0);
}

TEST_CASE("run sleeps until something is posted, and keeps the order of each thread that posts") {
  auto loop = make_loop();
  constexpr int each = 2000;
  std::array<int, 4> next{};
  bool ordered = true;
  std::atomic<int> ran{0};
  std::thread runner([&] { loop->run(); });
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; i < each; ++i) {
        loop->post([&, sender, i] {
          ordered = ordered && next[sender]++ == i;
          ran.fetch_add(1);
        });
        if (i % 100 == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  while (ran.load() != 4 * each) std::this_thread::yield();
  loop->stop();
  runner.join();
  REQUIRE(ordered);
  REQUIRE_FALSE(loop->poll(1ms));
}

TEST_CASE("a loop left idle calls on_wake once, from any thread") {
  auto loop = make_loop();
  std::atomic<int> wakes{0};
  loop->on_wake([&] { wakes.fetch_add(1); });
  turn(*loop);
  REQUIRE(wakes.load() == 0);
  std::thread([&] {
    loop->post([&] { loop->post([] {}); });
    loop->post([] {});
  }).join();
  REQUIRE(wakes.load() == 1);
  turn(*loop);
  REQUIRE(wakes.load() == 1);
  loop->post([] {});
  REQUIRE(wakes.load() == 2);
}

TEST_CASE("wait returns for a post and for a descriptor, and poll then does the work") {
  auto loop = make_loop();
  const Pair pair;
  int reads = 0;
  loop->watch(pair.end[0], Ready::readable, [&](Ready) { ++reads; });
  turn(*loop);
  loop->wait(0us);
  REQUIRE(::send(pair.end[1], "x", 1, 0) == 1);
  loop->wait(10s);
  turn(*loop);
  REQUIRE(reads == 1);
  int ran = 0;
  std::thread other([&] { loop->post([&] { ++ran; }); });
  while (ran == 0) {
    loop->wait(10s);
    turn(*loop);
  }
  other.join();
}

TEST_CASE("an exception is handed to the hook, or leaves poll without one; the loop goes on") {
  auto loop = make_loop();
  const auto bomb = [] { throw std::runtime_error("bang"); };
  loop->post(bomb);
  REQUIRE_THROWS_AS(turn(*loop), std::runtime_error);
  std::string failed;
  loop->on_failed([&](std::string_view what) { failed += what; });
  int after = 0;
  loop->post(bomb);
  loop->post([&] { ++after; });
  loop->start_timer(0ms, bomb);
  loop->start_timer(0ms, [&] {
    ++after;
    loop->stop();
  });
  loop->run();
  REQUIRE(failed == "bangbang");
  REQUIRE(after == 2);
}

TEST_CASE("what is left when a loop is destroyed is destroyed and not run") {
  auto loop = make_loop();
  const Pair pair;
  struct Cancels {
    Loop* loop;
    LinkHost::Timer timer;
    LinkHost::Watch watch;
    ~Cancels() {
      loop->cancel_timer(timer);
      loop->unwatch(watch);
    }
  };
  auto held = std::make_shared<Cancels>();
  held->loop = loop.get();
  const std::weak_ptr<Cancels> seen = held;
  bool ran = false;
  held->timer = loop->start_timer(1ms, [&ran, held] { ran = true; });
  held->watch = loop->watch(pair.end[0], Ready::writable, [&ran, held](Ready) { ran = true; });
  loop->post([&ran, held = std::move(held)] { ran = true; });
  loop.reset();
  REQUIRE(seen.expired());
  REQUIRE_FALSE(ran);
}

TEST_CASE("links are refused until somebody takes them") {
  auto loop = make_loop();
  REQUIRE(loop->opened(nullptr, {}) == nullptr);
  std::string seen;
  loop->on_opened([&](std::unique_ptr<parley::Link>, parley::LinkInfo info) {
    seen = info.transport;
    return nullptr;
  });
  loop->opened(nullptr, {.transport = "ws"});
  REQUIRE(seen == "ws");
  REQUIRE(loop->scratch().size() >= 64 * 1024);
}
