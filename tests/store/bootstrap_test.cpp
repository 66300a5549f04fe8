// The first thing written to a store, and how a later opening reads it.
#include "store/bootstrap.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "catch.hpp"
#include "parley/memory_store.hpp"
#include "store/layout.hpp"

using namespace parley;

namespace {

std::array<std::uint8_t, 16> key_of(std::uint8_t fill) {
  std::array<std::uint8_t, 16> key;
  key.fill(fill);
  return key;
}

Result<store::FormatCell> open(Store& store, std::uint8_t fill,
                               std::string_view version = "0.1.0") {
  std::optional<Result<store::FormatCell>> answer;
  store::bootstrap(store, key_of(fill), version,
                   [&](Result<store::FormatCell> cell) { answer.emplace(std::move(cell)); });
  REQUIRE(answer);
  return std::move(*answer);
}

void write(Store& store, const std::string& guard) {
  const std::string id = layout::system_id("format");
  Verdict verdict = Verdict::unknown;
  store.commit({.partition = {layout::system, id}, .guard = guard},
               [&](Committed result) { verdict = result.verdict; });
  REQUIRE(verdict == Verdict::done);
}

/// Changes the verdicts of commits; `before` runs ahead of each.
class OddStore final : public Store {
 public:
  explicit OddStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}
  std::function<void(Store&)> before;
  std::function<void(Committed&)> after;

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return inner_->facts(); }
  void commit(Batch batch, Done<Committed> done) override {
    if (before) before(*inner_);
    inner_->commit(std::move(batch), [this, done = std::move(done)](Committed result) {
      if (after) after(result);
      done(std::move(result));
    });
  }
  void get(Get get, Done<Result<Cells>> done) override {
    inner_->get(std::move(get), std::move(done));
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    inner_->scan(std::move(scan), std::move(done));
  }
  void list(std::uint8_t space, Bytes after_id, std::uint32_t max,
            Done<Result<Listed>> done) override {
    inner_->list(space, after_id, max, std::move(done));
  }
  void changes(Bytes after_position, std::uint32_t max, Done<Result<Changes>> done) override {
    inner_->changes(after_position, max, std::move(done));
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    inner_->forget_changes(through, std::move(done));
  }
  void close(Done<Result<void>> done) override { inner_->close(std::move(done)); }

 private:
  std::unique_ptr<Store> inner_;
};

}  // namespace

TEST_CASE("the first opening writes the format, later ones read it", "[bootstrap]") {
  auto store = memory_store()().value();
  const auto first = open(*store, 1, "0.1.0").value();
  REQUIRE(first.key == key_of(1));
  REQUIRE(first.layout == store::layout_version);
  const auto second = open(*store, 2, "0.2.0").value();
  REQUIRE(second.key == key_of(1));  // the secret of a store never changes
  REQUIRE(second.version == "0.1.0");
}

TEST_CASE("a newer layout is refused with the version that wrote it", "[bootstrap]") {
  auto store = memory_store()().value();
  store::FormatCell cell;
  cell.layout = 7;
  cell.version = "3.2.1";
  SECTION("that this build may still read") {
    cell.min_reader = store::layout_version;
    write(*store, encode(cell));
    REQUIRE(open(*store, 1).value().layout == 7);
  }
  SECTION("that it may not") {
    cell.min_reader = store::layout_version + 1;
    write(*store, encode(cell));
    const Error error = open(*store, 1).error();
    REQUIRE(error.errc() == Errc::store_format);
    REQUIRE(error.message.find("3.2.1") != std::string::npos);
  }
}

TEST_CASE("a format that cannot be read is corrupt, never replaced", "[bootstrap]") {
  auto store = memory_store()().value();
  write(*store, "what is this");
  REQUIRE(open(*store, 1).error().errc() == Errc::store_corrupt);
  REQUIRE(open(*store, 1).error().errc() == Errc::store_corrupt);
}

TEST_CASE("two first openings at once agree", "[bootstrap]") {
  OddStore store(memory_store()().value());
  store.before = [&](Store& inner) {
    store.before = nullptr;
    open(inner, 9).value();  // the other was faster
  };
  REQUIRE(open(store, 1).value().key == key_of(9));
}

TEST_CASE("an unknown verdict is settled by the guard", "[bootstrap]") {
  OddStore store(memory_store()().value());
  store.after = [](Committed& result) { result.verdict = Verdict::unknown; };
  REQUIRE(open(store, 1).value().key == key_of(1));
}

TEST_CASE("a store that never settles is an error, not a loop", "[bootstrap]") {
  OddStore store(memory_store()().value());
  store.before = [](Store&) {};
  store.after = [&](Committed& result) {
    result.verdict = Verdict::failed;
    result.error = {Errc::disk_full, "no room"};
  };
  REQUIRE(open(store, 1).error().errc() == Errc::disk_full);
}

TEST_CASE("the cell as bytes", "[bootstrap]") {
  store::FormatCell cell;
  cell.key = key_of(3);
  cell.version = std::string(40, 'v');
  const auto read = store::decode_format(encode(cell));
  REQUIRE(read);
  REQUIRE(read->key == cell.key);
  REQUIRE(read->version == std::string(32, 'v'));
  REQUIRE_FALSE(store::decode_format(""));
  REQUIRE_FALSE(store::decode_format(std::string(21, '\x02')));
  std::string whole = encode(cell);
  REQUIRE_FALSE(store::decode_format(Bytes(whole).substr(0, 20)));
}
