// checker_words.cpp: what the host says: of messages before they are stored, in its own name, and
// of who sees what; and what forwards say of where they come from.
#include <algorithm>

#include "base/crc32c.hpp"
#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {

// ---- Before it is stored ----

void Checker::host_looks(HostLooks when) {
  host_looks_ = when != HostLooks::never;
  host_looks_later_ = when == HostLooks::later || when == HostLooks::twice;
  if (host_looks_) truth_.host_looks();
}

std::uint32_t Checker::stored_hash(Bytes body) const {
  return base::crc32c(0, host_looks_ ? as_stored(body) : std::string(body));
}

/// By the host: a message or an edit whose words it refuses, and its sender is told why.
void Checker::refused(const wire::Operation& asked, const Error& error) {
  const auto* send = std::get_if<wire::Send>(&asked);
  const auto* edit = std::get_if<wire::Edit>(&asked);
  const Bytes body = send != nullptr   ? send->body.bytes()
                     : edit != nullptr ? edit->body.bytes()
                                       : Bytes();
  if (!host_looks_ || word_on(body) != Word::refused)
    broken("C22", "the host is said to have refused what it did not");
  if (error.message != refusal_text) broken("C22", "a refusal without the host's words");
  report_.reached(Sometimes::refused_by_host);
}

// ---- In its own name ----

void Checker::saying(const wire::Send& send) {
  if (Sent* known = ledger_.find(send.random)) {
    ++known->attempts;
    return;
  }
  ledger_.issue({.random = send.random,
                 .subject = "the host",
                 .device = ~0U,
                 .conversation = send.conversation,
                 .body_hash = stored_hash(send.body.bytes()),
                 .system = true,
                 .attempts = 1});
}

void Checker::host_said(const wire::Send& send, const wire::Answer& answer) {
  if (const auto* failed = std::get_if<wire::Failed>(&answer)) {
    const Errc code = failed->error.errc();
    if (code == Errc::internal || code == Errc::store_corrupt || code == Errc::key_reused)
      broken("A", "what the host said failed: " + failed->error.message);
    if (failed->error.code.value() != refusal_code) return;
    refused(send, failed->error);
    ledger_.find(send.random)->refused = true;
    return;
  }
  const auto* acked = std::get_if<wire::Acked>(&answer);
  if (acked == nullptr) broken("A", "what the host said was answered by something else");
  const Ack& ack = acked->ack;
  const TrueStream& truth = stream("C1", send.conversation);
  const std::string what = "what the host said as " + at(send.conversation, ack.seq);
  if (ack.seq == 0 || ack.seq > truth.head()) broken("C1", what + " is not stored");
  const TrueEvent& event = truth.at(ack.seq);
  if (event.kind != EventKind::message || event.sender || event.echo != send.random ||
      event.body_hash != stored_hash(send.body.bytes()))
    broken("C1", what + " is something else");
  const bool grouped = host_looks_ && word_on(send.body.bytes()) == Word::grouped;
  if (event.audience != (grouped ? audience::first_group : send.audience))
    broken("C7", what + " is for others than it was said to");
  const Sent& known = *ledger_.find(send.random);
  if (known.acked != 0 && !ack.repeated) broken("C3", what + " was answered before");
  if (ack.repeated) report_.reached(Sometimes::host_repeated);
  told_[send.conversation] = std::max(told_[send.conversation], ack.seq);
  ack_received(send.random, ack);
}

/// Nobody else decides that. `head`: when it was asked; what a user is goes with the membership.
void Checker::visibility_set(const wire::SetVisibility& set, Seq head, const wire::Answer& answer) {
  if (const auto* failed = std::get_if<wire::Failed>(&answer)) {
    const Errc code = failed->error.errc();
    if (code == Errc::internal || code == Errc::store_corrupt || code == Errc::invalid_argument)
      broken("A", "who sees what could not be set: " + failed->error.message);
    return;
  }
  const TrueStream& truth = stream("C7", set.conversation);
  if (truth.ended) return;
  const std::string what = "of user " + to_string(set.user) + " in " + short_name(set.conversation);
  if (set.shadowed && *set.shadowed != truth.shadowed.contains(set.user))
    broken("C7", "a shadow ban " + what + " was answered, and is not");
  const auto since = [&](const auto& moves) {
    const auto found = moves.find(set.user);
    return found != moves.end() && found->second.back() > head;
  };
  if (!set.groups || since(truth.endings) || since(truth.beginnings)) return;
  const auto groups = truth.groups.find(set.user);
  const unsigned now = groups == truth.groups.end() ? 0 : groups->second;
  // Who left a channel by itself and came back is in none, and no event says so.
  const bool gone = *set.groups == 0 && truth_.scattered(set.conversation);
  if (now != *set.groups && !gone) broken("C7", "groups " + what + " were answered, and are not");
}

