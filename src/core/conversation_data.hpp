// core/conversation_data.hpp: what a home holds between inputs, and its calls of the world.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/conversation.hpp"
#include "core/conversation_commit.hpp"
#include "core/conversation_ops.hpp"
#include "core/conversation_staged.hpp"
#include "core/conversation_waiting.hpp"
#include "core/mentions.hpp"
#include "store/layout_messages.hpp"

namespace parley::core {

struct ConversationData {
  ConversationData(ConversationHost& owner, ConversationId conversation,
                   const ConversationLimits& bounds)
      : host(owner),
        effects(owner.effects()),
        id(conversation),
        limits(bounds),
        name(std::make_shared<const std::string>(
            layout::conversation_id(owner.ns(), conversation))) {}

  // ---- Calls of the world: counted, and dropped when the home is gone ----
  template <class T, class F>
  auto input(F then) {
    ++outstanding;
    return
        [this, here = std::weak_ptr<const void>(alive), then = std::move(then)](T result) mutable {
          if (here.expired()) return;
          --outstanding;
          then(std::move(result));
        };
  }
  template <class F>
  void get(Get request, F then) {
    effects.get(std::move(request), input<Result<Cells>>(std::move(then)));
  }
  template <class F>
  void scan(Scan request, F then) {
    effects.scan(std::move(request), input<Result<Rows>>(std::move(then)));
  }
  template <class F>
  void commit(Batch batch, F then) {
    ++writes;
    ++outstanding;
    const bool creates = !batch.expect;
    submit_guarded(
        effects, alive, std::move(batch),
        [this, creates, from = generation, then = std::move(then)](Settled outcome) mutable {
          --outstanding;
          --(from == generation ? writes : earlier_writes);
          if (creates && outcome.unsure) may_still_land();
          then(std::move(outcome));
        });
  }
  void may_still_land() { landed_at = effects.now().steady + landed_within; }
  /// What was erased cannot come back by a commit of before.
  [[nodiscard]] bool all_landed() const {
    return earlier_writes == 0 && effects.now().steady >= landed_at;
  }

  ConversationHost& host;
  Effects& effects;
  const ConversationId id;
  const ConversationLimits& limits;
  const std::shared_ptr<const std::string> name;  // of the partition
  std::shared_ptr<const int> alive = std::make_shared<const int>(0);
  std::size_t outstanding = 0;

  // Committed.
  enum class Phase : std::uint8_t { cold, loading, ready, absent } phase = Phase::cold;
  layout::HeadCell head;
  std::string guard;  // the bytes of `head`
  layout::InfoRow info;
  MemberTable members;                 // direct, group
  std::vector<PendingMember> pending;  // channel
  SenderRows senders;
  HostKeyRows host_keys;
  LastSentRows last_sent;                                     // while slow mode is on
  std::map<UserId, layout::RestrictionRow> restrictions;      // all of them
  std::map<layout::InviteSecret, layout::InviteRow> invites;  // all of them
  std::map<UserId, Admitted> admitted;                        // channels
  std::map<UserId, layout::JoinRequestRow> requests;          // all of them
  std::map<ConversationId, layout::ChildRow> children;        // spaces: all of them
  std::set<ConversationId> births;                            // under way
  std::vector<ThenBeginnings> beginning_waiters;
  bool reading_beginnings = false;
  std::vector<StagedEvent> foreign;  // seen while loading: what they took away is still to be told
  MemberRows channel_members;
  bool inherits = false;  // info.space is one: members are in by it, too
  RightRows rights;       // those of its members that were asked for
  std::vector<UserId> wanted_rights;
  std::uint64_t space_members = 0;   // as it was told last
  std::vector<UserId> strangers;     // who were found not to be in the space, or not found
  std::vector<UserId> asked_rights;  // by the operation that is being decided
  std::vector<UserId> kept_rights;   // of those that go on waiting
  std::uint64_t rights_version = 0;  // grows when one of them is taken back
  MentionRows mentions;
  std::vector<MentionWaiter> mention_waiters;
  std::uint32_t host_keys_swept = 0;  // the day on which old 'k' rows were looked for
  std::vector<std::string> expired_keys;

  // Waiting.
  std::deque<OpPtr> waiting;
  std::size_t reads = 0;  // reads that wait for rows
  std::vector<std::function<void(const Error&)>> load_waiters;
  std::vector<RowWaiter> row_waiters;               // of those whose row is changing
  std::vector<std::function<void()>> head_waiters;  // for the verdict of the commit under way
  std::unordered_multiset<UserId> writing_users;    // channels: whose row is changing
  std::vector<UserId> busy_users;     // with a change of their row in a member partition under way
  std::vector<UserId> blocked_users;  // while building: a read of theirs is under way
  bool building = false;

  Pair pair;

