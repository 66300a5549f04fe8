// trimming_test.cpp: history that is paged through while it is trimmed.
#include <algorithm>
#include <functional>
#include <vector>

#include "catch.hpp"
#include "conversation_world.hpp"
#include "core/event_reader.hpp"
#include "core/recent_pages.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace parley::core::test;
using namespace std::chrono_literals;

namespace {

/// Reads a stream again and again from its first event to its last, or the other way round, a few
/// events a page: every page is whole, and of the stream as it was written.
class Pager {
 public:
  Pager(World& world, bool backward, RecentPages* recent)
      : world_(world), backward_(backward), recent_(recent) {
    for (bool more = true; more;) {
      const auto page = world.read({.from = records_.size() + 1, .max_events = 256}).value();
      for (const auto& event : page.events) records_.push_back(event.record);
      more = page.more;
    }
    at_ = backward ? 0 : 1;
  }

  void read(int pages) {
    left_ = std::max(left_, pages);
    if (!open_) next();
  }
  [[nodiscard]] int read() const { return read_; }
  /// Pages that were asked for above the floor and answered from below what was left.
  [[nodiscard]] int cut() const { return cut_; }

 private:
  void next() {
    if (left_-- <= 0) return;
    open_ = true;
    ReadRange range{.partition = layout::conversation_id(0, world_.id()),
                    .conversation = world_.id(),
                    .backward = backward_,
                    .max_events = 7};
    (backward_ ? range.to : range.from) = at_;
    read_events(
        world_.fx, std::move(range),
        [this](const Result<EventPage>& page) {
          open_ = false;
          take(page);
          next();
        },
        recent_);
  }

  void take(const Result<EventPage>& page) {
    ++read_;
    REQUIRE(page.ok());
    const Seq head = page->head.head, floor = page->head.floor;
    REQUIRE(floor >= floor_);
    floor_ = floor;
    const Seq last = backward_ && at_ != 0 ? std::min(at_, head) : head;
    const Seq first = backward_ ? floor : std::max(at_, floor);
    if (!backward_ && at_ < floor && at_ > 1) ++cut_;
    if (backward_ && at_ != 0 && at_ < floor) ++cut_;
    if (first > last) {
      REQUIRE(page->events.empty());
      at_ = backward_ ? 0 : 1;
      return;
    }
    REQUIRE_FALSE(page->events.empty());
    REQUIRE((backward_ ? page->events.back().seq == last : page->events.front().seq == first));
    Seq seq = page->events.front().seq;
    REQUIRE(seq >= floor);
    for (const auto& event : page->events) {
      REQUIRE(event.seq == seq);
      if (seq <= records_.size()) REQUIRE(event.record.bytes() == records_[seq - 1].bytes());
      ++seq;
    }
    const Seq end = backward_ ? page->events.front().seq : page->events.back().seq;
    REQUIRE(page->more == (end != (backward_ ? floor : head)));
    at_ = !page->more ? (backward_ ? 0 : 1) : backward_ ? end - 1 : end + 1;
  }

  World& world_;
  const bool backward_;
  RecentPages* recent_;
  std::vector<Payload> records_;  // as they were written
  Seq at_ = 0, floor_ = 1;
  int left_ = 0, read_ = 0, cut_ = 0;
  bool open_ = false;
};

}  // namespace

TEST_CASE("a page of what is being trimmed is whole, or begins at the floor") {
  const bool backward = GENERATE(false, true);
  int cut = 0;
  for (int steps = 0; steps < 48; ++steps) {
    CAPTURE(backward, steps);
    World world;
    (void)world.create(by(1), ConversationKind::group, {user(2)});
    for (int i = 0; i < 260; ++i) REQUIRE(world.say(1) == Errc::ok);
    world.fx.advance(5s);  // most of it is sealed
    RecentPages recent(steps % 2 == 0 ? 0 : limits::mib);
    Pager pager(world, backward, &recent);
    // Some pages before and while the floor moves; more with every commit of the erasing.
    pager.read(200);
    for (int i = 0; i < 5 * steps && world.fx.step(); ++i) {}
    world.fx.inject = [&pager](const Batch&) {
      pager.read(9);
      return Fault::none;
    };
    Asked<void> kept;
    world->set_retention(by(1), {.keep_events = 40}, kept.then());
    world.fx.advance(40s);
    world.fx.inject = nullptr;
    CHECK(kept.errc() == Errc::ok);
    const auto head = world.head();
    CHECK(head.floor == head.head - 39);
    CHECK(pager.read() >= 200);
    cut += pager.cut();
    const auto whole = world.read({.from = 1, .max_events = 256}, &recent).value();
    CHECK(whole.events.front().seq == head.floor);
    CHECK(whole.events.back().seq == head.head);
  }
  CHECK(cut > 0);
}
