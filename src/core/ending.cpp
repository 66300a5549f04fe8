// ending.cpp: the end of a conversation. One commit makes it absent for everybody; then the lists
// lose it and everything leaves the store, its own partition last. A wake-up, stored before that
// commit, carries the rest on after a crash.
#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/erasing.hpp"

namespace parley::core {
namespace {

constexpr auto ended_quiet_after = std::chrono::milliseconds(100);
constexpr std::uint32_t members_at_once = 256;
constexpr Seq everything = Seq{1} << 62;

}  // namespace

bool Conversation::State::ended() const noexcept {
  return phase == Phase::ready && (head.flags & layout::head_ended) != 0;
}

void Conversation::end(Caller caller, Then<void> then) {
  state_->arrive({.caller = caller, .what = EndOp{std::move(then)}});
}

Decision Conversation::State::decide(Op& op, EndOp&) {
  Decision decision{};
  if (!actor(op, Action::end, decision)) return decision;
  if (staged->keeping.value_or(keeping).hold) {
    op.error = {Errc::invalid_argument, "conversation: a legal hold keeps it"};
    return decision;
  }
  if (!wake_stored(op, host.settled_wall_ms() + 1'000, decision)) return decision;
  if (!fits(1, 1, 1'024)) return Decision::full;
  wire::RecordFields event{.sender = op.caller.user, .kind = EventKind::ended};
  stage_event(event);
  staged->head.flags |= layout::head_ended;
  staged->head.authority = event.seq;
  return decision;
}

struct Conversation::State::EndJob {
  std::uint16_t bucket = 0;
  std::string key;  // where the next page of members begins
  std::function<void(const Error&)> then;
};

/// Answers when nothing is left.
void Conversation::State::finish_end(Then<void> then) {
  if (then) end_waiters.push_back(std::move(then));
  if (std::exchange(ending, true)) return;
  auto job = std::make_shared<EndJob>();
  job->then = [this](const Error& error) {
    ending = closing = false;
    if (!error) left_nothing();
    for (auto& waiter : std::exchange(end_waiters, {}))
      waiter(error ? Result<void>(error) : Result<void>());
    if (!error) pump();
  };
  when_quiet(std::move(job));
}

/// Nothing of ours writes any more.
void Conversation::State::when_quiet(std::shared_ptr<EndJob> job) {
  const bool receipts_busy = std::any_of(receipts.begin(), receipts.end(),
                                         [](const ReceiptBucket& bucket) { return bucket.busy; });
  for (ReceiptBucket& bucket : receipts) drop_marks(bucket, denied());
  drop_threads(denied());
  closing = !in_flight && !staged;
  const bool busy = !closing || sealing || merging || erasing || receipts_busy ||
                    reading_receipts || !reaction_queues.empty() || !writing_users.empty() ||
                    !moving_threads.empty() || !indexing.empty() || writes != 0 || !all_landed();
  if (!busy) return end_children(std::move(job));
  if (hurried) return job->then({Errc::engine_closed, "the engine stops; the rest follows"});
  effects.start_timer(ended_quiet_after, [this, job, here = std::weak_ptr<const void>(alive)] {
    if (!here.expired()) when_quiet(job);
  });
}

/// A space's channels, one after the other; each carries its own end on. One that is held stays,
/// and what is left of the space with it.
void Conversation::State::end_children(std::shared_ptr<EndJob> job) {
  if (children.empty()) return end_stream(std::move(job));
  const ConversationId next = children.begin()->first;
  host.end_child(next, input<Result<void>>([this, job, next](const Result<void>& ended) {
                   if (!ended && ended.error().errc() != Errc::denied)
                     return job->then(ended.error());
                   children.erase(next);
                   end_children(job);
                 }));
}

void Conversation::State::end_stream(std::shared_ptr<EndJob> job) {
  erase_stream(keeping.erased, everything,
               [this, job](const Error& error) { error ? job->then(error) : end_receipts(job); });
}

void Conversation::State::end_receipts(std::shared_ptr<EndJob> job) {
  if (job->bucket == receipt_buckets()) {
    job->bucket = 0;
    return channel() ? end_bucket(job) : end_members(job);
  }
  erase_partition(
      effects, alive, layout::receipt, layout::receipt_id(host.ns(), id, job->bucket++),
      [this, job](const Error& error) { error ? job->then(error) : end_receipts(job); });
}

void Conversation::State::end_members(std::shared_ptr<EndJob> job) {
  std::vector<UserId> users, all;
  for (const auto& [user, row] : members.items()) {
    all.push_back(user);
    if (row.role != Role::none) users.push_back(user);
  }
  drop_from_lists(std::move(users), job, [this, job, all = std::move(all)] {
    end_personal(all, job, [this, job] { end_place(job); });
  });
}

/// What these users, who are or were members, keep about it. One after the other.
void Conversation::State::end_personal(std::vector<UserId> users, std::shared_ptr<EndJob> job,
                                       std::function<void()> then) {
  if (users.empty()) return then();
  const std::string partition = layout::personal_id(host.ns(), id, users.back());
  users.pop_back();
  erase_partition(
      effects, alive, layout::personal, partition,
      [this, job, users = std::move(users), then = std::move(then)](const Error& error) {
        error ? job->then(error) : end_personal(users, job, then);
      });
}

/// A channel's members, page by page; each bucket goes when its users know.
void Conversation::State::end_bucket(std::shared_ptr<EndJob> job) {
  if (job->bucket == layout::channel_member_buckets) return end_place(std::move(job));
  const std::string partition = layout::member_id(host.ns(), id, job->bucket);
  auto request = owned_scan(layout::member, partition, job->key.empty() ? "m" : job->key, "n");
  request.max_rows = members_at_once;
  scan(std::move(request), [this, job, partition](Result<Rows> rows) {
    if (!rows) return job->then(rows.error());
    std::vector<UserId> users, all;
    for (const Row& row : rows->rows) {
      job->key = std::string(row.key) + '\0';
      const auto user = layout::parse_number_key('m', row.key);
      const auto member = layout::decode_member(row.value);
      if (!user) continue;
      all.push_back(UserId{*user});
      if (member && member->role != Role::none) users.push_back(UserId{*user});
    }
    const bool more = rows->more && !rows->rows.empty();
    const auto next = [this, job, partition, more] {
      if (more) return end_bucket(job);
      job->key.clear();
      ++job->bucket;
      erase_partition(effects, alive, layout::member, partition, [this, job](const Error& error) {
        error ? job->then(error) : end_bucket(job);
      });
    };
    drop_from_lists(std::move(users), job,
                    [this, job, all = std::move(all), next] { end_personal(all, job, next); });
  });
}

void Conversation::State::drop_from_lists(std::vector<UserId> users, std::shared_ptr<EndJob> job,
                                          std::function<void()> then) {
  if (users.empty()) return then();
  ++outstanding;
  host.drop_from_lists(id, info.kind, std::move(users),
                       [this, here = std::weak_ptr<const void>(alive), job,
                        then = std::move(then)](const Result<void>& dropped) {
                         if (here.expired()) return;
                         --outstanding;
                         dropped ? then() : job->then(dropped.error());
                       });
}

/// Before the partition goes, so that a wake-up carries it on.
void Conversation::State::end_place(std::shared_ptr<EndJob> job) {
  if (!info.space) return end_partition(std::move(job));
  host.child_gone(info.space, id, input<Result<void>>([this, job](const Result<void>& told) {
                    told ? end_partition(job) : job->then(told.error());
                  }));
}

/// Who waits to be let in is told first that it will not be.
void Conversation::State::end_partition(std::shared_ptr<EndJob> job) {
  const auto erase = [this, job] {
    erase_partition(effects, alive, layout::conversation, *name,
                    [job](const Error& error) { job->then(error); });
  };
  std::vector<UserId> askers;
  for (const auto& [user, row] : requests) askers.push_back(user);
  if (askers.empty()) return erase();
  host.refuse_requests(id, std::move(askers), head.head,
                       input<Result<void>>([job, erase](const Result<void>& told) {
                         told ? erase() : job->then(told.error());
                       }));
}

/// Whoever asks now finds nothing; a later birth has another epoch.
void Conversation::State::left_nothing() {
  drop_caches();
  head = {};
  guard.clear();
  keeping = {};
  receipts.clear();
  trim_own_deletions(true);
  drop_tallies(denied());
  published.reset();
  host.found_absent(id);
}

}  // namespace parley::core
