// lmdb/lmdb_store.cpp: the store: checks, reads and hands commits to the writer.
#include "lmdb/lmdb_store.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <utility>

#include "base/os.hpp"
#include "lmdb/directory.hpp"
#include "lmdb/read_threads.hpp"
#include "lmdb/reads.hpp"
#include "lmdb/writer.hpp"
#include "store/call_count.hpp"
#include "store/feed_position.hpp"
#include "store/keep.hpp"
#include "store/request_check.hpp"

namespace parley::lmdb {
namespace {

Committed failed(Error error) {
  return {.verdict = Verdict::failed, .found = {}, .error = std::move(error), .owner = {}};
}

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
  Core(Directory opened, std::unique_ptr<Env> opened_env, const FeedState& feed,
       const LmdbStoreOptions& options, Hooks hooks)
      : directory(std::move(opened)),
        env(std::move(opened_env)),
        readers(std::make_unique<ReaderPool>(*env)),
        policy(options.reads),
        threads(options.thread_start, options.thread_stop),
        writer(*env, *readers, feed,
               {options.max_size, options.feed_limit, options.queue_limit, options.thread_start,
                options.thread_stop, std::move(hooks)}) {}

  void finish(const Store::Done<Result<void>>& done);

  Directory directory;
  std::unique_ptr<Env> env;
  std::unique_ptr<ReaderPool> readers;
  store::CallCount reads;
  ReadPolicy policy;
  ReadThreads threads;
  std::atomic<bool> closing{false};
  Writer writer;  // last: its thread uses all of the above
};

/// The writer's last act: nothing is in flight any more.
void Core::finish(const Store::Done<Result<void>>& done) {
  threads.join();
  Result<void> result;
  if (writer.failed()) {
    result = writer.failure();
  } else {
    int code = writer.hooks().run(Step::clean);
    const auto file = base::file_identity(env->descriptor());
    if (!file) result = file.error();
    if (code == 0 && file) code = write_clean(*env, *file);
    if (code != 0) result = to_error("the store was closed without a clean hand-over", code);
  }
  readers.reset();
  env.reset();
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
    if (core_->closing.load()) return;
    std::mutex mutex;
    std::condition_variable ready;
    bool closed = false;
    close([&](Result<void>) {
      std::lock_guard lock(mutex);
      closed = true;
      ready.notify_one();
    });
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return closed; });
  }
  LmdbStore(const LmdbStore&) = delete;
  LmdbStore& operator=(const LmdbStore&) = delete;

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return facts_; }

  void commit(Batch batch, Done<Committed> done) override {
    if (Error error = stopped()) return done(failed(std::move(error)));
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
    if (error) done(failed(std::move(error)));
  }

  void get(Get get, Done<Result<Cells>> done) override {
    if (Error error = store::check(get)) return done(std::move(error));
    read(std::move(get), std::move(done), [](const ReaderPool::Lease& reader, const Get& wanted) {
      return read_cells(reader, wanted);
    });
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    if (Error error = store::check(scan)) return done(std::move(error));
    read(std::move(scan), std::move(done), [](const ReaderPool::Lease& reader, const Scan& wanted) {
      return read_rows(reader, wanted);
    });
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    read(Position{std::string(after), max}, std::move(done),
         [space](const ReaderPool::Lease& reader, const Position& from) {
           return read_list(reader, space, from.after, from.max);
         });
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    read(Position{std::string(after), max}, std::move(done),
         [this](const ReaderPool::Lease& reader, const Position& from) {
           return read_changes(reader, facts_.incarnation, from.after, from.max);
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
    return core_->writer.failure();
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

Result<Incarnation> draw_incarnation() {
  Incarnation drawn{};
  if (auto got = base::random_bytes(drawn.data(), drawn.size()); !got)
    return std::move(got).error();
  return drawn;
}

std::size_t whole_pages(std::size_t size) {
  constexpr std::size_t page = 65'536;  // a multiple of every page size LMDB uses
  return (std::max<std::size_t>(size, page * 4) + page - 1) / page * page;
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const LmdbStoreOptions& wanted, Hooks hooks) {
  LmdbStoreOptions options = wanted;
  options.map_size = whole_pages(options.map_size);
  options.max_size = whole_pages(options.max_size);
  if (options.max_size < options.map_size)
    return Error{Errc::invalid_argument, "max_size is smaller than map_size"};
  const auto fresh = draw_incarnation();
  if (!fresh) return fresh.error();
  auto directory = open_directory(options.path, *fresh, true);
  if (!directory) return std::move(directory).error();
  const auto size = base::file_size(options.path + "/" + data_file);
  if (!size) return size.error();
  while (options.map_size < *size + 16 * 65'536) options.map_size *= 2;
  auto env = Env::open(options.path, options.map_size, Env::Access::write);
  if (!env) return std::move(env).error();
  const auto taken = take_over(**env, *fresh);
  if (!taken) return taken.error();
  StoreFacts facts;
  facts.durability = StoreFacts::Durability::local;
  facts.incarnation = taken->incarnation;
  facts.blocking_reads = options.reads == LmdbReads::caller;
  auto core = std::make_unique<Core>(std::move(*directory), std::move(*env), taken->feed, options,
                                     std::move(hooks));
  return std::unique_ptr<Store>(std::make_unique<LmdbStore>(std::move(core), facts));
}

Result<void> mark_restored(const std::string& path) {
  const auto fresh = draw_incarnation();
  if (!fresh) return fresh.error();
  auto directory = open_directory(path, *fresh, false);
  if (!directory) return std::move(directory).error();
  const auto size = base::file_size(path + "/" + data_file);
  if (!size) return size.error();
  auto env = Env::open(path, whole_pages(*size * 2), Env::Access::write);
  if (!env) return std::move(env).error();
  if (const auto taken = take_over(**env, *fresh); !taken) return taken.error();
  if (auto renewed = renew_incarnation(**env, *fresh); !renewed) return renewed;
  const auto file = base::file_identity((*env)->descriptor());
  if (!file) return file.error();
  if (const int code = write_clean(**env, *file); code != 0) return to_error("cannot finish", code);
  return {};
}

}  // namespace parley::lmdb

namespace parley::inline v0 {

StoreOpener lmdb_store(LmdbStoreOptions options) {
  return [options = std::move(options)] { return lmdb::open_store(options); };
}

}  // namespace parley::inline v0
