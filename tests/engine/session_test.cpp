// Handlers, acknowledgement, following and the end of sessions of host code.
#include "parley/session.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "catch.hpp"
#include "engine/log_capture.hpp"
#include "engine/waiting.hpp"
#include "parley/engine.hpp"

using namespace parley;
using namespace std::chrono_literals;

namespace {

/// One thread, everything in poll: what happens is decided by the test alone.
struct Rooms {
  test::LogCapture log;
  Engine engine = Engine::open({.threads = host_driven, .log = log.sink()}).value();

  Session attach(std::string user, std::string device = {}, bool manual = false,
                 bool follow = true) {
    return engine
        .attach({.user = std::move(user),
                 .device = std::move(device),
                 .manual_ack = manual,
                 .follow = follow})
        .get()
        .value();
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (!engine.poll(1ms)) engine.wait(5ms);
    }
    return true;
  }
};

}  // namespace

TEST_CASE("a handler that throws closes its session and nothing else", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  auto carol = world.attach("carol");
  std::optional<Errc> why;
  int heard = 0;
  bob.on_event([](const Event&) { throw std::runtime_error("no more"); });
  bob.on_closed([&](const Error& error) { why = error.errc(); });
  carol.on_event([&](const Event& event) { heard += event.as<Message>() != nullptr ? 1 : 0; });
  auto room = alice.create({.members = {"bob", "carol"}}).get().value();
  alice.send(room, "hi").get().value();
  REQUIRE(world.until([&] { return why && heard == 1; }));
  REQUIRE(*why == Errc::internal);
  REQUIRE(world.log.has(LogLevel::error, "no more"));
  REQUIRE(bob.list().get().error().errc() == Errc::internal);
  alice.send(room, "still here").get().value();
  REQUIRE(world.until([&] { return heard == 2; }));
}

TEST_CASE("a completion that throws closes its session", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  std::optional<Errc> why;
  alice.on_closed([&](const Error& error) { why = error.errc(); });
  alice.list([](Result<std::vector<ListEntry>>) { throw 7; });
  REQUIRE(world.until([&] { return why.has_value(); }));
  REQUIRE(*why == Errc::internal);
}

TEST_CASE("events arrive in order, once, and wait for the first handler", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  auto room = alice.create({.members = {"bob"}}).get().value();
  for (int i = 0; i < 100; ++i) alice.send(room, std::to_string(i)).get().value();
  std::vector<Seq> seqs;
  bob.on_event([&](const Event& event) { seqs.push_back(event.seq); });
  REQUIRE(world.until([&] { return !seqs.empty() && seqs.back() >= 102; }));
  for (std::size_t i = 1; i < seqs.size(); ++i) REQUIRE(seqs[i] == seqs[i - 1] + 1);
}

TEST_CASE("on_events takes several at once and records are shared", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  auto carol = world.attach("carol");
  auto room = alice.create({.members = {"bob", "carol"}}).get().value();
  std::vector<Event> to_bob;
  std::vector<Event> to_carol;
  bob.on_events([&](std::span<const Event> events) {
    to_bob.insert(to_bob.end(), events.begin(), events.end());
  });
  carol.on_events([&](std::span<const Event> events) {
    to_carol.insert(to_carol.end(), events.begin(), events.end());
  });
  alice.send(room, "first").get().value();  // what came before they followed is read for each
  REQUIRE(world.until([&] { return !to_bob.empty() && !to_carol.empty(); }));
  for (int i = 0; i < 40; ++i) alice.send(room, "m" + std::to_string(i));
  auto last = [](const std::vector<Event>& events) {
    return !events.empty() && events.back().as<Message>() != nullptr &&
           events.back().as<Message>()->text() == "m39";
  };
  REQUIRE(world.until([&] { return last(to_bob) && last(to_carol); }));
  REQUIRE(to_bob.back().record.data() == to_carol.back().record.data());  // no copy
}

