// client.cpp: the public face: each operation goes to the client's loop and its answer is
// translated.
#include <utility>

#include "client/client_calls.hpp"
#include "client/client_impl.hpp"
#include "wire/draft.hpp"
#include "wire/record.hpp"

namespace parley::inline v0 {
namespace {

using client::as;
using client::as_done;
using client::ask;
using client::call;
using client::pending;
using detail::ClientImpl;

ClientImpl::Answered as_thread(Completion<ThreadState> done) {
  return as<wire::ThreadState>(std::move(done),
                               [](wire::ThreadState&& state) { return wire::to_thread(state); });
}
ClientImpl::Answered as_entry(Completion<ListEntry> done) {
  return as<wire::Opened>(std::move(done),
                          [](wire::Opened&& opened) { return std::move(opened.entry); });
}

HistoryPage page_of(const wire::HistoryPage& page) {
  HistoryPage out;
  out.more = page.more;
  out.floor = page.floor;
  out.events.reserve(page.records.size());
  for (std::size_t i = 0; i < page.records.size(); ++i) {
    const bool last = i + 1 == page.records.size();
    out.events.push_back(
        wire::to_event(page.conversation, page.epoch, page.records[i], last ? page.mark : 0));
  }
  return out;
}

}  // namespace

Result<Client> Client::open(ClientOptions options) {
  auto impl = ClientImpl::create(std::move(options));
  if (!impl) return std::move(impl).error();
  return Client(std::move(*impl));
}
Client::Client(std::unique_ptr<ClientImpl> impl) noexcept : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  if (this != &other) {
    const Client old(std::move(impl_));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Client::~Client() {
  // The thread and the locks of a fork are the parent's: nothing of it may run here.
  if (impl_ && impl_->forked()) static_cast<void>(impl_.release());
}

void Client::start() {
  impl_->post([impl = impl_.get()] { impl->start(); });
}
void Client::stop() {
  impl_->post([impl = impl_.get()] { impl->stop(); });
}
void Client::set_token(std::string token) {
  impl_->post([impl = impl_.get(), token = std::move(token)] { impl->set_token(token); });
}

// ---- Messages. ----

void Client::send(const ConversationId& conversation, MessageDraft draft, Completion<Ack> done) {
  call(*impl_, std::move(done),
       [conversation, draft = std::move(draft)](ClientImpl& impl, Completion<Ack> then) mutable {
         impl.send(conversation, std::move(draft), std::move(then));
       });
}
Pending<Ack> Client::send(const ConversationId& conversation, MessageDraft draft) {
  return pending<Ack>(
      *impl_, [&](Completion<Ack> done) { send(conversation, std::move(draft), std::move(done)); });
}
Pending<Ack> Client::send(const ConversationId& conversation, std::string_view text) {
  MessageDraft draft;
  draft.body = text;
  return send(conversation, std::move(draft));
}
void Client::outbox(Completion<std::vector<OutboxItem>> done) {
  call(*impl_, std::move(done),
       [](ClientImpl& impl, const Completion<std::vector<OutboxItem>>& then) {
         if (then) then(impl.core().outbox());
       });
}

void Client::history(const ConversationId& conversation, HistoryOptions options,
                     Completion<HistoryPage> done) {
  ask(*impl_, wire::History{conversation, options.from, options.backward, options.limit},
      as<wire::HistoryPage>(std::move(done),
                            [](const wire::HistoryPage& page) { return page_of(page); }));
}
Pending<HistoryPage> Client::history(const ConversationId& conversation, HistoryOptions options) {
  return pending<HistoryPage>(*impl_, [&](Completion<HistoryPage> done) {
    history(conversation, options, std::move(done));
  });
}

// ---- Conversations. ----

void Client::create(CreateOptions options, Completion<ListEntry> done) {
  // The nonce makes a repeated frame harmless; it is drawn where the random source lives.
  call(*impl_, std::move(done),
       [options = std::move(options)](ClientImpl& impl, Completion<ListEntry> then) mutable {
         wire::Create create;
         create.kind = options.kind;
         create.title = std::move(options.title);
         create.members = std::move(options.members);
         create.space = options.space;
         create.join = options.join;
         impl.fill_random(create.nonce.bytes);
         impl.request(std::move(create), as_entry(std::move(then)));
       });
}
Pending<ListEntry> Client::create(CreateOptions options) {
  return pending<ListEntry>(
      *impl_, [&](Completion<ListEntry> done) { create(std::move(options), std::move(done)); });
}
void Client::direct(std::string peer, Completion<ListEntry> done) {
  ask(*impl_, wire::Direct{std::move(peer)}, as_entry(std::move(done)));
}
Pending<ListEntry> Client::direct(std::string peer) {
  return pending<ListEntry>(
      *impl_, [&](Completion<ListEntry> done) { direct(std::move(peer), std::move(done)); });
}
void Client::join(const ConversationId& channel, Completion<ListEntry> done) {
  ask(*impl_, wire::Join{channel}, as_entry(std::move(done)));
}
Pending<ListEntry> Client::join(const ConversationId& channel) {
  return pending<ListEntry>(*impl_,
                            [&](Completion<ListEntry> done) { join(channel, std::move(done)); });
}
void Client::leave(const ConversationId& conversation, Completion<void> done) {
  ask(*impl_, wire::Leave{conversation}, as_done(std::move(done)));
}
Pending<void> Client::leave(const ConversationId& conversation) {
  return pending<void>(*impl_,
                       [&](Completion<void> done) { leave(conversation, std::move(done)); });
}
void Client::add(const ConversationId& conversation, std::vector<std::string> members,
                 Completion<void> done) {
  ask(*impl_, wire::Add{conversation, std::move(members)}, as_done(std::move(done)));
}
Pending<void> Client::add(const ConversationId& conversation, std::vector<std::string> members) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    add(conversation, std::move(members), std::move(done));
  });
}
void Client::remove(const ConversationId& conversation, UserId user, Completion<void> done) {
  ask(*impl_, wire::Remove{conversation, user}, as_done(std::move(done)));
}
Pending<void> Client::remove(const ConversationId& conversation, UserId user) {
  return pending<void>(*impl_,
                       [&](Completion<void> done) { remove(conversation, user, std::move(done)); });
}
void Client::set_role(const ConversationId& conversation, UserId user, Role role,
                      Completion<void> done) {
  ask(*impl_, wire::SetRole{conversation, user, role}, as_done(std::move(done)));
}
Pending<void> Client::set_role(const ConversationId& conversation, UserId user, Role role) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { set_role(conversation, user, role, std::move(done)); });
}
void Client::transfer(const ConversationId& conversation, UserId user, Completion<void> done) {
  ask(*impl_, wire::Transfer{conversation, user}, as_done(std::move(done)));
}
Pending<void> Client::transfer(const ConversationId& conversation, UserId user) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { transfer(conversation, user, std::move(done)); });
}
void Client::set_settings(const ConversationId& conversation, SettingsUpdate settings,
                          Completion<void> done) {
  ask(*impl_, wire::SetSettings{conversation, std::move(settings)}, as_done(std::move(done)));
}
Pending<void> Client::set_settings(const ConversationId& conversation, SettingsUpdate settings) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    set_settings(conversation, std::move(settings), std::move(done));
  });
}
void Client::info(const ConversationId& conversation, Completion<ConversationInfo> done) {
  ask(*impl_, wire::GetInfo{conversation},
      as<wire::Info>(std::move(done), [](wire::Info&& answer) { return std::move(answer.info); }));
}
Pending<ConversationInfo> Client::info(const ConversationId& conversation) {
  return pending<ConversationInfo>(
      *impl_, [&](Completion<ConversationInfo> done) { info(conversation, std::move(done)); });
}
void Client::restrict_user(const ConversationId& conversation, UserId user, RestrictionKind kind,
                           RestrictOptions options, Completion<void> done) {
  ask(*impl_, wire::Restrict{conversation, kind, user, true, std::move(options)},
      as_done(std::move(done)));
}
Pending<void> Client::restrict_user(const ConversationId& conversation, UserId user,
                                    RestrictionKind kind, RestrictOptions options) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    restrict_user(conversation, user, kind, std::move(options), std::move(done));
  });
}
void Client::lift(const ConversationId& conversation, UserId user, RestrictionKind kind,
                  Completion<void> done) {
  ask(*impl_, wire::Restrict{conversation, kind, user, false, {}}, as_done(std::move(done)));
}
Pending<void> Client::lift(const ConversationId& conversation, UserId user, RestrictionKind kind) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { lift(conversation, user, kind, std::move(done)); });
}
void Client::restrictions(const ConversationId& conversation, RestrictionKind kind,
                          RestrictionsOptions options, Completion<RestrictionsPage> done) {
  ask(*impl_, wire::Restrictions{conversation, kind, options.after, options.limit},
      as<wire::RestrictionsPage>(std::move(done), [](wire::RestrictionsPage&& page) {
        return RestrictionsPage{std::move(page.users), page.more};
      }));
}
Pending<RestrictionsPage> Client::restrictions(const ConversationId& conversation,
                                               RestrictionKind kind, RestrictionsOptions options) {
  return pending<RestrictionsPage>(*impl_, [&](Completion<RestrictionsPage> done) {
    restrictions(conversation, kind, options, std::move(done));
  });
}
void Client::set_title(const ConversationId& conversation, std::string title,
                       Completion<void> done) {
  ask(*impl_, wire::SetTitle{conversation, std::move(title)}, as_done(std::move(done)));
}
Pending<void> Client::set_title(const ConversationId& conversation, std::string title) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    set_title(conversation, std::move(title), std::move(done));
  });
}
void Client::edit(const ConversationId& conversation, Seq message, std::string text,
                  std::string content_type, Completion<void> done) {
  ask(*impl_, wire::Edit{conversation, message, std::move(content_type), Payload::copy_of(text)},
      as_done(std::move(done)));
}
Pending<void> Client::edit(const ConversationId& conversation, Seq message, std::string text,
                           std::string content_type) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    edit(conversation, message, std::move(text), std::move(content_type), std::move(done));
  });
}
void Client::delete_message(const ConversationId& conversation, Seq message,
                            Completion<void> done) {
  ask(*impl_, wire::Delete{conversation, message}, as_done(std::move(done)));
}
Pending<void> Client::delete_message(const ConversationId& conversation, Seq message) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    delete_message(conversation, message, std::move(done));
  });
}
void Client::delete_for_me(const ConversationId& conversation, std::vector<Seq> messages,
                           Completion<void> done) {
  ask(*impl_, wire::DeleteForMe{conversation, std::move(messages)}, as_done(std::move(done)));
}
Pending<void> Client::delete_for_me(const ConversationId& conversation, std::vector<Seq> messages) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    delete_for_me(conversation, std::move(messages), std::move(done));
  });
}
void Client::react(const ConversationId& conversation, Seq message, std::string key, bool on,
                   Completion<void> done) {
  ask(*impl_, wire::React{conversation, message, std::move(key), on}, as_done(std::move(done)));
}
Pending<void> Client::react(const ConversationId& conversation, Seq message, std::string key,
                            bool on) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    react(conversation, message, std::move(key), on, std::move(done));
  });
}
void Client::reactors(const ConversationId& conversation, Seq message, std::string key,
                      ReactorsOptions options, Completion<ReactorsPage> done) {
  ask(*impl_, wire::Reactors{conversation, message, std::move(key), options.after, options.limit},
      as<wire::ReactorsPage>(std::move(done), [](wire::ReactorsPage&& page) {
        return ReactorsPage{std::move(page.users), page.more};
      }));
}
Pending<ReactorsPage> Client::reactors(const ConversationId& conversation, Seq message,
                                       std::string key, ReactorsOptions options) {
  return pending<ReactorsPage>(*impl_, [&](Completion<ReactorsPage> done) {
    reactors(conversation, message, std::move(key), options, std::move(done));
  });
}
void Client::thread(const ConversationId& conversation, Seq root, ThreadOptions options,
                    Completion<ThreadPage> done) {
  ask(*impl_, wire::Thread{conversation, root, options.from, options.backward, options.limit},
      as<wire::ThreadPage>(std::move(done),
                           [](wire::ThreadPage&& page) { return wire::to_page(std::move(page)); }));
}
Pending<ThreadPage> Client::thread(const ConversationId& conversation, Seq root,
                                   ThreadOptions options) {
  return pending<ThreadPage>(*impl_, [&](Completion<ThreadPage> done) {
    thread(conversation, root, options, std::move(done));
  });
}
void Client::threads(const ConversationId& conversation, ThreadsOptions options,
                     Completion<ThreadsPage> done) {
  ask(*impl_, wire::Threads{conversation, options.before, options.limit},
      as<wire::ThreadsPage>(std::move(done),
                            [](wire::ThreadsPage&& page) { return wire::to_page(page); }));
}
Pending<ThreadsPage> Client::threads(const ConversationId& conversation, ThreadsOptions options) {
  return pending<ThreadsPage>(*impl_, [&](Completion<ThreadsPage> done) {
    threads(conversation, options, std::move(done));
  });
}
void Client::follow_thread(const ConversationId& conversation, Seq root, bool on,
                           Completion<ThreadState> done) {
  ask(*impl_, wire::FollowThread{conversation, root, on}, as_thread(std::move(done)));
}
Pending<ThreadState> Client::follow_thread(const ConversationId& conversation, Seq root, bool on) {
  return pending<ThreadState>(*impl_, [&](Completion<ThreadState> done) {
    follow_thread(conversation, root, on, std::move(done));
  });
}
void Client::read_thread(const ConversationId& conversation, Seq root, Seq seq,
                         Completion<ThreadState> done) {
  ask(*impl_, wire::ReadThread{conversation, root, seq}, as_thread(std::move(done)));
}
Pending<ThreadState> Client::read_thread(const ConversationId& conversation, Seq root, Seq seq) {
  return pending<ThreadState>(*impl_, [&](Completion<ThreadState> done) {
    read_thread(conversation, root, seq, std::move(done));
  });
}
void Client::pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done) {
  ask(*impl_, wire::Pin{conversation, message, on}, as_done(std::move(done)));
}
Pending<void> Client::pin(const ConversationId& conversation, Seq message, bool on) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { pin(conversation, message, on, std::move(done)); });
}
void Client::pins(const ConversationId& conversation, Completion<std::vector<Event>> done) {
  ask(*impl_, wire::Pins{conversation},
      as<wire::Messages>(std::move(done),
                         [](wire::Messages&& messages) { return wire::to_events(messages); }));
}
Pending<std::vector<Event>> Client::pins(const ConversationId& conversation) {
  return pending<std::vector<Event>>(
      *impl_, [&](Completion<std::vector<Event>> done) { pins(conversation, std::move(done)); });
}
void Client::members(const ConversationId& conversation, MembersOptions options,
                     Completion<MembersPage> done) {
  ask(*impl_, wire::Members{conversation, options.after, options.limit, std::move(options.prefix)},
      as<wire::MembersPage>(std::move(done), [](wire::MembersPage&& page) {
        return MembersPage{std::move(page.members), std::move(page.receipts), page.count,
                           page.more};
      }));
}
Pending<MembersPage> Client::members(const ConversationId& conversation, MembersOptions options) {
  return pending<MembersPage>(*impl_, [&](Completion<MembersPage> done) {
    members(conversation, options, std::move(done));
  });
}

