// conversation.cpp: what arrives is checked and queued here, and answered from here.
#include "core/conversation.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/mentions.hpp"
#include "core/read_as_member.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

Error check_title(const std::string& title) {
  if (title.size() > limits::title)
    return {Errc::too_large, "title: expected at most 512 bytes of UTF-8"};
  if (!base::valid_utf8(title)) return bad("title: expected valid UTF-8");
  return {};
}

Error check_users(const std::vector<UserId>& users) {
  if (users.size() > limits::add_at_once)
    return {Errc::limit_reached, "members: at most 100 users at once; add the others afterwards"};
  if (std::find(users.begin(), users.end(), UserId{}) != users.end())
    return bad("members: a user id is zero");
  return {};
}

void make_unique(std::vector<UserId>& users, UserId without) {
  std::vector<UserId> seen;
  std::erase_if(users, [&](UserId user) {
    if (user == without || std::find(seen.begin(), seen.end(), user) != seen.end()) return true;
    seen.push_back(user);
    return false;
  });
}

}  // namespace

// ---- Home ----

Conversation::Conversation(ConversationHost& host, ConversationId id,
                           const ConversationLimits& limits)
    : id_(id), state_(std::make_unique<State>(host, id, limits)) {}
Conversation::~Conversation() = default;

Conversation::State::State(ConversationHost& owner, ConversationId conversation,
                           const ConversationLimits& bounds)
    : ConversationData(owner, conversation, bounds) {}

Conversation::State::~State() {
  if (flush_timer != Effects::Timer::none) effects.cancel_timer(flush_timer);
  if (receipt_timer != Effects::Timer::none) effects.cancel_timer(receipt_timer);
  if (tally_timer != Effects::Timer::none) effects.cancel_timer(tally_timer);
  if (thread_timer != Effects::Timer::none) effects.cancel_timer(thread_timer);
  if (erase_timer != Effects::Timer::none) effects.cancel_timer(erase_timer);
}

bool Conversation::State::idle() const noexcept {
  const bool marked = std::any_of(receipts.begin(), receipts.end(),
                                  [](const auto& bucket) { return !bucket.marked.empty(); });
  return outstanding == 0 && waiting.empty() && asked.empty() && reads == 0 &&
         load_waiters.empty() && !in_flight && !staged && writing_users.empty() && births.empty() &&
         !sealing && !merging && !marked && (hurried || (!housekeeping() && !to_erase())) &&
         !pump_waits && reaction_queues.empty() && due_tallies.empty() && told_waiters.empty() &&
         thread_changes.empty() && !ending && !erasing && !trimming && phase != Phase::loading;
}

bool Conversation::idle() const noexcept { return state_->idle(); }

void Conversation::rest() {
  if (!state_->idle()) return;
  state_->trim_rows(true);
  state_->spare.reset();
}

bool Conversation::empty() const noexcept {
  return state_->idle() && state_->phase != State::Phase::ready && !state_->published;
}

void Conversation::hurry() {
  if (!std::exchange(state_->hurried, true)) state_->next_tally = {};
  state_->flush_receipts();
  state_->move_threads();
  state_->pump();
}

bool Conversation::State::overloaded() const noexcept {
  return waiting.size() + asked.size() + reads + writing_users.size() >= limits::pending;
}

Error overload() {
  Error error(Errc::busy, "too many operations wait for this conversation; try again");
  error.retry_after = std::chrono::milliseconds(100);
  return error;
}

Error being_deleted() {
  return {Errc::unavailable, "the conversation is being deleted; try again"};
}

void Conversation::State::arrive(OpPtr op) {
  if (overloaded()) {
    op->error = overload();
    return answer(*op);
  }
  if (in_flight)
    if (const auto* send = std::get_if<SendOp>(&op->what)) send_rows_ready(*op, *send);
  if (closing) {
    op->error = is_birth(*op) ? being_deleted() : denied();
    return answer(*op);
  }
  if (inherits) forget_stranger(op->caller.user);
  waiting.push_back(std::move(op));
  if (in_flight || building || std::exchange(pump_waits, true)) return;
  // After what arrived in the same turn: a burst becomes one commit, and one frame for everybody.
  host.later([this, here = std::weak_ptr<const void>(alive)](Shard&) {
    if (here.expired()) return;
    pump_waits = false;
    pump();
  });
}

