// own_deletions.cpp: what members delete for themselves alone: rows in the personal partition,
// which are read only of a member whose row says that there are some.
#include "core/own_deletions.hpp"
#include "core/read_as_member.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t rows_per_scan = 4'096;
constexpr std::size_t own_erased_at_once = 500;
constexpr std::size_t member_bytes = 9 + 55;

Error no_messages() {
  return {Errc::invalid_argument, "seqs: expected the seqs of messages you can see"};
}

bool by_seq(const OwnDeletions::Item& a, const OwnDeletions::Item& b) { return a.seq < b.seq; }

}  // namespace

// ---- The set ----

OwnDeletions::OwnDeletions(std::vector<Item> items, std::uint64_t revision)
    : items_(std::move(items)), revision_(revision) {
  for (const Item& item : items_)
    if (item.row.ordinal != 0) ordinals_.push_back(item.row.ordinal);
  std::sort(ordinals_.begin(), ordinals_.end());
}

bool OwnDeletions::has(Seq seq) const noexcept {
  return std::binary_search(items_.begin(), items_.end(), Item{seq}, by_seq);
}

bool OwnDeletions::covers(const wire::RecordFields& event) const noexcept {
  if (has(event.seq) || (event.about != 0 && has(event.about))) return true;
  return event.kind == EventKind::reactions && !event.tallies.empty() &&
         std::all_of(event.tallies.begin(), event.tallies.end(),
                     [this](const wire::Tally& tally) { return has(tally.seq); });
}

bool OwnDeletions::has_ordinal(std::uint64_t ordinal) const noexcept {
  return std::binary_search(ordinals_.begin(), ordinals_.end(), ordinal);
}

std::uint64_t OwnDeletions::counted(std::uint64_t base, std::uint64_t head) const noexcept {
  const auto from = std::upper_bound(ordinals_.begin(), ordinals_.end(), base);
  const auto to = std::upper_bound(from, ordinals_.end(), std::max(base, head));
  return static_cast<std::uint64_t>(to - from);
}

std::vector<Seq> OwnDeletions::replies(Seq root, Seq base) const {
  std::vector<Seq> found;
  for (auto at = std::upper_bound(items_.begin(), items_.end(), Item{base}, by_seq);
       at != items_.end(); ++at)
    if (at->row.thread_root == root) found.push_back(at->seq);
  return found;
}

std::vector<Seq> OwnDeletions::seqs() const {
  std::vector<Seq> all;
  all.reserve(items_.size());
  for (const Item& item : items_) all.push_back(item.seq);
  return all;
}

// ---- Reading ----

/// At once for who never deleted anything, and where it is in memory.
void Conversation::State::with_own_deletions(UserId user, bool any,
                                             std::function<void(Result<OwnDeletionsPtr>)> then) {
  if (!any && !own_deletions.contains(user)) return then(OwnDeletionsPtr());
  KnownDeletions& known = own_deletions[user];
  if (known.deletions) return then(known.deletions);
  known.waiters.push_back(std::move(then));
  if (known.waiters.size() > 1) return;
  read_own_deletions(std::make_shared<DeletionsRead>(
      DeletionsRead{.user = user, .partition = layout::personal_id(host.ns(), id, user)}));
}

void Conversation::State::with_settled_reader(
    UserId user, std::function<void(Result<const layout::MemberRow*>)> then) {
  with_settled_member(
      user, [this, user, then = std::move(then)](const Result<const layout::MemberRow*>& row) {
        const bool any = row && *row != nullptr && (*row)->own_deletion_ms != 0;
        if (!any || own_deletions_of(user)) return then(row);
        with_own_deletions(user, any, [this, user, then](const Result<OwnDeletionsPtr>& own) {
          if (!own) return then(own.error());
          with_settled_reader(user, then);  // the membership may have ended meanwhile
        });
      });
}

void Conversation::State::read_own_deletions(std::shared_ptr<DeletionsRead> read) {
  const bool first = read->items.empty();
  auto request = owned_scan(
      layout::personal, read->partition,
      first ? std::string("h") : layout::own_deletion_key(read->items.back().seq + 1), "i");
  request.max_rows = rows_per_scan;
  scan(std::move(request), [this, read, first](Result<Rows> rows) {
    if (!rows) return own_deletions_read(*read, rows.error());
    std::optional<std::string> guard;
    if (rows->guard) guard = std::string(*rows->guard);
    if (!first && guard != read->guard) {  // it moved between the pages
      read->items.clear();
      return read_own_deletions(read);
    }
    read->guard = std::move(guard);
    for (const Row& found : rows->rows) {
      const auto seq = layout::parse_number_key('h', found.key);
      const auto row = layout::decode_own_deletion(found.value);
      if (!seq || !row) return own_deletions_read(*read, unreadable("a personal partition"));
      read->items.push_back({*seq, *row});
    }
    if (rows->more && !rows->rows.empty()) return read_own_deletions(read);
    own_deletions_read(*read, {});
  });
}