TEST_CASE("returning from a handler acknowledges, unless manual_ack", "[session]") {
  Rooms world;
  auto alice = world.attach("alice", "phone");
  auto bob = world.attach("bob", "phone");
  auto mute = world.attach("mute", "phone", true);
  bob.on_event([](const Event&) {});
  std::vector<Event> kept;
  mute.on_event([&](const Event& event) { kept.push_back(event); });
  auto room = alice.create({.members = {"bob", "mute"}}).get().value();
  const Seq seq = alice.send(room, "hi").get().value().seq;

  auto received = [&](UserId user) -> Seq {
    const MembersPage page = alice.members(room).get().value();
    for (const Receipt& receipt : page.receipts) {
      if (receipt.user == user) return receipt.received;
    }
    return 0;
  };
  REQUIRE(world.until([&] { return received(bob.user()) == seq; }));
  REQUIRE(world.until([&] { return !kept.empty() && kept.back().seq == seq; }));
  REQUIRE(received(mute.user()) < seq);
  mute.acknowledge(kept.back());
  REQUIRE(world.until([&] { return received(mute.user()) == seq; }));
}

TEST_CASE("read positions, signals, presence, names and lists", "[session]") {
  Rooms world;
  auto alice = world.attach("alice", "phone");
  auto bob = world.attach("bob", "phone");
  auto chat = alice.direct("bob").get().value();
  const Seq seq = bob.send(chat, "hello").get().value().seq;

  int receipts = 0;
  bob.on_receipts([&](const ReceiptsMoved& moved) {
    for (const Receipt& receipt : moved.receipts) {
      receipts += receipt.user == alice.user() && receipt.read == seq ? 1 : 0;
    }
  });
  alice.read(chat, seq).get().value();
  REQUIRE(world.until([&] { return receipts > 0; }));

  std::string typed;
  alice.on_signal([&](const Signal& signal) { typed = signal.kind; });
  REQUIRE(world.until([&] {
    bob.signal(chat, "typing").get().value();
    return typed == "typing";
  }));

  const auto names = alice.names({bob.user(), UserId{99}}).get().value();
  REQUIRE(names.size() == 1);
  REQUIRE(names.front().subject == "bob");

  REQUIRE(alice.watch(chat, {bob.user()}).get().value().front().online);
  bool gone = false;
  alice.on_presence([&](const Presence& presence) { gone = !presence.online; });
  { const Session leaving = std::move(bob); }
  REQUIRE(world.until([&] { return gone; }));

  std::vector<ListEntry> list;
  REQUIRE(world.until([&] {
    list = alice.list().get().value();
    return list.size() == 1;
  }));
  REQUIRE(list.front().conversation == chat.id());
  REQUIRE(list.front().unread == 0);
}

TEST_CASE("who watches a conversation as a whole is told its step, and who is online",
          "[session]") {
  Rooms world;
  auto alice = world.attach("alice", "phone");
  auto bob = world.attach("bob", "phone");
  auto team = alice.create({.title = "team", .members = {"bob"}}).get().value();
  std::vector<Online> told;
  alice.on_online([&](const Online& online) { told.push_back(online); });
  bool gone = false;
  alice.on_presence([&](const Presence& presence) { gone = gone || !presence.online; });

  const Online first = alice.watch_conversation(team).get().value();
  REQUIRE(first.conversation == team.id());
  REQUIRE(first.step == PresenceStep::full);
  REQUIRE(first.users->size() == 2);
  bob.set_presence(PresenceState::invisible).get().value();
  REQUIRE(world.until([&] { return gone; }));

  for (int from = 0; from < 200; from += 100) {
    std::vector<std::string> more;
    for (int i = from; i < from + 100; ++i) more.push_back("user" + std::to_string(i));
    alice.add(team, more).get().value();
  }
  REQUIRE(world.until([&] { return !told.empty(); }));
  REQUIRE(told.back().step == PresenceStep::window);
  REQUIRE(told.back().count == 1);
  REQUIRE(alice.unwatch_conversation(team).get().value().step == PresenceStep::none);
  REQUIRE_FALSE(alice.watch_conversation(ConversationId{}).get());
}

TEST_CASE("a session that does not follow subscribes by itself", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob", {}, false, false);
  auto room = alice.create({.members = {"bob"}}).get().value();
  std::vector<Seq> seqs;
  bob.on_event([&](const Event& event) { seqs.push_back(event.seq); });
  alice.send(room, "unseen").get().value();
  const ResumeAnswer answer = bob.subscribe(room).get().value();
  REQUIRE(answer.answer == Resume::snapshot);
  REQUIRE(answer.level == Level::full);
  const Seq seq = alice.send(room, "seen").get().value().seq;
  REQUIRE(world.until([&] { return !seqs.empty() && seqs.back() == seq; }));
  REQUIRE(seqs.size() == 1);

  // From a cursor: what came after it.
  seqs.clear();
  REQUIRE(bob.subscribe(room, {.from = answer.head}).get().value().answer == Resume::range);
  REQUIRE(world.until([&] { return seqs == std::vector<Seq>{seq}; }));
}

