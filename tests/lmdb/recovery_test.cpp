// tests/lmdb/recovery_test.cpp: what of a log is believed, what is damage, and how the store opens.
#include "lmdb/recovery.hpp"

#include <errno.h>

#include <fstream>

#include "catch.hpp"
#include "chains.hpp"
#include "io_faults.hpp"
#include "lmdb/check.hpp"
#include "lmdb/keys.hpp"
#include "lmdb/lmdb_store.hpp"
#include "log_groups.hpp"
#include "scratch.hpp"

using namespace parley;
using lmdb::LogSegment;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t size = 64 << 10;
const lmdb::Incarnation mine{1};
const testing::StoreUnderTest by_itself;

LogSegment write(const std::string& path, std::uint64_t number, std::vector<std::uint64_t> lsns) {
  auto segment = LogSegment::create(path, size, mine).value();
  REQUIRE(segment.begin(
              {.number = number, .incarnation = mine, .first_lsn = lsns[0], .salt = number * 31}) ==
          0);
  for (const std::uint64_t lsn : lsns) REQUIRE(segment.write(*log_groups::numbered(lsn)) == 0);
  return segment;
}
void flip(const std::string& path, std::streamoff at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at).put(static_cast<char>(byte ^ 4));
}
void zero(const std::string& path) {
  const auto size = fs::file_size(path);
  std::ofstream(path, std::ios::binary) << std::string(size, '\0');
}
std::streamoff group_at(int index) { return (index + 1) * std::streamoff{4096} + 60; }

/// A store whose folds fail: everything it was told is in the log when it is gone.
void fill_log(const std::string& path, std::uint64_t rounds,
              std::size_t segment_size = lmdb::LogTuning().segment_size) {
  auto store =
      lmdb::open_store({.path = path},
                       {[](lmdb::Step step) { return step == lmdb::Step::fold ? EIO : 0; }},
                       {.segment_size = segment_size, .fold_every = std::chrono::hours(1)})
          .value();
  testing::StoreProbe probe(by_itself);
  for (std::uint64_t number = 1; number <= rounds; ++number)
    probe.done(*store, chains::commit_of(0, number), "commit");
  CHECK_FALSE(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}
std::uint64_t number_in(const std::string& path) {
  auto store = lmdb_store({.path = path})().value();
  const auto found = chains::read(*store, 0);
  CHECK(found.problem.empty());
  return found.number;
}
bool sound(const std::string& path) {
  const auto report = lmdb::check_directory(path);
  REQUIRE(report.ok());
  INFO(report->text);
  return report->sound;
}

}  // namespace

TEST_CASE("the log is read from the fold on, over its files", "[lmdb][log]") {
  Scratch scratch;
  write(scratch / "log-0", 7, {5, 6});
  write(scratch / "log-1", 6, {2, 3, 4});
  const auto log = lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 3}).value();
  CHECK(log.damage.empty());
  REQUIRE(log.groups.size() == 3);
  CHECK(log.groups.front()->lsn() == 4);
  CHECK(log.groups.back()->lsn() == 6);
  CHECK(log.last_lsns == std::vector<std::uint64_t>{6, 4});
  CHECK(log.number == 7);
  CHECK(lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 6}).value().last_lsns ==
        std::vector<std::uint64_t>{0, 0});
  CHECK(lmdb::recover_log(scratch / "", {.incarnation = lmdb::Incarnation{9}, .folded = 3})
            .value()
            .groups.empty());
}

TEST_CASE("a torn last group ends the log; one before the last is damage", "[lmdb][log]") {
  Scratch scratch;
  write(scratch / "log-0", 1, {1, 2, 3});
  const int torn = GENERATE(0, 1, 2);
  flip(scratch / "log-0", group_at(torn));
  const auto log = lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 0}).value();
  CHECK(log.groups.size() == static_cast<std::size_t>(torn));
  CHECK(log.damage.empty() == (torn == 2));
}

TEST_CASE("a recovery that was cut off leaves copies, and any good one counts", "[lmdb][log]") {
  Scratch scratch;
  write(scratch / "log-0", 1, {1, 2, 3, 4});
  write(scratch / "log-1", 2, {1, 2, 3});
  flip(scratch / "log-1", group_at(1));
  auto log = lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 0}).value();
  CHECK(log.damage.empty());
  CHECK(log.groups.size() == 4);
  flip(scratch / "log-0", group_at(0));
  log = lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 0}).value();
  CHECK(log.damage.empty());
  CHECK(log.groups.size() == 4);
  flip(scratch / "log-0", group_at(1));
  CHECK_FALSE(
      lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 0}).value().damage.empty());
}

TEST_CASE("a missing or unreadable file of the log is damage", "[lmdb][log]") {
  Scratch scratch;
  write(scratch / "log-0", 1, {1});
  write(scratch / "log-1", 2, {2});
  write(scratch / "log-2", 3, {3});
  SECTION("missing") { fs::remove(scratch / "log-1"); }
  SECTION("unreadable") { flip(scratch / "log-2", 20); }
  const auto log = lmdb::recover_log(scratch / "", {.incarnation = mine, .folded = 0}).value();
  CHECK_FALSE(log.damage.empty());
  CHECK(log.paths.size() == 3);
  CHECK(std::count(log.useless.begin(), log.useless.end(), true) == 1);
}

TEST_CASE("what is in the log alone is served after reopening, and folded", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 20);
  CHECK(sound(path));
  CHECK(number_in(path) == 20);
  for (const char* name : {"/log-0", "/log-1"}) fs::remove(path + name);  // closed in order
  CHECK(number_in(path) == 20);
}

