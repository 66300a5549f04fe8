// tests/lmdb/upgrade_test.cpp: directories written before the log open, and are brought up to date.
#include <errno.h>

#include "catch.hpp"
#include "chains.hpp"
#include "io_faults.hpp"
#include "lmdb/check.hpp"
#include "lmdb/lmdb_store.hpp"
#include "lmdb/opening.hpp"
#include "scratch.hpp"

using namespace parley;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t written = 4;  // commits of each of three chains

/// Written by Parley 0.1.0, in format 1.
std::string old_directory(const Scratch& scratch, const char* name) {
  const std::string path = scratch / "old";
  fs::remove_all(path);
  fs::create_directory(path);
  fs::copy(std::string(PARLEY_SOURCE_DIR "/tests/lmdb/fixtures/format-1/") + name + ".mdb",
           path + "/data.mdb");
  fs::permissions(path + "/data.mdb", fs::perms::owner_read | fs::perms::owner_write);
  return path;
}
std::uint32_t format_of(const std::string& path) {
  auto env = lmdb::Env::open(path, 1 << 20, lmdb::Env::Access::write).value();
  return lmdb::read_own_rows(*env).value().format.written;
}
void check_contents(Store& store) {
  for (int chain = 0; chain < 3; ++chain) {
    const auto found = chains::read(store, chain);
    CHECK(found.problem.empty());
    CHECK(found.number == written);
  }
  const testing::StoreUnderTest under;
  testing::StoreProbe probe(under);
  CHECK(probe.changes(store, {}, 100)->entries.size() == 3 * written);
  CHECK_FALSE(probe.changes(store, {}, 100)->trimmed);
}

}  // namespace

TEST_CASE("a directory without a log opens and is given one", "[lmdb][upgrade]") {
  Scratch scratch;
  const std::string name = GENERATE("closed", "killed");
  const std::string path = old_directory(scratch, name.c_str());
  CHECK(lmdb::check_directory(path)->sound);
  CHECK(format_of(path) == 1);
  const testing::StoreUnderTest under;
  testing::StoreProbe probe(under);
  {
    auto store = lmdb_store({.path = path})().value();
    check_contents(*store);
    if (name == "closed") CHECK(store->facts().incarnation[0] == 0x5b);  // as it was written
    probe.done(*store, chains::commit_of(0, written + 1), "go on");
    CHECK(probe.close(*store).ok());
  }
  CHECK(format_of(path) == 2);
  CHECK(fs::exists(path + "/log-0"));
  CHECK(lmdb::check_directory(path)->sound);
  auto store = lmdb_store({.path = path})().value();
  CHECK(chains::read(*store, 0).number == written + 1);
  CHECK(probe.take_failures().empty());
}

TEST_CASE("an upgrade that fails anywhere can begin again", "[lmdb][upgrade][faults]") {
  Scratch scratch;
  for (long k = 1; k < 100; ++k) {
    INFO("call " << k);
    const std::string path = old_directory(scratch, "closed");
    io_faults::fail_from(k, EIO);
    bool opened = false;
    { opened = lmdb_store({.path = path})().ok(); }
    const bool through = io_faults::calls() < k;
    io_faults::stop_failing();
    CHECK(lmdb::check_directory(path)->sound);
    auto store = lmdb_store({.path = path})().value();
    check_contents(*store);
    if (through) {
      CHECK(opened);
      CHECK(k > 5);
      return;
    }
  }
  FAIL("the run never got through");
}