TEST_CASE("a session may be destroyed inside its own handler", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = std::make_unique<Session>(world.attach("bob"));
  auto room = alice.create({.members = {"bob"}}).get().value();
  int calls = 0;
  bob->on_event([&](const Event&) {
    ++calls;
    bob.reset();
  });
  for (int i = 0; i < 5; ++i) alice.send(room, "x").get().value();
  REQUIRE(world.until([&] { return !bob && world.engine.stats().sessions == 1; }));
  REQUIRE(calls == 1);
}

TEST_CASE("destroying a session waits for its handler, and none starts after", "[session]") {
  auto engine = Engine::open({.threads = 2}).value();
  auto alice = engine.attach({.user = "alice"}).get().value();
  auto room = alice.create({.members = {"bob"}}).get().value();
  for (int round = 0; round < 20; ++round) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    std::atomic<bool> inside{false};
    {
      auto bob = engine.attach({.user = "bob"}).get().value();
      bob.on_event([&, counter = alive.get()](const Event&) {
        inside = true;
        for (int i = 0; i < 1'000; ++i) counter->fetch_add(1);
      });
      for (int i = 0; i < 20; ++i) alice.send(room, "x");
      const auto end = std::chrono::steady_clock::now() + 20s;
      while (!inside && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    }
    REQUIRE(inside);
    alive.reset();  // a handler that still ran would be seen by the sanitizers
  }
}

TEST_CASE("operations of a closed session are answered session_closed", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto room = alice.create({}).get().value();
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    alice.send(room, "x", {}, [&](Result<Ack>) { ++answered; });
  }
  alice.close();
  std::optional<Errc> late;
  alice.send(room, "late", {}, [&](Result<Ack> ack) { late = ack.error().errc(); });
  REQUIRE(late == Errc::session_closed);
  REQUIRE(world.until([&] { return answered == 5; }));
}

TEST_CASE("in flight operations are limited, the rest is busy", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto room = alice.create({}).get().value();
  std::size_t sent = 0;
  std::size_t busy = 0;
  for (std::size_t i = 0; i < limits::in_flight + 1; ++i) {
    alice.send(room, "x", {}, [&](Result<Ack> ack) {
      if (ack) {
        ++sent;
      } else if (ack.error().errc() == Errc::busy && ack.error().retryable()) {
        ++busy;
      }
    });
  }
  REQUIRE(world.until([&] { return sent + busy == limits::in_flight + 1; }));
  REQUIRE(sent >= limits::in_flight);
}

TEST_CASE("a session that does not take its events lags and loses none", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  auto room = alice.create({.members = {"bob"}}).get().value();
  const std::string body(64 * limits::kib, 'x');
  for (int i = 0; i < 24; ++i) alice.send(room, body).get().value();  // 1.5 MiB: above the limit
  std::vector<Seq> seqs;
  bob.on_event([&](const Event& event) { seqs.push_back(event.seq); });
  const Seq last = alice.send(room, "last").get().value().seq;
  REQUIRE(world.until([&] { return !seqs.empty() && seqs.back() == last; }));
  for (std::size_t i = 1; i < seqs.size(); ++i) REQUIRE(seqs[i] == seqs[i - 1] + 1);
}