void Conversation::State::when_loaded(std::function<void(const Error&)> then) {
  if (phase == Phase::ready) return then(ended() ? denied() : Error());
  load_waiters.push_back(std::move(then));
  if (phase == Phase::cold) load();
}

// ---- Answers ----

void Conversation::State::answer(Op& op) {
  std::visit(
      [&](auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<decltype(what.then), Then<void>>) {
          what.then(op.error ? Result<void>(std::move(op.error)) : Result<void>());
        } else if (op.error) {
          what.then(std::move(op.error));
        } else if constexpr (std::is_same_v<What, SendOp>) {
          what.then(Ack{.conversation = id,
                        .seq = op.seq,
                        .time = wall_time(op.time_ms),
                        .number = what.send.number,
                        .repeated = op.repeated});
        } else if constexpr (std::is_same_v<What, CreateOp>) {
          answer_created(op, what);
        } else if constexpr (std::is_same_v<What, ChildOp>) {
          answer_child(op, what);
        } else if constexpr (std::is_same_v<What, InviteOp>) {
          what.then(std::move(what.made));
        } else if constexpr (std::is_same_v<What, JoinOp>) {
          answer_joined(op.caller.user, std::move(what.then));
        } else {
          answer_access(op.caller.user, op.caller.system(), std::move(what.then));
        }
      },
      op.what);
}

void Conversation::State::answer_all(std::vector<OpPtr>& ops) {
  for (const OpPtr& op : ops) answer(*op);
  ops.clear();
}

/// A channel's members get their rows after its birth; so does a creator whose rows a crash lost.
void Conversation::State::answer_created(Op& op, CreateOp& create) {
  const UserId user = op.caller.user;
  const bool system = op.caller.system();
  if (!channel() || (info.creator != user && !system))
    return answer_access(user, system, std::move(create.then));
  const Creation::Child& child = create.creation.child;
  std::vector<MemberWrite> writes;
  if (user) writes.push_back({.user = user, .role = Role::owner, .admission = child.entry});
  for (std::size_t i = 0; i < create.creation.members.size(); ++i) {
    const Role role = system && i == 0 ? Role::owner : child.space ? Role::read_only : Role::member;
    const std::uint64_t entry = i < child.entries.size() ? child.entries[i] : 0;
    writes.push_back({.user = create.creation.members[i], .role = role, .admission = entry});
  }
  for (MemberWrite& write : writes) write.birth = true;
  if (user) set_busy(user);
  write_members(std::move(writes),
                [this, user, system, then = std::move(create.then)](Error error) {
                  if (user) clear_busy(user);
                  if (error)
                    then(std::move(error));
                  else
                    answer_access(user, system, then);
                  pump();  // what the creator asked for meanwhile
                });
}

// ---- Access ----

void Conversation::State::answer_access(UserId user, bool system, Then<Access> then) {
  when_loaded([this, user, system, then = std::move(then)](const Error& error) {
    if (error) return then(error);
    if (system) {
      return with_counts([this, then](const Error& uncounted) {
        if (uncounted) return then(uncounted);
        then(build_access({}, {}));
      });
    }
    with_settled_member(user, [this, user, then](Result<const layout::MemberRow*> row) {
      if (!row) return then(std::move(row).error());
      if (*row == nullptr) return then(denied());
      answer_access(user, **row, then);
    });
  });
}

bool Conversation::State::change_under_way(UserId user) const noexcept {
  if (channel()) return writing_users.contains(user);
  return in_flight && std::any_of(staged->members.begin(), staged->members.end(),
                                  [user](const auto& change) { return change.first == user; });
}

void Conversation::State::when_row_settled(UserId user, std::function<void()> then) {
  if (!change_under_way(user)) return then();
  row_waiters.push_back({user, std::move(then)});
}

void Conversation::State::serve_row_waiters() {
  for (const auto& waiter : std::exchange(head_waiters, {})) waiter();
  for (RowWaiter& waiter : std::exchange(row_waiters, {}))
    when_row_settled(waiter.user, std::move(waiter.then));
}

