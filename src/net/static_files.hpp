// net/static_files.hpp: answers GET and HEAD from one directory, and never from outside it.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "net/http_head.hpp"
#include "parley/payload.hpp"

namespace parley::net {

/// Reads on the calling thread. Thread: any.
class StaticFiles {
 public:
  struct Response {
    std::string head;
    Payload body;
  };

  StaticFiles(std::string directory, std::size_t largest);
  [[nodiscard]] bool enabled() const noexcept { return !root_.empty(); }
  /// The directory is there.
  [[nodiscard]] bool usable() const;
  [[nodiscard]] Response answer(const HttpHead& head) const;

 private:
  std::string root_;  // resolved, without a slash at the end
  std::size_t largest_;
};

/// The path of a request target, decoded; "" when it is malformed or names something hidden.
std::string decode_path(std::string_view target);
std::string_view content_type(std::string_view name) noexcept;

}  // namespace parley::net
