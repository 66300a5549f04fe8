// os_test.cpp: randomness, signals, forks and thread names.
#include "base/os.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "catch.hpp"

using namespace parley::base;

TEST_CASE("random bytes fill what was asked and differ") {
  std::array<unsigned char, 64> a{};
  std::array<unsigned char, 64> b{};
  REQUIRE(random_bytes(a.data(), 63).ok());
  REQUIRE(random_bytes(b.data(), 64).ok());
  CHECK(a != b);
  CHECK(a[63] == 0);
  CHECK(random_bytes(nullptr, 0).ok());
}

TEST_CASE("signals are blocked in scope, and in threads started there") {
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const SignalBlock block;
    sigset_t inside;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &inside);
    CHECK(sigismember(&inside, SIGTERM) == 1);
    CHECK(sigismember(&inside, SIGPIPE) == 1);
    int in_thread = 0;
    std::thread([&] {
      sigset_t mask;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      in_thread = sigismember(&mask, SIGUSR1);
    }).join();
    CHECK(in_thread == 1);
  }
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&after, SIGTERM) == sigismember(&before, SIGTERM));
}

TEST_CASE("a fork is seen in the child only, and a guard made there is at home") {
  const ForkGuard guard;
  CHECK_FALSE(guard.forked());
  const auto parent = process_id();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const ForkGuard own;
    ::_exit(guard.forked() && !own.forked() && process_id() != parent ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK_FALSE(guard.forked());
}

TEST_CASE("thread names are cut to what the system holds") {
  std::string name;
  std::thread([&] {
    name_thread("parley-shard-0123456789");
    std::array<char, 32> text{};
    ::pthread_getname_np(::pthread_self(), text.data(), text.size());
    name = text.data();
  }).join();
  CHECK(name == "parley-shard-01");
}
