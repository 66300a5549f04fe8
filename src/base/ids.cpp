// ids.cpp: ids as text and back; parsing accepts exactly what to_string writes.
#include "parley/ids.hpp"

#include <charconv>

#include "base/hex.hpp"

namespace parley::inline v0 {
namespace {

template <class Id>
std::optional<Id> parse_decimal(std::string_view text) noexcept {
  if (text.empty() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  Id id;
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, id.value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return id;
}

template <class Id>
std::optional<Id> parse_hex(std::string_view text) noexcept {
  Id id;
  if (!base::from_hex(text, id.bytes.data(), id.bytes.size())) return std::nullopt;
  return id;
}

}  // namespace

std::string to_string(UserId id) { return std::to_string(id.value); }
std::string to_string(DeviceId id) { return std::to_string(id.value); }
std::string to_string(const ConversationId& id) { return base::to_hex(id.view()); }
std::string to_string(const Epoch& id) { return base::to_hex(id.view()); }

std::optional<UserId> parse_user_id(std::string_view text) noexcept {
  return parse_decimal<UserId>(text);
}
std::optional<DeviceId> parse_device_id(std::string_view text) noexcept {
  return parse_decimal<DeviceId>(text);
}
std::optional<ConversationId> parse_conversation_id(std::string_view text) noexcept {
  return parse_hex<ConversationId>(text);
}
std::optional<Epoch> parse_epoch(std::string_view text) noexcept { return parse_hex<Epoch>(text); }

}  // namespace parley::inline v0
