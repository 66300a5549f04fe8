// checker_run.cpp: resume answers, and what can only be judged over the whole run.
#include <algorithm>

#include "parley/limits.hpp"
#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {
namespace {

std::string text(const std::optional<Cursor>& cursor) {
  if (!cursor) return "no cursor";
  return "cursor " + to_string(cursor->epoch).substr(0, 6) + "/" + std::to_string(cursor->seq) +
         "/" + std::to_string(cursor->mark);
}

Sometimes met(Resume answer) {
  switch (answer) {
    case Resume::caught_up:
      return Sometimes::resumed_caught_up;
    case Resume::range:
      return Sometimes::resumed_range;
    case Resume::forked:
      return Sometimes::resumed_forked;
    case Resume::ahead:
      return Sometimes::resumed_ahead;
    case Resume::not_member:
      return Sometimes::resumed_not_member;
    case Resume::denied:
      return Sometimes::resumed_denied;
    case Resume::trimmed:
      return Sometimes::resumed_trimmed;
    default:
      return Sometimes::resumed_snapshot;
  }
}

}  // namespace

void Checker::on(Session& session, const Question& question, const wire::Subscribed& subscribed) {
  const auto& asked = std::get<wire::Subscribe>(question.request.operation);
  if (asked.items.size() != subscribed.answers.size()) {
    broken("C10", std::to_string(asked.items.size()) + " cursors got " +
                      std::to_string(subscribed.answers.size()) + " answers");
  }
  for (std::size_t i = 0; i < asked.items.size(); ++i) {
    resumed(session, question, asked.items[i], subscribed.answers[i]);
  }
}

/// The row may have said it when this was asked, or since: who went was removed at once, or came
/// back and went again.
bool Checker::has_left(const Session& session, const Question& question,
                       const ResumeAnswer& answer) {
  const auto before = question.me.find(answer.conversation);
  if (before != question.me.end() && before->second.left_at == answer.last_visible) return true;
  const auto& known = spans(answer.conversation, session.user);
  return std::any_of(known.begin(), known.end(), [&](const Span& span) {
    const auto at = span.left.find(answer.last_visible);
    return at != span.left.end() && at->second >= question.at;
  });
}

void Checker::resumed(Session& session, const Question& question, const wire::Subscribe::Item& item,
                      const ResumeAnswer& answer) {
  const auto& id = item.conversation;
  if (answer.conversation != id) broken("C10", "an answer about another conversation");
  report_.reached(met(answer.answer));
  if (item.level == Level::none)  // the end of a subscription says nothing about the stream
    return void(session.follows.erase(id));
  const auto before = question.me.find(id);
  const auto row = truth_.member(id, session.user);
  const bool was_known = before != question.me.end();
  const bool was_member = was_known && before->second.role != Role::none;
  const bool is_member = row && row->role != Role::none;
  const std::string who = session.subject + " with " + text(item.cursor) + " of " + short_name(id);
  if (answer.answer == Resume::denied) {
    const bool same = is_member && was_member && before->second.since_ms == row->since_ms;
    const bool by_space = bool(truth_.space_of(id));  // who is out of that is told nothing
    if (was_known && !ended(id) && (!by_space || same)) broken("C10", who + " was denied");
    session.follows.erase(id);
    return;
  }
  if (answer.answer == Resume::not_member) {
    const bool stayed = was_member && is_member && before->second.since_ms == row->since_ms &&
                        before->second.left_at == row->left_at;
    if ((!was_known || stayed) && !ended(id)) broken("C10", who + " is told not_member");
    if (row && row->role == Role::none && answer.last_visible != row->left_at &&
        !has_left(session, question, answer))
      broken("C10", who + " is told last_visible " + std::to_string(answer.last_visible) +
                        ", left at " + std::to_string(row->left_at));
    session.follows.erase(id);
    return;
  }
  // A removal may be in the store and not yet told to the engine: then the answer ends before it.
  const bool before_end = row && row->left_at >= answer.head.seq;
  const auto& known = spans(id, session.user);
  // What ended without a seq may be in the store and not yet told to the engine.
  const Time now = scheduler_.now();
  const bool meanwhile = std::any_of(known.begin(), known.end(), [&](const Span& span) {
    return span.in >= question.at || (span.told_until && now < *span.told_until);
  });
  if (!was_member && !is_member && !before_end && !meanwhile) {
    broken("C7", who + " may follow what it is no member of");
  }
  const auto heard = question.heads.find(id);
  resume_fits(stream("C10", id), item, answer, heard == question.heads.end() ? 0 : heard->second,
              row);
  const auto floor = question.floors.find(id);
  // At `heads`, with nothing seen and right before a floor no event is read for the answer: the
  // home may not know yet. What is pushed then begins with a gap.
  const bool read = item.level == Level::full && item.cursor && item.cursor->seq != 0 &&
                    !stream("C17", id).was_floor(item.cursor->seq + 1);
  const bool below = read && floor != question.floors.end() && floor->second > item.cursor->seq + 1;
  if (below && (answer.answer == Resume::range || answer.answer == Resume::caught_up))
    broken("C17", who + " lies below the floor and is not told");
  cursor_true("a resume answer", id, answer.head, answer.head_ordinal);
  Follow follow{.level = item.level, .epoch = answer.head.epoch};
  switch (answer.answer) {
    case Resume::caught_up:
    case Resume::range:
      follow.next = item.cursor->seq + 1;
      break;
    case Resume::trimmed:
      follow.next = answer.floor;
      break;
    default:
      follow.next = answer.head.seq + 1;
      break;  // snapshot, forked, ahead: from the head
  }
  session.follows[id] = follow;
}

