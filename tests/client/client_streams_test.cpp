// client_streams_test.cpp: every event once, in order, no silent hole (CONTRACT I2, I4); what is
// followed; positions.
#include <algorithm>

#include "client/harness.hpp"

namespace {

using namespace parley;
using namespace parley::test;

/// Ready, with room 1 followed at full from cursor 5.
struct Following : Harness {
  explicit Following(std::shared_ptr<ClientStorage> kept = memory_storage())
      : Harness(std::move(kept)) {
    connect({entry(1, 5)});
    accept();
    forget();
  }
};

std::vector<wire::Subscribe::Item> items(const Harness& t) {
  std::vector<wire::Subscribe::Item> out;
  for (const auto& request : t.all<wire::Subscribe>()) {
    for (const auto& item : std::get<wire::Subscribe>(request.operation).items) out.push_back(item);
  }
  return out;
}
using Seqs = std::vector<Seq>;

}  // namespace

TEST_CASE("events are applied in order, each once, with the cursor") {
  struct Row {
    const char* what;
    std::vector<std::pair<Seq, Seq>> pushes;
    Seqs applied;
    Seq cursor;
    std::size_t subscribes;
  };
  const Row row =
      GENERATE(Row{"next ones", {{6, 6}, {7, 9}}, {6, 7, 8, 9}, 9, 0},
               Row{"a duplicate", {{6, 7}, {6, 7}}, {6, 7}, 7, 0},
               Row{"older than the cursor", {{3, 5}}, {}, 5, 0},
               Row{"half of it known", {{6, 7}, {5, 9}}, {6, 7, 8, 9}, 9, 0},
               Row{"a gap", {{7, 7}}, {}, 5, 1}, Row{"a gap, twice", {{7, 7}, {8, 8}}, {}, 5, 1},
               Row{"a gap that is filled", {{7, 7}, {6, 7}}, {6, 7}, 7, 1});
  Following t;
  CAPTURE(row.what);
  for (const auto& [first, last] : row.pushes) t.push(events(room, first, last));
  CHECK(t.seqs() == row.applied);
  CHECK(t.core.cursor(room) == Cursor{epoch, row.cursor, mark_of(row.cursor)});
  CHECK(items(t).size() == row.subscribes);
}

TEST_CASE("a gap is repaired by subscribing again with the cursor") {
  Following t;
  t.push(events(room, 8, 9));
  REQUIRE(items(t).size() == 1);
  CHECK(items(t)[0].cursor == Cursor{epoch, 5, mark_of(5)});
  CHECK(items(t)[0].level == Level::full);
  t.accept(Resume::range, {epoch, 9, mark_of(9)});
  t.push(events(room, 6, 9));
  CHECK(t.seqs() == Seqs{6, 7, 8, 9});
  t.push(events(room, 11, 11));  // a later gap is repaired as well
  CHECK(items(t).size() == 2);
}

TEST_CASE("events of another epoch are never applied") {
  Following t;
  t.push(events(room, 6, 6, Epoch{{8}}));
  CHECK(t.seqs().empty());
  CHECK(items(t).size() == 1);
}

TEST_CASE("the mark belongs to the last event of a batch") {
  Following t;
  t.push(events(room, 6, 8));
  const auto applied = t.told<client::Applied>();
  REQUIRE(applied.size() == 1);
  CHECK(applied[0].events[0].mark == 0);
  CHECK(applied[0].events[2].cursor() == Cursor{epoch, 8, mark_of(8)});
  CHECK(applied[0].events[0].as<Message>()->text() == "hi");
}

TEST_CASE("a reconnect and a restart resume from the stored cursor") {
  const auto storage = memory_storage();
  {
    Following t(storage);
    t.push(events(room, 6, 7));
    t.closed();
    t.advance(milliseconds(500));
    t.go_on({entry(1, 9)});
    REQUIRE(items(t).size() == 1);
    CHECK(items(t)[0].cursor == Cursor{epoch, 7, mark_of(7)});
  }
  Harness t(storage);
  t.connect({entry(1, 9)});
  REQUIRE(items(t).size() == 1);
  CHECK(items(t)[0].cursor == Cursor{epoch, 7, mark_of(7)});
  t.accept(Resume::range, {epoch, 9, mark_of(9)});
  t.push(events(room, 8, 9));
  CHECK(t.seqs() == Seqs{8, 9});
}

