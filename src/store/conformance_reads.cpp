// store/conformance_reads.cpp: conformance cases of get, scan and list.
#include <algorithm>
#include <map>
#include <set>

#include "store/store_probe.hpp"

namespace parley::inline v0::testing {
namespace {

void done_is_visible(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  auto second = store->facts().shared ? t.reopen() : nullptr;
  Store& reader = second ? *second : *store;
  std::string after;
  for (int i = 1; i <= 50; ++i) {
    Draft draft{.guard = "g" + std::to_string(i),
                .puts = {{"k", std::to_string(i)}},
                .note = "n" + std::to_string(i)};
    if (i > 1) draft.expect = "g" + std::to_string(i - 1);
    t.done(*store, draft, "commit");
    t.check(t.guard(reader, "p") == draft.guard, "get does not see what was done");
    const auto rows = t.scan(reader, {.partition = {1, "p"}});
    t.check(rows && rows->guard == *draft.guard && rows->rows.size() == 1 &&
                rows->rows[0].value == std::to_string(i),
            "scan does not see what was done");
    const auto listed = t.list(reader, 1, {}, 10);
    t.check(listed && listed->partitions.size() == 1 &&
                listed->partitions[0].value == *draft.guard && listed->next.empty(),
            "list does not see what was done");
    bool told = false;  // repeats are allowed, so all pages up to the newest entry are read
    for (int page = 0; page < 20 && !told; ++page) {
      const auto changes = t.changes(reader, after, 100);
      if (!changes) break;
      for (const auto& entry : changes->entries) told = told || entry.note == draft.note;
      after = changes->next;
    }
    t.check(told, "changes does not tell what was done");
  }
  if (second) t.close(*second).value();
  t.close(*store).value();
}

Draft hundred_rows() {
  Draft draft{.guard = "g1"};
  for (int i = 0; i < 100; ++i) draft.puts.emplace_back(big_endian(i), std::string(92, 'v'));
  return draft;  // 100 rows of exactly 100 bytes
}

std::size_t scan_count(StoreProbe& t, Store& store, Scan scan, bool more, const char* what) {
  scan.partition = {1, "p"};
  const auto rows = t.scan(store, std::move(scan));
  t.check(rows.ok(), std::string(what) + ": the scan fails");
  if (!rows) return 0;
  t.check(rows->more == more, std::string(what) + ": `more` is wrong");
  t.check(rows->guard == "g1", std::string(what) + ": the guard is missing");
  return rows->rows.size();
}

void scan_limits(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, hundred_rows(), "create");
  const auto count = [&](Scan scan, bool more, const char* what) {
    return scan_count(t, *store, std::move(scan), more, what);
  };
  t.check(count({}, false, "everything") == 100, "the whole partition");
  for (const bool reverse : {false, true}) {
    t.check(count({.reverse = reverse, .max_rows = 99}, true, "99") == 99, "one row less");
    t.check(count({.reverse = reverse, .max_rows = 100}, false, "100") == 100, "exactly all");
    t.check(count({.reverse = reverse, .max_rows = 1}, true, "1") == 1, "one row");
    t.check(count({.reverse = reverse, .max_bytes = 1000}, true, "1000 B") == 10,
            "ten rows' bytes");
    t.check(count({.reverse = reverse, .max_bytes = 1099}, true, "1099 B") == 10, "a byte short");
    t.check(count({.reverse = reverse, .max_bytes = 10'000}, false, "all B") == 100, "all bytes");
    t.check(count({.reverse = reverse, .max_bytes = 1}, true, "1 B") == 1, "at least one row");
    t.check(
        count({.from = big_endian(90), .reverse = reverse, .max_rows = 10}, false, "tail") == 10,
        "the last ten");
  }
  const std::string ten = big_endian(10), twenty = big_endian(20);
  t.check(count({.from = ten, .to = twenty}, false, "range") == 10, "a range in the middle");
  t.check(count({.from = ten, .to = ten}, false, "empty") == 0, "an empty range");
  t.check(count({.from = twenty, .to = ten}, false, "turned") == 0, "from above to");
  t.check(count({.from = twenty, .to = ten, .reverse = true}, false, "turned") == 0, "and reverse");
  t.check(count({.from = big_endian(1000)}, false, "above") == 0, "above the last row");
  const auto absent = t.scan(*store, {.partition = {1, "q"}});
  t.check(absent && !absent->guard && absent->rows.empty() && !absent->more, "an absent partition");

  t.done(*store,
         {.id = "big", .guard = "g1", .puts = {{"a", std::string(300'000, 'x')}, {"b", "y"}}},
         "one large row");
  const auto large = t.scan(*store, {.partition = {1, "big"}, .max_bytes = 1000});
  t.check(large && large->rows.size() == 1 && large->rows[0].value.size() == 300'000 && large->more,
          "one oversized row is answered alone");
  t.close(*store).value();
}

void scan_pages(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, hundred_rows(), "create");
  for (const std::uint32_t size : {1U, 7U, 50U, 100U}) {
    std::vector<std::string> up, down;
    std::string from, to;
    for (bool more = true; more;) {
      auto page = t.scan(*store, {.partition = {1, "p"}, .from = from, .max_rows = size});
      if (!page || page->rows.empty()) break;
      for (const Row& row : page->rows) up.emplace_back(row.key);
      more = page->more;
      from = up.back() + '\0';
    }
    for (bool more = true; more;) {
      auto page =
          t.scan(*store, {.partition = {1, "p"}, .to = to, .reverse = true, .max_rows = size});
      if (!page || page->rows.empty()) break;
      for (const Row& row : page->rows) down.emplace_back(row.key);
      more = page->more;
      to = down.back();
    }
    std::reverse(down.begin(), down.end());
    t.check(up.size() == 100 && std::is_sorted(up.begin(), up.end()), "pages upward lose rows");
    t.check(down == up, "pages downward differ");
  }
  t.close(*store).value();
}

void no_leaks(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  using namespace std::string_literals;
  const std::vector<std::pair<std::uint8_t, std::string>> names = {{1, "a"},
                                                                   {2, "a"},
                                                                   {0, "a"},
                                                                   {254, "a"},
                                                                   {1, "aa"},
                                                                   {1, "a\0"s},
                                                                   {1, "a\x01"s},
                                                                   {1, "b"},
                                                                   {1, "\xff"s},
                                                                   {1, "\xff\xff"s},
                                                                   {1, std::string(32, 'a')},
                                                                   {1, std::string(32, '\xff')},
                                                                   {1, "\x01"s},
                                                                   {1, "\0"s}};
  for (const auto& [space, id] : names)
    t.done(*store,
           {.id = id,
            .guard = "g" + id,
            .puts = {{"\0"s, id}, {"a", id}, {"\xff"s, id}, {std::string(128, '\xff'), id}},
            .space = space},
           "create");
  for (const auto& [space, id] : names) {
    for (const bool reverse : {false, true}) {
      auto rows = t.scan(*store, {.partition = {space, id}, .reverse = reverse});
      t.check(rows && rows->rows.size() == 4 && !rows->more && rows->guard == "g" + id,
              "a scan leaves its partition or stops short");
      if (rows)
        for (const Row& row : rows->rows) t.check(row.value == id, "a row of another partition");
    }
  }
  t.done(*store,
         {.id = "a", .expect = "ga", .erases = {"\0"s, "a", "\xff"s, std::string(128, '\xff')}},
         "end one");
  for (const auto& [space, id] : names)
    t.check(t.rows(*store, id, space).size() == (space == 1 && id == "a" ? 0U : 4U),
            "ending one partition changed another");
  t.close(*store).value();
}

void get_many(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const int partitions = 1000;
  std::vector<Slot<Committed>> slots(partitions);
  for (int i = 0; i < partitions; ++i)
    store->commit(Draft::owned({.id = "p" + std::to_string(i),
                                .guard = "g" + std::to_string(i),
                                .puts = {{"k", "v" + std::to_string(i)}, {"e", ""}}}),
                  slots[static_cast<std::size_t>(i)].done());
  for (auto& slot : slots) t.check(slot.wait(t.under().pump), "no completion");
  std::vector<std::string> ids(4096);
  Get wanted;
  for (int i = 0; i < 4096; ++i) {
    auto& id = ids[static_cast<std::size_t>(i)];
    id = "p" + std::to_string(i * 7 % 1100);  // some do not exist
    const char* keys[] = {"", "k", "e", "none"};
    wanted.cells.push_back({{1, id}, keys[i % 4]});
  }
  const auto cells = t.get(*store, wanted);
  t.check(cells.ok() && cells->values.size() == 4096, "a get of 4,096 cells");
  if (!cells || cells->values.size() != 4096) return;
  for (int i = 0; i < 4096; ++i) {
    const int number = i * 7 % 1100;
    std::optional<std::string> expected;
    if (number < partitions && i % 4 == 0) expected = "g" + std::to_string(number);
    if (number < partitions && i % 4 == 1) expected = "v" + std::to_string(number);
    if (number < partitions && i % 4 == 2) expected = "";
    const auto& value = cells->values[static_cast<std::size_t>(i)];
    t.check(value.has_value() == expected.has_value() && (!value || *value == *expected),
            "cell " + std::to_string(i) + " is wrong");
    t.check(!value || reinterpret_cast<std::uintptr_t>(value->data()) % 8 == 0, "not 8-aligned");
  }
  const auto none = t.get(*store, {});
  t.check(none && none->values.empty(), "a get of nothing");
  wanted.cells.push_back({{1, ids[0]}, "k"});
  t.check(!t.get(*store, wanted).ok(), "one cell past the limit is read");
  t.close(*store).value();
}

void relaxed_never_mixes(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  for (int i = 1; i <= t.scaled(200); ++i) {
    Draft draft{.guard = big_endian(i), .puts = {{"e" + big_endian(i), "x"}}};
    if (i > 1) draft.expect = big_endian(i - 1);
    if (i > 10) draft.erases = {"e" + big_endian(i - 10)};
    t.done(*store, draft, "commit");
    const auto rows = t.scan(*store, {.partition = {1, "p"}, .freshness = Freshness::relaxed});
    if (!rows) return t.check(false, "a relaxed scan fails");
    if (!rows->guard) continue;  // before the creation, as far as the replica knows
    std::uint64_t head = 0;
    for (const char c : *rows->guard) head = head << 8 | static_cast<unsigned char>(c);
    std::set<std::string> keys;
    for (const Row& row : rows->rows) keys.emplace(row.key);
    for (std::uint64_t n = head > 9 ? head - 9 : 1; n <= head; ++n)
      t.check(keys.contains("e" + big_endian(n)), "the guard vouches for a row that is missing");
  }
  t.close(*store).value();
}

std::map<std::string, int> list_all(StoreProbe& t, Store& store, std::uint32_t page,
                                    const std::function<void()>& between) {
  std::map<std::string, int> seen;
  std::string after;
  for (int pages = 0; pages < 10'000; ++pages) {
    const auto listed = t.list(store, 1, after, page);
    t.check(listed.ok(), "list fails");
    if (!listed) break;
    t.check(listed->partitions.size() <= page, "a page longer than asked");
    for (const Row& row : listed->partitions) {
      ++seen[std::string(row.key)];
      t.check(!row.value.empty(), "a listed partition without its guard");
    }
    if (listed->next.empty()) return seen;
    t.check(!listed->partitions.empty(), "an empty page that goes on");
    after = std::string(listed->next);
    if (between) between();
  }
  t.check(false, "list does not end");
  return seen;
}

void list_while_changing(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const auto empty = t.list(*store, 1, {}, 10);
  t.check(empty && empty->partitions.empty() && empty->next.empty(), "an empty store's list");
  for (int i = 0; i < 100; ++i) {
    t.done(*store, {.id = "stay" + std::to_string(i), .guard = "g"}, "create");
    if (i % 2 == 0) t.done(*store, {.id = "go" + std::to_string(i), .guard = "g"}, "create");
    t.done(*store, {.id = "stay" + std::to_string(i), .guard = "g", .space = 2}, "another space");
  }
  int came = 0, gone = 0;
  for (const std::uint32_t page : {1U, 3U, 33U, 1000U}) {
    int round = 0;  // bounded: otherwise what comes may always be ahead
    const auto seen = list_all(t, *store, page, [&] {
      if (++round > 20) return;
      t.done(*store, {.id = "came" + std::to_string(came++), .guard = "g"}, "come");
      if (gone < 100)
        t.done(*store, {.id = "go" + std::to_string(gone), .expect = "g"}, "go"), gone += 2;
      const std::string id = "stay" + std::to_string(came % 100);
      t.done(*store, {.id = id, .expect = t.guard(*store, id), .guard = "h" + std::to_string(came)},
             "move a guard");
    });
    for (int i = 0; i < 100; ++i) {
      const auto at = seen.find("stay" + std::to_string(i));
      t.check(at != seen.end() && at->second == 1,
              "a partition that stayed was found " +
                  std::to_string(at == seen.end() ? 0 : at->second) + " times");
    }
  }
  t.close(*store).value();
}

// Export and migration are nothing but list, scan and commit.
void migrate(StoreProbe& t) {
  auto from = t.fresh();
  auto to = t.fresh();
  if (!from || !to) return;
  for (int i = 0; i < 30; ++i) {
    Draft draft{.id = "p" + std::to_string(i), .guard = "g" + std::to_string(i)};
    for (int k = 0; k <= i; ++k) draft.puts.emplace_back(big_endian(k), std::to_string(i * k));
    t.done(*from, draft, "create");
  }
  for (const auto& [id, count] : list_all(t, *from, 7, nullptr)) {
    Draft copy{.id = id, .guard = t.guard(*from, id), .puts = t.rows(*from, id)};
    t.done(*to, copy, "copy");
  }
  for (int i = 0; i < 30; ++i) {
    const auto id = "p" + std::to_string(i);
    t.check(t.guard(*to, id) == "g" + std::to_string(i), "a guard was not migrated");
    t.check(t.rows(*to, id) == t.rows(*from, id), "rows were not migrated");
  }
  t.close(*from).value();
  t.close(*to).value();
}

}  // namespace

void add_read_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"done_is_visible", "get, scan, list and changes see what is done", false, false,
        done_is_visible},
       {"scan_limits", "rows, bytes, one oversized row, `more`, ranges", false, false, scan_limits},
       {"scan_pages", "pages in both directions find every row once", false, false, scan_pages},
       {"no_leaks", "equal ids in two spaces and prefixes do not mix", false, false, no_leaks},
       {"get_many", "4,096 cells over 1,000 partitions, in order", false, false, get_many},
       {"relaxed_never_mixes", "a relaxed scan's guard vouches for its rows", false, false,
        relaxed_never_mixes},
       {"list_while_changing", "what stays is found once, whatever else moves", false, false,
        list_while_changing},
       {"migrate", "list, scan and commit copy a store", false, false, migrate}});
}

}  // namespace parley::inline v0::testing
