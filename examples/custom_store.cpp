// custom_store: a store of the host's own is a class with eight functions; this one counts and
// forwards.
#include <atomic>
#include <cstdio>
#include <memory>
#include <utility>

#include "parley/parley.hpp"

namespace {

//! [store]
struct Counters {
  std::atomic<long> commits{0}, rows{0}, reads{0};
};

/// Every call may come from any thread, every completion may run on any: nothing here needs a lock.
class CountingStore final : public parley::Store {
 public:
  CountingStore(std::unique_ptr<parley::Store> inner, std::shared_ptr<Counters> counters)
      : inner_(std::move(inner)), counters_(std::move(counters)) {}

  [[nodiscard]] const parley::StoreFacts& facts() const noexcept override {
    return inner_->facts();
  }
  void commit(parley::Batch batch, Done<parley::Committed> done) override {
    const auto rows = static_cast<long>(batch.puts.size() + batch.erases.size());
    inner_->commit(std::move(batch), [counters = counters_, rows,
                                      done = std::move(done)](parley::Committed committed) {
      if (committed.verdict == parley::Verdict::done) {
        ++counters->commits;
        counters->rows += rows;
      }
      done(std::move(committed));
    });
  }
  void get(parley::Get get, Done<parley::Result<parley::Cells>> done) override {
    ++counters_->reads;
    inner_->get(std::move(get), std::move(done));
  }
  void scan(parley::Scan scan, Done<parley::Result<parley::Rows>> done) override {
    ++counters_->reads;
    inner_->scan(std::move(scan), std::move(done));
  }
  void list(std::uint8_t space, parley::Bytes after, std::uint32_t max,
            Done<parley::Result<parley::Listed>> done) override {
    inner_->list(space, after, max, std::move(done));
  }
  void changes(parley::Bytes after, std::uint32_t max,
               Done<parley::Result<parley::Changes>> done) override {
    inner_->changes(after, max, std::move(done));
  }
  void forget_changes(parley::Bytes through, Done<parley::Result<void>> done) override {
    inner_->forget_changes(through, std::move(done));
  }
  void close(Done<parley::Result<void>> done) override { inner_->close(std::move(done)); }

 private:
  std::unique_ptr<parley::Store> inner_;
  std::shared_ptr<Counters> counters_;
};

/// What goes into EngineOptions::store: Engine::open calls it, and reports its errors.
parley::StoreOpener counting(parley::StoreOpener inner, std::shared_ptr<Counters> counters) {
  return [inner = std::move(inner),
          counters = std::move(counters)]() -> parley::Result<std::unique_ptr<parley::Store>> {
    auto opened = inner();
    if (!opened) return std::move(opened).error();
    return std::unique_ptr<parley::Store>(
        std::make_unique<CountingStore>(std::move(*opened), counters));
  };
}
//! [store]

}  // namespace

int main() {
  auto counters = std::make_shared<Counters>();
  {
    auto engine =
        parley::Engine::open({.store = counting(parley::memory_store(), counters)}).value();
    auto alice = engine.attach({.user = "alice"}).get().value();
    auto room = alice.create({.title = "room"}).get().value();

    const long before = counters->commits;
    for (int i = 0; i < 50; ++i)
      alice.send(room, "in a burst");  // what waits is committed together
    alice.send(room, "the last one").get().value();
    std::printf("51 messages took %ld commits\n", counters->commits - before);
  }
  std::printf("in all: %ld commits, %ld rows, %ld reads\n", counters->commits.load(),
              counters->rows.load(), counters->reads.load());
  return counters->commits > 0 ? 0 : 1;
}
