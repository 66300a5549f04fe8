// session.cpp: the public session: each call becomes a request of the core.
#include "parley/session.hpp"

#include <utility>

#include "engine/local_session.hpp"
#include "engine/start_call.hpp"
#include "wire/draft.hpp"
#include "wire/messages.hpp"
#include "wire/record.hpp"

namespace parley::inline v0 {
namespace {

using detail::LocalSession;
using engine::Local;
using engine::start;

HistoryPage to_page(wire::HistoryPage& answer) {
  HistoryPage page;
  page.more = answer.more;
  page.floor = answer.floor;
  const std::size_t count = answer.records.size();
  page.events.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    wire::to_event(answer.conversation, answer.epoch, std::move(answer.records[i]),
                   i + 1 == count ? answer.mark : 0, page.events[i]);
  return page;
}

Pending<HistoryPage> read_history(const Local& session, const ConversationId& id,
                                  HistoryOptions options, Completion<HistoryPage> done) {
  return start<HistoryPage, wire::HistoryPage>(
      session, wire::History{id, options.from, options.backward, options.limit},
      [](wire::HistoryPage& answer) -> Result<HistoryPage> { return to_page(answer); },
      std::move(done));
}

Pending<MembersPage> read_members(const Local& session, const ConversationId& id,
                                  MembersOptions options, Completion<MembersPage> done) {
  return start<MembersPage, wire::MembersPage>(
      session, wire::Members{id, options.after, options.limit, std::move(options.prefix)},
      [](wire::MembersPage& answer) -> Result<MembersPage> {
        return MembersPage{std::move(answer.members), std::move(answer.receipts), answer.count,
                           answer.more};
      },
      std::move(done));
}

Pending<ReactorsPage> read_reactors(const Local& session, const ConversationId& id, Seq message,
                                    std::string key, ReactorsOptions options,
                                    Completion<ReactorsPage> done) {
  return start<ReactorsPage, wire::ReactorsPage>(
      session, wire::Reactors{id, message, std::move(key), options.after, options.limit},
      [](wire::ReactorsPage& answer) -> Result<ReactorsPage> {
        return ReactorsPage{std::move(answer.users), answer.more};
      },
      std::move(done));
}

Pending<RestrictionsPage> read_restrictions(const Local& session, const ConversationId& id,
                                            RestrictionKind kind, RestrictionsOptions options,
                                            Completion<RestrictionsPage> done) {
  return start<RestrictionsPage, wire::RestrictionsPage>(
      session, wire::Restrictions{id, kind, options.after, options.limit},
      [](wire::RestrictionsPage& answer) -> Result<RestrictionsPage> {
        return RestrictionsPage{std::move(answer.users), answer.more};
      },
      std::move(done));
}

Pending<ThreadPage> read_thread_page(const Local& session, const ConversationId& id, Seq root,
                                     ThreadOptions options, Completion<ThreadPage> done) {
  return start<ThreadPage, wire::ThreadPage>(
      session, wire::Thread{id, root, options.from, options.backward, options.limit},
      [](wire::ThreadPage& page) -> Result<ThreadPage> { return wire::to_page(std::move(page)); },
      std::move(done));
}

Pending<ThreadsPage> read_threads(const Local& session, const ConversationId& id,
                                  ThreadsOptions options, Completion<ThreadsPage> done) {
  return start<ThreadsPage, wire::ThreadsPage>(
      session, wire::Threads{id, options.before, options.limit},
      [](wire::ThreadsPage& page) -> Result<ThreadsPage> { return wire::to_page(page); },
      std::move(done));
}

Pending<ThreadState> change_thread(const Local& session, wire::Operation operation,
                                   Completion<ThreadState> done) {
  return start<ThreadState, wire::ThreadState>(
      session, std::move(operation),
      [](wire::ThreadState& state) -> Result<ThreadState> { return wire::to_thread(state); },
      std::move(done));
}

Pending<std::vector<Event>> read_pins(const Local& session, const ConversationId& id,
                                      Completion<std::vector<Event>> done) {
  return start<std::vector<Event>, wire::Messages>(
      session, wire::Pins{id},
      [](wire::Messages& answer) -> Result<std::vector<Event>> { return wire::to_events(answer); },
      std::move(done));
}

Pending<ResumeAnswer> follow(const Local& session, const ConversationId& id,
                             SubscribeOptions options, Completion<ResumeAnswer> done) {
  wire::Subscribe subscribe;
  subscribe.items.push_back({id, options.level, options.from});
  return start<ResumeAnswer, wire::Subscribed>(
      session, std::move(subscribe),
      [](wire::Subscribed& answer) -> Result<ResumeAnswer> {
        if (answer.answers.size() == 1) return answer.answers.front();
        return Error{Errc::internal, "subscribe: another number of answers than one"};
      },
      std::move(done));
}

Pending<std::vector<ListEntry>> read_list(const Local& session,
                                          Completion<std::vector<ListEntry>> done) {
  return start<std::vector<ListEntry>, wire::ListChanged>(
      session, wire::Sync{},
      [](wire::ListChanged& answer) -> Result<std::vector<ListEntry>> {
        return std::move(answer.entries);
      },
      std::move(done));
}

Pending<std::vector<Presence>> start_watch(const Local& session, const ConversationId& id,
                                           std::vector<UserId> users,
                                           Completion<std::vector<Presence>> done) {
  return start<std::vector<Presence>, wire::PresenceChanged>(
      session, wire::Watch{id, std::move(users)},
      [](wire::PresenceChanged& answer) -> Result<std::vector<Presence>> {
        return std::move(answer.users);
      },
      std::move(done));
}

Pending<std::vector<UserName>> look_up(const Local& session, std::vector<UserId> users,
                                       Completion<std::vector<UserName>> done) {
  return start<std::vector<UserName>, wire::Names>(
      session, wire::Lookup{std::move(users)},
      [](wire::Names& answer) -> Result<std::vector<UserName>> { return std::move(answer.users); },
      std::move(done));
}

template <class Handler>
void set(const Local& session, Handler LocalSession::Handlers::*which, Handler handler) {
  if (!session) return;
  session->set([which, handler = std::move(handler)](LocalSession::Handlers& handlers) {
    handlers.*which = handler;
  });
}

}  // namespace

Session::Session(Local session) noexcept : session_(std::move(session)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    if (session_) session_->detach(true);
    session_ = std::move(other.session_);
  }
  return *this;
}
Session::~Session() {
  if (session_) session_->detach(true);
}
void Session::close() {
  if (session_) session_->detach(false);
}

