// timer_wheel_test.cpp: the wheel against a sorted model, and its promises to callbacks.
#include "base/timer_wheel.hpp"

#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;
using parley::base::TimerWheel;

TEST_CASE("timers run at their deadline, in its order, within one tick") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const TimerWheel::Time start{std::chrono::seconds(random() % 1000)};
    TimerWheel wheel(start);
    TimerWheel::Time now = start;
    TimerWheel::Time last{};
    std::map<int, std::pair<TimerWheel::Time, TimerWheel::Id>> live;
    std::vector<TimerWheel::Id> dead;
    bool good = true;
    for (int i = 0; i < 1000 && good; ++i) {
      const auto choice = random() % 4;
      if (choice < 2) {
        const auto deadline = now + std::chrono::microseconds(random() % (1ULL << random() % 40));
        const auto id = wheel.start(deadline, [&, i, deadline] {
          good = good && live.count(i) == 1 && deadline >= last && deadline <= now;
          last = deadline;
          dead.push_back(live[i].second);
          live.erase(i);
        });
        live[i] = {deadline, id};
      } else if (choice == 2) {
        if (!live.empty()) {
          auto it = std::next(live.begin(), static_cast<long>(random() % live.size()));
          good = good && wheel.cancel(it->second.second);
          dead.push_back(it->second.second);
          live.erase(it);
        }
        if (!dead.empty()) good = good && !wheel.cancel(dead[random() % dead.size()]);
      } else {
        good = good && wheel.next_deadline().has_value() == !live.empty();
        now += std::chrono::microseconds(random() % (1ULL << random() % 36));
        last = {};
        wheel.advance(now);
        for (const auto& [number, timer] : live) {
          good = good && timer.first + TimerWheel::tick > now &&
                 *wheel.next_deadline() <= timer.first + TimerWheel::tick;
        }
        good = good && wheel.size() == live.size();
      }
    }
    REQUIRE(good);
  }
}

TEST_CASE("next_deadline leads to a timer in few steps, however far it is") {
  for (const auto delay : {10ms, 630ms, 640ms, 650ms, 41s + 0ms, 3600s + 10ms, 86'400'000ms * 30}) {
    TimerWheel wheel(TimerWheel::Time{});
    bool ran = false;
    wheel.start(TimerWheel::Time{} + delay, [&] { ran = true; });
    int steps = 0;
    TimerWheel::Time at{};
    while (const auto next = wheel.next_deadline()) {
      REQUIRE(++steps <= 7);
      at = *next;
      wheel.advance(at);
    }
    CHECK(ran);
    CHECK(at - TimerWheel::Time{} == delay);
  }
}

TEST_CASE("callbacks may start and cancel timers, themselves included") {
  TimerWheel wheel(TimerWheel::Time{});
  std::vector<int> order;
  TimerWheel::Id self{};
  TimerWheel::Id other{};
  TimerWheel::Id same_tick{};
  self = wheel.start(TimerWheel::Time{} + 11ms, [&] {
    order.push_back(1);
    CHECK_FALSE(wheel.cancel(self));
    CHECK(wheel.cancel(other));
    CHECK(wheel.cancel(same_tick));
    wheel.start(TimerWheel::Time{}, [&] { order.push_back(2); });  // overdue: the next tick
    for (int i = 0; i < 100; ++i) wheel.start(TimerWheel::Time{} + 1h, [] {});
    CHECK(wheel.advance(TimerWheel::Time{} + 2h) == 0);  // not re-entrant
  });
  same_tick = wheel.start(TimerWheel::Time{} + 12ms, [&] { order.push_back(3); });
  other = wheel.start(TimerWheel::Time{} + 30ms, [&] { order.push_back(4); });
  CHECK(wheel.advance(TimerWheel::Time{} + 20ms) == 1);
  CHECK(order == std::vector{1});
  CHECK(wheel.advance(TimerWheel::Time{} + 30ms) == 1);
  CHECK(order == std::vector{1, 2});
  CHECK(wheel.size() == 100);
  CHECK(wheel.advance(TimerWheel::Time{} - 5s) == 0);  // a clock that went backward
}

TEST_CASE("a stale id never cancels the timer that took its slot") {
  TimerWheel wheel(TimerWheel::Time{});
  const auto first = wheel.start(TimerWheel::Time{} + 10ms, [] {});
  CHECK(wheel.cancel(first));
  bool ran = false;
  const auto second = wheel.start(TimerWheel::Time{} + 10ms, [&] { ran = true; });
  CHECK(first != second);
  CHECK_FALSE(wheel.cancel(first));
  CHECK_FALSE(wheel.cancel(TimerWheel::Id::none));
  CHECK_FALSE(wheel.cancel(static_cast<TimerWheel::Id>(0xffffffffffffffffULL)));
  wheel.advance(TimerWheel::Time{} + 10ms);
  CHECK(ran);
}

