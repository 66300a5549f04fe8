// tests/fuzz/driver.cpp: runs a fuzz target where libFuzzer is not there. It replays the corpus,
// then mutates it with a fixed seed for PARLEY_FUZZ_SECONDS; an input that crashes is written to a
// file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMaxInput = 4096;
constexpr const char* kCrashFile = "fuzz-crash-input";

const std::string* current_input = nullptr;

// Async-signal-safe: keeps the input that was running, then dies as it would have.
void save_input(int signal) {
  const int file = ::open(kCrashFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0 && current_input != nullptr) {
    const auto written = ::write(file, current_input->data(), current_input->size());
    (void)written;
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  // A copy of exactly this size, so that a sanitizer sees a read past its end.
  const std::vector<std::uint8_t> exact(input.begin(), input.end());
  current_input = &input;
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  current_input = nullptr;
}

std::vector<std::string> load(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      paths.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      std::exit(2);
    }
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

std::string mutate(std::string input, const std::vector<std::string>& corpus,
                   std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  static constexpr std::uint8_t kEdges[] = {0, 1, 0x7d, 0x7e, 0x7f, 0x80, 0x88, 0xff};
  for (std::size_t steps = 1 + below(6); steps > 0; --steps) {
    const std::size_t at = input.empty() ? 0 : below(input.size());
    switch (below(7)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(kEdges[below(std::size(kEdges))]);
        break;
      case 2:
        input.insert(at, 1 + below(8), static_cast<char>(random()));
        break;
      case 3:
        input.erase(at, 1 + below(8));
        break;
      case 4:
        input.resize(at);
        break;
      case 5:  // repeat a piece
        if (!input.empty()) input.insert(at, input.substr(at, 1 + below(32)));
        break;
      default: {  // splice with another
        const std::string& other = corpus[below(corpus.size())];
        if (!other.empty()) input = input.substr(0, at) + other.substr(below(other.size()));
        break;
      }
    }
  }
  if (input.size() > kMaxInput) input.resize(kMaxInput);
  return input;
}

std::uint64_t number_from(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != 0 ? std::strtoull(text, nullptr, 10) : fallback;
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    std::signal(signal, save_input);
  }
  std::vector<std::string> corpus = load(argc, argv);
  for (const auto& input : corpus) run(input);
  const std::size_t replayed = corpus.size();
  if (corpus.empty()) corpus.emplace_back("\0\0\0\0\0\0\0\0", 8);

  const std::uint64_t seed = number_from("PARLEY_FUZZ_SEED", 20260101);
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(number_from("PARLEY_FUZZ_SECONDS", 2));
  std::mt19937_64 random(seed);
  std::uint64_t runs = 0;
  while (std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < 256; ++i, ++runs) {
      run(mutate(corpus[random() % corpus.size()], corpus, random));
    }
  }
  std::printf("%zu files replayed, %llu mutations, seed %llu\n", replayed,
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  return 0;
}
