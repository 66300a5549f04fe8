// wire/json_archive.hpp: one writer and one reader with the same calls, so that each message lists
// its fields once.
#pragma once
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/ids.hpp"
#include "parley/message.hpp"
#include "parley/payload.hpp"
#include "parley/result.hpp"
#include "parley/settings.hpp"
#include "parley/user.hpp"
#include "wire/json.hpp"
#include "wire/record.hpp"

namespace parley::wire {

/// A message as its `fields` take it: const for the writer.
template <class A, class T>
using In = typename A::template Ref<T>;

inline constexpr std::uint64_t json_max_number = (std::uint64_t{1} << 53) - 1;

/// A 64-bit number written as a string of digits.
template <class T>
struct Text64 {
  T& value;
  bool operator==(std::uint64_t other) const noexcept { return value == other; }
};
template <class T>
Text64(T&) -> Text64<T>;
/// A list of them.
template <class T>
struct Texts64 {
  T& value;
  template <class Absent>
  bool operator==(const Absent&) const noexcept {
    return value.empty();
  }
};
template <class T>
Texts64(T&) -> Texts64<T>;
/// Bytes without a meaning for the client, written as base64.
template <class T>
struct Opaque {
  T& value;
  bool operator==(std::string_view other) const noexcept { return value == other; }
  bool operator==(std::nullopt_t) const noexcept { return value == std::nullopt; }
};
template <class T>
Opaque(T&) -> Opaque<T>;
/// The same, given back: a string that is none of ours is kept as it is, and found to be unknown.
template <class T>
struct GivenBack {
  T& value;
  bool operator==(std::string_view other) const noexcept { return value == other; }
};
template <class T>
GivenBack(T&) -> GivenBack<T>;
/// A list of records, written as events.
template <class T>
struct Records {
  T& value;
};
template <class T>
Records(T&) -> Records<T>;
/// One record, written as an event; absent when it is empty.
template <class T>
struct OneRecord {
  T& value;
  bool operator==(std::nullptr_t) const noexcept { return value.empty(); }
};
template <class T>
OneRecord(T&) -> OneRecord<T>;

/// What an absent list is.
struct None {
  template <class T>
  friend bool operator==(const std::vector<T>& list, None) noexcept {
    return list.empty();
  }
};

/// The name of an enumerator, empty when there is none, and the way back.
std::string_view json_name(ConversationKind kind) noexcept;
std::string_view json_name(Role role) noexcept;
std::string_view json_name(Level level) noexcept;
std::string_view json_name(Resume answer) noexcept;
std::string_view json_name(EventKind kind) noexcept;
std::string_view json_name(JoinRule rule) noexcept;
std::string_view json_name(RestrictionKind kind) noexcept;
std::string_view json_name(JoinRequestState state) noexcept;
std::string_view json_name(MentionScope scope) noexcept;
std::string_view json_name(PresenceState state) noexcept;
std::string_view json_name(PresenceStep step) noexcept;

/// Writes fields; never fails.
class JsonWriter {
 public:
  template <class T>
  using Ref = const T&;
  static constexpr bool reads = false;

  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin() { open('{'); }
  void end() { close('}'); }
  template <class T>
  void must(std::string_view name, const T& value) {
    key(name);
    put(value);
  }
  template <class T, class D>
  void may(std::string_view name, const T& value, const D& absent) {
    if (!(value == absent)) must(name, value);
  }
  /// The body as text or base64; with `always` also when it is empty.
  void body(std::string_view content_type, std::string_view body, bool always);
  void body(std::string_view content_type, const Payload& payload, bool always) {
    body(content_type, payload.bytes(), always);
  }
  void type(std::string_view type, std::uint32_t request);

 private:
  void open(char c) {
    out_.push_back(c);
    first_ = true;
  }
  void close(char c) {
    out_.push_back(c);
    first_ = false;
  }
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void key(std::string_view name) {
    comma();
    out_.push_back('"');
    out_ += name;
    out_ += "\":";
  }
  void digits(std::uint64_t value) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out_.append(text, end);
  }
  void quoted_digits(std::uint64_t value) {
    out_.push_back('"');
    digits(value);
    out_.push_back('"');
  }

