// asio_host: an Asio program lends the engine its executor and awaits operations in coroutines.
#include <cstdio>
#include <exception>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include "parley/asio.hpp"
#include "parley/parley.hpp"

namespace {

asio::awaitable<void> talk(parley::Engine& engine) {
  // Options are named before the co_await: GCC 12 destroys temporaries of such expressions twice.
  const parley::AttachOptions as_alice{.user = "alice"};
  const parley::AttachOptions as_bob{.user = "bob"};
  auto alice = co_await parley::async_attach(engine, as_alice, asio::use_awaitable);
  auto bob = co_await parley::async_attach(engine, as_bob, asio::use_awaitable);

  auto chat = co_await parley::async_direct(alice, "bob", asio::use_awaitable);
  const parley::Ack ack = co_await parley::async_send(alice, chat, "welcome", asio::use_awaitable);
  std::printf("stored as number %llu\n", static_cast<unsigned long long>(ack.seq));

  const auto page = co_await parley::async_history(bob, chat, {}, asio::use_awaitable);
  for (const parley::Event& event : page.events) {
    if (const auto* message = event.as<parley::Message>()) {
      std::printf("bob reads: %.*s\n", static_cast<int>(message->text().size()),
                  message->text().data());
    }
  }

  // Any operation can be awaited; errors are std::error_code of parley's category.
  try {
    co_await parley::async_get(bob.remove(chat, alice.user()), asio::use_awaitable);
  } catch (const std::system_error& error) {
    std::printf("bob may not: %s\n", error.what());
  }
}

}  // namespace

int main() {
  asio::io_context io;
  // No threads of the engine's own: it is polled on a strand of the host's executor.
  auto engine = parley::Engine::open({.threads = parley::asio_executor(io.get_executor())}).value();

  int failed = 0;
  asio::co_spawn(io, talk(engine), [&](std::exception_ptr error) {
    if (error) failed = 1;
    engine.close();  // run() returns when the engine has stopped
  });
  io.run();
  std::printf("stopped: %s\n", engine.stopped() ? "yes" : "no");
  return failed;
}
