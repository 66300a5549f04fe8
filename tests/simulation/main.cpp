// main.cpp: runs seeds; prints the failing one and how to replay it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "simulation/world.hpp"

namespace {

using namespace parley::simulation;

struct Arguments {
  std::uint64_t seeds = 200, first = 1;
  std::optional<std::uint64_t> only;
  Lie lie = Lie::none;
  bool lies = false, counts = false;
};

constexpr std::uint64_t seeds_that_reach_all = 200;

int usage() {
  std::puts(
      "parley_simulation [--seeds N] [--first S]   N seeds from S on (PARLEY_SEEDS, else 200)\n"
      "parley_simulation --seed S                  replays one seed, with its trace\n"
      "  --lie NAME    plants a bug in the harness; the run fails if it is not found\n"
      "  --lies        every planted bug in turn, each within --seeds\n"
      "  --counts      prints how often each named situation was reached");
  return 2;
}

struct Outcome {
  std::string broken;  // empty: all held
  std::uint64_t hash = 0, steps = 0, committed = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Sometimes::count_)> counts{};
};

Outcome run(const RunOptions& options) {
  Outcome outcome;
  World world(options);
  try {
    world.run();
    outcome.committed = world.committed();
  } catch (const std::exception& broken) {
    outcome.broken = broken.what();
    if (options.verbose) {
      std::printf("%12.6f  BROKEN %s\n", static_cast<double>(world.now().count()) / 1e9,
                  broken.what());
    }
  }
  outcome.hash = world.report().hash();
  outcome.steps = world.steps();
  for (std::size_t i = 0; i < outcome.counts.size(); ++i) {
    outcome.counts[i] = world.report().count(static_cast<Sometimes>(i));
  }
  return outcome;
}

/// The first seed that finds the planted bug; nothing when none did.
bool find_lie(const Arguments& arguments, Lie lie) {
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    const Outcome outcome = run({.seed = seed, .lie = lie});
    if (outcome.broken.empty()) continue;
    std::printf("%-18s found by seed %llu: %s\n", std::string(name_of(lie)).c_str(),
                static_cast<unsigned long long>(seed), outcome.broken.c_str());
    return true;
  }
  std::printf("%-18s NOT FOUND in %llu seeds\n", std::string(name_of(lie)).c_str(),
              static_cast<unsigned long long>(arguments.seeds));
  return false;
}

int run_seeds(const Arguments& arguments) {
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t steps = 0;
  std::uint64_t committed = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Sometimes::count_)> counts{};
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    Outcome outcome = run({.seed = seed});
    if (outcome.broken.empty() && seed % 100 == 0) {
      const Outcome again = run({.seed = seed});
      if (again.hash != outcome.hash) outcome.broken = "two runs of this seed differ";
    }
    if (!outcome.broken.empty()) {
      std::printf("seed %llu: %s\nreplay: parley_simulation --seed %llu\n",
                  static_cast<unsigned long long>(seed), outcome.broken.c_str(),
                  static_cast<unsigned long long>(seed));
      return 1;
    }
    steps += outcome.steps;
    committed += outcome.committed;
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += outcome.counts[i];
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%llu seeds from %llu held: %llu events committed, %llu steps, %.1f s\n",
              static_cast<unsigned long long>(arguments.seeds),
              static_cast<unsigned long long>(arguments.first),
              static_cast<unsigned long long>(committed), static_cast<unsigned long long>(steps),
              seconds);
  bool all = true;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto name = std::string(name_of(static_cast<Sometimes>(i)));
    if (arguments.counts) {
      std::printf("  %-26s %llu\n", name.c_str(), static_cast<unsigned long long>(counts[i]));
    } else if (counts[i] == 0) {
      std::printf("  never reached: %s\n", name.c_str());
      all = false;
    }
  }
  // A campaign that never meets a situation proves nothing about it; a short run may miss some.
  return all || arguments.seeds < seeds_that_reach_all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const char* seeds = std::getenv("PARLEY_SEEDS"))
    arguments.seeds = std::strtoull(seeds, nullptr, 10);
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> const char* { return i + 1 < argc ? argv[++i] : nullptr; };
    if (name == "--lies") {
      arguments.lies = true;
    } else if (name == "--counts") {
      arguments.counts = true;
    } else if (const char* text = value(); text == nullptr) {
      return usage();
    } else if (name == "--seeds") {
      arguments.seeds = std::strtoull(text, nullptr, 10);
    } else if (name == "--first") {
      arguments.first = std::strtoull(text, nullptr, 10);
    } else if (name == "--seed") {
      arguments.only = std::strtoull(text, nullptr, 10);
    } else if (const auto lie = lie_named(text); name == "--lie" && lie) {
      arguments.lie = *lie;
    } else {
      return usage();
    }
  }
  if (arguments.only) {
    const Outcome outcome = run({.seed = *arguments.only, .verbose = true, .lie = arguments.lie});
    return outcome.broken.empty() == (arguments.lie == Lie::none) ? 0 : 1;
  }
  if (arguments.lies) {
    bool all = true;
    for (const auto& entry : lie_names) {
      if (entry.lie != Lie::none && !find_lie(arguments, entry.lie)) all = false;
    }
    return all ? 0 : 1;
  }
  if (arguments.lie != Lie::none) return find_lie(arguments, arguments.lie) ? 0 : 1;
  return run_seeds(arguments);
}
