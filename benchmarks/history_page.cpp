// history_page.cpp: the last 50 events of a random conversation, through the API, from LMDB in
// cache and from memory.
#include <filesystem>

#include "bench.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

namespace parley::bench {

std::vector<Figures> history_page(const Settings& settings) {
  constexpr int conversations = 200;
  constexpr int messages = 200;  // in each: sealed chunks and open rows
  std::vector<Figures> all;
  std::filesystem::create_directories(settings.data);
  const std::string path = settings.data + "/history.lmdb";
  for (const bool durable : {false, true}) {
    std::filesystem::remove_all(path);
    EngineOptions options;
    options.threads = host_driven;
    if (durable) options.store = lmdb_store({.path = path});
    Engine engine = Engine::open(std::move(options)).value();
    std::vector<Conversation> channels;
    for (int i = 0; i < conversations; ++i) {
      channels.push_back(
          engine.create({.kind = ConversationKind::channel, .title = "c"}).get().value());
    }
    Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
    for (auto& channel : channels) reader.join(channel).get().value();
    int open = 0;
    for (int m = 0; m < messages; ++m) {
      for (auto& channel : channels) {
        ++open;
        MessageDraft draft;
        draft.body.assign(150, 'x');
        engine.send(channel, std::move(draft), {}, [&](Result<Ack>) { --open; });
      }
      while (open > 0) {
        engine.wait(std::chrono::milliseconds(5));
        engine.poll(std::chrono::milliseconds(10));
      }
    }
    const int pages = static_cast<int>(settings.scale * 20'000);
    std::uint64_t events = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto before = thread_cpu();
    for (int i = 0; i < pages; ++i) {
      const auto& channel = channels[static_cast<std::size_t>(i) * 7919 % conversations];
      events += reader.history(channel, {.limit = 50}).get().value().events.size();
    }
    const double cpu = static_cast<double>((thread_cpu() - before).count()) / 1e3;
    all.push_back({durable ? "parley on LMDB" : "parley in memory",
                   {{"CPU us/page", cpu / pages},
                    {"pages/s", pages / seconds_since(start)},
                    {"events/page", static_cast<double>(events) / pages}}});
  }
  std::filesystem::remove_all(path);
  return all;
}

}  // namespace parley::bench
