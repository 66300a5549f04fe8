// host_executor_test.cpp: a loop driven by a host's Asio, on one thread and on a pool.
#include "runtime/host_executor.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <thread>

#include "catch.hpp"
#include "runtime/loop.hpp"

using namespace std::chrono_literals;
using parley::LinkHost;
using parley::runtime::HostExecutor;
using parley::runtime::Loop;

TEST_CASE("a loop runs on a host's io_context: posts, timers, descriptors, and stops") {
  asio::io_context context;
  auto loop = std::move(Loop::create().value());
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0);
  HostExecutor<Loop> driver(*loop, context.get_executor());
  driver.start();
  std::string log;
  loop->post([&] {
    log += 'p';
    loop->start_timer(10ms, [&] {
      log += 't';
      REQUIRE(::send(pair[1], "x", 1, 0) == 1);
    });
    loop->start_timer(1h, [] {});
  });
  LinkHost::Watch watch{};
  watch = loop->watch(pair[0], LinkHost::Ready::readable, [&](LinkHost::Ready) {
    log += 'r';
    loop->unwatch(watch);
    driver.stop([&] { log += 's'; });
  });
  context.run();  // returns: nothing of ours is left as work
  REQUIRE(log == "ptrs");
  for (const int fd : pair) ::close(fd);
}

TEST_CASE("on a thread pool turns never overlap") {
  asio::thread_pool pool(3);
  auto loop = std::move(Loop::create().value());
  HostExecutor<Loop> driver(*loop, pool.get_executor());
  driver.start();
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  std::atomic<int> ran{0};
  for (int i = 0; i < 5000; ++i) {
    loop->post([&] {
      if (inside.fetch_add(1) != 0) overlapped = true;
      inside.fetch_sub(1);
      ran.fetch_add(1);
    });
  }
  while (ran.load() != 5000) std::this_thread::yield();
  std::atomic<bool> stopped{false};
  driver.stop([&] { stopped = true; });
  pool.join();
  REQUIRE(stopped.load());
  REQUIRE_FALSE(overlapped.load());
}