  void put(bool value) { out_ += value ? "true" : "false"; }
  void put(std::uint8_t value) { digits(value); }
  void put(std::uint16_t value) { digits(value); }
  void put(std::uint32_t value) { digits(value); }
  void put(std::uint64_t value) { digits(value); }
  void put(std::int64_t value) {
    if (value < 0) out_.push_back('-');
    digits(value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
  }
  void put(std::chrono::milliseconds span) { put(static_cast<std::int64_t>(span.count())); }
  void put(WallTime time) { put(static_cast<std::int64_t>(time.time_since_epoch().count())); }
  void put(std::chrono::seconds span) { put(static_cast<std::int64_t>(span.count())); }
  void put(std::string_view text) { append_json_string(out_, text); }
  void put(const std::string& text) { append_json_string(out_, text); }
  template <class Tag>
  void put(Id64<Tag> id) {
    quoted_digits(id.value);
  }
  template <class Tag>
  void put(const Id128<Tag>& id) {
    put_id128(id.view());
  }
  void put(Text64<const std::uint64_t> value) { quoted_digits(value.value); }
  void put(Texts64<const std::vector<std::uint64_t>> values) {
    open('[');
    for (const std::uint64_t value : values.value) {
      comma();
      quoted_digits(value);
    }
    close(']');
  }
  void put_base64(std::string_view bytes);
  void put(Opaque<const std::string> value) { put_base64(value.value); }
  void put(GivenBack<const std::string> value) { put_base64(value.value); }
  template <class Text>
  void put(Opaque<const std::optional<Text>> value) {
    put_base64(*value.value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void put(E value) {
    const std::string_view name = json_name(value);
    if (name.empty()) {
      digits(static_cast<std::uint64_t>(value));
    } else {
      put(name);
    }
  }
  template <class T>
  void put(const std::vector<T>& values) {
    open('[');
    for (const T& value : values) {
      comma();
      put(value);
    }
    close(']');
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(*value);  // an empty one was left out by may()
  }
  void put(Records<const std::vector<Payload>> records);
  void put(OneRecord<const Payload> record);
  template <class T>
  requires(std::is_class_v<T>) void put(const T& value) {
    begin();
    fields(*this, value);
    end();
  }
  void put_id128(std::string_view bytes);

  std::string& out_;
  bool first_ = true;
};

/// Reads fields of a parsed document; after the first problem every call does nothing.
class JsonReader {
 public:
  template <class T>
  using Ref = T&;
  static constexpr bool reads = true;

  JsonReader(const JsonDocument& document, std::uint32_t object)
      : document_(document), at_(object) {}

  [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
  [[nodiscard]] Error error() const { return {Errc::protocol_error, problem_}; }
  /// Names the message in problems.
  void within(std::string_view name) { path_.push_back({name, 0}); }
  /// True when the field is there and is a number.
  [[nodiscard]] bool is_number(std::string_view name) const noexcept {
    const auto found = document_.find(at_, name);
    return found && document_.at(*found).type == JsonNode::Type::number;
  }
  /// For rules beyond the type of a field.
  void require(bool holds, std::string_view name, std::string_view expected) {
    if (!holds) fail(name, expected);
  }

  template <class T>
  void must(std::string_view name, T&& value) {
    if (!read(name, value)) fail(name, "the field to be there");
  }
  template <class T, class D>
  void may(std::string_view name, T&& value, const D&) {  // an absent field leaves its default
    read(name, value);
  }
  void body(std::string_view content_type, std::string_view& body, bool always);
  void body(std::string_view content_type, Payload& body, bool always);
  void body(std::string_view content_type, std::string& body, bool always);

 private:
  struct Segment {
    std::string_view name;
    std::uint32_t index;  // counts when the name is empty
  };
  void fail(std::string_view name, std::string_view expected);

  // True when the field is there (whether or not it could be read). null counts as absent.
  template <class T>
  bool read(std::string_view name, T& value) {
    if (!ok()) return true;
    const auto found = document_.find(at_, name);
    if (!found || document_.at(*found).type == JsonNode::Type::null) return false;
    path_.push_back({name, 0});
    get(*found, value);
    path_.pop_back();
    return true;
  }
  void wrong(std::string_view expected) { fail({}, expected); }
  [[nodiscard]] const JsonNode& node(std::uint32_t at, JsonNode::Type type,
                                     std::string_view expected) {
    const JsonNode& node = document_.at(at);
    if (node.type != type) wrong(expected);
    return node;
  }

  void get(std::uint32_t at, bool& value);
  std::uint64_t number(std::uint32_t at, std::uint64_t max);
  template <class T>
  requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>) void get(std::uint32_t at, T& value) {
    constexpr std::uint64_t most = static_cast<T>(-1);
    value = static_cast<T>(number(at, most < json_max_number ? most : json_max_number));
  }
  void get(std::uint32_t at, std::int64_t& value);
  void get(std::uint32_t at, std::chrono::milliseconds& value) {
    std::int64_t count = 0;
    get(at, count);
    value = std::chrono::milliseconds(count);
  }
  void get(std::uint32_t at, WallTime& value);
  void get(std::uint32_t at, std::string& value);
  void get(std::uint32_t at, std::string_view& value);
  std::uint64_t digits(std::uint32_t at);
  template <class Tag>
  void get(std::uint32_t at, Id64<Tag>& id) {
    id.value = digits(at);
  }
  template <class Tag>
  void get(std::uint32_t at, Id128<Tag>& id) {
    id128(at, id.bytes.data());
  }
  void id128(std::uint32_t at, std::uint8_t* bytes);
  void get(std::uint32_t at, Text64<std::uint64_t>& value) { value.value = digits(at); }
  void get(std::uint32_t at, Texts64<std::vector<std::uint64_t>>& values) {
    each(at, [&](std::uint32_t item) { values.value.push_back(digits(item)); });
  }
  void get(std::uint32_t at, std::chrono::seconds& span);
  void get(std::uint32_t at, Opaque<std::string>& value);
  void get(std::uint32_t at, GivenBack<std::string>& value);
  void get(std::uint32_t at, Opaque<std::optional<std::string>>& value) {
    Opaque<std::string> bytes{value.value.emplace()};
    get(at, bytes);
  }
  void get(std::uint32_t at, Opaque<std::optional<std::string_view>>& value) {
    Opaque<std::string> bytes{metadata_};
    get(at, bytes);
    value.value = metadata_;
  }
  void get(std::uint32_t at, ConversationKind& kind);
  void get(std::uint32_t at, Role& role);
  void get(std::uint32_t at, Level& level);
  void get(std::uint32_t at, Resume& answer);
  void get(std::uint32_t at, EventKind& kind);
  void get(std::uint32_t at, JoinRule& rule);
  void get(std::uint32_t at, RestrictionKind& kind);
  void get(std::uint32_t at, JoinRequestState& state);
  void get(std::uint32_t at, MentionScope& scope);
  void get(std::uint32_t at, PresenceState& state);
  void get(std::uint32_t at, PresenceStep& step);
  template <class T>
  void get(std::uint32_t at, std::vector<T>& values) {
    each(at, [&](std::uint32_t item) { get(item, values.emplace_back()); });
  }
  template <class T>
  void get(std::uint32_t at, std::optional<T>& value) {
    get(at, value.emplace());
  }
  void get(std::uint32_t at, Records<std::vector<Payload>>& records);
  void get(std::uint32_t at, OneRecord<Payload>& record);
  template <class T>
  requires(std::is_class_v<T>) void get(std::uint32_t at, T& value) {
    const std::uint32_t outer = at_;
    static_cast<void>(node(at, JsonNode::Type::object, "an object"));
    at_ = at;
    if (ok()) fields(*this, value);
    at_ = outer;
  }
  template <class F>
  void each(std::uint32_t at, const F& item) {
    const JsonNode& array = node(at, JsonNode::Type::array, "an array");
    std::uint32_t child = at + 1;
    for (std::uint32_t i = 0; ok() && i < array.count; ++i) {
      path_.push_back({{}, i});
      item(child);
      path_.pop_back();
      child = document_.at(child).end;
    }
  }
  /// The body of the object read now, empty when there is none; a view into the document or into
  /// decoded_.
  std::string_view body_bytes();

  const JsonDocument& document_;
  std::uint32_t at_;
  std::vector<Segment> path_;
  std::string problem_;
  std::string decoded_;   // base64, until the next one
  std::string metadata_;  // of settings read as views, until the next ones
};

}  // namespace parley::wire
