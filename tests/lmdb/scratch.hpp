// tests/lmdb/scratch.hpp: a directory that is gone after the test.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <string>

/// In memory where the system has a place for that: what is tested is logic, and a flush of a busy
/// disk takes milliseconds. Scratch::Place::disk for tests that mean the disk.
class Scratch {
 public:
  enum class Place { memory, disk };
  explicit Scratch(Place place = Place::memory) {
    const bool shared = place == Place::memory && std::filesystem::is_directory("/dev/shm");
    std::string name = (shared ? "/dev/shm" : std::filesystem::temp_directory_path().string()) +
                       "/parley-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() {
    std::error_code ignored;  // a test that failed may have left anything
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// A path inside, not created.
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};
