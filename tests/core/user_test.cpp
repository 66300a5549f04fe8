// user_test.cpp: what a user has for all devices: devices, settings.
#include "core/user_home.hpp"

#include "parley/limits.hpp"
#include "told.hpp"

using namespace parley;
using namespace parley::test;

namespace {

const Device* find(const std::vector<Device>& devices, const std::string& name) {
  for (const Device& device : devices)
    if (device.name == name) return &device;
  return nullptr;
}

std::vector<Device> devices(ShardWorld& world, Client& client) {
  return world.ask<wire::DeviceList>(client, wire::Devices{}).devices;
}

}  // namespace

// ---- In memory ----

TEST_CASE("a user of whom nothing is wanted leaves memory, and the sessions miss nothing") {
  ShardWorld world(1);
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
  ShardWorld world;
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
  ShardWorld world;
  for (std::size_t i = 0; i < limits::devices; ++i)
    world.sign_in("alice", "device " + std::to_string(i));
  Client& late = world.link();
  CHECK(world.failure(late, hello_of("alice", "one more")) == Errc::limit_reached);
  Client& known = world.sign_in("alice", "device 3", 1);
  CHECK(devices(world, known).size() == limits::devices);
  world.sign_in("alice", "");  // an ephemeral one is none of them
}

TEST_CASE("limits: sessions of one user") {
  ShardWorld world;
  Client& first = world.sign_in("alice", "");
  for (std::size_t i = 1; i < limits::user_sessions; ++i) world.sign_in("alice", "", i % 2);
  Client& late = world.link();
  CHECK(world.failure(late, hello_of("alice", "")) == Errc::limit_reached);
  world.sign_in("bob", "");
  world.sign_out(first);
  world.sign_in("alice", "");
}

TEST_CASE("a revoked device is closed and refused for ever") {
  ShardWorld world;
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
  ShardWorld world;
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
  ShardWorld world;
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
  ShardWorld world;
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
