// restrictions.cpp: who is kept from posting or from being in at all, and for how long.
#include <algorithm>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::size_t restricted_bytes = 9 + 768;  // a record with its reason, generously
constexpr std::size_t restriction_bytes = 9 + 2 + 2 * (26 + limits::reason);

EventKind kind_of(RestrictionKind kind, bool on) {
  if (kind == RestrictionKind::mute) return on ? EventKind::muted : EventKind::unmuted;
  return on ? EventKind::banned : EventKind::unbanned;
}
Action action_of(RestrictionKind kind) {
  return kind == RestrictionKind::mute ? Action::mute : Action::ban;
}
template <class Row>
auto& part_of(Row& row, RestrictionKind kind) {
  return kind == RestrictionKind::mute ? row.mute : row.ban;
}
bool known(RestrictionKind kind) {
  return kind == RestrictionKind::mute || kind == RestrictionKind::ban;
}
}  // namespace

// ---- Who is kept from what ----

void Conversation::restrict(Caller caller, wire::Restrict asked, Then<void> then) {
  if (!asked.user) return then(bad("user: nobody was named"));
  if (!known(asked.kind)) return then(bad("kind: expected mute or ban"));
  if (asked.options.until < WallTime{}) return then(bad("until: expected 0 or a time"));
  if (asked.options.reason.size() > limits::reason)
    return then(Error{Errc::too_large, "reason: expected at most 256 bytes of UTF-8"});
  if (!base::valid_utf8(asked.options.reason)) return then(bad("reason: expected valid UTF-8"));
  state_->arrive({.caller = caller,
                  .what = RestrictOp{asked.kind, asked.user, asked.on, std::move(asked.options),
                                     std::move(then)}});
}

const layout::RestrictionRow* Conversation::State::restriction(UserId user) const noexcept {
  if (staged) {
    for (const auto& [changed, row] : staged->restrictions)
      if (changed == user) return &row;
  }
  const auto at = restrictions.find(user);
  return at != restrictions.end() ? &at->second : nullptr;
}

bool Conversation::State::holds(const layout::RestrictionRow::One& one) const {
  return one.on && (one.until_ms == 0 || one.until_ms > host.settled_wall_ms());
}

bool Conversation::State::banned(UserId user) const {
  const layout::RestrictionRow* row = restriction(user);
  return row != nullptr && holds(row->ban);
}

std::size_t Conversation::State::restricted_count() const noexcept {
  std::size_t count = restrictions.size();
  for (const auto& [user, row] : staged->restrictions) {
    const bool is = row.mute.on || row.ban.on, was = restrictions.contains(user);
    if (is && !was) ++count;
    if (was && !is) --count;
  }
  return count;
}

void Conversation::State::stage_restriction(UserId user, const layout::RestrictionRow& row) {
  std::erase_if(staged->restrictions, [user](const auto& change) { return change.first == user; });
  staged->restrictions.emplace_back(user, row);
  staged->rows += 1;
  staged->bytes += restriction_bytes;
  if (row.mute.on || row.ban.on) staged->head.flags |= layout::head_has_restrictions;
}

Decision Conversation::State::decide(Op& op, RestrictOp& change) {
  Decision decision{};
  const auto role = actor(op, action_of(change.kind), decision);
  if (!role) return decision;
  // Somebody on the way in is in or out first.
  if (channel() && (writing_users.contains(change.user) || on_the_way(change.user)))
    return Decision::later;
  bool later = false;
  const auto found = member(change.user, later, op.error);
  if (later) return Decision::later;
  if (op.error) return decision;
  const Role whom = found ? found->role : Role::none;
  const bool mute = change.kind == RestrictionKind::mute;
  const bool above = op.caller.system() || (op.caller.user != change.user && whom < *role);
  if (!above || (mute && change.on && whom == Role::none)) {
    op.error = denied();
    return decision;
  }
  const layout::RestrictionRow* before = restriction(change.user);
  layout::RestrictionRow row = before != nullptr ? *before : layout::RestrictionRow{};
  auto& part = part_of(row, change.kind);
  if (!change.on && !part.on) return decision;
  const std::int64_t until = change.options.until.time_since_epoch().count();
  if (change.on && until != 0 && until <= host.settled_wall_ms()) {
    op.error = bad("until: expected a time to come");
    return decision;
  }
  if (change.on && before == nullptr && restricted_count() >= limits::restricted) {
    op.error = {Errc::limit_reached, "user: 10,000 are muted or banned; lift some first"};
    return decision;
  }
  if (!fits(3, 7, 3 * restricted_bytes + restriction_bytes)) return Decision::full;
  if (change.on && !mute) end_request(change.user, op.caller.user, EventKind::join_denied);
  if (change.on && !mute && whom != Role::none)
    end_membership(change.user, op.caller.user, EventKind::removed);
  wire::RecordFields fields{.sender = op.caller.user,
                            .kind = kind_of(change.kind, change.on),
                            .target = change.user,
                            .role = mute ? whom : Role::none};
  if (change.on) {
    fields.until_ms = until;
    fields.reason = change.options.reason;
  }
  StagedEvent& event = stage_event(fields);
  if (space() && mute) event.changed = change.user;  // it holds in the channels
  if (change.on) staged->head.authority = fields.seq;
  part = {change.on, op.caller.user, staged->now_ms, until, change.options.reason};
  stage_restriction(change.user, row);
  return decision;
}

