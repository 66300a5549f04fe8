// core/conversation_state.hpp: what a home does with what it holds (conversation_data.hpp): one
// struct, its functions in one file per noun: conversation.cpp (arrival, answers, access),
// conversation_load.cpp, conversation_batch.cpp (batches and commits), senders.cpp, extras.cpp,
// mentions.cpp, threads.cpp, members.cpp, members_buckets.cpp, members_search.cpp, blocks.cpp,
// invites.cpp, join_requests.cpp, settings.cpp, restrictions.cpp, messages.cpp, reactions.cpp,
// polls.cpp, merging.cpp, sealing.cpp, receipts.cpp, due.cpp, trimming.cpp, ending.cpp,
// own_deletions.cpp, spaces.cpp, children.cpp.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/conversation_data.hpp"
#include "core/permissions.hpp"
#include "wire/record.hpp"

namespace parley::core {

struct Conversation::State : ConversationData {
  State(ConversationHost& host, ConversationId id, const ConversationLimits& limits);
  ~State();

  // ---- conversation.cpp: arrival, answers, access ----
  void arrive(Op op) { arrive(std::make_unique<Op>(std::move(op))); }
  void arrive(OpPtr op);
  void answer(Op& op);
  void answer_all(std::vector<OpPtr>& ops);
  void answer_access(UserId user, bool system, Then<Access> then);
  void answer_access(UserId user, layout::MemberRow row, Then<Access> then);
  /// A commit that may change the user's row is on its way: what the row says now may be old news.
  [[nodiscard]] bool change_under_way(UserId user) const noexcept;
  /// Runs `then` at once, or when what is under way for the row has its verdict.
  void when_row_settled(UserId user, std::function<void()> then);
  void serve_row_waiters();
  [[nodiscard]] layout::MemberRow newest_row(UserId user, layout::MemberRow row);
  void answer_access(UserId user, const layout::MemberRow& row, const layout::ReceiptRow& receipt,
                     OwnDeletionsPtr own, const Then<Access>& then);
  [[nodiscard]] Access build_access(UserId user, const layout::MemberRow& row) const;
  void answer_created(Op& op, CreateOp& create);
  void mark_read(const Caller& caller, const layout::MemberRow& row, Seq received, Seq read,
                 Then<void> then);
  /// Runs `then` with the first seq and the audiences the caller may see, when it is a member now.
  template <class T, class Run>
  void read_as_member(Caller caller, Then<T> then, Run run);
  template <class T>
  Then<T> still_member(UserId user, Then<T> then);
  // ---- hooks.cpp: what the host says of a content ----
  /// Whether the host's hooks agree to a send or an edit; they may change it. False: `decision`
  /// says how it goes on.
  bool host_agrees(Op& op, Role role, Decision& decision);
  IncomingMessage show(Op& op, Role role) const;
  Error take(Op& op, IncomingMessage message);
  void ask_host_later(Op& op, IncomingMessage message);
  void host_answered(std::uint64_t number, Result<IncomingMessage> verdict);
  Error host_admits(UserId user) const;
  /// An earlier content of the same device is with the host.
  [[nodiscard]] bool waits_for_host(const Op& op) const noexcept;
  [[nodiscard]] Error check_content(std::string_view content_type, Bytes body) const;
  /// A channel, or a space, whose members are kept alike.
  [[nodiscard]] bool channel() const noexcept { return scattered(info.kind); }
  [[nodiscard]] bool space() const noexcept { return info.kind == ConversationKind::space; }
  /// Runs `then` once loaded; with an error when that failed or nothing exists.
  void when_loaded(std::function<void(const Error&)> then);
  [[nodiscard]] bool overloaded() const noexcept;
  [[nodiscard]] bool idle() const noexcept;

  // ---- conversation_load.cpp ----
  void load();
  void scan_info();
  void scan_rows(char prefix, std::string from);
  void scan_next(char prefix);
  void take_row(char prefix, const Row& row);
  void rows_loaded();
  void catch_up();
  void publish_foreign(std::vector<layout::StoredEvent> events);
  void loaded();
  void load_failed(const Error& error);
  void run_load_waiters(const Error& error);
  void drop_caches();
  void want(const SenderId& id);
  void want(UserId member);
  void want_last_sent(UserId user);
  void want(const KeyHash& key);
  void want(MentionId id);
  void read_wanted();
  void add_cells(const Wanted& row, std::vector<OwnedCell>& cells) const;
  void fill_wanted(const Wanted& row, const Result<Cells>& cells, std::size_t from,
                   std::size_t count);