TEST_CASE("recovery writes the log again before it serves", "[lmdb][log]") {
  // The disk may lack what the page cache shows: after a flush that failed, or a kill before one.
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 20);
  const lmdb::Hooks no_fold{[](lmdb::Step step) { return step == lmdb::Step::fold ? EIO : 0; }};
  { auto store = lmdb::open_store({.path = path}, no_fold).value(); }
  flip(path + "/log-0", group_at(3));  // the file that the first life wrote
  CHECK(number_in(path) == 20);
}

TEST_CASE("a damaged log is not opened, and can be cut", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 20);
  const auto incarnation = [&] {
    return lmdb_store({.path = path})().value()->facts().incarnation;
  };
  std::uint64_t left = 0;
  SECTION("in the middle") {
    flip(path + "/log-0", group_at(3));
    left = 3;
  }
  SECTION("in its header") { flip(path + "/log-0", 20); }
  SECTION("gone") {
    for (const char* name : {"/log-0", "/log-1"}) fs::remove(path + name);
  }
  SECTION("emptied") {
    for (const char* name : {"/log-0", "/log-1"}) fs::resize_file(path + name, 0);
  }
  SECTION("zeroed") {
    for (const char* name : {"/log-0", "/log-1"}) zero(path + name);
  }
  SECTION("zeroed where it was written") { zero(path + "/log-0"); }
  const auto opened = lmdb_store({.path = path})();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().errc() == Errc::store_corrupt);
  CHECK(opened.error().message.find("--cut") != std::string::npos);
  CHECK_FALSE(sound(path));
  CHECK_FALSE(lmdb::mark_restored(path).ok());
  REQUIRE(lmdb::cut_log(path).ok());
  CHECK(sound(path));
  CHECK(number_in(path) == left);
  const auto after = incarnation();
  CHECK(incarnation() == after);
  testing::StoreProbe probe(by_itself);
  auto store = lmdb_store({.path = path})().value();
  probe.done(*store, chains::commit_of(0, left + 1), "go on");
  CHECK(probe.take_failures().empty());
}

TEST_CASE("a copy of LMDB's file alone, taken under load, is not opened", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s", copy = scratch / "copy";
  fill_log(path, 5);
  fs::create_directory(copy);
  fs::copy(path + "/data.mdb", copy + "/data.mdb");
  CHECK_FALSE(sound(copy));
  CHECK(lmdb_store({.path = copy})().error().errc() == Errc::store_corrupt);
  REQUIRE(lmdb::cut_log(copy).ok());
  auto store = lmdb_store({.path = copy})().value();
  CHECK(store->facts().incarnation != lmdb_store({.path = path})().value()->facts().incarnation);
}

TEST_CASE("the newest file of a log that grew is missed", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 50, size);
  fill_log(path, 0, size);  // opening counts the files
  const auto file = [&](std::size_t number) { return path + "/log-" + std::to_string(number); };
  std::size_t newest = 2;
  REQUIRE(fs::exists(file(newest)));
  while (fs::exists(file(newest + 1))) ++newest;
  CHECK(sound(path));
  SECTION("gone") { fs::remove(file(newest)); }
  SECTION("emptied") { fs::resize_file(file(newest), 0); }
  SECTION("zeroed") { zero(file(newest)); }
  CHECK_FALSE(sound(path));
  CHECK(lmdb_store({.path = path})().error().errc() == Errc::store_corrupt);
}

TEST_CASE("a file that was being made when the process ended is no damage", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 20);
  std::ofstream(path + "/log-new") << std::string(10'000, '\0');
  CHECK(sound(path));
  CHECK(number_in(path) == 20);
}

TEST_CASE("a log of an older version may have files of zeros, but not only such", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  fill_log(path, 20);
  std::uint64_t folded = 0;
  SECTION("nothing was folded") {}
  SECTION("something was folded") { folded = 10; }
  {
    auto env = lmdb::Env::open(path, 64 << 20, lmdb::Env::Access::write).value();
    lmdb::WriteTxn txn;
    REQUIRE(txn.begin(*env) == 0);
    REQUIRE(lmdb::erase_value(txn.get(), lmdb::Key::own(lmdb::OwnRow::log_files).bytes()) == 0);
    REQUIRE(lmdb::write_folded(txn.get(), folded) == 0);
    REQUIRE(txn.commit() == 0);
  }
  fs::resize_file(path + "/log-1", 0);
  CHECK(sound(path));
  zero(path + "/log-0");
  CHECK(sound(path) == (folded == 0));
  CHECK(lmdb_store({.path = path})().ok() == (folded == 0));
}

TEST_CASE("whichever write or sync of a recovery fails, the log is still there", "[lmdb][faults]") {
  Scratch scratch;
  const std::string whole = scratch / "whole";
  fill_log(whole, 30);
  for (long k = 1; k < 300; ++k) {
    INFO("call " << k);
    const std::string path = scratch / std::to_string(k);
    fs::copy(whole, path, fs::copy_options::recursive);
    io_faults::fail_from(k, EIO);
    { auto opened = lmdb_store({.path = path})(); }
    const bool through = io_faults::calls() < k;
    io_faults::stop_failing();
    CHECK(sound(path));
    CHECK(number_in(path) == 30);
    if (through) {
      CHECK(k > 10);
      return;
    }
  }
  FAIL("the run never got through");
}
