// tests/lmdb/disk_space_test.cpp: what is let into the log, into LMDB at once, or not at all.
#include "lmdb/disk_space.hpp"

#include <errno.h>

#include "catch.hpp"
#include "scratch_env.hpp"

using namespace parley;
using lmdb::DiskSpace;

TEST_CASE("only what has room for certain fits", "[lmdb][log]") {
  ScratchEnv at;
  int error = 0, asked = 0;
  const lmdb::Hooks hooks{[&](lmdb::Step step) {
    asked += step == lmdb::Step::reserve;
    return step == lmdb::Step::reserve ? error : 0;
  }};
  DiskSpace space(*at.env, *at.readers, hooks, 8 << 20);
  bool fits = false;
  REQUIRE(space.check({.bytes = 1 << 20, .batches = 1, .rows = 10}, fits) == 0);
  CHECK(fits);
  REQUIRE(space.check({.bytes = 1 << 19, .batches = 1, .rows = 10}, fits) == 0);
  CHECK(fits);
  CHECK(asked == 1);  // the second one was reserved with the first
  REQUIRE(space.check({.bytes = 4 << 20, .batches = 1, .rows = 10}, fits) == 0);
  CHECK_FALSE(fits);  // not within max_size
  error = ENOSPC;
  REQUIRE(space.check({.bytes = 3 << 20, .batches = 1, .rows = 10}, fits) == 0);
  CHECK_FALSE(fits);
  bool full = false;
  REQUIRE(space.reserve({.bytes = 3 << 20, .batches = 1, .rows = 10}, false, full) == 0);
  CHECK(full);
  REQUIRE(space.reserve({.bytes = 3 << 20, .batches = 1, .rows = 10}, true, full) == 0);
  CHECK_FALSE(full);  // what erases may use the last of it
  error = EIO;
  CHECK(space.check({.bytes = 3 << 20, .batches = 1, .rows = 10}, fits) == EIO);
}

TEST_CASE("the map grows to max_size, and beyond it for what erases alone", "[lmdb][log]") {
  ScratchEnv at(1 << 20);
  const lmdb::Hooks hooks;
  DiskSpace space(*at.env, *at.readers, hooks, 3 << 20);
  bool full = false;
  REQUIRE(space.grow_map(false, false, full) == 0);
  CHECK(at.env->map_size() == 2 << 20);
  REQUIRE(space.grow_map(false, false, full) == 0);
  CHECK(at.env->map_size() == 3 << 20);
  REQUIRE(space.grow_map(false, true, full) == 0);
  CHECK(full);
  REQUIRE(space.grow_map(true, false, full) == 0);
  CHECK(full);
  REQUIRE(space.grow_map(true, true, full) == 0);
  CHECK_FALSE(full);
  CHECK(at.env->map_size() == 19 << 20);
}
