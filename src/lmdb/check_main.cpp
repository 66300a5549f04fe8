// lmdb/check_main.cpp: parley-check, which verifies a store's directory while nobody has it open.
#include <cstdio>
#include <cstring>

#include "lmdb/check.hpp"
#include "lmdb/lmdb_store.hpp"

namespace {

constexpr const char* usage =
    "usage: parley-check DIRECTORY             verify a store (it must not be open)\n"
    "       parley-check --restored DIRECTORY  after a backup was put back: verify, then tell "
    "every\n"
    "                                          reader that history may have gone back\n"
    "exit code: 0 sound, 1 damaged, 2 could not be checked\n";

}  // namespace

int main(int argc, char** argv) {
  const bool restored = argc == 3 && std::strcmp(argv[1], "--restored") == 0;
  if (argc != 2 + (restored ? 1 : 0) || (!restored && argv[1][0] == '-')) {
    std::fputs(usage, stderr);
    return 2;
  }
  const char* path = argv[argc - 1];
  const auto report = parley::lmdb::check_directory(path);
  if (!report) {
    std::fprintf(stderr, "parley-check: %s\n", report.error().message.c_str());
    return 2;
  }
  std::fputs(report->text.c_str(), stdout);
  if (!report->sound) {
    std::printf("%s: DAMAGED. Restore a backup; do not open it.\n", path);
    return 1;
  }
  std::printf("%s: sound\n", path);
  if (!restored) return 0;
  if (const auto marked = parley::lmdb::mark_restored(path); !marked) {
    std::fprintf(stderr, "parley-check: %s\n", marked.error().message.c_str());
    return 2;
  }
  std::printf("%s: marked as restored\n", path);
  return 0;
}
