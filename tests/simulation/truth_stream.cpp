// truth_stream.cpp: what one stream says: its messages after their changes, who sees what, what
// counts.
#include <algorithm>
#include <string>
#include <utility>

#include "base/crc32c.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

TrueMessage TrueStream::message_at(Seq seq, Seq through) const {
  TrueMessage message{.body_hash = at(seq).body_hash, .sure = at(seq).hash != 0};
  const auto found = changes.find(seq);
  if (found == changes.end()) return message;
  for (const TrueChange& change : found->second) {
    if (change.seq > through) break;
    switch (change.kind) {
      case EventKind::edited:
        message.body_hash = change.body_hash;
        message.sure = !change.redacted;
        break;
      case EventKind::deleted:
        message = {.body_hash = base::crc32c(0, {}), .deleted = true};
        break;
      case EventKind::reactions:
        message.reactions = change.reactions;
        message.poll = change.poll;
        break;
      case EventKind::message:
        break;
      default:
        message.pinned = change.kind == EventKind::pinned;
    }
  }
  return message;
}

bool TrueStream::seen(Seq seq, UserId user, bool always) const {
  const TrueEvent& event = at(seq);
  if (event.audience == audience::everyone) return true;
  if (event.audience == audience::sender && event.owner == user) return true;
  const auto history = audiences.find(user);
  core::Audiences now = 1;  // just before the event, then after each change of the user's rights
  std::vector<core::Audiences> held;
  if (history != audiences.end()) {
    for (const auto& [from, mask] : history->second) {
      if (from < seq)
        now = mask;
      else
        held.push_back(mask);
    }
  }
  held.insert(held.begin(), now);
  const auto may = [&event](core::Audiences mask) { return (mask >> event.audience & 1) != 0; };
  return always ? std::all_of(held.begin(), held.end(), may)
                : std::any_of(held.begin(), held.end(), may);
}

bool TrueStream::holds(UserId user, Seq seq) const {
  const auto began = beginnings.find(user);
  if (began == beginnings.end()) return false;
  const auto after = std::upper_bound(began->second.begin(), began->second.end(), seq);
  if (after == began->second.begin()) return false;
  const auto ended = endings.find(user);
  if (ended == endings.end()) return true;
  const auto end = std::lower_bound(ended->second.begin(), ended->second.end(), *(after - 1));
  return end == ended->second.end() || *end >= seq;
}

bool TrueStream::concerns(Seq event, const std::set<Seq>& messages) const {
  if (messages.contains(event)) return true;
  return std::any_of(messages.begin(), messages.end(), [&](Seq message) {
    const auto found = changes.find(message);
    return found != changes.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const TrueChange& change) {
             return change.seq == event && change.kind != EventKind::message;
           });
  });
}

bool TrueStream::said(Seq message, std::uint32_t body_hash) const {
  if (at(message).hash == 0 || at(message).body_hash == body_hash) return true;
  const auto found = changes.find(message);
  return found != changes.end() &&
         std::any_of(found->second.begin(), found->second.end(), [&](const TrueChange& change) {
           return change.kind == EventKind::edited &&
                  (change.redacted || change.body_hash == body_hash);
         });
}

std::uint64_t TrueStream::counted_as(Seq message) const {
  const TrueEvent& event = at(message);
  const bool counts = event.kind == EventKind::message && event.thread_root == 0 &&
                      event.audience == audience::everyone && event.written_ms == 0;
  return counts ? event.ordinal : 0;
}

std::uint64_t TrueStream::replies_after(Seq root, Seq base, const std::set<Seq>& without) const {
  std::uint64_t count = 0;
  for (Seq seq = base + 1; seq <= head(); ++seq) {
    const TrueEvent& event = at(seq);
    if (event.kind == EventKind::message && event.thread_root == root &&
        event.audience == audience::everyone && !message_at(seq, head()).deleted &&
        !without.contains(seq))
      ++count;
  }
  return count;
}

std::pair<std::uint64_t, std::uint64_t> TrueStream::mentions_after(
    UserId user, Seq read, const layout::MemberRow& member, const std::set<Seq>& without) const {
  std::uint64_t least = 0, most = 0;
  for (Seq seq = std::max({read + 1, member.visible_from, floor()}); seq <= head(); ++seq) {
    const TrueEvent& event = at(seq);
    if (event.audience != audience::everyone || event.kind != EventKind::message) continue;
    if (event.written_ms != 0) continue;  // it tells nobody
    if (message_at(seq, head()).deleted || without.contains(seq)) continue;
    const bool reply = event.thread_root != 0;
    const bool all = event.scope == MentionScope::all && !reply;
    const bool named =
        std::find(event.mentions.begin(), event.mentions.end(), user) != event.mentions.end();
    if (!all && (!named || event.sender == user)) continue;
    const bool after = event.ordinal > member.visible_ordinal;
    if (after) ++least;
    if (after || (reply && event.ordinal == member.visible_ordinal)) ++most;
  }
  return {least, most};
}

bool same_results(const std::optional<PollResults>& a, const std::optional<PollResults>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->votes == b->votes && a->voters == b->voters && a->closed == b->closed;
}

bool TrueStream::shows(Seq seq, Bytes record) const {
  if (base::crc32c(0, record) == at(seq).hash) return true;
  const auto fields = wire::verify_record(record);
  if (!fields || identity_of(*fields) != at(seq).identity) return false;
  if (fields->kind == EventKind::edited) {  // of a message that was deleted since
    return fields->deleted && fields->body.empty() && message_at(fields->about, head()).deleted;
  }
  const auto found = changes.find(seq);
  if (fields->kind != EventKind::message || found == changes.end()) return false;
  const bool known = std::any_of(found->second.begin(), found->second.end(),
                                 [&](const TrueChange& c) { return c.seq == fields->changed; });
  const TrueMessage then = message_at(seq, fields->changed);
  std::map<std::string, std::uint64_t> reactions;
  std::optional<PollResults> poll;
  for (const wire::Tally& tally : fields->tallies) {
    poll = tally.poll;
    for (const Reaction& reaction : tally.reactions)
      reactions[std::string(reaction.key)] = reaction.count;
  }
  return known && fields->deleted == then.deleted && fields->pinned == then.pinned &&
         reactions == then.reactions && same_results(poll, then.poll) &&
         (!then.sure || base::crc32c(0, fields->body) == then.body_hash);
}

std::uint32_t identity_of(const wire::RecordFields& fields) {
  std::string text;
  for (const std::uint64_t value :
       {fields.seq, fields.ordinal, static_cast<std::uint64_t>(fields.time_ms), fields.id,
        fields.sender.value, static_cast<std::uint64_t>(fields.kind), fields.about,
        fields.about_ordinal, fields.target.value, fields.thread_root, fields.thread_ordinal,
        static_cast<std::uint64_t>(fields.written_ms)})
    text += std::to_string(value) + ' ';
  return base::crc32c(0, text);
}

}  // namespace parley::simulation
