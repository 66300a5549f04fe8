// children.cpp: a channel of a space. Who is in the space is in the channel while it is open; the
// space says who that is, and takes it back before it answers whoever ended it (ShardState,
// space_changed).
#include <algorithm>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/members_page.hpp"

namespace parley::core {
namespace {

constexpr int right_attempts_most = 4;

}  // namespace

// ---- The space's side ----

void Conversation::right(UserId user, std::uint32_t child, Then<SpaceRight> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, user, child, then](const Error& error) {
    if (error && error.errc() != Errc::denied) return then(error);
    if (error || !state.space()) return then(SpaceRight{});  // it is gone, or never was
    state.with_counts([&state, user, child, then](const Error& uncounted) {
      uncounted ? then(uncounted) : state.right_of(user, child, right_attempts_most, then);
    });
  });
}

/// The member row last, in the turn of the answer: what the space tells of its changes afterwards
/// comes after it, wherever it goes.
void Conversation::State::right_of(UserId user, std::uint32_t number, int attempts,
                                   Then<SpaceRight> then) {
  const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
  const std::string partition = layout::member_id(host.ns(), id, bucket);
  get(owned_get({{layout::member, partition, layout::beginnings_key(user)}}),
      [this, user, number, attempts, then = std::move(then)](Result<Cells> cells) {
        if (!cells) return then(std::move(cells).error());
        const auto& value = cells->values[0];
        const auto begun = value ? layout::decode_beginnings(*value) : std::nullopt;
        with_settled_member(user, [this, user, number, attempts, begun,
                                   then](Result<const layout::MemberRow*> row) {
          if (!row) return then(std::move(row).error());
          if (*row == nullptr || (*row)->role == Role::none) return then(SpaceRight{});
          const bool fits = begun && begun->entry == (*row)->admission;
          if (!fits && attempts > 1) return right_of(user, number, attempts - 1, then);
          SpaceRight right{.role = (*row)->role,
                           .entry = (*row)->admission,
                           .since_ms = (*row)->since_ms,
                           .members = member_count(),
                           .beginning = fits ? begun->of(number) : 0,
                           .shadowed = (*row)->shadowed};
          if (const auto at = restrictions.find(user); at != restrictions.end())
            right.mute = at->second.mute;
          then(std::move(right));
        });
      });
}

// ---- The channel's side ----

void Conversation::State::want_right(UserId user) {
  if (rights.find(user) != nullptr) return;
  rights.insert(user);
  wanted_rights.push_back(user);
  if (wanted_rights.size() > 1) return;
  host.later([this, here = std::weak_ptr<const void>(alive)](Shard&) {
    if (!here.expired()) ask_rights();
  });
}

bool Conversation::State::right_ready(UserId user) {
  if (building) asked_rights.push_back(user);
  const RightRows::Entry* entry = rights.find(user);
  if (entry == nullptr) want_right(user);
  return entry != nullptr && entry->phase != RightRows::Phase::loading;
}

void Conversation::State::ask_rights() {
  std::vector<UserId> users = std::exchange(wanted_rights, {});
  outstanding += users.size();
  host.space_rights(
      info.space, info.child_number, std::move(users),
      [this, here = std::weak_ptr<const void>(alive)](UserId user, Result<SpaceRight> told) {
        if (here.expired()) return;
        --outstanding;
        right_told(user, std::move(told));
      });
}

void Conversation::State::right_told(UserId user, Result<SpaceRight> told) {
  RightRows::Entry* entry = rights.find(user);
  if (entry == nullptr || entry->phase != RightRows::Phase::loading) return;
  entry->phase = told ? RightRows::Phase::ready : RightRows::Phase::failed;
  if (!told || told->role == Role::none) strangers.push_back(user);
  if (told && told->members != 0) space_members = told->members;
  if (told)
    entry->row = std::move(*told);
  else
    entry->error = std::move(told).error();
  serve_member_waiters();
  pump();
}

