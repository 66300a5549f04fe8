// store/conformance_limits.cpp: conformance cases at each limit and one past it.
#include "store/store_probe.hpp"

namespace parley::inline v0::testing {
namespace {

/// `at` must be done on a partition of its own; `past` must fail and leave nothing.
void at_and_past(StoreProbe& t, Store& store, Draft at, Draft past, const char* what) {
  at.guard = at.guard.value_or("g1");
  past.guard = past.guard.value_or("g1");
  t.done(store, at, (std::string(what) + " at the limit").c_str());
  t.failed(store, past, (std::string(what) + " past the limit").c_str());
  if (!past.id.empty() && past.id.size() <= 32) {
    t.check(!t.guard(store, past.id), std::string(what) + ": something was written");
    t.check(t.rows(store, past.id).empty(), std::string(what) + ": rows were written");
  }
}

void limits_small(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  at_and_past(t, *store, {.id = "i"}, {.id = ""}, "the shortest id");
  at_and_past(t, *store, {.id = std::string(32, 'i')}, {.id = std::string(33, 'i')},
              "the longest id");
  at_and_past(t, *store, {.id = "g1", .guard = "g"}, {.id = "g2", .guard = ""},
              "the shortest guard");
  at_and_past(t, *store, {.id = "g3", .guard = std::string(256, 'g')},
              {.id = "g4", .guard = std::string(257, 'g')}, "the longest guard");
  at_and_past(t, *store, {.id = "k1", .puts = {{"k", ""}}}, {.id = "k2", .puts = {{"", ""}}},
              "the shortest key");
  at_and_past(t, *store, {.id = "k3", .puts = {{std::string(128, 'k'), "v"}}},
              {.id = "k4", .puts = {{std::string(129, 'k'), "v"}}}, "the longest key");
  at_and_past(t, *store, {.id = "k5", .erases = {std::string(128, 'k')}},
              {.id = "k6", .erases = {std::string(129, 'k')}}, "the longest erased key");
  at_and_past(t, *store, {.id = "n1", .note = std::string(64, 'n')},
              {.id = "n2", .note = std::string(65, 'n')}, "the longest note");
  at_and_past(t, *store, {.id = "s1", .space = 1}, {.id = "s2", .space = 255}, "the last space");
  t.check(t.guard(*store, "g3") == std::string(256, 'g'), "the longest guard reads back");
  t.check(t.value(*store, "k3", std::string(128, 'k')) == "v", "the longest key reads back");
  const auto changes = t.changes(*store, {}, 10);
  t.check(changes && changes->entries.size() >= 1 &&
              changes->entries[0].note == std::string(64, 'n') && changes->next.size() <= 200,
          "the longest note is told");
  t.close(*store).value();
}

void limits_batch(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const StoreFacts& facts = store->facts();
  at_and_past(t, *store, {.id = "v1", .puts = {{"k", std::string(facts.max_value, 'v')}}},
              {.id = "v2", .puts = {{"k", std::string(facts.max_value + 1, 'v')}}}, "a value");
  t.check(t.value(*store, "v1", "k") == std::string(facts.max_value, 'v'), "it reads back");

  Draft most{.id = "r1"}, more{.id = "r2"};
  for (std::size_t i = 0; i <= facts.max_batch_rows; ++i) {
    if (i < facts.max_batch_rows) most.puts.emplace_back(big_endian(i), "v");
    if (i % 2 == 0)
      more.puts.emplace_back(big_endian(i), "v");
    else
      more.erases.push_back(big_endian(i));
  }
  at_and_past(t, *store, most, more, "a batch's rows");
  t.check(t.rows(*store, "r1").size() == facts.max_batch_rows, "all rows read back");

  const auto of_bytes = [&](std::string id, std::size_t bytes) {
    Draft draft{.id = std::move(id)};
    for (std::size_t i = 0; bytes > 0; ++i) {
      const std::size_t row = bytes < 100'000 + 16 ? bytes : 100'000;
      draft.puts.emplace_back(big_endian(i), std::string(row - 8, 'b'));
      bytes -= row;
    }
    return draft;
  };
  const Draft full = of_bytes("b1", facts.max_batch_bytes);
  at_and_past(t, *store, full, of_bytes("b2", facts.max_batch_bytes + 1), "a batch's bytes");
  t.check(t.rows(*store, "b1") == full.puts, "the fullest batch reads back");
  t.close(*store).value();
}

// Rows and bytes both at their limit, replaced and erased as a whole.
void limits_maximal(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const StoreFacts& facts = store->facts();
  const std::size_t rows = facts.max_batch_rows;
  const std::size_t value = facts.max_batch_bytes / rows - 8;
  Draft draft{.guard = "g1"};
  for (std::size_t i = 0; i < rows; ++i)
    draft.puts.emplace_back(big_endian(i), std::string(value, 'a'));
  t.done(*store, draft, "the maximal batch");
  for (auto& put : draft.puts) put.second.assign(value, 'b');
  draft.expect = "g1";
  draft.guard = "g2";
  t.done(*store, draft, "replacing every row");
  t.check(t.rows(*store, "p") == draft.puts, "the rows read back");
  Draft end{.expect = "g2"};
  for (const auto& put : draft.puts) end.erases.push_back(put.first);
  t.done(*store, end, "ending the partition");
  t.check(!t.guard(*store, "p") && t.rows(*store, "p").empty(), "rows stayed");
  t.close(*store).value();
}

void malformed(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .puts = {{"k", "v"}}}, "create");
  t.failed(*store, {.expect = "g1", .guard = "g2", .puts = {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
           "a key twice in puts");
  t.failed(*store, {.expect = "g1", .guard = "g2", .puts = {{"a", "1"}}, .erases = {"a"}},
           "a key in puts and erases");
  t.failed(*store, {.expect = "g1", .guard = "g2", .erases = {"k", "k"}}, "a key erased twice");
  t.failed(*store, {.expect = "g1", .guard = "g1"}, "a guard that stays");
  t.failed(*store, {.expect = "", .guard = "g2"}, "an empty expected guard");
  t.failed(*store, {}, "neither expect nor guard");
  t.failed(*store, {.expect = "g1", .puts = {{"a", "1"}}, .erases = {"k"}}, "an end with puts");
  t.check(t.guard(*store, "p") == "g1" && t.value(*store, "p", "k") == "v", "something changed");
  Get wanted;
  wanted.cells = {{{1, std::string_view()}, "k"}};
  t.check(!t.get(*store, wanted).ok(), "a get with an empty id answers");
  const std::string long_key(129, 'k'), longer_key(130, 'k'), long_id(33, 'i');
  wanted.cells = {{{1, "p"}, long_key}};
  t.check(!t.get(*store, wanted).ok(), "a get with a too long key answers");
  t.check(!t.scan(*store, {.partition = {1, long_id}}).ok(), "a scan with a too long id answers");
  t.check(t.scan(*store, {.partition = {1, "p"}, .from = long_key}).ok(),
          "the bound just above the longest key is refused");
  t.check(!t.scan(*store, {.partition = {1, "p"}, .from = longer_key}).ok(), "a too long bound");
  t.check(!t.changes(*store, "nonsense", 10).ok(), "a malformed feed position answers");
  t.check(!t.forget(*store, "nonsense").ok(), "a malformed position is forgotten");
  t.check(t.scan(*store, {.partition = {1, "p"}, .max_rows = 0, .max_bytes = 0}).ok(),
          "a scan of no rows");
  t.close(*store).value();
}

}  // namespace

void add_limit_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"limits_small", "ids, guards, keys, notes: at the limit and one past", false, false,
        limits_small},
       {"limits_batch", "value, rows and bytes of a batch: at the limit and one past", false, false,
        limits_batch},
       {"limits_maximal", "the largest batch creates, replaces and ends", false, false,
        limits_maximal},
       {"malformed", "what no store can do fails and changes nothing", false, false, malformed}});
}

}  // namespace parley::inline v0::testing
