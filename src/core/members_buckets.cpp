// members_buckets.cpp: a channel's member partitions: rows written one guarded commit a bucket,
// read by key, counted in the guards.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/members_page.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::size_t writes_at_once = 7;  // users that fit into one note

/// Whether the users' lists may say something else after it.
bool concerns_lists(const MemberWrite& write) {
  return write.what != MemberWrite::What::own_deletion && write.what != MemberWrite::What::keep;
}

bool brings_in(const MemberWrite& write) {
  return write.what == MemberWrite::What::join || write.what == MemberWrite::What::admit;
}

}  // namespace

// ---- Writes ----

struct Conversation::State::BucketJob {
  std::uint16_t bucket = 0;
  std::string partition;
  std::vector<MemberWrite> writes;
  std::optional<std::string> guard;
  layout::CountCell cell;
  struct Kept {
    UserId user;
    std::string new_name;  // of who may come in
    std::optional<layout::MemberRow> row;
    std::string name;  // that the row is found by; empty: by none
    bool changed = false;
    bool told = false;                // to the feed: who is in changed
    bool came = false, went = false;  // in or out of a space, with this commit
    bool renumbered = false;          // in it already, under another entry now
    bool full = false;                // of spaces: comes into no other

    /// False when there is a value that cannot be read.
    bool take(const std::optional<Bytes>& value) {
      row = value ? layout::decode_member(*value) : std::nullopt;
      name = row ? layout::decode_member_name(*value) : std::string();
      return row.has_value() == value.has_value();
    }
    /// `inherits`: who is in by the space alone is found by its name there.
    void put(BatchWriter& writer, bool inherits) const {
      const bool in = row->role != Role::none && (!inherits || row->since_ms != 0);
      const std::string& now = in && name.empty() ? new_name : name;
      writer.put(layout::member_key(user), layout::encode(*row, in ? now : std::string()));
      if (in && name.empty() && !now.empty()) writer.put(layout::member_name_key(now, user), {});
      if (!in && !name.empty()) writer.erase(layout::member_name_key(name, user));
    }
  };
  std::vector<Kept> rows;
  std::vector<layout::Beginnings::One> beginnings;  // of whoever comes into a space
  std::vector<Result<layout::MemberRow>> results;
  std::string new_guard;
  bool unsure = false;  // an attempt may have landed before
};

void Conversation::State::write_member(MemberWrite write) {
  if (space() && write.what == MemberWrite::What::join) write.admission = next_entry(write.user);
  const auto bucket = layout::bucket_of(write.user, layout::channel_member_buckets);
  writing_users.insert(write.user);
  buckets[bucket].waiting.push_back(std::move(write));
  if (!counts.empty()) return run_bucket(bucket);
  with_counts([this, bucket](const Error& error) {
    if (!error) return run_bucket(bucket);
    auto failed = std::exchange(buckets[bucket].waiting, {});
    for (MemberWrite& refused : failed) {
      writing_users.erase(writing_users.find(refused.user));
      refused.then(error);
    }
  });
}

void Conversation::State::write_members(std::vector<MemberWrite> writes,
                                        std::function<void(Error)> then) {
  struct Job {
    std::size_t left;
    Error error;
    std::function<void(Error)> then;
  };
  auto job = std::make_shared<Job>(Job{writes.size() + 1, {}, std::move(then)});
  const auto one_done = [job] {
    if (--job->left == 0) job->then(std::move(job->error));
  };
  for (MemberWrite& write : writes) {
    write.then = [job, one_done](Result<layout::MemberRow> row) {
      if (!row && !job->error) job->error = std::move(row).error();
      one_done();
    };
    write_member(std::move(write));
  }
  one_done();
}

