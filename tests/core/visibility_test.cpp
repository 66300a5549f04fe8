#include "core/visibility.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "shard_world.hpp"
#include "wire/codec.hpp"

namespace parley::test {
namespace {

constexpr auto canary = "canary-5b1e7c";

/// Whether any byte that came out of the session, in either encoding, is the canary's.
bool saw(const Client& client, std::string_view what = canary) {
  for (const Encoding encoding : {Encoding::binary, Encoding::json}) {
    const auto codec = wire::make_codec(encoding);
    for (const wire::Reply& reply : client.replies)
      if (codec->encode(reply).bytes().find(what) != Bytes::npos) return true;
  }
  return false;
}

wire::Send message(const ConversationId& id, std::string_view text, std::uint8_t audience) {
  wire::Send send;
  send.conversation = id;
  send.body = Payload::copy_of(text);
  send.audience = audience;
  return send;
}

Seq say(ShardWorld& world, Client& client, const ConversationId& id, std::uint8_t audience,
        std::string_view text = canary) {
  return world.ask<wire::Acked>(client, message(id, text, audience)).ack.seq;
}

wire::HistoryPage read(ShardWorld& world, Client& client, const ConversationId& id) {
  return world.ask<wire::HistoryPage>(client, wire::History{id, 0, true, 100});
}

bool without_gap(const Client& client, const ConversationId& id) {
  const std::vector<Seq> seqs = client.seqs(id);
  for (std::size_t i = 1; i < seqs.size(); ++i)
    if (seqs[i] != seqs[i - 1] + 1) return false;
  return !seqs.empty();
}

/// A group of an owner, a moderating admin and two members; everybody follows it.
struct Team {
  explicit Team(ConversationKind kind = ConversationKind::group) {
    id = world.group(owner, {"mod", "ann", "ben"}, kind);
    world.ask<wire::Done>(owner, wire::SetRole{id, mod.user, Role::admin});
    for (Client* client : {&owner, &mod, &ann, &ben})
      if (kind == ConversationKind::channel) world.subscribe(*client, id);
    world.settle();
  }
  ShardWorld world{2};
  Client& owner = world.host("owner");
  Client& mod = world.host("mod", 1);
  Client& ann = world.host("ann");
  Client& ben = world.host("ben", 1);
  ConversationId id;
};

}  // namespace

TEST_CASE("who sees which audience") {
  using core::Audiences;
  const auto of = [](ConversationKind kind, Role role, std::uint16_t groups = 0) {
    return core::audiences_of(kind, layout::MemberRow{.role = role, .groups = groups});
  };
  CHECK(of(ConversationKind::group, Role::member) == 1);
  CHECK(of(ConversationKind::group, Role::admin) == 7);
  CHECK(of(ConversationKind::direct, Role::owner) == 1);
  CHECK(of(ConversationKind::channel, Role::member, 1U << 3 | 1U << 15) == (1 | 1 << 3 | 1 << 15));
  CHECK(of(ConversationKind::channel, Role::none, 1U << 3) == 1);

  const UserId ann{1}, ben{2};
  const wire::RecordFields own{.sender = ann, .audience = audience::sender};
  CHECK(core::visible(own, {ann, 1}));
  CHECK_FALSE(core::visible(own, {ben, 1}));
  CHECK_FALSE(core::visible(own, {{}, 1}));
  CHECK(core::visible(own, {ben, 7}));
  const wire::RecordFields deleted{.sender = ben,
                                   .kind = EventKind::deleted,
                                   .audience = audience::sender,
                                   .target = ann,
                                   .about = 3};
  CHECK(core::visible(deleted, {ann, 1}));
  CHECK_FALSE(core::visible(deleted, {ben, 1}));
  CHECK_FALSE(core::visible({.sender = ann, .audience = 200}, {ann, 7}));
  CHECK(core::visible({.sender = ann, .audience = 200}, core::all_seeing));
}

TEST_CASE("what is for moderators reaches nobody else: live, by history, resume and list") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  Team team(kind);
  ShardWorld& world = team.world;
  const Seq before = world.say(team.owner, team.id, "for all");
  const Seq hidden = say(world, team.mod, team.id, audience::moderators);
  const Seq after = world.say(team.owner, team.id, "for all again");
  world.ask<wire::Done>(team.mod,
                        wire::Edit{team.id, hidden, {}, Payload::copy_of("canary-5b1e7c2")});
  world.ask<wire::Done>(team.owner, wire::React{team.id, hidden, "canary-5b1e7c3", true});
  world.ask<wire::Done>(team.owner, wire::Pin{team.id, hidden, true});
  world.pass(3s);

