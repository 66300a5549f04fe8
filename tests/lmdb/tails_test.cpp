// tests/lmdb/tails_test.cpp: what is seen before, during and after a flush and a fold.
#include "lmdb/tails.hpp"

#include "catch.hpp"
#include "lmdb/fold.hpp"
#include "log_groups.hpp"
#include "scratch_env.hpp"

using namespace parley;
using lmdb::Tails;

namespace {

std::string guard_seen(const Tails& tails, lmdb::ReaderPool::Lease& reader) {
  std::string seen = "LMDB's";
  REQUIRE(tails.look(reader, [&](const Tails::View& view) {
    const auto guard = view.guard({1, "p"});
    if (guard) seen = guard->value ? std::string(*guard->value) : "ended";
  }) == 0);
  return seen;
}

}  // namespace

TEST_CASE("a group is seen from publish() on", "[lmdb][log]") {
  ScratchEnv at;
  Tails tails(0, {});
  auto reader = at.readers->take().value();
  CHECK(guard_seen(tails, reader) == "LMDB's");
  const auto first = log_groups::numbered(1), second = log_groups::numbered(2);
  tails.add(first);
  CHECK(guard_seen(tails, reader) == "LMDB's");
  tails.publish(*first);
  CHECK(guard_seen(tails, reader) == "g1");
  tails.add(second);
  CHECK(guard_seen(tails, reader) == "g1");
  tails.publish(*second);
  CHECK(guard_seen(tails, reader) == "g2");
  CHECK(tails.backlog().batches == 2);
  REQUIRE(tails.look(reader, [&](const Tails::View& view) {
    CHECK(view.row({1, "p"}, "1")->value == Bytes("v1"));
    CHECK_FALSE(view.row({1, "p"}, "3"));
    CHECK_FALSE(view.row({1, "q"}, "1"));
  }) == 0);
}

TEST_CASE("what is folded is seen throughout, and an old reader is moved on", "[lmdb][log]") {
  ScratchEnv at;
  const lmdb::Hooks hooks;
  Tails tails(0, {});
  CHECK(tails.freeze() == nullptr);
  auto old = at.readers->take().value();  // sees LMDB without anything
  const auto first = log_groups::numbered(1), second = log_groups::numbered(2);
  tails.add(first);
  tails.publish(*first);
  const auto frozen = tails.freeze();
  REQUIRE(frozen);
  CHECK(frozen->lsn() == 1);
  tails.add(second);  // into the next tail, while the first is folded
  tails.publish(*second);
  CHECK(tails.backlog().batches == 2);
  CHECK(tails.unfrozen().batches == 1);
  CHECK(guard_seen(tails, old) == "g2");
  REQUIRE(tails.look(old, [&](const Tails::View& view) {
    CHECK(view.row({1, "p"}, "1")->value == Bytes("v1"));
  }) == 0);
  lmdb::Fold fold(*at.env, hooks, 2);
  REQUIRE(fold.write(*frozen, true) == 0);
  tails.drop(fold.txn_id());
  CHECK(tails.backlog().batches == 1);
  REQUIRE(tails.look(old, [&](const Tails::View& view) {
    CHECK_FALSE(view.row({1, "p"}, "1"));
  }) == 0);
  Bytes value;
  CHECK(lmdb::get_value(old.txn(), lmdb::Key::row({1, "p"}, "1").bytes(), value) == 0);
}

TEST_CASE("a fold does not take a group that is being flushed", "[lmdb][log]") {
  Tails tails(0, {});
  const auto first = log_groups::numbered(1), second = log_groups::numbered(2);
  tails.add(first);
  tails.publish(*first);
  tails.add(second);
  std::shared_ptr<const lmdb::MemoryTail> frozen;
  std::thread folder([&] { frozen = tails.freeze(); });  // waits for the flush
  tails.publish(*second);
  folder.join();
  REQUIRE(frozen);
  CHECK(frozen->lsn() == 2);
  tails.drop(1);

  tails.add(log_groups::numbered(3));
  std::thread waiting([&] { frozen = tails.freeze(); });
  tails.give_up();  // its flush failed
  waiting.join();
  CHECK_FALSE(frozen);
}