void Conversation::State::run_bucket(std::uint16_t bucket) {
  Bucket& queue = buckets[bucket];
  if (queue.busy || queue.waiting.empty()) return;
  queue.busy = true;
  auto job = std::make_shared<BucketJob>();
  job->bucket = bucket;
  job->partition = layout::member_id(host.ns(), id, bucket);
  while (!queue.waiting.empty()) {
    const UserId user = queue.waiting.front().user;
    const bool known = std::any_of(job->rows.begin(), job->rows.end(),
                                   [user](const auto& kept) { return kept.user == user; });
    if (!known && job->rows.size() == writes_at_once) break;
    if (!known) job->rows.push_back({.user = user});
    job->writes.push_back(std::move(queue.waiting.front()));
    queue.waiting.pop_front();
  }
  name_members(std::move(job));
}

/// Who comes in is found by the name from then on.
void Conversation::State::name_members(std::shared_ptr<BucketJob> job) {
  std::vector<UserId> coming;
  for (const MemberWrite& write : job->writes)
    if (brings_in(write)) coming.push_back(write.user);
  if (coming.empty()) return read_bucket(std::move(job));
  host.names_of(std::move(coming), input<Result<std::vector<UserName>>>(
                                       [this, job](Result<std::vector<UserName>> names) {
                                         if (!names) return bucket_done(*job, names.error());
                                         for (const UserName& known : *names)
                                           for (auto& kept : job->rows)
                                             if (kept.user == known.id)
                                               kept.new_name = layout::searched_name(known.subject);
                                         begin_members(job);
                                       }));
}

/// Who comes into a space has nothing unread of what its channels hold already.
void Conversation::State::begin_members(std::shared_ptr<BucketJob> job) {
  if (!space()) return read_bucket(std::move(job));
  std::vector<UserId> users;
  for (const auto& kept : job->rows) users.push_back(kept.user);
  host.full_of_spaces(
      std::move(users),
      input<Result<std::vector<UserId>>>([this, job](const Result<std::vector<UserId>>& full) {
        if (!full) return bucket_done(*job, full.error());
        for (auto& kept : job->rows)
          kept.full = std::find(full->begin(), full->end(), kept.user) != full->end();
        with_beginnings([this, job](Result<std::vector<layout::Beginnings::One>> beginnings) {
          if (!beginnings) return bucket_done(*job, beginnings.error());
          job->beginnings = std::move(*beginnings);
          read_bucket(job);
        });
      }));
}

/// Guard first, in one scan with the first row; the other rows may be newer, never older.
void Conversation::State::read_bucket(std::shared_ptr<BucketJob> job) {
  auto request =
      owned_scan_of(layout::member, job->partition, layout::member_key(job->rows[0].user));
  scan(std::move(request), [this, job](Result<Rows> found) {
    if (!found) return bucket_done(*job, found.error());
    job->guard.reset();
    job->cell = {.indexed = true};
    if (found->guard) {
      const auto cell = layout::decode_count(*found->guard);
      if (!cell) return bucket_done(*job, unreadable("a member partition"));
      job->cell = *cell;
      job->guard = std::string(*found->guard);
    }
    if (!job->rows[0].take(found->rows.empty() ? std::optional<Bytes>() : found->rows[0].value))
      return bucket_done(*job, unreadable("a member partition"));
    if (job->rows.size() == 1) return commit_bucket(job);
    std::vector<OwnedCell> cells;
    for (std::size_t i = 1; i < job->rows.size(); ++i)
      cells.push_back({layout::member, job->partition, layout::member_key(job->rows[i].user)});
    get(owned_get(std::move(cells)), [this, job](Result<Cells> others) {
      if (!others) return bucket_done(*job, others.error());
      for (std::size_t i = 1; i < job->rows.size(); ++i) {
        if (!job->rows[i].take(others->values[i - 1]))
          return bucket_done(*job, unreadable("a member partition"));
      }
      commit_bucket(job);
    });
  });
}

