// tests/lmdb/check_test.cpp: damage is reported by a child process, or does not matter.
#include "lmdb/check.hpp"

#include <fstream>

#include "catch.hpp"
#include "chains.hpp"
#include "lmdb/directory.hpp"
#include "lmdb/env.hpp"
#include "lmdb/keys.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"
#include "store/layout.hpp"
#include "store/layout_spaces.hpp"

using namespace parley;
using parley::testing::Draft;
namespace fs = std::filesystem;

namespace {

const testing::StoreUnderTest by_itself;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

void fill(const std::string& path) {
  auto store = lmdb_store({.path = path})().value();
  testing::StoreProbe probe(by_itself);
  for (std::uint64_t number = 1; number <= 8; ++number)
    for (int chain = 0; chain < 6; ++chain)
      probe.done(*store, chains::commit_of(chain, number), "commit");
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}

/// A checksum over everything that can be read, by a child: 0 when reading it fails.
std::string digest(const std::string& path) {
  const auto outcome = base::run_in_child([&](int output) {
    auto env = lmdb::Env::open(path, 64 << 20, lmdb::Env::Access::check);
    if (!env) return 1;
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    MDB_cursor* cursor = nullptr;
    if (mdb_txn_begin((*env)->get(), nullptr, MDB_RDONLY, &txn) != 0) return 1;
    if (mdb_dbi_open(txn, nullptr, 0, &dbi) != 0) return 1;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0) return 1;
    std::uint32_t sum = 0;
    MDB_val key{}, value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
      sum = base::crc32c(base::crc32c(sum, lmdb::to_bytes(key)), lmdb::to_bytes(value));
    return ::write(output, &sum, sizeof sum) == sizeof sum ? 0 : 1;
  });
  return outcome && outcome->signal == 0 && outcome->exit_code == 0 ? outcome->output : "";
}

}  // namespace

TEST_CASE("a sound store is reported as sound", "[lmdb][check]") {
  Scratch scratch;
  fill(scratch / "s");
  const auto report = lmdb::check_directory(scratch / "s");
  REQUIRE(report.ok());
  INFO(report->text);
  CHECK(report->sound);
  CHECK(report->text.find("6 partitions, 90 rows") != std::string::npos);
  CHECK(report->text.find("48 change entries") != std::string::npos);
  CHECK(report->text.find("closed in order") != std::string::npos);
}

TEST_CASE("what cannot be checked is an error", "[lmdb][check]") {
  Scratch scratch;
  CHECK(lmdb::check_directory(scratch / "none").error().errc() == Errc::invalid_argument);
  CHECK_FALSE(fs::exists(scratch / "none"));
  auto store = lmdb_store({.path = scratch / "s"})().value();
  CHECK(lmdb::check_directory(scratch / "s").error().errc() == Errc::store_locked);
}

TEST_CASE("a flipped bit is reported or changes nothing", "[lmdb][check]") {
  Scratch scratch;
  const std::string path = scratch / "s", file = path + "/data.mdb";
  fill(path);
  const std::string whole = read_file(file), sound = digest(path);
  REQUIRE_FALSE(sound.empty());
  int reported = 0;
  for (std::size_t page = 0; page * 4096 < whole.size(); ++page) {
    std::string damaged = whole;
    const std::size_t at = page * 4096 + page * 977 % 4096;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << page % 8));
    write_file(file, damaged);
    INFO("a bit of byte " << at);
    const auto report = lmdb::check_directory(path);
    REQUIRE(report.ok());
    if (report->sound)
      CHECK(digest(path) == sound);
    else
      ++reported;
  }
  CHECK(reported > 5);
}

TEST_CASE("a file cut short is reported, and not mapped by the store", "[lmdb][check]") {
  Scratch scratch;
  const std::string path = scratch / "s", file = path + "/data.mdb";
  fill(path);
  const std::string whole = read_file(file);
  int refused = 0, reported = 0;
  for (std::size_t size = 0; size < whole.size(); size += 4096) {
    write_file(file, whole.substr(0, size));
    INFO("cut to " << size);
    const auto report = lmdb::check_directory(path);
    REQUIRE(report.ok());
    reported += !report->sound;
    if (lmdb::check_header(file)) continue;
    ++refused;
    const auto opened = lmdb_store({.path = path})();
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().errc() == Errc::store_corrupt);
  }
  CHECK(reported > 5);
  CHECK(refused > 2);
  write_file(file, std::string(whole.size(), 'x'));
  CHECK(lmdb_store({.path = path})().error().errc() == Errc::store_corrupt);
}

