// parley/ids.hpp: the names of things. Distinct types, so that no two can be swapped; cheap to
// copy, hash and compare.
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace parley::inline v0 {

/// A 64-bit id of its own type; zero means none. Decimal as text (JSON carries ids as strings).
template <class Tag>
struct Id64 {
  std::uint64_t value = 0;
  explicit operator bool() const noexcept { return value != 0; }
  friend auto operator<=>(const Id64&, const Id64&) = default;
};

/// A 128-bit id of its own type; all zero means none. 32 lower-case hex digits as text.
template <class Tag>
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};
  explicit operator bool() const noexcept { return *this != Id128{}; }
  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  friend auto operator<=>(const Id128&, const Id128&) = default;
};

using UserId = Id64<struct UserIdTag>;      // the engine's id for a host's subject; never reused
using DeviceId = Id64<struct DeviceIdTag>;  // one installation of one user
/// Random; for `direct` a keyed hash of the pair.
using ConversationId = Id128<struct ConversationIdTag>;
using Epoch = Id128<struct EpochTag>;  // identity of one stream, random at its birth, never empty

/// The dense number of an event in its stream: 1, 2, 3 ... below 2^53. Zero: before the first.
using Seq = std::uint64_t;
/// CRC32C chained over a stream's events so far: two histories that differ anywhere differ after.
using Mark = std::uint32_t;
/// 41 bit milliseconds, 10 bit node, 12 bit sequence: order across conversations, links.
using Snowflake = std::uint64_t;

/// A place in a stream. The three always travel and are stored together.
struct Cursor {
  Epoch epoch{};
  Seq seq = 0;
  Mark mark = 0;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

std::string to_string(UserId id);
std::string to_string(DeviceId id);
std::string to_string(const ConversationId& id);
std::string to_string(const Epoch& id);
/// The inverse of to_string; nothing when the text is not exactly that form. Thread: any.
std::optional<UserId> parse_user_id(std::string_view text) noexcept;
std::optional<DeviceId> parse_device_id(std::string_view text) noexcept;
std::optional<ConversationId> parse_conversation_id(std::string_view text) noexcept;
std::optional<Epoch> parse_epoch(std::string_view text) noexcept;

}  // namespace parley::inline v0

template <class Tag>
struct std::hash<parley::Id64<Tag>> {
  std::size_t operator()(const parley::Id64<Tag>& id) const noexcept {
    return static_cast<std::size_t>(id.value * 0x9e3779b97f4a7c15ULL >> 7);
  }
};
template <class Tag>
struct std::hash<parley::Id128<Tag>> {
  std::size_t operator()(const parley::Id128<Tag>& id) const noexcept {
    std::uint64_t head = 0;
    std::memcpy(&head, id.bytes.data(), sizeof head);  // random or hashed bytes already
    return static_cast<std::size_t>(head);
  }
};
