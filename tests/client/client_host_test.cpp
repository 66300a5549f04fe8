// client_host_test.cpp: what a client owes the program it is linked into: its thread is announced
// and blocks signals, a fork answers, what host code throws ends the client and nothing else.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "engine/waiting.hpp"
#include "parley/client.hpp"
#include "parley/engine.hpp"

namespace {

using namespace parley;
using namespace std::chrono_literals;
using test::Collected;

ClientOptions options_for(std::string url) {
  ClientOptions options;
  options.url = std::move(url);
  options.token = "alice";
  return options;
}
// Nobody listens there: the client needs no server for these.
ClientOptions alone() { return options_for("tcp://127.0.0.1:1"); }

Engine open_small_engine() {
  EngineOptions options;
  options.threads = 1;
  options.authenticator = development_authenticator();
  return Engine::open(std::move(options)).value();
}

std::set<int> descriptors() {
  std::set<int> all;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    all.insert(std::stoi(each.path().filename().string()));
  }
  std::erase_if(all, [](int each) { return ::fcntl(each, F_GETFD) < 0; });  // that of the walk
  return all;
}

/// A storage in memory that throws from the time it is told to.
class ThrowingStorage final : public ClientStorage {
 public:
  Result<StoredClient> load() override {
    if (throws) throw std::runtime_error("load");
    return kept_->load();
  }
  Result<void> apply(const ClientBatch& batch) override {
    if (throws) throw std::runtime_error("no disk today");
    return kept_->apply(batch);
  }
  std::atomic<bool> throws{false};

 private:
  std::shared_ptr<ClientStorage> kept_ = memory_storage();
};

}  // namespace

TEST_CASE("the client's thread is announced to the host and blocks every signal") {
  std::atomic<int> started{0};
  std::atomic<int> ended{0};
  std::atomic<int> open_signals{0};
  ClientOptions options = alone();
  options.on_thread_start = [&] {
    ++started;
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1, SIGALRM}) {
      if (::sigismember(&blocked, one) != 1) ++open_signals;
    }
  };
  options.on_thread_stop = [&] { ++ended; };
  {
    Client client = Client::open(options).value();
    REQUIRE(client.list().get());
    CHECK(started == 1);
    CHECK(ended == 0);
  }
  CHECK(ended == 1);
  CHECK(open_signals == 0);

  options.own_thread = false;
  REQUIRE(Client::open(options).value().list().get());
  CHECK(started == 1);  // the host's own thread is no news to it
}

TEST_CASE("what engine and client open is closed on exec") {
  const std::set<int> before = descriptors();
  Engine engine = open_small_engine();
  const std::string tcp = engine.listen("tcp://127.0.0.1:0").value();
  const std::string ws = engine.listen("ws://127.0.0.1:0/chat").value();
  for (const std::string& url : {tcp, ws}) {
    Client client = Client::open(options_for(url)).value();
    client.start();
    REQUIRE(client.devices().get());  // both ends of a connection are there
    std::size_t seen = 0;
    for (const int each : descriptors()) {
      if (before.contains(each)) continue;
      CAPTURE(each);
      CHECK((::fcntl(each, F_GETFD) & FD_CLOEXEC) != 0);
      ++seen;
    }
    CHECK(seen >= 8);  // two loops with a poller and a wake-up each, two listeners, two ends
  }
}

TEST_CASE("after a fork every call of a client answers forked") {
  const bool own = GENERATE(true, false);
  ClientOptions options = alone();
  options.own_thread = own;
  Client client = Client::open(std::move(options)).value();
  Pending<HistoryPage> before = client.history(ConversationId{{1}});
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int wrong = 0;
    const auto expect = [&](const auto& result) {
      wrong += !result && result.error().errc() == Errc::forked ? 0 : 1;
    };
    const ConversationId room{{1}};
    expect(before.get());
    expect(client.send(room, "x").get());
    expect(client.list().get());
    expect(client.create({}).get());
    expect(client.subscribe(room).get());
    expect(client.history(room).get());
    int answered = 0;
    client.outbox([&](const auto& items) {
      ++answered;
      expect(items);
    });
    wrong += answered == 1 ? 0 : 1;
    client.start();
    client.stop();
    client.set_token("other");
    client.read(room, 1);
    client.signal(room, "typing");
    client.set_presence(PresenceState::away);
    client.run();
    client.wait(1h);
    client.stop_running();
    wrong += client.poll(0us) ? 1 : 0;
    { Client gone = std::move(client); }
    ::_exit(wrong);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(client.list().get());  // the parent goes on
}

