// settings_table.cpp: see the header.
#include "wire/settings_table.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::wire {
namespace {

/// An empty text is not an absent one.
flatbuffers::Offset<flatbuffers::String> text(flatbuffers::FlatBufferBuilder& builder,
                                              const std::optional<std::string_view>& value) {
  return value ? builder.CreateString(value->data(), value->size())
               : flatbuffers::Offset<flatbuffers::String>();
}
template <class E>
flatbuffers::Optional<std::uint8_t> number(const std::optional<E>& value) {
  return value ? flatbuffers::Optional<std::uint8_t>(static_cast<std::uint8_t>(*value))
               : flatbuffers::nullopt;
}
flatbuffers::Optional<std::uint32_t> seconds(const std::optional<std::chrono::seconds>& value) {
  return value ? flatbuffers::Optional<std::uint32_t>(static_cast<std::uint32_t>(value->count()))
               : flatbuffers::nullopt;
}
std::optional<std::string_view> view(const flatbuffers::String* text) {
  if (text == nullptr) return std::nullopt;
  return std::string_view(text->c_str(), text->size());
}
template <class E>
void take(std::optional<E>& to, const flatbuffers::Optional<std::uint8_t>& from) {
  if (from.has_value()) to = static_cast<E>(*from);
}
void take(std::optional<std::chrono::seconds>& to,
          const flatbuffers::Optional<std::uint32_t>& from) {
  if (from.has_value()) to = std::chrono::seconds(*from);
}

}  // namespace

flatbuffers::Offset<fb::Settings> build_settings(flatbuffers::FlatBufferBuilder& builder,
                                                 const SettingsChange& change) {
  const auto title = text(builder, change.title);
  const auto description = text(builder, change.description);
  const auto avatar = text(builder, change.avatar);
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> metadata;
  if (change.metadata)
    metadata = builder.CreateVector(reinterpret_cast<const std::uint8_t*>(change.metadata->data()),
                                    change.metadata->size());
  flatbuffers::Optional<bool> archived = flatbuffers::nullopt;
  if (change.archived) archived = *change.archived;
  return fb::CreateSettings(builder, title, description, avatar, metadata, number(change.who_sends),
                            number(change.who_adds), number(change.who_pins),
                            number(change.who_changes), number(change.join), archived,
                            seconds(change.slow_mode), seconds(change.expires_after));
}

SettingsChange settings_of(const fb::Settings& from) {
  SettingsChange change;
  change.title = view(from.title());
  change.description = view(from.description());
  change.avatar = view(from.avatar());
  if (const auto* bytes = from.metadata())
    change.metadata = std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  take(change.who_sends, from.who_sends());
  take(change.who_adds, from.who_adds());
  take(change.who_pins, from.who_pins());
  take(change.who_changes, from.who_changes());
  take(change.join, from.join());
  if (from.archived().has_value()) change.archived = *from.archived();
  take(change.slow_mode, from.slow_mode_s());
  take(change.expires_after, from.expires_after_s());
  return change;
}

}  // namespace parley::wire