TEST_CASE("settings, mutes and bans of host code, told to everybody", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  std::string told;
  bob.on_event([&](const Event& event) {
    if (const auto* change = event.as<SettingsChange>(); change != nullptr && change->description)
      told += "description " + std::string(*change->description) + " ";
    if (const auto* change = event.as<RestrictionChange>())
      told += (change->on ? "on " : "off ") + std::string(change->reason) + " ";
  });
  auto room = alice.create({.title = "room", .members = {"bob"}}).get().value();
  alice.set_settings(room, {.description = "about", .avatar = "a.png"}).get().value();
  const auto info = bob.info(room).get().value();
  REQUIRE(info.settings.title == "room");
  REQUIRE(info.settings.avatar == "a.png");
  REQUIRE(info.members == 2);
  REQUIRE(bob.list().get().value().at(0).avatar == "a.png");
  REQUIRE(bob.set_settings(room, {.title = "mine"}).get().error().errc() == Errc::denied);

  alice.restrict_user(room, bob.user(), RestrictionKind::mute, {.reason = "loud"}).get().value();
  REQUIRE(bob.send(room, "?").get().error().errc() == Errc::muted);
  REQUIRE(alice.restrictions(room, RestrictionKind::mute).get().value().users.at(0).user ==
          bob.user());
  world.engine.lift(room, "bob", RestrictionKind::mute).get().value();
  bob.send(room, "!").get().value();
  REQUIRE(world.until([&] { return told == "description about on loud off  "; }));

  world.engine.restrict_user(room, "bob", RestrictionKind::ban).get().value();
  REQUIRE(alice.add(room, {"bob"}).get().error().errc() == Errc::banned);
  world.engine.set_settings(room, {.archived = true}).get().value();
  REQUIRE(alice.send(room, "anybody?").get().error().errc() == Errc::archived);
  REQUIRE(world.engine.info(room).get().value().settings.archived);
  REQUIRE(world.engine.restrict_user(room, "nobody", RestrictionKind::ban).get().error().errc() ==
          Errc::denied);
}

TEST_CASE("mentions, attachments, headers and forwards reach the members", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  std::vector<Event> heard;
  bob.on_event([&](const Event& event) {
    if (event.as<Message>() != nullptr) heard.push_back(event);
  });
  auto room = alice.create({.members = {"bob"}}).get().value();
  MessageDraft draft{.body = "look"};
  draft.mentions = {bob.user()};
  draft.attachments = {{.handle = "cat-1", .name = "cat.png", .size = 1234}};
  draft.headers = {{"x-game", "7"}};
  const Seq seq = alice.send(room, draft).get().value().seq;
  MessageDraft forward;
  forward.forward = {room.id(), seq};
  alice.send(room, forward).get().value();
  REQUIRE(world.until([&] { return heard.size() == 2; }));
  const auto* first = heard[0].as<Message>();
  CHECK(first->mentions == std::vector{bob.user()});
  CHECK(first->attachments == draft.attachments);
  CHECK(first->headers == draft.headers);
  const auto* second = heard[1].as<Message>();
  CHECK(second->text() == "look");
  CHECK(second->attachments == draft.attachments);
  REQUIRE(second->forwarded);
  CHECK(second->forwarded->seq == seq);
  CHECK(second->forwarded->sender == alice.user());
  CHECK(bob.list().get().value().at(0).mentions == 1);
  bob.read(room, heard[1].seq).get().value();
  REQUIRE(world.until([&] { return bob.list().get().value().at(0).mentions == 0; }));
}

TEST_CASE("a thread is replied to, listed, followed and read, on every device", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto phone = world.attach("bob", "phone");
  auto desk = world.attach("bob", "desk");
  std::vector<ThreadState> told;
  desk.on_thread([&](const ThreadState& state) { told.push_back(state); });
  auto room = alice.create({.members = {"bob"}}).get().value();
  const Seq root = alice.send(room, "root").get().value().seq;
  MessageDraft reply{.body = "reply"};
  reply.thread_root = root;
  const Seq first = alice.send(room, reply).get().value().seq;
  CHECK(phone.threads(room).get().value().threads.empty());
  CHECK(phone.follow_thread(room, root).get().value().unread == 1);
  const ThreadsPage followed = desk.threads(room).get().value();
  REQUIRE(followed.threads.size() == 1);
  CHECK(followed.threads[0].root.as<Message>()->replies == 1);
  CHECK(phone.read_thread(room, root, first).get().value().unread == 0);
  REQUIRE(world.until([&] { return told.size() == 2; }));
  CHECK(told[0].unread == 1);
  CHECK(told[1].unread == 0);
  CHECK(told[1].read == first);
  const ThreadPage page = desk.thread(room, root).get().value();
  REQUIRE(page.replies.size() == 1);
  CHECK(page.replies[0].as<Message>()->text() == "reply");
  CHECK(page.replies[0].as<Message>()->thread_ordinal == 1);
  CHECK(page.thread.followed);
  CHECK(phone.list().get().value().at(0).unread == 1);  // the root alone
}