UserId Session::user() const noexcept { return session_ ? session_->name().user : UserId{}; }
DeviceId Session::device() const noexcept {
  return session_ ? session_->name().device : DeviceId{};
}
std::string_view Session::subject() const noexcept {
  return session_ ? std::string_view(session_->name().subject) : std::string_view();
}

// ---- Handlers ----

using Handlers = LocalSession::Handlers;
void Session::on_event(std::function<void(const Event&)> handler) {
  set(session_, &Handlers::on_event, std::move(handler));
}
void Session::on_events(std::function<void(std::span<const Event>)> handler) {
  set(session_, &Handlers::on_events, std::move(handler));
}
void Session::on_signal(std::function<void(const Signal&)> handler) {
  set(session_, &Handlers::on_signal, std::move(handler));
}
void Session::on_thread(std::function<void(const ThreadState&)> handler) {
  set(session_, &Handlers::on_thread, std::move(handler));
}
void Session::on_ballot(std::function<void(const Ballot&)> handler) {
  set(session_, &Handlers::on_ballot, std::move(handler));
}
void Session::on_deleted_for_me(std::function<void(const DeletedForMe&)> handler) {
  set(session_, &Handlers::on_deleted_for_me, std::move(handler));
}
void Session::on_stream(std::function<void(const StreamPiece&)> handler) {
  set(session_, &Handlers::on_stream, std::move(handler));
}
void Session::on_receipts(std::function<void(const ReceiptsMoved&)> handler) {
  set(session_, &Handlers::on_receipts, std::move(handler));
}
void Session::on_presence(std::function<void(const Presence&)> handler) {
  set(session_, &Handlers::on_presence, std::move(handler));
}
void Session::on_online(std::function<void(const Online&)> handler) {
  set(session_, &Handlers::on_online, std::move(handler));
}
void Session::on_scheduled(std::function<void(const ScheduledChange&)> handler) {
  set(session_, &Handlers::on_scheduled, std::move(handler));
}
void Session::on_list(std::function<void(const ListChange&)> handler) {
  set(session_, &Handlers::on_list, std::move(handler));
}
void Session::on_head(std::function<void(const HeadMoved&)> handler) {
  set(session_, &Handlers::on_head, std::move(handler));
}
void Session::on_resume(std::function<void(const ResumeAnswer&)> handler) {
  set(session_, &Handlers::on_resume, std::move(handler));
}
void Session::on_closed(std::function<void(const Error&)> handler) {
  set(session_, &Handlers::on_closed, std::move(handler));
}

