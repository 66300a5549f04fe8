// lmdb/lmdb_store.cpp: the store: checks, reads and hands commits to the writer.
#include "lmdb/lmdb_store.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <utility>

#include "base/os.hpp"
#include "lmdb/failure.hpp"
#include "lmdb/opening.hpp"
#include "lmdb/read_threads.hpp"
#include "lmdb/reads.hpp"
#include "lmdb/writer.hpp"
#include "store/call_count.hpp"
#include "store/feed_position.hpp"
#include "store/keep.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

Error forked_error() {
  return {Errc::forked, "this process is a fork of the one that opened the store"};
}

Error out_of_memory() { return {Errc::unavailable, "no memory for this request"}; }

std::size_t values_in(const Cells& cells) { return cells.values.size(); }
std::size_t values_in(const Rows& rows) { return rows.rows.size(); }
std::size_t values_in(const Listed& listed) { return listed.partitions.size(); }
std::size_t values_in(const Changes& changes) { return changes.entries.size(); }

/// Everything that a fork must not touch.
struct Core {
  Core(OpenedStore opened, const LmdbStoreOptions& options, Hooks with, const LogTuning& tuning)
      : directory(std::move(opened.directory)),
        env(std::move(opened.env)),
        ring(std::move(opened.ring)),
        hooks(std::move(with)),
        readers(std::make_unique<ReaderPool>(*env)),
        tails(opened.folded, opened.feed),
        policy(options.reads),
        threads(options.thread_start, options.thread_stop),
        folder({*env, *readers, tails, *ring, failure, hooks, options.thread_start,
                options.thread_stop},
               tuning),
        writer({*env, *readers, tails, *ring, folder, failure, hooks}, opened.lsn(), opened.feed,
               {options.max_size, options.feed_limit, options.queue_limit, options.thread_start,
                options.thread_stop}) {
    for (const auto& group : opened.groups) {
      tails.add(group);
      tails.publish(*group);
    }
    if (!opened.groups.empty()) folder.notice();
  }

  void finish(const Store::Done<Result<void>>& done);

  Directory directory;
  std::unique_ptr<Env> env;
  std::unique_ptr<LogRing> ring;
  const Hooks hooks;
  std::unique_ptr<ReaderPool> readers;
  Tails tails;
  Failure failure;
  store::CallCount reads;
  ReadPolicy policy;
  ReadThreads threads;
  std::atomic<bool> closing{false};
  Folder folder;
  Writer writer;  // last: its thread uses all of the above
};

/// The writer's last act: nothing is in flight any more.
void Core::finish(const Store::Done<Result<void>>& done) {
  threads.join();
  folder.stop();
  Result<void> result;
  if (failure.stopped()) {
    result = failure.error();
  } else {
    int code = hooks.run(Step::clean);
    const auto file = base::file_identity(env->descriptor());
    if (!file) result = file.error();
    if (code == 0 && file) code = write_clean(*env, *file);
    if (code != 0) result = to_error("the store was closed without a clean hand-over", code);
  }
  readers.reset();
  env.reset();
  ring.reset();
  directory.lock.reset();
  done(std::move(result));
}

class LmdbStore final : public Store {
 public:
  LmdbStore(std::unique_ptr<Core> core, const StoreFacts& facts)
      : core_(std::move(core)), facts_(facts) {}
  ~LmdbStore() override {
    if (fork_.forked()) {
      (void)core_.release();  // its threads are the parent's, its files shared with the parent
      return;
    }
    if (!core_->closing.load()) (void)close_and_wait();
  }
  LmdbStore(const LmdbStore&) = delete;
  LmdbStore& operator=(const LmdbStore&) = delete;

