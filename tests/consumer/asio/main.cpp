// A host that awaits the engine's answers with its own Asio: first with the engine's threads, then
// with the engine on the host's io_context and no thread but this one.
#include <asio.hpp>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "parley/asio.hpp"
#include "parley/parley.hpp"

namespace {

asio::awaitable<std::string> chat(parley::Engine& engine) {
  // Named first: GCC 12 destroys an aggregate written inside an awaited expression twice.
  const parley::AttachOptions who{.user = "alice"};
  const parley::CreateOptions what{.title = "Team"};
  auto alice = co_await parley::async_attach(engine, who, asio::use_awaitable);
  auto team = co_await parley::async_create(alice, what, asio::use_awaitable);
  const parley::Ack ack = co_await parley::async_send(alice, team, "welcome", asio::use_awaitable);
  const auto page =
      co_await parley::async_history(alice, team, parley::HistoryOptions(), asio::use_awaitable);
  if (page.events.empty() || page.events.back().seq != ack.seq) co_return "";
  co_return std::string(page.events.back().as<parley::Message>()->text());
}

asio::awaitable<bool> denied(parley::Engine& engine) {
  const parley::AttachOptions who{.user = "eve"};
  const parley::ConversationId nowhere{{1}};
  auto eve = co_await parley::async_attach(engine, who, asio::use_awaitable);
  try {
    co_await parley::async_send(eve, nowhere, "hello", asio::use_awaitable);
  } catch (const std::system_error& error) {
    co_return error.code() == parley::Errc::denied;
  }
  co_return false;
}

/// Runs `work` to its end on `context`, then `last`.
template <class T>
std::optional<T> run(asio::io_context& context, asio::awaitable<T> work, auto last) {
  std::optional<T> answer;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr failed, T value) {
    if (!failed) answer = std::move(value);
    last();
  });
  context.run();
  return answer;
}

bool own_threads() {
  asio::io_context context;
  auto engine = parley::Engine::open({.threads = 1}).value();
  const auto said = run(context, chat(engine), [] {});
  context.restart();
  return said == "welcome" && run(context, denied(engine), [] {}) == true;
}

bool on_the_executor() {
  asio::io_context context;
  auto engine =
      parley::Engine::open({.threads = parley::asio_executor(context.get_executor())}).value();
  const auto said = run(context, chat(engine), [&] { engine.close(); });  // ends run()
  return said == "welcome" && engine.stopped();
}

}  // namespace

int main() {
  const bool threads = own_threads();
  const bool executor = on_the_executor();
  std::printf("own threads %d, host's executor %d\n", threads, executor);
  return threads && executor ? 0 : 1;
}