// ---- Messages ----

Pending<Ack> Session::send(const ConversationId& conversation, std::string_view text) {
  return send(conversation, text, SendOptions{});
}
Pending<Ack> Session::send(const ConversationId& conversation, MessageDraft draft) {
  return send(conversation, std::move(draft), SendOptions{});
}
Pending<Ack> Session::send(const ConversationId& conversation, std::string_view text,
                           SendOptions options) {
  return engine::start_send(session_, conversation, {.body = std::string(text)}, std::move(options),
                            {});
}
Pending<Ack> Session::send(const ConversationId& conversation, MessageDraft draft,
                           SendOptions options) {
  return engine::start_send(session_, conversation, std::move(draft), std::move(options), {});
}
void Session::send(const ConversationId& conversation, std::string_view text, SendOptions options,
                   Completion<Ack> done) {
  engine::start_send(session_, conversation, {.body = std::string(text)}, std::move(options),
                     std::move(done));
}
void Session::send(const ConversationId& conversation, MessageDraft draft, SendOptions options,
                   Completion<Ack> done) {
  engine::start_send(session_, conversation, std::move(draft), std::move(options), std::move(done));
}
Pending<HistoryPage> Session::history(const ConversationId& conversation, HistoryOptions options) {
  return read_history(session_, conversation, options, {});
}
void Session::history(const ConversationId& conversation, HistoryOptions options,
                      Completion<HistoryPage> done) {
  read_history(session_, conversation, options, std::move(done));
}

// ---- Conversations ----

