// checker.cpp: the border of the engine: each thing it says, against the store at that instant.
#include "simulation/checker.hpp"

#include <algorithm>

#include "parley/limits.hpp"
#include "simulation/broken.hpp"

namespace parley::simulation {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

/// The conversation that an operation is about, if it is about one.
std::optional<ConversationId> subject_of(const wire::Operation& operation) {
  return std::visit(
      [](const auto& op) -> std::optional<ConversationId> {
        if constexpr (requires { op.conversation; }) return op.conversation;
        return std::nullopt;
      },
      operation);
}

bool same_membership(const layout::MemberRow& a, const layout::MemberRow& b) {
  return a.visible_from == b.visible_from && a.since_ms == b.since_ms && a.left_at == b.left_at;
}

}  // namespace

const TrueStream& Checker::stream(const char* what, const ConversationId& id) {
  const TrueStream* found = truth_.stream(id);
  if (found == nullptr) broken(what, "conversation " + short_name(id) + " does not exist");
  return *found;
}

std::optional<UserId> Checker::user_of(const std::string& subject) const {
  const auto found = ids_.find(subject);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void Checker::name(UserId id, const std::string& subject) {
  if (!id) broken("N", "subject " + subject + " has no id");
  const auto by_subject = ids_.try_emplace(subject, id).first;
  const auto by_id = subjects_.try_emplace(id, subject).first;
  if (by_subject->second != id) broken("N", "subject " + subject + " has two ids");
  if (by_id->second != subject) broken("N", "user " + to_string(id) + " has two subjects");
}

// ---- In ----

void Checker::heard(SessionKey key, const wire::Request& request) {
  Session& session = sessions_[key];
  Question question{
      .request = request, .at = scheduler_.now(), .heads = {}, .floors = {}, .me = {}};
  const auto note = [&](const ConversationId& id) {
    if (const TrueStream* truth = truth_.stream(id)) {
      question.heads[id] = truth->head();
      question.floors[id] = truth->floor();
    }
    if (const auto row = truth_.member(id, session.user)) question.me[id] = *row;
    spans(id, session.user);
  };
  const auto deleted = [&](const ConversationId& id) {
    const auto gone = session.deleted.find(id);
    return gone == session.deleted.end() ? std::set<Seq>() : gone->second;
  };
  if (const auto id = subject_of(request.operation)) {
    note(*id);
    question.deleted = deleted(*id);
  }
  heard_online(key, request.operation);
  if (const auto* subscribe = std::get_if<wire::Subscribe>(&request.operation)) {
    for (const auto& item : subscribe->items) {
      note(item.conversation);
      // What is under way for the old subscription may still come; the answer starts the new one.
    }
  }
  // A group counts from memory, which a commit reaches with its verdict: later than the store.
  if (const auto* seen = std::get_if<wire::Seen>(&request.operation);
      seen != nullptr && truth_.scattered(seen->conversation))
    question.seen = truth_.seen(seen->conversation, session.user, seen->seq);
  if (const auto* block = std::get_if<wire::BlockUser>(&request.operation)) {
    Blocking& state = blocks_[{session.user, block->user}];
    state.on = false;
    question.block_changes = ++state.changes;
  }
  if (const auto* send = std::get_if<wire::Send>(&request.operation)) {
    if (send->forward) {
      note(send->forward->conversation);
      question.deleted_there = deleted(send->forward->conversation);
    }
    const auto info = truth_.info(send->conversation);
    if (info && info->kind == ConversationKind::direct) {
      const UserId peer = info->first == session.user ? info->second : info->first;
      const Blocking& state = blocks_[{peer, session.user}];
      if (state.on) question.blocker = {peer, state.changes};
    }
  }
  if (const auto gone = out_of(session, question))
    if (const auto row = truth_.member(gone->first, gone->second)) question.entry = row->admission;
  if (const auto* hello = std::get_if<wire::Hello>(&request.operation)) {
    if (!session.welcomed) session.subject = hello->token;
  }
  if (const auto* direct = std::get_if<wire::Direct>(&request.operation)) {
    for (const auto& [other, their] : sessions_) {
      if (their.subject != direct->peer) continue;
      for (const auto& [number, open] : their.open) {
        const auto* theirs = std::get_if<wire::Direct>(&open.request.operation);
        if (theirs != nullptr && theirs->peer == session.subject)
          report_.reached(Sometimes::direct_race);
      }
    }
  }
  session.open.insert_or_assign(request.number, std::move(question));
}

/// Nobody will hear whether these were put off.
void Checker::unanswered(const Session& session) {
  for (const auto& [number, question] : session.open) {
    const auto* send = std::get_if<wire::Send>(&question.request.operation);
    Sent* sent = send != nullptr ? ledger_.find(send->random) : nullptr;
    if (sent != nullptr) sent->put_off = true;
  }
}

void Checker::closed(SessionKey key) {
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return;
  online_.closed(key, scheduler_.now());
  unanswered(session->second);
  sessions_.erase(session);
}

void Checker::engine_died() {
  for (const auto& [key, session] : sessions_) unanswered(session);
  sessions_.clear();
  online_.clear();
}

// ---- Out ----

void Checker::said(SessionKey key, const wire::Reply& reply) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) broken("A", "the engine speaks to a session that is gone");
  Session& session = found->second;
  if (session.parting) broken("A", "the engine speaks after its goodbye to " + session.subject);
  if (reply.request == 0) return push(session, reply);
  if (const auto asked = session.open.find(reply.request); asked != session.open.end())
    answered_online(key, asked->second.request.operation, reply.answer);
  answer(session, reply);
}