TEST_CASE("a value with a wrong checksum is not served", "[lmdb][check]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill(path);
  const std::string key = chains::rows_of(1, 8)[0].first;
  {
    auto env = lmdb::Env::open(path, 64 << 20, lmdb::Env::Access::write).value();
    lmdb::WriteTxn txn;
    REQUIRE(txn.begin(*env) == 0);
    const auto at = lmdb::Key::row({1, "c1"}, key);
    MDB_val name = at.val(), value = lmdb::to_val("\1\2\3\4forged");
    REQUIRE(mdb_put(txn.get(), lmdb::main_dbi, &name, &value, 0) == 0);
    REQUIRE(txn.commit() == 0);
  }
  {
    auto store = lmdb_store({.path = path})().value();
    testing::StoreProbe probe(by_itself);
    Get get;
    get.cells = {{{1, "c1"}, key}};
    CHECK(probe.get(*store, get).error().errc() == Errc::store_corrupt);
    CHECK(probe.scan(*store, {.partition = {1, "c1"}}).error().errc() == Errc::store_corrupt);
    CHECK(probe.scan(*store, {.partition = {1, "c2"}}).ok());
    CHECK(probe.close(*store).ok());
  }
  const auto report = lmdb::check_directory(path);
  REQUIRE(report.ok());
  CHECK_FALSE(report->sound);
  CHECK(report->text.find("checksum") != std::string::npos);
}

TEST_CASE("the check reads the engine's own tables", "[lmdb][check]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  ConversationId id{};
  id.bytes[3] = 9;
  const std::string partition = layout::conversation_id(0, id);
  const auto events = [&](Seq from, Seq to) {
    std::vector<layout::StoredEvent> out;
    for (Seq seq = from; seq <= to; ++seq)
      out.push_back({.seq = seq,
                     .mark = static_cast<Mark>(seq + 100),
                     .device = {},
                     .number = 0,
                     .record = Payload::copy_of("record " + std::to_string(seq))});
    return out;
  };
  layout::HeadCell head;
  head.head = 10;
  head.sealed = 4;
  head.mark = 110;
  head.nonce = 1;
  Draft draft{.id = partition, .guard = layout::encode(head)};
  for (const auto& event : events(5, 10))
    draft.puts.emplace_back(layout::event_key(event.seq), layout::encode_event(id, event));
  Draft archive{.id = layout::archive_id(0, id, 1),
                .guard = layout::encode(layout::CountCell{1, 4, 1}),
                .puts = {{layout::chunk_key(1), layout::encode_chunk(id, events(1, 4))}},
                .space = layout::archive};
  const std::string ann = layout::member_name_key("ann", UserId{3});
  Draft members{.id = layout::member_id(0, id, 1),
                .guard = layout::encode(layout::CountCell{1, 1, 1, true}),
                .puts = {{layout::member_key(UserId{3}),
                          layout::encode(layout::MemberRow{.role = Role::member}, "ann")},
                         {ann, ""}},
                .space = layout::member};
  std::string expected;
  SECTION("sound") {}
  SECTION("a member is not found by name") {
    members.puts.pop_back();
    expected = "its index of names differs from its members";
  }
  SECTION("an event is missing") {
    draft.puts.erase(draft.puts.begin() + 2);
    expected = "event 7 is missing";
  }
  SECTION("the newest is missing") {
    draft.puts.pop_back();
    expected = "events 10 to 10 are missing";
  }
  SECTION("a chunk is missing") {
    archive.puts.clear();
    expected = "sealed events 1 to 4 are missing";
  }
  SECTION("the head's mark is another") {
    head.mark = 5;
    draft.guard = layout::encode(head);
    expected = "mark";
  }
  SECTION("an event is of another conversation") {
    ConversationId other = id;
    other.bytes[0] = 1;
    draft.puts[0].second = layout::encode_event(other, events(5, 5)[0]);
    expected = "event 5";
  }
  auto store = lmdb_store({.path = path})().value();
  testing::StoreProbe probe(by_itself);
  probe.done(*store, draft, "the conversation");
  probe.done(*store, archive, "the archive");
  probe.done(*store, members, "the members");
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
  store.reset();
  const auto report = lmdb::check_directory(path);
  REQUIRE(report.ok());
  INFO(report->text);
  CHECK(report->sound == expected.empty());
  CHECK(report->text.find(expected) != std::string::npos);
}

