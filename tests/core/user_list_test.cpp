// user_list_test.cpp: the list on every device: what moved, what its user set, pages, own requests.
#include "core/user_home.hpp"

#include "parley/limits.hpp"
#include "told.hpp"

using namespace parley;
using namespace parley::test;

namespace {
/// The whole of the user's requests, as it was told last.
std::vector<OwnRequest> requests(const Client& client) {
  std::vector<OwnRequest> last;
  for (const auto& push : client.all<wire::ListChanged>())
    if (push.requests) last = *push.requests;
  return last;
}
}  // namespace

TEST_CASE("receipts are merged, monotone, and unread follows on every device") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  Client& tablet = world.sign_in("bob", "tablet", 0);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(alice, chat);
  world.subscribe(tablet, chat, {}, Level::heads);
  for (int i = 0; i < 4; ++i) world.say(alice, chat, "x");
  auto unread = [&] { return find(world.ask<wire::ListChanged>(bob, wire::Sync{}), chat)->unread; };
  CHECK(unread() == 4);
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 0, 3});
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 2, 1});  // an older one changes nothing
  world.pass(300ms);
  CHECK(unread() == 1);
  const auto seen = alice.all<wire::ReceiptsMoved>();
  REQUIRE(!seen.empty());
  CHECK(seen.back().receipts.at(0).read == 3);
  CHECK(!tablet.all<wire::ReceiptsMoved>().empty());
  world.ask<wire::Done>(bob, wire::MarkRead{chat, 0, 1'000'000});  // clamped to the head
  world.pass(300ms);
  CHECK(unread() == 0);
  world.say(bob, chat, "own messages are read");
  world.pass(300ms);
  CHECK(unread() == 0);
  Seq last = 0;
  for (const auto& moved : alice.all<wire::ReceiptsMoved>()) {
    for (const Receipt& receipt : moved.receipts) {
      if (receipt.user != bob.user) continue;
      CHECK(receipt.read >= last);
      CHECK(receipt.read <= receipt.received);
      last = receipt.read;
    }
  }
}

TEST_CASE("a sync token names what moved, and everything when it cannot be believed") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId one = world.group(alice, {"bob"});
  const ConversationId two = world.group(alice, {"bob"});
  world.pass(std::chrono::minutes(10));  // the stamp's slack: what moved lately is named again
  Client& bob = world.sign_in("bob", "phone", 1);
  const auto first = bob.all<wire::Welcome>().at(0).list;
  CHECK(first.whole);
  CHECK(first.entries.size() == 2);
  world.sign_out(bob);
  world.pass(std::chrono::minutes(10));
  world.say(alice, two, "moved");
  world.settle();
  Client& again = world.sign_in("bob", "phone", 1, first.token);
  const auto second = again.all<wire::Welcome>().at(0).list;
  CHECK_FALSE(second.whole);
  REQUIRE(find(second, two) != nullptr);
  CHECK(find(second, two)->unread == 1);
  CHECK(!find(second, two)->last_record.empty());
  CHECK(find(second, one) == nullptr);
  world.sign_out(again);
  world.ask<wire::Done>(alice, wire::Remove{one, bob.user});
  world.settle();
  Client& third = world.sign_in("bob", "phone", 1, second.token);
  CHECK(third.all<wire::Welcome>().at(0).list.removed == std::vector<ConversationId>{one});
  for (const std::string bad : {"junk", "", "AAAA"}) {
    CHECK(world.sign_in("bob", "phone", 1, bad).all<wire::Welcome>().at(0).list.whole);
  }
  world.restart();
  const auto fresh = world.sign_in("bob", "phone", 1, second.token).all<wire::Welcome>().at(0).list;
  CHECK(fresh.whole);
  CHECK(fresh.entries.size() == 1);
}