void Checker::answer(Session& session, const wire::Reply& reply) {
  const auto found = session.open.find(reply.request);
  if (found == session.open.end()) {
    broken("A", "an answer to request " + std::to_string(reply.request) + " of " + session.subject +
                    ", which is not open");
  }
  const Question question = std::move(found->second);
  session.open.erase(found);
  judge(session, question, reply.answer);
}

void Checker::push(Session& session, const wire::Reply& reply) {
  std::visit(
      Overloaded{[&](const wire::Events& a) { on(session, a); },
                 [&](const wire::HeadMoved& a) { on(session, a); },
                 [&](const wire::ReceiptsMoved& a) { on(session, a); },
                 [&](const wire::ListChanged& a) { on(session, a); },
                 [&](const wire::Signalled& a) {
                   const auto& known = spans(a.conversation, session.user);
                   if (known.empty()) broken("C7", "a signal to a stranger");
                   if (!ended(a.conversation) && spans(a.conversation, a.sender).empty())
                     broken("C7", "a signal from a stranger");
                 },
                 [&](const wire::Streamed& a) { on(session, a); },
                 [&](const wire::PresenceChanged&) {}, [&](const Online& a) { on(session, a); },
                 [&](const wire::Scheduled& a) {
                   for (const auto& item : a.items) scheduled_.emplace(item.id, session.user);
                 },
                 [&](const wire::ThreadState& a) { thread(session, a); },
                 [&](const Ballot& a) { ballot(session, a); },
                 [&](const DeletedForMe& a) { on(session, a); },
                 [&](const wire::Goodbye&) { session.parting = true; },
                 // An error that belongs to no request: the session ends.
                 [&](const wire::Failed& a) {
                   if (a.error.errc() == Errc::internal)
                     broken("A", "internal: " + a.error.message);
                 },
                 [&](const auto&) {
                   broken("A", "an unasked answer of kind " + std::to_string(reply.answer.index()));
                 }},
      reply.answer);
}

void Checker::on(Session& session, const Question&, const wire::Welcome& welcome) {
  if (session.welcomed) broken("A", "a second welcome");
  session.welcomed = true;
  session.user = welcome.user;
  session.device = welcome.device;
  if (welcome.subject != session.subject) {
    broken("N", session.subject + " was welcomed as " + welcome.subject);
  }
  name(welcome.user, welcome.subject);
  on(session, welcome.list);
}