void Conversation::State::own_deletions_read(DeletionsRead& read, Error error) {
  layout::CountCell cell;
  if (read.guard && !error) {
    const auto decoded = layout::decode_count(*read.guard);
    if (decoded)
      cell = *decoded;
    else
      error = unreadable("a personal partition");
  }
  KnownDeletions& known = own_deletions[read.user];
  const auto waiters = std::exchange(known.waiters, {});
  if (error) {
    own_deletions.erase(read.user);
    for (const auto& waiter : waiters) waiter(error);
    return;
  }
  // A commit may have come true since.
  if (!known.deletions || known.deletions->revision() < cell.revision) {
    known.guard = std::move(read.guard);
    known.deletions = std::make_shared<const OwnDeletions>(std::move(read.items), cell.revision);
  }
  const OwnDeletionsPtr now = known.deletions;
  for (const auto& waiter : waiters) waiter(now);
}

OwnDeletionsPtr Conversation::State::own_deletions_of(UserId user) const {
  const auto known = own_deletions.find(user);
  return known == own_deletions.end() ? nullptr : known->second.deletions;
}

/// Countable messages above `ordinal` that this reader does not see any more.
std::uint64_t Conversation::State::gone_after(std::uint64_t ordinal,
                                              const OwnDeletions* own) const noexcept {
  std::uint64_t gone = deleted_after(ordinal);
  if (own == nullptr) return gone;
  for (const OwnDeletions::Item& item : own->items()) {
    if (item.row.ordinal <= ordinal) continue;
    if (!std::binary_search(deleted.begin(), deleted.end(), item.row.ordinal)) ++gone;
  }
  return gone;
}

/// What can be read again, once it is more than a few or the home rests.
void Conversation::State::trim_own_deletions(bool all) {
  constexpr std::size_t kept = 64;
  if (!all && own_deletions.size() <= kept) return;
  std::erase_if(own_deletions, [](const auto& known) { return known.second.waiters.empty(); });
}

/// For the host: of who is no member any more, too.
void Conversation::deleted_by(UserId user, Then<std::vector<Seq>> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, user, then](const Error& error) {
    if (error) return then(error);
    state.with_own_deletions(user, true, [&state, then](Result<OwnDeletionsPtr> own) {
      if (!own) return then(std::move(own).error());
      std::vector<Seq> seqs = (*own)->seqs();
      std::erase_if(seqs, [floor = state.head.floor](Seq seq) { return seq < floor; });
      then(std::move(seqs));
    });
  });
}

// ---- Deleting ----

struct Conversation::State::OwnDeletionJob {
  Caller caller;
  Seq from = 0;                           // what the caller may see
  std::vector<OwnDeletions::Item> items;  // ascending
  Then<void> then;
};

void Conversation::delete_for_me(Caller caller, std::vector<Seq> seqs, Then<void> then) {
  if (caller.system())
    return then(Error{Errc::invalid_argument, "the system has no view of its own"});
  if (seqs.empty() || seqs.size() > limits::delete_for_me_at_once)
    return then(Error{Errc::invalid_argument, "seqs: expected 1 to 100 messages"});
  std::sort(seqs.begin(), seqs.end());
  seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then),
      [&state, caller, seqs = std::move(seqs)](Seq from, Reader reader, Then<void> answer) {
        if (seqs.front() < from || seqs.back() > state.head.head) return answer(no_messages());
        auto job = std::make_shared<State::OwnDeletionJob>();
        job->caller = caller;
        job->from = from;
        job->then = std::move(answer);
        std::vector<Seq> fresh;
        std::copy_if(seqs.begin(), seqs.end(), std::back_inserter(fresh), [&](Seq seq) {
          return reader.deletions == nullptr || !reader.deletions->has(seq);
        });
        state.look_at_deleted(std::move(job), std::move(fresh), reader);
      });
}

/// What is deleted must be messages that the caller sees.
void Conversation::State::look_at_deleted(std::shared_ptr<OwnDeletionJob> job,
                                          std::vector<Seq> fresh, const Reader& reader) {
  if (fresh.empty()) return job->then({});
  const std::size_t asked = fresh.size();
  read_messages(std::move(fresh), reader, [this, job, asked](Result<std::vector<Payload>> found) {
    if (!found) return job->then(std::move(found).error());
    for (const Payload& record : *found) {
      const wire::RecordFields fields = wire::read_record(record.bytes());
      if (fields.kind != EventKind::message) continue;
      // A reply of somebody who is blocked counts nowhere.
      const Seq thread = fields.thread_ordinal != 0 ? fields.thread_root : 0;
      job->items.push_back({fields.seq, {countable(fields) ? fields.ordinal : 0, thread}});
    }
    if (job->items.size() != asked) return job->then(no_messages());
    note_own_deletion(job);
  });
}