  // ---- conversation_batch.cpp ----
  void pump();
  bool pump_waits = false;  // a pump() is on its way
  std::vector<OpPtr> build();
  Decision decide(Op& op);
  Decision decide(Op& op, CreateOp& create);
  Decision decide(Op& op, DirectOp& direct);
  [[nodiscard]] bool fits(std::size_t events, std::size_t rows, std::size_t bytes) const noexcept;
  StagedEvent& stage_event(wire::RecordFields& fields);
  /// Rows that were read by key and are not in use: down to a bound, or `all`.
  void trim_rows(bool all);
  void start_staging();
  void recycle(std::unique_ptr<Staged> done);
  [[nodiscard]] bool housekeeping() const noexcept;  // something is left to erase or to carry on
  [[nodiscard]] bool flushable() const noexcept;     // a commit now would erase something
  void look_again();
  void stage_member(UserId user, const layout::MemberRow& row);
  void stage_note(Seq seq);
  void stage_housekeeping();
  void submit();
  void settled(Settled settled);
  void committed();
  void undo();
  void mark_senders(const Staged& done);
  void finish_committed(Staged& done, const layout::HeadCell& before);
  void requeue(std::vector<OpPtr>& ops);
  void publish(const std::vector<StagedEvent>& events, Mark before);
  void start_flush_timer();

  // ---- audiences.cpp: who sees what a member writes ----
  /// Whether the caller may write for that audience.
  Error check_audience(const Op& op, std::uint8_t audience);
  /// Nobody but the caller, and moderators, is to see what the caller says.
  [[nodiscard]] bool muffled(const Op& op);

  // ---- blocks.cpp: who of a pair hears nothing of the other ----
  /// Both users' partitions say so; they are read with the conversation, and before its birth.
  void read_pair(UserId first, UserId second, std::function<void(const Error&)> then);
  /// Direct: the user blocks the other.
  [[nodiscard]] bool ignores(UserId user) const noexcept;
  /// Direct: the user is blocked by the other.
  [[nodiscard]] bool ignored(UserId user) const noexcept;

  // ---- senders.cpp ----
  Decision decide(Op& op, SendOp& send);
  bool send_rows_ready(const Op& op, const SendOp& send);
  bool send_fits(const SendOp& send);
  [[nodiscard]] Error check_named(const Op& op, const wire::Send& send);
  Error check_number(Op& op, const SendOp& send, const layout::SenderRow& row) const;
  Error check_key(Op& op, const SendOp& send, const HostKeyRows::Entry& entry) const;
  void stage_send(Op& op, SendOp& send);
  /// When the message is to be deleted, and when its poll closes; 0: never.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> due_times(const SendOp& send) const;

  // ---- mentions.cpp ----
  static std::vector<UserId> mention_rows_of(const wire::Extras& extras, Seq root);
  bool mentions_ready(Op& op, const wire::Extras& extras, Seq root, Decision& decision);
  layout::MentionRow& stage_mention(UserId user);
  void stage_mentions(const wire::RecordFields& message);
  void unstage_mentions(const wire::RecordFields& message);
  [[nodiscard]] bool known_member(UserId user);
  void with_mentions(UserId user, std::function<void(const Error&)> then);
  bool serve(MentionWaiter& waiter);
  void serve_mention_waiters();
  [[nodiscard]] std::uint64_t mentions_after(UserId user, const MentionBase& base,
                                             const OwnDeletions* own);

