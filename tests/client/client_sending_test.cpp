// client_sending_test.cpp: no message handed over is lost or sent under two keys (CONTRACT I3).
#include "client/harness.hpp"

namespace {

using namespace parley;
using namespace parley::test;

std::vector<wire::Send> sends(const Harness& t) {
  std::vector<wire::Send> out;
  for (const auto& request : t.all<wire::Send>()) {
    out.push_back(std::get<wire::Send>(request.operation));
  }
  return out;
}
std::vector<std::uint64_t> numbers(const Harness& t) {
  std::vector<std::uint64_t> out;
  for (const auto& send : sends(t)) out.push_back(send.number);
  return out;
}
std::uint32_t request_of(const Harness& t, std::uint64_t number) {
  std::uint32_t found = 0;
  for (const auto& request : t.all<wire::Send>()) {
    if (std::get<wire::Send>(request.operation).number == number) found = request.number;
  }
  REQUIRE(found != 0);
  return found;
}
void ack(Harness& t, std::uint64_t number, Seq seq, bool repeated = false) {
  t.reply(request_of(t, number), wire::Acked{{room, seq, WallTime{}, number, repeated}});
}
void refuse(Harness& t, std::uint64_t number, Error error) {
  t.reply(request_of(t, number), wire::Failed{std::move(error)});
}
Error with_next(Errc code, std::uint64_t next) {
  Error error(code, "");
  error.next = next;
  return error;
}

}  // namespace

TEST_CASE("sends are numbered, carry random bits, and tell what is settled") {
  Harness t;
  t.connect();
  t.chance = 100;
  const auto first = t.send(room, "one");
  t.chance = 200;
  t.send(room, "two");
  auto all = sends(t);
  REQUIRE(all.size() == 2);
  CHECK(all[0].number == 1);
  CHECK(all[0].random == 100);
  CHECK(all[0].settled == 1);
  CHECK(all[0].body.bytes() == "one");
  CHECK(all[1].number == 2);
  CHECK(all[1].random == 200);
  CHECK(all[1].settled == 1);
  ack(t, 1, 6);
  const auto settled = t.told<client::Settled>();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].id == first);
  CHECK(settled[0].message.random == 100);
  CHECK(settled[0].message.result->seq == 6);
  ack(t, 2, 7);
  t.send(room, "three");
  CHECK(sends(t).back().settled == 3);
  t.send(conversation(2), "elsewhere");
  CHECK(sends(t).back().number == 1);
}

TEST_CASE("acks may come in any order") {
  Harness t;
  t.connect();
  for (const char* text : {"a", "b", "c"}) t.send(room, text);
  ack(t, 3, 8);
  ack(t, 1, 6);
  ack(t, 2, 7);
  std::vector<std::uint64_t> order;
  for (const auto& settled : t.told<client::Settled>()) order.push_back(settled.message.number);
  CHECK(order == std::vector<std::uint64_t>{3, 1, 2});
  CHECK(t.core.outbox().empty());
}

TEST_CASE("a reconnect with a half-acknowledged outbox sends the rest again, same keys, in order") {
  Harness t;
  t.connect();
  for (const char* text : {"a", "b", "c", "d"}) {
    t.chance += 11;
    t.send(room, text);
  }
  const auto before = sends(t);
  ack(t, 2, 7);
  t.closed();
  t.send(room, "e");  // while there is no connection
  t.advance(milliseconds(500));
  t.go_on();
  const auto after = sends(t);
  REQUIRE(numbers(t) == std::vector<std::uint64_t>{1, 3, 4, 5});
  CHECK(after[0].random == before[0].random);
  CHECK(after[1].random == before[2].random);
  CHECK(after[1].body.bytes() == "c");
  for (const auto& send : after) CHECK(send.settled == 1);
  ack(t, 1, 6, true);
  CHECK(t.told<client::Settled>().at(0).message.result->repeated);
}

TEST_CASE("a restart goes on with the stored outbox and its numbers") {
  const auto storage = memory_storage();
  std::uint64_t random = 0;
  {
    Harness t(storage);
    t.connect();
    t.send(room, "first");
    ack(t, 1, 6);
    t.chance = 777;
    t.send(room, "second");
    random = sends(t).back().random;
  }
  Harness t(storage);
  REQUIRE(t.core.outbox().size() == 1);
  t.connect();
  const auto all = sends(t);
  REQUIRE(all.size() == 1);
  CHECK(all[0].number == 2);
  CHECK(all[0].random == random);
  CHECK(all[0].body.bytes() == "second");
  ack(t, 2, 7);
  CHECK(t.told<client::Settled>().at(0).id == 0);
  t.send(room, "third");
  CHECK(sends(t).back().number == 3);  // also after everything was settled
  {
    ack(t, 3, 8);
    Harness later(storage);
    later.connect();
    later.send(room, "fourth");
    CHECK(sends(later).back().number == 4);
  }
}

TEST_CASE("errors of a send: settled, or open under the same key") {
  struct Row {
    Errc code;
    bool open;
  };
  const Row row =
      GENERATE(Row{Errc::denied, false}, Row{Errc::too_large, false}, Row{Errc::key_reused, false},
               Row{Errc::invalid_argument, false}, Row{Errc::internal, false},
               Row{Errc::busy, true}, Row{Errc::unavailable, true}, Row{Errc::timed_out, true},
               Row{Errc::engine_closed, true}, Row{Errc::disk_full, true});
  Harness t;
  t.connect();
  t.send(room, "a");
  refuse(t, 1, {row.code, "no"});
  const auto settled = t.told<client::Settled>();
  CHECK(settled.empty() == row.open);
  CHECK(t.core.outbox().size() == (row.open ? 1 : 0));
  if (!row.open) {
    CHECK(settled.at(0).message.result.error().errc() == row.code);
    return;
  }
  CHECK(numbers(t).size() == 1);
  t.advance(milliseconds(250));
  CHECK(numbers(t) == std::vector<std::uint64_t>{1, 1});
}

