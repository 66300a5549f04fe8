// checker.hpp: watches the engine's border and the clients' ledger, and holds both against the
// truth.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/transfer.hpp"
#include "simulation/host_words.hpp"
#include "simulation/ledger.hpp"
#include "simulation/online_truth.hpp"
#include "simulation/report.hpp"
#include "simulation/truth.hpp"
#include "wire/messages.hpp"

namespace parley::simulation {

/// The checks are named as in TESTING.md: C1 acked in the store with equal content; C2 dense and
/// immutable streams; C3 one commit a key; C4 what a session is given is contiguous and equal to
/// the store; C5 real-time and per-device order; C6 receipts; C7 visibility by membership at that
/// seq; C10 legal resume answers; C11 `forked` iff epochs or marks differ; A one answer a request,
/// of the right kind; C18 what a user deleted for itself alone; C17 what expired, was trimmed or
/// deleted is gone; C19 who is online is counted right; C20 what the host moves in and out is all
/// there, and nothing of who was erased is; C21 the tables are whole; C22 what the host says of
/// messages holds; C23 forwards tell where they come from, by who could read it there; N one user
/// id a subject.
/// Every check is made when the engine speaks, against the store at that instant; what needs the
/// whole run is in finish(). Linear in what was said. Throws Broken. What scheduled messages say,
/// and no others.
inline constexpr std::string_view scheduled_text = "as agreed";

class Checker {
 public:
  using SessionKey = std::uint64_t;

  Checker(const store::MemoryStore& store, Report& report, const Scheduler& scheduler)
      : truth_(store), report_(report), scheduler_(scheduler) {}

  // The engine's border.
  void opened(SessionKey session) { sessions_[session]; }
  void heard(SessionKey session, const wire::Request& request);  // the engine takes it in
  void said(SessionKey session, const wire::Reply& reply);       // the engine hands it out
  void closed(SessionKey session);
  void engine_died();
  /// A commit is about to be tried: events may go with it, and rows of members be replaced.
  void before(const Batch& batch);

  // The clients' side.
  Ledger& ledger() noexcept { return ledger_; }
  void ack_received(std::uint64_t random, const Ack& ack);

  // The host's side (checker_host.cpp).
  using Heads = std::map<ConversationId, Seq>;
  void importing(const wire::Import& batch);
  void imported(const wire::Import& batch, const wire::Answer& answer);
  /// What was shown or acknowledged to anybody: an export that begins now has it.
  [[nodiscard]] const Heads& told() const noexcept { return told_; }
  /// `exact`: nothing changes meanwhile.
  void exported(const ConversationId& id, const Heads& before,
                const std::vector<wire::Answer>& lines, bool exact);
  void user_exported(UserId user, const Heads& before, const std::vector<wire::Answer>& lines,
                     bool exact);
  void erasing(UserId user, std::int64_t wall_ms);
  /// Of all lives of the engine (checker_words.cpp).
  void host_looks(HostLooks when);
  /// Of what a message is stored as.
  [[nodiscard]] std::uint32_t stored_hash(Bytes body) const;
  void saying(const wire::Send& send);
  void host_said(const wire::Send& send, const wire::Answer& answer);
  void visibility_set(const wire::SetVisibility& set, Seq head, const wire::Answer& answer);
  /// Somebody's hello is being answered.
  [[nodiscard]] bool signing_in(const std::string& subject) const;
  void erased(UserId user, const ErasedUser& result);

  /// A device is about to drop it: it may or may not be sent.
  void unschedule(Snowflake id) { dropped_.insert(id); }

  /// What is still to be sent at its time; nothing: "".
  [[nodiscard]] std::string owed();

  Truth& truth() noexcept { return truth_; }
  /// The id that the engine gave a subject, once a session was told.
  [[nodiscard]] std::optional<UserId> user_of(const std::string& subject) const;

  /// Everything that can only be judged over the whole run.
  void finish();