TEST_CASE("a poll is asked, voted in on every device, and closed by the host", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto phone = world.attach("bob", "phone");
  auto desk = world.attach("bob", "desk");
  std::vector<Ballot> told;
  desk.on_ballot([&](const Ballot& ballot) { told.push_back(ballot); });
  auto room = alice.create({.members = {"bob"}}).get().value();
  std::vector<PollResults> results;
  alice.on_event([&](const Event& event) {
    if (const auto* change = event.as<ReactionsChange>())
      if (change->messages.at(0).poll) results.push_back(*change->messages[0].poll);
  });
  MessageDraft draft{.body = "lunch?"};
  draft.poll = PollDraft{.options = {"soup", "rice"}};
  const Seq seq = alice.send(room, draft).get().value().seq;
  phone.vote(room, seq, {1}).get().value();
  REQUIRE(world.until([&] { return told.size() == 1 && results.size() == 1; }));
  CHECK(told[0].options == std::vector<std::uint8_t>{1});
  CHECK(told[0].message == seq);
  CHECK(results[0].votes == std::vector<std::uint64_t>{0, 1});
  CHECK(desk.ballot(room, seq).get().value().options == std::vector<std::uint8_t>{1});
  CHECK(alice.voters(room, seq, 1).get().value().users == std::vector<UserId>{phone.user()});
  CHECK(phone.close_poll(room, seq).get().error().errc() == Errc::denied);
  CHECK(world.engine.close_poll(room, seq).get().ok());
  CHECK(phone.vote(room, seq, {0}).get().error().errc() == Errc::denied);
  const HistoryPage page = desk.history(room).get().value();
  const auto shown = std::find_if(page.events.begin(), page.events.end(),
                                  [seq](const Event& event) { return event.seq == seq; });
  const auto& poll = shown->as<Message>()->poll;
  REQUIRE(poll);
  CHECK(poll->options == std::vector<std::string_view>{"soup", "rice"});
  CHECK(poll->results.closed);
  CHECK(poll->results.voters == 1);
}

TEST_CASE("messages are deleted for oneself, on every device", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto phone = world.attach("bob", "phone");
  auto desk = world.attach("bob", "desk");
  std::vector<Seq> told;
  desk.on_deleted_for_me([&](const DeletedForMe& deleted) {
    told.insert(told.end(), deleted.messages.begin(), deleted.messages.end());
  });
  auto room = alice.create({.members = {"bob"}}).get().value();
  const Seq seq = alice.send(room, "a slip").get().value().seq;
  REQUIRE(alice.send(room, "hello").get().ok());
  CHECK(phone.delete_for_me(room, {seq, 99}).get().error().errc() == Errc::invalid_argument);
  phone.delete_for_me(room, {seq}).get().value();
  REQUIRE(world.until([&] { return told == std::vector<Seq>{seq}; }));
  const auto messages = [&](Session& session) {
    const HistoryPage page = session.history(room).get().value();
    return std::count_if(page.events.begin(), page.events.end(),
                         [](const Event& event) { return event.as<Message>() != nullptr; });
  };
  CHECK(messages(desk) == 1);
  CHECK(messages(phone) == 1);
  CHECK(messages(alice) == 2);
  CHECK(phone.list().get().value().at(0).unread == 1);
}