  // ---- threads.cpp ----
  MessageRows::Entry* thread_root(Op& op, Seq root, Decision& decision);
  [[nodiscard]] std::uint64_t next_thread_ordinal(Seq root);
  void stage_reply(const wire::RecordFields& reply);
  void stage_reply_deleted(const wire::RecordFields& reply, Seq by);
  void stage_thread_change(Seq root, Seq seq, layout::ThreadChange change);
  void threads_committed(Staged& done);
  void add_thread_change(std::pair<Seq, Seq> key, layout::ThreadChange row);
  struct ThreadJob;
  void move_threads();
  void move_threads_later();
  void move_thread(Seq root);
  void index_replies(std::shared_ptr<ThreadJob> job);
  static void gather_followers(ThreadJob& job);
  void note_followers(std::shared_ptr<ThreadJob> job);
  void thread_moved(const ThreadJob& job, const Error& error);
  void drop_threads(const Error& error);
  void when_threads_moved(std::function<void(const Error&)> then);
  void serve_thread_waiters();
  using ChangeFollow = std::function<void(layout::FollowRow&)>;
  void change_follow(UserId user, Seq root, ChangeFollow change,
                     std::function<void(Result<layout::FollowRow>)> then);
  void set_follow(Caller caller, Seq root, Then<wire::ThreadState> then, ChangeFollow change);
  void count_unread(Seq root, Seq base, OwnDeletionsPtr own, Then<std::uint64_t> then);
  void read_thread_state(Reader reader, Seq root, Seq from, Then<wire::ThreadState> then);
  void read_messages(std::vector<Seq> seqs, Reader reader, Then<std::vector<Payload>> then);
  void read_replies(const wire::Thread& asked, Seq from, Reader reader, wire::ThreadState thread,
                    Then<wire::ThreadPage> then);
  struct FollowedJob;
  void list_followed(Reader reader, const wire::Threads& asked, Seq from,
                     Then<wire::ThreadsPage> then);
  void next_followed(std::shared_ptr<FollowedJob> job);

  // ---- extras.cpp: mentions, attachments, forwards ----
  [[nodiscard]] bool may_mention(MentionScope scope, Role role) const noexcept;
  /// True when there is no source, or it is in `send`; else the decision is `later` or made.
  bool source_ready(Op& op, SendOp& send, Decision& decision);
  void sweep_host_keys(std::uint32_t day);
  [[nodiscard]] std::uint32_t today() const noexcept;

  // ---- members.cpp ----
  Decision decide(Op& op, JoinOp& join);
  Decision join_group(Op& op);
  Decision join_channel(UserId user, JoinOp& join);
  void enter_group(UserId user, UserId by, EventKind kind, Role role = Role::member);
  Decision decide(Op& op, LeaveOp& leave);
  Decision decide(Op& op, AddOp& add);
  Decision decide(Op& op, RemoveOp& remove);
  Decision decide(Op& op, RoleOp& change);
  Decision decide(Op& op, TransferOp& transfer);
  Decision decide(Op& op, VisibilityOp& change);
  /// The event's member row from here on: staged, or pending in a channel.
  void stage_authority(Seq seq, UserId user, const layout::MemberRow& row);
  Decision decide_channel(Op& op, LeaveOp& leave);
  Decision decide_channel(Op& op, AddOp& add);
  /// The member's row in the speculative state; none: a stranger. Channels: sets `later` when the
  /// row must be read first, and fills `error` when that failed.
  std::optional<layout::MemberRow> member(UserId user, bool& later, Error& error);
  [[nodiscard]] const layout::MemberRow* group_member(UserId user) const noexcept;
  [[nodiscard]] bool may(Action action, Role role) const noexcept;
  /// Who acts, and may. Nothing: the decision is `later`, or made (op.error).
  std::optional<Role> actor(Op& op, Action action, Decision& decision);
  /// Of whom; a current member. Nothing: as above.
  std::optional<Role> target(Op& op, UserId user, Decision& decision);
  [[nodiscard]] std::size_t count_role(Role role) const;
  void end_membership(UserId user, UserId by, EventKind kind);
  void change_role(UserId user, UserId by, Role role);
  void list_members(const Caller& caller, const wire::Members& asked, Then<wire::MembersPage> then);
  void list_rows(const Caller& caller, const wire::Members& asked, Then<wire::MembersPage> then);
  /// Direct, group: the member and, as far as the caller may know it, how far they have come.
  void show_member(const Caller& caller, UserId user, const layout::MemberRow& row,
                   wire::MembersPage& page);
  void filter_members(std::vector<UserId> users, Then<std::vector<UserId>> then);

