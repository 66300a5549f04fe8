// Completion tokens, and an engine on a host's Asio executor.
#include "parley/asio.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include "catch.hpp"
#include "engine/waiting.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

asio::awaitable<Seq> talk(Engine& engine) {
  const AttachOptions who{.user = "alice"};
  const CreateOptions what{.title = "room"};
  auto alice = co_await async_attach(engine, who, asio::use_awaitable);
  auto room = co_await async_create(alice, what, asio::use_awaitable);
  for (int i = 0; i < 3; ++i) co_await async_send(alice, room, "x", asio::use_awaitable);
  const HistoryPage page = co_await async_history(alice, room, {}, asio::use_awaitable);
  co_await async_read(alice, room, page.events.back().seq, asio::use_awaitable);
  const auto members = co_await async_get(alice.members(room), asio::use_awaitable);
  try {
    co_await async_join(alice, ConversationId{{1}}, asio::use_awaitable);
  } catch (const std::system_error& error) {
    if (error.code() != Errc::denied) co_return 0;
  }
  co_return members.count == 1 ? page.events.back().seq : 0;
}

asio::awaitable<Error> refused(Engine& engine) {
  const AttachOptions who{.user = "alice"};
  auto alice = co_await async_attach(engine, who, asio::use_awaitable);
  const CreateOptions what{.title = "room"};
  const Result<Conversation> room = co_await async_try(alice.create(what), asio::use_awaitable);
  if (!room) co_return room.error();
  const SettingsUpdate slow{.slow_mode = 25h};
  const Result<void> set = co_await async_try(alice.set_settings(*room, slow), asio::use_awaitable);
  co_return set ? Error() : set.error();
}

}  // namespace

TEST_CASE("async_try keeps the sentence of an error, and value() throws it", "[asio]") {
  asio::io_context io;
  auto engine = Engine::open({.threads = asio_executor(io.get_executor())}).value();
  Error told;
  asio::co_spawn(io, refused(engine), [&](std::exception_ptr error, Error answer) {
    if (!error) told = std::move(answer);
    engine.close();
  });
  io.run();
  REQUIRE(told.errc() == Errc::invalid_argument);
  REQUIRE(told.message == "slow_mode: expected 0 to 24 hours");
  try {
    Result<void>(told).value();
    FAIL("nothing was thrown");
  } catch (const BadResult& thrown) {
    REQUIRE(thrown.error().message == told.message);
  }
}

TEST_CASE("an engine on an io_context needs no other thread", "[asio]") {
  asio::io_context io;
  auto engine = Engine::open({.threads = asio_executor(io.get_executor())}).value();
  const auto here = std::this_thread::get_id();
  Seq seq = 0;
  bool elsewhere = false;
  asio::co_spawn(io, talk(engine), [&](std::exception_ptr error, Seq last) {
    elsewhere = std::this_thread::get_id() != here;
    if (!error) seq = last;
    engine.close();
  });
  io.run();  // ends: the engine has let go of it
  REQUIRE(seq == 4);
  REQUIRE_FALSE(elsewhere);
  REQUIRE(engine.stopped());
}

TEST_CASE("an engine on a pool of threads is polled by one at a time", "[asio]") {
  asio::thread_pool pool(3);
  test::Collected<Seq> seqs;
  {
    auto engine = Engine::open({.threads = asio_executor(pool.get_executor(), 100us)}).value();
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    auto count = [&](Result<UserId>) {
      if (inside.fetch_add(1) != 0) overlapped = true;
      inside.fetch_sub(1);
      seqs.add(1);
    };
    for (int i = 0; i < 200; ++i) engine.find_user("nobody", count);
    REQUIRE(seqs.wait_for(200).size() == 200);
    REQUIRE_FALSE(overlapped);
  }  // destroyed while the pool goes on
  pool.join();
}

TEST_CASE("get() is refused where it would stop the driving thread", "[asio]") {
  asio::io_context io;
  auto engine = Engine::open({.threads = asio_executor(io.get_executor())}).value();
  REQUIRE(engine.find_user("a").get().error().errc() == Errc::would_deadlock);
}

TEST_CASE("tokens reach the executor they are bound to, or the shard", "[asio]") {
  asio::io_context io;  // outlives the engine, which may still be in its post()
  auto engine = Engine::open({.threads = 1}).value();
  SECTION("a future") {
    auto future = async_get(engine.create({}), asio::use_future);
    REQUIRE(future.get().id());
  }
  SECTION("a bound callback, while the context has nothing else to do") {
    const auto here = std::this_thread::get_id();
    std::optional<bool> there;
    async_get(engine.create({}), asio::bind_executor(io, [&](std::error_code error, Conversation) {
                there = !error && std::this_thread::get_id() == here;
              }));
    io.run();
    REQUIRE(there == true);
  }
  SECTION("a plain callback") {
    test::Collected<std::thread::id> threads;
    async_get(engine.find_user("nobody"), [&](std::error_code error, UserId) {
      if (error == Errc::denied) threads.add(std::this_thread::get_id());
    });
    REQUIRE(threads.wait_for(1).at(0) != std::this_thread::get_id());
  }
}