void Checker::resume_fits(const TrueStream& stream, const wire::Subscribe::Item& item,
                          const ResumeAnswer& answer, Seq head_when_heard,
                          const std::optional<layout::MemberRow>& row) {
  const auto& cursor = item.cursor;
  const std::string got = text(cursor) + " was answered " +
                          std::to_string(static_cast<int>(answer.answer)) + " with head " +
                          std::to_string(answer.head.seq);
  const Resume kind = answer.answer;
  if (!cursor) {
    if (kind != Resume::snapshot) broken("C10", got);
    return;
  }
  const bool other_epoch = cursor->epoch != stream.epoch;
  const bool known = !other_epoch && cursor->seq <= stream.head();
  const bool other_mark = known && stream.mark_at(cursor->seq) != cursor->mark;
  if (kind == Resume::forked) {
    if (!other_epoch && !other_mark) broken("C11", got + ", but history did not fork");
    return;
  }
  if (other_epoch) broken("C11", got + ", but its epoch is another");
  if (kind == Resume::ahead) {
    if (cursor->seq <= head_when_heard) broken("C10", got + ", but the store had it");
    return;
  }
  if (cursor->seq > answer.head.seq) broken("C10", got + ", which is before the cursor");
  // At `heads` nothing is read for an answer; opening the conversation at `full` compares. What was
  // trimmed has nothing left to compare.
  const bool compared =
      kind != Resume::trimmed && (item.level == Level::full || kind != Resume::range);
  if (other_mark && compared) broken("C11", got + ", but its mark is another");
  // The answer may be older than a leaving and a coming back since.
  const Seq visible_from = row && row->visible_from <= answer.head.seq ? row->visible_from : 1;
  const bool hidden = visible_from > cursor->seq + 1;
  const Seq behind = answer.head.seq - cursor->seq;
  switch (kind) {
    case Resume::caught_up:
      if (behind != 0) broken("C10", got);
      break;
    case Resume::range:
      if (behind == 0 || answer.floor > cursor->seq + 1) broken("C10", got);
      if (hidden) broken("C7", got + ", visible from " + std::to_string(visible_from));
      break;
    case Resume::snapshot:
      if (behind + limits::snapshot_tail <= limits::snapshot_after && !hidden) broken("C10", got);
      break;
    case Resume::trimmed:
      if (answer.floor <= cursor->seq + 1) broken("C10", got);
      if (answer.floor_mark != stream.mark_at(answer.floor - 1)) {
        broken("C10", got + ": the mark before the floor is wrong");
      }
      break;
    default:
      broken("C10", got);
  }
}

bool Checker::ended(const ConversationId& id) {
  const TrueStream* found = truth_.stream(id);
  return found != nullptr && found->ended;
}

void Checker::nothing_deleted(const Question& question, const ConversationId& id,
                              const std::vector<Payload>& records) {
  const auto heard = question.heads.find(id);
  const TrueStream& truth = stream("C17", id);
  for (const Payload& record : records) {
    const auto fields = wire::verify_record(record.bytes());
    if (!fields) continue;
    // An own deletion ends with its message, and what is said about that may be kept longer.
    const bool about_it =
        question.deleted.contains(fields->about) && fields->about >= truth.floor();
    if (fields->kind != EventKind::hidden && (question.deleted.contains(fields->seq) || about_it))
      broken("C18", "seq " + std::to_string(fields->seq) + " of " + short_name(id) +
                        " was deleted by its reader and is shown");
    if (fields->kind != EventKind::message || fields->deleted) continue;
    const auto changes = truth.changes.find(fields->seq);
    if (changes == truth.changes.end() || heard == question.heads.end()) continue;
    for (const TrueChange& change : changes->second)
      if (change.kind == EventKind::deleted && change.seq <= heard->second)
        broken("C17", "seq " + std::to_string(fields->seq) + " of " + short_name(id) +
                          " was deleted and is shown");
  }
}