TEST_CASE("every resume answer") {
  struct Row {
    Resume answer;
    Seq cursor;  // afterwards; 0: unchanged
    bool told;
    bool restart;
    bool follows;
  };
  const Row row = GENERATE(
      Row{Resume::caught_up, 0, false, false, true}, Row{Resume::range, 0, false, false, true},
      Row{Resume::snapshot, 50, true, false, true}, Row{Resume::trimmed, 29, true, false, true},
      Row{Resume::forked, 50, true, true, true}, Row{Resume::ahead, 50, true, true, true},
      Row{Resume::not_member, 0, true, false, false}, Row{Resume::denied, 0, true, false, false});
  CAPTURE(static_cast<int>(row.answer));

  struct Watching final : ClientStorage {
    std::shared_ptr<ClientStorage> kept = memory_storage();
    int restarts = 0;
    Result<StoredClient> load() override { return kept->load(); }
    Result<void> apply(const ClientBatch& batch) override {
      for (const auto& moved : batch.moved) restarts += moved.restart ? 1 : 0;
      return kept->apply(batch);
    }
  };
  const auto storage = std::make_shared<Watching>();
  Harness t(storage);
  t.connect({entry(1, 5)});
  t.notices.clear();
  ResumeAnswer answer;
  answer.conversation = room;
  answer.answer = row.answer;
  answer.level = Level::full;
  const Epoch other = row.restart ? Epoch{{9}} : epoch;
  answer.head = {other, 50, mark_of(50)};
  answer.floor = 30;
  answer.floor_mark = mark_of(29);
  t.reply(t.last<wire::Subscribe>().number, wire::Subscribed{{answer}});
  CHECK(t.told<ResumeAnswer>().size() == (row.told ? 1 : 0));
  CHECK(storage->restarts == (row.restart ? 1 : 0));
  const Seq at = row.cursor == 0 ? 5 : row.cursor;
  const Epoch now_in = row.cursor == 0 ? epoch : other;
  CHECK(t.core.cursor(room) == Cursor{now_in, at, mark_of(at)});
  t.push(events(room, at + 1, at + 2, now_in));
  CHECK(t.seqs() == Seqs{at + 1, at + 2});  // applied wherever the stream goes on
  t.forget();
  t.push(events(room, at + 10, at + 10, now_in));
  CHECK(items(t).size() == (row.follows ? 1 : 0));
}

