// members.cpp: who is in, who may, and the events that change it. Channels: members_buckets.cpp has
// the rows.
#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {
namespace {

bool by_user(const MemberTable::Item& item, UserId user) { return item.first < user; }

}  // namespace

const layout::MemberRow* MemberTable::find(UserId user) const noexcept {
  const auto at = std::lower_bound(items_.begin(), items_.end(), user, by_user);
  return at != items_.end() && at->first == user ? &at->second : nullptr;
}

void MemberTable::put(UserId user, const layout::MemberRow& row) {
  const auto at = std::lower_bound(items_.begin(), items_.end(), user, by_user);
  if (at != items_.end() && at->first == user) {
    at->second = row;
  } else {
    items_.insert(at, {user, row});
  }
}

// ---- Who ----

const layout::MemberRow* Conversation::State::group_member(UserId user) const noexcept {
  if (staged) {
    for (const auto& [changed, row] : staged->members)
      if (changed == user) return &row;
  }
  return members.find(user);
}

std::optional<layout::MemberRow> Conversation::State::member(UserId user, bool& later,
                                                             Error& error) {
  if (!channel()) {
    const layout::MemberRow* row = group_member(user);
    return row != nullptr ? std::optional(*row) : std::nullopt;
  }
  MemberRows::Entry* entry = channel_members.find(user);
  if (entry == nullptr || entry->phase == MemberRows::Phase::loading) {
    want(user);
    later = true;
    return std::nullopt;
  }
  if (entry->phase == MemberRows::Phase::failed) {
    error = entry->error;
    channel_members.erase(user);
    return std::nullopt;
  }
  if (inherits) return member_by_space(user, later, error);
  if (!entry->present) {
    channel_members.erase(user);  // others may let them in: read again next time
    return std::nullopt;
  }
  layout::MemberRow row = entry->row;
  apply_decided(user, row, true);
  return row;
}

std::optional<Role> Conversation::State::actor(Op& op, Action action, Decision& decision) {
  decision = Decision::decided;
  if (op.caller.system()) {
    if (system_may(info.kind, action)) return Role::owner;
    op.error = denied();
    return std::nullopt;
  }
  bool later = false;
  const auto row = member(op.caller.user, later, op.error);
  if (later) {
    decision = Decision::later;
    return std::nullopt;
  }
  const Role role = row ? row->role : Role::none;
  if (!op.error && !may(action, role)) op.error = denied();
  const bool changes = action == Action::add || action == Action::invite || action == Action::pin ||
                       action == Action::create_child;
  if (!op.error && changes) op.error = closed(op.caller, role);
  if (op.error) return std::nullopt;
  return role;
}

std::optional<Role> Conversation::State::target(Op& op, UserId user, Decision& decision) {
  decision = Decision::decided;
  bool later = false;
  const auto row = member(user, later, op.error);
  if (later) decision = Decision::later;
  if (!later && !op.error && (!row || row->role == Role::none)) op.error = denied();
  if (later || op.error) return std::nullopt;
  return row->role;
}

std::size_t Conversation::State::count_role(Role role) const {
  std::size_t count = 0;
  for (const auto& [user, row] : members.items())
    if (group_member(user)->role == role) ++count;
  for (const auto& [user, row] : staged->members)
    if (row.role == role && members.find(user) == nullptr) ++count;
  return count;
}

// ---- Coming and going ----

Decision Conversation::State::decide(Op& op, JoinOp& join) {
  const UserId user = op.caller.user;
  bool later = false;
  const auto row = member(user, later, op.error);
  if (later) return Decision::later;
  const bool in = row && row->role != Role::none;
  if (op.error || in) return Decision::decided;  // in already: the answer is the access
  if (join.invite) return join_by_invite(op, *join.invite);
  if (inherits && right(user, later, op.error) == nullptr && !op.error) op.error = denied();
  if (info_now().settings.join != JoinRule::open || banned(user)) op.error = denied();
  if (!op.error) op.error = closed(op.caller, Role::none);
  if (!op.error) op.error = host_admits(user);
  if (op.error) return Decision::decided;
  return channel() ? join_channel(user, join) : join_group(op);
}

Decision Conversation::State::join_group(Op& op) {
  if (full_house()) {
    op.error = too_many_members();
    return Decision::decided;
  }
  if (!fits(2, 4, 2 * event_bytes)) return Decision::full;
  enter_group(op.caller.user, op.caller.user, EventKind::joined);
  return Decision::decided;
}

Decision Conversation::State::join_channel(UserId user, JoinOp& join) {
  set_busy(user);
  write_member({.user = user,
                .role = inherits ? Role::read_only : Role::member,
                .admission = entry_now(user),
                .then = [this, user, then = std::move(join.then)](Result<layout::MemberRow> row) {
                  clear_busy(user);
                  if (!row)
                    then(std::move(row).error());
                  else if (inherits)
                    answer_access(user, false, then);
                  else
                    answer_access(user, *row, then);
                  pump();
                }});
  return Decision::moved;
}

