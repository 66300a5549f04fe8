// lmdb_history: a conversation in a directory; what was acknowledged is there after a restart.
#include <cstdio>
#include <string>

#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

namespace {

constexpr int messages = 120;
constexpr std::uint32_t page_size = 50;

parley::Engine open(const std::string& directory) {
  return parley::Engine::open({
                                  .store = parley::lmdb_store({.path = directory}),
                                  // Open fails when a store would promise less than this.
                                  .durability = parley::StoreFacts::Durability::local,
                              })
      .value();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "history.lmdb";
  parley::ConversationId diary;
  {
    auto engine = open(directory);
    auto anna = engine.attach({.user = "anna", .device = "laptop"}).get().value();
    // The key finds the same conversation again, whenever the program runs.
    diary = anna.create({.title = "diary", .key = "diary"}).get().value();
    for (int i = 1; i <= messages; ++i) {
      // So does the key of a send: a repeated run stores nothing twice.
      anna.send(diary, "entry " + std::to_string(i), {.key = "entry-" + std::to_string(i)})
          .get()
          .value();
    }
  }  // closed: everything is on the disk, and was when its ack came

  auto engine = open(directory);
  auto anna = engine.attach({.user = "anna", .device = "laptop"}).get().value();
  int read = 0;
  parley::HistoryOptions options{.limit = page_size};
  for (;;) {  // from the end towards the beginning
    const auto page = anna.history(diary, options).get().value();
    for (const parley::Event& event : page.events) {
      read += event.as<parley::Message>() != nullptr ? 1 : 0;
    }
    if (!page.events.empty()) {
      std::printf("a page of %zu events, from number %llu\n", page.events.size(),
                  static_cast<unsigned long long>(page.events.front().seq));
      options.from = page.events.front().seq;
    }
    if (!page.more) break;
  }
  anna.read(diary, options.from + messages).get().value();
  const auto list = anna.list().get().value();
  std::printf("%d messages read; \"%s\" has %llu unread\n", read, list.front().title.c_str(),
              static_cast<unsigned long long>(list.front().unread));
  return read == messages ? 0 : 1;
}
