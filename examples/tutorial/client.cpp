// client: a C++ program connects to a server; here both are in one process, over a real socket.
#include <cstdio>
#include <future>
#include <string>

#include "parley/client.hpp"
#include "parley/parley.hpp"

int main() {
  auto engine =
      parley::Engine::open({.authenticator = parley::development_authenticator()}).value();
  const std::string url = engine.listen("ws://127.0.0.1:0/chat").value();
  std::promise<std::string> heard;

  //! [client]
  auto bob = engine.attach({.user = "bob"}).get().value();
  bob.on_event([&](const parley::Event& event) {
    if (const auto* message = event.as<parley::Message>()) {
      heard.set_value(std::string(message->text()));
    }
  });

  parley::ClientOptions options{.url = url, .token = "alice"};
  options.handlers.on_state = [](const parley::ClientStatus& status) {
    if (status.state == parley::ClientState::ready) std::printf("connected\n");
  };
  auto client = parley::Client::open(std::move(options)).value();
  client.start();
  const parley::ListEntry chat = client.direct("bob").get().value();
  const parley::Ack ack = client.send(chat.conversation, "hello from outside").get().value();
  //! [client]

  std::printf("committed as number %llu; bob reads: %s\n", static_cast<unsigned long long>(ack.seq),
              heard.get_future().get().c_str());
}