Pending<Conversation> Session::create(CreateOptions options) {
  return engine::start_create(session_, std::move(options), {});
}
void Session::create(CreateOptions options, Completion<Conversation> done) {
  engine::start_create(session_, std::move(options), std::move(done));
}
Pending<Conversation> Session::direct(std::string peer) {
  return engine::start_opening(session_, wire::Direct{std::move(peer), {}}, {});
}
void Session::direct(std::string peer, Completion<Conversation> done) {
  engine::start_opening(session_, wire::Direct{std::move(peer), {}}, std::move(done));
}
Pending<Conversation> Session::join(const ConversationId& conversation) {
  return engine::start_opening(session_, wire::Join{conversation}, {});
}
void Session::join(const ConversationId& conversation, Completion<Conversation> done) {
  engine::start_opening(session_, wire::Join{conversation}, std::move(done));
}
Pending<void> Session::leave(const ConversationId& conversation) {
  return engine::start_simple(session_, wire::Leave{conversation}, {});
}
void Session::leave(const ConversationId& conversation, Completion<void> done) {
  engine::start_simple(session_, wire::Leave{conversation}, std::move(done));
}
Pending<void> Session::add(const ConversationId& conversation, std::vector<std::string> members) {
  return engine::start_simple(session_, wire::Add{conversation, std::move(members)}, {});
}
void Session::add(const ConversationId& conversation, std::vector<std::string> members,
                  Completion<void> done) {
  engine::start_simple(session_, wire::Add{conversation, std::move(members)}, std::move(done));
}
Pending<void> Session::remove(const ConversationId& conversation, UserId user) {
  return engine::start_simple(session_, wire::Remove{conversation, user}, {});
}
void Session::remove(const ConversationId& conversation, UserId user, Completion<void> done) {
  engine::start_simple(session_, wire::Remove{conversation, user}, std::move(done));
}
Pending<void> Session::set_role(const ConversationId& conversation, UserId user, Role role) {
  return engine::start_simple(session_, wire::SetRole{conversation, user, role}, {});
}
void Session::set_role(const ConversationId& conversation, UserId user, Role role,
                       Completion<void> done) {
  engine::start_simple(session_, wire::SetRole{conversation, user, role}, std::move(done));
}
Pending<void> Session::transfer(const ConversationId& conversation, UserId user) {
  return engine::start_simple(session_, wire::Transfer{conversation, user}, {});
}
void Session::transfer(const ConversationId& conversation, UserId user, Completion<void> done) {
  engine::start_simple(session_, wire::Transfer{conversation, user}, std::move(done));
}
Pending<void> Session::set_settings(const ConversationId& conversation, SettingsUpdate settings) {
  return engine::start_simple(session_, wire::SetSettings{conversation, std::move(settings)}, {});
}
void Session::set_settings(const ConversationId& conversation, SettingsUpdate settings,
                           Completion<void> done) {
  engine::start_simple(session_, wire::SetSettings{conversation, std::move(settings)},
                       std::move(done));
}
Pending<ConversationInfo> Session::info(const ConversationId& conversation) {
  return engine::start_info(session_, conversation, {});
}
void Session::info(const ConversationId& conversation, Completion<ConversationInfo> done) {
  engine::start_info(session_, conversation, std::move(done));
}
Pending<void> Session::restrict_user(const ConversationId& conversation, UserId user,
                                     RestrictionKind kind, RestrictOptions options) {
  return engine::start_simple(
      session_, wire::Restrict{conversation, kind, user, true, std::move(options)}, {});
}
void Session::restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                            RestrictOptions options, Completion<void> done) {
  engine::start_simple(session_, wire::Restrict{conversation, kind, user, true, std::move(options)},
                       std::move(done));
}
Pending<void> Session::lift(const ConversationId& conversation, UserId user, RestrictionKind kind) {
  return engine::start_simple(session_, wire::Restrict{conversation, kind, user, false, {}}, {});
}
void Session::lift(const ConversationId& conversation, UserId user, RestrictionKind kind,
                   Completion<void> done) {
  engine::start_simple(session_, wire::Restrict{conversation, kind, user, false, {}},
                       std::move(done));
}
Pending<RestrictionsPage> Session::restrictions(const ConversationId& conversation,
                                                RestrictionKind kind, RestrictionsOptions options) {
  return read_restrictions(session_, conversation, kind, options, {});
}
void Session::restrictions(const ConversationId& conversation, RestrictionKind kind,
                           RestrictionsOptions options, Completion<RestrictionsPage> done) {
  read_restrictions(session_, conversation, kind, options, std::move(done));
}
Pending<void> Session::set_title(const ConversationId& conversation, std::string title) {
  return engine::start_simple(session_, wire::SetTitle{conversation, std::move(title)}, {});
}
void Session::set_title(const ConversationId& conversation, std::string title,
                        Completion<void> done) {
  engine::start_simple(session_, wire::SetTitle{conversation, std::move(title)}, std::move(done));
}
Pending<MembersPage> Session::members(const ConversationId& conversation, MembersOptions options) {
  return read_members(session_, conversation, options, {});
}
void Session::members(const ConversationId& conversation, MembersOptions options,
                      Completion<MembersPage> done) {
  read_members(session_, conversation, options, std::move(done));
}

