// net/static_files.hpp: answers GET and HEAD from one directory, and never from outside it.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
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
  /// Whoever asks for a file while it is being sent to others shares their copy. Thread: any.
  [[nodiscard]] Response answer(const HttpHead& head) const;

 private:
  using Contents = std::shared_ptr<const std::string>;
  /// None: it cannot be read. `tag` tells one state of the file from another.
  [[nodiscard]] Contents contents(const std::string& file, const std::string& tag,
                                  std::size_t size) const;

  struct Sent {
    std::string tag;
    std::weak_ptr<const std::string> contents;
  };
  std::string root_;  // resolved, without a slash at the end
  std::size_t largest_;
  mutable std::mutex mutex_;                     // guards what follows
  mutable std::map<std::string, Sent> sending_;  // by path; those that are over leave with the next
};

/// The path of a request target, decoded; "" when it is malformed or names something hidden.
std::string decode_path(std::string_view target);
std::string_view content_type(std::string_view name) noexcept;

}  // namespace parley::net