  // ---- invites.cpp: links, and who comes into a channel by a decision of the conversation ----
  Decision decide(Op& op, InviteOp& make);
  Decision decide(Op& op, RevokeInviteOp& revoke);
  Decision join_by_invite(Op& op, const layout::InviteSecret& secret);
  /// In the speculative state; null: there is none.
  [[nodiscard]] const layout::InviteRow* invite(const layout::InviteSecret& secret) const noexcept;
  void unless_full_of_spaces(UserId user, std::function<void(Error)> refuse,
                             std::function<void()> then);
  [[nodiscard]] bool usable(const layout::InviteRow& row) const;
  [[nodiscard]] std::size_t invite_count() const noexcept;
  void stage_invite(const layout::InviteSecret& secret,
                    const std::optional<layout::InviteRow>& row);
  /// Those that `maker`, who is `role` from here on, could not make any more.
  void withdraw_invites(UserId maker, Role role);
  [[nodiscard]] bool full_house() const noexcept;
  [[nodiscard]] Error too_many_members() const;
  /// Into a group with the event of it, into a channel with a row, once.
  void let_in(UserId user, UserId by, EventKind kind, Role role);
  /// The number of the user's next entry, above all before it.
  std::uint64_t next_entry(UserId user);
  /// Let in, and not in the channel's member partition yet.
  [[nodiscard]] bool on_the_way(UserId user) const noexcept;
  void stage_admission(UserId user, const std::optional<layout::AdmissionRow>& row);
  void apply_admissions();
  void admission_done(UserId user, std::uint64_t admission, const Error& error);
  void answer_joined(UserId user, Then<Access> then);
  void write_invites(BatchWriter& writer);  // of the batch
  void invites_committed(const Staged& done);

  // ---- join_requests.cpp ----
  Decision decide(Op& op, RequestJoinOp& ask);
  Decision decide(Op& op, AnswerRequestOp& answer);
  /// In the speculative state; null: the user does not ask.
  [[nodiscard]] const layout::JoinRequestRow* request(UserId user) const noexcept;
  [[nodiscard]] std::size_t request_count() const noexcept;
  void stage_request(UserId user, const std::optional<layout::JoinRequestRow>& row);
  /// The event of it, for those who may answer.
  void tell_request(UserId user, UserId by, EventKind kind);
  /// Ends the user's request, if there is one: one event more, one row.
  void end_request(UserId user, UserId by, EventKind kind);
  void write_requests(BatchWriter& writer);  // of the batch
  void requests_committed(const Staged& done);

  // ---- spaces.cpp: the channels of a space ----
  Decision decide(Op& op, ChildOp& create);
  Decision decide(Op& op, ChildNewsOp& news);
  /// In the speculative state; null: there is none.
  [[nodiscard]] const layout::ChildRow* child(const ConversationId& id) const noexcept;
  [[nodiscard]] std::size_t child_count() const noexcept;
  void stage_child(const ConversationId& id, const std::optional<layout::ChildRow>& row);
  void tell_child(const ConversationId& id, UserId by, bool open, std::string_view title);
  /// Goes on from the row: the channel is born, and the row says so.
  void bear(const ConversationId& id, Caller creator, Creation creation, Then<Access> then);
  void born(const ConversationId& id, Result<Access> made, const Then<Access>& then);
  /// Those whose birth a crash or an error cut off.
  void bear_children();
  [[nodiscard]] bool bearing() const noexcept;
  /// Once nothing of what these events took away holds in any channel.
  void answer_when_told(std::vector<OpPtr> ops, const std::vector<StagedEvent>& events);
  void tell_rights(std::vector<std::pair<UserId, bool>> changes, std::function<void()> then);
  /// Where the channels stand at some moment after the call.
  void with_beginnings(ThenBeginnings then);
  void read_beginnings();
  void write_children(BatchWriter& writer);  // of the batch
  void children_committed(const Staged& done);
  void answer_child(Op& op, ChildOp& create);

