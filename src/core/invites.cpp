// invites.cpp: links that let whoever has them in, as long as they hold; and who comes into a
// channel by a decision of the conversation. A use is counted in the commit that lets somebody in.
#include <algorithm>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/invite_token.hpp"
#include "core/refusals.hpp"
#include "core/staged_rows.hpp"

namespace parley::core {
namespace {

constexpr std::size_t invite_bytes = 17 + 34, admission_bytes = 9 + 10;

/// Whether somebody who may make links may make, see and revoke one that gives that role.
bool in_reach(Role maker, Role given) { return given <= Role::member || given < maker; }

Invite to_invite(const ConversationId& id, const layout::InviteSecret& secret,
                 const layout::InviteRow& row) {
  return {.token = invite_token(id, secret),
          .role = row.role,
          .by = row.by,
          .created = wall_time(row.created_ms),
          .expires = wall_time(row.expires_ms),
          .uses = row.uses,
          .used = row.used};
}

}  // namespace

// ---- Links ----

void Conversation::create_invite(Caller caller, InviteOptions options, Then<Invite> then) {
  if (!known_role(options.role) || options.role == Role::owner)
    return then(bad("role: expected a role from read_only to admin"));
  if (options.expires < WallTime{}) return then(bad("expires: expected 0 or a time"));
  State& state = *state_;
  layout::InviteSecret secret;
  for (std::size_t i = 0; i < secret.size(); i += 8) {
    std::uint64_t word = state.effects.random();
    for (std::size_t k = 0; k < 8; ++k, word >>= 8) secret[i + k] = static_cast<std::uint8_t>(word);
  }
  state.arrive({.caller = caller, .what = InviteOp{secret, options, {}, std::move(then)}});
}

void Conversation::revoke_invite(Caller caller, const layout::InviteSecret& invite,
                                 Then<void> then) {
  state_->arrive({.caller = caller, .what = RevokeInviteOp{invite, std::move(then)}});
}

void Conversation::join(Caller caller, const layout::InviteSecret& invite, Then<Access> then) {
  if (caller.system()) return then(bad("the system is no member and cannot join"));
  State& state = *state_;
  auto refuse = [then](Error error) { then(std::move(error)); };
  auto join = [&state, caller, invite, then = std::move(then)] {
    state.arrive({.caller = caller, .what = JoinOp{invite, then}});
  };
  state.when_loaded([&state, caller, invite, refuse, join](const Error& error) {
    const auto at = state.invites.find(invite);
    if (error || at == state.invites.end() || !state.usable(at->second)) return join();
    state.unless_full_of_spaces(caller.user, refuse, join);
  });
}

/// Who is in as many spaces as there may be uses up no link and no request.
void Conversation::State::unless_full_of_spaces(UserId user, std::function<void(Error)> refuse,
                                                std::function<void()> then) {
  if (!space()) return then();
  host.full_of_spaces({user}, input<Result<std::vector<UserId>>>(
                                  [refuse = std::move(refuse), then = std::move(then)](
                                      const Result<std::vector<UserId>>& full) {
                                    if (!full) return refuse(full.error());
                                    if (full->empty()) return then();
                                    refuse({Errc::limit_reached, "user: is in 100 spaces already"});
                                  }));
}

void Conversation::invites(Caller caller, Then<std::vector<Invite>> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, then](const Error& error) {
    if (error) return then(error);
    const auto list = [&state, then](Role role) {
      std::vector<Invite> found;
      for (const auto& [secret, row] : state.invites)
        if (in_reach(role, row.role) && state.usable(row))
          found.push_back(to_invite(state.id, secret, row));
      std::stable_sort(found.begin(), found.end(),
                       [](const Invite& a, const Invite& b) { return a.created < b.created; });
      then(std::move(found));
    };
    if (caller.system())
      return system_may(state.info.kind, Action::invite) ? list(Role::owner) : then(denied());
    state.with_settled_member(caller.user,
                              [&state, list, then](Result<const layout::MemberRow*> row) {
                                if (!row) return then(std::move(row).error());
                                const Role role = *row == nullptr ? Role::none : (*row)->role;
                                state.may(Action::invite, role) ? list(role) : then(denied());
                              });
  });
}