/// A change that was decided by the conversation's own commit.
layout::MemberRow Conversation::State::apply_change(const MemberWrite& write,
                                                    std::optional<layout::MemberRow>& row,
                                                    std::int64_t& delta, bool& changed) const {
  const bool counted = row && row->role != Role::none;
  if (inherits) {
    const layout::PendingRow change{write.user, write.role, write.groups, write.shadowed,
                                    write.admission};
    changed = change_own_row(row, change, write.seq) || changed;
    const bool counts = row && row->role != Role::none;
    delta += counts && !counted ? 1 : counted && !counts ? -1 : 0;
    return row.value_or(layout::MemberRow{});
  }
  if (!row || row->left_at >= write.seq) return row.value_or(layout::MemberRow{});
  if (write.role == Role::none) {
    if (counted) --delta;
    row->left_at = write.seq;
  } else if (!counted) {
    return *row;
  }
  row->role = write.role;
  row->groups = write.groups;
  row->shadowed = write.shadowed;
  changed = true;
  return *row;
}

Result<layout::MemberRow> Conversation::State::apply(const MemberWrite& write,
                                                     std::optional<layout::MemberRow>& row,
                                                     std::int64_t& delta, bool& changed,
                                                     bool unsure) const {
  // A row of an earlier entry into the space says nothing.
  const bool holds = row && (!inherits || row->admission == write.admission);
  const bool counted = row && row->role != Role::none;
  const bool in = holds && counted;
  switch (write.what) {
    case MemberWrite::What::admit:
      if (row && row->admission == write.admission) return *row;  // made it, and may have left
      if (space() && row && row->admission > write.admission) return *row;  // came in otherwise
      if (in) {
        row->admission = write.admission;
        changed = true;
        return *row;
      }
      [[fallthrough]];
    case MemberWrite::What::join: {
      if (in || (write.birth && row)) return *row;
      if (member_count() + static_cast<std::uint64_t>(delta > 0 ? delta : 0) >=
          limits.channel_members)
        return too_many_members();
      layout::MemberRow fresh{
          .role = write.role, .since_ms = effects.now().wall_ms, .visible_ordinal = head.ordinal};
      if (row) fresh.left_at = row->left_at;  // changes up to that seq were applied
      if (row) fresh.shadowed = row->shadowed;
      if (row) fresh.own_deletion_ms = row->own_deletion_ms;
      fresh.admission = write.admission != 0 ? write.admission : row ? row->admission : 0;
      if (space() && row) fresh.admission = std::max(fresh.admission, row->admission + 1);
      row = fresh;
      if (!counted) ++delta;
      changed = true;
      return fresh;
    }
    case MemberWrite::What::leave:
      if (inherits && !holds)
        row = own_row(row, write.admission);  // in by the space alone
      else if (!in)
        return row && unsure ? Result<layout::MemberRow>(*row) : denied();
      row->role = Role::none;
      row->left_at = std::max(row->left_at, head.head);
      if (counted) --delta;
      changed = true;
      return *row;
    case MemberWrite::What::pending:
      return apply_change(write, row, delta, changed);
    case MemberWrite::What::keep:
      if (row) return *row;
      row = own_row(row, write.admission);
      ++delta;
      changed = true;
      return *row;
    case MemberWrite::What::own_deletion:
      if (inherits && !holds) row = own_row(row, write.admission);
      if (!row || row->role == Role::none) return denied();
      if (!counted) ++delta;
      row->own_deletion_ms = effects.now().wall_ms;
      changed = true;
      return *row;
  }
  return *row;
}

