// parley_cost: what the hot paths cost in units that no clock has a part in: allocations, system
// calls, bytes, and under callgrind instructions. cost_check.py runs it and holds the figures
// against cost_baseline.json.
//
//   parley_cost <path>     one hot path; prints "<figure> <value>" lines
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "meter.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/net.hpp"
#include "parley/parley.hpp"
#include "websocket_load.hpp"

namespace {

using namespace parley;
using namespace parley::bench;
using namespace std::chrono_literals;

constexpr int burst = 16;  // publishes that arrive together

void say(const char* figure, double value) { std::printf("%s %.6g\n", figure, value); }

/// Works until nothing is left; what the engine does in it counts.
void poll_metered(Engine& engine) {
  const Metered metered;
  while (engine.poll(1s)) {}
}
void poll(Engine& engine) {
  while (engine.poll(1s)) {}
}

/// Each send is a system call unless they are gathered, which a machine may not allow.
Engine host_driven_engine(std::size_t gather_from = 0) {
  EngineOptions options;
  options.transports.push_back(
      {"ws", [=] { return Result(websocket_transport({{.gather_from = gather_from}})); }});
  options.threads = host_driven;
  options.authenticator = development_authenticator();
  return Engine::open(std::move(options)).value();
}

// ---- In this process ----

struct LocalRoom {
  explicit LocalRoom(int members) : engine(host_driven_engine()) {
    for (int i = 0; i < members; ++i) {
      // Acknowledged by nobody: that happens four times a second, whatever is delivered.
      sessions.push_back(
          engine.attach({.user = "user" + std::to_string(i), .manual_ack = true}).get().value());
      sessions.back().on_events(
          [this](std::span<const Event> events) { delivered += events.size(); });
    }
    channel =
        sessions[0].create({.kind = ConversationKind::channel, .title = "room"}).get().value();
    for (int i = 1; i < members; ++i) sessions[i].join(channel).get().value();
    for (auto& session : sessions) session.subscribe(channel).get().value();
    poll(engine);
  }
  /// Publishes `rounds` bursts; counts from the first on.
  void publish(int rounds, bool metered) {
    const std::string body(64, 'x');
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < burst; ++i)
        sessions[0].send(channel, std::string_view(body), {}, [](Result<Ack>) {});
      metered ? poll_metered(engine) : poll(engine);
    }
  }
  std::uint64_t delivered = 0;
  Engine engine;
  std::vector<Session> sessions;
  Conversation channel;
};

void local_burst() {
  std::uint64_t allocations[2];
  std::uint64_t delivered[2];
  for (const int half : {0, 1}) {  // twice the receivers: the difference is what a delivery costs
    LocalRoom room(half == 0 ? 100 : 200);
    room.publish(4, false);
    const std::uint64_t before = room.delivered, allocated = counts().allocations;
    room.publish(16, true);
    delivered[half] = room.delivered - before;
    allocations[half] = counts().allocations - allocated;
  }
  say("deliveries", static_cast<double>(delivered[0] + delivered[1]));
  say("allocations_per_delivery",
      (static_cast<double>(allocations[1]) - static_cast<double>(allocations[0])) /
          static_cast<double>(delivered[1] - delivered[0]));
}

void round_trip() {
  LocalRoom room(1);
  constexpr int trips = 256;
  const std::string body(64, 'x');
  int answered = 0;
  const auto trip = [&](bool metered) {
    room.sessions[0].send(room.channel, std::string_view(body), {},
                          [&](const Result<Ack>&) { ++answered; });
    metered ? poll_metered(room.engine) : poll(room.engine);
  };
  for (int i = 0; i < 16; ++i) trip(false);
  const std::uint64_t allocated = counts().allocations;
  answered = 0;
  for (int i = 0; i < trips; ++i) trip(true);
  if (answered != trips) std::exit(1);
  say("deliveries", trips);
  say("allocations_per_trip", static_cast<double>(counts().allocations - allocated) / trips);
}

// ---- Over WebSocket, on one thread but for the signing in ----

