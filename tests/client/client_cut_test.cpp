// client_cut_test.cpp: a link that is cut after any one byte, in either direction, of a session
// that says a bit of everything: afterwards nothing is missing and nothing is there twice.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "client/linked.hpp"

namespace {

using namespace parley;
using namespace parley::test;

struct Played {
  bool cut = false;  // the link was, before all was said
  std::size_t bytes = 0;
};

/// What the person has of the list is what the engine has.
void check_list(const Person& person, const wire::ListChanged& list) {
  CHECK(list.entries.size() == 2);  // the chat and one team
  const std::vector<ListEntry> known = person.core.list();
  REQUIRE(known.size() == list.entries.size());
  for (const ListEntry& entry : list.entries) {
    const auto mine = std::find_if(known.begin(), known.end(), [&](const ListEntry& each) {
      return each.conversation == entry.conversation;
    });
    REQUIRE(mine != known.end());
    CHECK(mine->head == entry.head);
    CHECK(mine->unread == entry.unread);
    CHECK(mine->read == entry.read);
    CHECK(mine->pinned == entry.pinned);
  }
}

/// Alice and bob talk; alice's first link is cut after so many bytes. Then everything is compared
/// with what the engine has.
Played play(std::size_t cut_after, Encoding encoding) {
  CAPTURE(cut_after, static_cast<int>(encoding));
  ShardWorld world;
  Person alice(world, "alice", encoding, 0);
  Person bob(world, "bob", encoding, 1);
  const std::vector<Person*> both{&alice, &bob};
  bob.start();
  pass(world, both, 100ms);
  alice.cut_after = cut_after;
  alice.start();
  pass(world, both, 200ms);

  bob.ask(wire::Direct{"alice"});
  pass(world, both, 300ms);
  REQUIRE(bob.answers.size() == 1);
  const ConversationId chat = std::get<wire::Opened>(bob.answers[0].value()).entry.conversation;
  wire::Create create;
  create.title = "team";
  create.members = {"bob"};
  create.nonce.bytes[0] = 1;
  alice.ask(create);  // the nonce makes a repeated one the same
  bob.send(chat, "b1");
  pass(world, both, 100ms);
  alice.send(chat, "a1");
  alice.send(chat, "a2");
  pass(world, both, 300ms);
  bob.ask(wire::SendSignal{chat, "typing", "", 6'000});
  bob.ask(wire::Edit{chat, 1, "", Payload::copy_of("b1, better")});
  bob.ask(wire::React{chat, 1, "+1", true});
  alice.ask(wire::React{chat, 1, "+1", true});
  alice.ask(wire::Pin{chat, 1, true});
  alice.ask(wire::History{chat, 0, true, 10});
  alice.ask(wire::Members{chat, {}, 10, ""});
  alice.ask(wire::SetList{chat, {.pinned = true}});
  alice.ask(wire::Watch{chat, {}});
  alice.read(chat, 2);
  pass(world, both, 300ms);
  bob.send(chat, "b2");
  alice.send(chat, "a3");
  bob.ask(wire::Delete{chat, 1});
  bob.read(chat, 3);
  pass(world, both, 60s);

  REQUIRE(alice.connected());
  REQUIRE(alice.answered());
  CHECK(alice.answers.size() == 7);  // each once: one create and six others
  CHECK(alice.core.outbox().empty());
  REQUIRE(alice.settled.size() == 3);

  test::Client& judge = world.sign_in("alice", "judge", 1);
  const auto page = world.ask<wire::HistoryPage>(judge, wire::History{chat, 0, true, 200});
  const Seq head = page.first + page.records.size() - 1;
  std::vector<Seq> all;
  for (Seq seq = 1; seq <= head; ++seq) all.push_back(seq);
  CHECK(alice.seqs(chat) == all);
  CHECK(bob.seqs(chat) == all);
  CHECK(alice.resumed.empty());
  std::multiset<std::string> said;
  for (const std::string& text : bob.texts(chat)) said.insert(text);
  for (const char* text : {"a1", "a2", "a3", "b2"}) CHECK(said.count(text) == 1);
  for (const MessageSettled& each : alice.settled) {
    REQUIRE(each.result);
    const Event& event = alice.events[chat].at(each.result->seq - 1);
    CHECK(event.as<Message>()->text() == "a" + std::to_string(each.number));
  }
  check_list(alice, judge.all<wire::Welcome>().at(0).list);
  return {.cut = alice.cut_after == Person::endless && cut_after != Person::endless,
          .bytes = cut_after - alice.cut_after};
}

void cut_at_every(std::size_t step, Encoding encoding) {
  std::size_t cuts = 0;
  for (std::size_t at = 1; play(at, encoding).cut; at += step) ++cuts;
  CAPTURE(cuts);
  CHECK(cuts * step > 2'000);  // the session is as long as that
}

}  // namespace

TEST_CASE("a link cut after any byte: every event once, every message stored once") {
  CHECK_FALSE(play(Person::endless, Encoding::binary).cut);
  cut_at_every(61, Encoding::binary);
}

TEST_CASE("a link cut after every single byte: every event once, every message stored once",
          "[slow]") {
  cut_at_every(1, GENERATE(Encoding::binary, Encoding::json));
}
