// user_test.cpp: what a user has for all devices: devices, settings, presence, the list by pages.
#include "core/user_home.hpp"

#include "parley/limits.hpp"
#include "shard_world.hpp"
#include "store/layout.hpp"

namespace parley::test {
namespace {

const Device* find(const std::vector<Device>& devices, const std::string& name) {
  for (const Device& device : devices)
    if (device.name == name) return &device;
  return nullptr;
}

std::vector<Device> devices(World& world, Client& client) {
  return world.ask<wire::DeviceList>(client, wire::Devices{}).devices;
}

/// The state that was told last of a user.
std::optional<Presence> told(const Client& client, UserId user) {
  std::optional<Presence> last;
  for (const auto& push : client.all<wire::PresenceChanged>())
    for (const Presence& each : push.users)
      if (each.user == user) last = each;
  return last;
}

wire::Hello hello_of(const std::string& name, const std::string& device) {
  wire::Hello hello;
  hello.token = name;
  hello.device = device;
  return hello;
}

}  // namespace

// ---- In memory ----

TEST_CASE("a user of whom nothing is wanted leaves memory, and the sessions miss nothing") {
  World world(1);
  Client& phone = world.sign_in("alice", "phone");
  Client& laptop = world.sign_in("alice", "laptop");
  Client& bob = world.sign_in("bob", "phone");
  const ConversationId team = world.group(bob, {"alice"});
  world.pass(limits::idle_home + 12s);
  REQUIRE(world.shard(0).users() == 0);
  phone.replies.clear();
  laptop.replies.clear();

  SECTION("of a conversation they are added to") {
    const ConversationId other = world.group(bob, {"alice"});
    world.pass(100ms);
    CHECK(listed(phone, other));
    CHECK(listed(laptop, other));
  }
  SECTION("of what another device has read") {
    const Seq seq = world.say(bob, team, "x");
    world.ask<wire::Done>(laptop, wire::MarkRead{team, seq, seq});
    world.pass(2s);
    REQUIRE(listed(phone, team));
    CHECK(listed(phone, team)->read == seq);
  }
  SECTION("of the user's presence") {
    world.ask<wire::PresenceChanged>(bob, wire::Watch{team, {phone.user}});
    CHECK(told(bob, phone.user)->online);
    world.sign_out(phone);
    world.pass(limits::presence_grace + 1s);
    CHECK(told(bob, phone.user)->online);
    world.sign_out(laptop);
    world.pass(limits::presence_grace + 1s);
    CHECK_FALSE(told(bob, phone.user)->online);
  }
  SECTION("of a device that is revoked") {
    const auto all = devices(world, phone);
    REQUIRE(find(all, "laptop") != nullptr);
    CHECK(find(all, "laptop")->online);
    world.ask<wire::Done>(phone, wire::RevokeDevice{find(all, "laptop")->id, {}});
    world.pass(100ms);
    CHECK(laptop.closed == CloseReason::policy);
  }
}

// ---- Devices ----

TEST_CASE("devices are listed, named and few") {
  World world;
  Client& phone = world.sign_in("alice", "phone");
  Client& laptop = world.sign_in("alice", "laptop", 1);
  world.pass(100ms);
  auto all = devices(world, phone);
  REQUIRE(all.size() == 2);
  REQUIRE(find(all, "laptop") != nullptr);
  CHECK(find(all, "laptop")->online);
  CHECK(find(all, "laptop")->created > WallTime{});
  const DeviceId id = find(all, "laptop")->id;

  phone.replies.clear();
  world.ask<wire::Done>(laptop, wire::RenameDevice{id, "the old laptop"});
  world.pass(100ms);
  const auto pushed = phone.all<wire::ListChanged>();
  REQUIRE(pushed.size() == 1);
  REQUIRE(pushed[0].devices.has_value());
  CHECK(find(*pushed[0].devices, "the old laptop") != nullptr);
  world.sign_out(laptop);
  world.pass(100ms);
  world.restart();
  Client& again = world.sign_in("alice", "phone");
  all = devices(world, again);
  REQUIRE(find(all, "the old laptop") != nullptr);
  CHECK_FALSE(find(all, "the old laptop")->online);
  CHECK(find(all, "the old laptop")->last_seen > WallTime{});
  world.ask<wire::Done>(again, wire::RenameDevice{id, ""});
  CHECK(find(devices(world, again), "laptop") != nullptr);

  CHECK(world.failure(again, wire::RenameDevice{DeviceId{5}, "x"}) == Errc::denied);
  CHECK(world.failure(again, wire::RenameDevice{{}, "x"}) == Errc::invalid_argument);
  CHECK(world.failure(again, wire::RenameDevice{id, std::string(limits::device_name + 1, 'x')}) ==
        Errc::too_large);
  CHECK(world.failure(again, wire::RenameDevice{id, "\xff"}) == Errc::invalid_argument);
  world.ask<wire::Done>(again, wire::RenameDevice{id, std::string(limits::device_name, 'x')});

  // The one that was seen longest ago makes room; those that are connected stay.
  for (std::size_t i = devices(world, again).size(); i < limits::devices + 5; ++i) {
    Client& other = world.sign_in("alice", "device " + std::to_string(i));
    world.sign_out(other);
    world.pass(10ms);
  }
  all = devices(world, again);
  CHECK(all.size() == limits::devices);
  CHECK(find(all, "phone") != nullptr);
  CHECK(find(all, std::string(limits::device_name, 'x')) == nullptr);
  CHECK(find(all, "device " + std::to_string(limits::devices + 4)) != nullptr);
}

TEST_CASE("a hundred devices can be connected, not one more") {
  World world;
  for (std::size_t i = 0; i < limits::devices; ++i)
    world.sign_in("alice", "device " + std::to_string(i));
  Client& late = world.link();
  CHECK(world.failure(late, hello_of("alice", "one more")) == Errc::limit_reached);
  Client& known = world.sign_in("alice", "device 3", 1);
  CHECK(devices(world, known).size() == limits::devices);
  world.sign_in("alice", "");  // an ephemeral one is none of them
}

TEST_CASE("limits: sessions of one user") {
  World world;
  Client& first = world.sign_in("alice", "");
  for (std::size_t i = 1; i < limits::user_sessions; ++i) world.sign_in("alice", "", i % 2);
  Client& late = world.link();
  CHECK(world.failure(late, hello_of("alice", "")) == Errc::limit_reached);
  world.sign_in("bob", "");
  world.sign_out(first);
  world.sign_in("alice", "");
}

TEST_CASE("a revoked device is closed and refused for ever") {
  World world;
  Client& phone = world.sign_in("alice", "phone");
  Client& stolen = world.link(1);
  const auto welcome = world.ask<wire::Welcome>(stolen, hello_of("alice", "laptop"));
  Client& second = world.sign_in("alice", "laptop", 0);
  world.pass(100ms);
  const DeviceId id = find(devices(world, phone), "laptop")->id;
  CHECK(id == welcome.device);
  phone.replies.clear();
  world.ask<wire::Done>(phone, wire::RevokeDevice{id, {}});
  world.pass(100ms);
  for (Client* each : {&stolen, &second}) {
    CHECK(each->closed == CloseReason::policy);
    REQUIRE(each->all<wire::Goodbye>().size() == 1);
    CHECK(each->all<wire::Goodbye>()[0].reason == "device_revoked");
    CHECK_FALSE(each->all<wire::Goodbye>()[0].reconnect);
    world.sign_out(*each);
  }
  CHECK_FALSE(phone.closed.has_value());
  REQUIRE(phone.all<wire::ListChanged>().size() == 1);  // and of the goodbyes no other
  CHECK(phone.all<wire::ListChanged>()[0].devices->size() == 1);

  const auto refused = [&](const std::string& ticket) {
    Client& back = world.link();
    wire::Hello hello = hello_of("alice", "laptop");
    hello.ticket = ticket;
    CHECK(world.failure(back, hello) == Errc::device_revoked);
    CHECK(back.closed == CloseReason::policy);
    world.sign_out(back);
  };
  refused(second.all<wire::Welcome>().at(0).ticket);
  // The ticket was the device's: it does not come back as another.
  Client& disguised = world.link(1);
  wire::Hello hello = hello_of("nobody", "phone");
  hello.ticket = welcome.ticket;
  CHECK(world.failure(disguised, hello) == Errc::unauthenticated);
  refused("");

  world.ask<wire::Done>(phone, wire::RevokeDevice{id, {}});  // so it is
  CHECK(world.failure(phone, wire::RevokeDevice{DeviceId{5}, {}}) == Errc::denied);
  CHECK(world.failure(phone, wire::RevokeDevice{{}, {}}) == Errc::invalid_argument);
  CHECK(world.failure(phone, wire::RenameDevice{id, "x"}) == Errc::denied);
  world.restart();
  refused("");
  Client& bob = world.sign_in("bob", "laptop");  // another user's of that name is another device
  CHECK(devices(world, bob).size() == 1);
  CHECK(world.failure(bob, wire::RevokeDevice{id, {}}) == Errc::denied);
}

TEST_CASE("the system lists and revokes the devices of a user; an ephemeral one is its session") {
  World world;
  Client& alice = world.sign_in("alice", "phone");
  Client& guest = world.link(1);
  const auto welcome = world.ask<wire::Welcome>(guest, hello_of("alice", ""));
  Client& system = world.system();
  const auto all = world.ask<wire::DeviceList>(system, wire::Devices{alice.user}).devices;
  REQUIRE(all.size() == 2);
  world.ask<wire::Done>(system, wire::RevokeDevice{welcome.device, alice.user});
  world.pass(100ms);
  CHECK(guest.closed == CloseReason::policy);
  world.sign_out(guest);
  Client& again = world.link(1);
  wire::Hello hello = hello_of("nobody", "");
  hello.ticket = welcome.ticket;
  CHECK(world.failure(again, hello) == Errc::unauthenticated);
  const DeviceId phone = find(all, "phone")->id;
  world.ask<wire::Done>(system, wire::RevokeDevice{phone, alice.user});
  world.pass(100ms);
  CHECK(alice.closed == CloseReason::policy);
  CHECK(world.ask<wire::DeviceList>(system, wire::Devices{alice.user}).devices.empty());
  CHECK(world.failure(system, wire::Devices{}) == Errc::denied);
}

TEST_CASE("the revoked devices that are remembered are bounded") {
  World world;
  Client& alice = world.sign_in("alice", "phone");
  std::size_t revoked = 0;
  const auto revoke_another = [&] {
    Client& other = world.sign_in("alice", "device " + std::to_string(revoked), revoked % 2);
    world.settle();
    const auto all = devices(world, alice);
    for (const Device& each : all) {
      if (each.name == "phone") continue;
      world.ask<wire::Done>(alice, wire::RevokeDevice{each.id, {}});
      ++revoked;
    }
    world.sign_out(other);
    world.pass(10ms);
    alice.replies.clear();
  };
  const auto refused = [&](std::size_t number) {
    return world.failure(world.link(), hello_of("alice", "device " + std::to_string(number)));
  };
  while (revoked < limits::revoked_devices) revoke_another();
  REQUIRE(revoked == limits::revoked_devices);
  CHECK(refused(0) == Errc::device_revoked);
  revoke_another();
  CHECK(revoked == limits::revoked_devices + 1);
  CHECK(std::holds_alternative<wire::Welcome>(
      world.answer(world.link(), hello_of("alice", "device 0"))));  // forgotten
  CHECK(refused(1) == Errc::device_revoked);
  CHECK(refused(limits::revoked_devices) == Errc::device_revoked);
}

// ---- Settings and receipts ----

TEST_CASE("who hides what it reads is not told what others read") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  Client& carol = world.sign_in("carol");
  Client& laptop = world.sign_in("bob", "laptop");
  const ConversationId team = world.group(alice, {"bob", "carol"});
  for (Client* each : {&alice, &bob, &carol, &laptop}) world.subscribe(*each, team);
  Seq last = 0;
  for (int i = 0; i < 5; ++i) last = world.say(alice, team, "x");
  const auto read_of = [&](const Client& at, UserId user) {
    Seq read = 0;
    for (const auto& push : at.all<wire::ReceiptsMoved>())
      for (const Receipt& receipt : push.receipts)
        if (receipt.user == user && receipt.read != 0) read = receipt.read;
    return read;
  };
  const auto page_read = [&](Client& at, UserId user) {
    for (const Receipt& receipt : world.ask<wire::MembersPage>(at, wire::Members{team}).receipts)
      if (receipt.user == user) return receipt.read;
    return Seq{0};
  };
  world.ask<wire::Done>(bob, wire::MarkRead{team, last - 3, last - 3});
  world.pass(1s);
  CHECK(read_of(alice, bob.user) == last - 3);
  CHECK(world.ask<wire::SeenBy>(alice, wire::Seen{team, last - 3}).count == 1);