TEST_CASE(
    "what a user sets about a conversation is on every device, and gone with the membership") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  Client& other = world.sign_in("alice", "tablet", 1);
  const ConversationId team = world.group(alice, {});
  const ConversationId lobby = world.group(alice, {}, ConversationKind::channel);
  world.pass(1s);
  const auto entry = [&](Client& client, const ConversationId& id) {
    const auto list = world.ask<wire::ListChanged>(client, wire::Sync{});
    for (const ListEntry& each : list.entries)
      if (each.conversation == id) return each;
    FAIL("not listed");
    return ListEntry{};
  };
  const auto before = world.ask<wire::ListChanged>(other, wire::Sync{}).token;
  other.replies.clear();
  const WallTime later{std::chrono::milliseconds(2'000'000'000'000)};
  world.ask<wire::Done>(
      alice, wire::SetList{team, {.pinned = true, .muted_until = later, .draft = "dear bob"}});
  world.pass(1s);
  const auto pushed = other.all<wire::ListChanged>();
  REQUIRE(pushed.size() == 1);
  CHECK(pushed[0].entries.at(0).pinned);
  CHECK(pushed[0].entries.at(0).draft == "dear bob");
  CHECK(pushed[0].entries.at(0).drafted > WallTime{});
  const auto part = world.ask<wire::ListChanged>(other, wire::Sync{before});
  CHECK_FALSE(part.whole);
  CHECK(std::any_of(part.entries.begin(), part.entries.end(),
                    [](const ListEntry& each) { return each.draft == "dear bob"; }));

  world.ask<wire::Done>(alice, wire::SetList{team, {.archived = true, .draft = "dear bob,"}});
  world.ask<wire::Done>(alice, wire::SetList{lobby, {.marked_unread = true}});
  CHECK(entry(other, team).pinned);  // what was not named stays
  CHECK(entry(other, team).archived);
  CHECK(entry(other, team).muted_until == later);
  CHECK(entry(other, team).draft == "dear bob,");
  CHECK(entry(other, lobby).marked_unread);
  CHECK(entry(other, lobby).draft.empty());

  world.restart();
  Client& again = world.sign_in("alice");
  CHECK(entry(again, team).draft == "dear bob,");
  CHECK(entry(again, team).archived);
  world.ask<wire::Done>(again, wire::SetList{team, {.draft = ""}});
  CHECK(entry(again, team).draft.empty());
  CHECK(entry(again, team).drafted == WallTime{});
  CHECK(entry(again, team).pinned);

  CHECK(world.failure(again, wire::SetList{{}, {.pinned = true}}) == Errc::invalid_argument);
  ConversationId nowhere = team;
  nowhere.bytes[2] ^= 1;
  CHECK(world.failure(again, wire::SetList{nowhere, {.pinned = true}}) == Errc::denied);
  CHECK(world.failure(again, wire::SetList{team, {.draft = std::string(4097, 'd')}}) ==
        Errc::too_large);
  CHECK(world.failure(again, wire::SetList{team, {.draft = "\xff"}}) == Errc::invalid_argument);

  Client& bob = world.sign_in("bob");
  world.ask<wire::Opened>(bob, wire::Join{lobby});
  world.pass(1s);
  world.ask<wire::Done>(bob, wire::SetList{lobby, {.pinned = true, .draft = "never sent"}});
  world.ask<wire::Done>(bob, wire::Leave{lobby});
  world.pass(1s);
  CHECK(world.failure(bob, wire::SetList{lobby, {.pinned = true}}) == Errc::denied);
  world.ask<wire::Opened>(bob, wire::Join{lobby});
  world.pass(1s);
  CHECK_FALSE(entry(bob, lobby).pinned);
  CHECK(entry(bob, lobby).draft.empty());
}