void Conversation::State::with_settled_member(
    UserId user, std::function<void(Result<const layout::MemberRow*>)> then) {
  when_row_settled(user, [this, user, then = std::move(then)] {
    when_loaded([this, user, then](const Error& error) {  // it may have gone wrong meanwhile
      if (error) return then(error);
      with_member(user, then);
    });
  });
}

void Conversation::State::answer_access(UserId user, layout::MemberRow row, Then<Access> then) {
  with_receipt(user, [this, user, row, then](Result<layout::ReceiptRow> receipt) {
    if (!receipt) return then(std::move(receipt).error());
    with_counts([this, user, row, receipt = *receipt, then](const Error& error) {
      if (error) return then(error);
      const bool any = row.own_deletion_ms != 0;
      with_own_deletions(
          user, any, [this, user, row, receipt, then](const Result<OwnDeletionsPtr>& own) {
            if (!own) return then(own.error());
            with_mentions(user, [this, user, row, receipt, own = *own, then](const Error& unread) {
              if (unread) return then(unread);
              if (inherits) return answer_by_space(user, receipt, own, then);
              answer_access(user, newest_row(user, row), receipt, own, then);
            });
          });
    });
  });
}

/// Rows may have moved while others were read: the newest known one counts.
layout::MemberRow Conversation::State::newest_row(UserId user, layout::MemberRow row) {
  if (const layout::MemberRow* known = channel() ? nullptr : members.find(user)) row = *known;
  if (channel()) {
    const auto* entry = channel_members.find(user);
    if (entry != nullptr && entry->phase == MemberRows::Phase::ready && entry->present)
      row = entry->row;
    apply_decided(user, row);
  }
  return row;
}

void Conversation::State::answer_access(UserId user, const layout::MemberRow& row,
                                        const layout::ReceiptRow& receipt, OwnDeletionsPtr own,
                                        const Then<Access>& then) {
  if (ended()) return then(denied());  // while rows were read
  if (OwnDeletionsPtr newest = own_deletions_of(user)) own = std::move(newest);
  if (row.own_deletion_ms != 0 && !own) return answer_access(user, row, then);  // meanwhile
  Access access = build_access(user, row);
  access.receipt = receipt;
  access.deleted = gone_after(
      std::max({receipt.read_ordinal, row.visible_ordinal, head.floor_ordinal}), own.get());
  access.mentions = mentions_after(user, mentions_from(receipt.read, row, head.floor), own.get());
  access.deletions = std::move(own);
  then(std::move(access));
}

Access Conversation::State::build_access(UserId user, const layout::MemberRow& row) const {
  Access access;
  access.kind = info.kind;
  access.title = info.settings.title;
  access.avatar = info.settings.avatar;
  access.archived = info.settings.archived;
  if (info.kind == ConversationKind::direct)
    access.peer = info.first == user ? info.second : info.first;
  access.role = row.role;
  access.audiences = audiences_of(info.kind, row);
  access.unheard = row.shadowed || ignored(user) || ignores(user);
  access.ignores = ignores(user);
  access.visible_from = row.visible_from;
  access.visible_ordinal = row.visible_ordinal;
  access.left_at = row.role == Role::none ? row.left_at : 0;
  access.head = {head.epoch, head.head, head.mark};
  access.head_ordinal = head.ordinal;
  access.floor = head.floor;
  access.floor_mark = head.floor_mark;
  access.floor_ordinal = head.floor_ordinal;
  access.shown_ms = head.shown_ms;
  access.members = member_count();
  access.space = info.space;
  return access;
}

// ---- Operations ----

Error check_creation(const Creation& creation) {
  if (creation.kind != ConversationKind::group && !scattered(creation.kind))
    return bad("kind: expected group, channel or space");
  if (creation.join && !known_rule(*creation.join))
    return bad("join: expected added, open or by_request");
  if (creation.child.space && creation.join == JoinRule::by_request)
    return bad("join: a channel of a space is open or added");
  if (Error error = check_title(creation.title)) return error;
  return check_users(creation.members);
}