  wire::SetUser hide;
  hide.change.hide_reads = true;
  CHECK(world.ask<UserSettings>(bob, hide).hide_reads);
  world.pass(100ms);
  REQUIRE(!laptop.all<wire::ListChanged>().empty());
  CHECK(laptop.all<wire::ListChanged>().back().settings->hide_reads);
  world.ask<wire::Done>(bob, wire::MarkRead{team, last, last - 1});
  world.ask<wire::Done>(carol, wire::MarkRead{team, last, last});
  world.pass(1s);
  CHECK(read_of(alice, bob.user) == last - 3);  // what was told stays; nothing more is
  CHECK(read_of(alice, carol.user) == last);
  CHECK(read_of(bob, carol.user) == 0);
  CHECK(read_of(bob, bob.user) == last - 1);  // on every device of its own
  CHECK(read_of(laptop, bob.user) == last - 1);
  CHECK(page_read(alice, bob.user) == last - 3);
  CHECK(page_read(bob, bob.user) == last - 1);
  CHECK(page_read(bob, carol.user) == 0);
  CHECK(world.ask<wire::SeenBy>(alice, wire::Seen{team, last - 1}).count == 1);  // carol
  CHECK(world.failure(bob, wire::Seen{team, last}) == Errc::denied);
  // An own message moves the position, and tells nobody.
  const Seq own = world.say(bob, team, "here I am");
  world.pass(1s);
  CHECK(page_read(alice, bob.user) == last - 3);

