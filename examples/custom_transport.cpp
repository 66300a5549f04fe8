// custom_transport: a game feeds its own connection to the engine: a Link is three functions.
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "parley/parley.hpp"

using namespace std::chrono_literals;

namespace {

/// A connection the game has already: here two queues, elsewhere its own UDP or Steam sockets.
struct GameConnection {
  std::deque<std::string> to_player, to_server;
};

/// Engine to player. The other direction is LinkEvents::received.
class GameLink final : public parley::Link {
 public:
  GameLink(GameConnection& connection, std::function<void()> hang_up)
      : connection_(connection), hang_up_(std::move(hang_up)) {}

  void send(std::span<const parley::Payload> messages) override {
    for (const parley::Payload& message : messages) {
      connection_.to_player.emplace_back(message.bytes());
    }
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return 0; }  // all taken at once
  void close(parley::CloseReason, std::string_view) override { hang_up_(); }

 private:
  GameConnection& connection_;
  std::function<void()> hang_up_;
};

}  // namespace

int main() {
  auto engine = parley::Engine::open({.threads = parley::host_driven,
                                      .authenticator = parley::development_authenticator()})
                    .value();
  GameConnection connection;
  parley::LinkEvents* events = nullptr;  // where the engine wants the player's messages
  parley::LinkHost* shard = nullptr;
  bool open = true;

  auto hang_up = [&] {
    shard->post([&] {  // later: closed() must not come from inside close()
      open = false;
      events->closed({});
    });
  };
  engine
      .adopt(std::make_unique<GameLink>(connection, hang_up),
             {.transport = "game", .peer = "player 1", .encoding = parley::Encoding::json},
             [&](parley::LinkEvents* to, parley::LinkHost& on) {
               events = to;
               shard = &on;
             })
      .value();
  while (events == nullptr) engine.poll(1ms);

  // The player's side speaks the protocol (docs/design/wire_format.md); JSON is easy to write by
  // hand.
  connection.to_server = {
      R"({"type":"hello","request":1,"min_version":1,"max_version":1,"token":"player-1"})",
      R"({"type":"direct","request":2,"peer":"merchant"})",
      R"({"type":"bye","request":3})",
  };
  int answers = 0;
  while (open) {  // the game's loop
    const int asked = 3 - static_cast<int>(connection.to_server.size());
    if (asked < 3 && answers == asked) {  // the next request when the last one was answered
      shard->post([&, message = connection.to_server.front()] { events->received(message); });
      connection.to_server.pop_front();
    }
    engine.poll(1ms);
    for (; !connection.to_player.empty(); connection.to_player.pop_front()) {
      const std::string& message = connection.to_player.front();
      std::printf("%.100s%s\n", message.c_str(), message.size() > 100 ? "..." : "");
      answers += message.find("\"request\":") != std::string::npos ? 1 : 0;
    }
  }
  return answers == 3 ? 0 : 1;
}
