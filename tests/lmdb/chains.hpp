// tests/lmdb/chains.hpp: a workload whose every prefix can be verified, for tests that break
// things.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "parley/store.hpp"
#include "store/store_probe.hpp"

/// Partition c<i> is at number n after n commits; commit n puts three rows, one of them large now
/// and then, and erases those of commit n - 5. So the guard's number tells every row that must be
/// there.
namespace chains {

using parley::testing::big_endian;
using parley::testing::Draft;

inline std::string guard_of(std::uint64_t number) {
  return number == 0 ? std::string() : big_endian(number) + "nonce";
}

inline std::vector<std::pair<std::string, std::string>> rows_of(int chain, std::uint64_t number) {
  const std::string key = big_endian(number);
  const std::size_t size = (number + static_cast<std::uint64_t>(chain)) % 7 == 0 ? 20'000 : 50;
  return {
      {"a" + key, key}, {"b" + key, std::string(size, static_cast<char>(number))}, {"c" + key, ""}};
}

inline Draft commit_of(int chain, std::uint64_t number) {
  Draft draft{.id = "c" + std::to_string(chain),
              .guard = guard_of(number),
              .puts = rows_of(chain, number),
              .note = big_endian(number)};
  if (number > 1) draft.expect = guard_of(number - 1);
  if (number > 5)
    for (const auto& [key, value] : rows_of(chain, number - 5)) draft.erases.push_back(key);
  return draft;
}

/// The number of a chain, or an error's text when guard and rows disagree.
struct Found {
  std::uint64_t number = 0;
  std::string problem;
};
inline Found read(parley::Store& store, int chain) {
  const parley::testing::StoreUnderTest under;
  parley::testing::StoreProbe probe(under);
  const std::string id = "c" + std::to_string(chain);
  const auto guard = probe.guard(store, id);
  const auto rows = probe.rows(store, id);
  Found found;
  for (const auto& failure : probe.take_failures()) found.problem += failure + "; ";
  if (guard)
    for (const char c : guard->substr(0, 8))
      found.number = found.number << 8 | static_cast<unsigned char>(c);
  std::vector<std::pair<std::string, std::string>> wanted;
  for (std::uint64_t n = found.number > 5 ? found.number - 4 : 1; n <= found.number; ++n)
    for (const auto& row : rows_of(chain, n)) wanted.push_back(row);
  std::sort(wanted.begin(), wanted.end());
  if (rows != wanted)
    found.problem += "the rows are not those of commit " + std::to_string(found.number);
  return found;
}

}  // namespace chains
