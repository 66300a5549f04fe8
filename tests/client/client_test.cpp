// client_test.cpp: the client against a whole engine over real sockets, in each encoding and each
// way to drive it.
#include "parley/client.hpp"

#include <atomic>
#include <string>

#include "catch.hpp"
#include "engine/waiting.hpp"
#include "parley/engine.hpp"

namespace {

using namespace parley;
using namespace std::chrono_literals;
using test::Collected;

struct Said {
  Seq seq;
  std::string text;
};

/// A client whose messages, list and states are collected.
struct Talker {
  explicit Talker(ClientOptions options) {
    options.handlers.on_events = [this](std::span<const Event> events) {
      for (const Event& event : events) {
        if (const auto* message = event.as<Message>()) {
          said.add({event.seq, std::string(message->text())});
        }
      }
    };
    options.handlers.on_state = [this](const ClientStatus& status) {
      if (status.state == ClientState::ready) ready.add(status);
      if (status.state == ClientState::refused) refused.add(status);
      if (status.state == ClientState::stopped) stopped.add(status);
    };
    options.handlers.on_signal = [this](const Signal& signal) {
      signals.add(std::string(signal.kind));
    };
    options.handlers.on_receipts = [this](const ReceiptsMoved& moved) {
      for (const Receipt& receipt : moved.receipts) receipts.add(receipt);
    };
    options.handlers.on_settled = [this](const MessageSettled& settled) { settles.add(settled); };
    client.emplace(Client::open(std::move(options)).value());
  }
  Client& operator*() { return *client; }
  Client* operator->() { return &*client; }

  Collected<Said> said;
  Collected<ClientStatus> ready;
  Collected<ClientStatus> refused;
  Collected<ClientStatus> stopped;
  Collected<std::string> signals;
  Collected<Receipt> receipts;
  Collected<MessageSettled> settles;
  std::optional<Client> client;
};

Engine open_engine() {
  EngineOptions options;
  options.threads = 2;
  options.authenticator = development_authenticator();
  return Engine::open(std::move(options)).value();
}
ClientOptions options_for(std::string url, std::string name) {
  ClientOptions options;
  options.url = std::move(url);
  options.token = std::move(name);
  options.device = options.token + "-phone";
  return options;
}

}  // namespace

TEST_CASE("two clients talk over every transport and encoding") {
  struct Row {
    const char* url;
    Encoding encoding;
  };
  const Row row = GENERATE(
      Row{"ws://127.0.0.1:0/chat", Encoding::binary}, Row{"ws://127.0.0.1:0/chat", Encoding::json},
      Row{"tcp://127.0.0.1:0", Encoding::binary}, Row{"tcp://127.0.0.1:0", Encoding::json});
  CAPTURE(row.url, static_cast<int>(row.encoding));
  Engine engine = open_engine();
  const std::string url = engine.listen(row.url).value();
  ClientOptions for_alice = options_for(url, "alice");
  ClientOptions for_bob = options_for(url, "bob");
  for_alice.encoding = for_bob.encoding = row.encoding;
  Talker alice(std::move(for_alice));
  Talker bob(std::move(for_bob));
  alice->start();
  bob->start();
  REQUIRE(alice.ready.wait_for(1).size() == 1);
  REQUIRE(bob.ready.wait_for(1).size() == 1);

  const ListEntry chat = alice->direct("bob").get().value();
  CHECK(chat.kind == ConversationKind::direct);
  const Ack ack = alice->send(chat.conversation, "hello").get().value();
  CHECK(ack.number == 1);
  MessageDraft draft;
  draft.body = std::string("\0\xff", 2);
  draft.content_type = "application/octet-stream";
  draft.reply_to = ack.seq;
  const Ack second = bob->send(chat.conversation, draft).get().value();
  CHECK(second.seq == ack.seq + 1);

  for (Talker* each : {&alice, &bob}) {
    const auto said = each->said.wait_for(2);
    REQUIRE(said.size() == 2);
    CHECK(said[0].text == "hello");
    CHECK(said[0].seq == ack.seq);
    CHECK(said[1].text == draft.body);
  }
  const HistoryPage page = bob->history(chat.conversation).get().value();
  REQUIRE(page.events.size() == second.seq);
  CHECK(page.events.back().as<Message>()->reply_to == ack.seq);
  CHECK(page.events.back().as<Message>()->content_type == "application/octet-stream");
  CHECK_FALSE(page.more);

  const MembersPage members = alice->members(chat.conversation).get().value();
  CHECK(members.count == 2);
  CHECK(alice->members(chat.conversation, {.prefix = "BO"}).get().value().members.size() == 1);
  const auto list = alice->list().get().value();
  REQUIRE(list.size() == 1);
  CHECK(list[0].head.seq == second.seq);
  const auto names = alice->names({list[0].peer}).get().value();
  REQUIRE(names.size() == 1);
  CHECK(names[0].subject == "bob");
  const auto presence = alice->watch(chat.conversation, {list[0].peer}).get().value();
  REQUIRE(presence.size() == 1);
  CHECK(presence[0].online);
  const Online online = alice->watch_conversation(chat.conversation).get().value();
  CHECK(online.step == PresenceStep::full);
  CHECK(online.users->size() == 2);
  CHECK(alice->unwatch_conversation(chat.conversation).get().value().step == PresenceStep::none);

  bob->signal(chat.conversation, "typing");
  CHECK(alice.signals.wait_for(1).at(0) == "typing");
  bob->read(chat.conversation, second.seq);
  bool read = false;
  for (std::size_t n = 1; !read && n < 20; ++n) {
    const auto receipts = alice.receipts.wait_for(n);
    if (receipts.size() < n) break;
    read = receipts[n - 1].user == list[0].peer && receipts[n - 1].read == second.seq;
  }
  CHECK(read);
}

