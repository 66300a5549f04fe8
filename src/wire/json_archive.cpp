// json_archive.cpp: names of enumerators, bodies, records and the reading of single values.
#include "wire/json_archive.hpp"

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/utf8.hpp"
#include "wire/json_fields.hpp"

namespace parley::wire {
namespace {

template <class E>
struct Named {
  E value;
  std::string_view name;
};
template <class E>
Named(E, std::string_view) -> Named<E>;  // clang 14 deduces no aggregates

constexpr std::array kinds{
    Named{ConversationKind::direct, "direct"},
    Named{ConversationKind::group, "group"},
    Named{ConversationKind::channel, "channel"},
    Named{ConversationKind::space, "space"},
};
constexpr std::array roles{
    Named{Role::none, "none"},     Named{Role::read_only, "read_only"},
    Named{Role::member, "member"}, Named{Role::moderator, "moderator"},
    Named{Role::admin, "admin"},   Named{Role::owner, "owner"},
};
constexpr std::array levels{
    Named{Level::none, "none"},
    Named{Level::heads, "heads"},
    Named{Level::full, "full"},
};
constexpr std::array join_rules{
    Named{JoinRule::added, "added"},
    Named{JoinRule::open, "open"},
    Named{JoinRule::by_request, "by_request"},
};
constexpr std::array restrictions{
    Named{RestrictionKind::mute, "mute"},
    Named{RestrictionKind::ban, "ban"},
};
constexpr std::array request_states{
    Named{JoinRequestState::waiting, "waiting"},
    Named{JoinRequestState::approved, "approved"},
    Named{JoinRequestState::denied, "denied"},
    Named{JoinRequestState::withdrawn, "withdrawn"},
};
constexpr std::array answers{
    Named{Resume::caught_up, "caught_up"},   Named{Resume::range, "range"},
    Named{Resume::snapshot, "snapshot"},     Named{Resume::trimmed, "trimmed"},
    Named{Resume::forked, "forked"},         Named{Resume::ahead, "ahead"},
    Named{Resume::not_member, "not_member"}, Named{Resume::denied, "denied"},
};
constexpr std::array scopes{
    Named{MentionScope::none, "none"},
    Named{MentionScope::here, "here"},
    Named{MentionScope::all, "all"},
};
constexpr std::array event_kinds{
    Named{EventKind::created, "created"},
    Named{EventKind::message, "message"},
    Named{EventKind::joined, "joined"},
    Named{EventKind::left, "left"},
    Named{EventKind::added, "added"},
    Named{EventKind::removed, "removed"},
    Named{EventKind::role_changed, "role_changed"},
    Named{EventKind::settings_changed, "settings_changed"},
    Named{EventKind::edited, "edited"},
    Named{EventKind::deleted, "deleted"},
    Named{EventKind::reactions, "reactions"},
    Named{EventKind::pinned, "pinned"},
    Named{EventKind::unpinned, "unpinned"},
    Named{EventKind::hidden, "hidden"},
    Named{EventKind::visibility_changed, "visibility_changed"},
    Named{EventKind::banned, "banned"},
    Named{EventKind::unbanned, "unbanned"},
    Named{EventKind::muted, "muted"},
    Named{EventKind::unmuted, "unmuted"},
    Named{EventKind::join_requested, "join_requested"},
    Named{EventKind::join_approved, "join_approved"},
    Named{EventKind::join_denied, "join_denied"},
    Named{EventKind::join_withdrawn, "join_withdrawn"},
    Named{EventKind::child_opened, "child_opened"},
    Named{EventKind::child_closed, "child_closed"},
    Named{EventKind::own_request, "own_request"},
    Named{EventKind::blocks_changed, "blocks_changed"},
    Named{EventKind::ended, "ended"},
    Named{EventKind::list_entered, "list_entered"},
    Named{EventKind::list_left, "list_left"},
    Named{EventKind::list_set, "list_set"},
    Named{EventKind::scheduled, "scheduled"},
    Named{EventKind::devices_changed, "devices_changed"},
    Named{EventKind::settings_set, "settings_set"},
};
constexpr std::array presence_states{
    Named{PresenceState::offline, "offline"},     Named{PresenceState::online, "online"},
    Named{PresenceState::away, "away"},           Named{PresenceState::busy, "busy"},
    Named{PresenceState::invisible, "invisible"},
};
constexpr std::array presence_steps{
    Named{PresenceStep::none, "none"},
    Named{PresenceStep::full, "full"},
    Named{PresenceStep::window, "window"},
    Named{PresenceStep::count, "count"},
};

template <class E, std::size_t n>
std::string_view name_in(const std::array<Named<E>, n>& table, E value) noexcept {
  for (const auto& entry : table) {
    if (entry.value == value) return entry.name;
  }
  return {};
}
template <class E, std::size_t n>
const E* value_in(const std::array<Named<E>, n>& table, std::string_view name) noexcept {
  for (const auto& entry : table) {
    if (entry.name == name) return &entry.value;
  }
  return nullptr;
}

bool is_text(std::string_view content_type) noexcept {
  return content_type.empty() || content_type.starts_with("text/");
}

}  // namespace

std::string_view json_name(ConversationKind kind) noexcept { return name_in(kinds, kind); }
std::string_view json_name(Role role) noexcept { return name_in(roles, role); }
std::string_view json_name(Level level) noexcept { return name_in(levels, level); }
std::string_view json_name(Resume answer) noexcept { return name_in(answers, answer); }
std::string_view json_name(JoinRule rule) noexcept { return name_in(join_rules, rule); }
std::string_view json_name(RestrictionKind kind) noexcept { return name_in(restrictions, kind); }
std::string_view json_name(JoinRequestState state) noexcept {
  return name_in(request_states, state);
}
std::string_view json_name(EventKind kind) noexcept { return name_in(event_kinds, kind); }
std::string_view json_name(MentionScope scope) noexcept { return name_in(scopes, scope); }
std::string_view json_name(PresenceState state) noexcept { return name_in(presence_states, state); }
std::string_view json_name(PresenceStep step) noexcept { return name_in(presence_steps, step); }

// ---- Writing. ----

void JsonWriter::type(std::string_view type, std::uint32_t request) {
  must("type", type);
  may("request", request, 0U);
}
void JsonWriter::body(std::string_view content_type, std::string_view body, bool always) {
  if (body.empty() && !always) return;
  if (is_text(content_type) && base::valid_utf8(body)) {
    must("text", body);
  } else {
    must("base64", base::base64_encode(body));
  }
}
void JsonWriter::put_base64(std::string_view bytes) {
  out_.push_back('"');
  out_ += base::base64_encode(bytes);
  out_.push_back('"');
}
void JsonWriter::put_id128(std::string_view bytes) {
  out_.push_back('"');
  out_ += base::to_hex(bytes);
  out_.push_back('"');
}
void JsonWriter::put(OneRecord<const Payload> record) { put(read_record(record.value.bytes())); }
void JsonWriter::put(Records<const std::vector<Payload>> records) {
  open('[');
  for (const Payload& record : records.value) {
    comma();
    put(read_record(record.bytes()));
  }
  close(']');
}

// ---- Reading. ----

void JsonReader::fail(std::string_view name, std::string_view expected) {
  if (!ok()) return;
  for (const Segment& segment : path_) {
    if (segment.name.empty()) {
      problem_ += '[' + std::to_string(segment.index) + ']';
    } else {
      if (!problem_.empty()) problem_ += '.';
      problem_ += segment.name;
    }
  }
  if (!name.empty()) {
    if (!problem_.empty()) problem_ += '.';
    problem_ += name;
  }
  problem_ += ": expected ";
  problem_ += expected;
}

void JsonReader::get(std::uint32_t at, bool& value) {
  value = node(at, JsonNode::Type::boolean, "true or false").text == "true";
}
std::uint64_t JsonReader::number(std::uint32_t at, std::uint64_t max) {
  const JsonNode& found = node(at, JsonNode::Type::number, "a whole number");
  std::uint64_t value = 0;
  const char* end = found.text.data() + found.text.size();
  const auto [stop, problem] = std::from_chars(found.text.data(), end, value);
  if (problem != std::errc() || stop != end || value > max) {
    wrong("a whole number from 0 to " + std::to_string(max));
    return 0;
  }
  return value;
}
void JsonReader::get(std::uint32_t at, std::int64_t& value) {
  const JsonNode& found = node(at, JsonNode::Type::number, "a whole number");
  const char* end = found.text.data() + found.text.size();
  const auto [stop, problem] = std::from_chars(found.text.data(), end, value);
  constexpr auto most = static_cast<std::int64_t>(json_max_number);
  if (problem != std::errc() || stop != end || value > most || value < -most) {
    wrong("a whole number");
  }
}
void JsonReader::get(std::uint32_t at, WallTime& value) {
  std::int64_t ms = 0;
  get(at, ms);
  value = WallTime(std::chrono::milliseconds(ms));
}
void JsonReader::get(std::uint32_t at, std::chrono::seconds& span) {
  span = std::chrono::seconds(number(at, UINT32_MAX));
}
void JsonReader::get(std::uint32_t at, std::string_view& value) {
  value = node(at, JsonNode::Type::string, "a string").text;
}
void JsonReader::get(std::uint32_t at, std::string& value) {
  value = node(at, JsonNode::Type::string, "a string").text;
}
std::uint64_t JsonReader::digits(std::uint32_t at) {
  const JsonNode& found = document_.at(at);
  std::uint64_t value = 0;
  const char* end = found.text.data() + found.text.size();
  const auto [stop, problem] = std::from_chars(found.text.data(), end, value);
  const bool typed = found.type == JsonNode::Type::string || found.type == JsonNode::Type::number;
  if (!typed || problem != std::errc() || stop != end) {
    wrong("a string of decimal digits, 64 bits");
  }
  return value;
}
void JsonReader::id128(std::uint32_t at, std::uint8_t* bytes) {
  const JsonNode& found = document_.at(at);
  if (found.type != JsonNode::Type::string || !base::from_hex(found.text, bytes, 16)) {
    wrong("a string of 32 lower-case hex digits");
  }
}
void JsonReader::get(std::uint32_t at, Opaque<std::string>& value) {
  const JsonNode& found = document_.at(at);
  auto decoded = base::base64_decode(found.text);
  if (found.type != JsonNode::Type::string || !decoded) {
    wrong("the string as it was given");
  } else {
    value.value = std::move(*decoded);
  }
}
void JsonReader::get(std::uint32_t at, GivenBack<std::string>& value) {
  const JsonNode& found = document_.at(at);
  if (found.type != JsonNode::Type::string) return wrong("the string as it was given");
  auto decoded = base::base64_decode(found.text);
  value.value = decoded ? std::move(*decoded) : std::string(found.text);
}

void JsonReader::get(std::uint32_t at, ConversationKind& kind) {
  const auto* value = value_in(kinds, document_.at(at).text);
  if (value == nullptr) return wrong("direct, group or channel");
  kind = *value;
}
void JsonReader::get(std::uint32_t at, Level& level) {
  const auto* value = value_in(levels, document_.at(at).text);
  if (value == nullptr) return wrong("none, heads or full");
  level = *value;
}
void JsonReader::get(std::uint32_t at, MentionScope& scope) {
  const auto* value = value_in(scopes, document_.at(at).text);
  if (value == nullptr) return wrong("none, here or all");
  scope = *value;
}
void JsonReader::get(std::uint32_t at, PresenceState& state) {
  const auto* value = value_in(presence_states, document_.at(at).text);
  if (value == nullptr) return wrong("offline, online, away, busy or invisible");
  state = *value;
}
void JsonReader::get(std::uint32_t at, PresenceStep& step) {
  const auto* value = value_in(presence_steps, document_.at(at).text);
  if (value == nullptr) return wrong("none, full, window or count");
  step = *value;
}
void JsonReader::get(std::uint32_t at, Resume& answer) {
  const auto* value = value_in(answers, document_.at(at).text);
  if (value == nullptr) return wrong("a resume answer");
  answer = *value;
}
void JsonReader::get(std::uint32_t at, Role& role) {
  const JsonNode& found = document_.at(at);
  if (found.type == JsonNode::Type::number) {
    role = static_cast<Role>(number(at, 255));
    return;
  }
  const auto* value = value_in(roles, found.text);
  if (value == nullptr) return wrong("none, member, admin, owner or a number");
  role = *value;
}
void JsonReader::get(std::uint32_t at, EventKind& kind) {
  const JsonNode& found = document_.at(at);
  if (found.type == JsonNode::Type::number) {
    kind = static_cast<EventKind>(number(at, 255));
    return;
  }
  const auto* value = value_in(event_kinds, found.text);
  if (value == nullptr) return wrong("the name of an event kind or a number");
  kind = *value;
}

void JsonReader::get(std::uint32_t at, JoinRule& rule) {
  const JsonNode& found = document_.at(at);
  if (found.type == JsonNode::Type::number) {
    rule = static_cast<JoinRule>(number(at, 255));
    return;
  }
  const auto* value = value_in(join_rules, found.text);
  if (value == nullptr) return wrong("added, open, by_request or a number");
  rule = *value;
}
void JsonReader::get(std::uint32_t at, JoinRequestState& state) {
  const auto* value = value_in(request_states, document_.at(at).text);
  if (value == nullptr) return wrong("the name of a state");
  state = *value;
}
void JsonReader::get(std::uint32_t at, RestrictionKind& kind) {
  const auto* value = value_in(restrictions, document_.at(at).text);
  if (value == nullptr) return wrong("mute or ban");
  kind = *value;
}

std::string_view JsonReader::body_bytes() {
  std::string_view text;
  std::string_view encoded;
  const bool is_text = read("text", text);
  const bool is_base64 = read("base64", encoded);
  if (!ok() || !is_base64) return text;
  if (is_text) {
    fail("base64", "not to be beside text");
    return {};
  }
  auto decoded = base::base64_decode(encoded);
  if (!decoded) {
    fail("base64", "padded base64 of the standard alphabet");
    return {};
  }
  decoded_ = std::move(*decoded);
  return decoded_;
}
void JsonReader::body(std::string_view, std::string_view& body, bool) { body = body_bytes(); }
void JsonReader::body(std::string_view, Payload& body, bool) {
  const std::string_view bytes = body_bytes();
  if (!bytes.empty()) body = Payload::copy_of(bytes);
}
void JsonReader::body(std::string_view, std::string& body, bool) { body = body_bytes(); }

void JsonReader::get(std::uint32_t at, OneRecord<Payload>& record) {
  RecordFields read;
  get(at, read);
  if (ok()) record.value = build_record(read);
}
void JsonReader::get(std::uint32_t at, Records<std::vector<Payload>>& records) {
  each(at, [&](std::uint32_t item) {
    RecordFields read;
    get(item, read);
    if (ok()) records.value.push_back(build_record(read));
  });
}

}  // namespace parley::wire