void Conversation::State::write_restrictions(BatchWriter& writer) {
  for (const auto& [user, row] : staged->restrictions) {
    if (row.mute.on || row.ban.on)
      writer.put(layout::restriction_key(user), layout::encode(row));
    else
      writer.erase(layout::restriction_key(user));
  }
  for (const auto& [user, entry] : staged->last_sent)
    writer.put(layout::last_sent_key(user), layout::encode(entry->staged));
}

void Conversation::State::restrictions_committed(Staged& done) {
  for (const auto& [user, row] : done.restrictions) {
    if (row.mute.on || row.ban.on)
      restrictions[user] = row;
    else
      restrictions.erase(user);
  }
}

void Conversation::restrictions(Caller caller, wire::Restrictions asked,
                                Then<wire::RestrictionsPage> then) {
  State& state = *state_;
  if (!known(asked.kind)) return then(bad("kind: expected mute or ban"));
  if (asked.limit == 0 || asked.limit > limits::page_restrictions)
    return then(bad("limit: expected 1 to 500 users"));
  allows(caller, action_of(asked.kind), [&state, asked, then](Result<void> allowed) {
    if (!allowed) return then(std::move(allowed).error());
    wire::RestrictionsPage page{.conversation = state.id, .kind = asked.kind};
    for (auto at = state.restrictions.upper_bound(asked.after); at != state.restrictions.end();
         ++at) {
      const layout::RestrictionRow::One& one = part_of(at->second, asked.kind);
      if (!state.holds(one)) continue;
      if (page.users.size() == asked.limit) {
        page.more = true;
        break;
      }
      page.users.push_back(
          {at->first, one.by, wall_time(one.since_ms), wall_time(one.until_ms), one.reason});
    }
    then(std::move(page));
  });
}

// ---- Posting ----

Error Conversation::State::hindered(const Caller& caller) {
  if (caller.system()) return {};
  if (info_now().settings.archived)
    return {Errc::archived, "the conversation is archived: nobody posts there"};
  const auto muted = [this](const layout::RestrictionRow::One& mute, const char* text) {
    Error error(Errc::muted, text);
    if (!mute.reason.empty()) error.message += ": " + mute.reason;
    if (mute.until_ms != 0)
      error.retry_after = std::chrono::milliseconds(mute.until_ms - host.settled_wall_ms());
    return error;
  };
  const layout::RestrictionRow* row = restriction(caller.user);
  if (row != nullptr && holds(row->mute))
    return muted(row->mute, "you are muted in this conversation");
  const RightRows::Entry* by_space = inherits ? rights.find(caller.user) : nullptr;
  if (by_space != nullptr && holds(by_space->row.mute))
    return muted(by_space->row.mute, "you are muted in this space");
  return {};
}

bool Conversation::State::slowed(const Caller& caller, Role role) const noexcept {
  return info_now().settings.slow_mode.count() > 0 && !caller.system() && role < Role::moderator;
}

Error Conversation::State::too_soon(UserId user) {
  const LastSentRows::Entry* entry = last_sent.find(user);
  const std::int64_t last = entry->dirty     ? entry->staged.time_ms
                            : entry->present ? entry->row.time_ms
                                             : 0;
  const std::chrono::milliseconds most = info_now().settings.slow_mode;
  const std::chrono::milliseconds since(host.settled_wall_ms() - last);
  // A last message in the future was written before the clock was set back: it holds nobody up.
  if (last == 0 || since >= most || since.count() < 0) return {};
  Error error(Errc::slow_mode, "slow mode: your last message here is too recent");
  error.retry_after = most - since;
  return error;
}

void Conversation::State::stage_last_sent(UserId user) {
  LastSentRows::Entry& entry = *last_sent.find(user);
  entry.staged.time_ms = host.settled_wall_ms();
  if (std::exchange(entry.dirty, true)) return;
  staged->last_sent.emplace_back(user, &entry);
  staged->rows += 1;
  staged->bytes += 9 + 9;
}

}  // namespace parley::core
