// hello: two users talk inside one process.
//! [program]
#include <cstdio>
#include <future>

#include "parley/parley.hpp"

int main() {
  // In memory, one thread per core. EngineOptions says what else there is to decide.
  auto engine = parley::Engine::open({}).value();

  std::promise<void> heard;
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();

  bob.on_event([&](const parley::Event& event) {
    if (const auto* message = event.as<parley::Message>()) {
      std::printf("bob reads: %.*s\n", int(message->text().size()), message->text().data());
      heard.set_value();
    }
  });

  auto chat = engine.direct("alice", "bob").get().value();  // found or created
  const parley::Ack ack = alice.send(chat, "hello").get().value();
  std::printf("committed as number %llu\n", static_cast<unsigned long long>(ack.seq));
  heard.get_future().wait();
}
//! [program]