int port_of(Engine& engine) {
  const std::string address = engine.listen("ws://127.0.0.1:0/chat").value();
  return std::atoi(address.c_str() + address.rfind(':') + 1);
}

/// One user more in the channel, which the first makes, to see everything of it.
void sign_in(ParleyLoad& load, ConversationId& channel) {
  const int client = load.sign_in("user" + std::to_string(load.size()));
  if (channel) {
    load.ask(client, wire::Join{channel});
  } else {
    wire::Create create;
    create.kind = ConversationKind::channel;
    create.title = "room";
    channel = std::get<wire::Opened>(load.ask(client, create)).entry.conversation;
  }
  wire::Subscribe subscribe;
  subscribe.items.push_back({channel, Level::full, std::nullopt});
  load.ask(client, subscribe);
}

class LinkRoom {
 public:
  explicit LinkRoom(std::size_t gather_from = 0)
      : engine_(host_driven_engine(gather_from)), load_(port_of(engine_)) {}
  /// Runs `clients`, which may block, while the engine is polled.
  void with_engine(const std::function<void()>& clients, bool metered = false) {
    std::atomic<bool> over{false};
    std::thread thread([&] {
      clients();
      over = true;
    });
    while (!over) {
      engine_.wait(1ms);
      metered ? poll_metered(engine_) : poll(engine_);
    }
    thread.join();
    poll(engine_);
  }
  void enter(int members) {
    for (int i = 0; i < members; ++i) sign_in(load_, channel_);
  }
  void greet(int clients) {
    for (int i = 0; i < clients; ++i) load_.sign_in("new" + std::to_string(load_.size()));
  }
  /// `rounds` times `together` publishes of the first client, each round delivered to everybody.
  void publish(int rounds, int together, bool metered) {
    wire::Send send;
    send.conversation = channel_;
    send.body = Payload::copy_of(std::string(64, 'x'));
    for (int round = 0; round < rounds; ++round) {
      const std::uint64_t goal = load_.events + static_cast<std::uint64_t>(together) * load_.size();
      for (int i = 0; i < together; ++i) load_.post(0, request_++, send);
      while (load_.events < goal) {
        metered ? poll_metered(engine_) : poll(engine_);
        load_.poll(0);
      }
    }
  }
  [[nodiscard]] std::uint64_t delivered() const { return load_.events; }

 private:
  Engine engine_;
  ParleyLoad load_;
  ConversationId channel_;
  std::uint32_t request_ = 1;
};

struct Spent {
  double deliveries = 0, sends = 0, allocations = 0;
};
Spent link(int members, int together, int rounds, std::size_t gather_from = 0) {
  LinkRoom room(gather_from);
  room.with_engine([&] { room.enter(members); });
  room.publish(4, together, false);
  const std::uint64_t before = room.delivered();
  const Counts start = counts();
  room.publish(rounds, together, true);
  return {static_cast<double>(room.delivered() - before),
          static_cast<double>(counts().sends - start.sends),
          static_cast<double>(counts().allocations - start.allocations)};
}

void link_messages(int members, int rounds, std::size_t gather_from = 0) {
  const Spent spent = link(members, 1, rounds, gather_from);
  say("deliveries", spent.deliveries);
  say("sends_per_delivery", spent.sends / spent.deliveries);
  say("allocations_per_delivery", spent.allocations / spent.deliveries);
}

void link_burst() {
  const Spent some = link(100, burst, 16), more = link(200, burst, 16);
  say("deliveries", some.deliveries + more.deliveries);
  say("sends_per_delivery", (some.sends + more.sends) / (some.deliveries + more.deliveries));
  // Of a receiver more, as in local_burst, to a hundredth: when buffers grow is up to the network.
  const double grown = (more.allocations - some.allocations) / (more.deliveries - some.deliveries);
  say("allocations_per_receiver", std::round(100 * grown) / 100);
  // Of all, those of the publishes too.
  say("allocations_per_delivery",
      (some.allocations + more.allocations) / (some.deliveries + more.deliveries));
}