  CHECK(saw(team.owner));
  CHECK(saw(team.mod));
  for (Client* client : {&team.ann, &team.ben}) {
    CHECK(without_gap(*client, team.id));
    const auto page = read(world, *client, team.id);
    CHECK(page.mark == read(world, team.owner, team.id).mark);
    CHECK(world.ask<wire::Messages>(*client, wire::Pins{team.id}).records.empty());
    CHECK(world.failure(*client, wire::Reactors{team.id, hidden, "canary-5b1e7c3", {}, 10}) ==
          Errc::invalid_argument);
    CHECK(world.failure(*client, wire::React{team.id, hidden, "x", true}) ==
          Errc::invalid_argument);
    CHECK(world.failure(*client, wire::Edit{team.id, hidden, {}, Payload::copy_of("x")}) ==
          Errc::invalid_argument);
    world.ask<wire::ListChanged>(*client, wire::Sync{});
    const wire::RecordFields stand_in =
        wire::read_record(page.records[hidden - page.first].bytes());
    CHECK(stand_in.kind == EventKind::hidden);
    CHECK(stand_in.sender == UserId{});
    CHECK(stand_in.time_ms == 0);
    // From the cursor before it: the events come from the store.
    const auto start =
        world.ask<wire::HistoryPage>(*client, wire::History{team.id, before, false, 1});
    const auto answer = world.subscribe(*client, team.id, Cursor{start.epoch, before, start.mark});
    CHECK(answer.answer == Resume::range);
    world.pass(1s);
    CHECK_FALSE(saw(*client));
  }
  const auto entry = world.ask<wire::ListChanged>(team.ann, wire::Sync{}).entries.at(0);
  CHECK(wire::read_record(entry.last_record.bytes()).seq == after);
  CHECK(entry.unread == 2);  // what not everybody sees is not counted
  CHECK(world.ask<wire::ListChanged>(team.owner, wire::Sync{}).entries.at(0).head_ordinal == 2);
  const auto pins_of = [&](Client& client) {
    return world.ask<wire::Info>(client, wire::GetInfo{team.id}).info.pins;
  };
  world.ask<wire::Done>(team.owner, wire::Pin{team.id, after, true});
  CHECK(pins_of(team.owner) == 2);
  CHECK(pins_of(team.mod) == 2);
  CHECK(pins_of(team.ann) == 1);
  world.ask<wire::Done>(team.owner, wire::Pin{team.id, after, false});
  CHECK(pins_of(team.ben) == 0);
  const auto pins = world.ask<wire::Messages>(team.mod, wire::Pins{team.id});
  REQUIRE(pins.records.size() == 1);
  CHECK(wire::read_record(pins.records[0].bytes()).seq == hidden);
  CHECK(world
            .ask<wire::ReactorsPage>(team.mod,
                                     wire::Reactors{team.id, hidden, "canary-5b1e7c3", {}, 10})
            .users == std::vector{team.owner.user});
  world.ask<wire::Done>(team.owner, wire::Delete{team.id, hidden});
  world.settle();
  CHECK(world.ask<wire::ListChanged>(team.ben, wire::Sync{}).entries.at(0).unread == 2);
  CHECK_FALSE(saw(team.ben));
}

TEST_CASE("a question to the moderators is seen by its sender and by them") {
  Team team;
  ShardWorld& world = team.world;
  const Seq seq = say(world, team.ann, team.id, audience::sender);
  world.settle();
  CHECK(saw(team.ann));
  CHECK(saw(team.mod));
  CHECK_FALSE(saw(team.ben));
  world.ask<wire::Done>(team.mod, wire::React{team.id, seq, "+1", true});
  world.ask<wire::Done>(team.mod, wire::Delete{team.id, seq});
  world.settle();
  const auto kinds = [&](Client& client) {
    std::vector<EventKind> found;
    for (const Payload& record : read(world, client, team.id).records)
      found.push_back(wire::read_record(record.bytes()).kind);
    return std::vector(found.end() - 3, found.end());
  };
  CHECK(kinds(team.ann) ==
        std::vector{EventKind::message, EventKind::reactions, EventKind::deleted});
  CHECK(kinds(team.ben) == std::vector(3, EventKind::hidden));
}