void Conversation::State::commit_bucket(std::shared_ptr<BucketJob> job) {
  std::int64_t delta = 0;
  job->results.clear();
  layout::Note note{.kind = layout::Note::Kind::channel_join};
  for (auto& kept : job->rows) {
    kept.changed = kept.told = kept.came = kept.went = kept.renumbered = false;
  }
  for (const MemberWrite& write : job->writes) {
    const auto kept = std::find_if(job->rows.begin(), job->rows.end(),
                                   [&](const auto& item) { return item.user == write.user; });
    if (kept->full && brings_in(write) && (!kept->row || kept->row->role == Role::none)) {
      job->results.push_back(
          Error{Errc::limit_reached, "members: one of them is in 100 spaces already"});
      continue;
    }
    bool changed = false;
    const std::int64_t before = delta;
    const std::uint64_t entry = kept->row ? kept->row->admission : 0;
    job->results.push_back(apply(write, kept->row, delta, changed, job->unsure));
    kept->changed = kept->changed || changed;
    kept->told = kept->told || (changed && concerns_lists(write));
    if (delta != before) kept->came = delta > before;
    if (delta != before) kept->went = delta < before;
    kept->renumbered |= delta == before && changed && kept->row->admission != entry;
  }
  BatchWriter writer(layout::member, job->partition, 192 * job->rows.size());
  bool any = false;
  for (const auto& kept : job->rows) {
    if (!kept.changed) continue;
    any = true;
    if (kept.told) note.users.push_back(kept.user);
    kept.put(writer, inherits);
    if (space() && (kept.came || kept.renumbered))
      writer.put(layout::beginnings_key(kept.user),
                 layout::encode(layout::Beginnings{kept.row->admission, job->beginnings}));
    if (space() && kept.went) writer.erase(layout::beginnings_key(kept.user));
  }
  if (!any) {
    if (job->unsure) host.feed_moved();  // an attempt landed and was overtaken
    return bucket_done(*job, {});
  }
  if (job->guard) writer.expect(*job->guard);
  job->cell.revision += 1;
  job->cell.count = static_cast<std::uint64_t>(
      std::max<std::int64_t>(static_cast<std::int64_t>(job->cell.count) + delta, 0));
  job->cell.nonce = effects.random();
  writer.guard(layout::encode(job->cell));
  const bool noted = !note.users.empty();
  if (noted) writer.note(layout::encode(note));
  commit(std::move(writer).finish(), [this, job, noted](Settled outcome) {
    switch (outcome.outcome) {
      case Settled::Outcome::done:
        bucket_done(*job, {});
        return noted ? host.feed_moved() : void();
      case Settled::Outcome::refused:
        job->unsure = job->unsure || outcome.unsure;
        return read_bucket(job);
      case Settled::Outcome::failed:
        return bucket_done(*job, outcome.error);
    }
  });
}

void Conversation::State::bucket_done(BucketJob& job, const Error& error) {
  if (!error) {
    if (!counts.empty()) counts[job.bucket] = static_cast<std::uint32_t>(job.cell.count);
    for (const auto& kept : job.rows) {
      MemberRows::Entry& entry = channel_members.insert(kept.user);
      entry.phase = MemberRows::Phase::ready;
      entry.present = kept.row.has_value();
      entry.row = kept.row.value_or(layout::MemberRow{});
      if (space() && kept.renumbered) tell_rights({{kept.user, false}}, [] {});
    }
  }
  const std::vector<MemberWrite> writes = std::move(job.writes);
  const std::vector<Result<layout::MemberRow>> results = std::move(job.results);
  buckets[job.bucket].busy = false;
  run_bucket(job.bucket);
  if (const auto at = buckets.find(job.bucket); !at->second.busy && at->second.waiting.empty())
    buckets.erase(at);
  for (const MemberWrite& write : writes) writing_users.erase(writing_users.find(write.user));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    writes[i].then(error ? Result<layout::MemberRow>(error) : results[i]);
  }
  serve_member_waiters();
  serve_row_waiters();
  if (!error) host.members_changed(id, info.kind);
  pump();
}

/// Removals and role changes that the member partitions do not have yet.
void Conversation::State::apply_pending() {
  if (phase != Phase::ready) return;
  for (PendingMember& change : pending) {
    if (change.queued || change.applied) continue;
    change.queued = true;
    write_member({.what = MemberWrite::What::pending,
                  .user = change.row.user,
                  .role = change.row.role,
                  .groups = change.row.groups,
                  .shadowed = change.row.shadowed,
                  .seq = change.seq,
                  .admission = change.row.entry,
                  .then = [this, seq = change.seq](Result<layout::MemberRow> row) {
                    for (PendingMember& made : pending) {
                      if (made.seq != seq) continue;
                      made.applied = row.ok();
                      made.queued = row.ok();  // else again with the timer
                    }
                    start_flush_timer();
                  }});
  }
}

