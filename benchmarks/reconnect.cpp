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
    for (int i = 0; i < sockets_; ++i) clients_.push_back({.cursor = cursor_of(i)});
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
  double cut = 0;   // connections that the server closed meanwhile
  /// Returns when everybody has everything.
  void come_back(Latency& latency) {
    since_ = Clock::now();
    latency_ = &latency;
    load_.on_upgraded([this](int number) { say_hello(of(number)); });
    load_.on_reply = [this](int number, const wire::Reply& reply) { answered(of(number), reply); };
    load_.on_events = [this](int number, std::uint64_t first, std::uint32_t count) {
      received(of(number), first, count);
    };
    first_ = load_.size();
    for (int i = 0; i < sockets_; ++i) {
      dial(i);
      if (i % 16 == 0) poll(0);
    }
    while (served_ < sockets_) {
      poll(waiting_.empty() ? 1'000 : 1);
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
    bool subscribed = false, served = false;
    bool again = false;  // it was cut off while it came back
    int number = 0;      // of its connection
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
  Client& at(int client) { return clients_[static_cast<std::size_t>(client)]; }
  /// Whose connection that is.
  [[nodiscard]] int of(int number) const {
    return dialed_[static_cast<std::size_t>(number - first_)];
  }
  void dial(int client) {
    at(client).number = load_.connect_later();
    dialed_.push_back(client);
  }
  /// Whom the server cuts off, as it does who waits too long for its turn, dials again.
  void poll(int timeout_ms) {
    try {
      load_.poll(timeout_ms);
    } catch (const Closed& closed) {
      const int client = of(closed.client);
      if (at(client).served) throw;
      ++cut;
      at(client).again = true;
      at(client).got = 0;
      at(client).subscribed = false;
      dial(client);
    }
  }
  void ask(int client, std::uint32_t request) {
    if (request == hello_request) return say_hello(client);
    load_.post(at(client).number, request, subscription(client, at(client).cursor));
  }
  /// What was answered `busy`, when its time has come.
  void ask_again() {
    for (const auto now = Clock::now(); !waiting_.empty() && waiting_.front().at <= now;) {
      const Waiting next = waiting_.front();
      waiting_.pop_front();
      if (at(of(next.number)).number == next.number) ask(of(next.number), next.request);
    }
  }
  void say_hello(int client) {
    wire::Hello hello;
    if (at(client).again) {  // its ticket may be used up
      hello.token = "user" + std::to_string(client);
    } else {
      hello.ticket = load_.welcome(client).ticket;
    }
    hello.sync_token = load_.welcome(client).list.token;
    hello.device = "bench";
    load_.post(at(client).number, hello_request, std::move(hello));
  }
  void answered(int who, const wire::Reply& reply) {
    Client& client = at(who);
    if (const auto* failed = std::get_if<wire::Failed>(&reply.answer)) {
      if (failed->error.code != Errc::busy)
        throw std::runtime_error("refused: " + failed->error.message);
      ++busy;
      waiting_.push_back({Clock::now() + failed->error.retry_after, client.number, reply.request});
    } else if (reply.request == hello_request) {
      client.seen = client.cursor.seq;
      ask(who, subscribe_request);
    } else {
      const auto& subscribed = std::get<wire::Subscribed>(reply.answer);
      const Resume resume = subscribed.answers.at(0).answer;
      if (resume != Resume::range) throw std::runtime_error("the stream does not go on");
      client.subscribed = true;
      check_served(client);
    }
  }
  void received(int who, Seq first, std::uint32_t count) {
    Client& client = at(who);
    if (first != client.seen + 1) throw std::runtime_error("events were lost");
    client.seen += count;
    client.got += count;
    check_served(client);
  }
  void check_served(Client& client) {
    if (!client.subscribed || client.got != static_cast<unsigned>(missed_)) return;
    client.served = true;
    ++served_;
    latency_->record(Clock::now() - since_);
  }

  struct Waiting {
    Clock::time_point at;
    int number;
    std::uint32_t request;
  };
  static constexpr std::uint32_t hello_request = 1, subscribe_request = 2;
  int sockets_, members_, missed_;
  ParleyLoad load_;
  int author_ = 0, first_ = 0, served_ = 0;
  std::vector<ConversationId> rooms_;
  std::vector<Client> clients_;
  std::vector<int> dialed_;      // the client of each connection from first_ on
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
  figures.add("cut_share", storm.cut / arguments.number("sockets"));
  window.report(figures, arguments.number("sockets"));
  latency.report(figures);
  return figures;
}

}  // namespace parley::bench
