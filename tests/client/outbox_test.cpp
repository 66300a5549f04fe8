// outbox_test.cpp: numbers, the window and what is settled.
#include "client/outbox.hpp"

#include "catch.hpp"
#include "client/harness.hpp"

namespace {

using namespace parley;
using client::Outbox;
using client::Time;
using std::chrono::milliseconds;

const Time now{std::chrono::hours(1)};

OutboxItem item(std::uint64_t number) {
  OutboxItem out;
  out.conversation = test::conversation(1);
  out.number = number;
  out.random = number * 7;
  return out;
}
Outbox filled(std::uint64_t count) {
  Outbox outbox;
  for (std::uint64_t n = 1; n <= count; ++n) outbox.add(item(outbox.next_number()), n);
  return outbox;
}
std::vector<std::uint64_t> send_all(Outbox& outbox, Time at = now) {
  std::vector<std::uint64_t> numbers;
  while (Outbox::Item* next = outbox.next_to_send(at)) {
    next->sent = true;
    numbers.push_back(next->message.number);
  }
  return numbers;
}

}  // namespace

TEST_CASE("an empty outbox has settled everything below its next number") {
  Outbox outbox;
  CHECK(outbox.next_number() == 1);
  CHECK(outbox.settled() == 1);
  CHECK(outbox.next_to_send(now) == nullptr);
  outbox.raise_next(9);
  outbox.raise_next(3);
  CHECK(outbox.next_number() == 9);
  CHECK(outbox.settled() == 9);
}

TEST_CASE("exactly 32 numbers are open, whatever was acknowledged in between") {
  Outbox outbox = filled(40);
  CHECK(send_all(outbox).size() == limits::open_sends);
  CHECK(outbox.settle(5));  // out of order: the window does not move
  CHECK(outbox.settled() == 1);
  CHECK(send_all(outbox).empty());
  CHECK(outbox.settle(1));
  CHECK(outbox.settled() == 2);
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{33});
  for (std::uint64_t n = 2; n <= 4; ++n) CHECK(outbox.settle(n));
  CHECK(outbox.settled() == 6);
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{34, 35, 36, 37});
  CHECK_FALSE(outbox.settle(5));
}

TEST_CASE("after a lost link everything open goes out again in order") {
  Outbox outbox = filled(4);
  send_all(outbox);
  outbox.settle(2);
  outbox.link_lost();
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{1, 3, 4});
}

TEST_CASE("nothing overtakes an item that waits for its time") {
  Outbox outbox = filled(3);
  send_all(outbox);
  Outbox::Item* second = outbox.find(2);
  REQUIRE(second != nullptr);
  second->sent = false;
  second->not_before = now + milliseconds(100);
  outbox.find(3)->sent = false;
  CHECK(outbox.deadline() == now + milliseconds(100));
  CHECK(send_all(outbox).empty());
  CHECK(send_all(outbox, now + milliseconds(100)) == std::vector<std::uint64_t>{2, 3});
  CHECK_FALSE(outbox.deadline());
}

TEST_CASE("a renumbered item keeps its random bits and goes behind the others") {
  Outbox outbox = filled(3);
  send_all(outbox);
  const auto& moved = outbox.renumber(1, 10);
  CHECK(moved.message.number == 10);
  CHECK(moved.message.random == 7);
  CHECK(moved.id == 1);
  CHECK(outbox.next_number() == 11);
  CHECK(outbox.settled() == 2);
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{10});
  // A number lower than ours never moves us back.
  CHECK(outbox.renumber(2, 4).message.number == 11);
}

TEST_CASE("a renumbered item far away waits for the window") {
  Outbox outbox = filled(2);
  send_all(outbox);
  outbox.renumber(1, 2 + limits::open_sends);
  CHECK(send_all(outbox).empty());
  outbox.settle(2);
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{2 + limits::open_sends});
}

TEST_CASE("restored items are put in order") {
  Outbox outbox;
  for (const std::uint64_t n : {7, 3, 5}) outbox.add(item(n), 0);
  CHECK(outbox.settled() == 3);
  CHECK(outbox.next_number() == 8);
  CHECK(send_all(outbox) == std::vector<std::uint64_t>{3, 5, 7});
}
