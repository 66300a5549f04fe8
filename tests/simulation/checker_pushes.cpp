// checker_pushes.cpp: what sessions are told without asking, and lists and pages of members.
#include <algorithm>

#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {

/// Devices write their user's name, so every piece is one of it.
void Checker::on(Session& session, const wire::Streamed& piece) {
  report_.reached(Sometimes::text_grew);
  if (spans(piece.conversation, session.user).empty()) broken("C7", "a stranger sees a text grow");
  if (!ended(piece.conversation) && spans(piece.conversation, piece.sender).empty())
    broken("C7", "a stranger's text grows");
  const auto writer = subjects_.find(piece.sender);
  if (writer == subjects_.end() || piece.at > writer->second.size() ||
      writer->second.compare(piece.at, piece.text.size(), piece.text) != 0)
    broken("A", "a text grows that nobody wrote");
}

Seq Checker::shown_message(Session& session, const ConversationId& id, const Payload& record) {
  const auto fields = wire::verify_record(record.bytes());
  if (!fields || fields->kind != EventKind::message) broken("C15", "a thread of no messages");
  visible(session, "a thread", id, fields->seq);
  bodies_gone(id, stream("C20", id), fields->seq, *fields);
  if (!stream("C15", id).shows(fields->seq, record.bytes()))
    broken("C15", "a message of a thread differs from its events");
  return fields->seq;
}

void Checker::ballot(Session& session, const Ballot& ballot) {
  visible(session, "a poll", ballot.conversation, ballot.message);
  if (!may_be_for(session, ballot.conversation, ballot.message))
    broken("C7", "votes are told of a poll that is not for the asker");
}

void Checker::thread(Session& session, const wire::ThreadState& state) {
  const Seq root = shown_message(session, state.conversation, state.root);
  if (stream("C15", state.conversation).at(root).thread_root != 0)
    broken("C15", "a reply is told as a root");
}

void Checker::on(Session& session, const wire::Events& events) {
  const auto found = session.follows.find(events.conversation);
  if (found == session.follows.end() || found->second.level != Level::full) {
    broken("C4", "events of " + short_name(events.conversation) + " to " + session.subject +
                     ", which does not follow it");
  }
  if (events.records.empty()) broken("C4", "a push without events");
  Follow& follow = found->second;
  // Somebody who left and came back while behind is not given what passed in between.
  const auto& known = spans(events.conversation, session.user);
  const auto& endings = stream("C4", events.conversation).endings;
  const auto mine = endings.find(session.user);
  const bool ended = mine != endings.end() && std::find(mine->second.begin(), mine->second.end(),
                                                        follow.next - 1) != mine->second.end();
  const bool back = ended && std::any_of(known.begin(), known.end(), [&](const Span& span) {
                      return span.from == events.first && span.from > follow.next;
                    });
  // What lay between was trimmed while the session was behind: it sees the gap and asks.
  const bool cut =
      events.first > follow.next && stream("C4", events.conversation).was_floor(events.first);
  if ((events.first != follow.next && !back && !cut) || events.epoch != follow.epoch) {
    broken("C4", session.subject + " is given " + at(events.conversation, events.first) +
                     " where " + std::to_string(follow.next) + " comes next");
  }
  records(session, "events", events.conversation, events.epoch, events.first, events.records,
          events.mark);
  const auto& gone = session.deleted[events.conversation];
  const Seq floor = stream("C18", events.conversation).floor();
  for (const Payload& record : events.records)
    if (const auto fields = wire::verify_record(record.bytes());
        fields->kind != EventKind::hidden &&
        (gone.contains(fields->seq) || (fields->about >= floor && gone.contains(fields->about))))
      broken("C18", at(events.conversation, fields->seq) + " was deleted by its reader");
  follow.next = events.first + events.records.size();
}

void Checker::on(Session& session, const DeletedForMe& deleted) {
  const auto& own = own_deletions_[{deleted.conversation, session.user}];
  for (const Seq seq : deleted.messages) {
    if (!own.tried.contains(seq))
      broken("C18", at(deleted.conversation, seq) + " is told as deleted by its reader");
    session.deleted[deleted.conversation].insert(seq);
  }
}