  // ---- children.cpp: a channel of a space, and what that says of its members ----
  /// The space's side.
  void right_of(UserId user, std::uint32_t number, int attempts, Then<SpaceRight> then);
  void want_right(UserId user);
  bool right_ready(UserId user);  // else it is asked for
  void ask_rights();
  void right_told(UserId user, Result<SpaceRight> told);
  void forget_strangers();
  void forget_stranger(UserId user);  // who asks now is not answered by what was so before
  /// What is said of the user in memory; null: it is asked for (`later`), or that failed (`error`).
  const SpaceRight* right(UserId user, bool& later, Error& error);
  /// The own row with what is decided and not in its partition yet.
  std::optional<layout::MemberRow> own_row_now(UserId user, const MemberRows::Entry& entry,
                                               bool speculative) const;
  std::optional<layout::MemberRow> member_by_space(UserId user, bool& later, Error& error);
  bool serve_by_space(MemberWaiter& waiter, const MemberRows::Entry& entry);
  void answer_by_space(UserId user, const layout::ReceiptRow& receipt, const OwnDeletionsPtr& own,
                       const Then<Access>& then);
  /// What a change of the user's membership is to start from.
  layout::MemberRow row_to_change(UserId user);
  void keep_own_row(UserId user, std::function<void(const Error&)> then);
  /// The user's entry into the space; 0: the conversation is in none.
  [[nodiscard]] std::uint64_t entry_now(UserId user);
  void when_verdict(std::function<void()> then);
  void list_by_space(const Caller& caller, const wire::Members& asked,
                     Then<wire::MembersPage> then);
  /// As they are here.
  void show_by_space(wire::MembersPage page, Then<wire::MembersPage> then);

  // ---- settings.cpp ----
  Decision decide(Op& op, SettingsOp& change);
  /// In the speculative state.
  [[nodiscard]] const layout::InfoRow& info_now() const noexcept;
  /// Why nobody of that role may change anything now; no error: they may.
  [[nodiscard]] Error closed(const Caller& caller, Role role) const;
  void answer_info(Seq from, Reader reader, Role role, Then<ConversationInfo> then);
  void count_pins(Seq from, Reader reader, Then<std::uint64_t> then);

  // ---- restrictions.cpp: mutes, bans, slow mode ----
  Decision decide(Op& op, RestrictOp& change);
  /// In the speculative state; null: nothing was ever said about the user.
  [[nodiscard]] const layout::RestrictionRow* restriction(UserId user) const noexcept;
  [[nodiscard]] bool holds(const layout::RestrictionRow::One& one) const;  // now
  [[nodiscard]] bool banned(UserId user) const;
  [[nodiscard]] std::size_t restricted_count() const noexcept;
  void stage_restriction(UserId user, const layout::RestrictionRow& row);
  void write_restrictions(BatchWriter& writer);  // of the batch
  void restrictions_committed(Staged& done);
  /// Why somebody who may post may not do so now: archived, muted.
  [[nodiscard]] Error hindered(const Caller& caller);
  /// Whether slow mode is on for somebody of that role.
  [[nodiscard]] bool slowed(const Caller& caller, Role role) const noexcept;
  [[nodiscard]] Error too_soon(UserId user);
  void stage_last_sent(UserId user);

  // ---- members_buckets.cpp: a channel's member partitions ----
  void write_member(MemberWrite write);
  /// Several writes, one answer: the first error, if any.
  void write_members(std::vector<MemberWrite> writes, std::function<void(Error)> then);
  void run_bucket(std::uint16_t bucket);
  struct BucketJob;
  void name_members(std::shared_ptr<BucketJob> job);
  void begin_members(std::shared_ptr<BucketJob> job);
  void read_bucket(std::shared_ptr<BucketJob> job);
  void commit_bucket(std::shared_ptr<BucketJob> job);
  Result<layout::MemberRow> apply(const MemberWrite& write, std::optional<layout::MemberRow>& row,
                                  std::int64_t& delta, bool& changed, bool unsure) const;
  layout::MemberRow apply_change(const MemberWrite& write, std::optional<layout::MemberRow>& row,
                                 std::int64_t& delta, bool& changed) const;
  void bucket_done(BucketJob& job, const Error& error);
  void apply_pending();
  void with_member(UserId user, std::function<void(Result<const layout::MemberRow*>)> then);
  /// The same once no change of the row is under way: what others may know of already.
  void with_settled_member(UserId user, std::function<void(Result<const layout::MemberRow*>)> then);
  bool serve(MemberWaiter& waiter);
  void serve_member_waiters();
  void with_counts(std::function<void(const Error&)> then);
  /// The row with what is decided and not in its partition yet.
  void apply_decided(UserId user, layout::MemberRow& row, bool speculative = false) const noexcept;
  [[nodiscard]] std::uint64_t member_count() const noexcept;
  /// Also those who are here by the space alone.
  void count_everybody(Then<std::uint64_t> then);
  struct PageJob;
  void list_bucket(std::shared_ptr<PageJob> job);

