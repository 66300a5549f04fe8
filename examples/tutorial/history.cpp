// history: messages outlive the process. Arguments: a directory, and "crash" to die right after the
// ack, as kill -9 would have it.
#include <csignal>
#include <cstdio>
#include <string>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "history.chat";

  //! [open]
  auto opened = parley::Engine::open({
      .store = parley::lmdb_store({.path = path}),
      .durability = parley::StoreFacts::Durability::local,  // refuse to run on less
  });
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  parley::Engine engine = std::move(*opened);
  //! [open]

  //! [history]
  auto alice = engine.attach({.user = "alice", .device = "diary"}).get().value();
  auto notes =
      alice.create({.title = "Notes", .key = "notes"}).get().value();  // the same each time
  const parley::HistoryPage page = alice.history(notes, {.limit = 20}).get().value();
  for (const parley::Event& event : page.events) {
    if (const auto* message = event.as<parley::Message>()) {
      std::printf("%3llu  %.*s\n", static_cast<unsigned long long>(event.seq),
                  int(message->text().size()), message->text().data());
    }
  }
  const parley::Ack ack = alice.send(notes, "I was here").get().value();
  //! [history]

  std::printf("stored as number %llu\n", static_cast<unsigned long long>(ack.seq));
  std::fflush(stdout);
  if (argc > 2) std::raise(SIGKILL);
}
