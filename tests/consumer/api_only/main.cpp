// A host that links a store it got from a stranger.
#include "full_store.hpp"

int main() {
  auto store = full_store();
  bool failed = false;
  store->commit(
      {.partition = {.space = 1, .id = "p"}, .guard = "g"}, [&](parley::Committed result) {
        failed = result.verdict == parley::Verdict::failed &&
                 result.error.errc() == parley::Errc::unavailable && result.error.retryable();
      });
  return failed ? 0 : 1;
}