  // ---- members_search.cpp: members by name ----
  void search_members(std::shared_ptr<PageJob> job);
  void search_group(std::shared_ptr<PageJob> job);
  struct SearchJob;
  void search_channel(std::shared_ptr<PageJob> job);
  void read_names(std::shared_ptr<SearchJob> job);
  void read_source(std::shared_ptr<SearchJob> job, std::size_t index);
  void take_names(SearchJob& job, std::size_t index, const Rows& rows);
  void merge_names(std::shared_ptr<SearchJob> job);
  void confirm_found(std::shared_ptr<SearchJob> job);
  /// Gives every member of the bucket the row that it is found by: those of older versions.
  void index_bucket(std::uint16_t bucket, std::function<void(const Error&)> then);
  struct IndexJob;
  void index_next(std::shared_ptr<IndexJob> job);
  void index_commit(std::shared_ptr<IndexJob> job, const std::vector<UserName>& names);
  void index_done(const IndexJob& job, const Error& error);
  void set_busy(UserId user) { busy_users.push_back(user); }
  void clear_busy(UserId user);

  // ---- messages.cpp: changes of messages ----
  Decision decide(Op& op, EditOp& edit);
  Decision decide(Op& op, DeleteOp& erase);
  /// Stages the deletion by the op's caller; nothing when it is one already.
  Decision erase_message(Op& op, Seq seq, MessageRows::Entry& entry);
  Decision decide(Op& op, PinOp& pin);
  void want_message(Seq seq);  // or an edit of one
  static const layout::StoredEvent& message_now(const MessageRows::Entry& entry) {
    return entry.dirty ? entry.staged : entry.row;
  }
  /// Whether the event is in memory; else the decision is `later` or made.
  bool event_ready(Op& op, Seq seq, Decision& decision);
  bool edits_ready(Op& op, const wire::RecordFields& message, Decision& decision);
  void stage_redaction(Seq seq);
  Decision redact_edit(Op& op, Seq seq);
  /// The message as it stands in the speculative state, when the caller may see it. Null: the
  /// decision is `later`, or made (op.error).
  MessageRows::Entry* message(Op& op, Seq seq, Decision& decision);
  /// The message shows `fields` from this batch on.
  void stage_message(Seq seq, MessageRows::Entry& entry, const wire::RecordFields& fields);
  void stage_pin(Seq seq, std::optional<layout::PinRow> row);
  [[nodiscard]] bool pinned(Seq seq) const noexcept;
  [[nodiscard]] std::size_t pin_count() const noexcept;
  void write_messages(BatchWriter& writer);  // of the batch
  void messages_committed(Staged& done);
  [[nodiscard]] std::uint64_t deleted_after(std::uint64_t ordinal) const noexcept;
  void read_pins(Seq from, Reader reader, Then<std::vector<Payload>> then);
  [[nodiscard]] bool may_seal_later(Seq seq) const noexcept;