TEST_CASE("the check compares spaces with their channels, members and lists", "[lmdb][check]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  const ConversationId guild{{1}}, hall{{2}}, other{{3}};
  const UserId ann{3};
  layout::HeadCell head;
  head.nonce = 1;
  head.flags = layout::head_has_children;
  layout::InfoRow guild_info{.kind = ConversationKind::space};
  guild_info.child_number = 2;
  layout::InfoRow hall_info{.kind = ConversationKind::channel};
  hall_info.space = guild;
  hall_info.child_number = 1;
  layout::ChildRow child{.number = 1, .open = true};
  std::vector<std::pair<ConversationId, layout::ChildRow>> children;
  layout::MemberRow member{.role = Role::member, .admission = 7};
  std::optional<layout::Beginnings> began({.entry = 7, .children = {{.child = 1, .ordinal = 4}}});
  layout::ListRow listed{.entered = true, .kind = ConversationKind::channel, .inherited = true};
  ConversationId listed_in = hall;
  bool is_there = true;
  std::string expected;
  SECTION("sound") {}
  SECTION("a channel that is to be born is not there") {
    is_there = false;
    child.unborn = layout::Unborn{ann, 7, "hall"};
  }
  SECTION("who left the space needs no beginning") {
    member.role = Role::none;
    began.reset();
  }
  SECTION("a channel is not there") {
    is_there = false;
    expected = "a channel of a space is not there";
  }
  SECTION("its space is not there") {
    hall_info.space = other;
    expected = "its space is not there";
  }
  SECTION("the channel has another number") {
    hall_info.child_number = 2;
    expected = "its space does not have it as it says";
  }
  SECTION("a number that was never given") {
    child.number = hall_info.child_number = 3;
    expected = "a channel with a number that its space never gave";
  }
  SECTION("two channels have one number") {
    children.emplace_back(other, layout::ChildRow{.number = 1, .unborn = layout::Unborn{}});
    expected = "two channels of a space with one number";
  }
  SECTION("the head knows of no channels") {
    head.flags = 0;
    expected = "channels of a space that are not in its head";
  }
  SECTION("a group has channels") {
    guild_info.kind = ConversationKind::group;
    expected = "a channel of a space in what is none";
  }
  SECTION("a group belongs to a space") {
    hall_info.kind = ConversationKind::group;
    expected = "what is no channel belongs to a space";
  }
  SECTION("a member began nowhere") {
    began.reset();
    expected = "nothing says where a member of a space began";
  }
  SECTION("a member began with another entry") {
    began->entry = 6;
    expected = "nothing says where a member of a space began";
  }
  SECTION("a member began in a channel that never was") {
    began->children = {{.child = 3, .ordinal = 4}};
    expected = "tells of channels that it never had";
  }
  SECTION("a list has somebody in by a space where there is none") {
    listed_in = other;
    expected = "by a space where there is none";
  }
  children.emplace_back(hall, child);
  auto store = lmdb_store({.path = path})().value();
  testing::StoreProbe probe(by_itself);
  Draft space{.id = layout::conversation_id(0, guild), .guard = layout::encode(head)};
  space.puts.emplace_back(layout::info_key(), layout::encode(guild_info));
  for (const auto& [id, row] : children)
    space.puts.emplace_back(layout::child_key(id), layout::encode(row));
  probe.done(*store, space, "the space");
  head.flags = 0;
  if (is_there)
    probe.done(*store,
               {.id = layout::conversation_id(0, hall),
                .guard = layout::encode(head),
                .puts = {{layout::info_key(), layout::encode(hall_info)}}},
               "the channel");
  probe.done(*store,
             {.id = layout::conversation_id(0, other),
              .guard = layout::encode(head),
              .puts = {{layout::info_key(), layout::encode(layout::InfoRow{})}}},
             "a group");
  Draft bucket{.id = layout::member_id(0, guild, 1),
               .guard = layout::encode(layout::CountCell{1, 1, 1, true}),
               .puts = {{layout::member_key(ann), layout::encode(member, "")}},
               .space = layout::member};
  if (began) bucket.puts.emplace_back(layout::beginnings_key(ann), layout::encode(*began));
  probe.done(*store, bucket, "the members");
  probe.done(*store,
             {.id = layout::user_id(0, ann),
              .guard = layout::encode(head),
              .puts = {{layout::list_key(listed_in), layout::encode(listed)}},
              .space = layout::user},
             "the list");
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
  store.reset();
  const auto report = lmdb::check_directory(path);
  REQUIRE(report.ok());
  INFO(report->text);
  CHECK(report->sound == expected.empty());
  CHECK(report->text.find(expected) != std::string::npos);
}
