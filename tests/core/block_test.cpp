// block_test.cpp: a user who blocks another hears nothing of them, and they are not told.
#include <string>
#include <vector>

#include "core/operations.hpp"
#include "parley/limits.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

namespace parley::test {
namespace {

struct Pair {
  explicit Pair(ShardWorld& world)
      : ann(world.sign_in("ann", "phone")),
        ben(world.sign_in("ben", "phone", 1)),
        chat(world.ask<wire::Opened>(ann, wire::Direct{"ben"}).entry.conversation) {
    world.pass(200ms);
    for (Client* each : {&ann, &ben}) world.subscribe(*each, chat);
  }
  Client &ann, &ben;
  ConversationId chat;
};

ListEntry entry_of(ShardWorld& world, Client& client, const ConversationId& id) {
  for (const ListEntry& entry : world.ask<wire::ListChanged>(client, wire::Sync{}).entries)
    if (entry.conversation == id) return entry;
  return {};
}
std::vector<std::string> history(ShardWorld& world, Client& client, const ConversationId& id) {
  std::vector<std::string> texts;
  const auto page = world.ask<wire::HistoryPage>(client, wire::History{.conversation = id});
  for (const Payload& record : page.records) {
    const auto fields = wire::read_record(record.bytes());
    texts.emplace_back(fields.kind == EventKind::hidden ? "-" : fields.body);
  }
  return texts;
}
std::vector<UserId> blocked(ShardWorld& world, Client& client) {
  return world.ask<wire::BlockedUsers>(client, wire::ListBlocked{}).users;
}
bool told_of(const Client& client, const ConversationId& id) {
  for (const auto& push : client.all<wire::ReceiptsMoved>())
    if (push.conversation == id) return true;
  return false;
}

}  // namespace

TEST_CASE("what the blocked one writes is for itself, and looks to it as ever") {
  ShardWorld world;
  Pair pair(world);
  Client& ann = pair.ann;
  Client& ben = pair.ben;
  const ConversationId chat = pair.chat;
  Client& laptop = world.sign_in("ben", "laptop");
  world.subscribe(laptop, chat);
  world.say(ben, chat, "before");
  world.ask<wire::Done>(ann, wire::BlockUser{ben.user});
  CHECK(world.say(ben, chat, "hidden") == 2);
  wire::Edit edit{chat, 2, "", Payload::copy_of("hidden, edited")};
  world.ask<wire::Done>(ben, edit);
  world.ask<wire::Done>(ben, wire::Edit{chat, 1, "", Payload::copy_of("before, edited")});
  world.ask<wire::Done>(ben, wire::React{chat, 1, "x", true});
  wire::Send reply{.conversation = chat, .body = Payload::copy_of("reply")};
  reply.thread_root = 2;
  world.ask<wire::Acked>(ben, reply);
  world.pass(2s);
  CHECK(laptop.texts(chat) == std::vector<std::string>{"before", "hidden", "reply"});
  CHECK(ann.texts(chat) == std::vector<std::string>{"before"});
  CHECK(ann.seqs(chat).size() == ben.seqs(chat).size());  // with stand-ins
  const auto shown = history(world, ann, chat);
  CHECK(shown.at(0) == "before");
  CHECK(shown.at(1) == "-");
  CHECK(history(world, ben, chat).at(1) == "hidden, edited");
  CHECK(entry_of(world, ann, chat).unread == 1);
  CHECK(entry_of(world, ann, chat).last_activity == entry_of(world, ben, chat).last_activity);
  CHECK(world.say(ann, chat, "ann may write") > 2);
  CHECK(ben.texts(chat).back() == "ann may write");

  world.restart();
  Client& again = world.sign_in("ann", "phone");
  Client& ben_again = world.sign_in("ben", "phone");
  world.subscribe(again, chat);
  world.say(ben_again, chat, "hidden too");
  world.pass(100ms);
  CHECK(again.texts(chat).empty());
  CHECK(blocked(world, again) == std::vector{ben_again.user});
  world.ask<wire::Done>(again, wire::BlockUser{ben_again.user, false});
  world.say(ben_again, chat, "heard");
  world.pass(100ms);
  CHECK(again.texts(chat) == std::vector<std::string>{"heard"});
  CHECK(history(world, again, chat).at(1) == "-");  // what was hidden stays so
  CHECK(blocked(world, again).empty());
}

TEST_CASE("who is blocked gets no signals, positions or presence of the other") {
  ShardWorld world;
  Pair pair(world);
  Client& ann = pair.ann;
  Client& ben = pair.ben;
  const ConversationId chat = pair.chat;
  const Seq seq = world.say(ben, chat, "read this");
  world.ask<wire::PresenceChanged>(ben, wire::Watch{chat, {ann.user}});
  world.pass(2s);
  ben.replies.clear();
  world.ask<wire::Done>(ann, wire::BlockUser{ben.user});
  world.pass(100ms);
  REQUIRE(ben.all<wire::PresenceChanged>().size() == 1);
  CHECK_FALSE(ben.all<wire::PresenceChanged>()[0].users.at(0).online);
  CHECK(ben.all<wire::PresenceChanged>()[0].users.at(0).last_seen == WallTime{});
  ben.replies.clear();
  world.ask<wire::Done>(ann, wire::MarkRead{chat, seq, seq});
  world.ask<wire::Done>(ann, wire::SendSignal{chat, "typing"});
  world.ask<wire::Done>(ben, wire::SendSignal{chat, "typing"});
  world.ask<wire::Done>(ann, wire::SetPresence{PresenceState::busy});
  world.pass(3s);
  CHECK_FALSE(told_of(ben, chat));
  CHECK(ben.all<wire::Signalled>().empty());
  CHECK(ann.all<wire::Signalled>().empty());
  CHECK(ben.all<wire::PresenceChanged>().empty());
  CHECK(world.ask<wire::SeenBy>(ben, wire::Seen{chat, seq}).count == 0);
  for (const auto& receipt :
       world.ask<wire::MembersPage>(ben, wire::Members{.conversation = chat}).receipts)
    CHECK(receipt.user != ann.user);
  CHECK(entry_of(world, ann, chat).unread == 0);  // ann's own devices know

  Client& tablet = world.sign_in("ben", "tablet");
  const auto asked = world.ask<wire::PresenceChanged>(tablet, wire::Watch{chat, {ann.user}});
  CHECK_FALSE(asked.users.at(0).online);
  ben.replies.clear();
  world.ask<wire::Done>(ann, wire::BlockUser{ben.user, false});
  world.pass(2s);
  REQUIRE_FALSE(ben.all<wire::PresenceChanged>().empty());
  CHECK(ben.all<wire::PresenceChanged>().back().users.at(0).state == PresenceState::busy);
  const Seq next = world.say(ben, chat, "and this");
  world.ask<wire::Done>(ann, wire::MarkRead{chat, next, next});
  world.ask<wire::Done>(ann, wire::SendSignal{chat, "typing"});
  world.pass(2s);
  CHECK(told_of(ben, chat));
  CHECK(ben.all<wire::Signalled>().size() == 1);
}

TEST_CASE("presence is hidden from who was blocked before it asked, also after a restart") {
  ShardWorld world;
  Pair pair(world);
  world.ask<wire::Done>(pair.ann, wire::BlockUser{pair.ben.user});
  world.restart();
  Client& ben = world.sign_in("ben", "phone", 1);
  const auto away = world.ask<wire::PresenceChanged>(ben, wire::Watch{pair.chat, {pair.ann.user}});
  CHECK(away.users.at(0).last_seen == WallTime{});
  world.pass(2s);
  ben.replies.clear();
  world.sign_in("ann", "phone");
  world.pass(3s);
  CHECK(ben.all<wire::PresenceChanged>().empty());
}

TEST_CASE("who is blocked reaches nobody by a new conversation, and adds nobody") {
  ShardWorld world;
  Client& ann = world.sign_in("ann", "phone");
  Client& ben = world.sign_in("ben", "phone", 1);
  Client& cat = world.sign_in("cat", "phone");
  world.ask<wire::Done>(ann, wire::BlockUser{ben.user});
  const auto chat = world.ask<wire::Opened>(ben, wire::Direct{"ann"}).entry.conversation;
  world.say(ben, chat, "hello?");
  const auto team = world.group(ben, {"ann", "cat"});
  world.ask<wire::Done>(ben, wire::Add{team, {"ann"}});
  const auto lobby = world.group(ben, {"ann"}, ConversationKind::channel);
  world.ask<wire::Done>(ben, wire::Add{lobby, {"ann", "cat"}});
  world.pass(500ms);
  CHECK(world.ask<wire::ListChanged>(ann, wire::Sync{}).entries.empty());
  CHECK(world.ask<wire::ListChanged>(cat, wire::Sync{}).entries.size() == 2);
  CHECK(world.ask<wire::ListChanged>(ben, wire::Sync{}).entries.size() == 3);
  CHECK(world.ask<wire::MembersPage>(ben, wire::Members{.conversation = team}).count == 2);
  world.ask<wire::Done>(cat, wire::Leave{team});

  // Others may add; and the direct conversation is there once one wants it.
  Client& system = world.system();
  world.ask<wire::Done>(system, wire::Add{team, {"ann"}});
  world.pass(500ms);
  CHECK(world.ask<wire::ListChanged>(ann, wire::Sync{}).entries.size() == 1);
  CHECK(world.ask<wire::Opened>(ann, wire::Direct{"ben"}).entry.conversation == chat);
  world.pass(500ms);
  CHECK(entry_of(world, ann, chat).conversation == chat);
  CHECK(history(world, ann, chat) == std::vector<std::string>{"-"});
}

TEST_CASE("the end of a block brings the conversation that was made meanwhile") {
  ShardWorld world;
  Client& ann = world.sign_in("ann", "phone");
  Client& ben = world.sign_in("ben", "phone", 1);
  world.ask<wire::Done>(ann, wire::BlockUser{ben.user});
  const auto chat = world.ask<wire::Opened>(ben, wire::Direct{"ann"}).entry.conversation;
  world.say(ben, chat, "hello?");
  world.restart();
  Client& again = world.sign_in("ann", "phone");
  CHECK(world.ask<wire::ListChanged>(again, wire::Sync{}).entries.empty());
  world.ask<wire::Done>(again, wire::BlockUser{ben.user, false});
  world.pass(500ms);
  CHECK(entry_of(world, again, chat).conversation == chat);
}

TEST_CASE("a block that comes while the conversation is made, or loads, counts") {
  for (int steps = 0; steps < 60; ++steps) {
    CAPTURE(steps);
    ShardWorld world;
    Client& ann = world.sign_in("ann", "phone");
    Client& ben = world.sign_in("ben", "phone", 1);
    world.post(ben, wire::Direct{"ann"});
    for (int i = 0; i < steps; ++i) (void)world.step();
    world.ask<wire::Done>(ann, wire::BlockUser{ben.user});
    const auto chat = world.ask<wire::Opened>(ben, wire::Direct{"ann"}).entry.conversation;
    world.say(ben, chat, "hello?");
    world.pass(300ms);
    world.ask<wire::Opened>(ann, wire::Direct{"ben"});
    CHECK(history(world, ann, chat) == std::vector<std::string>{"-"});
  }
}

TEST_CASE("blocks are the same on every device, few, and of others") {
  ShardWorld world;
  Client& phone = world.sign_in("ann", "phone");
  Client& laptop = world.sign_in("ann", "laptop", 1);
  world.pass(100ms);
  const std::string token = laptop.all<wire::Welcome>().at(0).list.token;
  laptop.replies.clear();
  world.ask<wire::Done>(phone, wire::BlockUser{UserId{7}});
  world.ask<wire::Done>(phone, wire::BlockUser{UserId{7}});  // so already
  world.pass(100ms);
  REQUIRE(laptop.all<wire::ListChanged>().size() == 1);
  CHECK(laptop.all<wire::ListChanged>()[0].blocked == std::vector{UserId{7}});
  CHECK(world.ask<wire::ListChanged>(laptop, wire::Sync{token}).blocked == std::vector{UserId{7}});
  CHECK(world.failure(phone, wire::BlockUser{phone.user}) == Errc::invalid_argument);
  CHECK(world.failure(phone, wire::BlockUser{}) == Errc::invalid_argument);
  world.ask<wire::Done>(phone, wire::BlockUser{UserId{9}, false});  // nothing to end
  for (std::uint64_t n = 1; n < limits::blocked; ++n)
    world.ask<wire::Done>(phone, wire::BlockUser{UserId{100 + n}});
  CHECK(world.failure(phone, wire::BlockUser{UserId{8}}) == Errc::limit_reached);
  CHECK(blocked(world, phone).size() == limits::blocked);
  world.ask<wire::Done>(phone, wire::BlockUser{UserId{7}, false});
  world.ask<wire::Done>(phone, wire::BlockUser{UserId{8}});
}

TEST_CASE("a reply of the blocked one counts in no thread, deleted for itself or not") {
  ShardWorld world;
  Pair pair(world);
  const auto reply = [&](Client& who) {
    wire::Send send;
    send.conversation = pair.chat;
    send.body = Payload::copy_of("reply");
    send.thread_root = 1;
    return world.ask<wire::Acked>(who, send).ack.seq;
  };
  const auto unread = [&] {
    const wire::Thread asked{.conversation = pair.chat, .root = 1, .limit = 100};
    return world.ask<wire::ThreadPage>(pair.ben, asked).thread.unread;
  };
  REQUIRE(world.say(pair.ann, pair.chat, "root") == 1);
  (void)reply(pair.ann);
  (void)reply(pair.ann);
  (void)world.ask<wire::Done>(pair.ann, wire::BlockUser{pair.ben.user});
  const Seq hidden = reply(pair.ben);
  CHECK(unread() == 2);
  (void)world.ask<wire::Done>(pair.ben, wire::DeleteForMe{pair.chat, {hidden}});
  CHECK(unread() == 2);
}

}  // namespace parley::test