// ---- Forwards ----

/// What the source said, and of its origin what everybody here may know.
void Checker::forward_fits(const ConversationId& here, Seq seq, const ForwardOf& of) {
  const TrueEvent event = stream("C23", here).at(seq);
  const TrueStream& source = stream("C23", of.conversation);
  const std::string what = at(here, seq) + ", forwarded from " + at(of.conversation, of.seq) + ", ";
  if (of.seq == 0 || of.seq > source.head()) broken("C23", what + "comes from nowhere");
  const TrueEvent& from = source.at(of.seq);
  if (from.kind != EventKind::message || from.audience != audience::everyone)
    broken("C23", what + "was not for everybody there");
  if (!event.origin) broken("C23", what + "does not tell of an origin");
  if (event.hash != 0 && !source.said(of.seq, event.body_hash))
    broken("C23", what + "says what was never said there");
  const Origin here_from{of.conversation, of.seq, from.sender,
                         WallTime(std::chrono::milliseconds(from.time_ms))};
  const Origin& first = from.origin ? *from.origin : here_from;
  const Origin& told = *event.origin;
  if (told.sender != first.sender || told.time != first.time)
    broken("C23", what + "names another writer or time");
  const bool hides = first.conversation == of.conversation && first.conversation != here;
  const bool tells = told.conversation == first.conversation && told.seq == first.seq;
  const bool silent = !told.conversation && told.seq == 0;
  if (!tells && !(hides && silent)) broken("C23", what + "names another origin");
  if (hides && tells && !source.was_open) broken("C23", what + "tells of what is open to few");
  if (hides && !tells && !source.was_closed) broken("C23", what + "hides what is open to all");
  if (hides) report_.reached(tells ? Sometimes::origin_told : Sometimes::origin_hidden);
}

void Checker::forwarded(Session& session, const Question& question, const wire::Send& send,
                        const Ack& ack) {
  const ForwardOf& of = *send.forward;
  forward_fits(send.conversation, ack.seq, of);
  report_.reached(Sometimes::forwarded);
  if (ack.repeated) return;  // who could read it when it was new was looked at then
  visible(session, "a forward", of.conversation, of.seq);
  const std::string what = session.subject + " forwards " + at(of.conversation, of.seq) + ", ";
  const auto before = question.me.find(of.conversation);
  const bool was = before != question.me.end() && before->second.role != Role::none;
  const auto& known = spans(of.conversation, session.user);
  // A removal may be in the store and not yet told to the engine, which has ten seconds for that.
  const bool in = std::any_of(known.begin(), known.end(), [&](const Span& span) {
    return span.in + std::chrono::seconds(15) >= question.at ||
           (span.told_until && scheduler_.now() < *span.told_until);
  });
  if (!was && !in && !rows_gone(of.conversation)) broken("C23", what + "which it is no member of");
  if (question.deleted_there.contains(of.seq))
    broken("C18", what + "which it has deleted for itself");
  const auto floor = question.floors.find(of.conversation);
  if (floor != question.floors.end() && of.seq < floor->second)
    broken("C17", what + "which was trimmed");
  const TrueStream& source = stream("C23", of.conversation);
  const auto heard = question.heads.find(of.conversation);
  const auto changes = source.changes.find(of.seq);
  if (changes == source.changes.end() || heard == question.heads.end()) return;
  for (const TrueChange& change : changes->second)
    if (change.kind == EventKind::deleted && change.seq <= heard->second)
      broken("C17", what + "which was deleted");
}

}  // namespace parley::simulation
