// store/conformance_commits.cpp: conformance cases of the conditional commit.
#include <algorithm>

#include "store/store_probe.hpp"

namespace parley::inline v0::testing {
namespace {

void facts(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const StoreFacts& facts = store->facts();
  t.check(facts.max_value >= 320 * 1024, "max_value is less than a store may offer");
  t.check(facts.max_batch_bytes >= 1024 * 1024, "max_batch_bytes is less than a store may offer");
  t.check(facts.max_batch_rows >= 4096, "max_batch_rows is less than a store may offer");
  t.check(facts.incarnation != decltype(facts.incarnation){}, "the incarnation is all zero");
  t.check(t.close(*store).ok(), "close fails");
}

void create(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.check(!t.guard(*store, "p"), "a partition exists in an empty store");
  t.done(*store, {.guard = "g1", .puts = {{"k", "v"}}}, "the first commit");
  t.refused(*store, {.guard = "g2", .puts = {{"k", "w"}}}, "g1", "the second creation");
  t.check(t.guard(*store, "p") == "g1", "the first guard is gone");
  t.check(t.value(*store, "p", "k") == "v", "the first value is gone");
  t.close(*store).value();
}

void wrong_guard(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.refused(*store, {.expect = "g0", .guard = "g1", .puts = {{"k", "v"}}}, std::nullopt,
            "a guard expected where no partition is");
  t.check(!t.guard(*store, "p") && t.rows(*store, "p").empty(), "a refused creation left traces");
  t.done(*store, {.guard = "g1", .puts = {{"a", "1"}, {"b", "2"}}}, "create");
  t.refused(*store,
            {.expect = "g0", .guard = "g2", .puts = {{"a", "x"}, {"c", "y"}}, .erases = {"b"}},
            "g1", "a wrong guard");
  t.refused(*store, {.expect = "g1x", .guard = "g2"}, "g1", "an extension of the guard");
  t.refused(*store, {.expect = "g", .guard = "g2"}, "g1", "a prefix of the guard");
  const auto rows = t.rows(*store, "p");
  t.check(rows == decltype(rows){{"a", "1"}, {"b", "2"}}, "a refused batch shows");
  t.done(*store, {.expect = "g1", .guard = "g2", .puts = {{"c", "3"}}}, "the right guard");
  t.check(t.guard(*store, "p") == "g2", "the guard did not move");
  t.close(*store).value();
}

void byte_order(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  using namespace std::string_literals;
  const std::vector<std::string> ordered = {
      "\0"s,   "\0\0"s,     "\0\x7f"s,   "\x01"s,     "A"s,         "Aa"s,
      "a"s,    "a\0"s,      "a\0\0"s,    "a\x01"s,    "aa"s,        "b"s,
      "\x7f"s, "\x7f\xff"s, "\x80"s,     "\x80\0"s,   "\xc3\xa9"s,  "\xfe"s,
      "\xff"s, "\xff\0"s,   "\xff\x7f"s, "\xff\xff"s, "\xff\xff\0"s};
  Draft draft{.guard = "g1"};
  for (auto at = ordered.rbegin(); at != ordered.rend(); ++at) draft.puts.emplace_back(*at, *at);
  t.done(*store, draft, "create");
  const auto keys = [&](Scan scan) {
    scan.partition = {1, "p"};
    std::vector<std::string> out;
    if (auto rows = t.scan(*store, scan))
      for (const Row& row : rows->rows) {
        t.check(row.key == row.value, "a value under another key");
        out.emplace_back(row.key);
      }
    return out;
  };
  auto backwards = ordered;
  std::reverse(backwards.begin(), backwards.end());
  t.check(keys({}) == ordered, "keys are not ordered as unsigned bytes");
  t.check(keys({.reverse = true}) == backwards, "reverse is not the reverse");
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const std::vector<std::string> tail(ordered.begin() + static_cast<std::ptrdiff_t>(i),
                                        ordered.end());
    t.check(keys({.from = ordered[i]}) == tail, "from is not inclusive at " + std::to_string(i));
    if (i == 0) continue;
    const std::vector<std::string> head(ordered.begin(),
                                        ordered.begin() + static_cast<std::ptrdiff_t>(i));
    t.check(keys({.to = ordered[i]}) == head, "to is not exclusive at " + std::to_string(i));
    auto turned = head;
    std::reverse(turned.begin(), turned.end());
    t.check(keys({.to = ordered[i], .reverse = true}) == turned,
            "to is not exclusive in reverse at " + std::to_string(i));
  }
  t.close(*store).value();
}

void empty_values(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .puts = {{"k", ""}}, .erases = {"absent"}}, "create");
  t.check(t.value(*store, "p", "k") == "", "an empty value reads as absent");
  t.check(!t.value(*store, "p", "absent"), "an absent value reads as present");
  t.check(t.rows(*store, "p").size() == 1, "the empty value is not scanned");
  t.done(*store, {.expect = "g1", .guard = "g2", .puts = {{"k", "1"}}}, "put again");
  t.done(*store, {.expect = "g2", .guard = "g3", .puts = {{"k", "2"}}}, "and again");
  t.check(t.value(*store, "p", "k") == "2", "the last value does not win");
  t.done(*store, {.expect = "g3", .guard = "g4", .erases = {"k", "k2"}}, "erase");
  t.check(!t.value(*store, "p", "k"), "an erased row is still there");
  t.check(t.guard(*store, "p") == "g4", "a partition without rows lost its guard");
  t.done(*store, {.expect = "g4", .guard = "g5"}, "a commit of the guard alone");
  t.close(*store).value();
}