TEST_CASE("a hidden conversation shows again with the next message, folders are few") {
  ShardWorld world;
  Client& alice = world.sign_in("alice");
  const ConversationId team = world.group(alice, {"bob"});
  world.say(alice, team, "one");
  world.pass(1s);
  const auto entry = [&](Client& at) {
    const auto list = world.ask<wire::ListChanged>(at, wire::Sync{});
    for (const ListEntry& each : list.entries)
      if (each.conversation == team) return each;
    FAIL("not listed");
    return ListEntry{};
  };
  wire::SetList set{team, {}};
  set.settings.hidden = true;
  set.settings.folder = "work";
  world.ask<wire::Done>(alice, set);
  CHECK(entry(alice).hidden_until == entry(alice).head_ordinal + 1);
  CHECK(entry(alice).folder == "work");
  world.ask<wire::Done>(alice, wire::SetTitle{team, "new"});  // no message
  CHECK(entry(alice).hidden_until > entry(alice).head_ordinal);
  world.say(alice, team, "two");
  CHECK(entry(alice).hidden_until == 0);
  world.ask<wire::Done>(alice, set);
  set.settings = {};
  set.settings.hidden = false;
  world.ask<wire::Done>(alice, set);
  CHECK(entry(alice).hidden_until == 0);

  set.settings = {};
  set.settings.folder = std::string(limits::folder + 1, 'x');
  CHECK(world.failure(alice, set) == Errc::too_large);
  set.settings.folder = "\xff";
  CHECK(world.failure(alice, set) == Errc::invalid_argument);
  set.settings.folder = std::string(limits::folder, 'x');
  world.ask<wire::Done>(alice, set);
  for (std::size_t i = 1; i <= limits::folders; ++i) {
    const ConversationId other = world.group(alice, {});
    world.pass(1s);
    wire::SetList put{other, {}};
    put.settings.folder = "folder " + std::to_string(i);
    if (i == limits::folders) {
      CHECK(world.failure(alice, put) == Errc::limit_reached);
    } else {
      world.ask<wire::Done>(alice, put);
    }
  }
  world.restart();
  Client& again = world.sign_in("alice");
  CHECK(entry(again).folder == std::string(limits::folder, 'x'));
}

TEST_CASE("a list is told by pages") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone");
  std::vector<ConversationId> made;
  for (int i = 0; i < 25; ++i) {
    made.push_back(world.group(alice, {"bob"}));
    if (i % 3 != 0) world.pass(20ms);  // some in the same millisecond
  }
  world.pass(2s);
  Client& tablet = world.link(1);
  wire::Hello hello = hello_of("alice", "tablet");
  hello.list_limit = 10;
  const auto welcome = world.ask<wire::Welcome>(tablet, hello);
  CHECK(welcome.list.whole);
  CHECK(welcome.list.more);
  CHECK(welcome.list.entries.size() == 10);
  CHECK(welcome.list.settings.has_value());
  CHECK(welcome.list.devices.has_value());
  std::vector<ListEntry> all = welcome.list.entries;
  CHECK(all.front().last_record.size() > 0);
  world.say(alice, made[0], "to the top");  // meanwhile
  for (bool more = true; more;) {
    const auto page = world.ask<wire::ListPage>(
        tablet, wire::PageList{all.back().last_activity, all.back().conversation, 10});
    more = page.more;
    all.insert(all.end(), page.entries.begin(), page.entries.end());
    REQUIRE(all.size() <= 25);
  }
  for (std::size_t i = 1; i < all.size(); ++i)
    CHECK(all[i - 1].last_activity >= all[i].last_activity);
  const auto news = world.ask<wire::ListChanged>(tablet, wire::Sync{welcome.list.token});
  CHECK_FALSE(news.whole);
  for (const ListEntry& each : news.entries) all.push_back(each);
  for (const ConversationId& id : made) {
    CHECK(std::any_of(all.begin(), all.end(),
                      [&](const ListEntry& each) { return each.conversation == id; }));
  }
  const auto first = world.ask<wire::ListPage>(
      tablet, wire::PageList{{}, {}, static_cast<std::uint32_t>(limits::page_list)});
  CHECK(first.entries.size() == 25);
  CHECK_FALSE(first.more);
  CHECK(first.entries[0].conversation == made[0]);
  CHECK(world.failure(tablet, wire::PageList{{}, {}, 0}) == Errc::invalid_argument);
  CHECK(world.failure(tablet, wire::PageList{{}, {}, 257}) == Errc::invalid_argument);
  Client& greedy = world.link();
  hello.list_limit = static_cast<std::uint32_t>(limits::page_list) + 1;
  CHECK(world.failure(greedy, hello) == Errc::invalid_argument);
}

