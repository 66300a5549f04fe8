// checker.cpp: the border of the engine: each thing it says, against the store at that instant.
#include "simulation/checker.hpp"

#include <algorithm>
#include <limits>

#include "base/crc32c.hpp"
#include "base/endian.hpp"
#include "parley/limits.hpp"

namespace parley::simulation {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

[[noreturn]] void broken(const char* check, const std::string& what) {
  throw Broken(std::string(check) + " " + what);
}

std::string at(const ConversationId& id, Seq seq) {
  return "conversation " + short_name(id) + " seq " + std::to_string(seq);
}

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

// ---- Who may see what ----

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
  if (row->role != Role::none) {
    last.in = scheduler_.now();
    if (last.told_until) last.seen = scheduler_.now();
    last.told_until.reset();
  } else if (!last.told_until && truth_.scattered(id)) {
    const auto& endings = stream("C7", id).endings;
    const auto mine = endings.find(user);
    const bool has_seq =
        mine != endings.end() &&
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
  if (rows_gone(id) && spans(id, session.user).empty()) return;
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
  const ConversationId space = truth_.space_of(id);
  const bool by_space = space && truth_.stream(space)->audiences.contains(session.user);
  return by_space || stream("C7", id).seen(seq, session.user, false);
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
  if (event.audience != audience::everyone) report_.reached(Sometimes::for_some);
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
            if (!stream("C7", a.conversation).seen(a.seq, session.user, false))
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

// ---- Pushes ----

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
  for (const Payload& record : events.records)
    if (const auto fields = wire::verify_record(record.bytes());
        fields->kind != EventKind::hidden &&
        (gone.contains(fields->seq) || gone.contains(fields->about)))
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
      broken("C7", "a member without a row is listed");
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
  if (!right && !(unknowable && known.empty())) {
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
