// tests/lmdb/merged_walk_test.cpp: LMDB's rows with others in front of them, against a plain map.
#include "lmdb/merged_walk.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "catch.hpp"
#include "scratch_env.hpp"

using namespace parley;
using lmdb::Key;
using lmdb::MergedWalk;
using lmdb::Overlaid;

TEST_CASE("a merged walk is the walk over the merged rows", "[lmdb][log]") {
  ScratchEnv at;
  std::mt19937 dice(7);
  const Partition partition{1, "p"};
  const Key prefix = Key::row(partition, {});
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, std::string> stored, merged;
    std::map<std::string, std::optional<std::string>> newer;
    lmdb::WriteTxn txn;
    REQUIRE(txn.begin(*at.env) == 0);
    for (char name = 'a'; name < 'i'; ++name) {
      const std::string key(1, name);
      const Key full = Key::row(partition, key);
      REQUIRE(lmdb::erase_value(txn.get(), full.bytes()) == 0);
      if (dice() % 2 == 0) {
        stored[key] = merged[key] = "old";
        REQUIRE(lmdb::put_value(txn.get(), full.bytes(), "old") == 0);
      }
      const auto what = dice() % 3;
      if (what == 0) newer[key] = merged[key] = "new";
      if (what == 1) newer[key] = std::nullopt, merged.erase(key);
    }
    REQUIRE(txn.commit() == 0);
    const std::string from(1, static_cast<char>('a' + dice() % 8));
    const std::string to(1, static_cast<char>('a' + dice() % 9));
    const bool reverse = dice() % 2 == 0;
    std::vector<Overlaid> overlay;
    for (const auto& [key, value] : newer)
      if (key >= from && key < to)
        overlay.push_back({key, value ? std::optional<Bytes>(*value) : std::nullopt});
    std::vector<std::string> wanted, found;
    for (const auto& [key, value] : merged)
      if (key >= from && key < to) wanted.push_back(key + value);
    if (reverse) {
      std::reverse(overlay.begin(), overlay.end());
      std::reverse(wanted.begin(), wanted.end());
    }
    auto reader = at.readers->take().value();
    const Key begin = Key::row(partition, from), end = Key::row(partition, to);
    MergedWalk walk(reader.cursor(), begin.bytes(), end.bytes(), reverse, prefix.bytes().size(),
                    overlay);
    for (; walk.valid(); walk.next())
      found.push_back(std::string(walk.key()) + std::string(walk.value()));
    INFO("round " << round << " from " << from << " to " << to << " reverse " << reverse);
    CHECK(walk.code() == 0);
    CHECK(found == wanted);
  }
}
