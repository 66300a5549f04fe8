// durable.cpp: messages that are on the disk when their sender is told: through the whole engine on
// its LMDB store, beside peers and the bare disk writing the same rows.
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <random>
#include <stdexcept>

#include "lmdb/lmdb_store.hpp"
#include "parley/lmdb_store.hpp"
#include "parley/parley.hpp"
#include "row_store.hpp"
#include "run.hpp"

namespace parley::bench {
namespace {

struct Load {
  explicit Load(const Arguments& arguments)
      : rooms(arguments.count("rooms")),
        in_flight(arguments.count("in_flight")),
        size(static_cast<std::size_t>(arguments.count("size"))),
        directory(arguments.text("data")),
        random(static_cast<std::mt19937::result_type>(arguments.count("seed"))) {}
  std::uint64_t next_room() { return random() % static_cast<unsigned>(rooms); }
  int rooms, in_flight;
  std::size_t size;
  std::string directory;
  std::mt19937 random;
};

struct Measured {
  Figures figures;
  double messages = 0;  // in all
};

/// `run(seconds, latency)` sends and answers how many messages.
template <class Run>
Measured measure(const Arguments& arguments, const Load& load, Run run) {
  Latency warm, latency;
  Measured out;
  out.messages = run(arguments.number("warm"), warm);
  const double written = device_bytes(load.directory);
  const Window window(0);
  const double sent = run(arguments.number("seconds"), latency);
  out.messages += sent;
  window.report(out.figures, sent);
  latency.report(out.figures);
  out.figures.add("device_bytes", (device_bytes(load.directory) - written) / sent);
  return out;
}

/// Knows when the store brings its log into LMDB.
class FoldWatch {
 public:
  /// Odd while a fold runs.
  [[nodiscard]] std::uint64_t count() const noexcept { return turns_; }
  /// Whether one ran at any moment since `before` was the count.
  [[nodiscard]] bool met(std::uint64_t before) const noexcept {
    return before % 2 == 1 || turns_ != before;
  }
  lmdb::Hooks hooks() {
    lmdb::Hooks hooks;
    hooks.at = [this](lmdb::Step step) {  // a fold takes `fold` once or more, then `folded`
      if ((step == lmdb::Step::fold && turns_ % 2 == 0) || step == lmdb::Step::folded) ++turns_;
      return 0;
    };
    return hooks;
  }

 private:
  std::atomic<std::uint64_t> turns_{0};
};

/// Keeps `in_flight` sends of the host's open, each on a random conversation: an acknowledgement
/// sends the next, on the engine's thread, so that the load costs little and wakes nobody.
class Sender {
 public:
  Sender(Engine& engine, Load& load, const FoldWatch& folds)
      : engine_(engine), load_(load), folds_(folds), body_(load.size, 'x') {
    std::vector<Pending<Conversation>> made;
    for (int i = 0; i < load.rooms; ++i)
      made.push_back(engine.create({.kind = ConversationKind::channel, .title = "room"}));
    for (auto& each : made) rooms_.push_back(each.get().value());
  }
  double run(double seconds, Latency& latency) {
    std::unique_lock lock(mutex_);  // the first acknowledgement finds all of them sent
    latency_ = &latency;
    end_ = Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    open_ = load_.in_flight;
    sent_ = 0;
    folding_ = between_ = {};
    for (int i = 0; i < load_.in_flight; ++i) send();
    done_.wait(lock, [&] { return open_ == 0; });
    if (failed_ != 0) throw std::runtime_error("sends were refused");
    return sent_;
  }

  /// Of those of the last run() that met a fold, and of the others.
  void report(Figures& figures) const {
    const auto both = static_cast<double>(folding_.total() + between_.total());
    figures.add("fold_share", static_cast<double>(folding_.total()) / both);
    if (folding_.total() > 0) figures.add("fold_p99_us", folding_.quantile_us(0.99));
    if (between_.total() > 0) figures.add("between_p99_us", between_.quantile_us(0.99));
  }

 private:
  void send() {
    ++sent_;
    MessageDraft draft;
    draft.body = body_;
    engine_.send(rooms_[load_.next_room()], std::move(draft), {},
                 [this, since = Clock::now(), before = folds_.count()](const Result<Ack>& ack) {
                   told(ack.ok(), since, before);
                 });
  }
  void told(bool ok, Clock::time_point since, std::uint64_t before) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    latency_->record(now - since);
    (folds_.met(before) ? folding_ : between_).record(now - since);
    if (!ok) ++failed_;
    if (ok && now < end_) return send();
    if (--open_ == 0) done_.notify_one();
  }
  Engine& engine_;
  Load& load_;
  const FoldWatch& folds_;
  std::string body_;
  std::vector<Conversation> rooms_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  Clock::time_point end_;
  Latency* latency_ = nullptr;
  Latency folding_, between_;
  int open_ = 0, failed_ = 0;
  double sent_ = 0;
};

Measured on_parley(const Arguments& arguments, Load& load) {
  EngineOptions options;
  options.threads = 1;
  FoldWatch folds;
  options.store = [&] { return lmdb::open_store({.path = load.directory}, folds.hooks()); };
  Engine engine = Engine::open(std::move(options)).value();
  Sender sender(engine, load, folds);
  const auto threads = [] {
    return std::array{threads_cpu("parley-0"), threads_cpu("parley-write"),
                      threads_cpu("parley-flush"), threads_cpu("parley-fold")};
  };
  auto before = threads();
  double sent = 0;
  Measured out = measure(arguments, load, [&](double seconds, Latency& latency) {
    before = threads();
    return sent = sender.run(seconds, latency);
  });
  const auto after = threads();
  constexpr std::array names = {"shard_cpu_us", "write_cpu_us", "flush_cpu_us", "fold_cpu_us"};
  for (std::size_t i = 0; i < names.size(); ++i)
    out.figures.add(names[i], static_cast<double>((after[i] - before[i]).count()) / 1e3 / sent);
  sender.report(out.figures);
  return out;
}

/// A peer writes what the engine would, as many messages a commit as there are in flight.
Measured on_peer(const Arguments& arguments, Load& load) {
  const auto store = open_row_store(arguments.text("contestant"), load.directory, true);
  const MessageRows rows = rows_of_a_message(load.size);
  std::vector<std::uint64_t> seqs(static_cast<std::size_t>(load.rooms), 0);
  return measure(arguments, load, [&](double seconds, Latency& latency) {
    double sent = 0;
    for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
      std::vector<RowToWrite> group;
      for (int i = 0; i < load.in_flight; ++i, ++sent) {
        const std::uint64_t room = load.next_room();
        for (RowToWrite& row : rows.of(room, ++seqs[room])) group.push_back(std::move(row));
      }
      const auto since = Clock::now();
      store->commit(group);
      latency.record(Clock::now() - since, static_cast<std::uint64_t>(load.in_flight));
    }
    return sent;
  });
}

}  // namespace

Figures durable(const Arguments& arguments) {
  Load load(arguments);
  std::filesystem::remove_all(load.directory);
  std::filesystem::create_directories(load.directory);
  const bool ours = arguments.text("contestant") == "parley";
  Measured measured = ours ? on_parley(arguments, load) : on_peer(arguments, load);
  measured.figures.add("disk_bytes", disk_bytes(load.directory) / measured.messages);  // closed
  std::filesystem::remove_all(load.directory);
  return measured.figures;
}

}  // namespace parley::bench
