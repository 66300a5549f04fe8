// tickets_test.cpp: how long a ticket is good, for whom, and how many there are.
#include "core/tickets.hpp"

#include <vector>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "parley/limits.hpp"

namespace parley::core::test {

using namespace std::chrono_literals;

TEST_CASE("a ticket is good once, for its device, until its time is over") {
  TestEffects fx;
  Tickets tickets;
  const Ticket early = tickets.issue(fx, {"alice"}, "phone");
  const Ticket used = tickets.issue(fx, {"alice"}, "phone");
  const Ticket late = tickets.issue(fx, {"alice"}, "phone");
  fx.advance(limits::ticket_life - 1ms);
  CHECK_FALSE(tickets.redeem(early, "tablet", fx.time));
  CHECK(tickets.redeem(used, "phone", fx.time)->subject == "alice");
  CHECK_FALSE(tickets.redeem(used, "phone", fx.time));
  fx.advance(1ms);
  CHECK_FALSE(tickets.redeem(late, "phone", fx.time));
}

TEST_CASE("tickets whose time is over leave memory, and none before") {
  const auto tenth = std::chrono::milliseconds(limits::ticket_life) / 10;
  TestEffects fx;
  Tickets tickets;
  std::vector<Ticket> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(tickets.issue(fx, {"alice"}, "phone"));
    fx.advance(tenth);
    tickets.sweep(fx.time);
    CHECK(tickets.size() == all.size());
  }
  for (int i = 0; i < 10; ++i) {
    fx.advance(tenth);
    tickets.sweep(fx.time);
    if (i < 8) CHECK(tickets.redeem(all[static_cast<std::size_t>(i) + 2], "phone", fx.time));
  }
  for (int i = 0; i < 10; ++i) {
    fx.advance(tenth);
    tickets.sweep(fx.time);
  }
  CHECK(tickets.size() == 0);
}

TEST_CASE("limits: tickets of a shard") {
  TestEffects fx;
  Tickets tickets;
  std::vector<Ticket> all;
  const auto issue = [&](std::size_t count) {
    while (count-- > 0) all.push_back(tickets.issue(fx, {"alice"}, "phone"));
  };
  issue(limits::tickets);
  CHECK(tickets.redeem(all[0], "phone", fx.time));
  issue(1);  // one past it: the older half makes room
  CHECK_FALSE(tickets.redeem(all[1], "phone", fx.time));
  CHECK_FALSE(tickets.redeem(all[limits::tickets / 2 - 1], "phone", fx.time));
  CHECK(tickets.redeem(all[limits::tickets / 2], "phone", fx.time));
  CHECK(tickets.redeem(all.back(), "phone", fx.time));
}

}  // namespace parley::core::test