/// Nobody is kept out by what was so once: that somebody is not in the space serves who waits for
/// it, to the end of the build in which none of those waits for anything else.
void Conversation::State::forget_strangers() {
  std::erase_if(strangers, [this](UserId user) {
    if (std::find(kept_rights.begin(), kept_rights.end(), user) != kept_rights.end()) return false;
    forget_stranger(user);
    return true;
  });
}

void Conversation::State::forget_stranger(UserId user) {
  const RightRows::Entry* entry = rights.find(user);
  if (entry == nullptr || entry->phase == RightRows::Phase::loading) return;
  if (entry->phase == RightRows::Phase::failed || entry->row.role == Role::none) rights.erase(user);
}

const SpaceRight* Conversation::State::right(UserId user, bool& later, Error& error) {
  if (building) asked_rights.push_back(user);
  RightRows::Entry* entry = rights.find(user);
  if (entry == nullptr || entry->phase == RightRows::Phase::loading) {
    want_right(user);
    later = true;
    return nullptr;
  }
  if (entry->phase == RightRows::Phase::failed) error = entry->error;
  const bool in = entry->phase == RightRows::Phase::ready && entry->row.role != Role::none;
  return in ? &entry->row : nullptr;
}

std::uint64_t Conversation::State::entry_now(UserId user) {
  const RightRows::Entry* entry = inherits ? rights.find(user) : nullptr;
  return entry != nullptr ? entry->row.entry : 0;
}

std::optional<layout::MemberRow> Conversation::State::own_row_now(UserId user,
                                                                  const MemberRows::Entry& entry,
                                                                  bool speculative) const {
  std::optional<layout::MemberRow> own;
  if (entry.present) own = entry.row;
  const auto decide = [&](const PendingMember& change) {
    if (change.row.user == user && !change.applied) change_own_row(own, change.row, change.seq);
  };
  for (const PendingMember& change : pending) decide(change);
  if (speculative && staged)
    for (const PendingMember& change : staged->pending) decide(change);
  return own;
}

/// The own row is in memory. Nothing: a stranger, or as right() says.
std::optional<layout::MemberRow> Conversation::State::member_by_space(UserId user, bool& later,
                                                                      Error& error) {
  const SpaceRight* known = right(user, later, error);
  const MemberRows::Entry* own = channel_members.find(user);
  if (known == nullptr || own == nullptr) return std::nullopt;
  return inherit(info_now(), *known, own_row_now(user, *own, true), banned(user));
}

bool Conversation::State::serve_by_space(MemberWaiter& waiter, const MemberRows::Entry& own) {
  bool later = false;
  Error error;
  const SpaceRight* known = right(waiter.user, later, error);
  if (later) return false;
  if (error) {
    waiter.then(error);
    return true;
  }
  std::optional<layout::MemberRow> row;
  if (known != nullptr)
    row = inherit(info, *known, own_row_now(waiter.user, own, false), banned(waiter.user));
  waiter.then(row ? &*row : nullptr);
  return true;
}

/// What the user is here may have changed while receipts and mentions were read.
void Conversation::State::answer_by_space(UserId user, const layout::ReceiptRow& receipt,
                                          const OwnDeletionsPtr& own, const Then<Access>& then) {
  const MemberRows::Entry* row = channel_members.find(user);
  if (row == nullptr || row->phase != MemberRows::Phase::ready || change_under_way(user))
    return answer_access(user, false, then);
  bool later = false;
  Error error;
  const SpaceRight* known = right(user, later, error);
  if (later || error) return answer_access(user, false, then);
  std::optional<layout::MemberRow> now;
  if (known != nullptr) now = inherit(info, *known, own_row_now(user, *row, false), banned(user));
  now ? answer_access(user, *now, receipt, own, then) : then(denied());
}

layout::MemberRow Conversation::State::row_to_change(UserId user) {
  if (inherits)
    return own_row(own_row_now(user, *channel_members.find(user), true), entry_now(user));
  bool later = false;
  Error ignored;
  return *member(user, later, ignored);  // a target: it is in memory
}

