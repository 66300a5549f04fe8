// host_words.cpp: see the header.
#include "simulation/host_words.hpp"

#include <algorithm>

#include "base/crc32c.hpp"

namespace parley::simulation {
namespace {

constexpr std::string_view note = "seen-by";

bool is_noted(const std::vector<MessageHeader>& headers) {
  return std::any_of(headers.begin(), headers.end(),
                     [](const MessageHeader& header) { return header.name == note; });
}

Word drawn(std::string_view body) {
  switch (base::crc32c(0, body) % 32) {
    case 0:
      return Word::refused;
    case 1:
    case 2:
      return Word::rewritten;
    case 3:
      return Word::noted;
    case 4:
      return Word::grouped;
    default:
      return Word::as_it_is;
  }
}

}  // namespace

/// Devices write "m...", the host "h..."; what is written anew begins with a capital.
Word word_on(std::string_view body) {
  const bool looked_at = body.starts_with('m') || body.starts_with('h') || body.starts_with("edit");
  return looked_at ? drawn(body) : Word::as_it_is;
}

std::string as_stored(std::string_view body) {
  std::string text(body);
  if (word_on(body) == Word::rewritten) text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

Result<void> look_at(IncomingMessage& message) {
  switch (word_on(message.body)) {
    case Word::refused:
      return Error{static_cast<Errc>(refusal_code), std::string(refusal_text)};
    case Word::rewritten:
      message.body = as_stored(message.body);
      break;
    case Word::noted:
      if (message.edits == 0 && !is_noted(message.headers))
        message.headers.push_back({std::string(note), "host"});
      break;
    case Word::grouped:
      if (message.edits == 0) message.audience = audience::first_group;
      break;
    case Word::as_it_is:
      break;
  }
  return {};
}

std::string unlike_host(const wire::RecordFields& fields) {
  const bool content = fields.kind == EventKind::message || fields.kind == EventKind::edited;
  if (!content || fields.written_ms != 0 || fields.deleted || fields.changed != 0) return {};
  const Word word = word_on(fields.body);
  const bool fresh = fields.kind == EventKind::message;
  if (word == Word::refused) return "was refused by the host";
  if (word == Word::rewritten) return "is not as the host wrote it";
  if (word == Word::noted && fresh && !is_noted(fields.extras.headers))
    return "lacks what the host noted on it";
  const bool hidden =
      fields.audience == audience::first_group || fields.audience == audience::sender;
  if (word == Word::grouped && fresh && !hidden) return "is not for the host's group alone";
  const std::string_view body = fields.body;
  if (body.starts_with('M') || body.starts_with('H') || body.starts_with("Edit")) {
    std::string before(body);
    before[0] = static_cast<char>(before[0] - 'A' + 'a');
    if (drawn(before) != Word::rewritten) return "was written anew by nobody";
  }
  return {};
}

}  // namespace parley::simulation
