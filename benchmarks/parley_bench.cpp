// parley_bench: one run of one contestant; scripts/bench strings them together.
//
//   parley_bench TASK name=value ...       prints the figures as one JSON object
//   parley_bench serve WHAT                serves on a free port, which it prints: parley,
//                                          parley_send, parley_lmdb, floor, floor_join or
//                                          floor_uring
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>

#include "floor_server.hpp"
#include "row_store.hpp"
#include "run.hpp"

namespace {

using namespace parley::bench;

const std::map<std::string, Figures (*)(const Arguments&)>& tasks() {
  static const std::map<std::string, Figures (*)(const Arguments&)> all = {
      {"connections", connections},
      {"durable", durable},
      {"echo", echo},
      {"fanout", fanout},
      {"history", history},
      {"hold", hold},
      {"local_fanout", local_fanout},
      {"presence", presence},
      {"receipts", receipts},
      {"reconnect", reconnect},
      {"round_trip", round_trip},
      {"scale_conversations", scale_conversations},
      {"scale_members", scale_members},
      {"scale_messages", scale_messages},
      {"scale_users", scale_users},
      {"start", start},
  };
  return all;
}

int usage() {
  std::printf("parley_bench TASK name=value ... | parley_bench serve WHAT\n");
  for (const auto& [name, task] : tasks()) std::printf("  %s\n", name.c_str());
  return 2;
}

int serve(const std::string& what) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  static const std::map<std::string, void (*)()> servers = {
      {"parley", [] { serve_engine({}); }},
      {"parley_send", [] { serve_engine({.gathers = false}); }},
      {"parley_lmdb", [] { serve_engine({.directory = "store"}); }},
      {"floor", [] { serve_floor(FloorSends::each); }},
      {"floor_join", [] { serve_floor(FloorSends::joined); }},
      {"floor_uring", [] { serve_floor(FloorSends::by_io_uring); }},
  };
  const auto server = servers.find(what);
  if (server == servers.end()) return usage();
  server->second();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "serve") return serve(words[1]);
  const auto task = words.empty() ? tasks().end() : tasks().find(words[0]);
  if (task == tasks().end()) return usage();
  try {
    const Arguments arguments({words.begin() + 1, words.end()});
    std::printf("%s\n", task->second(arguments).json().c_str());
    return 0;
  } catch (const Missing& missing) {
    std::printf("{\"missing\": \"%s\"}\n", missing.what.c_str());
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "parley_bench: %s\n", failed.what());
    return 1;
  }
}
