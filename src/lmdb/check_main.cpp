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
    "       parley-check --cut DIRECTORY       give up what is damaged or lost in the log and "
    "everything\n"
    "                                          behind it, tell every reader, then verify\n"
    "exit code: 0 sound, 1 damaged, 2 could not be done\n";

int fail(const parley::Error& error) {
  std::fprintf(stderr, "parley-check: %s\n", error.message.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const bool restored = argc == 3 && std::strcmp(argv[1], "--restored") == 0;
  const bool cut = argc == 3 && std::strcmp(argv[1], "--cut") == 0;
  if (argc != 2 + (restored || cut ? 1 : 0) || (argc == 2 && argv[1][0] == '-')) {
    std::fputs(usage, stderr);
    return 2;
  }
  const char* path = argv[argc - 1];
  if (cut) {
    if (const auto done = parley::lmdb::cut_log(path); !done) return fail(done.error());
    std::printf("%s: the log ends before what was damaged\n", path);
  }
  const auto report = parley::lmdb::check_directory(path);
  if (!report) return fail(report.error());
  std::fputs(report->text.c_str(), stdout);
  if (!report->sound) {
    std::printf("%s: DAMAGED. Restore a backup; do not open it.\n", path);
    return 1;
  }
  std::printf("%s: sound\n", path);
  if (!restored) return 0;
  if (const auto marked = parley::lmdb::mark_restored(path); !marked) return fail(marked.error());
  std::printf("%s: marked as restored\n", path);
  return 0;
}