TEST_CASE("a handler that throws ends the client, not the process") {
  const bool own = GENERATE(true, false);
  const bool standard = GENERATE(true, false);
  Engine engine = open_small_engine();
  ClientOptions options = options_for(engine.listen("tcp://127.0.0.1:0").value());
  options.own_thread = own;
  Collected<ClientStatus> failed;
  options.handlers.on_state = [&](const ClientStatus& status) {
    if (status.state == ClientState::failed) failed.add(status);
    if (status.state != ClientState::ready) return;
    if (standard) throw std::runtime_error("the host's mistake");
    throw 7;  // NOLINT
  };
  Client client = Client::open(std::move(options)).value();
  Pending<HistoryPage> open = client.history(ConversationId{{1}});
  Pending<Ack> sent = client.send(ConversationId{{1}}, "kept in the outbox");
  client.start();
  CHECK(open.get().error().errc() == Errc::internal);  // drives the client without a thread
  CHECK(sent.get().error().errc() == Errc::internal);
  REQUIRE(client.list().get());  // what needs no server goes on
  const auto told = failed.wait_for(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].error.errc() == Errc::internal);
  CHECK(told[0].error.message.find(standard ? "the host's mistake" : "no std::exception") !=
        std::string::npos);
  CHECK(client.history(ConversationId{{1}}).get().error().errc() == Errc::session_closed);
  CHECK(client.send(ConversationId{{1}}, "late").get().error().errc() == Errc::session_closed);
  client.start();  // it stays as it is
  CHECK(client.history(ConversationId{{1}}).get().error().errc() == Errc::session_closed);
  CHECK(failed.size() == 1);
}

TEST_CASE("a completion that throws ends the client, and the others are answered") {
  ClientOptions options = alone();
  Collected<ClientStatus> failed;
  options.handlers.on_state = [&](const ClientStatus& status) {
    if (status.state == ClientState::failed) failed.add(status);
    throw std::logic_error("again");  // and its own news does not hold it up
  };
  Client client = Client::open(std::move(options)).value();
  Pending<HistoryPage> open = client.history(ConversationId{{1}});
  client.list([](const auto&) { throw std::runtime_error("in a completion"); });
  const auto told = failed.wait_for(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].error.message.find("in a completion") != std::string::npos);
  CHECK(open.get().error().errc() == Errc::internal);
}

TEST_CASE("a storage that throws is a storage that failed") {
  auto storage = std::make_shared<ThrowingStorage>();
  ClientOptions options = alone();
  options.storage = storage;
  Collected<ClientStatus> failed;
  options.handlers.on_state = [&](const ClientStatus& status) {
    if (status.state == ClientState::failed) failed.add(status);
  };
  {
    Client client = Client::open(options).value();
    Pending<Ack> kept = client.send(ConversationId{{1}}, "kept");
    REQUIRE(client.list().get());  // it has been handed over
    storage->throws = true;
    CHECK(client.send(ConversationId{{1}}, "lost").get().error().errc() == Errc::session_closed);
    CHECK(kept.get().error().errc() == Errc::internal);
    const auto told = failed.wait_for(1);
    REQUIRE(told.size() == 1);
    CHECK(told[0].error.message == "the storage threw: no disk today");
  }
  const auto opened = Client::open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().errc() == Errc::unavailable);
  CHECK(opened.error().message.find("load") != std::string::npos);
}