  // ---- reactions.cpp: who reacted, in partitions of their own; the stream tells the counts ----
  Decision decide(Op& op, ReactOp& react);
  struct ReactionJob;
  void run_reactions(Seq seq);
  void read_reactions(std::shared_ptr<ReactionJob> job);
  void read_reactors(std::shared_ptr<ReactionJob> job);
  void read_reactors(const wire::Reactors& asked, Then<wire::ReactorsPage> answer);
  void when_message(Seq seq, Reader reader, std::function<void(const Error&)> then);
  Error apply_reaction(ReactionJob& job, const ReactionWrite& write);
  void commit_reactions(std::shared_ptr<ReactionJob> job);
  void reactions_done(ReactionJob& job, const Error& error);
  [[nodiscard]] bool tallies_ready() const noexcept;
  void stage_tallies();
  void tallies_committed(const Staged& done);
  void tallies_failed(const Error& error);
  void drop_tallies(const Error& error);
  void start_tally_timer(std::chrono::milliseconds delay);
  void tell_waiters(Seq seq, std::uint64_t revision);

  // ---- polls.cpp ----
  Decision decide(Op& op, VoteOp& vote);
  Decision decide(Op& op, ClosePollOp& close);
  /// Whether its poll is to be closed by then, and is open.
  static bool poll_due(const wire::RecordFields& message, std::int64_t due_ms);
  void end_poll(Seq seq, const wire::PollTerms& poll, Then<void> then);
  void write_poll(Seq seq, UserId user, const PollWrite& what, Then<void> then);
  void read_ballots(std::shared_ptr<ReactionJob> job);
  Error apply_poll(ReactionJob& job, const ReactionWrite& write);
  static void write_votes(const ReactionJob& job, BatchWriter& writer);
  void read_poll(Seq seq, Seq from, Reader reader, Then<Payload> then);
  void read_voters(const wire::Voters& asked, Then<wire::VotersPage> answer);

  // ---- merging.cpp: overlays of sealed messages into the archive ----
  struct MergeJob;
  void maybe_merge();
  void merge_sweep(std::shared_ptr<MergeJob> job);
  void merge_next(std::shared_ptr<MergeJob> job);
  void merge_read(std::shared_ptr<MergeJob> job);
  void merge_commit(std::shared_ptr<MergeJob> job);
  void merge_over(const MergeJob& job, bool again);

  // ---- due.cpp: wake-ups ----
  /// Whether the conversation will be woken by then. False: the decision is `later`, or made.
  bool wake_stored(Op& op, std::int64_t due_ms, Decision& decision);
  void stage_due(const layout::DueKey& due);
  void write_due(BatchWriter& writer);
  struct WakeJob;
  void run_due(const std::shared_ptr<WakeJob>& job);
  void due_done(const std::shared_ptr<WakeJob>& job);
  void wake_failed(const std::shared_ptr<WakeJob>& job, const Error& error);
  void plan_wake(const std::shared_ptr<WakeJob>& job);
  Decision decide(Op& op, DueOp& due);

  // ---- trimming.cpp: retention ----
  Decision decide(Op& op, RetentionOp& change);
  Decision decide(Op& op, TrimOp& trim);
  Decision decide(Op& op, ErasedOp& done);
  void stage_keeping(const layout::RetentionRow& row);
  struct TrimJob;
  void trim(std::int64_t now_ms, Then<std::optional<std::int64_t>> then);
  void trim_probe(const std::shared_ptr<TrimJob>& job, Seq seq);
  void trim_found(const std::shared_ptr<TrimJob>& job);
  void read_one(Seq seq, Then<layout::StoredEvent> then);
  void maybe_trim();
  void floor_committed();
  struct EraseJob;
  [[nodiscard]] bool to_erase() const noexcept;
  void erase_old();
  /// What is stored of these events outside the partition, their reactions too.
  void erase_stream(Seq from, Seq until, std::function<void(const Error&)> then);
  void start_erase_timer();
  void erase_overlays(std::shared_ptr<EraseJob> job);
  void erase_parents(std::shared_ptr<EraseJob> job, std::function<void()> then);
  void erase_message_partitions(Seq seq, std::function<void(const Error&)> then);
  void erase_chunks(std::shared_ptr<EraseJob> job);
  void writer_of_chunks(BatchWriter& writer, EraseJob& job, const Rows& rows);

