// server: people connect by WebSocket; history is kept. Arguments: a directory, a folder of pages.
#include <cstdio>
#include <string>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "server.chat";
  const std::string page = argc > 2 ? argv[2] : "";

  //! [server]
  auto opened = parley::Engine::open({
      .store = parley::lmdb_store({.path = path}),
      .authenticator =
          parley::development_authenticator(),  // the token is the name: not for people
      .web_root = page,                         // served on the same port
  });
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  parley::Engine engine = std::move(*opened);

  const parley::Conversation lobby =
      engine.create({.kind = parley::ConversationKind::channel, .title = "Lobby", .key = "lobby"})
          .get()
          .value();
  engine.on_session([&engine, lobby](const parley::SessionInfo& session) {
    // On a shard, where nobody may wait: a completion, not get().
    engine.add(lobby, {session.subject}, [](const parley::Result<void>&) {});
  });

  const auto address = engine.listen("ws://127.0.0.1:8080/chat");
  if (!address) {
    std::fprintf(stderr, "%s\n", address.error().message.c_str());
    return 1;
  }
  std::printf("listening at %s\n", address->c_str());
  std::fflush(stdout);
  engine.run();
  //! [server]
}