void Conversation::State::apply_decided(UserId user, layout::MemberRow& row,
                                        bool speculative) const noexcept {
  const auto decide = [&](const PendingMember& change) {
    // A row that was left at or after that seq has it, whoever came back since.
    if (change.row.user != user || change.applied || row.left_at >= change.seq) return;
    if (row.role != Role::none) {
      row.role = change.row.role;
      row.groups = change.row.groups;
      row.shadowed = change.row.shadowed;
    }
    if (change.row.role == Role::none) row.left_at = change.seq;
  };
  for (const PendingMember& change : pending) decide(change);
  if (speculative && staged)
    for (const PendingMember& change : staged->pending) decide(change);
}

void Conversation::State::clear_busy(UserId user) {
  const auto at = std::find(busy_users.begin(), busy_users.end(), user);
  if (at != busy_users.end()) busy_users.erase(at);
}

// ---- Reads ----

void Conversation::State::with_member(UserId user,
                                      std::function<void(Result<const layout::MemberRow*>)> then) {
  if (!channel()) return then(members.find(user));
  if (inherits) forget_stranger(user);
  MemberWaiter waiter{user, std::move(then)};
  if (serve(waiter)) return;
  member_waiters.push_back(std::move(waiter));
  read_wanted();
}

/// Answers with the committed row when it is in memory, else wants it.
bool Conversation::State::serve(MemberWaiter& waiter) {
  MemberRows::Entry* entry = channel_members.find(waiter.user);
  if (entry == nullptr || entry->phase == MemberRows::Phase::loading) {
    want(waiter.user);
    return false;
  }
  if (entry->phase == MemberRows::Phase::failed) {
    const Error error = entry->error;
    channel_members.erase(waiter.user);
    waiter.then(error);
    return true;
  }
  if (inherits) return serve_by_space(waiter, *entry);
  std::optional<layout::MemberRow> row;
  if (entry->present)
    row = entry->row;
  else
    channel_members.erase(waiter.user);
  if (row) apply_decided(waiter.user, *row);
  waiter.then(row ? &*row : nullptr);
  return true;
}

void Conversation::State::serve_member_waiters() {
  if (member_waiters.empty() || phase != Phase::ready) return;
  auto asked = std::exchange(member_waiters, {});
  std::erase_if(asked, [this](MemberWaiter& waiter) { return serve(waiter); });
  member_waiters.insert(member_waiters.begin(), std::make_move_iterator(asked.begin()),
                        std::make_move_iterator(asked.end()));
}

void Conversation::State::with_counts(std::function<void(const Error&)> then) {
  if (!channel() || !counts.empty()) return then({});
  count_waiters.push_back(std::move(then));
  if (reading_counts) return;
  reading_counts = true;
  std::vector<OwnedCell> cells;
  for (std::uint16_t bucket = 0; bucket < layout::channel_member_buckets; ++bucket)
    cells.push_back({layout::member, layout::member_id(host.ns(), id, bucket), {}});
  get(owned_get(std::move(cells)), [this](Result<Cells> guards) {
    reading_counts = false;
    Error error;
    if (guards) {
      counts.assign(layout::channel_member_buckets, 0);
      for (std::size_t i = 0; i < counts.size(); ++i) {
        if (!guards->values[i]) continue;
        if (const auto cell = layout::decode_count(*guards->values[i]))
          counts[i] = static_cast<std::uint32_t>(cell->count);
      }
    } else {
      error = guards.error();
    }
    for (auto& waiter : std::exchange(count_waiters, {})) waiter(error);
  });
}

std::uint64_t Conversation::State::member_count() const noexcept {
  if (!channel()) return head.members;
  std::uint64_t sum = 0;
  for (const std::uint32_t count : counts) sum += count;
  return sum;
}