// ---- Following. ----

void Client::set_list(const ConversationId& conversation, ListSettings settings,
                      Completion<void> done) {
  ask(*impl_, wire::SetList{conversation, std::move(settings)}, as_done(std::move(done)));
}
Pending<void> Client::set_list(const ConversationId& conversation, ListSettings settings) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    set_list(conversation, std::move(settings), std::move(done));
  });
}

void Client::subscribe(const ConversationId& conversation, SubscribeOptions options,
                       Completion<ResumeAnswer> done) {
  call(*impl_, std::move(done),
       [conversation, options](ClientImpl& impl, Completion<ResumeAnswer> then) {
         impl.subscribe(conversation, options, std::move(then));
       });
}
Pending<ResumeAnswer> Client::subscribe(const ConversationId& conversation,
                                        SubscribeOptions options) {
  return pending<ResumeAnswer>(*impl_, [&](Completion<ResumeAnswer> done) {
    subscribe(conversation, options, std::move(done));
  });
}
void Client::list(Completion<std::vector<ListEntry>> done) {
  call(*impl_, std::move(done),
       [](ClientImpl& impl, const Completion<std::vector<ListEntry>>& then) {
         if (then) then(impl.core().list());
       });
}
Pending<std::vector<ListEntry>> Client::list() {
  return pending<std::vector<ListEntry>>(
      *impl_, [&](Completion<std::vector<ListEntry>> done) { list(std::move(done)); });
}
void Client::read(const ConversationId& conversation, Seq seq) {
  impl_->post([impl = impl_.get(), conversation, seq] { impl->read(conversation, seq); });
}

