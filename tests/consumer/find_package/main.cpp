// A host outside Parley: two users talk in its process.
#include <cstdio>
#include <future>
#include <string>

#include "parley/parley.hpp"

int main() {
  auto engine = parley::Engine::open({}).value();
  std::promise<std::string> heard;
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto bob = engine.attach({.user = "bob"}).get().value();
  bob.on_event([&](const parley::Event& event) {
    if (const auto* message = event.as<parley::Message>()) {
      heard.set_value(std::string(message->text()));
    }
  });
  auto chat = engine.direct("alice", "bob").get().value();
  const parley::Ack ack = alice.send(chat, "hello").get().value();
  const std::string text = heard.get_future().get();
  std::printf("parley %s: %s\n", PARLEY_VERSION_STRING, text.c_str());
  return ack.seq == 1 && text == "hello" ? 0 : 1;
}
