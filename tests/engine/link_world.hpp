// link_world.hpp: a polled engine, and links to it under the test's control; by the JSON encoding.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "engine/fake_link.hpp"
#include "engine/log_capture.hpp"
#include "parley/engine.hpp"

namespace parley::test {

using namespace std::chrono_literals;

inline std::string hello_of(const std::string& user) {
  return R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":")" + user +
         R"(","device":"d"})";
}

struct LinkWorld {
  LogCapture log;
  std::vector<SessionInfo> sessions;
  Engine engine;

  explicit LinkWorld(EngineOptions options = {}) : engine(open(std::move(options))) {
    engine.on_session([this](const SessionInfo& info) { sessions.push_back(info); });
  }
  Engine open(EngineOptions options) {
    options.threads = host_driven;
    options.log = log.sink();
    if (!options.authenticator) options.authenticator = development_authenticator();
    return Engine::open(std::move(options)).value();
  }
  std::shared_ptr<Peer> connect() {
    auto peer = std::make_shared<Peer>();
    bool adopted = false;
    REQUIRE(engine.adopt(std::make_unique<FakeLink>(peer),
                         {.transport = "fake", .peer = "test", .encoding = Encoding::json},
                         [&adopted, peer](LinkEvents* events, LinkHost& host) {
                           peer->events = events;
                           peer->host = &host;
                           adopted = true;
                         }));
    REQUIRE(until([&] { return adopted; }));
    return peer;
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (!engine.poll(1ms)) engine.wait(5ms);
    }
    return true;
  }
  /// A link of the user's that was welcomed.
  std::shared_ptr<Peer> welcome(const std::string& user = "alice") {
    auto peer = connect();
    peer->say(hello_of(user));
    REQUIRE(until([&] { return peer->has(R"("type":"welcome")"); }));
    return peer;
  }
};

}  // namespace parley::test