TEST_CASE("after head_moved at level full the server goes on by itself; if not, the client asks") {
  Following t;
  t.push(wire::HeadMoved{room, {epoch, 12, mark_of(12)}, 12});
  CHECK(t.told<wire::HeadMoved>().size() == 1);
  t.advance(milliseconds(4'000));
  t.push(events(room, 6, 8));
  t.advance(milliseconds(1'000));
  CHECK(items(t).empty());  // it moves
  t.advance(milliseconds(4'999));
  CHECK(items(t).empty());
  t.advance(milliseconds(1));
  REQUIRE(items(t).size() == 1);  // it has stopped
  CHECK(items(t)[0].cursor == Cursor{epoch, 8, mark_of(8)});
  t.advance(milliseconds(5'000));
  CHECK(items(t).size() == 1);  // one is under way
  t.accept(Resume::range, {epoch, 12, mark_of(12)});
  t.push(events(room, 9, 12));
  CHECK(t.seqs() == Seqs{6, 7, 8, 9, 10, 11, 12});
  t.push(wire::HeadMoved{room, {epoch, 12, mark_of(12)}, 12});
  for (int i = 0; i < 5; ++i) t.advance(milliseconds(5'000));
  CHECK(items(t).size() == 1);  // nothing new
}

TEST_CASE("the 64 most recent are full, the others heads, channels as asked") {
  Harness t;
  std::vector<ListEntry> list;
  for (std::uint8_t n = 1; n <= 70; ++n) list.push_back(entry(n));
  list.push_back(entry(100, 5, ConversationKind::channel));
  t.connect(list);
  std::size_t full = 0;
  std::size_t heads = 0;
  for (const auto& item : items(t)) {
    CHECK(item.conversation != conversation(100));
    if (item.level == Level::full) {
      ++full;
      CHECK(item.conversation.bytes[15] > 6);
      CHECK(item.cursor);
    } else {
      ++heads;
      CHECK_FALSE(item.cursor);
    }
  }
  CHECK(full == ClientCore::full_at_once);
  CHECK(heads == 6);
  t.accept();
  t.forget();

  // What the application asks for holds, also after a reconnect.
  t.core.subscribe(t.now, conversation(100), Level::full, std::nullopt);
  t.core.subscribe(t.now, conversation(70), Level::none, std::nullopt);
  t.step();
  CHECK(items(t).size() == 2);
  t.closed();
  t.advance(milliseconds(500));
  t.go_on(list);
  bool channel = false;
  for (const auto& item : items(t)) {
    CHECK(item.conversation != conversation(70));
    channel = channel || (item.conversation == conversation(100) && item.level == Level::full);
  }
  CHECK(channel);
}

TEST_CASE("long lists are subscribed in pieces of 256") {
  Harness t;
  std::vector<ListEntry> list;
  for (int n = 0; n < 600; ++n) {
    ListEntry e = entry(1);
    e.conversation.bytes[0] = static_cast<std::uint8_t>(n >> 8);
    e.conversation.bytes[1] = static_cast<std::uint8_t>(n);
    list.push_back(e);
  }
  t.connect(list);
  std::vector<std::size_t> sizes;
  for (const auto& request : t.all<wire::Subscribe>()) {
    sizes.push_back(std::get<wire::Subscribe>(request.operation).items.size());
  }
  CHECK(sizes == std::vector<std::size_t>{256, 256, 88});
}

TEST_CASE("the channels of a space are those that it names, and none without it") {
  const auto child = [](std::uint8_t n) {
    ListEntry e = entry(n, 5, ConversationKind::channel);
    e.space = conversation(1);
    return e;
  };
  ListEntry space = entry(1, 5, ConversationKind::space);
  space.children = {conversation(2), conversation(3)};
  Harness t;
  t.connect({space, child(2), child(3), entry(4)});
  t.accept();
  const auto listed = [&] {
    std::vector<int> ids;
    for (const ListEntry& each : t.core.list()) ids.push_back(each.conversation.bytes[15]);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  space.children = {conversation(3), conversation(5)};
  t.push(wire::ListChanged{false, {space, child(5)}, {}, "sync-2"});
  CHECK(listed() == std::vector{1, 3, 4, 5});
  t.push(wire::ListChanged{false, {}, {conversation(1)}, "sync-3"});
  CHECK(listed() == std::vector{4});
}

TEST_CASE("a channel that is opened or closed to the space makes the client ask for its list") {
  for (const EventKind kind : {EventKind::child_opened, EventKind::child_closed}) {
    Harness t;
    t.connect({entry(1, 5, ConversationKind::space)});
    t.accept();
    t.forget();
    wire::RecordFields fields{.seq = 6, .ordinal = 5, .kind = kind};
    fields.conversation = conversation(2);
    t.push(wire::Events{room, epoch, 6, {wire::build_record(fields)}, mark_of(6)});
    std::uint32_t number = 0;
    const auto asked = [&] {
      t.forget();
      t.advance(milliseconds(500));
      std::vector<ConversationId> named;
      for (const auto& request : t.all<wire::Sync>()) {
        named = std::get<wire::Sync>(request.operation).conversations;
        number = request.number;
      }
      return named;
    };
    const std::vector hall{conversation(2)};
    CHECK(asked() == hall);
    t.reply(number, wire::Failed{Error(Errc::unavailable, "try again")});
    CHECK(asked() == hall);
    t.reply(number, wire::ListChanged{false, {}, hall, "sync-2"});
    CHECK(asked().empty());
  }
}

TEST_CASE("a channel that its space names and no list brought is asked for by name") {
  ListEntry space = entry(1, 5, ConversationKind::space);
  space.children = {conversation(2)};
  Harness t;
  t.connect({space});
  t.accept();
  t.forget();
  t.advance(milliseconds(500));
  REQUIRE(t.all<wire::Sync>().size() == 1);
  CHECK(std::get<wire::Sync>(t.all<wire::Sync>()[0].operation).conversations == space.children);
}

TEST_CASE("a conversation that is new is followed: from its beginning when it is young") {
  struct Row {
    Seq head;
    Seq visible_from;
    Seq cursor;
  };
  const Row row = GENERATE(Row{2, 1, 0}, Row{64, 1, 0}, Row{65, 1, 65}, Row{5'000, 4'999, 0},
                           Row{5'000, 1, 5'000});
  Following t;
  ListEntry e = entry(2, row.head);
  e.visible_from = row.visible_from;
  t.push(wire::ListChanged{false, {e}, {}, "sync-2"});
  REQUIRE(items(t).size() == 1);
  CHECK(items(t)[0].level == Level::full);
  CHECK(items(t)[0].cursor == Cursor{epoch, row.cursor, row.cursor == 0 ? 0 : mark_of(row.cursor)});
  CHECK(t.told<client::ListMoved>().size() == 1);
  t.push(wire::ListChanged{false, {e}, {}, "sync-3"});
  CHECK(items(t).size() == 1);  // known by now
}

TEST_CASE("a joined channel is followed from its head; trimmed from the beginning is no hole") {
  Following t;
  const auto id = t.ask(wire::Join{conversation(9)});
  ListEntry e = entry(9, 100, ConversationKind::channel);
  t.reply(t.last<wire::Join>().number, wire::Opened{e});
  CHECK(t.told<client::Completed>().at(0).id == id);
  REQUIRE(items(t).size() == 1);
  CHECK(items(t)[0].level == Level::full);
  CHECK(items(t)[0].cursor == e.head);

  t.push(wire::ListChanged{false, {entry(3, 2)}, {}, "s"});
  ResumeAnswer answer;
  answer.conversation = conversation(3);
  answer.answer = Resume::trimmed;
  answer.level = Level::full;
  answer.head = {epoch, 2, mark_of(2)};
  answer.floor = 2;
  answer.floor_mark = mark_of(1);
  t.reply(t.last<wire::Subscribe>().number, wire::Subscribed{{answer}});
  CHECK(t.told<ResumeAnswer>().empty());
  t.push(events(conversation(3), 2, 2));
  CHECK(t.seqs() == Seqs{2});
}

TEST_CASE("what was left is forgotten, here or while away") {
  const auto storage = memory_storage();
  Following t(storage);
  t.push(wire::ListChanged{false, {}, {room}, "sync-2"});
  CHECK(t.core.list().empty());
  CHECK_FALSE(t.core.cursor(room));
  t.push(events(room, 6, 6));
  CHECK(t.seqs().empty());
  CHECK(storage->load()->streams.at(0).cursor == Cursor{});

  const auto other = memory_storage();
  { Following before(other); }
  Harness after(other);
  after.connect({entry(2)});
  CHECK_FALSE(after.core.cursor(room));
  CHECK(after.told<client::ListMoved>().at(0).removed == std::vector{room});
}

TEST_CASE("a subscribe that cannot be answered now is asked again later") {
  Harness t;
  t.connect({entry(1)});
  Error later(Errc::unavailable, "");
  later.retry_after = milliseconds(3'000);
  t.reply(t.last<wire::Subscribe>().number, wire::Failed{later});
  CHECK(items(t).size() == 1);
  t.advance(milliseconds(2'999));
  CHECK(items(t).size() == 1);
  t.advance(milliseconds(1));
  REQUIRE(items(t).size() == 2);
  CHECK(items(t)[1].level == Level::full);
  t.reply(t.last<wire::Subscribe>().number, wire::Failed{{Errc::limit_reached, ""}});
  t.advance(milliseconds(10'000));
  CHECK(items(t).size() == 2);
}

TEST_CASE("received positions go out merged, one per conversation and 200 ms") {
  Following t;
  t.push(events(room, 6, 6));
  t.advance(milliseconds(100));
  t.push(events(room, 7, 9));
  CHECK(t.all<wire::MarkRead>().empty());
  t.advance(milliseconds(100));
  REQUIRE(t.all<wire::MarkRead>().size() == 1);
  CHECK(t.operation<wire::MarkRead>().received == 9);
  CHECK(t.operation<wire::MarkRead>().read == 0);
  t.reply(t.last<wire::MarkRead>().number, wire::Done{});
  t.core.read(t.now, room, 8);
  t.core.read(t.now, room, 7);
  t.step();
  t.advance(milliseconds(200));
  REQUIRE(t.all<wire::MarkRead>().size() == 2);
  CHECK(t.operation<wire::MarkRead>().read == 8);
  t.advance(milliseconds(1'000));
  CHECK(t.all<wire::MarkRead>().size() == 2);
}

TEST_CASE("positions survive a lost link and a busy server") {
  Following t;
  t.push(events(room, 6, 7));
  t.core.read(t.now, room, 7);
  t.advance(milliseconds(200));
  REQUIRE(t.all<wire::MarkRead>().size() == 1);
  t.closed();  // not answered
  t.advance(milliseconds(500));
  t.go_on({entry(1, 7)});
  t.advance(milliseconds(200));
  REQUIRE(t.all<wire::MarkRead>().size() == 1);
  CHECK(t.operation<wire::MarkRead>().received == 7);
  CHECK(t.operation<wire::MarkRead>().read == 7);
  t.reply(t.last<wire::MarkRead>().number, wire::Failed{{Errc::busy, ""}});
  t.advance(milliseconds(200));
  REQUIRE(t.all<wire::MarkRead>().size() == 2);
  CHECK(t.operation<wire::MarkRead>().read == 7);
}

TEST_CASE("what the user deleted for itself is told, and no line of the list shows it") {
  Following t;
  t.push(events(room, 6, 6));
  REQUIRE_FALSE(t.core.list().at(0).last_record.empty());
  t.push(DeletedForMe{room, {4}});
  CHECK_FALSE(t.core.list().at(0).last_record.empty());
  t.push(DeletedForMe{room, {5, 6}});
  CHECK(t.core.list().at(0).last_record.empty());
  CHECK(t.told<DeletedForMe>().size() == 2);
}

TEST_CASE("the list follows what happens: head, unread, own positions") {
  Following t;
  CHECK(t.core.list().at(0).unread == 0);
  t.push(events(room, 6, 7));
  ListEntry e = t.core.list().at(0);
  CHECK(e.head == Cursor{epoch, 7, mark_of(7)});
  CHECK(e.head_ordinal == 7);
  CHECK(e.unread == 2);
  CHECK_FALSE(e.last_record.empty());
  t.core.read(t.now, room, 7);
  CHECK(t.core.list().at(0).unread == 0);
  t.push(wire::HeadMoved{room, {epoch, 9, mark_of(9)}, 9});
  CHECK(t.core.list().at(0).unread == 2);
  t.push(wire::ReceiptsMoved{room, {{bob, 9, 9}, {alice, 9, 9}}});  // from another device
  CHECK(t.core.list().at(0).unread == 0);
  CHECK(t.told<wire::ReceiptsMoved>().size() == 1);
  // Who writes has read.
  wire::Events own{room, epoch, 8, {record(8), record(9), record(10, "mine", alice)}, mark_of(10)};
  t.push(own);
  e = t.core.list().at(0);
  CHECK(e.read == 10);
  CHECK(e.unread == 0);
}

TEST_CASE("a list that was read before the last pushes takes nothing back") {
  Following t;
  t.push(events(room, 6, 9));
  t.push(wire::ReceiptsMoved{room, {{alice, 9, 8}}});
  ListEntry old = entry(1, 7);
  old.title = "renamed";
  old.received = old.read = 6;
  old.unread = 1;
  t.push(wire::ListChanged{false, {old}, {}, "sync-2"});
  const auto now = [&] { return t.core.list().at(0); };
  CHECK(now().head == Cursor{epoch, 9, mark_of(9)});
  CHECK(now().head_ordinal == 9);
  CHECK(now().received == 9);
  CHECK(now().read == 8);
  CHECK(now().unread == 3);  // after 6: what was read meanwhile, a list must count
  CHECK(now().title == "renamed");
  CHECK(t.told<client::ListMoved>().back().entries.at(0).read == 8);

  ListEntry newer = entry(1, 11);
  newer.received = newer.read = 11;
  t.push(wire::ListChanged{false, {newer}, {}, "sync-3"});
  CHECK(now().head == Cursor{epoch, 11, mark_of(11)});
  CHECK(now().read == 11);
  CHECK(now().unread == 0);

  ListEntry reborn = entry(1, 2);
  reborn.head.epoch = Epoch{{8}};
  t.push(wire::ListChanged{false, {reborn}, {}, "sync-4"});
  CHECK(now().head.seq == 2);
  CHECK(now().read == 0);
}

TEST_CASE("unread mentions follow events, reading, deletions and what the list states") {
  Following t;
  const auto now = [&] { return t.core.list().at(0).mentions; };
  const auto push = [&](wire::RecordFields fields) {
    fields.time_ms = 1;
    fields.sender = fields.sender ? fields.sender : bob;
    if (fields.kind == EventKind::message && fields.thread_root == 0) fields.ordinal = fields.seq;
    t.push(
        wire::Events{room, epoch, fields.seq, {wire::build_record(fields)}, mark_of(fields.seq)});
  };
  push({.seq = 6, .body = "@alice", .extras = {.mentions = {alice}}});
  push({.seq = 7, .body = "@all", .extras = {.mention_scope = MentionScope::all}});
  push({.seq = 8, .body = "@here", .extras = {.mention_scope = MentionScope::here}});
  push({.seq = 9, .body = "@bob", .extras = {.mentions = {bob}}});
  CHECK(now() == 2);
  push({.seq = 10, .kind = EventKind::deleted, .about = 6, .about_ordinal = 6});
  CHECK(now() == 1);
  ListEntry stated = entry(1, 9);
  stated.unread = 4;
  stated.mentions = 1;
  t.push(wire::ListChanged{false, {stated}, {}, "sync-2"});
  CHECK(now() == 1);
  // Whom it mentioned is not known here any more: the server is asked, once.
  push({.seq = 11, .kind = EventKind::deleted, .about = 7, .about_ordinal = 7});
  push({.seq = 12, .kind = EventKind::deleted, .about = 8, .about_ordinal = 8});
  t.advance(milliseconds(500));
  REQUIRE(t.all<wire::Sync>().size() == 1);
  stated = entry(1, 12);
  stated.unread = 1;
  t.reply(t.last<wire::Sync>().number, wire::ListChanged{false, {stated}, {}, "sync-3"});
  CHECK(now() == 0);
  // An own reply in a thread reads nothing.
  push({.seq = 13, .body = "@alice", .extras = {.mentions = {alice}}});
  push({.seq = 14, .sender = alice, .body = "x", .thread_root = 9});
  CHECK(now() == 1);
  push({.seq = 15, .sender = alice, .body = "x"});
  CHECK(now() == 0);
}

TEST_CASE("signals and presence are passed on") {
  Following t;
  t.push(wire::Signalled{room, bob, "typing", ""});
  t.push(wire::PresenceChanged{{{bob, true, {}}}});
  CHECK(t.told<wire::Signalled>().at(0).kind == "typing");
  CHECK(t.told<wire::PresenceChanged>().at(0).users.at(0).online);
  t.push(Online{room, PresenceStep::count, 5'001, {}});
  CHECK(t.told<Online>().at(0).count == 5'001);
}

TEST_CASE(
    "a list by pages: what a first page leaves out keeps its place, later ones are followed") {
  client::CoreOptions options;
  options.list_limit = 2;
  Harness t(memory_storage(), options);
  t.connect({entry(1), entry(2), entry(3)});
  t.accept();
  CHECK(t.core.list().size() == 3);
  t.closed();
  t.forget();
  while (t.dials == 0) t.advance(milliseconds(500));
  t.opened();
  CHECK(t.operation<wire::Hello>().list_limit == 2);
  wire::Welcome welcome = t.welcome({entry(3), entry(2)});
  welcome.list.more = true;
  welcome.list.settings = UserSettings{.status = "here"};
  welcome.list.devices = std::vector<Device>{{DeviceId{9}, "own"}, {DeviceId{8}, "other"}};
  t.notices.clear();
  t.reply(t.last<wire::Hello>().number, welcome);
  CHECK(t.core.list().size() == 2);
  CHECK(t.core.cursor(conversation(1)).has_value());
  const auto moved = t.told<client::ListMoved>();
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].settings->status == "here");
  CHECK(moved[0].devices->at(0).current);
  CHECK_FALSE(moved[0].devices->at(1).current);
  t.accept();
  t.sent.clear();
  t.ask(wire::PageList{welcome.list.entries.back().last_activity, conversation(2), 2});
  t.reply(t.last<wire::PageList>().number, wire::ListPage{{entry(1)}, false});
  CHECK(t.core.list().size() == 3);
  const auto items = t.operation<wire::Subscribe>().items;
  REQUIRE(items.size() == 1);
  CHECK(items[0].cursor.has_value());
}
