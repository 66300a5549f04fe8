// receipts.cpp: everybody in a room acknowledges what was said in it, all at once and again.
#include <stdexcept>

#include "pubsub.hpp"
#include "run.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

/// Reports how long `round` takes, which is told its number, for units of one acknowledgement.
template <class Round>
Figures storm(const Arguments& arguments, int readers, Round round) {
  Latency latency;
  std::uint64_t done = 0;
  const auto run = [&](double seconds) {
    const std::uint64_t before = done;
    for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
      const auto since = Clock::now();
      round(done++);
      latency.record(Clock::now() - since);
    }
    return static_cast<double>(done - before) * readers;
  };
  run(arguments.number("warm"));
  latency = {};
  Figures figures;
  const Window window(arguments.count("pid"));
  const double units = run(arguments.number("seconds"));
  window.report(figures, units);
  latency.report(figures);
  return figures;
}

Figures on_parley(const Arguments& arguments) {
  const int readers = arguments.count("sockets");
  ParleyLoad load(arguments.count("port"));
  const int author = load.sign_in("author");
  wire::Create create;
  create.kind = ConversationKind::channel;
  create.title = "busy";
  const auto room = std::get<wire::Opened>(load.ask(author, create)).entry.conversation;
  for (int i = 0; i < readers; ++i) {
    const int reader = load.sign_in("reader" + std::to_string(i));
    load.ask(reader, wire::Join{room});
    wire::Subscribe subscribe;
    subscribe.items.push_back({room, Level::full, std::nullopt});
    load.ask(reader, subscribe);
  }
  std::uint64_t answers = 0;
  load.on_answer = [&](std::uint32_t) { ++answers; };
  std::uint32_t request = 1;
  Seq head = 0;
  load.on_events = [&](int, std::uint64_t first, std::uint32_t count) { head = first + count - 1; };
  return storm(arguments, readers, [&](std::uint64_t) {
    // One message to acknowledge: a delivery for each acknowledgement is part of the cost.
    wire::Send send;
    send.conversation = room;
    send.body = Payload::copy_of(std::string(64, 'x'));
    const std::uint64_t everybody = load.events + static_cast<std::uint64_t>(readers);
    load.post(author, request++, std::move(send));
    while (load.events < everybody) load.poll(1'000);
    answers = 0;
    for (int reader = 1; reader <= readers; ++reader)
      load.post(reader, request++, wire::MarkRead{room, head, head});
    while (answers < static_cast<std::uint64_t>(readers)) load.poll(1'000);
  });
}

/// A peer without receipts: readers answer each message with one in a room of the author's.
Figures on_peer(const Arguments& arguments) {
  const int readers = arguments.count("sockets");
  const auto load = pubsub(arguments.text("protocol"), arguments.count("port"), 64);
  const int author = load->connect();
  load->subscribe(author, 1);
  load->subscribe(author, 0);
  for (int i = 0; i < readers; ++i) load->subscribe(load->connect(), 0);
  std::uint64_t arrived = 0;
  load->on_delivery = [&](int, std::uint64_t count) { arrived += count; };
  return storm(arguments, readers, [&](std::uint64_t) {
    const auto wait = [&](std::uint64_t count) {
      while (arrived < count) load->poll(1'000);
      arrived = 0;
    };
    load->publish(author, 0);
    wait(static_cast<std::uint64_t>(readers) + 1);
    for (int reader = 1; reader <= readers; ++reader) load->publish(reader, 1);
    wait(static_cast<std::uint64_t>(readers));
  });
}

}  // namespace

Figures receipts(const Arguments& arguments) {
  return arguments.text("protocol") == "parley" ? on_parley(arguments) : on_peer(arguments);
}

}  // namespace parley::bench
