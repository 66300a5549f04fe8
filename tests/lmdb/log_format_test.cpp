// tests/lmdb/log_format_test.cpp: what is written is read again, and nothing else is.
#include "lmdb/log_format.hpp"

#include <cstring>

#include "catch.hpp"
#include "log_groups.hpp"

using namespace parley;
using lmdb::GroupReader;
using lmdb::LogGroup;
using parley::testing::Draft;

namespace {

std::shared_ptr<LogGroup> parse(const std::string& bytes, std::uint64_t salt,
                                std::uint64_t least = 1) {
  const std::shared_ptr<char[]> memory(new char[bytes.size()]);
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return LogGroup::parse(memory, memory.get(), bytes.size(), salt, least);
}

std::string as_text(const LogGroup& group) {
  std::string text;
  GroupReader reader(group);
  lmdb::LoggedBatch batch;
  lmdb::LoggedRow row;
  while (reader.next(batch)) {
    text += std::to_string(batch.partition.space) + ":" + std::string(batch.partition.id) + " " +
            (batch.guard ? std::string(*batch.guard) : "ends") + " " + std::string(batch.note);
    while (lmdb::next_row(batch.rows, row))
      text += " " + std::string(row.key) + (row.value ? "=" + std::string(*row.value) : " erased");
    text += ";";
  }
  return text;
}

const std::vector<Draft> drafts = {
    {.id = "a", .guard = "g1", .puts = {{"k", "v"}, {"l", ""}}, .erases = {"m"}, .note = "n"},
    {.id = std::string(32, 'b'), .expect = "g", .erases = {std::string(128, 'e')}, .space = 7},
};

}  // namespace

TEST_CASE("a group is read as it was written", "[lmdb][log]") {
  const auto group = log_groups::make(9, drafts, {.last = 41, .bytes = 100, .through = 3});
  const std::string bytes(group->seal(77));
  CHECK(bytes.size() == 4096);
  const auto read = parse(bytes, 77);
  REQUIRE(read);
  CHECK(read->lsn() == 9);
  CHECK(read->batches() == 2);
  CHECK(read->rows() == 6);  // four and two guards
  CHECK(read->feed().last == 42);
  CHECK(read->feed().bytes == 100);
  CHECK(read->feed().through == 3);
  CHECK(read->first_entry() == 42);
  CHECK(as_text(*read) == "1:a g1 n k=v l= m erased;7:" + std::string(32, 'b') + " ends  " +
                              std::string(128, 'e') + " erased;");
}

TEST_CASE("a group of another use of its segment is none", "[lmdb][log]") {
  const std::string bytes(log_groups::numbered(9)->seal(77));
  CHECK(parse(bytes, 77, 9));
  CHECK_FALSE(parse(bytes, 78));
  CHECK_FALSE(parse(bytes, 77, 10));  // older than its segment
}

TEST_CASE("a group with any byte changed or missing is none", "[lmdb][log]") {
  const std::string bytes(log_groups::make(9, drafts)->seal(77));
  const std::size_t size =
      48 + LogGroup::encoded_size(drafts[0].batch()) + LogGroup::encoded_size(drafts[1].batch());
  for (std::size_t at = 0; at < size; ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    INFO("byte " << at);
    CHECK_FALSE(parse(damaged, 77));
  }
  for (const std::size_t cut : {std::size_t{0}, std::size_t{47}, std::size_t{512}, size - 1})
    CHECK_FALSE(parse(bytes.substr(0, cut), 77));
}

TEST_CASE("a group may be larger than a block", "[lmdb][log]") {
  const std::string value(300'000, 'v');
  const auto group = log_groups::make(1, {{.guard = "g", .puts = {{"k", value}}}});
  const std::string bytes(group->seal(1));
  CHECK(bytes.size() % lmdb::log_block == 0);
  const auto read = parse(bytes, 1);
  REQUIRE(read);
  CHECK(as_text(*read) == "1:p g  k=" + value + ";");
}

TEST_CASE("a segment's header is read as it was written, or not at all", "[lmdb][log]") {
  lmdb::SegmentHeader header{.number = 5, .size = 8192, .first_lsn = 6, .salt = 7};
  header.incarnation[3] = 9;
  const std::string block = lmdb::encode_segment_header(header);
  CHECK(block.size() == lmdb::log_block);
  const auto read = lmdb::decode_segment_header(block);
  REQUIRE(read);
  CHECK(read->number == 5);
  CHECK(read->size == 8192);
  CHECK(read->first_lsn == 6);
  CHECK(read->salt == 7);
  CHECK(read->incarnation == header.incarnation);
  for (std::size_t at = 0; at < 64; ++at) {
    std::string damaged = block;
    damaged[at] = static_cast<char>(damaged[at] + 1);
    CHECK_FALSE(lmdb::decode_segment_header(damaged));
  }
  CHECK_FALSE(lmdb::decode_segment_header(std::string(4096, '\0')));
  CHECK_FALSE(lmdb::decode_segment_header(block.substr(0, 60)));
}
