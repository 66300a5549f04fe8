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