void neighbours(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const int count = 1024;
  std::vector<Slot<Committed>> slots(count);
  for (int i = 0; i < count; ++i) {
    Draft draft{.id = "n" + std::to_string(i), .guard = "g", .puts = {{"k", std::to_string(i)}}};
    if (i % 3 == 0) draft.expect = "never";
    store->commit(Draft::owned(std::move(draft)), slots[static_cast<std::size_t>(i)].done());
  }
  for (int i = 0; i < count; ++i) {
    auto& slot = slots[static_cast<std::size_t>(i)];
    if (!slot.wait(t.under().pump)) return t.check(false, "a completion did not come");
    const auto verdict = slot.take().verdict;
    t.check(verdict == (i % 3 == 0 ? Verdict::refused : Verdict::done),
            "batch " + std::to_string(i) + " of a group has a wrong verdict");
    const auto value = t.value(*store, "n" + std::to_string(i), "k");
    t.check(value.has_value() == (i % 3 != 0), "a neighbour was disturbed");
  }
  t.close(*store).value();
}

void unknown_landed(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .puts = {{"e1", "one"}}}, "create");
  const Draft attempt{.expect = "g1", .guard = "g2", .puts = {{"e2", "two"}}};
  t.done(*store, attempt, "the attempt whose answer is lost");
  t.refused(*store, attempt, "g2", "the same batch again");
  t.check(t.rows(*store, "p").size() == 2, "submitting again changed something");
  t.close(*store).value();
}

void unknown_not_landed(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1"}, "create");
  const Draft attempt{.expect = "g1", .guard = "g2", .puts = {{"e2", "two"}}};
  t.done(*store, attempt, "again");
  t.done(*store, {.expect = "g2", .guard = "g3", .puts = {{"e2", "three"}}}, "the next");
  t.refused(*store, attempt, "g3", "the late first attempt");
  t.check(t.value(*store, "p", "e2") == "three", "the late attempt took effect");
  t.close(*store).value();
}

void end_and_create(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .puts = {{"a", "1"}, {"b", "2"}}}, "create");
  t.failed(*store, {.expect = "g1", .erases = {"a"}}, "an end that leaves a row");
  t.check(t.guard(*store, "p") == "g1" && t.rows(*store, "p").size() == 2,
          "a failed end changed something");
  t.refused(*store, {.expect = "g0", .erases = {"a", "b"}}, "g1", "an end on a wrong guard");
  t.done(*store, {.expect = "g1", .erases = {"a", "b"}}, "the end");
  t.check(!t.guard(*store, "p") && t.rows(*store, "p").empty(), "an ended partition is there");
  t.refused(*store, {.expect = "g1", .guard = "g2"}, std::nullopt, "a commit after the end");
  t.done(*store, {.guard = "h1", .puts = {{"b", "3"}}}, "created again");
  const auto rows = t.rows(*store, "p");
  t.check(rows == decltype(rows){{"b", "3"}}, "old rows came back");
  t.close(*store).value();
}

void owner_is_held(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  auto kept =
      std::make_shared<Draft>(Draft{.guard = "g1", .puts = {{"k", std::string(1000, 'x')}}});
  std::weak_ptr<Draft> watch = kept;
  Batch batch = kept->batch();
  batch.owner = kept;
  kept.reset();
  auto alive = std::make_shared<std::atomic<bool>>(false);
  Slot<int> slot;
  store->commit(std::move(batch), [alive, watch, done = slot.done()](Committed) {
    *alive = !watch.expired();
    done(1);
  });
  t.check(slot.wait(t.under().pump), "no completion");
  t.check(*alive, "the owner was gone when the completion ran");
  t.check(t.value(*store, "p", "k") == std::string(1000, 'x'), "the value is another");
  t.close(*store).value();
}