const layout::InviteRow* Conversation::State::invite(
    const layout::InviteSecret& secret) const noexcept {
  if (staged) {
    for (const auto& [changed, row] : staged->invites)
      if (changed == secret) return row ? &*row : nullptr;
  }
  const auto at = invites.find(secret);
  return at != invites.end() ? &at->second : nullptr;
}

bool Conversation::State::usable(const layout::InviteRow& row) const {
  const bool left = row.uses == 0 || row.used < row.uses;
  return left && (row.expires_ms == 0 || row.expires_ms > host.settled_wall_ms());
}

std::size_t Conversation::State::invite_count() const noexcept {
  std::size_t count = invites.size();
  for (const auto& [secret, row] : staged->invites) {
    const bool was = invites.contains(secret);
    if (row && !was) ++count;
    if (!row && was) --count;
  }
  return count;
}

void Conversation::State::stage_invite(const layout::InviteSecret& secret,
                                       const std::optional<layout::InviteRow>& row) {
  std::erase_if(staged->invites, [&](const auto& change) { return change.first == secret; });
  staged->invites.emplace_back(secret, row);
  staged->rows += 1;
  staged->bytes += invite_bytes;
  if (row) staged->head.flags |= layout::head_has_invites;
}

void Conversation::State::withdraw_invites(UserId maker, Role role) {
  const bool may_make = may(Action::invite, role);
  const auto lost = [&](const layout::InviteRow& row) {
    return row.by == maker && !(may_make && in_reach(role, row.role));
  };
  std::vector<layout::InviteSecret> gone;
  for (const auto& [secret, row] : invites)
    if (lost(row)) gone.push_back(secret);
  for (const auto& [secret, row] : staged->invites)
    if (row && lost(*row)) gone.push_back(secret);
  for (const layout::InviteSecret& secret : gone) stage_invite(secret, std::nullopt);
}

Decision Conversation::State::decide(Op& op, InviteOp& make) {
  Decision decision{};
  const auto role = actor(op, Action::invite, decision);
  if (role && inherits) op.error = denied();  // not the system either: the space's links let in
  if (!role || op.error) return decision;
  if (const auto* there = invite(make.secret)) {  // an attempt that landed
    make.made = to_invite(id, make.secret, *there);
    return decision;
  }
  if (!in_reach(*role, make.options.role)) {
    op.error = denied();
    return decision;
  }
  const std::int64_t expires = make.options.expires.time_since_epoch().count();
  if (expires != 0 && expires <= host.settled_wall_ms()) {
    op.error = bad("expires: expected a time to come");
    return decision;
  }
  std::vector<layout::InviteSecret> over;
  for (const auto& [secret, row] : invites)
    if (const auto* now = invite(secret); now != nullptr && !usable(*now)) over.push_back(secret);
  if (invite_count() - over.size() >= limits::invites) {
    op.error = {Errc::limit_reached, "the conversation has 100 links; revoke some first"};
    return decision;
  }
  if (!fits(0, 1 + over.size(), (1 + over.size()) * invite_bytes)) return Decision::full;
  for (const layout::InviteSecret& secret : over) stage_invite(secret, std::nullopt);
  const layout::InviteRow row{.role = make.options.role,
                              .by = op.caller.user,
                              .created_ms = staged->now_ms,
                              .expires_ms = expires,
                              .uses = make.options.uses};
  stage_invite(make.secret, row);
  make.made = to_invite(id, make.secret, row);
  return decision;
}

Decision Conversation::State::decide(Op& op, RevokeInviteOp& revoke) {
  Decision decision{};
  const auto role = actor(op, Action::invite, decision);
  if (!role) return decision;
  const layout::InviteRow* row = invite(revoke.secret);
  if (row == nullptr) return decision;
  if (!op.caller.system() && !in_reach(*role, row->role)) {
    op.error = denied();
    return decision;
  }
  if (!fits(0, 1, invite_bytes)) return Decision::full;
  stage_invite(revoke.secret, std::nullopt);
  return decision;
}

