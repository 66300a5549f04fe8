// online_test.cpp: who watches a conversation as a whole is told who is online there, as exactly
// as its step says; and nothing is left when nobody watches.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/shard_state.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"

namespace parley::test {
namespace {

constexpr core::PresenceBorders small{.full = 3, .full_again = 2, .window = 5, .window_again = 4};
/// Everything is counted, from the second member on.
constexpr core::PresenceBorders huge{.full = 0, .full_again = 0, .window = 1, .window_again = 1};
constexpr auto settled = limits::online_gather + limits::online_period + limits::presence_grace;

Online watch(ShardWorld& world, Client& client, const ConversationId& id) {
  return world.ask<Online>(client, wire::WatchConversation{id});
}
Online unwatch(ShardWorld& world, Client& client, const ConversationId& id) {
  return world.ask<Online>(client, wire::WatchConversation{id, false});
}
std::vector<Online> pushed(const Client& client) {
  std::vector<Online> found;
  for (const wire::Reply& reply : client.replies)
    if (const auto* online = std::get_if<Online>(&reply.answer); online && reply.request == 0)
      found.push_back(*online);
  return found;
}
Online last(const Client& client) {
  const auto all = client.all<Online>();
  REQUIRE_FALSE(all.empty());
  return all.back();
}
std::vector<UserId> users_of(const Online& online) {
  std::vector<UserId> users;
  REQUIRE(online.users);
  for (const Presence& each : *online.users) users.push_back(each.user);
  return users;
}
/// What a client knows of a user: the newest that it was told, pushed alone or with a list.
std::optional<bool> shown_online(const Client& client, UserId user) {
  std::optional<bool> shown;
  const auto take = [&](const std::vector<Presence>& users) {
    for (const Presence& each : users)
      if (each.user == user) shown = each.online;
  };
  for (const wire::Reply& reply : client.replies) {
    if (const auto* one = std::get_if<wire::PresenceChanged>(&reply.answer)) take(one->users);
    const auto* list = std::get_if<Online>(&reply.answer);
    if (list != nullptr && list->users) take(*list->users);
  }
  return shown;
}
/// What all shards keep of conversations that are watched.
std::size_t kept(ShardWorld& world, int shards) {
  std::size_t sum = 0;
  for (int i = 0; i < shards; ++i) {
    const core::ShardState& state = core::ShardAccess::state(world.shard(i));
    sum += state.online_homes.size() + state.online.size();
  }
  return sum;
}
std::vector<std::string> names(const std::string& prefix, int from, int to) {
  std::vector<std::string> made;
  for (int i = from; i < to; ++i) made.push_back(prefix + std::to_string(i));
  return made;
}

}  // namespace

TEST_CASE("of a small conversation everybody's presence is told, and nobody needs to be named") {
  for (const auto kind :
       {ConversationKind::direct, ConversationKind::group, ConversationKind::channel}) {
    ShardWorld world(3);
    Client& ann = world.sign_in("ann");
    Client& ben = world.sign_in("ben", "phone", 1);
    const auto id = kind == ConversationKind::direct
                        ? world.ask<wire::Opened>(ann, wire::Direct{"ben"}).entry.conversation
                        : world.group(ann, {"ben"}, kind);
    world.pass(1s);
    const Online first = watch(world, ann, id);
    CHECK(first.step == PresenceStep::full);
    CHECK(first.users->size() == 2);
    CHECK(shown_online(ann, ben.user) == true);
    world.ask<wire::Done>(ben, wire::SetPresence{PresenceState::invisible});
    world.pass(settled);
    CHECK(shown_online(ann, ben.user) == false);
    world.ask<wire::Done>(ben, wire::SetPresence{PresenceState::busy});
    world.pass(settled);
    CHECK(shown_online(ann, ben.user) == true);
    world.sign_out(ben);
    world.pass(settled);
    CHECK(shown_online(ann, ben.user) == false);
    CHECK(pushed(ann).empty());  // the step is the same

    if (kind == ConversationKind::direct) continue;
    Client& cem = world.sign_in("cem", "phone", 2);
    world.ask<wire::Done>(ann, wire::Add{id, {"cem"}});
    world.pass(settled);
    CHECK(shown_online(ann, cem.user) == true);
    world.ask<wire::Done>(ann, wire::Remove{id, cem.user});
    world.pass(settled);
    ann.replies.clear();
    world.sign_out(cem);
    world.pass(settled);
    CHECK_FALSE(shown_online(ann, cem.user));  // no member any more
    CHECK(unwatch(world, ann, id).step == PresenceStep::none);
    world.sign_in("ben", "phone", 1);
    world.pass(settled);
    CHECK_FALSE(shown_online(ann, ben.user));
    CHECK(kept(world, 3) == 0);
  }
}

TEST_CASE("the step follows the members at once, and does not flap at its border") {
  for (const auto kind : {ConversationKind::group, ConversationKind::channel}) {
    ShardWorld world(2, small);
    Client& ann = world.sign_in("ann");
    Client& eve = world.sign_in("eve", "phone", 1);
    const auto id = world.group(ann, {"ben", "cem"}, kind);
    world.subscribe(ann, id);
    CHECK(watch(world, ann, id).step == PresenceStep::full);
    const auto members = [&](bool more, const std::string& who) {
      ann.replies.clear();
      if (more) {
        world.ask<wire::Done>(ann, wire::Add{id, {who}});
      } else {
        const auto page = world.ask<wire::MembersPage>(ann, wire::Members{.conversation = id});
        world.ask<wire::Done>(
            ann, wire::Remove{id, page.members.back().user == ann.user ? page.members.front().user
                                                                       : page.members.back().user});
      }
      world.pass(100ms);
      return pushed(ann).empty() ? PresenceStep::none : last(ann).step;
    };
    using enum PresenceStep;
    CHECK(members(true, "eve") == window);  // 4
    CHECK(last(ann).count == 1);
    CHECK(last(ann).users->empty());
    CHECK(members(true, "fay") == none);   // 5
    CHECK(members(true, "gil") == count);  // 6
    world.subscribe(eve, id);
    CHECK(members(false, {}) == none);  // 5
    CHECK(members(true, "hal") == none);
    CHECK(members(false, {}) == none);
    CHECK(members(false, {}) == none);    // 4
    CHECK(members(false, {}) == window);  // 3
    CHECK(members(false, {}) == none);    // 2
    CHECK(members(false, {}) == full);    // 1
    CHECK(users_of(last(ann)) == std::vector{ann.user});
  }
}

TEST_CASE("the borders are those of the limits") {
  ShardWorld world;
  Client& host = world.system();
  Client& ann = world.sign_in("ann");
  const auto id = world.group(ann, {}, ConversationKind::channel);
  world.subscribe(ann, id);
  const auto add = [&](int from, int to) {
    for (int i = from; i < to; i += 100)
      world.ask<wire::Done>(host, wire::Add{id, names("u", i, std::min(i + 100, to))});
    world.pass(1s);
  };
  constexpr int full = limits::presence_full, window = limits::presence_window;
  add(1, full);
  CHECK(watch(world, ann, id).users->size() == limits::presence_full);
  add(full, full + 1);
  CHECK(last(ann).step == PresenceStep::window);
  add(full + 1, window);
  CHECK(last(ann).step == PresenceStep::window);
  add(window, window + 1);
  CHECK(last(ann).step == PresenceStep::count);
  CHECK(last(ann).count == 1);
}

TEST_CASE("who is online is counted exactly, whatever comes and goes") {
  ShardWorld world(3, huge);
  Client& ann = world.sign_in("ann");
  const auto id = world.group(ann, {"ben", "cem", "dan"}, ConversationKind::channel);
  world.pass(1s);
  const auto follow = [&](const std::string& name, const std::string& device, std::size_t shard,
                          Level level = Level::full) -> Client& {
    Client& client = world.sign_in(name, device, shard);
    world.subscribe(client, id, {}, level);
    return client;
  };
  world.subscribe(ann, id);
  Client& ben = follow("ben", "phone", 1);
  CHECK(watch(world, ann, id).count == 2);
  CHECK(users_of(last(ann)) == std::vector{ben.user});  // oneself is not named
  const auto now = [&] {
    world.pass(settled);
    return last(ann).count;
  };
  Client& tablet = follow("ben", "tablet", 2, Level::heads);  // the same user
  CHECK(now() == 2);
  Client& cem = follow("cem", "phone", 2);
  CHECK(now() == 3);
  world.sign_out(ben);
  CHECK(now() == 3);  // the tablet is there
  world.ask<wire::Done>(tablet, wire::SetPresence{PresenceState::invisible});
  CHECK(now() == 2);
  Client& again = follow("ben", "phone", 0);  // invisible is whoever has one invisible session
  CHECK(now() == 2);
  world.sign_out(tablet);
  CHECK(now() == 3);
  wire::Hello hidden;
  hidden.token = "dan";
  hidden.state = PresenceState::invisible;
  Client& dan = world.link(1);
  dan.user = world.ask<wire::Welcome>(dan, hidden).user;
  world.subscribe(dan, id);
  CHECK(now() == 3);
  world.ask<wire::Done>(dan, wire::SetPresence{PresenceState::away});
  CHECK(now() == 4);
  world.subscribe(cem, id, {}, Level::none);  // looks elsewhere
  CHECK(now() == 3);
  world.subscribe(cem, id, {}, Level::heads);
  CHECK(now() == 4);
  world.ask<wire::Done>(ann, wire::Remove{id, dan.user});
  CHECK(now() == 3);
  world.ask<wire::Done>(again, wire::Leave{id});
  CHECK(now() == 2);

  // Nothing follows on a shard for so long that it forgets the conversation.
  world.sign_out(cem);
  CHECK(now() == 1);
  world.pass(3 * limits::idle_home);
  follow("cem", "phone", 2);
  CHECK(now() == 2);
  CHECK(unwatch(world, ann, id).step == PresenceStep::none);
  world.pass(1s);
  CHECK(kept(world, 3) == 0);
  CHECK(watch(world, ann, id).count == 2);
}

TEST_CASE("counts are told at most once a period, and only when they have changed") {
  ShardWorld world(2, huge);
  Client& ann = world.sign_in("ann");
  Client& ben = world.sign_in("ben", "phone", 1);
  const auto id = world.group(ann, {"ben"});
  world.subscribe(ann, id);
  watch(world, ann, id);
  ann.replies.clear();
  world.pass(10 * limits::online_period);
  CHECK(pushed(ann).empty());
  world.subscribe(ben, id);
  world.pass(limits::online_gather - 50ms);
  CHECK(pushed(ann).empty());
  world.pass(60ms);
  CHECK(pushed(ann).size() == 1);
  world.subscribe(ben, id, {}, Level::none);
  world.pass(limits::online_period - 50ms);
  CHECK(pushed(ann).size() == 1);
  world.pass(60ms);
  CHECK(pushed(ann).size() == 2);
  ann.replies.clear();
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    world.subscribe(ben, id, {}, random() % 2 == 0 ? Level::full : Level::none);
    world.pass(300ms);
  }
  world.subscribe(ben, id, {}, Level::none);
  world.pass(settled);
  CHECK(pushed(ann).size() > 1);
  CHECK(pushed(ann).size() <= 30s / limits::online_period + 2);
  CHECK(last(ann).count == 1);
  CHECK(users_of(last(ann)).empty());
  for (const Online& each : pushed(ann)) CHECK((each.count == 1 || each.count == 2));
}

