// checker.cpp: the border of the engine: each thing it says, against the store at that instant.
#include "simulation/checker.hpp"

#include <algorithm>

#include "base/crc32c.hpp"
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
    if (const auto gone = session.deleted.find(id); gone != session.deleted.end())
      question.deleted = gone->second;
  };
  if (const auto id = subject_of(request.operation)) note(*id);
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
  const wire::Operation& asked = question.request.operation;
  if (const auto* failed = std::get_if<wire::Failed>(&reply.answer)) {
    return on(session, question, *failed);
  }
  const auto expect = [&](bool fits) {
    if (!fits) {
      broken("A", "operation " + std::to_string(asked.index()) + " got an answer of kind " +
                      std::to_string(reply.answer.index()));
    }
  };
  const auto is = [&]<class T>(std::in_place_type_t<T>) {
    return std::holds_alternative<T>(asked);
  };
  std::visit(
      Overloaded{
          [&](const wire::Welcome& a) {
            expect(is(std::in_place_type<wire::Hello>));
            on(session, question, a);
          },
          [&](const wire::Acked& a) {
            expect(is(std::in_place_type<wire::Send>));
            on(session, question, a);
          },
          [&](const wire::Opened& a) {
            expect(is(std::in_place_type<wire::Create>) || is(std::in_place_type<wire::Direct>) ||
                   is(std::in_place_type<wire::Join>) || is(std::in_place_type<wire::JoinInvite>));
            on(session, question, a);
          },
          [&](const wire::Subscribed& a) {
            expect(is(std::in_place_type<wire::Subscribe>));
            on(session, question, a);
          },
          [&](const wire::HistoryPage& a) {
            expect(is(std::in_place_type<wire::History>));
            on(session, question, a);
          },
          [&](const wire::ListChanged& a) {
            expect(is(std::in_place_type<wire::Sync>));
            on(session, a);
          },
          [&](const wire::MembersPage& a) {
            expect(is(std::in_place_type<wire::Members>));
            on(session, a, std::get<wire::Members>(asked).conversation);
          },
          [&](const wire::Messages& a) {
            expect(is(std::in_place_type<wire::Pins>));
            nothing_deleted(question, a.conversation, a.records);
            for (const Payload& record : a.records) {
              const auto fields = wire::verify_record(record.bytes());
              if (!fields || !fields->pinned) broken("C15", "a pinned message is not pinned");
              shown(session, "pins", a.conversation, fields->seq, record.bytes());
            }
          },
          [&](const wire::ReactorsPage& a) {
            expect(is(std::in_place_type<wire::Reactors>));
            visible(session, "reactors", a.conversation, a.seq);
            if (!may_be_for(session, a.conversation, a.seq))
              broken("C7", "who reacted is told of a message that is not for the asker");
            if (!std::is_sorted(a.users.begin(), a.users.end()))
              broken("C15", "reactors are not in order");
          },
          [&](const Ballot& a) {
            expect(is(std::in_place_type<wire::Vote>) || is(std::in_place_type<wire::GetBallot>));
            ballot(session, a);
          },
          [&](const wire::StreamStarted&) { expect(is(std::in_place_type<wire::StartStream>)); },
          [&](const wire::Streamed& a) {
            expect(is(std::in_place_type<wire::GetStream>) && a.at == 0);
            on(session, a);
          },
          [&](const wire::VotersPage& a) {
            expect(is(std::in_place_type<wire::Voters>));
            ballot(session, {a.conversation, a.seq, {}});
            if (!std::is_sorted(a.users.begin(), a.users.end()))
              broken("C15", "voters are not in order");
          },
          [&](const wire::Scheduled& a) {
            expect(is(std::in_place_type<wire::Schedule>) ||
                   is(std::in_place_type<wire::ListScheduled>));
            for (const auto& item : a.items) scheduled_.emplace(item.id, session.user);
          },
          [&](const wire::Info& a) {
            expect(is(std::in_place_type<wire::GetInfo>));
            if (spans(a.info.conversation, session.user).empty())
              broken("C7", "a stranger was told about " + short_name(a.info.conversation));
          },
          [&](const wire::Invites& a) {
            expect(is(std::in_place_type<wire::CreateInvite>) ||
                   is(std::in_place_type<wire::ListInvites>));
            if (spans(a.conversation, session.user).empty())
              broken("C7", "a stranger was told links of " + short_name(a.conversation));
          },
          [&](const wire::JoinRequestsPage& a) {
            expect(is(std::in_place_type<wire::JoinRequests>));
            if (spans(a.conversation, session.user).empty())
              broken("C7", "a stranger was told who asks for " + short_name(a.conversation));
          },
          [&](const wire::BlockedUsers&) { expect(is(std::in_place_type<wire::ListBlocked>)); },
          [&](const wire::RestrictionsPage&) {
            expect(is(std::in_place_type<wire::Restrictions>));
          },
          [&](const wire::ThreadState& a) {
            expect(is(std::in_place_type<wire::FollowThread>) ||
                   is(std::in_place_type<wire::ReadThread>));
            thread(session, a);
          },
          [&](const wire::ThreadPage& a) {
            expect(is(std::in_place_type<wire::Thread>));
            thread(session, a.thread);
            nothing_deleted(question, a.thread.conversation, a.records);
            const Seq root = std::get<wire::Thread>(asked).root;
            Seq before = 0;
            for (const Payload& record : a.records) {
              const Seq seq = shown_message(session, a.thread.conversation, record);
              if (seq <= before || stream("C15", a.thread.conversation).at(seq).thread_root != root)
                broken("C15", "a thread's page out of order, or with what is no reply there");
              before = seq;
            }
          },
          [&](const wire::ThreadsPage& a) {
            expect(is(std::in_place_type<wire::Threads>));
            for (const auto& each : a.threads) thread(session, each);
          },
          [&](const wire::Kept& a) {
            expect(is(std::in_place_type<wire::GetRetention>));
            if (spans(a.conversation, session.user).empty())
              broken("C7",
                     "a stranger was told how much of " + short_name(a.conversation) + " is kept");
          },
          [&](const wire::Names& a) {
            expect(is(std::in_place_type<wire::Lookup>));
            for (const auto& user : a.users) name(user.id, user.subject);
          },
          [&](const wire::PresenceChanged&) { expect(is(std::in_place_type<wire::Watch>)); },
          [&](const Online& a) {
            expect(is(std::in_place_type<wire::WatchConversation>));
            if (a.step != PresenceStep::none) on(session, a);
          },
          [&](const wire::ListPage& a) {
            expect(is(std::in_place_type<wire::PageList>));
            on(session, a);
          },
          [&](const wire::DeviceList&) { expect(is(std::in_place_type<wire::Devices>)); },
          [&](const UserSettings&) { expect(is(std::in_place_type<wire::SetUser>)); },
          [&](const wire::SeenBy& a) {
            expect(is(std::in_place_type<wire::Seen>));
            report_.reached(Sometimes::seen_counted);
            const std::uint64_t now = truth_.seen(a.conversation, session.user, a.seq);
            if ((a.count < question.seen || a.count > now) && !ended(a.conversation)) {
              broken("C6", at(a.conversation, a.seq) + " was seen by " + std::to_string(a.count) +
                               ", the store had " + std::to_string(question.seen) + " and has " +
                               std::to_string(now));
            }
          },
          [&](const wire::Goodbye&) {
            expect(is(std::in_place_type<wire::Bye>));
            report_.reached(Sometimes::goodbye);
            session.parting = true;
          },
          [&](const wire::Done&) {
            if (const auto* block = std::get_if<wire::BlockUser>(&asked)) {
              Blocking& state = blocks_[{session.user, block->user}];
              if (state.changes == question.block_changes) state.on = block->on;
              state.since = scheduler_.now();
            }
            taken_back(session, question);
            // Brings the spans up to date: the two seconds count from here.
            if (const auto* left = std::get_if<wire::Leave>(&asked)) {
              spans(left->conversation, session.user);
              auto& known = spans_[{left->conversation, session.user}];
              const Time bound = scheduler_.now() + std::chrono::seconds(2);
              if (!known.empty() && known.back().told_until > bound) {
                known.back().told_until = bound;
              }
            }
            if (const auto* erase = std::get_if<wire::DeleteForMe>(&asked)) {
              auto& own = own_deletions_[{erase->conversation, session.user}];
              for (const Seq seq : erase->seqs) {
                if (!own.tried.contains(seq))
                  broken("C18",
                         at(erase->conversation, seq) + " is deleted, and no commit says so");
                own.answered.emplace(seq, scheduler_.now());
                session.deleted[erase->conversation].insert(seq);
              }
            }
            expect(
                is(std::in_place_type<wire::DeleteForMe>) ||
                is(std::in_place_type<wire::AppendStream>) ||
                is(std::in_place_type<wire::CancelStream>) ||
                is(std::in_place_type<wire::Unschedule>) || is(std::in_place_type<wire::Leave>) ||
                is(std::in_place_type<wire::Add>) || is(std::in_place_type<wire::Edit>) ||
                is(std::in_place_type<wire::Delete>) || is(std::in_place_type<wire::SetList>) ||
                is(std::in_place_type<wire::ClosePoll>) || is(std::in_place_type<wire::React>) ||
                is(std::in_place_type<wire::Transfer>) || is(std::in_place_type<wire::Pin>) ||
                is(std::in_place_type<wire::Remove>) || is(std::in_place_type<wire::SetRole>) ||
                is(std::in_place_type<wire::SetTitle>) ||
                is(std::in_place_type<wire::SetSettings>) ||
                is(std::in_place_type<wire::RevokeInvite>) ||
                is(std::in_place_type<wire::BlockUser>) ||
                is(std::in_place_type<wire::RequestJoin>) ||
                is(std::in_place_type<wire::AnswerRequest>) ||
                is(std::in_place_type<wire::Restrict>) || is(std::in_place_type<wire::MarkRead>) ||
                is(std::in_place_type<wire::SetPresence>) ||
                is(std::in_place_type<wire::RenameDevice>) ||
                is(std::in_place_type<wire::RevokeDevice>) ||
                is(std::in_place_type<wire::SetRetention>) || is(std::in_place_type<wire::End>) ||
                is(std::in_place_type<wire::SendSignal>) || is(std::in_place_type<wire::Ping>));
          },
          [&](const auto&) { expect(false); }},
      reply.answer);
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
  const TrueEvent& event = truth.at(ack.seq);
  if (event.kind != EventKind::message || event.sender != session.user ||
      (send.random != 0 && event.echo != send.random) ||
      event.body_hash != base::crc32c(0, send.body.bytes()) ||
      event.thread_root != send.thread_root) {
    broken("C1", "acked " + at(ack.conversation, ack.seq) + " holds something else");
  }
  if (question.blocker && !ack.repeated &&
      blocks_[{question.blocker->first, session.user}].changes == question.blocker->second) {
    report_.reached(Sometimes::blocked_sends);
    if (event.audience != audience::sender)
      broken("C7", at(ack.conversation, ack.seq) + " reaches somebody who blocks its sender");
  }
  const std::int64_t time = ack.time.time_since_epoch().count();
  if (event.time_ms != time) broken("C3", "the ack's time differs from the event's");
  if (send.number != 0) {
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

void Checker::on(Session& session, const Question& question, const wire::Failed& failed) {
  const Error& error = failed.error;
  const Errc code = error.errc();
  if (code == Errc::internal || code == Errc::store_corrupt || code == Errc::ok) {
    broken("A", "operation " + std::to_string(question.request.operation.index()) + " of " +
                    session.subject + " failed with " + std::string(to_string(code)) + ": " +
                    error.message);
  }
  const auto id = subject_of(question.request.operation);
  if (const auto* send = std::get_if<wire::Send>(&question.request.operation)) {
    Sent* sent = send->random != 0 ? ledger_.find(send->random) : nullptr;
    if (sent != nullptr) sent->put_off = true;  // another attempt may be under way
    if (code == Errc::number_taken) report_.reached(Sometimes::number_taken);
    if (code == Errc::too_old) report_.reached(Sometimes::too_old);
    if (code == Errc::key_reused) report_.reached(Sometimes::key_reused);
    if (code == Errc::too_large) report_.reached(Sometimes::too_large);
    if ((code == Errc::number_taken || code == Errc::too_old) && error.next <= send->number &&
        error.next != 0) {
      broken("C3", std::string(to_string(code)) + " for number " + std::to_string(send->number) +
                       " but go on with " + std::to_string(error.next));
    }
    if (send->number != 0 && first_acks_.contains(send->random) && code == Errc::number_taken) {
      broken("C3", "a send that was acked is answered number_taken");
    }
  }
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