  world.restart();
  Client& back = world.sign_in("bob");
  CHECK(world.ask<UserSettings>(back, wire::SetUser{}).hide_reads);
  Client& other = world.sign_in("alice", "laptop");
  world.ask<wire::Done>(back, wire::MarkRead{team, own, own});
  world.pass(1s);
  CHECK(page_read(other, back.user) == last - 3);
  hide.change.hide_reads = false;
  world.ask<UserSettings>(back, hide);
  const Seq next = world.say(other, team, "hello");
  world.ask<wire::Done>(back, wire::MarkRead{team, next, next});
  world.pass(1s);
  CHECK(page_read(other, back.user) == next);
  CHECK(world.ask<wire::SeenBy>(other, wire::Seen{team, next}).count == 1);
  CHECK(world.failure(other, wire::Seen{team, 0}) == Errc::invalid_argument);
  Client& stranger = world.sign_in("mallory");
  CHECK(world.failure(stranger, wire::Seen{team, 1}) == Errc::denied);
}

TEST_CASE("a status line is shown until it ends, last seen to nobody") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  world.pass(2s);
  const WallTime now = world
                           .ask<wire::Acked>(alice,
                                             [&] {
                                               wire::Send send;
                                               send.conversation = chat;
                                               send.body = Payload::copy_of("x");
                                               return send;
                                             }())
                           .ack.time;
  wire::SetUser set;
  set.change.status = "at lunch";
  set.change.status_until = now + 10s;
  set.change.hide_last_seen = true;
  world.ask<UserSettings>(bob, set);
  world.pass(2s);
  REQUIRE(told(alice, bob.user).has_value());
  CHECK(told(alice, bob.user)->status == "at lunch");
  CHECK(told(alice, bob.user)->status_until == now + 10s);
  world.sign_out(bob);
  world.pass(3s);
  CHECK_FALSE(told(alice, bob.user)->online);
  CHECK(told(alice, bob.user)->last_seen == WallTime{});
  world.pass(10s);
  const auto later = world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {bob.user}});
  CHECK(later.users.at(0).status.empty());
  world.restart();  // whoever only looks is told the same
  Client& again = world.sign_in("alice");
  CHECK(world.ask<wire::PresenceChanged>(again, wire::Watch{chat, {bob.user}})
            .users.at(0)
            .last_seen == WallTime{});

  Client& back = world.sign_in("bob");
  set = {};
  set.change.status = std::string(limits::status + 1, 'x');
  CHECK(world.failure(back, set) == Errc::too_large);
  set.change.status = "\xff";
  CHECK(world.failure(back, set) == Errc::invalid_argument);
  set.change.status.reset();
  set.change.status_until = now;
  CHECK(world.failure(back, set) == Errc::invalid_argument);
  set.change.status = std::string(limits::status, 'x');
  CHECK(world.ask<UserSettings>(back, set).status.size() == limits::status);
  CHECK(world.failure(world.system(), wire::SetUser{}) == Errc::denied);
}

