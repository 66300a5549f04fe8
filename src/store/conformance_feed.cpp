// store/conformance_feed.cpp: conformance cases of changes() and forget_changes().
#include <map>
#include <set>

#include "store/store_probe.hpp"

namespace parley::inline v0::testing {
namespace {

struct Told {
  std::vector<std::pair<std::string, std::string>> entries;  // id, note
  std::string next;
  bool trimmed = false;
};

/// Reads from `after` until `expected` different entries were told or nothing new comes.
Told read_feed(StoreProbe& t, Store& store, std::string after, std::size_t expected,
               std::uint32_t page) {
  Told told{.entries = {}, .next = std::move(after), .trimmed = false};
  std::set<std::string> notes;
  for (int quiet = 0; notes.size() < expected && quiet < 3;) {
    const auto changes = t.changes(store, told.next, page);
    t.check(changes.ok(), "changes fails");
    if (!changes) break;
    t.check(changes->entries.size() <= page, "a page longer than asked");
    t.check(changes->next.size() <= 200 && !changes->next.empty(), "a position of a wrong size");
    told.trimmed = told.trimmed || changes->trimmed;
    for (const auto& entry : changes->entries) {
      told.entries.emplace_back(entry.partition.id, entry.note);
      notes.emplace(entry.note);
    }
    quiet = changes->entries.empty() ? quiet + 1 : 0;
    told.next = std::string(changes->next);
  }
  return told;
}

Draft noted(int i) {
  Draft draft{.id = "p" + std::to_string(i % 3), .guard = big_endian(i), .note = big_endian(i)};
  if (i >= 3) draft.expect = big_endian(i - 3);
  return draft;
}

/// At least once, per partition in order, from `first` on; how often each was told does not matter.
void check_sequence(StoreProbe& t, const Told& told, int first, int end) {
  std::map<std::string, std::string> newest;
  std::map<std::string, int> seen;
  for (const auto& [id, note] : told.entries) {
    ++seen[note];
    if (seen[note] == 1) {
      t.check(newest[id] < note, "entries of one partition out of order");
      newest[id] = note;
    }
  }
  for (int i = first; i < end; ++i)
    t.check(seen.contains(big_endian(i)), "entry " + std::to_string(i) + " was not told");
}

void feed_order(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  const auto empty = t.changes(*store, {}, 10);
  t.check(empty && empty->entries.empty() && !empty->trimmed, "an empty store tells changes");
  for (int i = 0; i < 90; ++i) t.done(*store, noted(i), "commit");
  for (const std::uint32_t page : {1U, 7U, 90U, 4000U}) {
    const Told told = read_feed(t, *store, {}, 90, page);
    t.check(!told.trimmed, "told as trimmed");
    check_sequence(t, told, 0, 90);
  }
  const Told first = read_feed(t, *store, {}, 40, 40);
  for (int i = 90; i < 120; ++i) t.done(*store, noted(i), "commit");
  Told rest = first;
  const Told more = read_feed(t, *store, first.next, 1000, 50);  // goes on where it was
  rest.entries.insert(rest.entries.end(), more.entries.begin(), more.entries.end());
  check_sequence(t, rest, 0, 120);
  t.close(*store).value();
}

void empty_note(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  t.done(*store, {.guard = "g1", .note = "one"}, "noted");
  t.done(*store, {.expect = "g1", .guard = "g2"}, "not noted");
  t.refused(*store, {.expect = "g1", .guard = "g3", .note = "refused"}, "g2", "refused");
  t.failed(*store, {.expect = "g2", .guard = "", .note = "failed"}, "failed");
  t.done(*store, {.expect = "g2", .guard = "g4", .note = "two"}, "noted");
  t.done(*store, {.expect = "g4", .note = "end"}, "noted end");
  const Told told = read_feed(t, *store, {}, 10, 10);
  std::vector<std::string> notes;
  for (const auto& [id, note] : told.entries)
    if (notes.empty() || notes.back() != note) notes.push_back(note);
  t.check(notes == std::vector<std::string>{"one", "two", "end"},
          "entries for what announced none, or not for what did");
  t.close(*store).value();
}

void forget(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  for (int i = 0; i < 30; ++i) t.done(*store, noted(i), "commit");
  const auto ten = t.changes(*store, {}, 10);
  const auto twenty = t.changes(*store, {}, 20);
  if (!ten || !twenty) return t.check(false, "changes fails");
  t.check(t.forget(*store, ten->next).ok(), "forget fails");
  const Told after = read_feed(t, *store, std::string(ten->next), 20, 100);
  t.check(!after.trimmed, "a consumer who passed what was forgotten is told trimmed");
  check_sequence(t, after, 10, 30);
  const Told later = read_feed(t, *store, std::string(twenty->next), 10, 100);
  t.check(!later.trimmed, "a consumer beyond what was forgotten is told trimmed");
  check_sequence(t, later, 20, 30);
  const auto late = t.changes(*store, {}, 100);
  t.check(late && late->trimmed, "a consumer who comes after forgetting is not told");
  t.check(t.forget(*store, ten->next).ok(), "forgetting again fails");
  const Told again = read_feed(t, *store, std::string(twenty->next), 10, 100);
  check_sequence(t, again, 20, 30);
  t.close(*store).value();
}

void feed_restart(StoreProbe& t) {
  auto store = t.fresh();
  if (!store) return;
  for (int i = 0; i < 30; ++i) t.done(*store, noted(i), "commit");
  const Told before = read_feed(t, *store, {}, 10, 10);
  t.check(t.close(*store).ok(), "close fails");
  store.reset();
  store = t.reopen();
  if (!store) return;
  for (int i = 30; i < 40; ++i) t.done(*store, noted(i), "commit");
  const Told after = read_feed(t, *store, before.next, 30, 100);
  t.check(!after.trimmed, "trimmed by a clean restart");
  check_sequence(t, after, 10, 40);
  t.check(t.forget(*store, after.next).ok(), "forget fails");
  t.check(t.close(*store).ok(), "close fails");
  store.reset();
  store = t.reopen();
  if (!store) return;
  const auto old = t.changes(*store, before.next, 10);
  t.check(old && old->trimmed, "what was forgotten before the restart is not told");
  t.done(*store, noted(40), "commit");
  const Told newest = read_feed(t, *store, after.next, 1, 10);
  t.check(
      !newest.trimmed && newest.entries.size() == 1 && newest.entries[0].second == big_endian(40),
      "a position from before the restart does not go on");
  t.check(t.close(*store).ok(), "close fails");
}

}  // namespace

void add_feed_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"feed_order", "each noted commit is told, in order, and goes on from any position", false,
        false, feed_order},
       {"empty_note", "no note, refused or failed: no entry", false, false, empty_note},
       {"forget", "what was forgotten is told as trimmed to those it concerns", false, false,
        forget},
       {"feed_restart", "positions and forgetting survive a restart", false, true, feed_restart}});
}

}  // namespace parley::inline v0::testing
