// game_loop: a single-threaded tick loop gives the engine half a millisecond a tick.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "parley/parley.hpp"

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

struct Game {
  int ticks = 0;
  void simulate() { ++ticks; }  // moves the world on
};

}  // namespace

int main() {
  // No threads: nothing of the engine, and no handler, runs but inside poll(), run() or get().
  auto engine = parley::Engine::open({.threads = parley::host_driven}).value();

  auto party = engine.create({.title = "party", .members = {"knight", "mage"}}).get().value();
  auto knight = engine.attach({.user = "knight"}).get().value();
  auto mage = engine.attach({.user = "mage"}).get().value();

  Game game;
  int heard = 0;
  mage.on_event([&](const parley::Event& event) {
    // On the game's own thread: it may touch the game's state without a lock.
    if (event.as<parley::Message>() != nullptr) {
      ++heard;
      std::printf("tick %3d: the mage hears message %llu\n", game.ticks,
                  static_cast<unsigned long long>(event.seq));
    }
  });

  auto longest = Clock::duration::zero();
  while (game.ticks < 120) {
    const auto next_tick = Clock::now() + 4ms;
    game.simulate();
    if (game.ticks % 30 == 0) {
      knight.send(party, "tick " + std::to_string(game.ticks), {},
                  [&](parley::Result<parley::Ack> ack) {
                    if (!ack) std::printf("not sent: %s\n", ack.error().message.c_str());
                  });
    }

    const auto before = Clock::now();
    engine.poll(500us);
    longest = std::max(longest, Clock::now() - before);

    // What is left of the tick: sleep in the engine, so that a socket or a timer ends it early.
    while (Clock::now() < next_tick) {
      engine.wait(std::chrono::duration_cast<std::chrono::microseconds>(next_tick - Clock::now()));
      if (Clock::now() < next_tick) engine.poll(100us);
    }
  }
  std::printf("%d messages heard in %d ticks; the longest poll took %lld us\n", heard, game.ticks,
              static_cast<long long>(
                  std::chrono::duration_cast<std::chrono::microseconds>(longest).count()));
  return heard >= 3 ? 0 : 1;
}
