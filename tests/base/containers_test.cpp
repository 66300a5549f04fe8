// containers_test.cpp: endian.hpp, hex.hpp, snowflake.hpp, slot_map.hpp and mpsc_queue.hpp.
#include "base/endian.hpp"
#include "base/hex.hpp"
#include "base/mpsc_queue.hpp"
#include "base/slot_map.hpp"
#include "base/snowflake.hpp"

#include <rapidcheck.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace parley::base;

TEST_CASE("big-endian integers order as their bytes and come back") {
  char bytes[8] = {};
  put_be32(bytes, 0x01020384U);
  CHECK(std::string_view(bytes, 4) == "\x01\x02\x03\x84");
  CHECK(get_be32(bytes) == 0x01020384U);
  CHECK(rc::check("order", [](std::uint64_t a, std::uint64_t b) {
    std::string x;
    std::string y;
    append_be(x, a);
    append_be(y, b);
    RC_ASSERT((x < y) == (a < b));
    RC_ASSERT(get_be64(x.data()) == a);
    const auto small = static_cast<std::uint16_t>(b);
    append_be(x, small);
    RC_ASSERT(x.size() == 10U);
    RC_ASSERT(get_be16(x.data() + 8) == small);
  }));
}

TEST_CASE("hex comes back and nothing else is accepted") {
  unsigned char out[2] = {};
  CHECK(to_hex("\x01\xfe") == "01fe");
  CHECK(from_hex("01fe", out, 2));
  CHECK(out[1] == 0xfe);
  for (const char* bad : {"01f", "01fe0", "01FE", "0 fe", "01fg"})
    CHECK_FALSE(from_hex(bad, out, 2));
}

TEST_CASE("snowflakes never go backward, whatever the clock does") {
  SnowflakeSource source(5);
  const std::uint64_t now = SnowflakeSource::epoch_ms + 1000;
  parley::Snowflake last = source.next(now);
  CHECK(SnowflakeSource::time_ms(last) == now);
  CHECK(SnowflakeSource::node(last) == 5);
  for (int i = 0; i < 10'000; ++i) {  // more than fit into a millisecond
    const parley::Snowflake id = source.next(i % 3 == 0 ? now - 500 : now);
    REQUIRE(id > last);
    REQUIRE(SnowflakeSource::node(id) == 5);
    last = id;
  }
  CHECK(SnowflakeSource::time_ms(last) == now + 2);
  SnowflakeSource again(5, last);
  CHECK(again.next(0) > last);
  CHECK(SnowflakeSource(0).next(0) != 0);
  CHECK(SnowflakeSource::node(SnowflakeSource(1024 + 7).next(now)) == 7);
}

TEST_CASE("a slot map finds what is there and nothing that was erased") {
  CHECK(rc::check("against a model", [](const std::vector<std::pair<bool, int>>& steps) {
    SlotMap<std::string> map;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> model;
    std::vector<Slot> dead;
    for (const auto& [insert, value] : steps) {
      if (insert || model.empty()) {
        const Slot slot = map.emplace(std::to_string(value));
        RC_ASSERT(
            model.emplace(std::pair{slot.index, slot.generation}, std::to_string(value)).second);
      } else {
        auto it = model.begin();
        std::advance(it, static_cast<std::size_t>(value < 0 ? -(value + 1) : value) % model.size());
        const Slot slot{it->first.first, it->first.second};
        RC_ASSERT(map.erase(slot));
        RC_ASSERT_FALSE(map.erase(slot));
        dead.push_back(slot);
        model.erase(it);
      }
      RC_ASSERT(map.size() == model.size());
    }
    for (const auto& [key, value] : model) {
      const auto* found = map.find({key.first, key.second});
      RC_ASSERT(found != nullptr);
      RC_ASSERT(*found == value);
      RC_ASSERT(map.at(key.first) == found);
    }
    for (const Slot slot : dead) RC_ASSERT(map.find(slot) == nullptr);
    std::size_t visited = 0;
    map.for_each([&](Slot slot, std::string&) {
      visited += model.count({slot.index, slot.generation});
    });
    RC_ASSERT(visited == model.size());
  }));
  SlotMap<int> map;
  CHECK(map.find(Slot{}) == nullptr);
  map.emplace(1);
  CHECK(map.find(Slot{}) == nullptr);
  map.clear();
  CHECK(map.empty());
}

TEST_CASE("a mailbox keeps order and says when it was empty") {
  MpscQueue<std::unique_ptr<int>> queue;
  CHECK(queue.empty());
  CHECK(queue.push(std::make_unique<int>(1)));
  CHECK_FALSE(queue.push(std::make_unique<int>(2)));
  std::vector<int> seen;
  CHECK(queue.take_all([&](std::unique_ptr<int> value) {
    seen.push_back(*value);
    if (*value == 1) CHECK(queue.push(std::make_unique<int>(3)));
  }) == 2);
  CHECK(seen == std::vector{1, 2});
  CHECK_FALSE(queue.empty());
  queue.take_all([&](std::unique_ptr<int> value) { seen.push_back(*value); });
  CHECK(seen == std::vector{1, 2, 3});
  CHECK(queue.take_all([](auto) {}) == 0);
}

TEST_CASE("a mailbox frees what a throwing taker left") {
  const auto token = std::make_shared<int>(0);
  {
    MpscQueue<std::shared_ptr<int>> queue;
    for (int i = 0; i < 3; ++i) queue.push(token);
    CHECK_THROWS_AS(queue.take_all([](auto) { throw std::runtime_error("taker"); }),
                    std::runtime_error);
    CHECK(token.use_count() == 1);
    queue.push(token);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("a mailbox loses nothing between threads and keeps each thread's order") {
  constexpr int threads = 3;
  constexpr int each = 20'000;
  MpscQueue<std::pair<int, int>> queue;
  std::atomic<int> wakes{0};
  std::vector<std::thread> pushers;
  for (int t = 0; t < threads; ++t) {
    pushers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        if (queue.push({t, i})) wakes.fetch_add(1, std::memory_order_release);
      }
    });
  }
  std::vector<int> next(threads, 0);
  int taken = 0;
  int slept = 0;
  bool ordered = true;
  while (taken < threads * each) {
    while (wakes.load(std::memory_order_acquire) == slept) std::this_thread::yield();
    slept = wakes.load(std::memory_order_acquire);  // as an eventfd counts
    queue.take_all([&](std::pair<int, int> item) {
      ordered = ordered && next[static_cast<std::size_t>(item.first)]++ == item.second;
      ++taken;
    });
  }
  for (auto& thread : pushers) thread.join();
  CHECK(ordered);
  CHECK(queue.empty());
}