void Checker::on(Session& session, const wire::HeadMoved& moved) {
  const auto found = session.follows.find(moved.conversation);
  if (found == session.follows.end() || found->second.level == Level::none) {
    broken("C4", "head_moved of " + short_name(moved.conversation) + " to " + session.subject +
                     ", which does not follow it");
  }
  report_.reached(Sometimes::head_moved);
  if (found->second.level == Level::full) report_.reached(Sometimes::lagging);
  cursor_true("head_moved", moved.conversation, moved.head, moved.head_ordinal);
  visible(session, "head_moved", moved.conversation, moved.head.seq);
}

void Checker::receipt(Session& session, const ConversationId& id, const Receipt& shown,
                      bool pushed) {
  const TrueStream& truth = stream("C6", id);
  const std::string whose = "the receipt of user " + to_string(shown.user) + " in " +
                            short_name(id) + " shown to " + session.subject;
  if (shown.read > shown.received || shown.received > truth.head()) {
    broken("C6", whose + " has read " + std::to_string(shown.read) + ", received " +
                     std::to_string(shown.received) + ", head " + std::to_string(truth.head()));
  }
  if (truth.ended) return;
  const auto stored = truth_.receipt(id, shown.user);
  const bool own = shown.user == session.user;
  const Seq may_know = !stored ? 0 : own ? stored->read : stored->shown;
  if (shown.received > (stored ? stored->received : 0) || shown.read > may_know) {
    broken("C6", whose + " is not committed: received " + std::to_string(shown.received) +
                     " read " + std::to_string(shown.read));
  }
  if (!pushed) return;
  const auto [before, fresh] = session.receipts.try_emplace({id, shown.user}, shown);
  const bool told = shown.read != 0;  // who hides its own is not told others'
  if (!fresh &&
      (shown.received < before->second.received || (told && shown.read < before->second.read))) {
    broken("C6", whose + " went back");
  }
  before->second = {shown.user, shown.received, std::max(shown.read, before->second.read)};
}

void Checker::on(Session& session, const wire::ListPage& page) {
  for (std::size_t i = 0; i < page.entries.size(); ++i) {
    entry(session, page.entries[i]);
    if (i > 0 && page.entries[i - 1].last_activity < page.entries[i].last_activity)
      broken("C12", "a page of the list is out of order");
  }
}

void Checker::on(Session& session, const wire::ReceiptsMoved& moved) {
  report_.reached(Sometimes::receipt_moved);
  if (spans(moved.conversation, session.user).empty()) broken("C7", "receipts to a stranger");
  for (const Receipt& shown : moved.receipts) receipt(session, moved.conversation, shown, true);
}

void Checker::on(Session& session, const wire::MembersPage& page, const ConversationId& id) {
  if (page.conversation != id) broken("A", "members of another conversation");
  if (spans(id, session.user).empty()) broken("C7", "members told to a stranger");
  for (const Member& member : page.members) {
    if (member.role == Role::none) broken("C7", "a member without a role is listed");
    if (!ended(id) && !truth_.member(id, member.user))
      broken("C7", "user " + to_string(member.user) + " is listed and has no row");
  }
  for (const Receipt& shown : page.receipts) receipt(session, id, shown, false);
}

void Checker::on(Session& session, const wire::ListChanged& changed) {
  std::set<ConversationId> seen;
  for (const ListEntry& shown : changed.entries) {
    if (!seen.insert(shown.conversation).second) broken("C12", "a list names an entry twice");
    entry(session, shown);
  }
  for (const auto& id : changed.removed) {
    report_.reached(Sometimes::list_removed);
    if (!seen.insert(id).second) broken("C12", "a list has an entry and removes it");
  }
  if (changed.token.size() > 128) broken("A", "a sync token longer than 128 bytes");
}

