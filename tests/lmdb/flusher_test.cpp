// tests/lmdb/flusher_test.cpp: a flush on a thread of its own tells how it ended.
#include "lmdb/flusher.hpp"

#include <errno.h>

#include "catch.hpp"
#include "io_faults.hpp"
#include "log_groups.hpp"
#include "scratch.hpp"

using namespace parley;

TEST_CASE("a flush on another thread ends as the disk says", "[lmdb][log]") {
  Scratch scratch;
  lmdb::LogRing ring({scratch / "", 64 << 10, {}}, {}, 0, 0);
  int started = 0, stopped = 0;
  {
    lmdb::Flusher flusher(
        ring, [&] { ++started; }, [&] { ++stopped; });
    flusher.stop();  // none was started
    CHECK(started == 0);
  }
  lmdb::Flusher flusher(
      ring, [&] { ++started; }, [&] { ++stopped; });
  for (std::uint64_t lsn = 1; lsn <= 5; ++lsn) {
    const auto group = log_groups::numbered(lsn);
    REQUIRE(ring.make_room(*group).ok());
    REQUIRE(ring.write(*group) == 0);
    if (lsn == 5) io_faults::fail_from(1, EIO);
    REQUIRE(flusher.begin());
    CHECK(flusher.wait() == (lsn == 5 ? EIO : 0));
  }
  io_faults::stop_failing();
  flusher.stop();
  CHECK(started == 1);
  CHECK(stopped == 1);
}
