// wire/json.hpp: a strict JSON reader (RFC 8259, linear, bounded) into one flat array, and text
// writing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/result.hpp"

namespace parley::wire {

/// One value of a document. Containers are followed by their children; `end` is the index after the
/// last of them, so that a value is skipped in one step.
struct JsonNode {
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };
  std::string_view text;  // string: unescaped; number: as written; boolean: "true" or "false"
  std::uint32_t end = 0;  // index after this value and its children
  std::uint32_t count =
      0;  // array: values; object: keys (each key is a string node before its value)
  Type type = Type::null;
};

/// One parsed value and its text. Views point into the input or into the document.
class JsonDocument {
 public:
  /// Parses exactly one value with optional white space around it, nested and with keys within
  /// limits.hpp. The input must stay alive.
  /// Fails with Errc::protocol_error: what is wrong and at which byte.
  Result<void> parse(std::string_view text);
  [[nodiscard]] const JsonNode& at(std::uint32_t index) const noexcept { return nodes_[index]; }
  /// Index of the value of `key` in the object at `object`.
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t object,
                                                  std::string_view key) const noexcept;

 private:
  friend class JsonParser;
  std::vector<JsonNode> nodes_;
  std::string arena_;  // unescaped strings; reserved in full before parsing, so views stay valid
};

/// Appends `text` in quotes; bytes that are not UTF-8 become U+FFFD, so the output is always valid.
void append_json_string(std::string& out, std::string_view text);

}  // namespace parley::wire
