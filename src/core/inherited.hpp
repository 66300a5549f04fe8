// core/inherited.hpp: what a member of a space is in one of its channels: a function of the rows
// there and there, the same for the channel's home and for lists.
#pragma once
#include <cstdint>
#include <optional>

#include "parley/conversation.hpp"
#include "store/layout.hpp"

namespace parley::core {

/// What the space of a channel says of a user.
struct SpaceRight {
  Role role = Role::none;   // none: not in the space
  std::uint64_t entry = 0;  // MemberRow::admission there
  std::int64_t since_ms = 0;
  std::uint64_t members = 0;    // the space's, all together
  std::uint64_t beginning = 0;  // the channel's ordinal when the user came into the space
  bool shadowed = false;
  layout::RestrictionRow::One mute;
};

/// The user's row as it counts in the channel; nothing: a stranger there. `own`: the row that the
/// channel has, which was made under the entry that its `admission` names and ends with that.
/// `banned`: from the channel.
std::optional<layout::MemberRow> inherit(const layout::InfoRow& channel, const SpaceRight& right,
                                         const std::optional<layout::MemberRow>& own, bool banned);

/// The own row under that entry, to be changed; who has none begins with one that adds nothing to
/// what the space gives.
layout::MemberRow own_row(const std::optional<layout::MemberRow>& own, std::uint64_t entry);

/// What an event of the channel changes in the own row; false: nothing any more.
bool change_own_row(std::optional<layout::MemberRow>& own, const layout::PendingRow& change,
                    Seq seq);

}  // namespace parley::core