void Checker::on(Session& session, const Question& question, const wire::Acked& acked) {
  const auto& send = std::get<wire::Send>(question.request.operation);
  const Ack& ack = acked.ack;
  if (ack.conversation != send.conversation || ack.number != send.number) {
    broken("C1", "an ack of " + session.subject + " names another send");
  }
  const TrueStream& truth = stream("C1", ack.conversation);
  if (ack.seq == 0 || ack.seq > truth.head()) {
    broken("C1", "acked " + at(ack.conversation, ack.seq) + " but the store ends at " +
                     std::to_string(truth.head()));
  }
  told_[ack.conversation] = std::max(told_[ack.conversation], ack.seq);
  const TrueEvent& event = truth.at(ack.seq);
  if (event.kind != EventKind::message || event.sender != session.user ||
      (send.random != 0 && event.echo != send.random) ||
      (!send.forward && event.body_hash != stored_hash(send.body.bytes())) ||
      event.thread_root != send.thread_root) {
    broken("C1", "acked " + at(ack.conversation, ack.seq) + " holds something else");
  }
  if (send.forward) forwarded(session, question, send, ack);
  if (question.blocker && !ack.repeated &&
      blocks_[{question.blocker->first, session.user}].changes == question.blocker->second) {
    report_.reached(Sometimes::blocked_sends);
    if (event.audience != audience::sender)
      broken("C7", at(ack.conversation, ack.seq) + " reaches somebody who blocks its sender");
  }
  const std::int64_t time = ack.time.time_since_epoch().count();
  if (event.time_ms != time) broken("C3", "the ack's time differs from the event's");
  if (send.number != 0 || !send.key.empty()) {
    const auto [first, fresh] =
        first_acks_.try_emplace(send.random, FirstAck{ack.seq, time, false});
    if (!fresh && (first->second.seq != ack.seq || first->second.time_ms != time)) {
      broken("C3", "a retry was answered " + at(ack.conversation, ack.seq) + ", first " +
                       std::to_string(first->second.seq));
    }
    // Of the answers to one message, in whatever order sessions get them, one is the first.
    if (!ack.repeated && std::exchange(first->second.told_first, true)) {
      broken("C3", "two acks of one message do not say `repeated`");
    }
  }
  if (ack.repeated) report_.reached(Sometimes::ack_repeated);
  if (send.thread_root != 0) report_.reached(Sometimes::replied);
  if (!send.extras.mentions.empty()) report_.reached(Sometimes::mentioned);
}

void Checker::send_failed(const wire::Send& send, const Error& error) {
  const Errc code = error.errc();
  Sent* sent = send.random != 0 ? ledger_.find(send.random) : nullptr;
  if (sent != nullptr) sent->put_off = true;  // another attempt may be under way
  if (code == Errc::number_taken) report_.reached(Sometimes::number_taken);
  if (code == Errc::too_old) report_.reached(Sometimes::too_old);
  if (code == Errc::key_reused) report_.reached(Sometimes::key_reused);
  if (code == Errc::too_large) report_.reached(Sometimes::too_large);
  if ((code == Errc::number_taken || code == Errc::too_old) && error.next <= send.number &&
      error.next != 0) {
    broken("C3", std::string(to_string(code)) + " for number " + std::to_string(send.number) +
                     " but go on with " + std::to_string(error.next));
  }
  if (send.number != 0 && first_acks_.contains(send.random) && code == Errc::number_taken) {
    broken("C3", "a send that was acked is answered number_taken");
  }
}

