// visibility.cpp: see the header.
#include "core/visibility.hpp"

#include <algorithm>

#include "parley/limits.hpp"

namespace parley::core {

Audiences audiences_of(ConversationKind kind, const layout::MemberRow& row) noexcept {
  constexpr Audiences all = 1U << audience::everyone;
  constexpr Audiences moderators = 1U << audience::moderators | 1U << audience::sender;
  const bool moderates = kind != ConversationKind::direct && row.role > Role::member;
  const Audiences own = moderates ? all | moderators : all;
  return row.role == Role::none ? all : own | row.groups;
}

UserId owner_of(const wire::RecordFields& event) noexcept {
  return event.about != 0 || event.kind == EventKind::reactions ? event.target : event.sender;
}

bool countable(const wire::RecordFields& message) noexcept {
  return message.audience == audience::everyone && message.thread_root == 0 &&
         message.written_ms == 0;
}

bool visible(const wire::RecordFields& event, const Reader& reader) noexcept {
  if (reader.deletions && reader.deletions->covers(event)) return false;
  if (event.audience == audience::everyone) return true;
  if (event.audience > audience::last_group) return reader.audiences == every_audience;
  if ((reader.audiences >> event.audience & 1) != 0) return true;
  return event.audience == audience::sender && reader.user && owner_of(event) == reader.user;
}

void inherit_audience(wire::RecordFields& event, const wire::RecordFields& message) noexcept {
  event.audience = message.audience;
  if (message.audience != audience::everyone) event.target = message.sender;
}

Payload stand_in(const wire::RecordFields& event) {
  return wire::build_record(
      {.seq = event.seq, .ordinal = event.ordinal, .kind = EventKind::hidden});
}

void hide(std::vector<layout::StoredEvent>& events, const Reader& reader, Seq ended_at) {
  for (layout::StoredEvent& event : events) {
    const wire::Glance seen = wire::glance(event.record.bytes());
    const bool later = ended_at != 0 && seen.last_edit > ended_at;
    if (!later && seen.audience == audience::everyone && !reader.deletions) continue;
    const wire::RecordFields fields = wire::read_record(event.record.bytes());
    if (later || !visible(fields, reader)) event.record = stand_in(fields);
  }
}

std::vector<Payload> shown_to(const std::vector<Payload>& records, const Reader& reader) {
  std::vector<Payload> shown;
  shown.reserve(records.size());
  for (const Payload& record : records) {
    const wire::RecordFields fields = wire::read_record(record.bytes());
    shown.push_back(visible(fields, reader) ? record : stand_in(fields));
  }
  return shown;
}

bool edited_after(const std::vector<layout::StoredEvent>& events, Seq last) {
  return std::any_of(events.begin(), events.end(), [last](const layout::StoredEvent& event) {
    const wire::Glance seen = wire::glance(event.record.bytes());
    return seen.audience != audience::everyone && seen.last_edit > last;
  });
}

}  // namespace parley::core