// ---- Changes of messages ----

Pending<void> Session::edit(const ConversationId& conversation, Seq message, std::string text,
                            std::string content_type) {
  return engine::start_simple(
      session_, engine::edit_of(conversation, message, text, std::move(content_type)), {});
}
void Session::edit(const ConversationId& conversation, Seq message, std::string text,
                   std::string content_type, Completion<void> done) {
  engine::start_simple(session_,
                       engine::edit_of(conversation, message, text, std::move(content_type)),
                       std::move(done));
}
Pending<void> Session::delete_message(const ConversationId& conversation, Seq message) {
  return engine::start_simple(session_, wire::Delete{conversation, message}, {});
}
void Session::delete_message(const ConversationId& conversation, Seq message,
                             Completion<void> done) {
  engine::start_simple(session_, wire::Delete{conversation, message}, std::move(done));
}
Pending<void> Session::delete_for_me(const ConversationId& conversation,
                                     std::vector<Seq> messages) {
  return engine::start_simple(session_, wire::DeleteForMe{conversation, std::move(messages)}, {});
}
void Session::delete_for_me(const ConversationId& conversation, std::vector<Seq> messages,
                            Completion<void> done) {
  engine::start_simple(session_, wire::DeleteForMe{conversation, std::move(messages)},
                       std::move(done));
}
Pending<void> Session::react(const ConversationId& conversation, Seq message, std::string key,
                             bool on) {
  return engine::start_simple(session_, wire::React{conversation, message, std::move(key), on}, {});
}
void Session::react(const ConversationId& conversation, Seq message, std::string key, bool on,
                    Completion<void> done) {
  engine::start_simple(session_, wire::React{conversation, message, std::move(key), on},
                       std::move(done));
}
Pending<ReactorsPage> Session::reactors(const ConversationId& conversation, Seq message,
                                        std::string key, ReactorsOptions options) {
  return read_reactors(session_, conversation, message, std::move(key), options, {});
}
void Session::reactors(const ConversationId& conversation, Seq message, std::string key,
                       ReactorsOptions options, Completion<ReactorsPage> done) {
  read_reactors(session_, conversation, message, std::move(key), options, std::move(done));
}
Pending<ThreadPage> Session::thread(const ConversationId& conversation, Seq root,
                                    ThreadOptions options) {
  return read_thread_page(session_, conversation, root, options, {});
}
void Session::thread(const ConversationId& conversation, Seq root, ThreadOptions options,
                     Completion<ThreadPage> done) {
  read_thread_page(session_, conversation, root, options, std::move(done));
}
Pending<ThreadsPage> Session::threads(const ConversationId& conversation, ThreadsOptions options) {
  return read_threads(session_, conversation, options, {});
}
void Session::threads(const ConversationId& conversation, ThreadsOptions options,
                      Completion<ThreadsPage> done) {
  read_threads(session_, conversation, options, std::move(done));
}
Pending<ThreadState> Session::follow_thread(const ConversationId& conversation, Seq root, bool on) {
  return change_thread(session_, wire::FollowThread{conversation, root, on}, {});
}
void Session::follow_thread(const ConversationId& conversation, Seq root, bool on,
                            Completion<ThreadState> done) {
  change_thread(session_, wire::FollowThread{conversation, root, on}, std::move(done));
}
Pending<ThreadState> Session::read_thread(const ConversationId& conversation, Seq root, Seq seq) {
  return change_thread(session_, wire::ReadThread{conversation, root, seq}, {});
}
void Session::read_thread(const ConversationId& conversation, Seq root, Seq seq,
                          Completion<ThreadState> done) {
  change_thread(session_, wire::ReadThread{conversation, root, seq}, std::move(done));
}
Pending<void> Session::pin(const ConversationId& conversation, Seq message, bool on) {
  return engine::start_simple(session_, wire::Pin{conversation, message, on}, {});
}
void Session::pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done) {
  engine::start_simple(session_, wire::Pin{conversation, message, on}, std::move(done));
}
Pending<std::vector<Event>> Session::pins(const ConversationId& conversation) {
  return read_pins(session_, conversation, {});
}
void Session::pins(const ConversationId& conversation, Completion<std::vector<Event>> done) {
  read_pins(session_, conversation, std::move(done));
}