void Checker::on(Session& session, const Question& question, const wire::Failed& failed) {
  const Error& error = failed.error;
  const Errc code = error.errc();
  if (code == Errc::internal || code == Errc::store_corrupt || code == Errc::ok) {
    broken("A", "operation " + std::to_string(question.request.operation.index()) + " of " +
                    session.subject + " failed with " + std::string(to_string(code)) + ": " +
                    error.message);
  }
  if (error.code.value() == refusal_code) refused(question.request.operation, error);
  const auto id = subject_of(question.request.operation);
  if (const auto* send = std::get_if<wire::Send>(&question.request.operation))
    send_failed(*send, error);
  const bool kept = code == Errc::muted || code == Errc::archived || code == Errc::slow_mode ||
                    code == Errc::banned;
  if (kept) report_.reached(Sometimes::kept_out);
  if (code != Errc::denied || !id) return;
  if (std::holds_alternative<wire::Send>(question.request.operation)) {
    report_.reached(Sometimes::send_denied);
    const auto was = question.me.find(*id);
    if (was != question.me.end() && was->second.role != Role::none)
      report_.reached(Sometimes::removed_while_sending);
  }
  if (std::holds_alternative<wire::History>(question.request.operation)) {
    report_.reached(Sometimes::page_denied);
  }
  // Sends and reads are open to every member (a mention of everybody is not): a member from before
  // the question to the answer must not be denied. (The row's birth is compared, so that somebody
  // thrown out and back may be.)
  const TrueStream* stream = truth_.stream(*id);
  const auto* send = std::get_if<wire::Send>(&question.request.operation);
  const bool sends = send != nullptr && send->audience != audience::moderators &&
                     send->extras.mention_scope == MentionScope::none && stream != nullptr &&
                     !send->forward && send->audience < audience::first_group &&
                     !stream->silenced.contains(session.user) &&
                     truth_.kind_of(*id) != ConversationKind::space;
  const bool every_member = sends ||
                            std::holds_alternative<wire::History>(question.request.operation) ||
                            std::holds_alternative<wire::MarkRead>(question.request.operation) ||
                            std::holds_alternative<wire::Members>(question.request.operation) ||
                            std::holds_alternative<wire::GetRetention>(question.request.operation);
  const auto before = question.me.find(*id);
  const auto now = truth_.member(*id, session.user);
  const ConversationId space = truth_.space_of(*id);
  if (space) {
    // It may have been closed and opened in between; who may only read in the space reads here.
    const auto heard = question.heads.find(*id);
    const TrueStream& closing = *truth_.stream(*id);
    for (Seq seq = heard == question.heads.end() ? 1 : heard->second + 1; seq <= closing.head();
         ++seq)
      if (closing.at(seq).kind == EventKind::settings_changed) return;
    if (send != nullptr && truth_.stream(space)->silenced.contains(session.user)) return;
  }
  if (every_member && !ended(*id) && before != question.me.end() &&
      before->second.role != Role::none && now && now->role != Role::none &&
      same_membership(before->second, *now)) {
    broken("C7", "operation " + std::to_string(question.request.operation.index()) + " of " +
                     session.subject + ", a member of " + short_name(*id) + ", was denied");
  }
}

void Checker::on(Session& session, const Question& question, const wire::Opened& opened) {
  const ListEntry& shown = opened.entry;
  entry(session, shown);
  if (spans(shown.conversation, session.user).empty()) {
    broken("C7", "opened " + short_name(shown.conversation) + " without a member row");
  }
  const auto& asked = question.request.operation;
  if (const auto* create = std::get_if<wire::Create>(&asked)) {
    if (shown.kind != create->kind) broken("A", "created another kind than asked");
  } else if (std::holds_alternative<wire::Direct>(asked)) {
    if (shown.kind != ConversationKind::direct) broken("A", "a direct of another kind");
  } else if (const auto* invited = std::get_if<wire::JoinInvite>(&asked)) {
    if (!invited->token.starts_with(to_string(shown.conversation)))
      broken("A", "a link led into another conversation");
  } else if (shown.conversation != std::get<wire::Join>(asked).conversation) {
    broken("A", "joined another conversation than asked");
  }
}

void Checker::on(Session& session, const Question& question, const wire::HistoryPage& page) {
  const auto& asked = std::get<wire::History>(question.request.operation);
  if (page.conversation != asked.conversation) broken("C4", "a page of another conversation");
  if (page.records.size() > asked.limit) broken("C4", "a page longer than its limit");
  const auto floor = question.floors.find(page.conversation);
  if (!page.records.empty() && floor != question.floors.end() && page.first < floor->second)
    broken("C17", "a page shows what lies below the floor of " + short_name(page.conversation));
  nothing_deleted(question, page.conversation, page.records);
  if (!page.records.empty()) {
    records(session, "history", page.conversation, page.epoch, page.first, page.records, page.mark);
  }
  const Seq last = page.first + page.records.size();  // one past the end
  if (!page.records.empty() && page.first < page.floor) broken("C4", "a page below its floor");
  if (asked.backward) {
    report_.reached(Sometimes::history_backward);
    if (!page.records.empty() && asked.from != 0 && last > asked.from) {
      broken("C4", "a backward page reaches its start");
    }
    if (!page.records.empty() && page.more != (page.first > page.floor)) {
      broken("C4", "a backward page of " + at(page.conversation, page.first) + " lies about more");
    }
    if (page.records.empty() && page.more) broken("C4", "an empty page promises more");
  } else {
    report_.reached(Sometimes::history_forward);
    if (!page.records.empty() && page.first != std::max(asked.from, page.floor)) {
      broken("C4", "a forward page does not begin where it was asked");
    }
  }
}

}  // namespace parley::simulation