/// Who comes into a group sees from the event of it on, and asks for nothing any more.
void Conversation::State::enter_group(UserId user, UserId by, EventKind kind, Role role) {
  end_request(user, by, EventKind::join_approved);
  wire::RecordFields fields{.sender = by, .kind = kind, .target = user, .role = role};
  const Seq seq = stage_event(fields).stored.seq;
  stage_note(seq);
  const layout::MemberRow* before = group_member(user);
  stage_member(user, {.role = role,
                      .since_ms = staged->now_ms,
                      .visible_from = seq,
                      .visible_ordinal = staged->head.ordinal,
                      .shadowed = before != nullptr && before->shadowed});
}

/// Who only asks to be let in takes that back.
Decision Conversation::State::decide(Op& op, LeaveOp& leave) {
  const UserId user = op.caller.user;
  if (request(user) != nullptr && !on_the_way(user)) {
    bool later = false;
    const auto row = member(user, later, op.error);
    if (later) return Decision::later;
    if (op.error) return Decision::decided;
    if (!row || row->role == Role::none) {
      if (!fits(1, 2, event_bytes)) return Decision::full;
      end_request(user, user, EventKind::join_withdrawn);
      return Decision::decided;
    }
  }
  if (channel()) return decide_channel(op, leave);
  Decision decision{};
  const auto role = actor(op, Action::leave, decision);
  if (!role) return decision;
  if (*role == Role::owner && staged->head.members > 1 && count_role(Role::owner) == 1) {
    op.error = {Errc::last_owner, "make somebody else an owner before you leave"};
    return decision;
  }
  if (!fits(1, 2, event_bytes)) return Decision::full;
  end_membership(op.caller.user, op.caller.user, EventKind::left);
  return decision;
}

Decision Conversation::State::decide_channel(Op& op, LeaveOp& leave) {
  const UserId user = op.caller.user;
  Decision decision{};
  const auto role = actor(op, Action::leave, decision);
  if (!role) return decision;
  if (*role == Role::owner) {  // a channel's owners are not counted: another one must say so
    op.error = {Errc::last_owner, "another owner must take the role from you before you leave"};
    return decision;
  }
  // After what this user has in the batch: the row says up to where they may see.
  const bool ahead = std::any_of(staged->ops.begin(), staged->ops.end(),
                                 [user](const OpPtr& other) { return other->caller.user == user; });
  if (ahead) return Decision::later;
  set_busy(user);
  write_member({.what = MemberWrite::What::leave,
                .user = user,
                .admission = entry_now(user),
                .then = [this, user, then = std::move(leave.then)](Result<layout::MemberRow> row) {
                  clear_busy(user);
                  if (row) host.access_ended(id, user, row->left_at);
                  if (row && space())
                    tell_rights({{user, true}}, [then] { then({}); });
                  else
                    then(row ? Result<void>() : Result<void>(std::move(row).error()));
                  pump();
                }});
  return Decision::moved;
}

Decision Conversation::State::decide(Op& op, AddOp& add) {
  Decision decision{};
  if (!actor(op, Action::add, decision)) return decision;
  if (std::any_of(add.users.begin(), add.users.end(),
                  [this](UserId user) { return banned(user); })) {
    op.error = {Errc::banned, "members: one of them is banned; lift that first"};
    return decision;
  }
  if (channel()) return decide_channel(op, add);
  std::vector<UserId> fresh;
  for (const UserId user : add.users) {
    const layout::MemberRow* row = group_member(user);
    if (row == nullptr || row->role == Role::none) fresh.push_back(user);
  }
  if (staged->head.members + fresh.size() > limits.group_members) {
    op.error = too_many_members();
    return decision;
  }
  const std::size_t events = fresh.size() * 2;  // each may have asked to be let in
  if (!fits(events, events * 2, events * event_bytes)) return Decision::full;
  for (const UserId user : fresh) enter_group(user, op.caller.user, EventKind::added);
  return decision;
}

Decision Conversation::State::decide_channel(Op& op, AddOp& add) {
  const UserId user = op.caller.user;
  std::vector<MemberWrite> writes;
  bool later = false;
  for (const UserId added : add.users) {
    bool asked = false;
    if (inherits && right(added, asked, op.error) == nullptr && !asked && !op.error)
      op.error = {Errc::invalid_argument, "members: one of them is not in the space"};
    later = later || asked;
    if (op.error) return Decision::decided;
    writes.push_back({.user = added,
                      .role = inherits ? Role::read_only : Role::member,
                      .admission = asked ? 0 : entry_now(added)});
  }
  if (later) return Decision::later;
  if (user) set_busy(user);
  write_members(std::move(writes), [this, user, then = std::move(add.then)](Error error) {
    if (user) clear_busy(user);
    then(error ? Result<void>(std::move(error)) : Result<void>());
    pump();
  });
  return Decision::moved;
}

