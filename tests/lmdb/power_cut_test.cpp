// tests/lmdb/power_cut_test.cpp: what a disk may hold after a power cut, built from recorded
// writes.
#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

#include "catch.hpp"
#include "chains.hpp"
#include "io_faults.hpp"
#include "lmdb/check.hpp"
#include "lmdb/lmdb_store.hpp"
#include "scratch.hpp"

using namespace parley;
using io_faults::Record;

namespace {

constexpr int chain_count = 4;

using Files = std::map<std::string, std::string>;  // name and contents

/// Small segments, folded now and then: what a disk holds is a mix of log and LMDB.
const lmdb::LogTuning tuning{.segment_size = 64 << 10,
                             .fold_every = std::chrono::hours(1),
                             .fold_at = {.bytes = 1 << 20, .batches = 25, .rows = 1 << 20}};

Files read_files(const std::string& path) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("log-") && name != "data.mdb") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[name] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

void apply(std::string& image, std::uint64_t offset, std::string_view bytes) {
  if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// An image must open, be sound, and hold everything that was done by then and nothing beyond
/// what had been tried.
void verify(const std::string& path, const Files& image, const std::uint64_t* done,
            std::uint64_t tried) {
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  for (const auto& [name, bytes] : image)
    std::ofstream(path + "/" + name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto report = lmdb::check_directory(path);
  REQUIRE(report.ok());
  INFO(report->text);
  REQUIRE(report->sound);
  auto store = lmdb::open_store({.path = path}, {}, tuning).value();
  for (int chain = 0; chain < chain_count; ++chain) {
    const auto found = chains::read(*store, chain);
    INFO("chain " << chain << ": done " << done[chain] << ", found " << found.number);
    REQUIRE(found.problem.empty());
    REQUIRE(found.number >= done[chain]);
    REQUIRE(found.number <= tried);
  }
}

/// A commit as it was told: chain in the upper half, number in the lower.
std::uint64_t told(int chain, std::uint64_t number) {
  return static_cast<std::uint64_t>(chain) << 32 | number;
}

void cut_power(std::uint64_t rounds, int variants) {
  Scratch scratch;
  const std::string path = scratch / "s";
  lmdb::open_store({.path = path}, {}, tuning).value().reset();
  Files durable = read_files(path);
  io_faults::start_recording(path);
  {
    auto store = lmdb::open_store({.path = path}, {}, tuning).value();
    for (std::uint64_t number = 1; number <= rounds; ++number) {
      std::vector<testing::Slot<bool>> slots(chain_count);
      for (int chain = 0; chain < chain_count; ++chain)
        store->commit(testing::Draft::owned(chains::commit_of(chain, number)),
                      [chain, number, done = slots[std::size_t(chain)].done()](Committed answer) {
                        if (answer.verdict == Verdict::done) io_faults::mark(told(chain, number));
                        done(answer.verdict == Verdict::done);
                      });
      for (auto& slot : slots) {
        REQUIRE(slot.wait(nullptr));
        REQUIRE(slot.take());
      }
    }
  }
  const auto records = io_faults::stop_recording();
  REQUIRE(records.size() > rounds);

  std::uint64_t done[chain_count] = {}, seed = 99;
  const auto dice = [&] {
    return (seed = seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 33;
  };
  std::vector<const Record*> pending;  // written, not behind a barrier yet
  int images = 0;
  for (const Record& record : records) {
    if (record.kind == Record::Kind::mark) {
      done[record.mark >> 32] = record.mark & 0xffffffff;
      continue;
    }
    if (record.kind == Record::Kind::rename) {  // of a file that is flushed
      durable[record.bytes] = std::exchange(durable[record.file], {});
      durable.erase(record.file);
      continue;
    }
    if (record.kind == Record::Kind::write) {
      pending.push_back(&record);
      continue;
    }
    // Just before the barrier completes any of the pending sectors may be there or not.
    for (int variant = 0; variant < variants; ++variant) {
      Files image = durable;
      for (const Record* write : pending)
        for (std::size_t at = 0; at < write->bytes.size(); at += 512) {
          const bool there = variant == 0 ? false : variant == 1 ? true : dice() % 2 == 0;
          if (there)
            apply(image[write->file], write->offset + at,
                  std::string_view(write->bytes).substr(at, 512));
        }
      INFO("image " << images);
      verify(scratch / "image", image, done, rounds);
      ++images;
    }
    std::erase_if(pending, [&](const Record* write) {
      if (write->file != record.file) return false;
      apply(durable[write->file], write->offset, write->bytes);
      return true;
    });
  }
  verify(scratch / "image", durable, done, rounds);
  CHECK(images > static_cast<int>(rounds));
}

}  // namespace

TEST_CASE("a power cut loses nothing acknowledged", "[lmdb][power]") { cut_power(12, 4); }

TEST_CASE("many power cuts lose nothing acknowledged", "[lmdb][power][slow]") {
  cut_power(200, 12);
}
