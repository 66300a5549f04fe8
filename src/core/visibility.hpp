// core/visibility.hpp: which events of a stream a reader may see (DESIGN §3, "Visibility"). Who may
// not see one is given a stand-in at its seq, so that everybody's stream is dense.
#pragma once
#include <cstdint>
#include <vector>

#include "core/own_deletions.hpp"
#include "parley/conversation.hpp"
#include "parley/payload.hpp"
#include "store/layout.hpp"
#include "wire/record.hpp"

namespace parley::core {

/// Bit a: events with audience a are for this reader. Bit 0 is everybody's.
using Audiences = std::uint16_t;
inline constexpr Audiences every_audience = 0xffff;

/// What a member may see. The two of a direct conversation moderate nobody; a former member sees
/// what is for everybody.
Audiences audiences_of(ConversationKind kind, const layout::MemberRow& row) noexcept;

struct Reader {
  UserId user;
  Audiences audiences = 1;
  OwnDeletionsPtr deletions{};  // what the reader does not want to see any more
};
/// The reader who sees everything: the system.
inline const Reader all_seeing{{}, every_audience, {}};

/// Whose event it is for audience::sender: an event about a message names the message's sender.
UserId owner_of(const wire::RecordFields& event) noexcept;
bool visible(const wire::RecordFields& event, const Reader& reader) noexcept;

/// Whether it is, or was before it was deleted, unread for who has not come so far.
bool countable(const wire::RecordFields& message) noexcept;

/// What is said about a message is for those who see the message.
void inherit_audience(wire::RecordFields& event, const wire::RecordFields& message) noexcept;

/// What stands in a stream for an event that a reader may not see: its seq and ordinal, no more.
Payload stand_in(const wire::RecordFields& event);

/// Replaces what the reader may not see by stand-ins. `ended_at` not 0: the reader's access ended
/// with that event, so a message that was edited later is not shown either.
void hide(std::vector<layout::StoredEvent>& events, const Reader& reader, Seq ended_at = 0);
std::vector<Payload> shown_to(const std::vector<Payload>& records, const Reader& reader);

/// Whether one of `events` that is not for everybody was edited after `last`: who may see what
/// came up to there may have lost the right since.
bool edited_after(const std::vector<layout::StoredEvent>& events, Seq last);

}  // namespace parley::core
