// store/weak_store.cpp: the weak memory store: events in virtual time over a plain memory store.
#include "store/weak_store.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "store/answer.hpp"
#include "store/feed_position.hpp"
#include "store/keep.hpp"
#include "store/request_check.hpp"

namespace parley::store {
namespace {

using Name = std::pair<std::uint8_t, std::string>;
using RowMap = MemoryStore::RowMap;
template <class T>
using Done = Store::Done<T>;

Name name_of(const Partition& partition) { return {partition.space, std::string(partition.id)}; }

/// What one commit replaced: enough to read the partition as it was before.
struct Undo {
  std::optional<std::string> guard;
  std::map<std::string, std::optional<std::string>, std::less<>> rows;
  std::set<std::string, std::less<>> erased;
};

struct View {
  std::optional<std::string> guard;
  RowMap rows;
};

Committed verdict(Verdict value, Error error = {}) {
  return {.verdict = value, .found = {}, .error = std::move(error), .owner = {}};
}

Error broken_error() { return {Errc::store_failed, "an I/O error stopped the store; reopen it"}; }

}  // namespace

struct WeakStore::World {
  /// One commit between its call and the moment nothing more can come of it.
  struct Attempt {
    Batch batch;
    Done<Committed> done;
    Committed outcome = verdict(Verdict::unknown);
    bool hide_outcome = false;  // the caller will be told `unknown`
    bool decided = false;       // evaluated, or given up
  };
  struct Event {
    std::uint64_t handle = 0;  // 0: belongs to no process, survives crashes
    std::shared_ptr<Attempt> attempt;
    std::function<void()> run;
    bool completes = false;  // it runs a completion of the handle
  };
  struct Life {
    bool open = true, broken = false, crashed = false;
    std::size_t pending = 0;  // completions to come
    Done<Result<void>> closing;
  };

  World(WeakOptions wanted, Random source)
      : options(std::move(wanted)), random(std::move(source)), base(memory_options(options)) {
    options.facts.incarnation = base.facts().incarnation;
  }
  static MemoryStoreOptions memory_options(const WeakOptions& options) {
    MemoryStoreOptions out;
    out.incarnation = options.facts.incarnation;
    if (out.incarnation == decltype(out.incarnation){}) out.incarnation[15] = 1;
    return out;
  }

  bool chance(double share) {
    return share > 0 && static_cast<double>(random() >> 11) * 0x1p-53 < share;
  }
  Time between(Time least, Time most) {
    const auto span = std::max<Time::rep>(1, (most - least).count() + 1);
    return least + Time(static_cast<Time::rep>(random() % static_cast<std::uint64_t>(span)));
  }
  Time latency() {
    return chance(options.slow) ? between(options.least_latency, options.slow_latency)
                                : between(options.least_latency, options.most_latency);
  }
  void at(Time when, Event event) {
    if (event.completes) ++lives[event.handle].pending;
    events.emplace(Due{when, random(), ++counter}, std::move(event));
  }

  bool step();
  void submit(std::uint64_t handle, Batch batch, Done<Committed> done);
  void decide(Attempt& attempt, bool early);
  void lift(const Partition& partition) { masks.erase(name_of(partition)); }
  Undo undo_of(const Batch& batch) const;
  View view_of(const Partition& partition) const;
  void undo(View& view, const Undo& undo, bool keep_some_puts);
  std::optional<View> weakened(const Partition& partition, Freshness freshness);
  Result<Cells> get(const Get& get);
  Result<Rows> scan(const Scan& scan);
  Result<Listed> list(std::uint8_t space, Bytes after, std::uint32_t max);
  Result<Changes> changes(Bytes after, std::uint32_t max);
  void settle_close(std::uint64_t handle);
  void crash(std::uint64_t handle);
  void break_all();

  using Due = std::tuple<Time, std::uint64_t, std::uint64_t>;

