// tests/lmdb/lmdb_store_test.cpp: opening, locking, growing, identity, and what a guest owes its
// host.
#include "parley/lmdb_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/os_file.hpp"
#include "catch.hpp"
#include "lmdb/directory.hpp"
#include "lmdb/keys.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"
#include "store/store_probe.hpp"

using namespace parley;
using parley::testing::big_endian;
using parley::testing::Draft;
using parley::testing::StoreProbe;
namespace fs = std::filesystem;

namespace {

const testing::StoreUnderTest by_itself;

Errc open_error(const LmdbStoreOptions& options) {
  auto opened = lmdb_store(options)();
  if (opened) return Errc::ok;
  CHECK_FALSE(opened.error().message.empty());
  return opened.error().errc();
}

void put_some(const std::string& path) {
  auto store = lmdb_store({.path = path})().value();
  StoreProbe probe(by_itself);
  probe.done(*store, {.guard = "g1", .puts = {{"k", "v"}}, .note = "n"}, "create");
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}

}  // namespace

TEST_CASE("a directory has one holder", "[lmdb]") {
  Scratch scratch;
  const LmdbStoreOptions options{.path = scratch / "s"};
  auto store = lmdb_store(options)().value();
  CHECK(open_error(options) == Errc::store_locked);
  const pid_t child = ::fork();
  if (child == 0) {
    auto opened = lmdb_store(options)();
    ::_exit(!opened && opened.error().errc() == Errc::store_locked ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  store.reset();
  CHECK(open_error(options) == Errc::ok);
}

TEST_CASE("only a fitting directory is opened", "[lmdb]") {
  Scratch scratch;
  CHECK(open_error({.path = ""}) == Errc::invalid_argument);
  CHECK(open_error({.path = scratch / "no" + "/such/parent"}) == Errc::store_failed);
  std::ofstream(scratch / "file") << "x";
  CHECK(open_error({.path = scratch / "file"}) == Errc::invalid_argument);
  fs::create_directory(scratch / "full");
  std::ofstream(scratch / "full" + "/letter.txt") << "mine";
  CHECK(open_error({.path = scratch / "full"}) == Errc::invalid_argument);
  CHECK(fs::exists(scratch / "full" + "/letter.txt"));
  CHECK(open_error({.path = scratch / "s", .map_size = 1 << 30, .max_size = 1 << 20}) ==
        Errc::invalid_argument);
  fs::create_directory(scratch / "empty");
  fs::create_directory(scratch / "empty/new-abc123");  // what a dying creator leaves
  std::ofstream(scratch / "empty/new-abc123/data.mdb") << "half";
  CHECK(open_error({.path = scratch / "empty"}) == Errc::ok);
  CHECK_FALSE(fs::exists(scratch / "empty/new-abc123"));
  fs::rename(scratch / "empty/data.mdb", scratch / "kept.mdb");  // not taken for a new store
  CHECK(open_error({.path = scratch / "empty"}) == Errc::store_corrupt);
  fs::rename(scratch / "kept.mdb", scratch / "empty/data.mdb");
  CHECK(open_error({.path = scratch / "empty"}) == Errc::ok);
  CHECK_FALSE(base::on_network(scratch / "empty").value());
}

TEST_CASE("what is created belongs to its owner alone and does not pass to programs", "[lmdb]") {
  Scratch scratch;
  auto store = lmdb_store({.path = scratch / "s"})().value();
  struct stat found {};
  for (const char* name : {"/data.mdb", "/lock.mdb", "/LOCK"}) {
    REQUIRE(::stat((scratch / "s" + name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  REQUIRE(::stat((scratch / "s").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  int ours = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the listing's own descriptor
    if (!fs::read_symlink(entry.path(), gone).string().starts_with(scratch / "s")) continue;
    ++ours;
    CHECK((::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(ours >= 4);  // data, its synchronous twin, two locks
}

TEST_CASE("the store's threads block every signal and tell the host of themselves", "[lmdb]") {
  Scratch scratch;
  std::atomic<int> started{0}, stopped{0};
  auto store = lmdb_store({.path = scratch / "s",
                           .reads = LmdbReads::pool,
                           .thread_start = [&] { ++started; },
                           .thread_stop = [&] { ++stopped; }})()
                   .value();
  StoreProbe probe(by_itself);
  probe.done(*store, {.guard = "g"}, "create");
  CHECK(probe.guard(*store, "p") == "g");
  while (started < 4) std::this_thread::yield();  // each has its name by then
  int threads = 0;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::stringstream text;
    text << status.rdbuf();
    if (text.str().find("Name:\tparley-") == std::string::npos) continue;
    ++threads;
    const auto at = text.str().find("SigBlk:\t");
    REQUIRE(at != std::string::npos);
    const auto mask = std::stoull(text.str().substr(at + 8, 16), nullptr, 16);
    CHECK((mask & 0x7ffbfeff) == 0x7ffbfeff);  // all classic signals but KILL and STOP
  }
  CHECK(threads == 4);
  CHECK(probe.close(*store).ok());
  store.reset();
  CHECK(started == 4);
  CHECK(stopped == 4);
}

TEST_CASE("a fork's calls answer forked and leave the parent alone", "[lmdb]") {
  Scratch scratch;
  auto store = lmdb_store({.path = scratch / "s"})().value();
  StoreProbe probe(by_itself);
  probe.done(*store, {.guard = "g1"}, "create");
  const pid_t child = ::fork();
  if (child == 0) {
    StoreProbe inside(by_itself);
    Get get;
    get.cells = {{{1, "p"}, ""}};
    bool right =
        inside.commit(*store, {.expect = "g1", .guard = "g2"}).error.errc() == Errc::forked;
    right = right && inside.get(*store, get).error().errc() == Errc::forked;
    right = right && inside.list(*store, 1, {}, 1).error().errc() == Errc::forked;
    right = right && inside.close(*store).error().errc() == Errc::forked;
    store.reset();
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  probe.done(*store, {.expect = "g1", .guard = "g3"}, "the parent goes on");
  CHECK(probe.guard(*store, "p") == "g3");
  CHECK(probe.take_failures().empty());
}

TEST_CASE("a newer format is refused by the name of its writer", "[lmdb]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  put_some(path);
  {
    auto env = lmdb::Env::open(path, 1 << 20, lmdb::Env::Access::write).value();
    lmdb::WriteTxn txn;
    REQUIRE(txn.begin(*env) == 0);
    std::string value;
    base::append_be(value, std::uint32_t{9});
    base::append_be(value, std::uint32_t{lmdb::format_known + 1});
    value += "7.8.9";
    REQUIRE(lmdb::put_value(txn.get(), lmdb::Key::own(lmdb::OwnRow::format).bytes(), value) == 0);
    REQUIRE(txn.commit() == 0);
  }
  auto opened = lmdb_store({.path = path})();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().errc() == Errc::store_format);
  CHECK(opened.error().message.find("7.8.9") != std::string::npos);
}

TEST_CASE("a file that was copied without a hand-over has another incarnation", "[lmdb]") {
  Scratch scratch;
  const std::string path = scratch / "s", copy = scratch / "copy";
  put_some(path);
  const auto incarnation_of = [](const std::string& where) {
    return lmdb_store({.path = where})().value()->facts().incarnation;
  };
  const auto original = incarnation_of(path);
  CHECK(incarnation_of(path) == original);

  fs::copy(path, copy, fs::copy_options::recursive);
  CHECK(incarnation_of(copy) == original);  // closed in order: a move to another disk looks so

  auto store = lmdb_store({.path = path})().value();
  fs::remove_all(copy);
  fs::copy(path, copy, fs::copy_options::recursive);
  const auto snapshot = incarnation_of(copy);
  CHECK(snapshot != original);
  CHECK(incarnation_of(copy) == snapshot);
  store.reset();
  CHECK(incarnation_of(path) == original);

  REQUIRE(lmdb::mark_restored(path).ok());
  CHECK(incarnation_of(path) != original);
}

TEST_CASE("a position of another incarnation is told as trimmed", "[lmdb]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  put_some(path);
  StoreProbe probe(by_itself);
  auto store = lmdb_store({.path = path})().value();
  const std::string position(probe.changes(*store, {}, 10)->next);
  CHECK(probe.close(*store).ok());
  store.reset();
  REQUIRE(lmdb::mark_restored(path).ok());
  store = lmdb_store({.path = path})().value();
  const auto changes = probe.changes(*store, position, 10);
  REQUIRE(changes.ok());
  CHECK(changes->trimmed);
  CHECK(changes->entries.size() == 1);
  CHECK_FALSE(probe.forget(*store, position).ok());
}

TEST_CASE("the map grows under readers up to max_size, where only erasing goes on", "[lmdb]") {
  Scratch scratch;
  auto store =
      lmdb_store({.path = scratch / "s", .map_size = 256 * 1024, .max_size = 16 << 20})().value();
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    StoreProbe inside(by_itself);
    while (!stop) (void)inside.scan(*store, {.partition = {1, "p0"}});
    CHECK(inside.take_failures().empty());
  });
  StoreProbe probe(by_itself);
  Committed answer;
  int count = 0;
  do {
    answer = probe.commit(*store, {.id = "p" + std::to_string(count),
                                   .guard = "g",
                                   .puts = {{"k", std::string(100'000, 'v')}}});
    count += answer.verdict == Verdict::done;
  } while (answer.verdict == Verdict::done && count < 1000);
  stop = true;
  reader.join();
  CHECK(answer.verdict == Verdict::failed);
  CHECK(answer.error.errc() == Errc::disk_full);
  CHECK(count > 100);
  CHECK(count < 170);
  for (int i = 0; i < count; ++i)
    probe.done(*store, {.id = "p" + std::to_string(i), .expect = "g", .erases = {"k"}}, "erase");
  for (int i = 0; i < count / 2; ++i)
    probe.done(
        *store,
        {.id = "q" + std::to_string(i), .guard = "g", .puts = {{"k", std::string(100'000, 'v')}}},
        "again");
  CHECK(probe.close(*store).ok());
  for (const auto& failure : probe.take_failures()) FAIL_CHECK(failure);
}

TEST_CASE("too many waiting bytes are refused as busy", "[lmdb]") {
  Scratch scratch;
  std::atomic<bool> hold{true};
  auto store =
      lmdb::open_store({.path = scratch / "s", .queue_limit = 1'000'000}, {[&](lmdb::Step step) {
                         while (hold && step == lmdb::Step::begin) std::this_thread::yield();
                         return 0;
                       }})
          .value();
  int busy = 0, done = 0;
  std::mutex mutex;
  for (int i = 0; i < 30; ++i)
    store->commit(Draft::owned({.id = "p" + std::to_string(i),
                                .guard = "g",
                                .puts = {{"k", std::string(100'000, 'v')}}}),
                  [&](Committed answer) {
                    std::lock_guard lock(mutex);
                    done += answer.verdict == Verdict::done;
                    if (answer.verdict != Verdict::failed) return;
                    ++busy;
                    CHECK(answer.error.errc() == Errc::busy);
                    CHECK(answer.error.retryable());
                    CHECK(answer.error.retry_after.count() > 0);
                  });
  hold = false;
  StoreProbe probe(by_itself);
  CHECK(probe.close(*store).ok());
  CHECK(busy > 10);
  CHECK(done > 5);
  CHECK(busy + done == 30);
}

TEST_CASE("the oldest changes go beyond the limit", "[lmdb]") {
  Scratch scratch;
  auto store = lmdb_store({.path = scratch / "s", .feed_limit = 1000})().value();
  StoreProbe probe(by_itself);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    Draft draft{.guard = big_endian(i), .note = big_endian(i)};
    if (i > 1) draft.expect = big_endian(i - 1);
    probe.done(*store, draft, "commit");
  }
  const auto changes = probe.changes(*store, {}, 200);
  REQUIRE(changes.ok());
  CHECK(changes->trimmed);
  CHECK(changes->entries.size() == 1000 / (2 + 1 + 8 + 32));
  CHECK(changes->entries.back().note == big_endian(100));
  CHECK(probe.take_failures().empty());
}

TEST_CASE("much is forgotten step by step", "[lmdb]") {
  Scratch scratch;
  auto store = lmdb_store({.path = scratch / "s"})().value();
  StoreProbe probe(by_itself);
  constexpr int count = 10'000;  // more than two steps
  std::vector<testing::Slot<Committed>> slots(count);
  for (int i = 0; i < count; ++i)
    store->commit(
        Draft::owned({.id = "p" + std::to_string(i), .guard = "g", .note = std::to_string(i)}),
        slots[static_cast<std::size_t>(i)].done());
  for (auto& slot : slots) REQUIRE(slot.wait(nullptr));
  std::string position;
  for (int read = 0; read < count - 10;) {
    const auto changes = probe.changes(*store, position, 4096);
    REQUIRE(changes.ok());
    read += static_cast<int>(changes->entries.size());
    position = std::string(changes->next);
  }
  testing::Slot<Result<void>> forgotten;
  store->forget_changes(position, forgotten.done());
  probe.done(*store, {.guard = "g", .note = "new"}, "a commit meanwhile");
  REQUIRE(forgotten.wait(nullptr));
  CHECK(forgotten.take().ok());
  const auto rest = probe.changes(*store, position, 10);
  REQUIRE(rest.ok());
  CHECK_FALSE(rest->trimmed);
  REQUIRE(rest->entries.size() == 1);
  CHECK(rest->entries[0].note == "new");
  CHECK(probe.changes(*store, {}, 10)->trimmed);
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}

TEST_CASE("a store closes with its handle", "[lmdb]") {
  Scratch scratch;
  const std::string path = scratch / "s";
  { auto store = lmdb_store({.path = path})().value(); }
  auto store = lmdb_store({.path = path})().value();
  // Destroyed by its own closing completion, on the writer thread.
  testing::Slot<bool> gone;
  store->close([&store, done = gone.done()](Result<void> result) {
    store.reset();
    done(result.ok());
  });
  REQUIRE(gone.wait(nullptr));
  CHECK(gone.take());
  CHECK(open_error({.path = path}) == Errc::ok);
}

TEST_CASE("20,000 small commits with a read after each do not grow the file", "[lmdb]") {
  const LmdbReads reads = GENERATE(LmdbReads::caller, LmdbReads::pool);
  Scratch scratch;
  auto store = lmdb_store({.path = scratch / "s", .reads = reads})().value();
  StoreProbe probe(by_itself);
  const int commits = reads == LmdbReads::pool ? 3'000 : 20'000;
  std::uint64_t at_first = 0;
  for (int i = 1; i <= commits; ++i) {
    const auto number = static_cast<std::uint64_t>(i);
    Draft draft{.guard = big_endian(number),
                .puts = {{big_endian(number % 100), std::string(100, 'v')}}};
    if (i > 1) draft.expect = big_endian(number - 1);
    probe.done(*store, draft, "commit");
    (void)probe.scan(*store, {.partition = {1, "p"}});
    if (i == 1'000) at_first = fs::file_size(scratch / "s/data.mdb");
  }
  // A reader that is not reset costs some 12 KiB a commit. The first thousand may be in the log
  // yet.
  CHECK(fs::file_size(scratch / "s/data.mdb") < at_first + 128 * 1024);
  CHECK(probe.close(*store).ok());
  CHECK(probe.take_failures().empty());
}