TEST_CASE("a sender chooses an audience that it belongs to") {
  Team team;
  ShardWorld& world = team.world;
  CHECK(world.failure(team.ann, message(team.id, "x", audience::moderators)) == Errc::denied);
  CHECK(world.failure(team.ann, message(team.id, "x", audience::first_group)) == Errc::denied);
  CHECK(world.failure(team.mod, message(team.id, "x", audience::last_group + 1)) ==
        Errc::invalid_argument);
  Client& system = world.system();
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, 1U << 3, {}});
  say(world, team.ann, team.id, audience::first_group);
  world.settle();
  CHECK(saw(team.ann));
  CHECK_FALSE(saw(team.mod));
  CHECK_FALSE(saw(team.ben));
}

TEST_CASE("who is no moderator any more gets nothing for them above that event") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  Team team(kind);
  ShardWorld& world = team.world;
  say(world, team.owner, team.id, audience::moderators, "earlier");
  // One batch: a message, the other role, a message.
  world.post(team.owner, message(team.id, "still", audience::moderators));
  world.post(team.owner, wire::SetRole{team.id, team.mod.user, Role::member});
  world.post(team.owner, message(team.id, canary, audience::moderators));
  world.settle();
  world.pass(2s);
  CHECK(saw(team.mod, "earlier"));
  CHECK(saw(team.mod, "still"));
  CHECK_FALSE(saw(team.mod));
  CHECK(without_gap(team.mod, team.id));
  CHECK(team.mod.seqs(team.id).back() == team.owner.seqs(team.id).back());
  team.mod.replies.clear();
  read(world, team.mod, team.id);
  CHECK_FALSE(saw(team.mod, "earlier"));  // nor by history, whatever was seen once
  // And back: events that came meanwhile are read with the right to them.
  world.ask<wire::Done>(team.owner, wire::SetRole{team.id, team.mod.user, Role::admin});
  world.pass(2s);
  read(world, team.mod, team.id);
  CHECK(saw(team.mod));
}

TEST_CASE("a session that is behind when a right is taken away is given no more than it has") {
  Team team;
  ShardWorld& world = team.world;
  Client& slow = world.sign_in("mod", "phone", 0);
  world.subscribe(slow, team.id);
  slow.held = true;
  for (int i = 0; i < 12; ++i) world.say(team.owner, team.id, "filler");
  world.ask<wire::Done>(team.owner, wire::SetRole{team.id, team.mod.user, Role::member});
  say(world, team.owner, team.id, audience::moderators);
  slow.release();
  world.shard(0).drained(slow.ref);
  world.pass(2s);
  CHECK_FALSE(saw(slow));
  CHECK(without_gap(slow, team.id));
  CHECK(slow.seqs(team.id).back() == team.owner.seqs(team.id).back());
}

TEST_CASE("groups of the host's: exact from the event on, gone with the membership") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  Team team(kind);
  ShardWorld& world = team.world;
  Client& system = world.system();
  const wire::SetVisibility in{team.id, team.ann.user, 1U << 4, {}};
  world.ask<wire::Done>(system, in);
  world.ask<wire::Done>(system, in);  // changes nothing
  say(world, system, team.id, 4, "one");
  world.settle();
  CHECK(saw(team.ann, "one"));
  CHECK_FALSE(saw(team.mod, "one"));
  world.ask<wire::Done>(team.owner, wire::SetRole{team.id, team.ann.user, Role::admin});
  say(world, system, team.id, 4, "two");
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, 0, {}});
  say(world, system, team.id, 4);
  world.pass(2s);
  CHECK(saw(team.ann, "two"));
  CHECK_FALSE(saw(team.ann));
  world.ask<wire::Done>(system, in);
  read(world, team.ann, team.id);
  CHECK(saw(team.ann));  // read again with the right to it
  team.ben.replies.clear();
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ben.user, 1U << 4, {}});
  world.ask<wire::Done>(team.owner, wire::Remove{team.id, team.ben.user});
  world.ask<wire::Done>(team.owner, wire::Add{team.id, {"ben"}});
  world.pass(2s);
  team.ben.replies.clear();
  world.subscribe(team.ben, team.id);
  say(world, system, team.id, 4, "three");
  world.pass(1s);
  CHECK_FALSE(saw(team.ben, "three"));
  CHECK(world.failure(team.owner, in) == Errc::denied);  // the host's alone
  CHECK(world.failure(system, wire::SetVisibility{team.id, team.ann.user, 1, {}}) ==
        Errc::invalid_argument);
  CHECK(world.failure(system, wire::SetVisibility{team.id, UserId{99}, 8, {}}) == Errc::denied);
}