TEST_CASE(
    "what was said while a client was away arrives when it is back, once; so does its outbox") {
  Engine engine = open_engine();
  const std::string url = engine.listen("ws://127.0.0.1:0/chat").value();
  const auto storage = memory_storage();
  ClientOptions for_bob = options_for(url, "bob");
  for_bob.storage = storage;
  Talker alice(options_for(url, "alice"));
  alice->start();
  REQUIRE(alice.ready.wait_for(1).size() == 1);
  ConversationId chat;
  {
    Talker bob(for_bob);
    bob->start();
    REQUIRE(bob.ready.wait_for(1).size() == 1);
    chat = alice->direct("bob").get().value().conversation;
    REQUIRE(alice->send(chat, "one").get());
    REQUIRE(bob.said.wait_for(1).size() == 1);
    bob->stop();
    REQUIRE(bob.stopped.wait_for(1).size() == 1);
    REQUIRE(alice->send(chat, "two").get());
    bob->send(chat, "from bob, offline");
    bob->start();
    const auto said = bob.said.wait_for(3);
    REQUIRE(said.size() == 3);
    CHECK(said[1].text == "two");
    CHECK(said[2].text == "from bob, offline");
  }
  REQUIRE(alice->send(chat, "three").get());
  Talker again(for_bob);  // another process with the same storage
  again->start();
  const auto said = again.said.wait_for(1);
  REQUIRE(said.size() == 1);
  CHECK(said[0].text == "three");
  CHECK(again->send(chat, "four").get().value().number == 2);
  CHECK(alice.said.wait_for(5).size() == 5);
}

TEST_CASE("a burst from several conversations arrives whole and in order") {
  Engine engine = open_engine();
  const std::string url = engine.listen("tcp://127.0.0.1:0").value();
  Talker alice(options_for(url, "alice"));
  Talker bob(options_for(url, "bob"));
  alice->start();
  bob->start();
  REQUIRE(alice.ready.wait_for(1).size() == 1);
  REQUIRE(bob.ready.wait_for(1).size() == 1);
  CreateOptions group;
  group.title = "team";
  group.members = {"bob"};
  const ConversationId room = alice->create(group).get().value().conversation;
  constexpr int count = 500;
  for (int i = 0; i < count; ++i) alice->send(room, std::to_string(i));
  const auto said = bob.said.wait_for(count);
  REQUIRE(said.size() == count);
  for (int i = 0; i < count; ++i) {
    CHECK(said[static_cast<std::size_t>(i)].text == std::to_string(i));
  }
  CHECK(alice.settles.wait_for(count).size() == count);
}