void Conversation::create(Caller caller, Creation creation, Then<Access> then) {
  if (Error error = check_creation(creation)) return then(std::move(error));
  if (creation.child.entries.empty()) make_unique(creation.members, caller.user);
  state_->arrive({.caller = caller, .what = CreateOp{std::move(creation), std::move(then)}});
}

void Conversation::create_direct(UserId first, UserId second, UserId asking, Then<Access> then) {
  if (!first || !second || first == second)
    return then(bad("a direct conversation needs two different users"));
  if (asking && asking != first && asking != second) return then(denied());
  if (second < first) std::swap(first, second);
  state_->arrive({.caller = {asking, {}}, .what = DirectOp{first, second, std::move(then)}});
}

void Conversation::join(Caller caller, Then<Access> then) {
  if (caller.system()) return then(bad("the system is no member and cannot join"));
  state_->arrive({.caller = caller, .what = JoinOp{{}, std::move(then)}});
}

void Conversation::leave(Caller caller, Then<void> then) {
  if (caller.system()) return then(bad("the system is no member and cannot leave"));
  state_->arrive({.caller = caller, .what = LeaveOp{std::move(then)}});
}

void Conversation::add(Caller caller, std::vector<UserId> users, Then<void> then) {
  if (users.empty()) return then(bad("members: expected at least one user"));
  if (Error error = check_users(users)) return then(std::move(error));
  make_unique(users, {});
  state_->arrive({.caller = caller, .what = AddOp{std::move(users), std::move(then)}});
}

void Conversation::remove(Caller caller, UserId user, Then<void> then) {
  if (!user) return then(bad("user: nobody was named"));
  state_->arrive({.caller = caller, .what = RemoveOp{user, std::move(then)}});
}

void Conversation::set_role(Caller caller, UserId user, Role role, Then<void> then) {
  if (!user) return then(bad("user: nobody was named"));
  if (!known_role(role)) return then(bad("role: expected a role from read_only to owner"));
  state_->arrive({.caller = caller, .what = RoleOp{user, role, std::move(then)}});
}

void Conversation::transfer(Caller caller, UserId user, Then<void> then) {
  if (caller.system()) return then(bad("the system owns nothing; set_role makes owners"));
  if (!user || user == caller.user) return then(bad("user: expected another member"));
  state_->arrive({.caller = caller, .what = TransferOp{user, std::move(then)}});
}

// ---- Reads ----

namespace {
/// The store may show what the commit under way made before its verdict is here.
template <class State>
void when_told(State& state, Seq told, std::function<void()> then) {
  if (!state.in_flight || told <= state.head.head) return then();
  state.head_waiters.push_back([&state, told, before = state.head.nonce, then = std::move(then)] {
    const bool open = state.in_flight && state.head.nonce == before;  // a row's change ended
    open ? when_told(state, told, then) : then();
  });
}
}  // namespace

void Conversation::mark_read(Caller caller, Seq received, Seq read, Then<void> then) {
  State& state = *state_;
  if (caller.system()) return then(bad("the system has no positions"));
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  when_told(state, std::max(received, read), [&state, caller, received, read, then] {
    state.when_loaded([&state, caller, received, read, then](const Error& error) {
      if (error) return then(error);
      state.with_settled_member(caller.user, [&state, caller, received, read,
                                              then](Result<const layout::MemberRow*> row) {
        if (!row) return then(std::move(row).error());
        if (*row == nullptr || (*row)->role == Role::none) return then(denied());
        state.mark_read(caller, **row, received, read, then);
      });
    });
  });
}

void Conversation::access(UserId user, Then<Access> then, Seq told) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  when_told(state, told, [&state, user, then] { state.answer_access(user, !user, then); });
}

