// recent_pages_test.cpp: what is kept of streams that are read, for how long, and how much of it.
#include "core/recent_pages.hpp"

#include <chrono>

#include "catch.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::core;
using namespace std::chrono_literals;

namespace {

ConversationId room(std::uint8_t number) {
  ConversationId id;
  id.bytes.fill(number);
  return id;
}

RecentPage page_of(std::size_t bytes) {
  RecentPage page;
  page.guard = "guard";
  page.events.resize(1);
  page.bytes = bytes;
  return page;
}

constexpr RecentPages::Clock::time_point start{};

}  // namespace

TEST_CASE("the page used least recently makes room") {
  RecentPages pages(10'000);
  pages.keep(room(1), page_of(3'000), start);
  pages.keep(room(2), page_of(3'000), start);
  CHECK(pages.find(room(1), start));
  pages.keep(room(3), page_of(3'000), start);
  CHECK(pages.bytes() <= 10'000);
  CHECK(pages.find(room(1), start));
  CHECK_FALSE(pages.find(room(2), start));
  CHECK(pages.find(room(3), start));
}

TEST_CASE("a page larger than the room is not kept, nor what was there of its stream") {
  RecentPages pages(10'000);
  pages.keep(room(1), page_of(100), start);
  pages.keep(room(2), page_of(100), start);
  pages.keep(room(1), page_of(10'000), start);
  CHECK_FALSE(pages.find(room(1), start));
  CHECK(pages.find(room(2), start));
}

TEST_CASE("what replaces or drops a page gives its bytes back") {
  RecentPages pages(10'000);
  pages.keep(room(1), page_of(5'000), start);
  pages.keep(room(1), page_of(100), start);
  const std::size_t small = pages.bytes();
  CHECK(small < 1'000);
  const auto held = pages.find(room(1), start);
  pages.drop(room(1));
  pages.drop(room(2));
  CHECK(pages.bytes() == 0);
  CHECK(held->bytes == 100);  // whoever has it keeps it
}

TEST_CASE("what nobody asked for since then goes") {
  RecentPages pages(10'000);
  pages.keep(room(1), page_of(100), start);
  pages.keep(room(2), page_of(100), start + 1s);
  pages.keep(room(3), page_of(100), start + 2s);
  CHECK(pages.find(room(1), start + 3s));
  pages.drop_unused(start + 2s);
  CHECK(pages.find(room(1), start + 3s));
  CHECK_FALSE(pages.find(room(2), start + 3s));
  CHECK(pages.find(room(3), start + 3s));
  pages.drop_unused(RecentPages::Clock::time_point::max());
  CHECK(pages.bytes() == 0);
}

TEST_CASE("a shard's room is filled to the last byte, and never more") {
  RecentPages pages(limits::recent_pages);
  pages.keep(room(1), page_of(0), start);
  const std::size_t rest = limits::recent_pages - 2 * pages.bytes();
  pages.keep(room(2), page_of(rest), start);
  CHECK(pages.bytes() == limits::recent_pages);
  CHECK(pages.find(room(1), start));
  pages.keep(room(2), page_of(rest + 1), start);
  CHECK_FALSE(pages.find(room(1), start));
  CHECK(pages.find(room(2), start));
}