void Client::list_page(ListPageOptions options, Completion<ListPage> done) {
  ask(*impl_, wire::PageList{options.after_activity, options.after, options.limit},
      as<wire::ListPage>(std::move(done), [](wire::ListPage&& page) {
        return ListPage{std::move(page.entries), page.more};
      }));
}
Pending<ListPage> Client::list_page(ListPageOptions options) {
  return pending<ListPage>(*impl_,
                           [&](Completion<ListPage> done) { list_page(options, std::move(done)); });
}
void Client::seen(const ConversationId& conversation, Seq seq, Completion<std::uint64_t> done) {
  ask(*impl_, wire::Seen{conversation, seq},
      as<wire::SeenBy>(std::move(done), [](wire::SeenBy&& seen) { return seen.count; }));
}
Pending<std::uint64_t> Client::seen(const ConversationId& conversation, Seq seq) {
  return pending<std::uint64_t>(
      *impl_, [&](Completion<std::uint64_t> done) { seen(conversation, seq, std::move(done)); });
}

// ---- The user. ----

void Client::set_user(UserSettingsChange change, Completion<UserSettings> done) {
  ask(*impl_, wire::SetUser{std::move(change)},
      as<UserSettings>(std::move(done), [](UserSettings&& now) { return std::move(now); }));
}
Pending<UserSettings> Client::set_user(UserSettingsChange change) {
  return pending<UserSettings>(
      *impl_, [&](Completion<UserSettings> done) { set_user(std::move(change), std::move(done)); });
}
void Client::set_presence(PresenceState state) {
  impl_->post([impl = impl_.get(), state] { impl->set_presence(state); });
}
void Client::devices(Completion<std::vector<Device>> done) {
  ask(*impl_, wire::Devices{},
      as<wire::DeviceList>(std::move(done), [impl = impl_.get()](wire::DeviceList&& list) {
        for (Device& device : list.devices) device.current = device.id == impl->core().device_id();
        return std::move(list.devices);
      }));
}
Pending<std::vector<Device>> Client::devices() {
  return pending<std::vector<Device>>(
      *impl_, [&](Completion<std::vector<Device>> done) { devices(std::move(done)); });
}
void Client::rename_device(DeviceId device, std::string name, Completion<void> done) {
  ask(*impl_, wire::RenameDevice{device, std::move(name)}, as_done(std::move(done)));
}
Pending<void> Client::rename_device(DeviceId device, std::string name) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    rename_device(device, std::move(name), std::move(done));
  });
}
void Client::revoke_device(DeviceId device, Completion<void> done) {
  ask(*impl_, wire::RevokeDevice{device, {}}, as_done(std::move(done)));
}
Pending<void> Client::revoke_device(DeviceId device) {
  return pending<void>(*impl_,
                       [&](Completion<void> done) { revoke_device(device, std::move(done)); });
}

