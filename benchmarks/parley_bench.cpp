// parley_bench: runs named scenarios in interleaved rounds; prints a table of medians, and all
// figures as JSON.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bench.hpp"

namespace {

using namespace parley::bench;

int usage() {
  std::printf(
      "parley_bench [--rounds N] [--scale X] [--data DIR] [--json FILE] [scenario ...]\n\n");
  for (const Scenario& scenario : scenarios()) {
    std::printf("  %-18s %s\n", scenario.name.c_str(), scenario.description.c_str());
  }
  std::printf(
      "\nFigures are medians over the rounds; contestants of a scenario are interleaved.\n"
      "Compare the ratios of one run: absolute figures drift with the machine.\n");
  return 2;
}

/// Every figure of a scenario: contestant -> metric -> one value a round.
struct Collected {
  std::vector<std::string> contestants;
  std::map<std::string, std::vector<std::pair<std::string, std::vector<double>>>> values;

  void add(const Figures& figures) {
    if (!values.contains(figures.contestant)) contestants.push_back(figures.contestant);
    auto& metrics = values[figures.contestant];
    for (const auto& [name, value] : figures.values) {
      auto it = std::find_if(metrics.begin(), metrics.end(),
                             [&](const auto& metric) { return metric.first == name; });
      if (it == metrics.end()) it = metrics.insert(metrics.end(), {name, {}});
      it->second.push_back(value);
    }
  }
};

void print(const Scenario& scenario, Collected& collected) {
  std::printf("\n%s: %s\n", scenario.name.c_str(), scenario.description.c_str());
  for (const std::string& contestant : collected.contestants) {
    for (auto& [metric, values] : collected.values[contestant]) {
      std::vector<double> sorted = values;
      const double median = percentile(sorted, 0.5);
      std::printf("  %-26s %-28s %14.3f   (%.3f .. %.3f)\n", contestant.c_str(), metric.c_str(),
                  median, sorted.front(), sorted.back());
    }
  }
  std::fflush(stdout);
}

void write_json(std::FILE* out, const Scenario& scenario, const Collected& collected, bool first) {
  std::fprintf(out, "%s\n  {\"scenario\": \"%s\", \"contestants\": {", first ? "" : ",",
               scenario.name.c_str());
  const char* separator = "";
  for (const auto& [contestant, metrics] : collected.values) {
    std::fprintf(out, "%s\n    \"%s\": {", separator, contestant.c_str());
    separator = ",";
    const char* inner = "";
    for (const auto& [metric, values] : metrics) {
      std::fprintf(out, "%s\"%s\": [", inner, metric.c_str());
      inner = ", ";
      for (std::size_t i = 0; i < values.size(); ++i) {
        std::fprintf(out, "%s%.6g", i == 0 ? "" : ", ", values[i]);
      }
      std::fprintf(out, "]");
    }
    std::fprintf(out, "}");
  }
  std::fprintf(out, "}}");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  settings.data = std::filesystem::temp_directory_path() / "parley_bench";
  std::string json;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool value = i + 1 < argc;
    if (word == "--rounds" && value)
      settings.rounds = std::max(1, std::atoi(argv[++i]));
    else if (word == "--scale" && value)
      settings.scale = std::atof(argv[++i]);
    else if (word == "--data" && value)
      settings.data = argv[++i];
    else if (word == "--json" && value)
      json = argv[++i];
    else if (word.rfind("--", 0) == 0)
      return usage();
    else
      wanted.push_back(word);
  }
  for (const std::string& name : wanted) {
    const bool known = std::any_of(scenarios().begin(), scenarios().end(),
                                   [&](const Scenario& scenario) { return scenario.name == name; });
    if (!known) return usage();
  }
  std::FILE* out = json.empty() ? nullptr : std::fopen(json.c_str(), "w");
  if (out != nullptr) std::fprintf(out, "[");
  bool first = true;
  for (const Scenario& scenario : scenarios()) {
    const bool chosen =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), scenario.name) != wanted.end();
    if (!chosen) continue;
    Collected collected;
    for (int round = 0; round < settings.rounds; ++round) {
      for (const Figures& figures : scenario.round(settings)) collected.add(figures);
    }
    print(scenario, collected);
    if (out != nullptr) write_json(out, scenario, collected, std::exchange(first, false));
  }
  if (out != nullptr) {
    std::fprintf(out, "\n]\n");
    std::fclose(out);
  }
  return 0;
}
