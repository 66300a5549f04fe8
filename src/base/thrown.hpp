// thrown.hpp: what host code let out, in words for the log.
#pragma once
#include <exception>
#include <string>

namespace parley::base {

/// The text of the exception that is being handled. Inside a catch block only.
inline std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace parley::base