// ---- Following and positions ----

Pending<void> Session::set_list(const ConversationId& conversation, ListSettings settings) {
  return engine::start_simple(session_, wire::SetList{conversation, std::move(settings)}, {});
}
void Session::set_list(const ConversationId& conversation, ListSettings settings,
                       Completion<void> done) {
  engine::start_simple(session_, wire::SetList{conversation, std::move(settings)}, std::move(done));
}

Pending<ResumeAnswer> Session::subscribe(const ConversationId& conversation,
                                         SubscribeOptions options) {
  return follow(session_, conversation, options, {});
}
void Session::subscribe(const ConversationId& conversation, SubscribeOptions options,
                        Completion<ResumeAnswer> done) {
  follow(session_, conversation, options, std::move(done));
}
Pending<std::vector<ListEntry>> Session::list() { return read_list(session_, {}); }
void Session::list(Completion<std::vector<ListEntry>> done) {
  read_list(session_, std::move(done));
}
Pending<void> Session::read(const ConversationId& conversation, Seq seq) {
  return engine::start_simple(session_, wire::MarkRead{conversation, 0, seq}, {});
}
void Session::read(const ConversationId& conversation, Seq seq, Completion<void> done) {
  engine::start_simple(session_, wire::MarkRead{conversation, 0, seq}, std::move(done));
}
Pending<void> Session::received(const ConversationId& conversation, Seq seq) {
  return engine::start_simple(session_, wire::MarkRead{conversation, seq, 0}, {});
}
void Session::received(const ConversationId& conversation, Seq seq, Completion<void> done) {
  engine::start_simple(session_, wire::MarkRead{conversation, seq, 0}, std::move(done));
}
void Session::acknowledge(const Event& event) {
  engine::start_simple(session_, wire::MarkRead{event.conversation, event.seq, 0}, {});
}

// ---- People ----

Pending<void> Session::signal(const ConversationId& conversation, std::string kind,
                              std::string data) {
  return signal(conversation, std::move(kind), std::move(data), limits::signal_lasts);
}
Pending<void> Session::signal(const ConversationId& conversation, std::string kind,
                              std::string data, std::chrono::milliseconds lasts) {
  return engine::start_signal(session_, conversation, std::move(kind), std::move(data), lasts, {});
}
void Session::signal(const ConversationId& conversation, std::string kind, std::string data,
                     Completion<void> done) {
  signal(conversation, std::move(kind), std::move(data), limits::signal_lasts, std::move(done));
}
void Session::signal(const ConversationId& conversation, std::string kind, std::string data,
                     std::chrono::milliseconds lasts, Completion<void> done) {
  engine::start_signal(session_, conversation, std::move(kind), std::move(data), lasts,
                       std::move(done));
}
Pending<std::vector<Presence>> Session::watch(const ConversationId& conversation,
                                              std::vector<UserId> users) {
  return start_watch(session_, conversation, std::move(users), {});
}
void Session::watch(const ConversationId& conversation, std::vector<UserId> users,
                    Completion<std::vector<Presence>> done) {
  start_watch(session_, conversation, std::move(users), std::move(done));
}
Pending<std::vector<UserName>> Session::names(std::vector<UserId> users) {
  return look_up(session_, std::move(users), {});
}
void Session::names(std::vector<UserId> users, Completion<std::vector<UserName>> done) {
  look_up(session_, std::move(users), std::move(done));
}

}  // namespace parley::inline v0