void Conversation::visible(UserId user, Then<Visible> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  const auto answer = [&state, user](const layout::MemberRow& row) {
    const bool ended = row.role == Role::none;
    return Visible{row.visible_from,
                   ended ? row.left_at : state.head.head,
                   {user, audiences_of(state.info.kind, row), state.own_deletions_of(user)},
                   ended};
  };
  // What with_settled_reader() would answer at once: pages of history ask one after the other.
  const auto in_memory = [&state, user]() -> std::optional<layout::MemberRow> {
    if (state.phase != State::Phase::ready || state.ended() || state.inherits) return {};
    if (state.change_under_way(user)) return {};
    std::optional<layout::MemberRow> row;
    if (!state.channel()) {
      if (const layout::MemberRow* member = state.members.find(user)) row = *member;
    } else if (const MemberRows::Entry* entry = state.channel_members.find(user)) {
      if (entry->phase != MemberRows::Phase::ready || !entry->present) return {};
      row = entry->row;
      state.apply_decided(user, *row);
    }
    if (row && row->own_deletion_ms != 0 && !state.own_deletions_of(user)) return {};
    return row;
  };
  if (const auto row = in_memory()) return then(answer(*row));
  then = counted(state.reads, state.alive, std::move(then));
  state.with_settled_reader(user, [answer, then](Result<const layout::MemberRow*> row) {
    if (!row) return then(std::move(row).error());
    if (*row == nullptr) return then(denied());
    then(answer(**row));
  });
}

void Conversation::allows(Caller caller, Action action, Then<void> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, action, then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return then({});
    state.with_settled_member(caller.user,
                              [&state, action, then](Result<const layout::MemberRow*> row) {
                                if (!row) return then(std::move(row).error());
                                const Role role = *row == nullptr ? Role::none : (*row)->role;
                                then(state.may(action, role) ? Result<void>() : denied());
                              });
  });
}

void Conversation::may_write(Caller caller, Then<bool> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, then](const Error& error) {
    if (error) return then(error);
    state.with_settled_member(
        caller.user, [&state, caller, then](Result<const layout::MemberRow*> row) {
          if (!row) return then(std::move(row).error());
          const layout::MemberRow known = *row == nullptr ? layout::MemberRow{} : **row;
          Error no = state.may(Action::send, known.role) ? state.hindered(caller) : denied();
          if (!no && state.slowed(caller, known.role))
            no = {Errc::denied, "slow mode is on: messages come whole, none grows"};
          if (no) return then(std::move(no));
          then(!state.build_access(caller.user, known).unheard);
        });
  });
}

namespace {
/// Whether the row is that of somebody who is a member now.
Error check_member(const Result<const layout::MemberRow*>& row) {
  if (!row) return row.error();
  return *row != nullptr && (*row)->role != Role::none ? Error() : denied();
}
}  // namespace

void Conversation::members(Caller caller, wire::Members asked, Then<wire::MembersPage> then) {
  State& state = *state_;
  if (asked.limit == 0 || asked.limit > limits::page_members)
    return then(bad("limit: expected 1 to 500 members"));
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, asked = std::move(asked), then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return state.list_members(caller, asked, then);
    state.with_settled_member(
        caller.user, [&state, caller, asked, then](Result<const layout::MemberRow*> row) {
          if (Error no = check_member(row)) return then(std::move(no));
          state.list_members(caller, asked,
                             state.inherits ? state.still_member(caller.user, then) : then);
        });
  });
}

void Conversation::count_members(Caller caller, Then<std::uint64_t> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return state.count_everybody(then);
    state.with_settled_member(caller.user,
                              [&state, then](const Result<const layout::MemberRow*>& row) {
                                if (Error no = check_member(row)) return then(std::move(no));
                                state.count_everybody(then);
                              });
  });
}

void Conversation::seen(Caller caller, Seq seq, Then<std::uint64_t> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, seq, then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return state.seen({}, seq, then);
    state.with_settled_member(caller.user,
                              [&state, caller, seq, then](Result<const layout::MemberRow*> row) {
                                if (Error no = check_member(row)) return then(std::move(no));
                                if (seq < (*row)->visible_from) return then(denied());
                                state.seen(caller.user, seq, then);
                              });
  });
}

void Conversation::check_members(Caller caller, std::vector<UserId> users,
                                 Then<std::vector<UserId>> then) {
  State& state = *state_;
  if (users.size() > limits::watched_users)
    return then(Error{Errc::limit_reached, "users: at most 1,000 at once"});
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, users = std::move(users), then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return state.filter_members(users, then);
    state.with_settled_member(caller.user,
                              [&state, users, then](Result<const layout::MemberRow*> row) {
                                if (Error no = check_member(row)) return then(std::move(no));
                                state.filter_members(users, then);
                              });
  });
}

}  // namespace parley::core
