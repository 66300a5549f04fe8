// tests/lmdb/log_ring_test.cpp: files are used in turn, and only once nothing in them is needed.
#include "lmdb/log_ring.hpp"

#include <errno.h>

#include "catch.hpp"
#include "io_faults.hpp"
#include "lmdb/recovery.hpp"
#include "log_groups.hpp"
#include "scratch.hpp"

using namespace parley;
using lmdb::LogRing;
using Room = lmdb::LogRing::Room;

namespace {

constexpr std::size_t size = 4 * lmdb::log_block;  // three groups of a block

std::size_t files(const Scratch& scratch) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch / ""))
    count += entry.path().filename().string().starts_with("log-");
  return count;
}

void append(LogRing& ring, std::uint64_t lsn) {
  const auto group = log_groups::numbered(lsn);
  REQUIRE(ring.make_room(*group).value() == Room::there);
  REQUIRE(ring.write(*group) == 0);
  REQUIRE(ring.flush() == 0);
}

}  // namespace

TEST_CASE("files are reused after what they hold is folded", "[lmdb][log]") {
  Scratch scratch;
  LogRing ring({scratch / "", size, {}}, {}, 0, 0);
  for (std::uint64_t lsn = 1; lsn <= 100; ++lsn) {
    append(ring, lsn);
    if (lsn > 4) ring.release(lsn - 4);
    const auto log = lmdb::recover_log(scratch / "", {.folded = lsn > 4 ? lsn - 4 : 0}).value();
    CHECK(log.damage.empty());
    REQUIRE(log.groups.size() == std::min<std::uint64_t>(lsn, 4));
    CHECK(log.groups.back()->lsn() == lsn);
  }
  CHECK(files(scratch) == 3);
}

TEST_CASE("without a fold the log grows by files", "[lmdb][log]") {
  Scratch scratch;
  LogRing ring({scratch / "", size, {}}, {}, 0, 0);
  for (std::uint64_t lsn = 1; lsn <= 30; ++lsn) append(ring, lsn);
  CHECK(files(scratch) == 10);
  CHECK(lmdb::recover_log(scratch / "", {}).value().groups.size() == 30);
}

TEST_CASE("when the disk has no room for another file, the log waits for a fold", "[lmdb][log]") {
  Scratch scratch;
  LogRing ring({scratch / "", size, {}}, {}, 0, 0);
  REQUIRE(ring.make_files(2));
  for (std::uint64_t lsn = 1; lsn <= 6; ++lsn) append(ring, lsn);
  io_faults::fail_from(1, ENOSPC);
  const auto next = log_groups::numbered(7);
  CHECK(ring.make_room(*next).value() == Room::wait);
  io_faults::stop_failing();
  ring.release(3);
  append(ring, 7);
  CHECK(files(scratch) == 3);  // a name without contents stays, for the next time
}

TEST_CASE("a group that no file can hold is told so", "[lmdb][log]") {
  Scratch scratch;
  LogRing ring({scratch / "", size, {}}, {}, 0, 0);
  const auto large = log_groups::make(1, {{.guard = "g", .puts = {{"k", std::string(size, 'v')}}}});
  CHECK(ring.make_room(*large).value() == Room::too_large);
}
