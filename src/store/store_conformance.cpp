// store/store_conformance.cpp: runs the conformance cases and implements their probe.
#include "parley/testing/store_conformance.hpp"

#include <algorithm>

#include "store/store_probe.hpp"

namespace parley::inline v0::testing {

std::string big_endian(std::uint64_t number) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, number >>= 8) out[static_cast<std::size_t>(i)] = char(number & 0xff);
  return out;
}

Batch Draft::batch() const {
  Batch batch;
  batch.partition = {space, id};
  if (expect) batch.expect = *expect;
  if (guard) batch.guard = *guard;
  for (const auto& [key, value] : puts) batch.puts.push_back({key, value});
  for (const auto& key : erases) batch.erases.push_back(key);
  batch.note = note;
  return batch;
}

Batch Draft::owned(Draft draft) {
  const auto kept = std::make_shared<const Draft>(std::move(draft));
  Batch batch = kept->batch();
  batch.owner = kept;
  return batch;
}

std::unique_ptr<Store> StoreProbe::fresh() {
  opener_ = under_.fresh();
  return reopen();
}

std::unique_ptr<Store> StoreProbe::reopen() {
  auto opened = opener_();
  check(opened.ok(), opened ? "" : "the store does not open: " + opened.error().message);
  return opened ? std::move(*opened) : nullptr;
}

int StoreProbe::scaled(int count) const {
  return std::max(1, static_cast<int>(count * under_.scale));
}

void StoreProbe::check(bool ok, std::string what) {
  if (ok) return;
  std::lock_guard lock(mutex_);
  if (failures_.size() < 100) failures_.push_back(std::move(what));
}

std::vector<std::string> StoreProbe::take_failures() {
  std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

template <class T>
T StoreProbe::await(Slot<T>& slot, T otherwise) {
  if (slot.wait(under_.pump)) return slot.take();
  check(false, "a completion did not come within 60 s");
  return otherwise;
}

namespace {
Error no_answer() { return {Errc::timed_out, "no completion"}; }
}  // namespace

Committed StoreProbe::commit(Store& store, const Draft& draft) {
  Slot<Committed> slot;
  store.commit(draft.batch(), slot.done());
  return await(slot, Committed{});
}
Result<Cells> StoreProbe::get(Store& store, Get get) {
  Slot<Result<Cells>> slot;
  store.get(std::move(get), slot.done());
  return await(slot, Result<Cells>(no_answer()));
}
Result<Rows> StoreProbe::scan(Store& store, Scan scan) {
  Slot<Result<Rows>> slot;
  store.scan(std::move(scan), slot.done());
  return await(slot, Result<Rows>(no_answer()));
}
Result<Listed> StoreProbe::list(Store& store, std::uint8_t space, Bytes after, std::uint32_t max) {
  Slot<Result<Listed>> slot;
  store.list(space, after, max, slot.done());
  return await(slot, Result<Listed>(no_answer()));
}
Result<Changes> StoreProbe::changes(Store& store, Bytes after, std::uint32_t max) {
  Slot<Result<Changes>> slot;
  store.changes(after, max, slot.done());
  return await(slot, Result<Changes>(no_answer()));
}
Result<void> StoreProbe::forget(Store& store, Bytes through) {
  Slot<Result<void>> slot;
  store.forget_changes(through, slot.done());
  return await(slot, Result<void>(no_answer()));
}
Result<void> StoreProbe::close(Store& store) {
  Slot<Result<void>> slot;
  store.close(slot.done());
  return await(slot, Result<void>(no_answer()));
}

void StoreProbe::done(Store& store, const Draft& draft, const char* what) {
  const Committed answer = commit(store, draft);
  check(answer.verdict == Verdict::done, std::string(what) + ": not done. " + answer.error.message);
}

void StoreProbe::refused(Store& store, const Draft& draft, std::optional<std::string> found,
                         const char* what) {
  const Committed answer = commit(store, draft);
  check(answer.verdict == Verdict::refused, std::string(what) + ": not refused");
  // A store that cannot tell leaves `found` away; one that tells must be right.
  if (answer.found)
    check(found && *answer.found == *found, std::string(what) + ": found is another guard");
}

void StoreProbe::failed(Store& store, const Draft& draft, const char* what) {
  const Committed answer = commit(store, draft);
  check(answer.verdict == Verdict::failed, std::string(what) + ": not failed");
  check(static_cast<bool>(answer.error), std::string(what) + ": failed without an error");
  check(!answer.error.message.empty(), std::string(what) + ": an error without a message");
}

std::optional<std::string> StoreProbe::guard(Store& store, const std::string& id,
                                             std::uint8_t space) {
  Get wanted;
  wanted.cells.push_back({{space, id}, {}});
  auto cells = get(store, std::move(wanted));
  check(cells.ok() && cells->values.size() == 1, "the guard cannot be read");
  if (!cells || cells->values.size() != 1 || !cells->values[0]) return std::nullopt;
  return std::string(*cells->values[0]);
}

std::optional<std::string> StoreProbe::value(Store& store, const std::string& id,
                                             const std::string& key) {
  Get wanted;
  wanted.cells.push_back({{1, id}, key});
  auto cells = get(store, std::move(wanted));
  check(cells.ok() && cells->values.size() == 1, "a cell cannot be read");
  if (!cells || cells->values.size() != 1 || !cells->values[0]) return std::nullopt;
  return std::string(*cells->values[0]);
}

std::vector<std::pair<std::string, std::string>> StoreProbe::rows(Store& store,
                                                                  const std::string& id,
                                                                  std::uint8_t space) {
  std::vector<std::pair<std::string, std::string>> out;
  std::string from;
  for (bool more = true; more;) {
    auto page = scan(store, {.partition = {space, id}, .from = from, .max_rows = 1000});
    check(page.ok(), "a partition cannot be scanned");
    if (!page) return out;
    for (const Row& row : page->rows) out.emplace_back(row.key, row.value);
    more = page->more && !page->rows.empty();
    check(page->more == more, "more without a row");
    if (more) from = std::string(page->rows.back().key) + '\0';
  }
  return out;
}

std::span<const StoreCase> store_cases() noexcept {
  static const std::vector<StoreCase> cases = [] {
    std::vector<StoreCase> all;
    add_commit_cases(all);
    add_read_cases(all);
    add_limit_cases(all);
    add_feed_cases(all);
    add_stress_cases(all);
    return all;
  }();
  return cases;
}

bool run_store_case(const StoreCase& wanted, const StoreUnderTest& store, const StoreCheck& check) {
  if (wanted.needs_threads && !store.threads) return false;
  if (wanted.needs_persistence && !store.persistent) return false;
  StoreProbe probe(store);
  wanted.run(probe);
  const auto failures = probe.take_failures();
  for (const std::string& failure : failures)
    check(false, std::string(wanted.name) + ": " + failure);
  if (failures.empty()) check(true, wanted.name);
  return true;
}

void run_store_conformance(const StoreUnderTest& store, const StoreCheck& check) {
  for (const StoreCase& each : store_cases()) run_store_case(each, store, check);
}

}  // namespace parley::inline v0::testing