/// First the member's row says that there are some, and when: a crash leaves one that says so too
/// many, never one too few.
void Conversation::State::note_own_deletion(std::shared_ptr<OwnDeletionJob> job) {
  if (!channel()) {
    return arrive({.caller = job->caller, .what = OwnDeletionOp{[this, job](Result<void> noted) {
                                            noted ? store_own_deletions(job)
                                                  : job->then(std::move(noted));
                                          }}});
  }
  write_member({.what = MemberWrite::What::own_deletion,
                .user = job->caller.user,
                .admission = entry_now(job->caller.user),
                .then = [this, job](Result<layout::MemberRow> noted) {
                  noted ? store_own_deletions(job) : job->then(std::move(noted).error());
                }});
}

Decision Conversation::State::decide(Op& op, OwnDeletionOp&) {
  bool later = false;
  auto row = member(op.caller.user, later, op.error);
  if (!row || row->role == Role::none) {
    op.error = denied();
    return Decision::decided;
  }
  if (!fits(0, 1, member_bytes)) return Decision::full;
  row->own_deletion_ms = staged->now_ms;
  stage_member(op.caller.user, *row);
  return Decision::decided;
}

void Conversation::State::store_own_deletions(std::shared_ptr<OwnDeletionJob> job) {
  with_own_deletions(job->caller.user, true, [this, job](Result<OwnDeletionsPtr> known) {
    if (!known) return job->then(std::move(known).error());
    if (ended()) return job->then(denied());
    commit_own_deletions(job, **known);
  });
}

void Conversation::State::commit_own_deletions(std::shared_ptr<OwnDeletionJob> job,
                                               const OwnDeletions& before) {
  const UserId user = job->caller.user;
  const KnownDeletions& known = own_deletions[user];
  const std::string partition = layout::personal_id(host.ns(), id, user);
  BatchWriter writer(layout::personal, partition, 32 * (job->items.size() + own_erased_at_once));
  // What lies below everything that the user may see has had its time.
  const Seq from = std::max(job->from, head.floor);
  std::vector<OwnDeletions::Item> items;
  std::size_t erased = 0, live = 0;
  for (const OwnDeletions::Item& item : before.items()) {
    const bool stale = item.seq < from;
    live += stale ? 0 : 1;
    if (!stale || ++erased > own_erased_at_once) {
      items.push_back(item);
    } else {
      writer.erase(layout::own_deletion_key(item.seq));
    }
  }
  std::size_t fresh = 0;
  for (const OwnDeletions::Item& item : job->items) {
    if (before.has(item.seq)) continue;  // an attempt before this one has landed
    ++fresh;
    items.insert(std::upper_bound(items.begin(), items.end(), item, by_seq), item);
    writer.put(layout::own_deletion_key(item.seq), layout::encode(item.row));
  }
  if (fresh == 0) return own_deletions_stored(*job);
  if (live + fresh > limits::own_deletions)
    return job->then(Error{Errc::limit_reached, "seqs: 10,000 messages are deleted already"});
  layout::CountCell cell;
  if (known.guard) {
    cell = *layout::decode_count(*known.guard);
    writer.expect(*known.guard);
  }
  cell.revision += 1;
  cell.nonce = effects.random();
  const std::string guard = layout::encode(cell);
  writer.guard(guard);
  auto now = std::make_shared<const OwnDeletions>(std::move(items), cell.revision);
  commit(std::move(writer).finish(), [this, job, user, guard, now](Settled outcome) {
    KnownDeletions& mine = own_deletions[user];
    if (outcome.outcome == Settled::Outcome::done) {
      if (!mine.deletions || mine.deletions->revision() < now->revision()) {
        mine.guard = guard;
        mine.deletions = now;
      }
      return own_deletions_stored(*job);
    }
    mine.deletions = nullptr;  // somebody else's commit, or none: read again
    if (mine.waiters.empty()) own_deletions.erase(user);
    if (outcome.outcome == Settled::Outcome::failed) return job->then(outcome.error);
    store_own_deletions(job);
  });
}

/// The shards that follow know before anybody is answered.
void Conversation::State::own_deletions_stored(const OwnDeletionJob& job) {
  std::vector<Seq> seqs;
  for (const OwnDeletions::Item& item : job.items) seqs.push_back(item.seq);
  host.deleted_for_one(id, job.caller.user, own_deletions_of(job.caller.user), std::move(seqs));
  job.then({});
}

}  // namespace parley::core
