// checker_sight.cpp: who may see what: the spans of every user in every conversation, as the rows
// say them, and each event that is shown, held against those.
#include <algorithm>
#include <limits>

#include "base/endian.hpp"
#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {

/// The spans of seqs that this user was ever allowed to see, brought up to date from the row.
const std::vector<Checker::Span>& Checker::spans(const ConversationId& id, UserId user) {
  auto& known = spans_[{id, user}];
  const auto row = truth_.member(id, user);
  if (!row) {
    out_of_space(known, id, user);
    return known;
  }
  if (known.empty() || known.back().from != row->visible_from) {
    if (!known.empty() && known.back().to >= row->visible_from) {
      known.back().to = row->visible_from - 1;
    }
    if (!known.empty()) report_.reached(Sometimes::rejoined);
    known.push_back({.from = row->visible_from, .seen = scheduler_.now()});
  }
  Span& last = known.back();
  last.joined.insert(row->visible_ordinal);
  last.to = row->role != Role::none ? std::numeric_limits<Seq>::max() : row->left_at;
  if (row->role == Role::none) last.left[row->left_at] = scheduler_.now();
  if (row->role != Role::none) {
    last.in = scheduler_.now();
    last.in_at = stream("C7", id).head();
    if (last.told_until) last.seen = scheduler_.now();
    last.told_until.reset();
  } else if (!last.told_until && truth_.scattered(id)) {
    const auto& endings = stream("C7", id).endings;
    const auto mine = endings.find(user);
    const bool has_seq =
        mine != endings.end() && row->left_at > last.in_at &&
        std::find(mine->second.begin(), mine->second.end(), row->left_at) != mine->second.end();
    // The store may keep its verdict to itself for ten seconds; from the answer on it is two.
    last.told_until = scheduler_.now() + (has_seq ? Time(0) : Time(std::chrono::seconds(15)));
  }
  return known;
}

/// No seq of the channel says when somebody went out of its space: what is written after the answer
/// is not for them. When the channel was closed, or they are banned there, an event said so.
void Checker::out_of_space(std::vector<Span>& known, const ConversationId& id, UserId user) {
  if (known.empty()) return;
  // What was decided before may have been stored since, and be answered still.
  if (const auto own = truth_.space_of(id) ? truth_.bucket_row(id, user) : std::nullopt)
    known.back().joined.insert(own->visible_ordinal);
  if (known.back().to != std::numeric_limits<Seq>::max()) return;
  const ConversationId space = truth_.space_of(id);
  const auto in = space ? truth_.member(space, user) : std::nullopt;
  known.back().to = stream("C7", id).head();
  const bool has_seq = in && in->role != Role::none && !stream("C7", space).ended;
  known.back().told_until = scheduler_.now() + (has_seq ? Time(0) : Time(std::chrono::seconds(15)));
  if (!has_seq) report_.reached(Sometimes::out_of_space);
}

std::optional<std::pair<ConversationId, UserId>> Checker::out_of(const Session& session,
                                                                 const Question& question) {
  const auto& asked = question.request.operation;
  if (const auto* left = std::get_if<wire::Leave>(&asked))
    return std::pair{left->conversation, session.user};
  if (const auto* removed = std::get_if<wire::Remove>(&asked))
    return std::pair{removed->conversation, removed->user};
  if (const auto* banned = std::get_if<wire::Restrict>(&asked);
      banned != nullptr && banned->kind == RestrictionKind::ban && banned->on)
    return std::pair{banned->conversation, banned->user};
  return std::nullopt;
}

void Checker::closed_now(const ConversationId& child, UserId user) {
  spans(child, user);
  auto& known = spans_[{child, user}];
  if (!known.empty() && known.back().told_until > scheduler_.now())
    known.back().told_until = scheduler_.now();
}

