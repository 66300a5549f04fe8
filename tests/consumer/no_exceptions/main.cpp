// A host without exceptions and RTTI: errors are values, so nothing is lost.
#include <cstdio>

#include "parley/parley.hpp"

int main() {
  if (parley::Engine::open({.max_sessions = 0}).ok()) return 1;  // refused, by value
  auto opened = parley::Engine::open({.threads = parley::host_driven});
  if (!opened.ok()) return 1;
  parley::Engine engine = std::move(*opened);
  auto alice = engine.attach({.user = "alice"}).get();
  if (!alice.ok()) return 1;
  const auto denied = alice->send(parley::ConversationId{}, "to nobody").get();
  auto chat = alice->direct("bob").get();
  if (!chat.ok()) return 1;
  const auto ack = alice->send(*chat, "hello").get();
  std::printf("%s\n", denied.ok() ? "sent?" : denied.error().message.c_str());
  return !denied.ok() && ack.ok() && ack->seq == 1 ? 0 : 1;
}
