// first_program: a durable chat that browsers can connect to, with a bot in its lobby.
//   first_program [port] [--demo]      --demo: a guest comes, is greeted, and the program ends
#include <cstdio>
#include <string>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "8080";

  auto engine = parley::Engine::open({
                                         .store = parley::lmdb_store({.path = "chat.lmdb"}),
                                         // The token is the name: not where strangers connect.
                                         .authenticator = parley::development_authenticator(),
                                     })
                    .value();
  auto address = engine.listen("ws://127.0.0.1:" + port + "/chat").value();
  auto bot = engine.attach({.user = "greeter", .device = "server"}).get().value();
  auto lobby = engine
                   .create({.kind = parley::ConversationKind::channel,
                            .title = "lobby",
                            .members = {"greeter"},
                            .key = "lobby"})
                   .get()
                   .value();
  bot.on_event([&](const parley::Event& event) {
    const auto* message = event.as<parley::Message>();
    if (message == nullptr || event.sender == bot.user()) return;
    bot.send(lobby, "welcome");
  });
  std::printf("listening at %s\n", address.c_str());

  parley::Session guest;
  if (argc > 2 && std::string(argv[2]) == "--demo") {
    guest = engine.attach({.user = "guest"}).get().value();
    guest.join(lobby).get().value();
    guest.on_event([&](const parley::Event& event) {
      const auto* message = event.as<parley::Message>();
      if (message == nullptr || event.sender != bot.user()) return;
      std::printf("the guest hears: %.*s\n", static_cast<int>(message->text().size()),
                  message->text().data());
      engine.stop();
    });
    guest.send(lobby, "hi");
  }
  engine.run();  // or engine.poll(2ms) from a game loop, or the host's Asio executor
}