  // With the host.
  struct Asked {
    std::uint64_t number = 0;
    OpPtr op;
    Effects::Timer timer = Effects::Timer::none;
  };
  std::vector<Asked> asked;
  std::uint64_t asked_last = 0;

  // In flight.
  std::unique_ptr<Staged> staged;  // being built, then in flight
  std::unique_ptr<Staged> spare;   // empty: the next one
  bool in_flight = false;
  bool doubtful = false;  // refused after `unknown`: the reload shows whether it landed
  bool force_flush = false;
  Effects::Timer flush_timer = Effects::Timer::none;

  // Loading.
  std::uint64_t generation = 0;  // grows when caches are dropped: late answers are not believed
  // Commits under way, and those that were when caches were dropped: no flag tells of them.
  std::size_t writes = 0, earlier_writes = 0;
  std::chrono::steady_clock::time_point landed_at{};  // until then copies of some may land
  int load_attempts = 0;
  bool landed = false;  // the doubtful batch was found in the stream
  std::string load_guard;
  std::optional<Cursor> published;  // up to where this home has published
  std::vector<Wanted> wanted;
  bool reading_wanted = false;

  // Channels.
  std::unordered_map<std::uint16_t, Bucket> buckets;
  std::vector<std::uint32_t> counts;  // members a bucket; empty: not read yet
  std::vector<std::function<void(const Error&)>> count_waiters;
  bool reading_counts = false;
  std::map<std::uint16_t, std::vector<std::function<void(const Error&)>>>
      indexing;  // and who waits
  std::vector<MemberWaiter> member_waiters;

  // Sealing.
  std::deque<layout::StoredEvent> tail;  // a suffix of the stream, of open events
  std::size_t tail_bytes = 0;
  std::deque<Seq> archived_ends;  // of chunks in the archive, above head.sealed
  Seq archived = 0;  // up to here the archive has it; `head.sealed` follows with the next commit
  bool sealing = false;
  bool tail_checked = false;
  std::string archive_name;
  bool archive_swept = false;  // no chunk is there but those that `sealed` or `archived` vouch for
  std::optional<std::optional<std::string>> archive_guard;  // of archive_name; outer none: unknown
  std::deque<std::uint64_t> recent;  // ordinals of the newest events, up to the head

  // Changed messages.
  MessageRows messages;
  std::vector<std::uint64_t> deleted;  // ordinals, ascending; the newest deleted_counted
  std::map<Seq, layout::PinRow> pins;
  Seq sealing_through = 0;  // of the round under way
  bool merge_due = false, merging = false;
  std::vector<Seq> touched;  // changed while a merge was under way
  std::vector<Seq> merged;   // in the archive: their overlays may go
  bool no_overlays = false;  // once those are gone, none is left

  // Reactions.
  std::map<Seq, ReactionQueue> reaction_queues;
  std::map<Seq, DueTally> due_tallies;
  std::vector<TellWaiter> told_waiters;
  std::chrono::steady_clock::time_point next_tally{};  // not before
  Effects::Timer tally_timer = Effects::Timer::none;
  bool hurried = false;

  // Threads.
  std::map<std::pair<Seq, Seq>, NumberedChange> thread_changes;  // by root and reply; to be moved
  std::uint64_t thread_change_number = 0;
  std::unordered_set<Seq> moving_threads;
  std::vector<ThreadWaiter> thread_waiters;
  Effects::Timer thread_timer = Effects::Timer::none;

  std::map<UserId, KnownDeletions> own_deletions;

  // What happens later, and what ends.
  WakeUp wake_up;
  Error wake_error;  // the wake-up asked for last could not be stored
  layout::RetentionRow keeping;
  bool trimming = false, erasing = false;
  Effects::Timer erase_timer = Effects::Timer::none;
  bool ending = false, closing = false;  // closing: nothing is committed any more
  std::vector<Then<void>> end_waiters;

  // Receipts.
  std::vector<ReceiptBucket> receipts;
  std::vector<ReceiptWaiter> receipt_waiters;
  bool reading_receipts = false;
  Effects::Timer receipt_timer = Effects::Timer::none;
};

/// Counts a read until it is answered.
template <class T>
Then<T> counted(std::size_t& reads, const std::shared_ptr<const int>& alive, Then<T> then) {
  ++reads;
  return
      [&reads, here = std::weak_ptr<const int>(alive), then = std::move(then)](Result<T> result) {
        if (!here.expired()) --reads;
        then(std::move(result));
      };
}

/// Too much waits for this conversation.
Error overload();
Error being_deleted();
/// Whether it is to make the conversation.
inline bool is_birth(const Op& op) noexcept {
  return std::holds_alternative<CreateOp>(op.what) || std::holds_alternative<DirectOp>(op.what);
}
/// What is wrong with it, whoever creates; no error when nothing is.
Error check_creation(const Creation& creation);

}  // namespace parley::core