TEST_CASE("who blocks a watcher is named to others only, and is counted") {
  ShardWorld world(2, huge);
  Client& ann = world.sign_in("ann");
  Client& ben = world.sign_in("ben", "phone", 1);
  Client& cem = world.sign_in("cem");
  const auto id = world.group(ann, {"ben", "cem"});
  for (Client* each : {&ann, &ben, &cem}) world.subscribe(*each, id);
  world.ask<wire::Done>(cem, wire::BlockUser{ann.user});
  world.pass(1s);
  CHECK(users_of(watch(world, ann, id)) == std::vector{ben.user});
  CHECK(users_of(watch(world, ben, id)).size() == 2);
  CHECK(last(ann).count == 3);
  world.ask<wire::Done>(ben, wire::BlockUser{ann.user});
  world.pass(1s);
  CHECK(shown_online(ann, ben.user) == false);
  world.ask<wire::Done>(ben, wire::BlockUser{ann.user, false});
  world.pass(1s);
  CHECK(shown_online(ann, ben.user) == true);
  for (const Online& each : ann.all<Online>())
    if (each.users) CHECK_FALSE(std::ranges::count(users_of(each), cem.user));

  SECTION("likewise where everybody is told") {
    ShardWorld little(2);
    Client& one = little.sign_in("one");
    Client& two = little.sign_in("two", "phone", 1);
    const auto team = little.group(one, {"two"});
    little.ask<wire::Done>(two, wire::BlockUser{one.user});
    little.pass(1s);
    watch(little, one, team);
    CHECK(shown_online(one, two.user) == false);
  }
}