TEST_CASE("a host drives the client itself") {
  Engine engine = open_engine();
  const std::string url = engine.listen("ws://127.0.0.1:0/chat").value();
  ClientOptions options = options_for(url, "alice");
  options.own_thread = false;
  Talker alice(std::move(options));
  alice->start();
  while (alice.ready.size() == 0) {
    alice->poll(1ms);
    alice->wait(10ms);
  }
  // get() works the loop on this thread.
  const ListEntry chat = alice->direct("bob").get().value();
  CHECK(alice->send(chat.conversation, "hello").get().value().seq > 0);
  // run() returns after stop_running(), here from a completion.
  alice->send(chat.conversation, MessageDraft{.body = "again"},
              [&](const Result<Ack>&) { alice->stop_running(); });
  alice->run();
  CHECK(alice.settles.size() == 2);
}

TEST_CASE("get() inside a handler answers would_deadlock") {
  Engine engine = open_engine();
  ClientOptions options = options_for(engine.listen("tcp://127.0.0.1:0").value(), "alice");
  Talker alice(std::move(options));
  Collected<Errc> answers;
  alice->list([&](const Result<std::vector<ListEntry>>&) {
    answers.add(alice->list().get().error().errc());
  });
  CHECK(answers.wait_for(1).at(0) == Errc::would_deadlock);
}

TEST_CASE("bad options name the field") {
  const auto problem = [](ClientOptions options) {
    auto client = Client::open(std::move(options));
    REQUIRE_FALSE(client);
    return client.error();
  };
  ClientOptions good = options_for("tcp://127.0.0.1:1", "alice");
  CHECK(problem({}).errc() == Errc::invalid_argument);
  ClientOptions options = good;
  options.url = "quic://127.0.0.1:1";
  CHECK(problem(options).errc() == Errc::unsupported);
  options = good;
  options.token = std::string(limits::token + 1, 't');
  CHECK(problem(options).message.starts_with("token"));
  options = good;
  options.device = std::string(limits::device_name + 1, 'd');
  CHECK(problem(options).message.starts_with("device"));
  options = good;
  options.max_outbox = 0;
  CHECK(problem(options).message.starts_with("max_outbox"));
  options = good;
  options.token = std::string(limits::token, 't');
  options.device = std::string(limits::device_name, 'd');
  CHECK(Client::open(options));
}

TEST_CASE("a server that refuses the token is not dialled again; a server that is not there is") {
  EngineOptions nobody;
  nobody.threads = 1;  // the default authenticator refuses everybody
  std::string url;
  {
    Engine engine = Engine::open(std::move(nobody)).value();
    url = engine.listen("ws://127.0.0.1:0/chat").value();
    Talker alice(options_for(url, "alice"));
    alice->start();
    const auto refused = alice.refused.wait_for(1);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].error.errc() == Errc::unauthenticated);
  }
  Collected<ClientStatus> waiting;
  ClientOptions options = options_for(url, "alice");
  options.handlers.on_state = [&](const ClientStatus& status) {
    if (status.state == ClientState::waiting) waiting.add(status);
  };
  Client client = Client::open(std::move(options)).value();
  client.start();
  const auto statuses = waiting.wait_for(2);
  REQUIRE(statuses.size() >= 2);
  CHECK(statuses[0].error.errc() == Errc::unreachable);
}

TEST_CASE("destroying a client answers what is open") {
  Engine engine = open_engine();
  const std::string url = engine.listen("tcp://127.0.0.1:0").value();
  Pending<HistoryPage> page;
  Pending<Ack> ack;
  {
    Client client = Client::open(options_for(url, "alice")).value();  // never started
    page = client.history(ConversationId{{1}});
    ack = client.send(ConversationId{{1}}, "kept");
  }
  CHECK(page.get().error().errc() == Errc::session_closed);
  CHECK(ack.get().error().errc() == Errc::session_closed);
}