/// What users keep about the channel goes with it: those who have a row here are found then.
void Conversation::State::keep_own_row(UserId user, std::function<void(const Error&)> then) {
  if (!inherits) return then({});
  with_settled_member(
      user, [this, user, then = std::move(then)](const Result<const layout::MemberRow*>& row) {
        if (!row) return then(row.error());
        if (ended()) return then(denied());
        const MemberRows::Entry* own = channel_members.find(user);
        if (own != nullptr && own->present) return then({});
        write_member({.what = MemberWrite::What::keep,
                      .user = user,
                      .admission = entry_now(user),
                      .then = [then](const Result<layout::MemberRow>& kept) {
                        then(kept ? Error() : kept.error());
                      }});
      });
}

// ---- Pages of members ----

/// Of an open channel those of the space, of a private one those who have a row: when that is a
/// page, they are counted; else the rows are, with those of whom the space let go.
void Conversation::State::list_by_space(const Caller& caller, const wire::Members& asked,
                                        Then<wire::MembersPage> then) {
  const auto shown = [this, caller, asked, then](Result<wire::MembersPage> page) {
    if (!page) return then(std::move(page).error());
    page->conversation = id;
    const UserId last = page->members.empty() ? UserId{} : page->members.back().user;
    const bool more = page->more;
    const bool open = info.settings.join == JoinRule::open;
    const bool all = !open && !asked.after && !more && asked.prefix.empty();
    show_by_space(std::move(*page),
                  [this, caller, asked, last, more, all, then](Result<wire::MembersPage> here) {
                    if (here && all) here->count = here->members.size();
                    if (!here || !here->members.empty() || !more || !asked.prefix.empty())
                      return then(std::move(here));
                    wire::Members next = asked;  // none of those is here: the page after them
                    next.after = last;
                    list_by_space(caller, next, then);
                  });
  };
  if (info.settings.join == JoinRule::open)
    return host.space_members(info.space, asked, input<Result<wire::MembersPage>>(shown));
  list_rows(caller, asked, shown);
}

void Conversation::State::show_by_space(wire::MembersPage page, Then<wire::MembersPage> then) {
  struct Job {
    wire::MembersPage page;
    std::vector<std::optional<Member>> here;
    std::size_t open = 1;
    Error error;
    Then<wire::MembersPage> then;
    void one_done() {
      if (--open > 0) return;
      if (error) return then(error);
      page.members.clear();
      for (const auto& member : here)
        if (member) page.members.push_back(*member);
      then(std::move(page));
    }
  };
  auto job = std::make_shared<Job>();
  job->page = std::move(page);
  job->then = std::move(then);
  job->here.resize(job->page.members.size());
  job->open += job->here.size();
  for (std::size_t i = 0; i < job->here.size(); ++i) {
    const UserId user = job->page.members[i].user;
    with_settled_member(user, [job, user, i](Result<const layout::MemberRow*> row) {
      if (!row)
        job->error = row.error();
      else if (*row != nullptr && (*row)->role != Role::none)
        job->here[i] = shown_member(user, **row);
      job->one_done();
    });
  }
  job->one_done();
}

// ---- Taken back ----

void Conversation::right_changed(UserId user, std::function<void()> then) {
  State& state = *state_;
  ++state.rights_version;
  if (!user) {
    state.rights.trim(0);
  } else if (const auto* entry = state.rights.find(user);
             entry != nullptr && entry->phase != RightRows::Phase::loading) {
    state.rights.erase(user);  // what is asked for is told by the space as it is now
  }
  state.when_verdict(std::move(then));
}

/// Runs `then` once the commit under way, if there is one, has its verdict.
void Conversation::State::when_verdict(std::function<void()> then) {
  if (!in_flight && !doubtful) return then();
  head_waiters.push_back([this, before = head.nonce, then = std::move(then)] {
    const bool open = (in_flight || doubtful) && head.nonce == before;
    open ? when_verdict(then) : then();
  });
}

}  // namespace parley::core
