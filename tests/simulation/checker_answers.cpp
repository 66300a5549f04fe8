// checker_answers.cpp: every answer is of a kind that fits what was asked, and true.
#include <algorithm>

#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {

struct Checker::Judge {
  Checker& checker;
  Session& session;
  const Question& question;

  template <class... Asked>
  void expect() const {
    const wire::Operation& asked = question.request.operation;
    if (!(std::holds_alternative<Asked>(asked) || ...))
      broken("A", "operation " + std::to_string(asked.index()) + " got an answer of another kind");
  }
  template <class T>
  [[nodiscard]] const T& asked() const {
    return std::get<T>(question.request.operation);
  }
  void not_for_strangers(const ConversationId& id, const char* what) const {
    if (checker.spans(id, session.user).empty())
      broken("C7", "a stranger was told " + std::string(what) + " of " + short_name(id));
  }

  void operator()(const wire::Failed& a) const { checker.on(session, question, a); }
  void operator()(const wire::Welcome& a) const {
    expect<wire::Hello>();
    checker.on(session, question, a);
  }
  void operator()(const wire::Acked& a) const {
    expect<wire::Send>();
    checker.on(session, question, a);
  }
  void operator()(const wire::Opened& a) const {
    expect<wire::Create, wire::Direct, wire::Join, wire::JoinInvite>();
    checker.on(session, question, a);
  }
  void operator()(const wire::Subscribed& a) const {
    expect<wire::Subscribe>();
    checker.on(session, question, a);
  }
  void operator()(const wire::HistoryPage& a) const {
    expect<wire::History>();
    checker.on(session, question, a);
  }
  void operator()(const wire::ListChanged& a) const {
    expect<wire::Sync>();
    checker.on(session, a);
  }
  void operator()(const wire::ListPage& a) const {
    expect<wire::PageList>();
    checker.on(session, a);
  }
  void operator()(const wire::MembersPage& a) const {
    expect<wire::Members>();
    checker.on(session, a, asked<wire::Members>().conversation);
  }
  void operator()(const wire::Messages& a) const {
    expect<wire::Pins>();
    checker.nothing_deleted(question, a.conversation, a.records);
    for (const Payload& record : a.records) {
      const auto fields = wire::verify_record(record.bytes());
      if (!fields || !fields->pinned) broken("C15", "a pinned message is not pinned");
      checker.shown(session, "pins", a.conversation, fields->seq, record.bytes());
    }
  }
  void operator()(const wire::ReactorsPage& a) const {
    expect<wire::Reactors>();
    checker.visible(session, "reactors", a.conversation, a.seq);
    if (!checker.may_be_for(session, a.conversation, a.seq))
      broken("C7", "who reacted is told of a message that is not for the asker");
    if (!std::is_sorted(a.users.begin(), a.users.end())) broken("C15", "reactors are not in order");
  }
  void operator()(const Ballot& a) const {
    expect<wire::Vote, wire::GetBallot>();
    checker.ballot(session, a);
  }
  void operator()(const wire::VotersPage& a) const {
    expect<wire::Voters>();
    checker.ballot(session, {a.conversation, a.seq, {}});
    if (!std::is_sorted(a.users.begin(), a.users.end())) broken("C15", "voters are not in order");
  }
  void operator()(const wire::StreamStarted&) const { expect<wire::StartStream>(); }
  void operator()(const wire::Streamed& a) const {
    expect<wire::GetStream>();
    if (a.at != 0) broken("A", "a text that grew is told from its middle on");
    checker.on(session, a);
  }
  void operator()(const wire::Scheduled& a) const {
    expect<wire::Schedule, wire::ListScheduled>();
    for (const auto& item : a.items) checker.scheduled_.emplace(item.id, session.user);
  }
  void operator()(const wire::Info& a) const {
    expect<wire::GetInfo>();
    not_for_strangers(a.info.conversation, "what it is");
  }
  void operator()(const wire::Invites& a) const {
    expect<wire::CreateInvite, wire::ListInvites>();
    not_for_strangers(a.conversation, "links");
  }
  void operator()(const wire::JoinRequestsPage& a) const {
    expect<wire::JoinRequests>();
    not_for_strangers(a.conversation, "who asks to join");
  }
  void operator()(const wire::Kept& a) const {
    expect<wire::GetRetention>();
    not_for_strangers(a.conversation, "how much is kept");
  }
  void operator()(const wire::BlockedUsers&) const { expect<wire::ListBlocked>(); }
  void operator()(const wire::RestrictionsPage&) const { expect<wire::Restrictions>(); }
  void operator()(const wire::DeviceList&) const { expect<wire::Devices>(); }
  void operator()(const UserSettings&) const { expect<wire::SetUser>(); }
  void operator()(const wire::PresenceChanged&) const { expect<wire::Watch>(); }
  void operator()(const Online& a) const {
    expect<wire::WatchConversation>();
    if (a.step != PresenceStep::none) checker.on(session, a);
  }
  void operator()(const wire::Names& a) const {
    expect<wire::Lookup>();
    for (const auto& user : a.users) checker.name(user.id, user.subject);
  }
  void operator()(const wire::ThreadState& a) const {
    expect<wire::FollowThread, wire::ReadThread>();
    checker.thread(session, a);
  }
  void operator()(const wire::ThreadsPage& a) const {
    expect<wire::Threads>();
    for (const auto& each : a.threads) checker.thread(session, each);
  }
  void operator()(const wire::ThreadPage& a) const {
    expect<wire::Thread>();
    const ConversationId& id = a.thread.conversation;
    checker.thread(session, a.thread);
    checker.nothing_deleted(question, id, a.records);
    Seq before = 0;
    for (const Payload& record : a.records) {
      const Seq seq = checker.shown_message(session, id, record);
      if (seq <= before ||
          checker.stream("C15", id).at(seq).thread_root != asked<wire::Thread>().root)
        broken("C15", "a thread's page out of order, or with what is no reply there");
      before = seq;
    }
  }
  void operator()(const wire::SeenBy& a) const {
    expect<wire::Seen>();
    checker.report_.reached(Sometimes::seen_counted);
    const std::uint64_t now = checker.truth_.seen(a.conversation, session.user, a.seq);
    if ((a.count < question.seen || a.count > now) && !checker.ended(a.conversation))
      broken("C6", at(a.conversation, a.seq) + " was seen by " + std::to_string(a.count) +
                       ", the store had " + std::to_string(question.seen) + " and has " +
                       std::to_string(now));
  }
  void operator()(const wire::Goodbye&) const {
    expect<wire::Bye>();
    checker.report_.reached(Sometimes::goodbye);
    session.parting = true;
  }
  void operator()(const wire::Done&) const {
    expect<wire::DeleteForMe, wire::AppendStream, wire::CancelStream, wire::Unschedule, wire::Leave,
           wire::Add, wire::Edit, wire::Delete, wire::SetList, wire::ClosePoll, wire::React,
           wire::Transfer, wire::Pin, wire::Remove, wire::SetRole, wire::SetTitle,
           wire::SetSettings, wire::RevokeInvite, wire::BlockUser, wire::RequestJoin,
           wire::AnswerRequest, wire::Restrict, wire::MarkRead, wire::SetPresence,
           wire::RenameDevice, wire::RevokeDevice, wire::SetRetention, wire::End, wire::SendSignal,
           wire::Ping>();
    checker.done(session, question);
  }
  template <class Other>
  void operator()(const Other&) const {
    expect<>();
  }
};

void Checker::judge(Session& session, const Question& question, const wire::Answer& answer) {
  std::visit(Judge{*this, session, question}, answer);
}

void Checker::done(Session& session, const Question& question) {
  const wire::Operation& asked = question.request.operation;
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
    if (!known.empty() && known.back().told_until > bound) known.back().told_until = bound;
  }
  if (const auto* erase = std::get_if<wire::DeleteForMe>(&asked)) deleted_for_me(session, *erase);
}

void Checker::deleted_for_me(Session& session, const wire::DeleteForMe& erase) {
  auto& own = own_deletions_[{erase.conversation, session.user}];
  for (const Seq seq : erase.seqs) {
    if (!own.tried.contains(seq))
      broken("C18", at(erase.conversation, seq) + " is deleted, and no commit says so");
    own.answered.emplace(seq, scheduler_.now());
    session.deleted[erase.conversation].insert(seq);
  }
}

}  // namespace parley::simulation