void Conversation::State::count_everybody(Then<std::uint64_t> then) {
  if (!inherits) {
    return with_counts([this, then = std::move(then)](const Error& error) {
      error ? then(error) : then(member_count());
    });
  }
  const std::uint32_t limit = info.settings.join == JoinRule::open ? 1 : limits::page_members;
  list_by_space({}, wire::Members{.conversation = id, .limit = limit},
                [then = std::move(then)](Result<wire::MembersPage> page) {
                  page ? then(page->count) : then(std::move(page).error());
                });
}

// ---- Pages ----

void Conversation::State::list_members(const Caller& caller, const wire::Members& asked,
                                       Then<wire::MembersPage> then) {
  inherits ? list_by_space(caller, asked, std::move(then))
           : list_rows(caller, asked, std::move(then));
}

/// Those who have rows of their own.
void Conversation::State::list_rows(const Caller& caller, const wire::Members& asked,
                                    Then<wire::MembersPage> then) {
  auto job = std::make_shared<PageJob>();
  job->caller = caller;
  job->page.conversation = id;
  job->limit = asked.limit;
  job->after = asked.after;
  job->prefix = layout::searched_name(asked.prefix);
  job->then = std::move(then);
  if (!job->prefix.empty()) return search_members(std::move(job));
  if (channel()) {
    if (job->after) job->bucket = layout::bucket_of(job->after, layout::channel_member_buckets);
    return with_counts([this, job](const Error& error) {
      if (error) return job->then(error);
      job->page.count = member_count();
      list_bucket(job);
    });
  }
  with_receipt({}, [this, job](Result<layout::ReceiptRow> loaded) {
    if (!loaded) return job->then(std::move(loaded).error());
    job->page.count = head.members;
    for (const auto& [user, row] : members.items()) {
      if (user <= job->after || row.role == Role::none) continue;
      if (job->full()) break;
      show_member(job->caller, user, row, job->page);
    }
    job->then(std::move(job->page));
  });
}

void Conversation::State::show_member(const Caller& caller, UserId user,
                                      const layout::MemberRow& row, wire::MembersPage& page) {
  page.members.push_back(shown_member(user, row));
  const auto receipt = receipts[0].rows.find(user);
  if (receipt == receipts[0].rows.end()) return;
  if (user != caller.user && ignores(user)) return;
  const layout::ReceiptRow& known = receipt->second;
  const Seq shown = caller.hides_reads ? 0 : known.shown;
  page.receipts.push_back({user, known.received, user == caller.user ? known.read : shown});
}

/// Channels: by bucket, then by user; empty buckets are passed over.
void Conversation::State::list_bucket(std::shared_ptr<PageJob> job) {
  constexpr std::uint16_t end = layout::channel_member_buckets;
  while (job->bucket < end && (counts.empty() || counts[job->bucket] == 0)) {
    ++job->bucket;
    job->after = {};
  }
  if (job->bucket == end) return job->then(std::move(job->page));
  auto request = owned_scan(layout::member, layout::member_id(host.ns(), id, job->bucket),
                            layout::member_key(UserId{job->after.value + 1}), "n");
  request.max_rows = job->limit + 1;
  scan(std::move(request), [this, job](Result<Rows> rows) {
    if (!rows) return job->then(rows.error());
    for (const Row& found : rows->rows) {
      const auto user = layout::parse_number_key('m', found.key);
      auto row = layout::decode_member(found.value);
      if (!user || !row) return job->then(unreadable("a member partition"));
      job->after = UserId{*user};
      apply_decided(job->after, *row);
      if (row->role == Role::none) continue;
      if (job->full()) return job->then(std::move(job->page));
      job->page.members.push_back(shown_member(job->after, *row));
    }
    if (!rows->more) {
      ++job->bucket;
      job->after = {};
    }
    list_bucket(job);
  });
}

}  // namespace parley::core