Decision Conversation::State::join_by_invite(Op& op, const layout::InviteSecret& secret) {
  const UserId user = op.caller.user;
  if (channel() && writing_users.contains(user)) return Decision::later;
  if (on_the_way(user)) return Decision::decided;
  const layout::InviteRow* link = invite(secret);
  if (link == nullptr || !usable(*link) || banned(user)) op.error = denied();
  if (!op.error) op.error = closed(op.caller, Role::none);
  if (!op.error) op.error = host_admits(user);
  if (!op.error && full_house())
    op.error = {Errc::limit_reached, "the conversation has as many members as there may be"};
  if (op.error) return Decision::decided;
  if (!fits(2, 6, 2 * event_bytes + invite_bytes + admission_bytes)) return Decision::full;
  layout::InviteRow counted = *link;
  ++counted.used;
  stage_invite(secret, counted);
  let_in(user, user, EventKind::joined, counted.role);
  return Decision::decided;
}

// ---- Into a channel ----

bool Conversation::State::full_house() const noexcept {
  return channel() ? member_count() >= limits.channel_members
                   : staged->head.members >= limits.group_members;
}

Error Conversation::State::too_many_members() const {
  const bool wide = channel();
  const std::size_t most = wide ? limits.channel_members : limits.group_members;
  return {Errc::limit_reached, std::string("members: a ") + (wide ? "channel" : "group") +
                                   " has at most " + std::to_string(most)};
}

void Conversation::State::let_in(UserId user, UserId by, EventKind kind, Role role) {
  if (!channel()) return enter_group(user, by, kind, role);
  end_request(user, by, EventKind::join_approved);
  stage_admission(user, layout::AdmissionRow{role, next_entry(user)});
}

/// Grows with every one of the user's, whatever the clock does, where all have numbers: in spaces.
std::uint64_t Conversation::State::next_entry(UserId user) {
  std::uint64_t last = 0;
  if (const auto at = admitted.find(user); at != admitted.end()) last = at->second.row.id;
  if (const auto* known = channel_members.find(user); known != nullptr && known->present)
    last = std::max(last, known->row.admission);
  return std::max(host.next_snowflake(), last + 1);
}

bool Conversation::State::on_the_way(UserId user) const noexcept {
  if (staged) {
    for (const auto& [let_in, row] : staged->admissions)
      if (let_in == user) return row.has_value();
  }
  const auto at = admitted.find(user);
  return at != admitted.end() && !at->second.applied;
}

void Conversation::State::stage_admission(UserId user,
                                          const std::optional<layout::AdmissionRow>& row) {
  std::erase_if(staged->admissions, [user](const auto& change) { return change.first == user; });
  staged->admissions.emplace_back(user, row);
  staged->rows += 1;
  staged->bytes += admission_bytes;
  if (row) staged->head.flags |= layout::head_has_admissions;
}

void Conversation::State::apply_admissions() {
  if (phase != Phase::ready) return;
  for (auto& [user, let] : admitted) {
    if (std::exchange(let.queued, true)) continue;
    write_member(
        {.what = MemberWrite::What::admit,
         .user = user,
         .role = let.row.role,
         .admission = let.row.id,
         .then = [this, user = user, admission = let.row.id](const Result<layout::MemberRow>& row) {
           admission_done(user, admission, row ? Error() : row.error());
         }});
  }
}

/// The row is erased with a later commit; what failed is tried again with the timer.
void Conversation::State::admission_done(UserId user, std::uint64_t admission, const Error& error) {
  const auto at = admitted.find(user);
  if (at == admitted.end() || at->second.row.id != admission) return;
  at->second.applied = !error || error.errc() == Errc::limit_reached;
  at->second.queued = at->second.applied;
  start_flush_timer();
}

void Conversation::State::answer_joined(UserId user, Then<Access> then) {
  if (!channel()) return answer_access(user, false, std::move(then));
  apply_admissions();
  with_settled_member(user, [this, user, then](Result<const layout::MemberRow*> row) {
    if (!row) return then(std::move(row).error());
    if (*row != nullptr && (*row)->role != Role::none) return answer_access(user, **row, then);
    if (!on_the_way(user)) return then(denied());
    then(Error{Errc::unavailable, "let in, but the store could not write it yet; try again"});
  });
}

// ---- Rows ----

void Conversation::State::write_invites(BatchWriter& writer) {
  write_rows(writer, staged->invites, layout::invite_key);
  write_rows(writer, staged->admissions, layout::admission_key);
}

void Conversation::State::invites_committed(const Staged& done) {
  take_rows(invites, done.invites);
  for (const auto& [user, row] : done.admissions) {
    if (row)
      admitted[user] = {.row = *row};
    else
      admitted.erase(user);
  }
}

}  // namespace parley::core
