// history_page.cpp: the last 50 events of a random conversation, through the API, from LMDB in
// cache and from memory; beside it a bare LMDB cursor that copies 50 values of the same size.
#include <lmdb.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bench.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"

namespace parley::bench {
namespace {

constexpr int conversations = 400;
constexpr int messages = 100;  // in each: sealed chunks and open rows
constexpr int page = 50;
constexpr std::size_t body = 150;

template <class OnePage>
Figures measure(const char* contestant, const Settings& settings, OnePage one_page) {
  const int pages = static_cast<int>(settings.scale * 20'000);
  std::size_t events = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto before = thread_cpu();
  for (int i = 0; i < pages; ++i)
    events += one_page(static_cast<std::size_t>(i) * 7919 % conversations);
  const double cpu = static_cast<double>((thread_cpu() - before).count()) / 1e3;
  return {contestant,
          {{"CPU us/page", cpu / pages},
           {"pages/s", pages / seconds_since(start)},
           {"events/page", static_cast<double>(events) / pages}}};
}

Figures parley_pages(const char* contestant, const Settings& settings, StoreOpener store) {
  EngineOptions options;
  options.threads = host_driven;
  options.store = std::move(store);
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
      draft.body.assign(body, 'x');
      engine.send(channel, std::move(draft), {}, [&](Result<Ack>) { --open; });
    }
    while (open > 0) {
      engine.wait(std::chrono::milliseconds(5));
      engine.poll(std::chrono::milliseconds(10));
    }
  }
  return measure(contestant, settings, [&](std::size_t at) {
    return reader.history(channels[at], {.limit = page}).get().value().events.size();
  });
}

void must(int code) {
  if (code == 0) return;
  std::fprintf(stderr, "lmdb: %s\n", mdb_strerror(code));
  std::abort();
}

/// Keys (conversation, seq), a value for each event; the reading transaction is renewed for each
/// page.
Figures bare_lmdb(const Settings& settings, const std::string& path) {
  std::filesystem::create_directories(path);
  MDB_env* env = nullptr;
  must(mdb_env_create(&env));
  must(mdb_env_set_mapsize(env, std::size_t{1} << 30));
  must(mdb_env_open(env, path.c_str(), MDB_NOSYNC, 0600));
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  must(mdb_txn_begin(env, nullptr, 0, &txn));
  must(mdb_dbi_open(txn, nullptr, 0, &dbi));
  std::string key(24, '\0');
  const auto set_key = [&key](std::size_t conversation, unsigned seq) {
    key[0] = static_cast<char>(conversation >> 8);
    key[1] = static_cast<char>(conversation);
    key[22] = static_cast<char>(seq >> 8);
    key[23] = static_cast<char>(seq);
    return MDB_val{key.size(), key.data()};
  };
  std::string value(body + 100, 'x');  // a record and its envelope
  for (std::size_t c = 0; c < conversations; ++c) {
    for (unsigned seq = 1; seq <= messages; ++seq) {
      MDB_val name = set_key(c, seq);
      MDB_val data{value.size(), value.data()};
      must(mdb_put(txn, dbi, &name, &data, 0));
    }
  }
  must(mdb_txn_commit(txn));
  must(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
  MDB_cursor* cursor = nullptr;
  must(mdb_cursor_open(txn, dbi, &cursor));
  auto figures = measure("bare LMDB cursor, 50 values copied", settings, [&](std::size_t at) {
    mdb_txn_reset(txn);
    must(mdb_txn_renew(txn));
    must(mdb_cursor_renew(txn, cursor));
    std::vector<char> copy(page * (body + 100));
    std::size_t used = 0;
    MDB_val name = set_key(at, messages);
    MDB_val data{};
    must(mdb_cursor_get(cursor, &name, &data, MDB_SET_RANGE));
    for (int i = 0; i < page; ++i) {
      std::memcpy(copy.data() + used, data.mv_data, data.mv_size);
      used += data.mv_size;
      must(mdb_cursor_get(cursor, &name, &data, MDB_PREV));
    }
    return used / data.mv_size;
  });
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  mdb_env_close(env);
  return figures;
}

}  // namespace

std::vector<Figures> history_page(const Settings& settings) {
  std::filesystem::create_directories(settings.data);
  const std::string path = settings.data + "/history.lmdb";
  const std::string bare = settings.data + "/history_bare.lmdb";
  std::filesystem::remove_all(path);
  std::filesystem::remove_all(bare);
  std::vector<Figures> all;
  all.push_back(bare_lmdb(settings, bare));
  all.push_back(parley_pages("parley in memory", settings, memory_store()));
  all.push_back(parley_pages("parley on LMDB", settings, lmdb_store({.path = path})));
  std::filesystem::remove_all(path);
  std::filesystem::remove_all(bare);
  return all;
}

}  // namespace parley::bench