TEST_CASE("a shadow banned member writes for itself and for moderators, and is not told") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  Team team(kind);
  ShardWorld& world = team.world;
  Client& system = world.system();
  const Seq early = world.say(team.ann, team.id, "early");
  const Seq other = world.say(team.ben, team.id, "other");
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, {}, true});
  const Seq seq = world.say(team.ann, team.id, canary);
  world.pass(1s);
  CHECK(saw(team.ann));
  CHECK(saw(team.mod));
  CHECK_FALSE(saw(team.ben));
  // What would show it elsewhere has no effect.
  CHECK(world.failure(team.ann, wire::Edit{team.id, early, {}, Payload::copy_of(canary)}) ==
        Errc::denied);
  world.ask<wire::Done>(team.ann, wire::React{team.id, other, canary, true});
  world.ask<wire::Done>(team.ann, wire::SendSignal{team.id, "typing", canary});
  world.ask<wire::Done>(team.ann, wire::Edit{team.id, seq, {}, Payload::copy_of("canary-5b1e7c4")});
  world.pass(2s);
  CHECK_FALSE(saw(team.ben));
  CHECK(world.ask<wire::ListChanged>(team.ben, wire::Sync{}).entries.at(0).unread == 0);
  for (const Payload& record : read(world, team.ann, team.id).records)  // nothing tells it
    CHECK(wire::read_record(record.bytes()).kind != EventKind::visibility_changed);
  // Leaving and coming back does not end it; the host does.
  if (kind == ConversationKind::channel) {
    world.ask<wire::Done>(team.ann, wire::Leave{team.id});
    world.ask<wire::Opened>(team.ann, wire::Join{team.id});
    world.say(team.ann, team.id, canary);
    world.pass(1s);
    CHECK_FALSE(saw(team.ben));
  }
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, {}, false});
  world.say(team.ann, team.id, "canary-5b1e7c5");
  world.pass(1s);
  CHECK(saw(team.ben, "canary-5b1e7c5"));
}

// An answer in a thread to one's own message was refused, because not everybody sees that message:
// which told the writer.
TEST_CASE("who is shadow banned answers its own messages in threads as ever") {
  const auto kind = GENERATE(ConversationKind::group, ConversationKind::channel);
  Team team(kind);
  ShardWorld& world = team.world;
  Client& system = world.system();
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, {}, true});
  const Seq root = world.say(team.ann, team.id, "mine");
  wire::Send reply = message(team.id, canary, audience::everyone);
  reply.thread_root = root;
  const Seq seq = world.ask<wire::Acked>(team.ann, reply).ack.seq;
  world.pass(1s);
  CHECK(saw(team.ann));
  CHECK_FALSE(saw(team.ben));
  const auto page = read(world, team.ann, team.id);
  const auto fields = wire::read_record(page.records[seq - page.first].bytes());
  CHECK(fields.thread_root == root);
  CHECK(fields.thread_ordinal == 0);  // it counts nowhere
  CHECK(world.failure(team.mod, reply) == Errc::invalid_argument);
  world.ask<wire::Done>(system, wire::SetVisibility{team.id, team.ann.user, {}, false});
  CHECK(world.failure(team.ann, reply) == Errc::invalid_argument);
}

TEST_CASE("who was removed does not read what a message was changed to later") {
  Team team;
  ShardWorld& world = team.world;
  const Seq seq = world.say(team.owner, team.id, "as it was");
  world.ask<wire::Done>(team.owner, wire::Remove{team.id, team.ben.user});
  world.ask<wire::Done>(team.owner, wire::Edit{team.id, seq, {}, Payload::copy_of(canary)});
  world.pass(1s);
  read(world, team.ben, team.id);
  CHECK_FALSE(saw(team.ben));
}

}  // namespace parley::test