void answers_outlive(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .puts = {{"a", "odd"}, {"b", "length"}, {"c", ""}}}, "create");
  auto rows = t.scan(*store, {.partition = {1, "p"}});
  auto listed = t.list(*store, 1, {}, 10);
  Get wanted;
  wanted.cells = {{{1, "p"}, "a"}, {{1, "p"}, ""}};
  auto cells = t.get(*store, wanted);
  t.done(*store, {.expect = "g1", .guard = "g2", .puts = {{"a", "new"}}, .erases = {"b"}}, "next");
  t.check(t.close(*store).ok(), "close");
  store.reset();
  if (!rows || !cells || !listed) return t.check(false, "a read failed");
  t.check(rows->guard == "g1" && rows->rows.size() == 3 && rows->rows[0].value == "odd",
          "a scan's answer did not outlive the store");
  t.check(cells->values[0] == "odd" && cells->values[1] == "g1", "nor did a get's");
  t.check(listed->partitions.size() == 1 && listed->partitions[0].key == "p", "nor a list's");
  for (const Row& row : rows->rows)
    t.check(reinterpret_cast<std::uintptr_t>(row.value.data()) % 8 == 0,
            "a value is not 8-aligned");
}

void after_close(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1"}, "create");
  t.check(t.close(*store).ok(), "close fails");
  t.failed(*store, {.expect = "g1", .guard = "g2"}, "a commit after close");
  Get wanted;
  wanted.cells = {{{1, "p"}, ""}};
  t.check(!t.get(*store, wanted).ok(), "a get after close answers");
  t.check(!t.scan(*store, {.partition = {1, "p"}}).ok(), "a scan after close answers");
  t.check(!t.list(*store, 1, {}, 1).ok(), "a list after close answers");
  t.check(!t.changes(*store, {}, 1).ok(), "changes answers after close");
  (void)t.close(*store);  // completes again, with or without an error
}

void survives(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const auto incarnation = store->facts().incarnation;
  for (int i = 0; i < 20; ++i)
    t.done(*store, {.id = "p" + std::to_string(i), .guard = "g1", .puts = {{"k", "v"}, {"e", ""}}},
           "create");
  t.done(*store, {.id = "p3", .expect = "g1", .guard = "g2", .erases = {"k"}}, "erase");
  t.check(t.close(*store).ok(), "close fails");
  store.reset();
  store = t.reopen();
  if (!store) return;
  t.check(store->facts().incarnation == incarnation, "a clean reopen changed the incarnation");
  for (int i = 0; i < 20; ++i) {
    const auto id = "p" + std::to_string(i);
    t.check(t.guard(*store, id) == (i == 3 ? "g2" : "g1"), "a guard did not survive");
    t.check(t.rows(*store, id).size() == (i == 3 ? 1U : 2U), "rows did not survive");
  }
  t.done(*store, {.id = "p3", .expect = "g2", .guard = "g3"}, "go on");
  t.check(t.close(*store).ok(), "close fails");
}

void locked(StoreProbe& t) {
  auto store = t.fresh();
  if (!store || store->facts().shared) return;
  auto second = t.under().fresh;  // another directory opens beside it
  auto other = second()();
  t.check(other.ok(), "a second store cannot be open beside the first");
  if (other) t.check(t.close(**other).ok(), "close fails");
  t.check(t.close(*store).ok(), "close fails");
}

}  // namespace

void add_commit_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"facts", "limits are at least the least, and there is an incarnation", false, false, facts},
       {"create", "a commit on an absent guard creates; a second is refused", false, false, create},
       {"wrong_guard", "refused, nothing visible, found is right", false, false, wrong_guard},
       {"byte_order", "keys are unsigned bytes, forward and reverse", false, false, byte_order},
       {"empty_values", "empty is not absent; absent erases; last wins", false, false,
        empty_values},
       {"neighbours", "a refused batch does not disturb its group", false, false, neighbours},
       {"unknown_landed", "the same batch again is refused with its own guard", false, false,
        unknown_landed},
       {"unknown_not_landed", "a late first attempt changes nothing", false, false,
        unknown_not_landed},
       {"end_and_create", "an ended partition's rows do not come back", false, false,
        end_and_create},
       {"owner_is_held", "a batch's owner lives until its completion", false, false, owner_is_held},
       {"answers_outlive", "answers are immutable, aligned and outlive the store", false, false,
        answers_outlive},
       {"after_close", "every call after close fails with an error", false, false, after_close},
       {"survives", "a clean reopen finds everything, same incarnation", false, true, survives},
       {"two_stores", "two stores can be open side by side", false, false, locked}});
}

}  // namespace parley::inline v0::testing
