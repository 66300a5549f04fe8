// A host outside Parley: opens the memory store, commits once, reads it back.
#include <cstdio>
#include <string>

#include "parley/memory_store.hpp"
#include "parley/version.hpp"

int main() {
  auto store = parley::memory_store()().value();
  const parley::Partition partition{.space = 1, .id = "lobby"};

  parley::Batch batch{.partition = partition, .guard = "1", .puts = {{"key", "hello"}}};
  auto verdict = parley::Verdict::unknown;
  store->commit(std::move(batch), [&](parley::Committed result) { verdict = result.verdict; });

  std::string read;
  store->get({.cells = {{.partition = partition, .key = "key"}}},
             [&](parley::Result<parley::Cells> result) {
               if (result.ok() && result->values.at(0)) read = *result->values[0];
             });
  store->close([](parley::Result<void>) {});

  std::printf("parley %s: %s\n", PARLEY_VERSION_STRING, read.c_str());
  return verdict == parley::Verdict::done && read == "hello" ? 0 : 1;
}
