// client_core_test.cpp: dialling, hello, liveness, back-off and requests, without a network.
#include "client/client_core.hpp"

#include "client/harness.hpp"

namespace {

using namespace parley;
using namespace parley::test;

}  // namespace

TEST_CASE("it dials when started, says hello first and is ready after the welcome") {
  Harness t;
  CHECK(t.core.state() == ClientState::stopped);
  CHECK_FALSE(t.core.next_deadline());
  t.start();
  CHECK(t.dials == 1);
  CHECK(t.core.state() == ClientState::connecting);
  t.opened();
  REQUIRE(t.sent.size() == 1);
  const auto hello = t.operation<wire::Hello>();
  CHECK(hello.token == "dev:alice");
  CHECK(hello.device == t.core.device());
  CHECK(hello.device.size() == 32);
  CHECK(hello.ticket.empty());
  CHECK(hello.sync_token.empty());
  t.reply(t.sent[0].number, t.welcome());
  CHECK(t.core.state() == ClientState::ready);
  const auto states = t.told<ClientStatus>();
  REQUIRE(states.size() == 2);
  CHECK(states[1].user == alice);
}

TEST_CASE("a reconnect shows ticket and sync token, the ticket once") {
  Harness t;
  t.connect();
  t.closed();
  CHECK(t.core.state() == ClientState::waiting);
  t.advance(milliseconds(500));
  CHECK(t.dials == 2);
  t.opened();
  CHECK(t.operation<wire::Hello>().ticket == "ticket");
  CHECK(t.operation<wire::Hello>().sync_token == "sync-1");
  t.closed();
  t.advance(milliseconds(2'000));
  t.opened();
  CHECK(t.operation<wire::Hello>().ticket.empty());
  CHECK(t.operation<wire::Hello>().sync_token == "sync-1");
}

TEST_CASE("the device's name is drawn once, and a storage belongs to one device") {
  const auto storage = memory_storage();
  std::string name;
  {
    Harness t(storage);
    name = t.core.device();
  }
  Harness again(storage);
  CHECK(again.core.device() == name);
  client::CoreOptions other;
  other.device = "another";
  other.random = [] { return std::uint64_t{1}; };
  ClientCore core(other, *storage);
  const auto loaded = core.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().errc() == Errc::invalid_argument);
}

TEST_CASE("back-off doubles with full jitter up to 30 seconds, and starts anew after a welcome") {
  Harness t;
  t.chance = UINT64_MAX;  // UINT64_MAX % n varies: look at the bound, not at the value
  t.start();
  const std::vector<int> most{500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000};
  for (const int bound : most) {
    t.notices.clear();
    t.closed(Error{Errc::unreachable, "nobody listens"});
    const auto states = t.told<ClientStatus>();
    REQUIRE(states.size() == 1);
    CHECK(states[0].state == ClientState::waiting);
    CHECK(states[0].error.errc() == Errc::unreachable);
    CHECK(states[0].retry_in == milliseconds(UINT64_MAX % static_cast<std::uint64_t>(bound)));
    CHECK(t.core.next_deadline() == t.now + states[0].retry_in);
    t.forget();
    t.advance(states[0].retry_in);
    CHECK(t.dials == 1);
  }
  t.go_on();
  t.notices.clear();
  t.closed();
  CHECK(t.told<ClientStatus>().at(0).retry_in == milliseconds(UINT64_MAX % 500));
}

TEST_CASE("a goodbye for good is told with the words of the close, where there are any") {
  for (const std::string words :
       {"", "the peer closed with code 1002 history.limit: expected a number"}) {
    Harness t;
    t.connect();
    t.push(wire::Goodbye{"protocol_error", 0, false});
    t.closed(words.empty() ? Error{} : Error{Errc::protocol_error, words});
    REQUIRE(t.core.state() == ClientState::refused);
    const auto told = t.told<ClientStatus>().back().error;
    CHECK(told.errc() == Errc::session_closed);
    CHECK(told.message == "the server said goodbye: protocol_error" +
                              (words.empty() ? std::string() : ": " + words));
  }
}

TEST_CASE("goodbye says when to come back, and whether") {
  Harness t;
  t.connect();
  t.chance = 3'999;
  t.push(wire::Goodbye{"engine_closed", 5'000, true});
  t.notices.clear();
  t.closed();
  CHECK(t.told<ClientStatus>().at(0).retry_in == milliseconds(3'999));
  t.forget();
  t.advance(milliseconds(3'999));
  REQUIRE(t.dials == 1);
  t.go_on();
  t.push(wire::Goodbye{"session_closed", 0, false});
  t.closed();
  CHECK(t.core.state() == ClientState::refused);
  CHECK_FALSE(t.core.next_deadline());
  t.forget();
  t.start();
  CHECK(t.dials == 1);
}

// The engine moves the position of a send a little after its answer: with a crash in between it was
// lost, and what the user had written stood there as unread.
TEST_CASE("a position that the engine lost with a crash is said again after the reconnect") {
  Harness t;
  t.connect({entry(1, 5)});
  t.accept();
  t.forget();
  t.push(wire::Events{room, epoch, 6, {record(6, "mine", alice)}, mark_of(6)});
  t.advance(milliseconds(200));
  REQUIRE(t.all<wire::MarkRead>().empty());
  const auto reconnect = [&t](ListEntry line) {
    t.closed();
    t.advance(milliseconds(500));
    t.go_on({std::move(line)});
    t.advance(milliseconds(200));
  };
  ListEntry line = entry(1, 6);
  line.unread = 6;
  reconnect(line);
  REQUIRE(t.all<wire::MarkRead>().size() == 1);
  CHECK(t.operation<wire::MarkRead>().conversation == room);
  CHECK(t.operation<wire::MarkRead>().received == 6);
  CHECK(t.operation<wire::MarkRead>().read == 6);
  CHECK(t.core.list().at(0).read == 6);
  CHECK(t.core.list().at(0).unread == 0);
  t.reply(t.last<wire::MarkRead>().number, wire::Done{});

  line.received = line.read = 6;
  line.unread = 0;
  reconnect(line);
  CHECK(t.all<wire::MarkRead>().empty());
  line.received = line.read = 0;  // of another history
  line.head.epoch = Epoch{{8}};
  reconnect(line);
  CHECK(t.all<wire::MarkRead>().empty());
}

TEST_CASE("a revoked device is refused by name; its state goes into every hello") {
  Harness t;
  t.start();
  t.core.set_presence(t.now, PresenceState::busy);  // before there is a link
  t.step();
  t.opened();
  CHECK(t.operation<wire::Hello>().state == PresenceState::busy);
  t.reply(t.last<wire::Hello>().number, t.welcome());
  t.core.set_presence(t.now, PresenceState::away);
  t.step();
  CHECK(t.operation<wire::SetPresence>().state == PresenceState::away);
  t.push(wire::Goodbye{"device_revoked", 0, false});
  t.notices.clear();
  t.closed();
  CHECK(t.core.state() == ClientState::refused);
  CHECK(t.told<ClientStatus>().at(0).error.errc() == Errc::device_revoked);
}

TEST_CASE("answers to hello: refused for good, or later") {
  struct Row {
    Errc code;
    int retry_after_ms;
    ClientState state;
  };
  const Row row = GENERATE(Row{Errc::unauthenticated, 0, ClientState::refused},
                           Row{Errc::version_unsupported, 0, ClientState::refused},
                           Row{Errc::device_revoked, 0, ClientState::refused},
                           Row{Errc::busy, 7'000, ClientState::waiting},
                           Row{Errc::engine_closed, 0, ClientState::waiting});
  Harness t;
  t.start();
  t.opened();
  Error error(row.code, "no");
  error.retry_after = milliseconds(row.retry_after_ms);
  t.reply(t.last<wire::Hello>().number, wire::Failed{error});
  CHECK(t.closes.size() == 1);
  t.closed();
  CHECK(t.core.state() == row.state);
  CHECK(t.told<ClientStatus>().back().error.errc() == row.code);
  if (row.state == ClientState::waiting) {
    CHECK(*t.core.next_deadline() >= t.now + error.retry_after);
  } else {
    CHECK_FALSE(t.core.next_deadline());
  }
}

TEST_CASE("a version this client does not speak is refused") {
  Harness t;
  t.start();
  t.opened();
  auto welcome = t.welcome();
  welcome.version = 2;
  t.reply(t.last<wire::Hello>().number, welcome);
  CHECK(t.core.state() == ClientState::refused);
  CHECK(t.told<ClientStatus>().back().error.errc() == Errc::version_unsupported);
}

TEST_CASE("a server that says nothing after hello, or to a ping, is left") {
  Harness t;
  t.start();
  t.opened();
  t.advance(ClientCore::welcome_within);
  CHECK(t.closes.size() == 1);
  t.closed();
  CHECK(t.told<ClientStatus>().back().error.errc() == Errc::timed_out);
  t.advance(milliseconds(500));
  t.go_on();
  t.forget();

  t.advance(milliseconds(24'999));
  CHECK(t.sent.empty());
  t.advance(milliseconds(1));
  REQUIRE(t.all<wire::Ping>().size() == 1);
  t.advance(milliseconds(9'999));
  CHECK(t.closes.empty());
  t.reply(t.last<wire::Ping>().number, wire::Done{});
  t.advance(milliseconds(24'000));
  CHECK(t.all<wire::Ping>().size() == 1);
  t.advance(milliseconds(1'000));
  CHECK(t.all<wire::Ping>().size() == 2);
  t.push(wire::PresenceChanged{});  // any sign of life will do
  t.advance(milliseconds(10'000));
  CHECK(t.closes.empty());
  t.advance(milliseconds(15'000));
  CHECK(t.all<wire::Ping>().size() == 3);
  t.advance(milliseconds(10'000));
  CHECK(t.closes.size() == 1);
}

TEST_CASE("bytes that are no frame close the link, and it dials again") {
  Harness t;
  t.connect();
  t.core.garbled(t.now, Error{Errc::protocol_error, "frame.length"});
  t.step();
  CHECK(t.closes == std::vector{CloseReason::protocol_error});
  t.push(events(conversation(1), 1, 1));  // what still arrives is ignored
  CHECK(t.seqs().empty());
  t.closed();
  CHECK(t.told<ClientStatus>().back().error.errc() == Errc::protocol_error);
  CHECK(t.core.state() == ClientState::waiting);
}

TEST_CASE("stop closes, answers what waits, and start goes on") {
  Harness t;
  t.connect();
  const auto waiting = [&] {
    t.closed();
    return t.ask(wire::Ping{});
  }();
  t.core.stop(t.now);
  t.step();
  const auto completed = t.told<client::Completed>();
  REQUIRE(completed.size() == 1);
  CHECK(completed[0].id == waiting);
  CHECK(completed[0].answer.error().errc() == Errc::disconnected);
  CHECK(t.core.state() == ClientState::stopped);
  CHECK_FALSE(t.core.next_deadline());
  t.forget();
  t.start();
  CHECK(t.dials == 1);
}

TEST_CASE("start during the closing of the last link waits for its end") {
  Harness t;
  t.connect();
  t.core.stop(t.now);
  t.step();
  CHECK(t.closes.size() == 1);
  t.dials = 0;
  t.start();
  CHECK(t.dials == 0);
  t.closed();
  t.advance(milliseconds(500));
  CHECK(t.dials == 1);
}

TEST_CASE("requests wait for the connection, and are answered by number") {
  Harness t;
  const auto early = t.ask(wire::Lookup{{bob}});
  CHECK(t.sent.empty());
  t.connect();
  const auto second = t.ask(wire::History{conversation(1), 0, true, 10});
  REQUIRE(t.sent.size() == 2);
  t.reply(t.last<wire::History>().number, wire::Failed{{Errc::denied, "no"}});
  t.reply(t.last<wire::Lookup>().number, wire::Names{{{bob, "bob"}}});
  t.reply(t.last<wire::Lookup>().number, wire::Names{});  // a second answer means nothing
  t.reply(4711, wire::Done{});
  const auto completed = t.told<client::Completed>();
  REQUIRE(completed.size() == 2);
  CHECK(completed[0].id == second);
  CHECK(completed[0].answer.error().errc() == Errc::denied);
  CHECK(completed[1].id == early);
  CHECK(std::get<wire::Names>(*completed[1].answer).users.size() == 1);
}

TEST_CASE("256 requests may wait, one more is busy") {
  Harness t;
  for (std::size_t i = 0; i < ClientCore::waiting_requests; ++i) t.ask(wire::Ping{});
  CHECK(t.told<client::Completed>().empty());
  t.ask(wire::Ping{});
  REQUIRE(t.told<client::Completed>().size() == 1);
  CHECK(t.told<client::Completed>()[0].answer.error().errc() == Errc::busy);
  t.connect();  // no more than the server takes at once
  CHECK(t.sent.size() < limits::in_flight);
  CHECK(t.sent.size() > limits::in_flight / 2);
  const auto first = t.sent.front().number;
  const auto count = t.sent.size();
  t.reply(first, wire::Done{});
  CHECK(t.sent.size() == count + 1);
}

TEST_CASE("a lost link answers what was on its way with disconnected") {
  Harness t;
  t.connect();
  const auto id = t.ask(wire::Lookup{{bob}});
  t.closed(Error{Errc::disconnected, "reset"});
  const auto completed = t.told<client::Completed>();
  REQUIRE(completed.size() == 1);
  CHECK(completed[0].id == id);
  CHECK(completed[0].answer.error().errc() == Errc::disconnected);
}

TEST_CASE("shutting down answers everything") {
  Harness t;
  t.connect();
  const auto send = t.send(conversation(1), "a");
  const auto open = t.ask(wire::Lookup{{bob}});
  t.forget();
  t.core.shut_down();
  t.step();
  std::vector<std::uint64_t> ids;
  for (const auto& completed : t.told<client::Completed>()) {
    CHECK(completed.answer.error().errc() == Errc::session_closed);
    ids.push_back(completed.id);
  }
  std::sort(ids.begin(), ids.end());
  CHECK(ids == std::vector{send, open});
  CHECK(t.core.outbox().size() == 1);  // kept for the next life
}
