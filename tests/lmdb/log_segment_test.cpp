// tests/lmdb/log_segment_test.cpp: a file of the log through its states.
#include "lmdb/log_segment.hpp"

#include <fstream>

#include "catch.hpp"
#include "log_groups.hpp"
#include "scratch.hpp"

using namespace parley;
using lmdb::LogSegment;
using State = lmdb::SegmentContents::State;

namespace {

constexpr std::size_t size = 64 << 10;
const lmdb::Incarnation mine{1}, other{2};

lmdb::SegmentContents contents(const std::string& path) {
  return lmdb::read_segment(path, mine).value();
}
void write_byte(const std::string& path, std::streamoff at, char byte) {
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(at).put(byte);
}

}  // namespace

TEST_CASE("a segment is made with a header and used again and again", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "log-0";
  auto segment = LogSegment::create(path, size, mine).value();
  CHECK(std::filesystem::file_size(path) == size);
  CHECK(contents(path).state == State::used);
  CHECK(contents(path).groups.empty());
  CHECK(lmdb::read_segment(path, other)->state == State::foreign);
  for (std::uint64_t use = 1; use <= 3; ++use) {
    REQUIRE(segment.begin(
                {.number = use, .incarnation = mine, .first_lsn = use * 10, .salt = use}) == 0);
    for (std::uint64_t i = 0; i < 4 - use; ++i) {  // fewer each time: old ones lie behind them
      const auto group = log_groups::numbered(use * 10 + i);
      REQUIRE(segment.fits(*group));
      REQUIRE(segment.write(*group) == 0);
    }
    CHECK(segment.flush() == 0);
    const auto read = contents(path);
    CHECK(read.state == State::used);
    CHECK(read.header.number == use);
    REQUIRE(read.groups.size() == 4 - use);
    CHECK(read.groups.back()->lsn() == segment.last_lsn());
  }
}

TEST_CASE("a segment is full when the next group does not fit", "[lmdb][log]") {
  Scratch scratch;
  auto segment = LogSegment::create(scratch / "log-0", 3 * lmdb::log_block, mine).value();
  const auto group = log_groups::numbered(1);
  CHECK_FALSE(segment.fits(*group));  // not begun
  REQUIRE(segment.begin({.number = 1, .incarnation = mine, .first_lsn = 1, .salt = 1}) == 0);
  REQUIRE(segment.write(*group) == 0);
  CHECK(segment.fits(*group));
  REQUIRE(segment.write(*group) == 0);
  CHECK_FALSE(segment.fits(*group));
}

TEST_CASE("a segment that cannot be read is told from one that holds nothing", "[lmdb][log]") {
  Scratch scratch;
  const std::string path = scratch / "log-0";
  std::ofstream(path) << std::string(10'000, '\0');
  CHECK(contents(path).state == State::empty);
  auto segment = LogSegment::create(path, size, mine).value();
  REQUIRE(segment.begin({.number = 1, .incarnation = other, .first_lsn = 1, .salt = 1}) == 0);
  REQUIRE(segment.write(*log_groups::numbered(1)) == 0);
  CHECK(contents(path).state == State::foreign);
  CHECK(contents(path).groups.empty());
  REQUIRE(segment.begin({.number = 2, .incarnation = mine, .first_lsn = 1, .salt = 1}) == 0);
  for (std::uint64_t lsn = 1; lsn <= 3; ++lsn)
    REQUIRE(segment.write(*log_groups::numbered(lsn)) == 0);
  CHECK(contents(path).groups.size() == 3);
  write_byte(path, 2 * 4096 + 30, 'x');  // in the second group: those around it are found
  const auto read = contents(path);
  REQUIRE(read.groups.size() == 2);
  CHECK(read.groups[1]->lsn() == 3);
  write_byte(path, 20, 'x');
  CHECK(contents(path).state == State::damaged);
  segment = LogSegment::create(path, size, mine).value();
  REQUIRE(segment.begin({.number = 3, .incarnation = mine, .first_lsn = 1, .salt = 1}) == 0);
  std::filesystem::resize_file(path, size / 2);
  CHECK(contents(path).state == State::damaged);
}
