// simulation/broken.hpp: how the parts of the checker say what is broken, and where.
#pragma once
#include <string>

#include "simulation/report.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

[[noreturn]] inline void broken(const char* check, const std::string& what) {
  throw Broken(std::string(check) + " " + what);
}

inline std::string at(const ConversationId& id, Seq seq) {
  return "conversation " + short_name(id) + " seq " + std::to_string(seq);
}

}  // namespace parley::simulation
