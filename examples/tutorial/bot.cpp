// bot: host code that answers what people write.
#include <cstdio>
#include <future>
#include <string>

#include "parley/parley.hpp"

int main() {
  auto engine = parley::Engine::open({}).value();
  std::promise<std::string> answer;

  //! [bot]
  auto bot = engine.attach({.user = "dice", .device = "server"}).get().value();
  bot.on_event([&bot](const parley::Event& event) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr || event.sender == bot.user()) return;  // not what it said itself
    if (message->text() != "!roll") return;
    bot.send(event.conversation, "a six", {}, [](const parley::Result<parley::Ack>& ack) {
      if (!ack) std::fprintf(stderr, "not sent: %s\n", ack.error().message.c_str());
    });
  });
  //! [bot]

  //! [lobby]
  auto lobby =
      engine.create({.kind = parley::ConversationKind::channel, .title = "Lobby", .key = "lobby"})
          .get()
          .value();
  engine.add(lobby, {"dice", "alice"}).get().value();
  bot.subscribe(lobby).get().value();  // hears whatever is said from here on
  //! [lobby]

  auto alice = engine.attach({.user = "alice"}).get().value();
  alice.on_event([&](const parley::Event& event) {
    const auto* message = event.as<parley::Message>();
    if (message != nullptr && event.sender != alice.user()) {
      answer.set_value(std::string(message->text()));
    }
  });
  alice.subscribe(lobby).get().value();
  alice.send(lobby, "!roll").get().value();
  std::printf("the bot says: %s\n", answer.get_future().get().c_str());
}