  WeakOptions options;
  Random random;
  MemoryStore base;
  Time now{0};
  std::uint64_t counter = 0, last_handle = 0;
  std::map<Due, Event> events;
  std::map<std::uint64_t, Life> lives;
  std::map<Name, std::deque<Undo>> history;
  std::set<Name> masks;  // newest commit decided and its guard not shown to anybody yet
};

bool WeakStore::World::step() {
  if (events.empty()) return false;
  auto node = events.extract(events.begin());
  now = std::max(now, std::get<0>(node.key()));
  Event& event = node.mapped();
  if (event.completes) --lives[event.handle].pending;
  event.run();
  if (event.completes) settle_close(event.handle);
  return true;
}

void WeakStore::World::settle_close(std::uint64_t handle) {
  const auto life = lives.find(handle);
  if (life == lives.end() || life->second.pending != 0 || !life->second.closing) return;
  auto done = std::exchange(life->second.closing, nullptr);
  done({});
}

void WeakStore::World::submit(std::uint64_t handle, Batch batch, Done<Committed> done) {
  if (Error error = check(batch, options.facts)) {
    at(now + latency(), {handle, nullptr,
                         [error = std::move(error), done = std::move(done)]() mutable {
                           done(verdict(Verdict::failed, std::move(error)));
                         },
                         true});
    return;
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->batch = keep(std::move(batch));
  attempt->done = std::move(done);
  const Time effect = now + latency(), told = effect + latency();
  if (chance(options.failed)) {
    attempt->outcome = verdict(Verdict::failed, {Errc::unavailable, "the weak store failed it"});
    attempt->decided = true;
  } else if (chance(options.unknown)) {
    attempt->hide_outcome = true;
    const Time lands = between(now, told + options.late);
    if (chance(options.unknown_lands))
      at(lands, {handle, attempt, [this, attempt] { decide(*attempt, false); }, false});
  } else {
    const bool early = chance(options.early_rows);
    at(effect, {handle, attempt, [this, attempt, early] { decide(*attempt, early); }, false});
  }
  at(told, {handle, attempt,
            [this, attempt] {
              lift(attempt->batch.partition);
              if (attempt->done)
                attempt->done(attempt->hide_outcome ? verdict(Verdict::unknown)
                                                    : std::move(attempt->outcome));
            },
            true});
}

void WeakStore::World::decide(Attempt& attempt, bool early) {
  if (attempt.decided) return;
  attempt.decided = true;
  // A later attempt finds the partition settled, as a consensus round would leave it.
  lift(attempt.batch.partition);
  Undo undo = undo_of(attempt.batch);
  Batch batch = attempt.batch;
  if (options.unconditional && batch.guard) batch.expect = undo.guard;
  attempt.outcome = base.commit_now(batch);
  if (attempt.outcome.verdict != Verdict::done) return;
  auto& past = history[name_of(attempt.batch.partition)];
  past.push_back(std::move(undo));
  while (past.size() > std::max<std::size_t>(1, options.history)) past.pop_front();
  if (early) masks.insert(name_of(attempt.batch.partition));
}

Undo WeakStore::World::undo_of(const Batch& batch) const {
  Undo undo;
  for (const Row& row : batch.puts) undo.rows[std::string(row.key)] = std::nullopt;
  for (Bytes key : batch.erases) {
    undo.rows[std::string(key)] = std::nullopt;
    undo.erased.emplace(key);
  }
  base.look(batch.partition, [&](Bytes guard, const RowMap& rows) {
    undo.guard = guard;
    for (auto& [key, old] : undo.rows)
      if (const auto at = rows.find(key); at != rows.end()) old = at->second;
  });
  return undo;
}

View WeakStore::World::view_of(const Partition& partition) const {
  View view;
  base.look(partition, [&](Bytes guard, const RowMap& rows) {
    view.guard = guard;
    view.rows = rows;
  });
  return view;
}

// Rows newer than the guard are allowed, so some puts may stay; an erased row must come back, for
// the older guard vouches for it.
void WeakStore::World::undo(View& view, const Undo& undo, bool keep_some_puts) {
  view.guard = undo.guard;
  for (const auto& [key, old] : undo.rows) {
    if (keep_some_puts && !undo.erased.contains(key) && chance(0.5)) continue;
    if (old)
      view.rows[key] = *old;
    else
      view.rows.erase(key);
  }
}

std::optional<View> WeakStore::World::weakened(const Partition& partition, Freshness freshness) {
  const auto past = history.find(name_of(partition));
  if (past == history.end() || past->second.empty()) return std::nullopt;
  if (freshness == Freshness::relaxed && chance(options.stale)) {
    View view = view_of(partition);
    const std::size_t lag = 1 + random() % past->second.size();
    for (std::size_t i = 0; i < lag; ++i)
      undo(view, past->second[past->second.size() - 1 - i], false);
    return view;
  }
  if (!masks.contains(name_of(partition))) return std::nullopt;
  if (chance(0.5)) {  // seen once, it stays seen
    lift(partition);
    return std::nullopt;
  }
  View view = view_of(partition);
  undo(view, past->second.back(), true);
  return view;
}

Result<Cells> WeakStore::World::get(const Get& get) {
  if (Error error = check(get)) return error;
  std::vector<std::optional<std::string>> found;
  std::size_t bytes = 0;
  for (const Get::Cell& cell : get.cells) {
    std::optional<View> view = weakened(cell.partition, get.freshness);
    std::optional<std::string> value;
    const auto pick = [&](Bytes guard, const RowMap& rows) {
      if (cell.key.empty())
        value = guard;
      else if (const auto at = rows.find(cell.key); at != rows.end())
        value = at->second;
    };
    if (!view)
      base.look(cell.partition, pick);
    else if (view->guard || !cell.key.empty())
      pick(view->guard.value_or(""), view->rows);
    if (value) bytes += aligned8(value->size());
    found.push_back(std::move(value));
  }
  AnswerBlock block(bytes);
  Cells cells;
  for (const auto& value : found)
    cells.values.push_back(value ? std::optional<Bytes>(block.put(*value)) : std::nullopt);
  cells.owner = std::move(block).owner();
  return cells;
}

Result<Rows> WeakStore::World::scan(const Scan& scan) {
  if (Error error = check(scan)) return error;
  const std::optional<View> view = weakened(scan.partition, scan.freshness);
  if (!view) return base.scan_now(scan);
  Rows rows = MemoryStore::pick_rows(view->guard.value_or(""), view->rows, scan);
  if (!view->guard) rows.guard.reset();
  return rows;
}

Result<Listed> WeakStore::World::list(std::uint8_t space, Bytes after, std::uint32_t max) {
  auto listed = base.list_now(space, after, max);
  if (listed)
    for (const Row& row : listed->partitions) lift({space, row.key});
  return listed;
}

Result<Changes> WeakStore::World::changes(Bytes after, std::uint32_t max) {
  auto answer = base.changes_now(after, max);
  const auto position = FeedPosition::decode(after);
  if (answer && !answer->trimmed && position && position->number > 0 && chance(options.repeated)) {
    FeedPosition earlier = *position;
    earlier.number -= std::min<std::uint64_t>(earlier.number, 1 + random() % 4);
    auto again = base.changes_now(earlier.encode(), max);
    if (again && !again->trimmed && FeedPosition::decode(again->next)->number > position->number)
      answer = std::move(again);
  }
  // An entry promises that the commit can be read.
  if (answer)
    for (const Changes::Entry& entry : answer->entries) lift(entry.partition);
  return answer;
}

void WeakStore::World::crash(std::uint64_t handle) {
  Life& life = lives[handle];
  life = {.open = false, .broken = false, .crashed = true, .pending = 0, .closing = {}};
  std::vector<std::shared_ptr<Attempt>> landing;
  for (auto at = events.begin(); at != events.end();) {
    Event& event = at->second;
    if (event.handle != handle) {
      ++at;
      continue;
    }
    if (event.completes) {
      if (event.attempt) event.attempt->done = nullptr;
      at = events.erase(at);
      continue;
    }
    if (!event.attempt) {
      at = events.erase(at);
      continue;
    }
    if (chance(options.crash_lands)) {
      landing.push_back(event.attempt);
    } else if (chance(options.crash_late)) {
      event.handle = 0;
      ++at;
      continue;
    }
    at = events.erase(at);
  }
  for (const auto& attempt : landing) decide(*attempt, false);
  if (std::none_of(lives.begin(), lives.end(), [](const auto& entry) { return entry.second.open; }))
    masks.clear();
}

void WeakStore::World::break_all() {
  for (auto& [id, life] : lives)
    if (life.open) life.broken = true;
  for (auto at = events.begin(); at != events.end();) {
    Event& event = at->second;
    const auto& attempt = event.attempt;
    if (attempt && (!attempt->decided || attempt->outcome.verdict == Verdict::done))
      attempt->hide_outcome = true;
    if (!attempt || attempt->decided || event.handle == 0) {
      ++at;
      continue;
    }
    if (event.completes || chance(options.crash_lands)) {
      ++at;
      continue;
    }
    at = events.erase(at);
  }
}

class WeakStore::Handle final : public Store {
 public:
  Handle(std::shared_ptr<World> world, std::uint64_t id) : world_(std::move(world)), id_(id) {}
  ~Handle() override {
    const World::Life& life = world_->lives[id_];
    if (life.open || life.pending > 0) world_->crash(id_);
    world_->lives.erase(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return world_->options.facts; }
  void commit(Batch batch, Done<Committed> done) override {
    if (Error error = stopped()) return done(verdict(Verdict::failed, std::move(error)));
    world_->submit(id_, std::move(batch), std::move(done));
  }
  void get(Get get, Done<Result<Cells>> done) override {
    read<Cells>(std::move(done),
                [world = world_.get(), get = keep(std::move(get))] { return world->get(get); });
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    read<Rows>(std::move(done),
               [world = world_.get(), scan = keep(std::move(scan))] { return world->scan(scan); });
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    read<Listed>(std::move(done), [world = world_.get(), space, after = std::string(after), max] {
      return world->list(space, after, max);
    });
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    read<Changes>(std::move(done), [world = world_.get(), after = std::string(after), max] {
      return world->changes(after, max);
    });
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    read<void>(std::move(done), [world = world_.get(), through = std::string(through)] {
      return world->base.forget_now(through);
    });
  }
  void close(Done<Result<void>> done) override {
    World::Life& life = world_->lives[id_];
    if (!life.open) return done({});
    life.open = false;
    life.closing = std::move(done);
    if (life.pending == 0) world_->at(world_->now + world_->latency(), {id_, nullptr, [] {}, true});
  }

 private:
  Error stopped() const {
    const World::Life& life = world_->lives[id_];
    if (life.broken) return broken_error();
    if (!life.open) return closed_error();
    return {};
  }
  /// Evaluated some time after the call, told some time after that.
  template <class T, class Read>
  void read(Done<Result<T>> done, Read evaluate) {
    if (Error error = stopped()) return done(std::move(error));
    World& world = *world_;
    const auto shown = std::make_shared<std::optional<Result<T>>>();
    const auto effect = world.now + world.latency(), told = effect + world.latency();
    if (world.chance(world.options.read_failed))
      *shown = Error{Errc::unavailable, "the weak store failed the call"};
    const auto look = std::make_shared<Read>(std::move(evaluate));
    world.at(effect, {id_, nullptr,
                      [shown, look] {
                        if (!*shown) *shown = (*look)();
                      },
                      false});
    world.at(told, {id_, nullptr,
                    [this, shown, look, done = std::move(done)] {
                      if (!*shown) *shown = (*look)();
                      if (world_->lives[id_].broken) *shown = broken_error();
                      done(std::move(**shown));
                    },
                    true});
  }

  std::shared_ptr<World> world_;
  std::uint64_t id_;
};

WeakStore::WeakStore(WeakOptions options, Random random)
    : world_(std::make_shared<World>(std::move(options), std::move(random))) {}
WeakStore::WeakStore(WeakStore&&) noexcept = default;
WeakStore& WeakStore::operator=(WeakStore&&) noexcept = default;
WeakStore::~WeakStore() = default;

StoreOpener WeakStore::opener() {
  return [world = world_]() -> Result<std::unique_ptr<Store>> {
    const std::uint64_t id = ++world->last_handle;
    world->lives[id] = {};
    return std::unique_ptr<Store>(std::make_unique<Handle>(world, id));
  };
}

bool WeakStore::step() { return world_->step(); }

void WeakStore::run_until(Time now) {
  while (!world_->events.empty() && std::get<0>(world_->events.begin()->first) <= now)
    world_->step();
  world_->now = std::max(world_->now, now);
}

WeakStore::Time WeakStore::now() const noexcept { return world_->now; }

std::optional<WeakStore::Time> WeakStore::next() const {
  if (world_->events.empty()) return std::nullopt;
  return std::get<0>(world_->events.begin()->first);
}

void WeakStore::crash() {
  std::vector<std::uint64_t> open;
  for (const auto& [id, life] : world_->lives)
    if (!life.crashed) open.push_back(id);
  for (const std::uint64_t id : open) world_->crash(id);
}

void WeakStore::break_store() { world_->break_all(); }

void WeakStore::set_options(const WeakOptions& options) {
  const StoreFacts facts = world_->options.facts;
  world_->options = options;
  world_->options.facts = facts;
}
const WeakOptions& WeakStore::options() const noexcept { return world_->options; }
const MemoryStore& WeakStore::state() const noexcept { return world_->base; }

}  // namespace parley::store