TEST_CASE("a callback dies with its timer, and with the wheel") {
  const auto token = std::make_shared<int>(0);
  {
    TimerWheel wheel(TimerWheel::Time{});
    wheel.start(TimerWheel::Time{} + 10ms, [token] {});
    const auto id = wheel.start(TimerWheel::Time{} + 10ms, [token] {});
    wheel.start(TimerWheel::Time{} + 1h, [token] {});
    CHECK(token.use_count() == 4);
    wheel.cancel(id);
    CHECK(token.use_count() == 3);
    wheel.advance(TimerWheel::Time{} + 10ms);
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("a callback that throws leaves the others for the next advance") {
  TimerWheel wheel(TimerWheel::Time{});
  int ran = 0;
  wheel.start(TimerWheel::Time{} + 10ms, [] { throw std::runtime_error("callback"); });
  wheel.start(TimerWheel::Time{} + 10ms, [&] { ++ran; });
  wheel.start(TimerWheel::Time{} + 20ms, [&] { ++ran; });
  CHECK_THROWS_AS(wheel.advance(TimerWheel::Time{} + 30ms), std::runtime_error);
  CHECK(wheel.size() == 2);
  REQUIRE(wheel.next_deadline());
  CHECK(*wheel.next_deadline() <= TimerWheel::Time{} + 20ms);
  CHECK(wheel.advance(TimerWheel::Time{} + 30ms) == 2);
  CHECK(ran == 2);
  CHECK_FALSE(wheel.next_deadline());
}

TEST_CASE("the longest delay is cut to the wheel's horizon, not lost") {
  TimerWheel wheel(TimerWheel::Time{});
  bool ran = false;
  wheel.start(TimerWheel::Time::max(), [&] { ran = true; });
  CHECK(wheel.size() == 1);
  while (const auto next = wheel.next_deadline()) {
    if (*next > TimerWheel::Time{} + std::chrono::hours(24)) break;  // 21 years are far
    wheel.advance(*next);
  }
  CHECK_FALSE(ran);
  CHECK(wheel.size() == 1);
}

TEST_CASE("advance stops after its limit and runs the rest first in the next call") {
  const TimerWheel::Time start{};
  TimerWheel wheel(start);
  std::string log;
  for (const char name : {'a', 'b', 'c', 'd'}) {
    wheel.start(start + std::chrono::milliseconds{10}, [&log, name] { log += name; });
  }
  const auto late = wheel.start(start + std::chrono::milliseconds{10}, [&log] { log += 'x'; });
  wheel.start(start + std::chrono::milliseconds{20}, [&log] { log += 'e'; });
  const auto now = start + std::chrono::milliseconds{30};
  REQUIRE(wheel.advance(now, 2) == 2);
  REQUIRE(log == "ab");
  REQUIRE(wheel.next_deadline() <= now);  // what is left over is due
  REQUIRE(wheel.cancel(late));            // also of what was left over
  REQUIRE(wheel.advance(now, 3) == 3);
  REQUIRE(log == "abcde");
  REQUIRE(wheel.advance(now, 3) == 0);
}

TEST_CASE("clear cancels everything, and what a destroyed callback starts stays") {
  const TimerWheel::Time start{};
  TimerWheel wheel(start);
  int ran = 0;
  struct Starts {
    TimerWheel& wheel;
    int& ran;
    Starts(TimerWheel& on, int& counter) : wheel(on), ran(counter) {}
    Starts(const Starts&) = delete;
    Starts& operator=(const Starts&) = delete;
    ~Starts() {
      wheel.start({}, [&count = ran] { ++count; });
    }
  };
  auto held = std::make_shared<Starts>(wheel, ran);
  wheel.start(start + std::chrono::hours{1}, [held, &ran] { ran += 100; });
  const auto id = wheel.start(start + std::chrono::hours{2}, [&ran] { ran += 100; });
  held.reset();
  wheel.clear();
  REQUIRE_FALSE(wheel.cancel(id));
  REQUIRE(wheel.size() == 1);
  wheel.advance(start + std::chrono::hours{3});
  REQUIRE(ran == 1);
  REQUIRE(wheel.size() == 0);
}