/// The answer: from here on nothing of the space's channels is for whom it took out of that.
void Checker::taken_back(const Session& session, const Question& question) {
  if (const auto* end = std::get_if<wire::End>(&question.request.operation)) {
    for (const ConversationId& child : truth_.children_of(end->conversation)) {
      std::vector<UserId> users;
      for (const auto& [whose, known] : spans_)
        if (whose.first == child) users.push_back(whose.second);
      for (const UserId user : users) closed_now(child, user);
    }
    return;
  }
  const auto gone = out_of(session, question);
  if (!gone || truth_.kind_of(gone->first) != ConversationKind::space) return;
  const auto row = truth_.member(gone->first, gone->second);
  if (!row || row->role != Role::none || row->admission != question.entry) return;
  for (const ConversationId& child : truth_.children_of(gone->first))
    closed_now(child, gone->second);
}

void Checker::before(const Batch& batch) {
  const std::uint8_t space = batch.partition.space;
  if (space == layout::personal) {
    const UserId user{base::get_be64(batch.partition.id.data() + batch.partition.id.size() - 8)};
    auto& known = own_deletions_[{*Truth::conversation_in(batch.partition), user}];
    for (const Row& row : batch.puts)
      if (const auto seq = layout::parse_number_key('h', row.key)) known.tried.insert(*seq);
  }
  if (space != layout::conversation && space != layout::member) return;
  const ConversationId id = *Truth::conversation_in(batch.partition);
  if (truth_.stream(id) == nullptr) return;
  const auto look = [&](Bytes key) {
    const auto user = layout::parse_number_key('m', key);
    if (!user) return;
    spans(id, UserId{*user});
    for (const ConversationId& child : truth_.children_of(id)) spans(child, UserId{*user});
  };
  if (space == layout::conversation && truth_.space_of(id)) {
    std::vector<UserId> users;  // it may be closed by this
    for (auto each = spans_.lower_bound({id, {}}); each != spans_.end() && each->first.first == id;
         ++each)
      users.push_back(each->first.second);
    for (const auto& [user, row] : truth_.members(id)) users.push_back(user);
    for (const UserId user : users) spans(id, user);
  }
  if (space == layout::conversation)  // a removal from a space is there before the row follows
    for (const Row& row : batch.puts)
      if (const auto change = row.key[0] == 'p' ? layout::decode_pending(row.value) : std::nullopt)
        for (const ConversationId& child : truth_.children_of(id)) spans(child, change->user);
  for (const Row& row : batch.puts) look(row.key);
  for (const Bytes key : batch.erases) look(key);
}

bool Checker::OwnDeletions::surely(Seq seq, Time now) const {
  const auto known = answered.find(seq);
  return known != answered.end() && known->second + std::chrono::seconds(30) < now;
}

void Checker::visible(Session& session, const char* what, const ConversationId& id, Seq seq) {
  for (const Span& span : spans(id, session.user)) {
    if (seq >= span.from && seq <= span.to) return;
    if (seq >= span.from && span.told_until && scheduler_.now() < *span.told_until) return;
  }
  // A span that was over before anybody looked at the row; the rows of what was deleted are gone.
  if (stream("C7", id).holds(session.user, seq)) return;
  if (rows_gone(id)) return;  // and with them what would let somebody in once more
  std::string may = "nothing";
  for (const Span& span : spans(id, session.user))
    may = (may == "nothing" ? "" : may + ", ") + std::to_string(span.from) + " to " +
          std::to_string(span.to);
  broken("C7", std::string(what) + " shows " + session.subject + " " + at(id, seq) +
                   ", which may see " + may);
}

/// The rows of a conversation that was deleted are gone, perhaps before anybody looked at them. The
/// channels of a space that was deleted end one after the other.
bool Checker::rows_gone(const ConversationId& id) {
  const ConversationId space = truth_.space_of(id);
  return (stream("C7", id).ended && truth_.scattered(id)) || (space && stream("C7", space).ended);
}

/// By its audience. What somebody is in the space, the channel's stream does not say.
bool Checker::may_be_for(const Session& session, const ConversationId& id, Seq seq) {
  const TrueStream& truth = stream("C7", id);
  const ConversationId space = truth_.space_of(id);
  const bool by_space = space && truth.at(seq).audience < audience::first_group &&
                        truth_.stream(space)->audiences.contains(session.user);
  return by_space || truth.seen(seq, session.user, false);
}

