// A host without exceptions and RTTI: errors are values, so nothing is lost.
#include <cstdio>

#include "parley/memory_store.hpp"

int main() {
  auto opened = parley::memory_store()();
  if (!opened.ok()) return 1;
  auto store = std::move(*opened);
  auto verdict = parley::Verdict::done;
  // No guard and nothing to end: the store must refuse or fail it, by value.
  store->commit({.partition = {.space = 1, .id = "lobby"}, .expect = "no such guard", .guard = "1"},
                [&](parley::Committed result) { verdict = result.verdict; });
  store->close([](parley::Result<void>) {});
  std::printf("verdict %d\n", static_cast<int>(verdict));
  return verdict == parley::Verdict::refused ? 0 : 1;
}
