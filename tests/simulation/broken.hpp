// simulation/broken.hpp: how the parts of the checker say what is broken, and where.
#pragma once
#include <string>

#include "simulation/report.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

[[noreturn]] inline void broken(const char* check, const std::string& what) {
  throw Broken(std::string(check) + " " + what);
}

/// Found by what looks at everything once all is quiet.
[[noreturn]] inline void broken_audit(const char* check, const std::string& what) {
  throw Broken(std::string(check) + " audit: " + what);
}

inline std::string at(const ConversationId& id, Seq seq) {
  return "conversation " + short_name(id) + " seq " + std::to_string(seq);
}

}  // namespace parley::simulation
