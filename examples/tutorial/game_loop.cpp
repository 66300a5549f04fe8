// game_loop: the engine has no thread; it works inside poll(), within a budget.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "parley/parley.hpp"

namespace {
void simulate(int) {}
void draw() {}
}  // namespace

int main() {
  using namespace std::chrono_literals;
  int ticks = 0;
  int said = 0;

  //! [loop]
  auto engine = parley::Engine::open({.threads = parley::host_driven}).value();
  auto red = engine.attach({.user = "red"}).get().value();  // get() runs the loop here
  auto blue = engine.attach({.user = "blue"}).get().value();
  auto party = red.create({.title = "Party", .members = {"blue"}}).get().value();
  blue.on_event([&](const parley::Event& event) {  // called inside poll(), on this thread
    if (event.as<parley::Message>() != nullptr) ++said;
  });

  for (bool running = true; running; ++ticks) {
    simulate(ticks);
    if (ticks % 10 == 0) {
      red.send(party, "tick " + std::to_string(ticks), {}, [](const auto&) {});  // never waits
    }
    engine.poll(500us);
    draw();
    std::this_thread::sleep_for(1ms);  // what is left of the frame
    running = said < 5 && ticks < 5'000;
  }
  //! [loop]

  std::printf("blue heard %d messages in %d ticks\n", said, ticks);
  engine.close();
  while (!engine.stopped()) engine.poll(1ms);
  return said >= 5 ? 0 : 1;
}