void Checker::ack_received(std::uint64_t random, const Ack& ack) {
  Sent* sent = ledger_.find(random);
  if (sent == nullptr) broken("C1", "an ack for a message that nobody sent");
  const std::uint64_t order = ledger_.next_order();
  if (sent->acked != 0 && sent->seq != ack.seq) {
    broken("C3", "a device was given two seqs for one message");
  }
  if (sent->acked != 0) return;
  sent->acked = order;
  sent->seq = ack.seq;
  sent->time_ms = ack.time.time_since_epoch().count();
}

void Checker::finish() {
  for (const auto& id : truth_.audit()) finish_order(id);
  finish_ledger();
  finish_scheduled();
  finish_imports();
}

std::string Checker::owed() {
  if (auto message = truth_.expiring(); !message.empty()) return message;
  for (const auto& [id, user] : scheduled_) {
    const auto row = truth_.scheduled(user, id);
    if (row && row->failed == 0) return "a message of " + to_string(user) + " waits to be sent";
  }
  return {};
}

/// What was scheduled was sent, or waits, or was dropped. (C3: sent once.)
void Checker::finish_scheduled() {
  if (truth_.expired() > 0) report_.reached(Sometimes::expired);
  if (truth_.trimmed()) report_.reached(Sometimes::trimmed);
  if (truth_.trimmed_by_age()) report_.reached(Sometimes::trimmed_by_age);
  for (const auto& [id, user] : scheduled_) {
    if (truth_.find(id) != nullptr || dropped_.contains(id) || truth_.scheduled(user, id)) continue;
    if (erasing_.contains(user)) continue;
    broken("C16", "a scheduled message of " + to_string(user) + " was lost");
  }
}

void Checker::finish_ledger() {
  for (const auto& [random, sent] : ledger_.all()) {
    const Truth::Place* place = truth_.find(random);
    const std::string what = "a message of " + sent.subject + " in " +
                             short_name(sent.conversation) + " (number " +
                             std::to_string(sent.number) + ")";
    if (sent.acked != 0) {
      if (place == nullptr)
        broken("C1", what + " was acked as seq " + std::to_string(sent.seq) + " and is lost");
      if (place->conversation != sent.conversation || place->seq != sent.seq) {
        broken("C1", what + " was acked as seq " + std::to_string(sent.seq) +
                         ", the store has it as " + std::to_string(place->seq));
      }
    } else if (sent.refused && sent.attempts == 1 && place != nullptr) {
      broken("C1", what + " was refused at its only attempt and is in the store");
    }
    if (place == nullptr) continue;
    const TrueEvent& event = stream("C1", place->conversation).at(place->seq);
    const auto user = sent.system ? UserId{} : user_of(sent.subject);
    const bool same = sent.forward || event.body_hash == sent.body_hash;
    if (place->conversation != sent.conversation || !same || !user || event.sender != *user)
      broken("C1", what + " was stored with other content");
    if (sent.forward) forward_fits(place->conversation, place->seq, *sent.forward);
  }
}

/// Real-time order in one pass: of two messages, one acked before the other was first sent has the
/// smaller seq. And one device's numbers rise along the stream, but for those put off or
/// renumbered.
void Checker::finish_order(const ConversationId& id) {
  const TrueStream& events = stream("C5", id);
  std::uint64_t latest_issue = 0;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> numbers;
  for (Seq seq = 1; seq <= events.head(); ++seq) {
    const TrueEvent& event = events.at(seq);
    if (event.kind != EventKind::message || event.echo == 0) continue;
    const Sent* sent = ledger_.find(event.echo);
    if (sent == nullptr && event.body_hash == base::crc32c(0, scheduled_text)) {
      report_.reached(Sometimes::scheduled_sent);
      continue;
    }
    if (sent == nullptr) {
      broken("C1", "conversation " + short_name(id) + " seq " + std::to_string(seq) +
                       " was sent by nobody");
    }
    if (sent->acked != 0 && latest_issue > sent->acked) {
      broken("C5", "conversation " + short_name(id) + " seq " + std::to_string(seq) +
                       " was acked before a message with a smaller seq was sent");
    }
    latest_issue = std::max(latest_issue, sent->issued);
    if (sent->put_off || sent->renumbered || sent->number == 0) continue;
    std::uint64_t& last = numbers[{sent->device, sent->life}];
    if (sent->number <= last) {
      broken("C5", sent->subject + "'s message " + std::to_string(sent->number) + " in " +
                       short_name(id) + " comes after its " + std::to_string(last));
    }
    last = sent->number;
  }
}

}  // namespace parley::simulation