TEST_CASE("up to eight are named beside the count, the same ones while they are there") {
  ShardWorld world(3, huge);
  Client& ann = world.sign_in("ann");
  const auto everybody = names("u", 0, limits::online_sample + 12);
  const auto id = world.group(ann, everybody);
  std::vector<Client*> there;
  for (std::size_t i = 0; i < everybody.size(); ++i) {
    there.push_back(&world.sign_in(everybody[i], "phone", i % 3));
    world.subscribe(*there.back(), id);
  }
  const Online first = watch(world, ann, id);
  CHECK(first.count == 20);
  const auto named = users_of(first);
  CHECK(named.size() == limits::online_sample);
  for (Client* each : there) {
    if (std::ranges::count(named, each->user) != 0) continue;
    world.sign_out(*each);
    break;
  }
  world.pass(settled);
  CHECK(last(ann).count == 19);
  for (Client* each : there)
    if (each->user == named.front()) world.sign_out(*each);
  world.pass(settled);
  CHECK(last(ann).count == 18);
  const auto later = users_of(last(ann));
  CHECK(later.size() == limits::online_sample);
  CHECK_FALSE(std::ranges::count(later, named.front()));
  for (std::size_t i = 1; i < named.size(); ++i) CHECK(std::ranges::count(later, named[i]) <= 1);
}

