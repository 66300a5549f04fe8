// reconnect.cpp: everybody's connection breaks at once; messages are sent; everybody comes back and
// is given what it missed.
#include <deque>
#include <stdexcept>

#include "run.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

class Storm {
 public:
  explicit Storm(const Arguments& arguments)
      : sockets_(arguments.count("sockets")),
        members_(arguments.count("members")),
        missed_(arguments.count("missed")),
        load_(arguments.count("port")) {
    for (int i = 0; i < sockets_; ++i) {
      load_.sign_in("user" + std::to_string(i));
      enter(i, i / members_);
    }
    author_ = load_.sign_in("author");
    for (const ConversationId& room : rooms_) load_.ask(author_, wire::Join{room});
    for (int i = 0; i < sockets_; ++i) clients_.push_back({cursor_of(i), 0, 0, false});
  }
  void break_all() {
    for (int i = 0; i < sockets_; ++i) load_.drop(i);
  }
  void send_what_is_missed() {
    wire::Send send;
    send.body = Payload::copy_of(std::string(100, 'x'));
    for (int i = 0; i < missed_; ++i) {
      for (const ConversationId& room : rooms_) {
        send.conversation = room;
        load_.ask(author_, send);
      }
    }
  }
  double busy = 0;  // answers that told to ask again
  /// Returns when everybody has everything.
  void come_back(Latency& latency) {
    since_ = Clock::now();
    latency_ = &latency;
    load_.on_upgraded([this](int number) { say_hello(number - first_); });
    load_.on_reply = [this](int number, const wire::Reply& reply) {
      answered(number - first_, reply);
    };
    load_.on_events = [this](int number, std::uint64_t first, std::uint32_t count) {
      received(number - first_, first, count);
    };
    first_ = load_.size();
    for (int i = 0; i < sockets_; ++i) {
      load_.connect_later();
      if (i % 16 == 0) load_.poll(0);
    }
    while (served_ < sockets_) {
      load_.poll(waiting_.empty() ? 1'000 : 1);
      ask_again();
      if (seconds_since(since_) > 120)
        throw std::runtime_error(std::to_string(sockets_ - served_) + " were not served");
    }
  }

 private:
  struct Client {
    Cursor cursor;
    Seq seen = 0;           // the last event it has
    std::uint32_t got = 0;  // how many of those that it missed
    bool subscribed = false;
  };
  void enter(int client, int room) {
    if (client % members_ == 0) {
      wire::Create create;
      create.kind = ConversationKind::channel;
      create.title = "room";
      rooms_.push_back(std::get<wire::Opened>(load_.ask(client, create)).entry.conversation);
    } else {
      load_.ask(client, wire::Join{rooms_[static_cast<std::size_t>(room)]});
    }
  }
  wire::Subscribe subscription(int client, std::optional<Cursor> from) {
    wire::Subscribe subscribe;
    subscribe.items.push_back(
        {rooms_[static_cast<std::size_t>(client / members_)], Level::full, from});
    return subscribe;
  }
  /// Subscribes, when nobody enters any more: at the head.
  Cursor cursor_of(int client) {
    const auto answer = load_.ask(client, subscription(client, std::nullopt));
    return std::get<wire::Subscribed>(answer).answers.at(0).head;
  }
  void ask(int client, std::uint32_t request) {
    if (request == hello_request) return say_hello(client);
    const Cursor from = clients_[static_cast<std::size_t>(client)].cursor;
    load_.post(first_ + client, request, subscription(client, from));
  }
  /// What was answered `busy`, when its time has come.
  void ask_again() {
    for (const auto now = Clock::now(); !waiting_.empty() && waiting_.front().at <= now;) {
      ask(waiting_.front().client, waiting_.front().request);
      waiting_.pop_front();
    }
  }
  void say_hello(int client) {
    wire::Hello hello;
    hello.ticket = load_.welcome(client).ticket;
    hello.sync_token = load_.welcome(client).list.token;
    hello.device = "bench";
    load_.post(first_ + client, hello_request, std::move(hello));
  }
  void answered(int number, const wire::Reply& reply) {
    Client& client = clients_[static_cast<std::size_t>(number)];
    if (const auto* failed = std::get_if<wire::Failed>(&reply.answer)) {
      if (failed->error.code != Errc::busy)
        throw std::runtime_error("refused: " + failed->error.message);
      ++busy;
      waiting_.push_back({Clock::now() + failed->error.retry_after, number, reply.request});
    } else if (reply.request == hello_request) {
      client.seen = client.cursor.seq;
      ask(number, subscribe_request);
    } else {
      const auto& subscribed = std::get<wire::Subscribed>(reply.answer);
      const Resume resume = subscribed.answers.at(0).answer;
      if (resume != Resume::range) throw std::runtime_error("the stream does not go on");
      client.subscribed = true;
      check_served(client);
    }
  }
  void received(int number, Seq first, std::uint32_t count) {
    Client& client = clients_[static_cast<std::size_t>(number)];
    if (first != client.seen + 1) throw std::runtime_error("events were lost");
    client.seen += count;
    client.got += count;
    check_served(client);
  }
  void check_served(const Client& client) {
    if (!client.subscribed || client.got != static_cast<unsigned>(missed_)) return;
    ++served_;
    latency_->record(Clock::now() - since_);
  }

  struct Waiting {
    Clock::time_point at;
    int client;
    std::uint32_t request;
  };
  static constexpr std::uint32_t hello_request = 1, subscribe_request = 2;
  int sockets_, members_, missed_;
  ParleyLoad load_;
  int author_ = 0, first_ = 0, served_ = 0;
  std::vector<ConversationId> rooms_;
  std::vector<Client> clients_;
  std::deque<Waiting> waiting_;  // all wait as long: the first to come is the first to go
  Clock::time_point since_;
  Latency* latency_ = nullptr;
};

}  // namespace

Figures reconnect(const Arguments& arguments) {
  Storm storm(arguments);
  Figures figures;
  Latency latency;
  const Window window(arguments.count("pid"));
  storm.break_all();
  storm.send_what_is_missed();
  const auto since = Clock::now();
  storm.come_back(latency);
  figures.add("served_ms", 1e3 * seconds_since(since));
  figures.add("busy_share", storm.busy / arguments.number("sockets"));
  window.report(figures, arguments.number("sockets"));
  latency.report(figures);
  return figures;
}

}  // namespace parley::bench