 private:
  struct Follow {
    Level level = Level::none;
    Epoch epoch;
    Seq next = 1;  // the seq that must come next at `full`
  };
  struct Question {
    wire::Request request;
    Time at{0};                                               // when it was heard
    std::map<ConversationId, Seq> heads, floors;              // when it was heard
    std::map<ConversationId, layout::MemberRow> me;           // the caller's row then
    std::uint64_t seen = 0;                                   // Seen: how many had read it then
    std::optional<std::pair<UserId, std::uint64_t>> blocker;  // of a send: who blocks its sender
    std::uint64_t block_changes = 0;                          // of a block
    std::uint64_t entry = 0;                                  // of whom it may take out of a space
    // For the caller alone, as it was told by then; of a forward: where it comes from.
    std::set<Seq> deleted, deleted_there;
  };
  struct Session {
    std::string subject;
    UserId user;
    DeviceId device;
    bool welcomed = false, parting = false;
    std::map<std::uint32_t, Question> open;
    std::map<ConversationId, Follow> follows;
    std::map<std::pair<ConversationId, UserId>, Receipt> receipts;
    std::map<ConversationId, std::set<Seq>> deleted;  // for its user alone, as it was told
  };
  struct Span {
    Seq from = 1, to = 0;
    // A channel's member who went by itself: no event says so, so what follows may still be told
    // for two seconds after the answer (CONTRACT I8, things without a seq).
    std::optional<Time> told_until;
    Time in{0};                      // the last look at which the user was a member
    std::map<Seq, Time> left;        // where it ended, as the row said, and when it last did
    Seq in_at = 0;                   // the head then: an ending up to there was of another time
    Time seen{0};                    // when the row was first seen to let the user in (again)
    std::set<std::uint64_t> joined;  // ordinals that unread was ever counted from
  };

  void unanswered(const Session& session);
  void answer(Session& session, const wire::Reply& reply);
  /// checker_answers.cpp: whether it is of a kind that fits, and what it says.
  struct Judge;
  void judge(Session& session, const Question& question, const wire::Answer& answer);
  void done(Session& session, const Question& question);
  void deleted_for_me(Session& session, const wire::DeleteForMe& erase);
  void send_failed(const wire::Send& send, const Error& error);
  void refused(const wire::Operation& asked, const Error& error);
  void forwarded(Session& session, const Question& question, const wire::Send& send,
                 const Ack& ack);
  void forward_fits(const ConversationId& here, Seq seq, const ForwardOf& of);
  void push(Session& session, const wire::Reply& reply);
  void on(Session& session, const Question& question, const wire::Welcome& welcome);
  void on(Session& session, const Question& question, const wire::Acked& acked);
  void on(Session& session, const Question& question, const wire::Failed& failed);
  void on(Session& session, const Question& question, const wire::Opened& opened);
  void on(Session& session, const Question& question, const wire::Subscribed& subscribed);
  void on(Session& session, const Question& question, const wire::HistoryPage& page);
  void on(Session& session, const wire::Events& events);
  void on(Session& session, const wire::HeadMoved& moved);
  void on(Session& session, const wire::ReceiptsMoved& moved);
  void on(Session& session, const wire::ListChanged& changed);
  void on(Session& session, const wire::ListPage& page);
  void on(Session& session, const wire::Streamed& piece);
  void on(Session& session, const wire::MembersPage& page, const ConversationId& id);
  void resumed(Session& session, const Question& question, const wire::Subscribe::Item& item,
               const ResumeAnswer& answer);
  bool has_left(const Session& session, const Question& question, const ResumeAnswer& answer);
  void resume_fits(const TrueStream& stream, const wire::Subscribe::Item& item,
                   const ResumeAnswer& answer, Seq head_when_heard,
                   const std::optional<layout::MemberRow>& row);
  void entry(Session& session, const ListEntry& entry);
  Seq shown_message(Session& session, const ConversationId& id, const Payload& record);
  void thread(Session& session, const wire::ThreadState& state);
  void on(Session& session, const DeletedForMe& deleted);
  void on(Session& session, const Online& online);
  void heard_online(SessionKey key, const wire::Operation& operation);
  void answered_online(SessionKey key, const wire::Operation& asked, const wire::Answer& answer);
  void ballot(Session& session, const Ballot& ballot);
  void records(Session& session, const char* what, const ConversationId& id, const Epoch& epoch,
               Seq first, const std::vector<Payload>& records, Mark mark);
  /// One event as a session was shown it: what the store has, or a stand-in where that may be.
  void shown(Session& session, const char* what, const ConversationId& id, Seq seq, Bytes record);
  void visible(Session& session, const char* what, const ConversationId& id, Seq seq);
  void cursor_true(const char* what, const ConversationId& id, const Cursor& cursor,
                   std::optional<std::uint64_t> ordinal);
  void receipt(Session& session, const ConversationId& id, const Receipt& receipt, bool pushed);
  void name(UserId id, const std::string& subject);
  const TrueStream& stream(const char* what, const ConversationId& id);
  const std::vector<Span>& spans(const ConversationId& id, UserId user);
  /// Whom the operation takes out of a space, if it does: none, and whom.
  [[nodiscard]] std::optional<std::pair<ConversationId, UserId>> out_of(const Session& session,
                                                                        const Question& question);
  void out_of_space(std::vector<Span>& known, const ConversationId& id, UserId user);
  void taken_back(const Session& session, const Question& question);
  bool may_be_for(const Session& session, const ConversationId& id, Seq seq);
  bool rows_gone(const ConversationId& id);
  void closed_now(const ConversationId& child, UserId user);