  Result<void> close_and_wait() {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<Result<void>> closed;
    close([&](Result<void> result) {
      std::lock_guard lock(mutex);
      closed = std::move(result);
      ready.notify_one();
    });
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return closed.has_value(); });
    return std::move(*closed);
  }

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return facts_; }

  void commit(Batch batch, Done<Committed> done) override {
    if (Error error = stopped()) return done(not_committed(std::move(error)));
    Error error;
    try {
      error = store::check(batch, facts_);
      if (!error) {
        batch = store::keep(std::move(batch));
        error = core_->writer.submit(batch, done);
      }
    } catch (const std::bad_alloc&) {
      error = out_of_memory();
    }
    if (error) done(not_committed(std::move(error)));
  }

  void get(Get get, Done<Result<Cells>> done) override {
    if (Error error = store::check(get)) return done(std::move(error));
    read(std::move(get), std::move(done), [this](ReaderPool::Lease& reader, const Get& wanted) {
      return read_cells(core_->tails, reader, wanted);
    });
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    if (Error error = store::check(scan)) return done(std::move(error));
    read(std::move(scan), std::move(done), [this](ReaderPool::Lease& reader, const Scan& wanted) {
      return read_rows(core_->tails, reader, wanted);
    });
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    read(Position{std::string(after), max}, std::move(done),
         [this, space](ReaderPool::Lease& reader, const Position& from) {
           return read_list(core_->tails, reader, space, from.after, from.max);
         });
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    read(Position{std::string(after), max}, std::move(done),
         [this](ReaderPool::Lease& reader, const Position& from) {
           return read_changes(core_->tails, reader, facts_.incarnation, from.after, from.max);
         });
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    if (Error error = stopped()) return done(std::move(error));
    const auto position = store::FeedPosition::decode(through);
    if (!position || position->incarnation != facts_.incarnation)
      return done(
          Error{Errc::invalid_argument, "through is no position of this store's change feed"});
    Error error;
    try {
      error = core_->writer.forget(position->number, done);
    } catch (const std::bad_alloc&) {
      error = out_of_memory();
    }
    if (error) done(std::move(error));
  }
  void close(Done<Result<void>> done) override {
    if (fork_.forked()) return done(forked_error());
    if (core_->closing.exchange(true)) return done({});
    core_->writer.stop_taking();
    Core* core = core_.get();
    core->reads.close([core, done = std::move(done)] {
      core->writer.finish([core, done] { core->finish(done); });
    });
  }

 private:
  struct Position {
    std::string after;
    std::uint32_t max;
  };
  static Position keep(Position position) { return position; }
  static Get keep(Get get) { return store::keep(std::move(get)); }
  static Scan keep(Scan scan) { return store::keep(std::move(scan)); }

  Error stopped() const {
    if (fork_.forked()) return forked_error();
    if (core_->closing.load(std::memory_order_acquire)) return store::closed_error();
    return core_->failure.error();
  }

  /// One read: the reader is given back before the completion runs.
  template <class Answer, class Request, class Read>
  Result<Answer> read_now(const Request& request, const Read& evaluate) {
    try {
      auto reader = core_->readers->take();
      if (!reader) return std::move(reader).error();
      const auto began = ReadPolicy::Clock::now();
      Result<Answer> answer = evaluate(*reader, request);
      core_->policy.learn(ReadPolicy::Clock::now() - began, answer ? values_in(*answer) : 0);
      return answer;
    } catch (const std::bad_alloc&) {
      return out_of_memory();
    }
  }

  template <class Answer, class Request, class Read>
  void read(Request request, Done<Result<Answer>> done, Read evaluate) {
    if (Error error = stopped()) return done(std::move(error));
    if (!core_->reads.enter()) return done(store::closed_error());
    if (core_->policy.use_threads())
      return hand_over(std::move(request), std::move(done), evaluate);
    done(read_now<Answer>(request, evaluate));
    core_->reads.leave();
  }

  template <class Answer, class Request, class Read>
  void hand_over(Request request, Done<Result<Answer>> done, Read evaluate) {
    std::shared_ptr<Done<Result<Answer>>> shared;
    Error error;
    try {
      const auto kept = std::make_shared<Request>(keep(std::move(request)));
      shared = std::make_shared<Done<Result<Answer>>>(std::move(done));
      std::function<void()> task = [this, kept, shared, evaluate] {
        (*shared)(read_now<Answer>(*kept, evaluate));
        core_->reads.leave();
      };
      if (core_->threads.post(task)) return;
      error = {Errc::busy, "too many reads wait for the disk"};
    } catch (const std::bad_alloc&) {
      error = out_of_memory();
    }
    (shared ? *shared : done)(std::move(error));
    core_->reads.leave();
  }

  std::unique_ptr<Core> core_;
  const StoreFacts facts_;
  const base::ForkGuard fork_;
};

std::size_t whole_pages(std::size_t size) {
  constexpr std::size_t page = 65'536;  // a multiple of every page size LMDB uses
  return (std::max<std::size_t>(size, page * 4) + page - 1) / page * page;
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const LmdbStoreOptions& wanted, Hooks hooks,
                                          const LogTuning& tuning) {
  LmdbStoreOptions options = wanted;
  options.map_size = whole_pages(options.map_size);
  options.max_size = whole_pages(options.max_size);
  if (options.max_size < options.map_size)
    return Error{Errc::invalid_argument, "max_size is smaller than map_size"};
  auto opened = open_recovered({.path = options.path,
                                .map_size = options.map_size,
                                .segment_size = tuning.segment_size,
                                .create = true});
  if (!opened) return std::move(opened).error();
  StoreFacts facts;
  facts.durability = StoreFacts::Durability::local;
  facts.incarnation = opened->incarnation;
  facts.blocking_reads = options.reads == LmdbReads::caller;
  auto core = std::make_unique<Core>(std::move(*opened), options, std::move(hooks), tuning);
  return std::unique_ptr<Store>(std::make_unique<LmdbStore>(std::move(core), facts));
}

namespace {

Result<void> renew(const std::string& path, bool cut) {
  auto opened = open_recovered({.path = path,
                                .map_size = whole_pages(0),
                                .segment_size = LogTuning().segment_size,
                                .cut = cut,
                                .renew = true});
  if (!opened) return std::move(opened).error();
  auto core = std::make_unique<Core>(std::move(*opened), LmdbStoreOptions(), Hooks(), LogTuning());
  return LmdbStore(std::move(core), {}).close_and_wait();
}

}  // namespace

Result<void> mark_restored(const std::string& path) { return renew(path, false); }

Result<void> cut_log(const std::string& path) { return renew(path, true); }

}  // namespace parley::lmdb

namespace parley::inline v0 {

StoreOpener lmdb_store(LmdbStoreOptions options) {
  return [options = std::move(options)] { return lmdb::open_store(options); };
}

}  // namespace parley::inline v0
