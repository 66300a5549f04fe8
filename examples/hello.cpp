// hello: two users in one process, the engine's own threads, everything in memory.
#include <cstdio>
#include <future>

#include "parley/parley.hpp"

int main() {
  auto engine = parley::Engine::open({}).value();

  // A session is host code as a participant: what a player's client would do, without a socket.
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();

  std::promise<void> answered;
  bob.on_event([&](const parley::Event& event) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr || event.sender == bob.user()) return;
    std::printf("bob hears:   %.*s\n", static_cast<int>(message->text().size()),
                message->text().data());
    bob.send(event.conversation, "hello yourself");  // nobody waits for the answer
  });
  alice.on_event([&](const parley::Event& event) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr || event.sender == alice.user()) return;
    std::printf("alice hears: %.*s\n", static_cast<int>(message->text().size()),
                message->text().data());
    answered.set_value();
  });

  // The conversation of a pair is found, or made at the first use.
  auto chat = engine.direct("alice", "bob").get().value();
  const parley::Ack ack = alice.send(chat, "hello").get().value();
  std::printf("alice's message is stored as number %llu\n",
              static_cast<unsigned long long>(ack.seq));
  answered.get_future().wait();

  // Errors are values: a code, a sentence, and whether a retry may help.
  auto refused = alice.send(chat, std::string(parley::limits::body_default + 1, 'x')).get();
  std::printf("too long: %s\n", refused.error().message.c_str());
}