Decision Conversation::State::decide(Op& op, RemoveOp& remove) {
  Decision decision{};
  const auto role = actor(op, Action::remove, decision);
  if (!role) return decision;
  const auto whom = target(op, remove.user, decision);
  if (!whom) return decision;
  const bool self = op.caller.user == remove.user;  // leaving is another operation
  if (!op.caller.system() && (self || *whom >= *role)) {
    op.error = denied();
    return decision;
  }
  if (!fits(1, 2, event_bytes)) return Decision::full;
  end_membership(remove.user, op.caller.user, EventKind::removed);
  return decision;
}

/// Events that take a right away move the head's authority seq.
void Conversation::State::end_membership(UserId user, UserId by, EventKind kind) {
  wire::RecordFields fields{.sender = by, .kind = kind, .target = user, .role = Role::none};
  StagedEvent& event = stage_event(fields);
  event.ended = user;
  staged->head.authority = fields.seq;
  if (kind != EventKind::left) withdraw_invites(user, Role::none);
  if (channel()) {
    layout::MemberRow row = row_to_change(user);
    row.role = Role::none;
    row.groups = 0;
    return stage_authority(fields.seq, user, row);
  }
  stage_note(fields.seq);
  layout::MemberRow row = *group_member(user);
  row.role = Role::none;
  row.left_at = fields.seq;
  row.groups = 0;
  stage_member(user, row);
}

Decision Conversation::State::decide(Op& op, RoleOp& change) {
  Decision decision{};
  const auto role = actor(op, Action::set_role, decision);
  if (!role) return decision;
  const auto whom = target(op, change.user, decision);
  if (!whom) return decision;
  const bool self = op.caller.user == change.user;
  const bool below = inherits && change.role < rights.find(change.user)->row.role;
  if (below || !may_give(*role, *whom, change.role, self)) {
    op.error = denied();
    return decision;
  }
  if (*whom == change.role) return decision;
  const bool group = info.kind == ConversationKind::group;
  if (group && !op.caller.system() && *whom == Role::owner && count_role(Role::owner) == 1) {
    op.error = {Errc::last_owner, "make somebody else an owner first"};
    return decision;
  }
  if (channel() && !op.caller.system() && *whom == Role::owner && self) {
    op.error = {Errc::last_owner, "another owner must take the role from you"};
    return decision;
  }
  if (!fits(1, 2, event_bytes)) return Decision::full;
  change_role(change.user, op.caller.user, change.role);
  return decision;
}

Decision Conversation::State::decide(Op& op, TransferOp& transfer) {
  Decision decision{};
  const auto role = actor(op, Action::transfer, decision);
  if (!role) return decision;
  const auto whom = target(op, transfer.user, decision);
  if (!whom) return decision;
  if (!fits(2, 4, 2 * event_bytes)) return Decision::full;
  if (*whom != Role::owner) change_role(transfer.user, op.caller.user, Role::owner);
  change_role(op.caller.user, op.caller.user, Role::admin);
  return decision;
}

void Conversation::State::change_role(UserId user, UserId by, Role role) {
  wire::RecordFields fields{
      .sender = by, .kind = EventKind::role_changed, .target = user, .role = role};
  stage_event(fields).changed = user;
  withdraw_invites(user, role);
  layout::MemberRow row = row_to_change(user);
  row.role = role;
  // What the space gives stays with the space.
  if (inherits && rights.find(user)->row.role == role) row.role = Role::read_only;
  stage_authority(fields.seq, user, row);
}

// ---- Who is in: direct and group from memory ----

void Conversation::State::filter_members(std::vector<UserId> users,
                                         Then<std::vector<UserId>> then) {
  if (!channel()) {
    std::erase_if(users, [this](UserId user) {
      const layout::MemberRow* row = members.find(user);
      return row == nullptr || row->role == Role::none;
    });
    return then(std::move(users));
  }
  struct Job {
    std::vector<UserId> users, found;
    std::size_t left;
    Error error;
    Then<std::vector<UserId>> then;
  };
  auto job = std::make_shared<Job>();
  job->left = users.size() + 1;
  job->users = std::move(users);
  job->then = std::move(then);
  const auto one_done = [job] {
    if (--job->left > 0) return;
    if (job->error) return job->then(std::move(job->error));
    std::sort(job->found.begin(), job->found.end());
    job->then(std::move(job->found));
  };
  for (const UserId user : job->users) {
    with_member(user, [job, user, one_done](Result<const layout::MemberRow*> row) {
      if (!row)
        job->error = row.error();
      else if (*row != nullptr && (*row)->role != Role::none)
        job->found.push_back(user);
      one_done();
    });
  }
  one_done();
}

}  // namespace parley::core
