// restored_store_test.cpp: an older copy of the store is put back while clients are there. Who saw
// something that is lost is told so; who did not goes on as if nothing had been.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "client/linked.hpp"

namespace {

using namespace parley;
using namespace parley::test;

/// Four people in one group.
struct Crowd {
  explicit Crowd(ShardWorld& of) : world(of) {
    for (const char* name : {"ann", "ben", "cat", "dan"}) {
      people.push_back(std::make_unique<Person>(world, name, Encoding::binary, people.size() % 2));
      everybody.push_back(people.back().get());
      everybody.back()->start();
    }
    pass(world, everybody, 500ms);
    wire::Create create;
    create.members = {"ben", "cat", "dan"};
    create.nonce.bytes[0] = 1;
    people[0]->ask(create);
    pass(world, everybody, 2s);
    team = std::get<wire::Opened>(people[0]->answers.at(0).value()).entry.conversation;
  }
  void say(std::size_t who, int count) {
    for (int i = 0; i < count; ++i) people[who]->send(team, "m" + std::to_string(++said));
    pass(world, everybody, 500ms);
  }
  void leave(std::size_t who) {
    people[who]->may_dial = false;
    people[who]->hang_up();
  }
  void come_back(std::size_t who) { people[who]->may_dial = true; }
  /// The engine's process ends, and another one begins on the copy.
  void restore(std::unique_ptr<Store> copy) {
    for (Person* each : everybody) each->lose_server();
    world.restart_on(std::move(copy));
  }
  [[nodiscard]] Seq seen(std::size_t who) { return people[who]->core.cursor(team)->seq; }
  /// Whether it was told that messages were lost, and how.
  [[nodiscard]] std::optional<Resume> told(std::size_t who) {
    std::optional<Resume> how;
    for (const ResumeAnswer& each : people[who]->resumed) {
      if (each.conversation != team) continue;
      CHECK_FALSE(how);  // once is enough
      how = each.answer;
    }
    return how;
  }
  /// What the engine has of the stream.
  [[nodiscard]] std::vector<std::string> stored() {
    test::Client& judge = world.sign_in("ann", "judge");
    const auto page = world.ask<wire::HistoryPage>(judge, wire::History{team, 0, true, 250});
    std::vector<std::string> texts;
    for (const Payload& record : page.records) {
      const auto fields = wire::read_record(record.bytes());
      if (fields.kind == EventKind::message) texts.emplace_back(fields.body);
    }
    world.sign_out(judge);
    return texts;
  }

  ShardWorld& world;
  ConversationId team;
  int said = 0;
  std::vector<std::unique_ptr<Person>> people;
  std::vector<Person*> everybody;
};

bool ends_with(const std::vector<std::string>& all, const std::vector<std::string>& end) {
  return all.size() >= end.size() && std::equal(end.rbegin(), end.rend(), all.rbegin());
}

}  // namespace

TEST_CASE("an older copy under live clients: who saw what is lost is told, others go on") {
  ShardWorld world;
  Crowd crowd(world);
  crowd.say(0, 5);
  crowd.leave(3);  // has seen nothing that will be lost
  crowd.say(1, 3);
  auto copy = world.copy_of_store();
  const auto kept = crowd.stored();
  crowd.say(2, 4);
  crowd.restore(std::move(copy));
  crowd.come_back(3);
  pass(world, crowd.everybody, 60s);

  for (const std::size_t who : {0, 1, 2}) CHECK(crowd.told(who) == Resume::ahead);
  CHECK_FALSE(crowd.told(3));
  CHECK(crowd.people[3]->texts(crowd.team) == kept);
  CHECK(crowd.stored() == kept);
  bool alarmed = false;
  for (const std::string& line : world.log) alarmed |= line.find("data was lost") != line.npos;
  CHECK(alarmed);

  // From there on everybody hears everything, and what is sent is stored once.
  for (const std::size_t who : {0, 1, 2, 3}) crowd.say(who, 2);
  pass(world, crowd.everybody, 10s);
  const auto all = crowd.stored();
  CHECK(all.size() == kept.size() + 8);
  for (const std::size_t who : {0, 1, 2, 3}) {
    CHECK(ends_with(crowd.people[who]->texts(crowd.team), {all.end() - 8, all.end()}));
    CHECK(crowd.people[who]->core.outbox().empty());
  }
  CHECK(crowd.people[3]->texts(crowd.team) == all);
}

TEST_CASE("the copy grew again past what a client knows: forked by the mark") {
  ShardWorld world;
  Crowd crowd(world);
  crowd.say(0, 5);
  crowd.leave(3);
  auto copy = world.copy_of_store();
  crowd.say(1, 3);
  for (const std::size_t who : {0, 1}) crowd.leave(who);
  const Seq lost = crowd.seen(0);
  crowd.restore(std::move(copy));
  crowd.come_back(3);
  pass(world, crowd.everybody, 60s);
  CHECK(crowd.told(2) == Resume::ahead);
  crowd.say(3, 6);
  CHECK(crowd.seen(3) > lost);
  for (const std::size_t who : {0, 1}) crowd.come_back(who);
  pass(world, crowd.everybody, 60s);

  for (const std::size_t who : {0, 1}) CHECK(crowd.told(who) == Resume::forked);
  CHECK(crowd.told(2) == Resume::ahead);
  CHECK_FALSE(crowd.told(3));
  crowd.say(0, 2);
  const auto all = crowd.stored();
  for (const std::size_t who : {0, 1, 2, 3}) {
    CHECK(ends_with(crowd.people[who]->texts(crowd.team), {all.end() - 2, all.end()}));
  }
  CHECK(crowd.people[3]->texts(crowd.team) == all);
}

TEST_CASE("any copy, any time: told exactly when something that was seen is gone") {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    ShardWorld world;
    Crowd crowd(world);
    std::unique_ptr<Store> copy;
    Seq head = 0;
    const auto rounds = 4 + random() % 8;
    const auto copied = random() % rounds;
    std::vector<bool> away(4, false);
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::size_t who = random() % 4;
      if (random() % 3 == 0) {
        away[who] ? crowd.come_back(who) : crowd.leave(who);
        away[who] = !away[who];
      }
      crowd.say(random() % 4, static_cast<int>(random() % 4));
      if (round != copied) continue;
      copy = world.copy_of_store();
      head = crowd.stored().size();  // messages
    }
    std::vector<bool> lost(4);
    for (std::size_t who = 0; who < 4; ++who) {
      const auto texts = crowd.people[who]->texts(crowd.team);
      lost[who] = texts.size() > head;
    }
    crowd.restore(std::move(copy));
    for (std::size_t who = 0; who < 4; ++who) crowd.come_back(who);
    pass(world, crowd.everybody, 100s);
    for (std::size_t who = 0; who < 4; ++who) {
      CAPTURE(who);
      const auto how = crowd.told(who);
      if (lost[who]) {
        CHECK((how == Resume::ahead || how == Resume::forked));
      } else {
        CHECK_FALSE(how);
      }
    }
    crowd.say(0, 1);
    const auto all = crowd.stored();
    for (std::size_t who = 0; who < 4; ++who) {
      CAPTURE(who);
      CHECK(crowd.people[who]->core.outbox().empty());
      const auto texts = crowd.people[who]->texts(crowd.team);
      REQUIRE_FALSE(texts.empty());
      CHECK(texts.back() == all.back());
      if (!lost[who]) CHECK(texts == all);
    }
  }
}
