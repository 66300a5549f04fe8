// host_words.hpp: what the host's program says of a message before it is stored: by its words
// alone, so that it says the same of every attempt, and the checker knows it too.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/hooks.hpp"
#include "parley/result.hpp"
#include "wire/record.hpp"

namespace parley::simulation {

/// Whether the host looks at messages, and when it answers. The same for all lives of an engine.
enum class HostLooks : std::uint8_t { never, at_once, later, twice };

enum class Word : std::uint8_t {
  as_it_is,
  refused,    // with words of the host's own
  rewritten,  // another first letter, which nobody writes
  noted,      // with a header
  grouped,    // for the first of the host's groups alone
};

inline constexpr int refusal_code = 1042;
inline constexpr std::string_view refusal_text = "not in this house";

Word word_on(std::string_view body);
/// How the body is stored, if it is.
std::string as_stored(std::string_view body);

/// The hook.
Result<void> look_at(IncomingMessage& message);

/// Whether the host let a message, or an edit, be stored as it is: else what is wrong with it. Of
/// one that was not changed since.
std::string unlike_host(const wire::RecordFields& fields);

}  // namespace parley::simulation