TEST_CASE("one token covers list, settings and devices") {
  ShardWorld world;
  Client& alice = world.sign_in("alice", "phone");
  world.pass(100ms);
  const std::string token = world.ask<wire::ListChanged>(alice, wire::Sync{}).token;
  auto same = world.ask<wire::ListChanged>(alice, wire::Sync{token});
  CHECK_FALSE(same.whole);
  CHECK_FALSE(same.devices.has_value());
  wire::SetUser set;
  set.change.status = "new";
  world.ask<UserSettings>(alice, set);
  Client& laptop = world.sign_in("alice", "laptop", 1, token);
  const wire::Welcome welcome = laptop.all<wire::Welcome>().at(0);
  CHECK_FALSE(welcome.list.whole);
  CHECK(welcome.list.settings->status == "new");
  world.pass(100ms);
  const auto later = world.ask<wire::ListChanged>(alice, wire::Sync{token});
  CHECK_FALSE(later.whole);
  REQUIRE(later.devices.has_value());
  CHECK(later.devices->size() == 2);
  CHECK(later.settings->status == "new");
}

TEST_CASE("who asks to join is told on every device how it ends") {
  ShardWorld world;
  Client& owner = world.sign_in("owner", "desk");
  Client& phone = world.sign_in("ann", "phone");
  Client& laptop = world.sign_in("ann", "laptop", 1);
  std::vector<ConversationId> rooms;
  for (int i = 0; i < 2; ++i) {
    const auto room = world.ask<wire::Opened>(owner, wire::Create{.title = "room"}).entry;
    rooms.push_back(room.conversation);
    wire::SetSettings set{room.conversation, {}};
    set.settings.join = JoinRule::by_request;
    world.ask<wire::Done>(owner, set);
    world.ask<wire::Done>(phone, wire::RequestJoin{room.conversation, "hello"});
  }
  world.pass(200ms);
  REQUIRE(requests(laptop).size() == 2);
  CHECK(requests(laptop)[0].state == JoinRequestState::waiting);
  const std::string token = laptop.all<wire::ListChanged>().back().token;
  world.sign_out(laptop);
  const auto asked =
      world.ask<wire::JoinRequestsPage>(owner, wire::JoinRequests{.conversation = rooms[0]});
  REQUIRE(asked.requests.size() == 1);
  const UserId ann = asked.requests[0].user;
  world.ask<wire::Done>(owner, wire::AnswerRequest{rooms[0], ann, true});
  world.ask<wire::Done>(owner, wire::AnswerRequest{rooms[1], ann, false});
  world.pass(200ms);
  const auto left = requests(phone);
  REQUIRE(left.size() == 1);
  CHECK(left[0].conversation == rooms[1]);
  CHECK(left[0].state == JoinRequestState::denied);
  bool entered = false;
  for (const auto& push : phone.all<wire::ListChanged>())
    for (const ListEntry& entry : push.entries) entered |= entry.conversation == rooms[0];
  CHECK(entered);

  // The same for who was away, also after a restart, by the token or without one.
  world.restart();
  for (const std::string& from : {token, std::string()}) {
    Client& again = world.sign_in("ann", "laptop");
    const auto list = world.ask<wire::ListChanged>(again, wire::Sync{from});
    REQUIRE(list.requests.has_value());
    REQUIRE(list.requests->size() == 1);
    CHECK((*list.requests)[0].state == JoinRequestState::denied);
    world.sign_out(again);
  }
}

TEST_CASE("limits: a user is told of 100 requests, those that wait before those that are over") {
  ShardWorld world;
  Client& owner = world.sign_in("owner", "desk");
  Client& ann = world.sign_in("ann", "phone");
  ConversationId first;
  for (std::size_t i = 0; i <= limits::own_requests; ++i) {
    const auto room = world.ask<wire::Opened>(owner, wire::Create{.title = "room"}).entry;
    if (i == 0) first = room.conversation;
    wire::SetSettings set{room.conversation, {}};
    set.settings.join = JoinRule::by_request;
    world.ask<wire::Done>(owner, set);
    world.ask<wire::Done>(ann, wire::RequestJoin{room.conversation, ""});
    world.pass(10ms);
  }
  world.pass(200ms);
  const auto list = world.ask<wire::ListChanged>(ann, wire::Sync{});
  REQUIRE(list.requests->size() == limits::own_requests);
  for (const OwnRequest& own : *list.requests) CHECK(own.conversation != first);
}
