// core/mentions.hpp: how many unread messages mention a user: a function of rows and positions.
#pragma once
#include <cstdint>

#include "core/own_deletions.hpp"
#include "parley/ids.hpp"
#include "store/layout_messages.hpp"

namespace parley::core {

/// After what a mention is unread.
struct MentionBase {
  Seq seq = 0;               // read, or before the membership
  Seq left = 0;              // of a channel: where an earlier membership ended
  std::uint64_t joined = 0;  // the ordinal from which unread counts
};
MentionBase mentions_from(Seq read, const layout::MemberRow& member, Seq floor) noexcept;

/// Messages after `base`, up to `head`, that mention the user (`own`) or everybody (`all`). At most
/// limits::mentions_counted, which means that many or more. Who is named was a member then, so the
/// row needs no more than where an earlier membership ended; everybody is whoever came later, too.
/// `gone`: what the user deleted for itself alone, or null.
std::uint64_t unread_mentions(const layout::MentionRow& own, const layout::MentionRow& all,
                              const MentionBase& base, Seq head, const OwnDeletions* gone) noexcept;

}  // namespace parley::core