TEST_CASE("a watch is for members, and ends with the membership") {
  for (const auto& borders : {small, huge}) {
    ShardWorld world(2, borders);
    Client& ann = world.sign_in("ann");
    Client& ben = world.sign_in("ben", "phone", 1);
    Client& eve = world.sign_in("eve", "phone", 1);
    const auto id = world.group(ann, {"ben"});
    const wire::WatchConversation asked{id};
    CHECK(world.failure(eve, asked) == Errc::denied);
    CHECK(world.failure(eve, wire::WatchConversation{ConversationId{{9}}}) == Errc::denied);
    CHECK(world.failure(world.system(), asked) == Errc::denied);
    CHECK(kept(world, 2) == 0);
    watch(world, ben, id);  // without a subscription
    world.ask<wire::Done>(ann, wire::Remove{id, ben.user});
    world.pass(settled);
    CHECK(kept(world, 2) == 0);
    ben.replies.clear();
    world.sign_out(ann);
    world.pass(settled);
    CHECK_FALSE(shown_online(ben, ann.user));
    CHECK(pushed(ben).empty());
    CHECK(world.failure(ben, asked) == Errc::denied);
  }
}

TEST_CASE("a watch ends with its conversation") {
  ShardWorld world(2, huge);
  Client& ann = world.sign_in("ann");
  Client& ben = world.sign_in("ben", "phone", 1);
  const auto id = world.group(ann, {"ben"});
  watch(world, ann, id);
  watch(world, ben, id);
  world.ask<wire::Done>(ann, wire::End{id});
  world.pass(settled);
  CHECK(kept(world, 2) == 0);
  CHECK(world.failure(ben, wire::WatchConversation{id}) == Errc::denied);
}

TEST_CASE("a session watches ten conversations at most") {
  ShardWorld world(3, huge);
  Client& ann = world.sign_in("ann");
  std::vector<ConversationId> ids;
  for (std::size_t i = 0; i < limits::watched_conversations + 1; ++i)
    ids.push_back(world.group(ann, {"ben"}));
  for (std::size_t i = 0; i < limits::watched_conversations; ++i) watch(world, ann, ids[i]);
  CHECK(world.failure(ann, wire::WatchConversation{ids.back()}) == Errc::limit_reached);
  watch(world, ann, ids.front());  // it is watched already
  unwatch(world, ann, ids.back());
  CHECK(world.failure(ann, wire::WatchConversation{ids.back()}) == Errc::limit_reached);
  unwatch(world, ann, ids.front());
  watch(world, ann, ids.back());
  world.sign_out(ann);
  world.pass(1s);
  CHECK(kept(world, 3) == 0);
}

TEST_CASE("requests that overtake one another leave the watch as the last one asks") {
  for (const auto& borders : {small, huge}) {
    ShardWorld world(3, borders);
    Client& ann = world.sign_in("ann", "phone", 2);
    const auto id = world.group(ann, {"ben", "cem"});
    world.subscribe(ann, id);
    const auto post = [&](std::vector<bool> wanted) {
      ann.replies.clear();
      for (const bool on : wanted) world.post(ann, wire::WatchConversation{id, on});
      world.settle();
      std::size_t answers = 0;
      for (const auto& reply : ann.replies) answers += reply.request != 0 ? 1 : 0;
      CHECK(answers == wanted.size());
    };
    post({true, true, false});
    CHECK(kept(world, 3) == 0);
    post({true, false, true, false, true});
    CHECK(kept(world, 3) != 0);
    CHECK(unwatch(world, ann, id).step == PresenceStep::none);
    world.settle();
    CHECK(kept(world, 3) == 0);
    world.post(ann, wire::WatchConversation{id});
    world.sign_out(ann);
    CHECK(kept(world, 3) == 0);
  }
}

TEST_CASE("named users and the whole conversation are watched beside one another") {
  ShardWorld world(2, small);
  Client& ann = world.sign_in("ann");
  Client& ben = world.sign_in("ben", "phone", 1);
  const auto id = world.group(ann, {"ben"});
  world.ask<wire::PresenceChanged>(ann, wire::Watch{id, {ben.user}});
  watch(world, ann, id);
  world.ask<wire::PresenceChanged>(ann, wire::Watch{id, {}});
  world.sign_out(ben);
  world.pass(settled);
  CHECK(shown_online(ann, ben.user) == false);
  world.ask<wire::PresenceChanged>(ann, wire::Watch{id, {ben.user}});
  unwatch(world, ann, id);
  world.sign_in("ben", "phone", 1);
  world.pass(settled);
  CHECK(shown_online(ann, ben.user) == true);
}

}  // namespace parley::test
