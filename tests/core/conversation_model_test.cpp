// conversation_model_test.cpp: random membership histories of a group, with faults, against a model
// of a page.
#include "core/conversation.hpp"

#include <rapidcheck.h>

#include <map>
#include <string>

#include "catch.hpp"
#include "conversation_world.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t people = 5;

/// What a group is, said as simply as possible.
struct Model {
  struct Person {
    Role role = Role::none;
    Seq from = 0, left = 0;
    std::uint64_t before = 0;  // countable messages before `from`
  };
  std::map<std::uint64_t, Person> persons;
  Seq head = 0;
  std::uint64_t messages = 0;

  Role role(std::uint64_t n) { return persons[n].role; }
  std::size_t count(Role least, Role most) {
    std::size_t sum = 0;
    for (const auto& [n, person] : persons)
      sum += person.role >= least && person.role <= most ? 1 : 0;
    return sum;
  }
  void enter(std::uint64_t n, Role as) { persons[n] = {as, head, 0, messages}; }
  void exit(std::uint64_t n) {
    persons[n].role = Role::none;
    persons[n].left = head;
  }

  Errc send(std::uint64_t by) {
    if (role(by) == Role::none) return Errc::denied;
    ++head, ++messages;
    return Errc::ok;
  }
  Errc add(std::uint64_t by, std::uint64_t whom) {
    if (role(by) < Role::admin) return Errc::denied;
    if (role(whom) != Role::none) return Errc::ok;
    ++head;
    enter(whom, Role::member);
    return Errc::ok;
  }
  Errc leave(std::uint64_t by) {
    if (role(by) == Role::none) return Errc::denied;
    const bool last = role(by) == Role::owner && count(Role::owner, Role::owner) == 1;
    if (last && count(Role::member, Role::owner) > 1) return Errc::last_owner;
    ++head;
    exit(by);
    return Errc::ok;
  }
  Errc remove(std::uint64_t by, std::uint64_t whom) {
    if (role(by) < Role::admin || role(whom) == Role::none || by == whom) return Errc::denied;
    if (role(whom) >= role(by)) return Errc::denied;
    ++head;
    exit(whom);
    return Errc::ok;
  }
  Errc set_role(std::uint64_t by, std::uint64_t whom, Role to) {
    if (role(by) < Role::admin || role(whom) == Role::none) return Errc::denied;
    if (role(by) == Role::admin && (to >= Role::admin || (role(whom) >= Role::admin && by != whom)))
      return Errc::denied;
    if (role(whom) == to) return Errc::ok;
    if (role(whom) == Role::owner && count(Role::owner, Role::owner) == 1) return Errc::last_owner;
    ++head;
    persons[whom].role = to;
    return Errc::ok;
  }
};

struct Step {
  int what;
  std::uint64_t by, whom;
  Role to;
};

void check_equal(World& world, Model& model) {
  for (std::uint64_t n = 1; n <= people; ++n) {
    const auto access = world.access(n);
    const Model::Person person = model.persons[n];
    if (person.from == 0) {
      RC_ASSERT(access.errc() == Errc::denied);
      continue;
    }
    RC_ASSERT(access.errc() == Errc::ok);
    RC_ASSERT(access.value().role == person.role);
    RC_ASSERT(access.value().visible_from == person.from);
    RC_ASSERT(access.value().visible_ordinal == person.before);
    RC_ASSERT(access.value().left_at == person.left);
    RC_ASSERT(access.value().members == model.count(Role::member, Role::owner));
    RC_ASSERT(access.value().head.seq == model.head);
    RC_ASSERT(access.value().head_ordinal == model.messages);
  }
}

}  // namespace

TEST_CASE("membership as a model says, in any order, batched, through refusals and doubt") {
  CHECK(rc::check("membership", [] {
    const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
        rc::gen::inRange(0, 7), rc::gen::inRange<std::uint64_t>(1, people + 1),
        rc::gen::inRange<std::uint64_t>(1, people + 1),
        rc::gen::element(Role::member, Role::admin, Role::owner)));
    const auto together = *rc::gen::inRange<std::size_t>(1, 12);
    // Faults that settle as done or refused: what was asked is decided in order all the same.
    const auto faults = *rc::gen::container<std::vector<Fault>>(
        rc::gen::element(Fault::none, Fault::none, Fault::refused, Fault::unknown_landed,
                         Fault::unknown_lost, Fault::unknown_overtaken));
    World world;
    Model model;
    (void)world.create(by(1), ConversationKind::group, {user(2)});
    model.head = 1;
    model.enter(1, Role::owner);
    model.head = 2;
    model.enter(2, Role::member);
    std::size_t commits = 0;
    world.fx.inject = [&](const Batch&) {
      return commits < faults.size() ? faults[commits++] : Fault::none;
    };
    std::vector<std::pair<Errc, std::shared_ptr<std::vector<Errc>>>> asked;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      auto got = std::make_shared<std::vector<Errc>>();
      const auto then = [got](const auto& result) {
        got->push_back(result ? Errc::ok : result.error().errc());
      };
      Errc expected{};
      switch (step.what) {
        case 0:
          expected = model.add(step.by, step.whom);
          world->add(by(step.by), {user(step.whom)}, then);
          break;
        case 1:
          expected = model.leave(step.by);
          world->leave(by(step.by), then);
          break;
        case 2:
          expected = model.remove(step.by, step.whom);
          world->remove(by(step.by), user(step.whom), then);
          break;
        case 3:
        case 4:
          expected = model.set_role(step.by, step.whom, step.to);
          world->set_role(by(step.by), user(step.whom), step.to, then);
          break;
        default:
          expected = model.send(step.by);
          world->send(by(step.by), text("m"), then);
      }
      asked.emplace_back(expected, std::move(got));
      if (i % together == 0) world.fx.step();
    }
    world.fx.advance(10s);
    for (const auto& [expected, got] : asked) {
      RC_ASSERT(got->size() == 1U);
      RC_ASSERT(got->front() == expected);
    }
    check_equal(world, model);
    RC_ASSERT(world.stream().size() == model.head);
    world.restart();
    check_equal(world, model);
    RC_ASSERT(world.home->idle());
  }));
}
