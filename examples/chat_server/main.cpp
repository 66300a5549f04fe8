// chat_server: a whole chat in one process: WebSocket, history on LMDB, and the page, on one port.
#include <csignal>
#include <cstdio>
#include <string>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

namespace {

struct Arguments {
  std::string port = "8080", data = "chat.lmdb", page = "examples/chat_server/page/dist";
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    std::string* value = name == "--port"   ? &arguments.port
                         : name == "--data" ? &arguments.data
                         : name == "--page" ? &arguments.page
                                            : nullptr;
    if (value == nullptr || i + 1 == argc) return false;
    *value = argv[i + 1];
  }
  return true;
}

parley::Engine* running = nullptr;

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: %s [--port N] [--data DIRECTORY] [--page DIRECTORY]\n", argv[0]);
    return 2;
  }
  auto opened = parley::Engine::open({
      .store = parley::lmdb_store({.path = arguments.data}),
      .authenticator = parley::development_authenticator(),  // whoever says a name has it
      .web_root = arguments.page,
      .log =
          [](const parley::LogRecord& record) {
            if (record.level < parley::LogLevel::warning) return;
            std::fprintf(stderr, "%.*s\n", int(record.message.size()), record.message.data());
          },
  });
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    if (opened.error().errc() == parley::Errc::store_locked) {
      std::fprintf(stderr,
                   "Is the demo running? Another beside it: --port 8081 --data other.lmdb\n");
    }
    return 1;
  }
  parley::Engine engine = std::move(*opened);

  // A lobby that everybody who signs in is put into. The key finds it again after a restart.
  const auto lobby =
      engine.create({.kind = parley::ConversationKind::channel, .title = "Lobby", .key = "lobby"})
          .get()
          .value();
  engine.on_session([&engine, lobby](const parley::SessionInfo& session) {
    engine.add(lobby, {session.subject}, [](const parley::Result<void>&) {});
  });

  const auto address = engine.listen("ws://127.0.0.1:" + arguments.port + "/chat");
  if (!address) {
    std::fprintf(stderr, "%s\n", address.error().message.c_str());
    return 1;
  }
  std::printf("Open http://%s/ in two windows. History is kept in %s. Ctrl-C stops.\n",
              address->substr(5, address->rfind('/') - 5).c_str(), arguments.data.c_str());
  std::fflush(stdout);

  running = &engine;
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { running->stop(); });
  }
  engine.run();
  running = nullptr;
}