  /// What the event is shown as is what it was, or became by events up to `through`, or later.
  void exported_event(const ConversationId& id, Seq seq, Bytes record, Seq through, bool exact);
  Seq exported_page(const ConversationId& id, const wire::HistoryPage& page, Seq next, Seq through,
                    bool exact);
  /// What the user wrote in the stream and has not deleted.
  static std::set<Seq> written_by(const TrueStream& stream, UserId user);
  bool was_in(const ConversationId& id, UserId user);
  void bodies_gone(const ConversationId& id, const TrueStream& truth, Seq seq,
                   const wire::RecordFields& fields) const;

  void finish_ledger();
  void finish_imports();
  void finish_scheduled();
  /// No page shows what was deleted before it was asked for.
  void nothing_deleted(const Question& question, const ConversationId& id,
                       const std::vector<Payload>& records);
  [[nodiscard]] bool ended(const ConversationId& id);
  void finish_order(const ConversationId& id);

  Truth truth_;
  Report& report_;
  const Scheduler& scheduler_;
  Ledger ledger_;
  bool host_looks_ = false, host_looks_later_ = false;
  std::map<SessionKey, Session> sessions_;
  OnlineTruth online_;
  /// What a user deleted for itself alone: as far as a commit of it was tried; when it was
  /// answered.
  struct OwnDeletions {
    std::set<Seq> tried;
    std::map<Seq, Time> answered;
    /// Every list that is told by `now` and was read after the answer leaves them out.
    [[nodiscard]] bool surely(Seq seq, Time now) const;
  };
  std::map<std::pair<ConversationId, UserId>, OwnDeletions> own_deletions_;
  Heads told_;
  std::map<std::pair<ConversationId, UserId>, std::vector<Span>> spans_;
  struct FirstAck {
    Seq seq = 0;
    std::int64_t time_ms = 0;
    bool told_first = false;
  };
  std::map<std::uint64_t, FirstAck> first_acks_;  // by the random bits
  struct Blocking {
    bool on = false;            // surely
    std::uint64_t changes = 0;  // that were asked for
    Time since{0};
  };
  std::map<std::pair<UserId, UserId>, Blocking> blocks_;  // who blocks whom
  std::map<Snowflake, UserId> scheduled_;                 // answered to somebody
  struct Imported {
    std::string sender;  // a subject
    std::int64_t written_ms = 0;
    std::uint32_t body_hash = 0;
    Seq seq = 0;  // once it was answered
  };
  std::map<std::pair<ConversationId, std::string>, Imported> imports_;  // by the host's ids
  struct Erasing {
    std::int64_t since_ms = 0;
    std::map<ConversationId, std::int64_t> in;  // where the user was a member then, since when
  };
  std::map<UserId, Erasing> erasing_;
  std::map<UserId, Time> erased_;
  std::set<std::pair<ConversationId, Seq>> spared_;  // of them: imported where they never were
  std::set<Snowflake> dropped_;
  std::map<std::string, UserId> ids_;
  std::map<UserId, std::string> subjects_;
};

}  // namespace parley::simulation