/// Accept, handshake and hello of users that are new, one after the other.
void sign_in_new() {
  constexpr int clients = 256;
  LinkRoom room;
  room.with_engine([&] { room.greet(64); });
  const std::uint64_t allocated = counts().allocations;
  room.with_engine([&] { room.greet(clients); }, true);
  say("deliveries", clients);
  say("allocations_per_sign_in", static_cast<double>(counts().allocations - allocated) / clients);
}

// ---- At rest ----

/// Another process, so that what it keeps is not counted: signs in, tells, and stays, answering
/// pings.
[[noreturn]] void rest(int members, int port, int told) {
  ParleyLoad load(port);
  ConversationId channel;
  for (int i = 0; i < members; ++i) sign_in(load, channel);
  if (::write(told, "", 1) != 1) std::exit(1);
  for (;;) load.poll(1'000);
}

/// On LMDB, whose rows are the disk's: what stays in memory of somebody who is signed in, in one
/// channel, and of whom nothing was wanted for so long that their home has left it.
void idle_session() {
  constexpr int members = 1000;
  const char* folder = "cost.idle";
  std::filesystem::remove_all(folder);
  EngineOptions options;
  options.store = lmdb_store({.path = folder});
  options.threads = host_driven;
  options.authenticator = development_authenticator();
  Engine engine = Engine::open(std::move(options)).value();
  const int port = port_of(engine);
  int pipe[2];
  if (::pipe2(pipe, O_NONBLOCK) != 0) std::exit(1);
  const std::uint64_t before = live_bytes();
  const pid_t clients = ::fork();
  if (clients == 0) rest(members, port, pipe[1]);
  char told;
  while (::read(pipe[0], &told, 1) != 1) {
    engine.wait(1ms);
    engine.poll(10ms);
  }
  const auto until = std::chrono::steady_clock::now() + limits::idle_home + 20s;
  while (std::chrono::steady_clock::now() < until) {
    engine.wait(100ms);
    engine.poll(10ms);
  }
  say("bytes_per_session", static_cast<double>(live_bytes() - before) / members);
  ::kill(clients, SIGKILL);
  ::waitpid(clients, nullptr, 0);
  std::filesystem::remove_all(folder);
}

// ---- History ----

void history_page() {
  Engine engine = host_driven_engine();
  Session reader = engine.attach({.user = "reader", .follow = false}).get().value();
  const Conversation channel =
      reader.create({.kind = ConversationKind::channel, .title = "room"}).get().value();
  for (int i = 0; i < 400; ++i) {
    MessageDraft draft;
    draft.body.assign(150, 'x');
    reader.send(channel, std::move(draft)).get().value();
  }
  poll(engine);
  constexpr int pages = 100;
  std::uint64_t events = 0;
  for (int i = 0; i < pages; ++i) {
    reader.history(channel, {.limit = 50},
                   [&](Result<HistoryPage> page) { events += page.value().events.size(); });
    poll_metered(engine);
  }
  say("deliveries", pages);
  if (events != 50 * pages) std::exit(1);
  say("allocations_per_page", static_cast<double>(counts().allocations) / pages);
}

struct Path {
  const char* name;
  std::function<void()> run;
};
std::vector<Path> paths() {
  std::vector<Path> all = {
      {"local_burst", local_burst},
      {"round_trip", round_trip},
      {"link_burst", link_burst},
      {"link_single", [] { link_messages(100, 64); }},
      {"echo", [] { link_messages(1, 500); }},
      {"sign_in", sign_in_new},
      {"history_page", history_page},
      {"idle_session", idle_session},
  };
  if (io_uring_works())
    all.push_back({"link_gathered", [] { link_messages(100, 64, SocketOptions{}.gather_from); }});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  for (const Path& path : paths()) {
    if (argc == 2 && std::strcmp(argv[1], path.name) == 0) {
      path.run();
      return 0;
    }
  }
  std::printf("parley_cost <path>\n");
  for (const Path& path : paths()) std::printf("  %s\n", path.name);
  return 2;
}
