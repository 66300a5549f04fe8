// tests/lmdb/lmdb_conformance_test.cpp: the LMDB store passes the suite, however it reads.
#include "catch.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/testing/store_conformance.hpp"
#include "scratch.hpp"

using namespace parley;

TEST_CASE("the LMDB store passes the conformance suite", "[lmdb]") {
  const LmdbReads reads = GENERATE(LmdbReads::adaptive, LmdbReads::pool);
  Scratch scratch;
  int number = 0;
  const testing::StoreUnderTest under{
      .fresh =
          [&] {
            return lmdb_store({.path = scratch / std::to_string(number++),
                               .reads = reads,
                               .map_size = 1 << 20});  // small: so that it grows on the way
          },
      .persistent = true,
      .scale = reads == LmdbReads::pool ? 0.05 : 0.2};
  for (const auto& each : testing::store_cases()) {
    INFO(each.name);
    testing::run_store_case(each, under, [](bool ok, std::string_view what) {
      INFO(what);
      CHECK(ok);
    });
  }
}

TEST_CASE("the LMDB store passes the long cases in full", "[lmdb][slow]") {
  Scratch scratch(Scratch::Place::disk);
  int number = 0;
  const testing::StoreUnderTest under{
      .fresh = [&] { return lmdb_store({.path = scratch / std::to_string(number++)}); },
      .persistent = true};
  testing::run_store_conformance(under, [](bool ok, std::string_view what) {
    INFO(what);
    CHECK(ok);
  });
}