// ---- Presence ----

TEST_CASE("a user is what its sessions make together") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& phone = world.sign_in("bob", "phone", 1);
  Client& laptop = world.sign_in("bob", "laptop");
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.ask<wire::PresenceChanged>(alice, wire::Watch{chat, {phone.user}});
  world.ask<wire::PresenceChanged>(phone, wire::Watch{chat, {phone.user}});
  const auto say = [&](Client& at, PresenceState state) {
    world.ask<wire::Done>(at, wire::SetPresence{state});
    world.pass(2s);
  };
  say(phone, PresenceState::away);
  CHECK_FALSE(told(alice, phone.user)->state == PresenceState::away);  // the laptop is online
  say(laptop, PresenceState::away);
  CHECK(told(alice, phone.user)->state == PresenceState::away);
  CHECK(told(alice, phone.user)->online);
  say(phone, PresenceState::busy);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(laptop, PresenceState::online);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(laptop, PresenceState::invisible);
  const auto shown = told(alice, phone.user);
  CHECK(shown->state == PresenceState::offline);
  CHECK_FALSE(shown->online);
  CHECK(shown->last_seen > WallTime{});  // when it was seen, not when it is
  CHECK(told(phone, phone.user)->state == PresenceState::invisible);
  // Coming and going does not show, nor does it move the time.
  world.sign_out(laptop);
  world.pass(3s);
  CHECK(told(alice, phone.user)->state == PresenceState::busy);
  say(phone, PresenceState::invisible);
  const WallTime seen = told(alice, phone.user)->last_seen;
  world.pass(10s);
  world.sign_out(phone);
  world.pass(3s);
  CHECK(told(alice, phone.user)->last_seen == seen);
  Client& unseen = world.link();
  wire::Hello hello = hello_of("bob", "phone");
  hello.state = PresenceState::invisible;
  world.ask<wire::Welcome>(unseen, hello);
  world.pass(3s);
  CHECK_FALSE(told(alice, phone.user)->online);
  CHECK(told(alice, phone.user)->last_seen == seen);
  world.restart();
  Client& again = world.sign_in("alice");
  const auto stored = world.ask<wire::PresenceChanged>(again, wire::Watch{chat, {phone.user}});
  CHECK(stored.users.at(0).last_seen == seen);

  CHECK(world.failure(again, wire::SetPresence{PresenceState::offline}) == Errc::invalid_argument);
  Client& odd = world.link();
  hello.state = static_cast<PresenceState>(9);
  CHECK(world.failure(odd, hello) == Errc::invalid_argument);
}

