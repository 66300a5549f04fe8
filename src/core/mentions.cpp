// mentions.cpp: which messages mention whom: one row a user, written in the message's own commit
// and taken back in that of its deletion, so that what is unread of them is never a counter.
#include "core/mentions.hpp"

#include <algorithm>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {
namespace {

constexpr UserId everybody{};

}  // namespace

MentionBase mentions_from(Seq read, const layout::MemberRow& member, Seq floor) noexcept {
  const Seq before = member.visible_from - std::min<Seq>(member.visible_from, 1);
  return {std::max({read, before, floor - 1}), member.left_at, member.visible_ordinal};
}

std::uint64_t unread_mentions(const layout::MentionRow& own, const layout::MentionRow& all,
                              const MentionBase& base, Seq head,
                              const OwnDeletions* gone) noexcept {
  const auto counts = [&](const layout::Mention& m, Seq after) {
    return m.seq > after && m.ordinal > base.joined && m.seq <= head &&
           (gone == nullptr || !gone->has(m.seq));
  };
  const Seq after = std::max(base.seq, base.left);
  const auto named = [&](const layout::Mention& m) { return counts(m, after); };
  const auto everybody_then = [&](const layout::Mention& m) { return counts(m, base.seq); };
  if (named(own.dropped) || everybody_then(all.dropped)) return limits::mentions_counted;
  const auto count = std::count_if(own.messages.begin(), own.messages.end(), named) +
                     std::count_if(all.messages.begin(), all.messages.end(), everybody_then);
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(count), limits::mentions_counted);
}

/// The users whose rows a message stands in. A reply in a thread addresses those whom it names.
std::vector<UserId> Conversation::State::mention_rows_of(const wire::Extras& extras, Seq root) {
  if (extras.mention_scope != MentionScope::all || root != 0) return extras.mentions;
  return {everybody};  // who is named besides is among them
}

/// True when the rows are in memory; else the decision is `later` or made.
bool Conversation::State::mentions_ready(Op& op, const wire::Extras& extras, Seq root,
                                         Decision& decision) {
  bool ready = true;
  for (const UserId user : mention_rows_of(extras, root)) {
    MentionRows::Entry* entry = mentions.find({user});
    if (entry == nullptr || entry->phase == MentionRows::Phase::loading) {
      want(MentionId{user});
      ready = false;
    } else if (entry->phase == MentionRows::Phase::failed) {
      op.error = entry->error;
      mentions.erase({user});
      decision = Decision::decided;
      return false;
    }
  }
  if (ready) return true;
  if (!building) read_wanted();
  decision = Decision::later;
  return false;
}

layout::MentionRow& Conversation::State::stage_mention(UserId user) {
  MentionRows::Entry& entry = *mentions.find({user});
  if (!entry.dirty) {
    entry.dirty = true;
    entry.staged = entry.row;
    staged->mentions.emplace_back(MentionId{user}, &entry);
    staged->rows += 1;
    staged->bytes += 9 + layout::mention_size(limits::mentions_counted);
  }
  staged->head.flags |= layout::head_has_mentions;
  return entry.staged;
}

/// Of those named only members have a row: others see nothing of the message. In a channel all have
/// one: who joins while the message is written may be a member from before it. A reply does not
/// advance the ordinal and counts for those who were there when it was written.
void Conversation::State::stage_mentions(const wire::RecordFields& message) {
  for (const UserId user : mention_rows_of(message.extras, message.thread_root)) {
    if (user != everybody && (user == message.sender || (!channel() && !known_member(user))))
      continue;
    layout::MentionRow& row = stage_mention(user);
    row.messages.push_back({message.seq, message.ordinal + (message.thread_root != 0 ? 1 : 0)});
    if (row.messages.size() <= limits::mentions_counted) continue;
    row.dropped = row.messages.front();
    row.messages.erase(row.messages.begin());
  }
}

void Conversation::State::unstage_mentions(const wire::RecordFields& message) {
  const auto is_it = [&](const layout::Mention& mention) { return mention.seq == message.seq; };
  for (const UserId user : mention_rows_of(message.extras, message.thread_root)) {
    const MentionRows::Entry& entry = *mentions.find({user});
    const auto& now = (entry.dirty ? entry.staged : entry.row).messages;
    if (std::none_of(now.begin(), now.end(), is_it)) continue;
    std::erase_if(stage_mention(user).messages, is_it);
  }
}

/// A member whose row is in memory, as the sends that mention somebody see to.
bool Conversation::State::known_member(UserId user) {
  if (!channel()) {
    const layout::MemberRow* row = group_member(user);
    return row != nullptr && row->role != Role::none;
  }
  if (inherits) {
    bool later = false;
    Error ignored;
    const auto row = member(user, later, ignored);
    return row && row->role != Role::none;
  }
  const MemberRows::Entry* entry = channel_members.find(user);
  if (entry == nullptr || entry->phase != MemberRows::Phase::ready || !entry->present) return false;
  layout::MemberRow row = entry->row;
  apply_decided(user, row, true);
  return row.role != Role::none;
}

/// Runs `then` at once when the user's rows are in memory, or when they have been read.
void Conversation::State::with_mentions(UserId user, std::function<void(const Error&)> then) {
  MentionWaiter waiter{user, std::move(then)};
  if (serve(waiter)) return;
  for (const UserId whose : {user, everybody}) want(MentionId{whose});
  mention_waiters.push_back(std::move(waiter));
  read_wanted();
}

bool Conversation::State::serve(MentionWaiter& waiter) {
  if (phase != Phase::ready) return false;
  if ((head.flags & layout::head_has_mentions) == 0) {
    waiter.then({});
    return true;
  }
  for (const UserId whose : {waiter.user, everybody}) {
    const MentionRows::Entry* entry = mentions.find({whose});
    if (entry == nullptr || entry->phase == MentionRows::Phase::loading) return false;
    if (entry->phase != MentionRows::Phase::failed) continue;
    const Error error = entry->error;
    mentions.erase({whose});
    waiter.then(error);
    return true;
  }
  waiter.then({});
  return true;
}

void Conversation::State::serve_mention_waiters() {
  auto waiters = std::exchange(mention_waiters, {});
  for (MentionWaiter& waiter : waiters) {
    if (serve(waiter)) continue;
    for (const UserId whose : {waiter.user, everybody}) want(MentionId{whose});
    mention_waiters.push_back(std::move(waiter));
  }
}

/// After with_mentions(), in the same turn.
std::uint64_t Conversation::State::mentions_after(UserId user, const MentionBase& base,
                                                  const OwnDeletions* own) {
  if ((head.flags & layout::head_has_mentions) == 0) return 0;
  return unread_mentions(mentions.find({user})->row, mentions.find({everybody})->row, base,
                         head.head, own);
}

}  // namespace parley::core
