// world_host.cpp: what the host's program adds to a run: time that passes, exports, users that go.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "lmdb/check_layout.hpp"
#include "simulation/broken.hpp"
#include "simulation/world.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t hour_ms = 65 * 60'000;  // an hour, and what passes until that is noticed

}  // namespace

/// In a few runs the first phase is so long that what is kept for an hour grows too old in it.
void World::plan_hour() {
  if (!random_.chance(0.05)) return;
  options_.faulty = random_.between(Time(100s), Time(130s));
  scheduler_.after(random_.between(15s, 30s), [this] { clock_skew_ms_ += hour_ms; });
}

/// What is kept for an hour goes, all of it: nothing is left that could go a little later.
void World::pass_an_hour() {
  clock_skew_ms_ += hour_ms;
  run_until(scheduler_.now() + 150s);
  await("C17", 10min, [this]() -> std::string { return checker_.truth().unkept(); });
}

/// Everything that is stored of a conversation or of a user, and nothing else, leaves with it.
void World::audit_exports() {
  const auto run =
      [this](const std::function<void(core::AskSystem, ExportSink, core::Then<void>)>& start) {
        auto lines = std::make_shared<ExportLines>();
        auto done = std::make_shared<std::optional<Result<void>>>();
        start(asking(*engine_), ExportLines::sink(lines),
              [done](const Result<void>& result) { done->emplace(result); });
        const Time deadline = scheduler_.now() + 30s;
        while (!*done && step(deadline)) {}
        if (!*done) broken_audit("C20", "an export does not end");
        if (!**done) broken_audit("C20", "an export failed: " + (*done)->error().message);
        return lines->answers;
      };
  Checker::Heads heads;  // nothing comes any more
  for (const ConversationId& id : checker_.truth().conversations())
    heads[id] = checker_.truth().stream(id)->head();
  for (const ConversationId& id : checker_.truth().conversations()) {
    if (checker_.truth().stream(id)->ended) continue;
    checker_.exported(id, heads, run([&](auto ask, auto sink, auto then) {
                        core::export_conversation(std::move(ask), id, std::move(sink),
                                                  std::move(then));
                      }),
                      true);
  }
  for (const std::string& subject : rumours_.subjects) {
    const auto user = checker_.user_of(subject);
    if (!user) continue;
    checker_.user_exported(*user, heads, run([&](auto ask, auto sink, auto then) {
      core::export_user(std::move(ask), *user, std::move(sink), std::move(then));
    }),
                           true);
  }
}

/// What parley-check would say.
void World::audit_layout() {
  lmdb::LayoutCheck check([](const Partition& partition, const std::string& what) {
    broken_audit("C21", "in space " + std::to_string(partition.space) + ": " + what);
  });
  std::map<std::pair<std::uint8_t, std::string>, store::MemoryStore::RowMap> all;
  store_.state().for_each([&](Partition partition, Bytes guard, const auto& rows) {
    check.guard(partition, guard);
    all.emplace(std::pair(partition.space, std::string(partition.id)), rows);
  });
  for (const auto& [partition, rows] : all)
    for (const auto& [key, value] : rows)
      check.row({partition.first, partition.second}, key, value);
  check.finish();
}

/// What a member's row says of who sees what is what the events say. (Rows of buckets follow
/// later.)
void World::audit_sight(const ConversationId& id, UserId user, const layout::MemberRow& row) {
  if (checker_.truth().scattered(id)) return;
  const TrueStream* truth = checker_.truth().stream(id);
  const auto known = truth->groups.find(user);
  const unsigned groups = known == truth->groups.end() ? 0 : known->second;
  if (row.shadowed != truth->shadowed.contains(user) || row.groups != groups)
    broken("C7", "the row of user " + to_string(user) + " in " + short_name(id) +
                     " has other groups, or another shadow ban, than its events");
}

bool World::is_here(UserId user) const {
  return std::any_of(devices_.begin(), devices_.end(),
                     [user](const auto& device) { return device->user() == user; });
}

}  // namespace parley::simulation