TEST_CASE("a signal says how long it holds") {
  World world;
  Client& alice = world.sign_in("alice");
  Client& bob = world.sign_in("bob", "phone", 1);
  const ConversationId chat =
      world.ask<wire::Opened>(alice, wire::Direct{"bob"}).entry.conversation;
  world.subscribe(alice, chat);
  world.subscribe(bob, chat);
  const auto lasts = [&](wire::SendSignal signal) {
    world.ask<wire::Done>(alice, std::move(signal));
    world.pass(1s);
    return std::chrono::milliseconds(bob.all<wire::Signalled>().back().lasts_ms);
  };
  CHECK(lasts({chat, std::string(typing)}) == limits::signal_lasts);
  CHECK(lasts({chat, std::string(recording), "", 0}) == 0ms);
  const auto most = static_cast<std::uint32_t>(limits::signal_lasts_most / 1ms);
  CHECK(lasts({chat, "poke", "", most}) == limits::signal_lasts_most);
  CHECK(world.failure(alice, wire::SendSignal{chat, "poke", "", most + 1}) ==
        Errc::invalid_argument);
}

// ---- The list ----

TEST_CASE("a hidden conversation shows again with the next message, folders are few") {
  World world;
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
  World world;
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
  World world;
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

// ---- Requests to join ----

namespace {
/// The whole of the user's requests, as it was told last.
std::vector<OwnRequest> requests(const Client& client) {
  std::vector<OwnRequest> last;
  for (const auto& push : client.all<wire::ListChanged>())
    if (push.requests) last = *push.requests;
  return last;
}
}  // namespace

TEST_CASE("who asks to join is told on every device how it ends") {
  World world;
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
  World world;
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

}  // namespace parley::test