TEST_CASE("what a user has for all devices: settings, presence, devices, pages of the list",
          "[session]") {
  Rooms world;
  auto phone = world.attach("alice", "phone");
  auto laptop = world.attach("alice", "laptop");
  auto bob = world.attach("bob");
  auto chat = phone.direct("bob").get().value();
  const Seq seq = bob.send(chat, "hello").get().value().seq;

  std::optional<UserSettings> told;
  laptop.on_list([&](const ListChange& change) {
    if (change.settings) told = change.settings;
  });
  CHECK(phone.set_user({.hide_reads = true, .status = "here"}).get().value().hide_reads);
  REQUIRE(world.until([&] { return told.has_value(); }));
  CHECK(told->status == "here");
  CHECK(laptop.set_user().get().value().hide_reads);
  CHECK(phone.seen(chat, seq).get().error().errc() == Errc::denied);
  phone.set_user({.hide_reads = false}).get().value();
  phone.read(chat, seq).get().value();
  REQUIRE(world.until([&] { return bob.seen(chat, seq).get().value() == 1; }));

  phone.set_presence(PresenceState::busy).get().value();
  const auto seen = bob.watch(chat, {phone.user()}).get().value();
  CHECK(seen.front().state == PresenceState::busy);
  CHECK(seen.front().status == "here");

  const ListPage page = phone.list_page({.limit = 1}).get().value();
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].conversation == chat.id());

  std::optional<Signal> signal;
  phone.on_signal([&](const Signal& each) { signal = each; });
  REQUIRE(world.until([&] {
    bob.signal(chat, std::string(recording), {}, 0ms).get().value();
    return signal.has_value();
  }));
  CHECK(signal->lasts == 0ms);
  CHECK(bob.signal(chat, "poke", {}, limits::signal_lasts_most + 1ms).get().error().errc() ==
        Errc::invalid_argument);

  const auto devices = phone.devices().get().value();
  REQUIRE(devices.size() == 2);
  const auto& other = devices[0].current ? devices[1] : devices[0];
  CHECK(other.name == "laptop");
  CHECK(other.id == laptop.device());
  phone.rename_device(other.id, "old").get().value();
  CHECK(world.engine.devices("alice").get().value().size() == 2);
  std::optional<Error> why;
  laptop.on_closed([&](const Error& error) { why = error; });
  world.engine.revoke_device("alice", other.id).get().value();
  REQUIRE(world.until([&] { return why.has_value(); }));
  CHECK(why->errc() == Errc::device_revoked);
  CHECK(world.engine.attach({.user = "alice", .device = "laptop"}).get().error().errc() ==
        Errc::device_revoked);
  CHECK(phone.devices().get().value().size() == 1);
  CHECK(world.engine.devices("nobody").get().error().errc() == Errc::denied);
}

TEST_CASE("a link is all that somebody needs to come in", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  auto room = alice.create({.title = "room"}).get().value();
  const Invite link = alice.create_invite(room, {.uses = 1}).get().value();
  REQUIRE(alice.invites(room).get().value().at(0).token == link.token);
  REQUIRE(bob.join_invite("made up").get().error().errc() == Errc::denied);
  const auto joined = bob.join_invite(link.token).get().value();
  REQUIRE(joined.id() == room.id());
  bob.send(joined, "here").get().value();
  auto carol = world.attach("carol");
  REQUIRE(carol.join_invite(link.token).get().error().errc() == Errc::denied);
  REQUIRE(bob.create_invite(room).get().error().errc() == Errc::denied);

  const Invite other = world.engine.create_invite(room, {.role = Role::moderator}).get().value();
  REQUIRE(world.engine.invites(room).get().value().size() == 1);
  REQUIRE(alice.revoke_invite(other.token).get().ok());
  REQUIRE(carol.join_invite(other.token).get().error().errc() == Errc::denied);
  const Invite last = world.engine.create_invite(room).get().value();
  world.engine.revoke_invite(last.token).get().value();
  REQUIRE(world.engine.invites(room).get().value().empty());
}

TEST_CASE("host code asks to join, and answers", "[session]") {
  Rooms world;
  auto alice = world.attach("alice");
  auto bob = world.attach("bob");
  std::vector<OwnRequest> own;
  bob.on_list([&](const ListChange& change) {
    if (change.requests) own.assign(change.requests->begin(), change.requests->end());
  });
  std::vector<JoinRequestState> seen;
  alice.on_event([&](const Event& event) {
    if (const auto* change = event.as<JoinRequestChange>()) seen.push_back(change->state);
  });
  auto room = alice.create({.title = "room"}).get().value();
  REQUIRE(bob.request_join(room).get().error().errc() == Errc::denied);
  alice.set_settings(room, {.join = JoinRule::by_request}).get().value();
  bob.request_join(room, "it is me").get().value();
  REQUIRE(world.until([&] { return own.size() == 1; }));
  const auto page = alice.join_requests(room).get().value();
  REQUIRE(page.requests.at(0).note == "it is me");
  REQUIRE(bob.join_requests(room).get().error().errc() == Errc::denied);
  alice.answer_request(room, bob.user(), false).get().value();
  REQUIRE(world.until([&] { return own.at(0).state == JoinRequestState::denied; }));
  bob.request_join(room).get().value();
  REQUIRE(world.engine.join_requests(room).get().value().requests.size() == 1);
  world.engine.answer_request(room, "bob", true).get().value();
  REQUIRE(world.until([&] { return own.empty() && bob.send(room, "in").get().ok(); }));
  REQUIRE(world.until([&] { return seen.size() == 4; }));
  REQUIRE(seen.back() == JoinRequestState::approved);
}
