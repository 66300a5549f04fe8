// Must not compile, and say in one sentence what to write instead: a Pending inside an
// asio::awaitable. The test engine.await_in_asio compiles it.
#include <asio/awaitable.hpp>

#include "parley/asio.hpp"

asio::awaitable<parley::Seq> last(parley::Session& session, const parley::ConversationId& room) {
  const auto page = co_await session.history(room);
  co_return page->events.back().seq;
}