void Checker::shown(Session& session, const char* what, const ConversationId& id, Seq seq,
                    Bytes record) {
  visible(session, what, id, seq);
  const TrueStream& truth = stream("C4", id);
  const TrueEvent& event = truth.at(seq);
  const auto fields = wire::verify_record(record);
  const auto own = own_deletions_.find({id, session.user});
  if (fields && fields->kind == EventKind::hidden) {
    report_.reached(Sometimes::hidden_shown);
    if (event.audience >= audience::first_group) report_.reached(Sometimes::hidden_from_group);
    const bool bare = !fields->sender && fields->body.empty() && fields->ordinal == event.ordinal;
    if (!bare) broken("C7", std::string(what) + ": the stand-in of " + at(id, seq) + " says more");
    if (own != own_deletions_.end() && truth.concerns(seq, own->second.tried))
      return report_.reached(Sometimes::own_deletion_hidden);
    // A message for everybody is hidden from who left when it was edited since.
    const auto changes = truth.changes.find(seq);
    if (event.audience == audience::everyone && changes == truth.changes.end())
      broken("C7", std::string(what) + " hides " + at(id, seq) + ", which is for everybody");
    const bool certain = !truth_.scattered(id);  // no joins without a seq
    if (event.audience != audience::everyone && certain && truth.seen(seq, session.user, true))
      broken("C7", std::string(what) + " hides " + at(id, seq) + " from who may see it");
    return;
  }
  if (!may_be_for(session, id, seq)) {
    broken("C7", std::string(what) + " shows " + session.subject + " " + at(id, seq) +
                     ", which is not for them");
  }
  if (fields) bodies_gone(id, truth, seq, *fields);
  if (event.audience != audience::everyone) report_.reached(Sometimes::for_some);
  if (event.audience >= audience::first_group) report_.reached(Sometimes::for_group);
  if (!truth.shows(seq, record))
    broken("C4", std::string(what) + ": " + at(id, seq) + " differs from the store");
}

void Checker::records(Session& session, const char* what, const ConversationId& id,
                      const Epoch& epoch, Seq first, const std::vector<Payload>& records,
                      Mark mark) {
  if (records.empty()) return;
  const TrueStream& truth = stream("C4", id);
  const Seq last = first + records.size() - 1;
  if (epoch != truth.epoch) broken("C4", std::string(what) + ": wrong epoch in " + short_name(id));
  if (first == 0 || last > truth.head()) {
    broken("C1", std::string(what) + " shows " + at(id, last) + " but the store ends at " +
                     std::to_string(truth.head()));
  }
  told_[id] = std::max(told_[id], last);
  for (Seq seq = first; seq <= last; ++seq) {
    shown(session, what, id, seq, records[seq - first].bytes());
  }
  if (mark != truth.mark_at(last)) {
    broken("C4", std::string(what) + ": the mark after " + at(id, last) + " is wrong");
  }
}

void Checker::cursor_true(const char* what, const ConversationId& id, const Cursor& cursor,
                          std::optional<std::uint64_t> ordinal) {
  const TrueStream& truth = stream("C10", id);
  if (cursor.epoch != truth.epoch)
    broken("C10", std::string(what) + ": wrong epoch in " + short_name(id));
  if (cursor.seq > truth.head()) {
    broken("C1", std::string(what) + " names head " + std::to_string(cursor.seq) + " of " +
                     short_name(id) + ", the store ends at " + std::to_string(truth.head()));
  }
  if (cursor.mark != truth.mark_at(cursor.seq)) {
    broken("C10", std::string(what) + ": wrong mark at " + at(id, cursor.seq));
  }
  if (ordinal && *ordinal != truth.ordinal_at(cursor.seq)) {
    broken("C10", std::string(what) + ": wrong ordinal at " + at(id, cursor.seq));
  }
}

}  // namespace parley::simulation
