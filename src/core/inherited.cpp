#include "core/inherited.hpp"

#include <algorithm>

namespace parley::core {
namespace {

/// Who is in by the space has read nothing of what was there before: when the user came, or when
/// the channel was opened.
void begin_as_inherited(layout::MemberRow& row, const layout::InfoRow& channel,
                        const SpaceRight& right) {
  row.since_ms = right.since_ms;
  row.visible_ordinal = std::max(right.beginning, channel.opened_ordinal);
}

}  // namespace

std::optional<layout::MemberRow> inherit(const layout::InfoRow& channel, const SpaceRight& right,
                                         const std::optional<layout::MemberRow>& own, bool banned) {
  if (right.role == Role::none) return std::nullopt;
  if (own && own->admission == right.entry) {
    layout::MemberRow row = *own;
    row.shadowed = row.shadowed || right.shadowed;
    if (row.role == Role::none) return row;  // went, or was removed
    const bool came = row.since_ms != 0;     // else something was noted of who is in by the space
    if (!came && channel.settings.join != JoinRule::open) return std::nullopt;
    if (!came) begin_as_inherited(row, channel, right);
    row.role = std::max(row.role, right.role);
    return row;
  }
  if (channel.settings.join != JoinRule::open || banned) return std::nullopt;
  layout::MemberRow row{.role = right.role, .shadowed = right.shadowed, .admission = right.entry};
  begin_as_inherited(row, channel, right);
  if (own) {  // whenever that was
    row.shadowed = row.shadowed || own->shadowed;
    row.own_deletion_ms = own->own_deletion_ms;
  }
  return row;
}

layout::MemberRow own_row(const std::optional<layout::MemberRow>& own, std::uint64_t entry) {
  if (own && own->admission == entry) return *own;
  layout::MemberRow row{.role = Role::read_only, .admission = entry};
  if (own) {
    row.left_at = own->left_at;
    row.shadowed = own->shadowed;
    row.own_deletion_ms = own->own_deletion_ms;
  }
  return row;
}

bool change_own_row(std::optional<layout::MemberRow>& own, const layout::PendingRow& change,
                    Seq seq) {
  if (own && own->left_at >= seq) return false;
  const bool gone = own && own->admission == change.entry && own->role == Role::none;
  if (gone && change.role != Role::none) return false;
  own = own_row(own, change.entry);
  own->role = change.role;
  own->groups = change.groups;
  own->shadowed = change.shadowed;
  if (change.role == Role::none) own->left_at = seq;
  return true;
}

}  // namespace parley::core
