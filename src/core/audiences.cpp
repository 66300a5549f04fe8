// audiences.cpp: who sees what a member writes: the audience that a sender chooses, groups and
// shadow bans of the host's (DESIGN §3, "Visibility").
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {
namespace {

constexpr auto group_bits = static_cast<std::uint16_t>(every_audience << audience::first_group);

}  // namespace

Error Conversation::State::check_audience(const Op& op, std::uint8_t chosen) {
  if (chosen > audience::last_group) return {Errc::invalid_argument, "audience: expected 0 to 15"};
  if (chosen == audience::everyone || chosen == audience::sender || op.caller.system()) return {};
  bool later = false;
  Error error;
  const auto row = member(op.caller.user, later, error);
  const Audiences own = row ? audiences_of(info.kind, *row) : Audiences{1};
  if ((own >> chosen & 1) == 0) return denied();
  return error;
}

bool Conversation::State::muffled(const Op& op) {
  if (op.caller.system()) return false;
  if (ignored(op.caller.user)) return true;
  bool later = false;
  Error ignored;
  const auto row = member(op.caller.user, later, ignored);
  return row && row->shadowed;
}

// ---- The host's decisions about a member ----

void Conversation::set_visibility(Caller caller, wire::SetVisibility set, Then<void> then) {
  if (!caller.system()) return then(denied());
  if (!set.user) return then(Error{Errc::invalid_argument, "user: nobody was named"});
  if (set.groups && (*set.groups & ~group_bits) != 0)
    return then(Error{Errc::invalid_argument, "groups: expected 3 to 15"});
  state_->arrive({.caller = caller,
                  .what = VisibilityOp{set.user, set.groups, set.shadowed, std::move(then)}});
}

Decision Conversation::State::decide(Op& op, VisibilityOp& change) {
  Decision decision{};
  if (!target(op, change.user, decision)) return decision;
  layout::MemberRow row = row_to_change(change.user);
  const layout::MemberRow before = row;
  row.groups = change.groups.value_or(row.groups);
  row.shadowed = change.shadowed.value_or(row.shadowed);
  if (row.groups == before.groups && row.shadowed == before.shadowed) return decision;
  if (!fits(1, 2, event_bytes)) return Decision::full;
  wire::RecordFields fields{.kind = EventKind::visibility_changed,
                            .audience = audience::moderators,
                            .target = change.user,
                            .groups = row.groups,
                            .shadowed = row.shadowed};
  stage_event(fields).changed = change.user;
  stage_authority(fields.seq, change.user, row);
  return decision;
}

void Conversation::State::stage_authority(Seq seq, UserId user, const layout::MemberRow& row) {
  staged->head.authority = seq;
  if (!channel()) return stage_member(user, row);
  staged->pending.push_back(
      {.seq = seq, .row = {user, row.role, row.groups, row.shadowed, entry_now(user)}});
  staged->rows += 1;
  staged->bytes += 9 + 21;
}

}  // namespace parley::core