void Checker::entry(Session& session, const ListEntry& shown) {
  const auto& id = shown.conversation;
  cursor_true("a list entry", id, shown.head, shown.head_ordinal);
  const TrueStream& truth = stream("C12", id);
  const auto info = truth_.info(id);
  if (!truth.ended && (!info || info->kind != shown.kind))
    broken("C12", "a list entry of the wrong kind");
  if (truth.ended && shown.head.seq == truth.head())
    broken("C7", "a list entry of " + short_name(id) + ", whose end it has seen");
  const bool unknowable = rows_gone(id);
  if (spans(id, session.user).empty() && !truth.beginnings.contains(session.user) && !unknowable) {
    broken("C7", session.subject + " has a list entry of " + short_name(id) + " as a stranger");
  }
  if (shown.read > shown.received || shown.received > shown.head.seq) {
    broken("C6", "a list entry of " + short_name(id) + ": read " + std::to_string(shown.read) +
                     " received " + std::to_string(shown.received) + " head " +
                     std::to_string(shown.head.seq));
  }
  // A channel's history is open to who joins, but unread counts from the joining on: of the last
  // one, or of one before when the answer was read before it.
  const auto row = truth_.member(id, session.user);
  if (row &&
      row->visible_ordinal < truth.ordinal_at(std::min(row->visible_from - 1, truth.head()))) {
    broken("C12", "a member row of " + short_name(id) + " with an ordinal before its beginning");
  }
  const std::uint64_t read = truth.ordinal_at(std::min(shown.read, truth.head()));
  const OwnDeletions& own = own_deletions_[{id, session.user}];
  const auto counted_from = [&](std::uint64_t joined, Seq floor) {
    const std::uint64_t seen = std::max({read, joined, truth.ordinal_at(floor - 1)});
    const std::uint64_t all = shown.head_ordinal > seen ? shown.head_ordinal - seen : 0;
    // Deletions after the head that is shown may be counted already.
    std::map<std::uint64_t, bool> gone;  // and whether it surely was by then
    for (const auto& [ordinal, by] : truth.deleted) gone[ordinal] = by <= shown.head.seq;
    for (const Seq seq : own.tried)
      if (const auto ordinal = truth.counted_as(seq); ordinal != 0)
        gone[ordinal] = gone[ordinal] || own.surely(seq, scheduler_.now());
    std::uint64_t least = 0, most = 0;
    for (const auto& [ordinal, surely] : gone) {
      if (ordinal <= seen || ordinal > shown.head_ordinal) continue;
      ++most;
      if (surely) ++least;
    }
    // What says that they are deleted goes with the conversation, perhaps before the list read it.
    if (truth.ended) least = 0;
    return shown.unread + most >= all && shown.unread + least <= all;
  };
  const auto& known = spans(id, session.user);
  const bool right = std::any_of(known.begin(), known.end(), [&](const Span& span) {
    return std::any_of(span.joined.begin(), span.joined.end(), [&](std::uint64_t joined) {
      return std::any_of(truth.floors.begin(), truth.floors.end(),
                         [&](Seq floor) { return counted_from(joined, floor); });
    });
  });
  if (!right && !unknowable) {
    broken("C12", session.subject + " is told " + std::to_string(shown.unread) + " unread in " +
                      short_name(id) + ", which no membership gives (head " +
                      std::to_string(shown.head.seq) + " read " + std::to_string(shown.read) +
                      " visible from " + std::to_string(shown.visible_from) + ")");
  }
  if (!shown.last_record.empty()) {
    const auto fields = wire::verify_record(shown.last_record.bytes());
    if (!fields || fields->seq == 0 || fields->seq > truth.head()) {
      broken("C4", "a list entry's last record is none of the stream's");
    }
    if (own.surely(fields->seq, scheduler_.now()))
      broken("C18", "a list shows " + at(id, fields->seq) + ", deleted by its reader");
    this->shown(session, "a list entry", id, fields->seq, shown.last_record.bytes());
  }
}

}  // namespace parley::simulation