// ---- People. ----

void Client::signal(const ConversationId& conversation, std::string kind, std::string data,
                    std::chrono::milliseconds lasts) {
  const bool fits = lasts.count() >= 0 && lasts.count() <= UINT32_MAX;
  const auto ms = fits ? static_cast<std::uint32_t>(lasts.count()) : UINT32_MAX;
  ask(*impl_, wire::SendSignal{conversation, std::move(kind), std::move(data), ms}, nullptr);
}
void Client::watch(const ConversationId& conversation, std::vector<UserId> users,
                   Completion<std::vector<Presence>> done) {
  ask(*impl_, wire::Watch{conversation, std::move(users)},
      as<wire::PresenceChanged>(std::move(done), [](wire::PresenceChanged&& changed) {
        return std::move(changed.users);
      }));
}
Pending<std::vector<Presence>> Client::watch(const ConversationId& conversation,
                                             std::vector<UserId> users) {
  return pending<std::vector<Presence>>(*impl_, [&](Completion<std::vector<Presence>> done) {
    watch(conversation, std::move(users), std::move(done));
  });
}
void Client::watch_conversation(const ConversationId& conversation, Completion<Online> done) {
  ask(*impl_, wire::WatchConversation{conversation, true},
      as<Online>(std::move(done), [](Online&& online) { return std::move(online); }));
}
Pending<Online> Client::watch_conversation(const ConversationId& conversation) {
  return pending<Online>(
      *impl_, [&](Completion<Online> done) { watch_conversation(conversation, std::move(done)); });
}
void Client::unwatch_conversation(const ConversationId& conversation, Completion<Online> done) {
  ask(*impl_, wire::WatchConversation{conversation, false},
      as<Online>(std::move(done), [](Online&& online) { return std::move(online); }));
}
Pending<Online> Client::unwatch_conversation(const ConversationId& conversation) {
  return pending<Online>(*impl_, [&](Completion<Online> done) {
    unwatch_conversation(conversation, std::move(done));
  });
}
void Client::names(std::vector<UserId> users, Completion<std::vector<UserName>> done) {
  ask(*impl_, wire::Lookup{std::move(users)},
      as<wire::Names>(std::move(done), [](wire::Names&& names) { return std::move(names.users); }));
}
Pending<std::vector<UserName>> Client::names(std::vector<UserId> users) {
  return pending<std::vector<UserName>>(*impl_, [&](Completion<std::vector<UserName>> done) {
    names(std::move(users), std::move(done));
  });
}

std::string_view to_string(ClientState state) noexcept {
  switch (state) {
    case ClientState::stopped:
      return "stopped";
    case ClientState::waiting:
      return "waiting";
    case ClientState::connecting:
      return "connecting";
    case ClientState::ready:
      return "ready";
    case ClientState::refused:
      return "refused";
    case ClientState::failed:
      return "failed";
  }
  return "unknown";
}

// ---- Driving. ----

void Client::run() { impl_->run(); }
void Client::stop_running() noexcept { impl_->stop_running(); }
bool Client::poll(std::chrono::microseconds budget) { return impl_->poll(budget); }
void Client::wait(std::chrono::microseconds timeout) { impl_->wait(timeout); }

}  // namespace parley::inline v0