TEST_CASE("retry-after is honoured, and later messages do not overtake") {
  Harness t;
  t.connect();
  t.send(room, "a");
  t.send(room, "b");
  Error busy(Errc::busy, "");
  busy.retry_after = milliseconds(900);
  refuse(t, 1, busy);
  refuse(t, 2, Error{Errc::busy, ""});
  t.send(room, "c");
  CHECK(numbers(t).size() == 2);
  CHECK(t.core.next_deadline() == t.now + milliseconds(900));
  t.advance(milliseconds(899));
  CHECK(numbers(t).size() == 2);
  t.advance(milliseconds(1));
  CHECK(numbers(t) == std::vector<std::uint64_t>{1, 2, 1, 2, 3});
}

TEST_CASE("a number the server never heard from us is replaced, and the host is told") {
  const Errc code = GENERATE(Errc::number_taken, Errc::too_old);
  Harness t;
  t.connect();
  const auto first = t.send(room, "a");
  t.send(room, "b");
  const auto random = sends(t)[0].random;
  refuse(t, 1, with_next(code, 9));
  refuse(t, 2, with_next(code, 9));
  const auto renumbered = t.told<MessageRenumbered>();
  REQUIRE(renumbered.size() == 2);
  CHECK(renumbered[0].before == 1);
  CHECK(renumbered[0].number == 9);
  CHECK(renumbered[0].why.errc() == code);
  CHECK(renumbered[1].number == 10);
  CHECK(numbers(t) == std::vector<std::uint64_t>{1, 2, 9, 10});
  CHECK(sends(t)[2].random == random);
  ack(t, 9, 20);
  CHECK(t.told<client::Settled>().at(0).id == first);
  ack(t, 10, 21);
  CHECK(t.core.outbox().empty());
}

TEST_CASE("of one conversation 32 are on their way, the others wait") {
  Harness t;
  t.connect();
  for (int i = 0; i < 40; ++i) t.send(room, "x");
  CHECK(numbers(t).size() == limits::open_sends);
  ack(t, 2, 7);
  CHECK(numbers(t).size() == limits::open_sends);
  ack(t, 1, 6);
  CHECK(numbers(t).size() == limits::open_sends + 2);
  CHECK(sends(t).back().settled == 3);
}

TEST_CASE("all conversations together stay below what a session may have open") {
  Harness t;
  t.connect();
  for (std::uint8_t n = 1; n <= 4; ++n) {
    for (int i = 0; i < 20; ++i) t.send(conversation(n), "x");
  }
  CHECK(numbers(t).size() < limits::in_flight);
}

TEST_CASE("limits of the outbox: a body at the server's limit, and one past it; a full outbox") {
  client::CoreOptions options;
  options.max_outbox = 3;
  Harness t(memory_storage(), options);
  t.connect();
  t.send(room, std::string(1'000, 'x'));
  CHECK(numbers(t).size() == 1);
  t.send(room, std::string(1'001, 'x'));
  REQUIRE(t.told<client::Completed>().size() == 1);
  CHECK(t.told<client::Completed>()[0].answer.error().errc() == Errc::too_large);
  CHECK(numbers(t).size() == 1);
  MessageDraft draft;
  draft.content_type = std::string(limits::content_type + 1, 't');
  t.core.send(t.now, room, draft);
  t.step();
  CHECK(t.told<client::Completed>().at(1).answer.error().errc() == Errc::too_large);
  draft.content_type.pop_back();
  t.core.send(t.now, room, draft);
  t.step();
  t.send(room, "third");
  CHECK(t.core.outbox().size() == 3);
  t.send(room, "fourth");
  CHECK(t.told<client::Completed>().at(2).answer.error().errc() == Errc::busy);
  CHECK(t.core.outbox().size() == 3);
}

TEST_CASE("a stored message that is too long for this server is settled, not retried for ever") {
  const auto storage = memory_storage();
  {
    Harness t(storage);  // never connected: the default limit holds
    t.send(room, std::string(1'001, 'x'));
  }
  Harness t(storage);
  t.connect();
  CHECK(numbers(t).empty());
  CHECK(t.told<client::Settled>().at(0).message.result.error().errc() == Errc::too_large);
  CHECK(t.core.outbox().empty());
}

namespace {

class FailingStorage final : public ClientStorage {
 public:
  Result<StoredClient> load() override { return StoredClient{}; }
  Result<void> apply(const ClientBatch&) override {
    if (left == 0) return Error{Errc::disk_full, "no room"};
    --left;
    return {};
  }
  int left = 1;  // the device's name
};

}  // namespace

TEST_CASE("a storage that fails stops the client: nothing is sent that is not stored") {
  const auto storage = std::make_shared<FailingStorage>();
  Harness t(storage);
  t.connect();
  t.forget();
  const auto id = t.send(room, "a");
  CHECK(t.sent.empty());
  CHECK(t.closes.size() == 1);
  CHECK(t.core.state() == ClientState::failed);
  CHECK(t.told<ClientStatus>().at(0).error.errc() == Errc::disk_full);
  CHECK(t.told<client::Completed>().at(0).id == id);
  t.closed();
  CHECK(t.core.state() == ClientState::failed);
  t.forget();
  t.start();
  CHECK(t.dials == 0);
  t.send(room, "b");
  CHECK(t.told<client::Completed>().at(0).answer.error().errc() == Errc::session_closed);
}