  // ---- ending.cpp: deleted for good ----
  Decision decide(Op& op, EndOp& end);
  [[nodiscard]] bool ended() const noexcept;
  struct EndJob;
  void finish_end(Then<void> then);
  void when_quiet(std::shared_ptr<EndJob> job);
  void end_children(std::shared_ptr<EndJob> job);
  void end_stream(std::shared_ptr<EndJob> job);
  void end_receipts(std::shared_ptr<EndJob> job);
  void end_members(std::shared_ptr<EndJob> job);
  void end_bucket(std::shared_ptr<EndJob> job);
  void drop_from_lists(std::vector<UserId> users, std::shared_ptr<EndJob> job,
                       std::function<void()> then);
  void end_personal(std::vector<UserId> users, std::shared_ptr<EndJob> job,
                    std::function<void()> then);
  void end_place(std::shared_ptr<EndJob> job);  // in its space
  void end_partition(std::shared_ptr<EndJob> job);
  void left_nothing();

  // ---- own_deletions.cpp: what members deleted for themselves alone ----
  /// `any`: the user's row says that there may be some.
  void with_own_deletions(UserId user, bool any, std::function<void(Result<OwnDeletionsPtr>)> then);
  /// As with_settled_member; in the same turn own_deletions_of() has what there is.
  void with_settled_reader(UserId user, std::function<void(Result<const layout::MemberRow*>)> then);
  void read_own_deletions(std::shared_ptr<DeletionsRead> read);
  void own_deletions_read(DeletionsRead& read, Error error);
  [[nodiscard]] OwnDeletionsPtr own_deletions_of(UserId user) const;  // in memory
  [[nodiscard]] std::uint64_t gone_after(std::uint64_t ordinal,
                                         const OwnDeletions* own) const noexcept;
  void trim_own_deletions(bool all);
  struct OwnDeletionJob;
  void look_at_deleted(std::shared_ptr<OwnDeletionJob> job, std::vector<Seq> fresh,
                       const Reader& reader);
  void note_own_deletion(std::shared_ptr<OwnDeletionJob> job);
  Decision decide(Op& op, OwnDeletionOp& note);
  void store_own_deletions(std::shared_ptr<OwnDeletionJob> job);
  void commit_own_deletions(std::shared_ptr<OwnDeletionJob> job, const OwnDeletions& before);
  void own_deletions_stored(const OwnDeletionJob& job);

  // ---- sealing.cpp ----
  void cut_tail(Seq through);
  void keep_tail(const std::vector<StagedEvent>& events);
  void maybe_seal();
  void seal(std::vector<layout::StoredEvent> events);
  struct SealJob;
  void look_at_archive(Seq first,
                       std::function<void(bool good, std::vector<std::string> stale)> then);
  void seal_commit(std::shared_ptr<SealJob> job);

  // ---- receipts.cpp ----
  void mark(UserId user, const Marked& marked, Then<void> then = {});
  void start_receipt_timer();
  [[nodiscard]] std::uint16_t receipt_buckets() const noexcept;
  void with_receipt(UserId user, std::function<void(Result<layout::ReceiptRow>)> then);
  void load_receipts(std::string from);
  void flush_receipts();
  struct ReceiptJob;
  void flush_bucket(std::uint16_t bucket);
  void write_receipts(std::shared_ptr<ReceiptJob> job);

  // ---- receipt_counts.cpp ----
  void read_counts(std::shared_ptr<ReceiptJob> job);
  void add_counts(ReceiptJob& job, BatchWriter& writer);
  void seen(UserId user, Seq seq, Then<std::uint64_t> then);
  void seen_in_channel(UserId user, Seq seq, bool own, Then<std::uint64_t> then);
  struct SeenJob;
  void count_bucket(std::shared_ptr<SeenJob> job);
  void read_receipts(std::shared_ptr<ReceiptJob> job);
  void find_ordinals(std::shared_ptr<ReceiptJob> job);
  void commit_receipts(std::shared_ptr<ReceiptJob> job);
  void receipts_settled(ReceiptJob& job, const Settled& settled);
  void receipts_failed(ReceiptJob& job, const Error& error);
  void marks_stored(ReceiptBucket& bucket, const ReceiptJob& job);
  void drop_marks(ReceiptBucket& bucket, const Error& why);
  [[nodiscard]] std::optional<std::uint64_t> recent_ordinal(Seq seq) const noexcept;
};

}  // namespace parley::core
