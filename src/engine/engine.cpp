// engine.cpp: the public engine over its implementation.
#include "parley/engine.hpp"

#include <utility>

#include "engine/engine_impl.hpp"
#include "engine/start_call.hpp"
#include "engine/start_joins.hpp"
#include "engine/system_call.hpp"

namespace parley::inline v0 {
namespace {

using detail::EngineImpl;
using engine::about_user;
using engine::as_system;
using engine::Impl;
using engine::name_user;
using engine::why_none;

template <class Operation>
Pending<void> change_member(const Impl& impl, std::string subject, Operation operation,
                            Completion<void> done) {
  return about_user<void, wire::Done>(
      impl, std::move(subject), std::move(done), std::move(operation), [](wire::Done&) {},
      &name_user<Operation>);
}

wire::SetVisibility groups_of(const ConversationId& conversation,
                              const std::vector<std::uint8_t>& groups) {
  std::uint16_t bits = 0;
  for (const std::uint8_t group : groups)
    bits |= static_cast<std::uint16_t>(group > audience::last_group ? 1 : 1U << group);
  return {conversation, {}, bits, {}};  // bit 0 is no group's: refused by the conversation
}

Pending<void> end_device(const Impl& impl, std::string subject, DeviceId device,
                         Completion<void> done) {
  return about_user<void, wire::Done>(
      impl, std::move(subject), std::move(done), wire::RevokeDevice{device, {}}, [](wire::Done&) {},
      &name_user<wire::RevokeDevice>);
}

Pending<std::vector<Device>> devices_of(const Impl& impl, std::string subject,
                                        Completion<std::vector<Device>> done) {
  return about_user<std::vector<Device>, wire::DeviceList>(
      impl, std::move(subject), std::move(done), wire::Devices{},
      [](wire::DeviceList& answer) -> Result<std::vector<Device>> {
        return std::move(answer.devices);
      },
      &name_user<wire::Devices>);
}

Pending<Retention> retention_of(const Impl& impl, const ConversationId& id,
                                Completion<Retention> done) {
  return as_system<Retention>(impl, std::move(done),
                              [&](const engine::Local& system, Completion<Retention> then) {
                                return engine::start_retention(system, id, std::move(then));
                              });
}

Pending<std::string> name_of(const Impl& impl, UserId user, Completion<std::string> done) {
  return as_system<std::string>(impl, std::move(done),
                                [&](const engine::Local& system, Completion<std::string> then) {
                                  return engine::start<std::string, wire::Names>(
                                      system, wire::Lookup{{user}},
                                      [](wire::Names& names) -> Result<std::string> {
                                        if (names.users.empty())
                                          return Error{Errc::denied, "no such user"};
                                        return std::move(names.users.front().subject);
                                      },
                                      std::move(then));
                                });
}

Pending<Conversation> open_as_system(const Impl& impl, wire::Operation operation,
                                     Completion<Conversation> done) {
  return as_system<Conversation>(
      impl, std::move(done), [&](const engine::Local& system, Completion<Conversation> then) {
        return engine::start_opening(system, std::move(operation), std::move(then));
      });
}

Pending<Conversation> create_as_system(const std::shared_ptr<EngineImpl>& impl,
                                       CreateOptions options, Completion<Conversation> done) {
  auto create = engine::create_of(std::move(options));
  if (!create) return engine::refuse<Conversation>(std::move(create).error(), std::move(done));
  return open_as_system(impl, std::move(*create), std::move(done));
}

Pending<void> do_as_system(const Impl& impl, wire::Operation operation, Completion<void> done) {
  return as_system<void>(
      impl, std::move(done), [&](const engine::Local& system, Completion<void> then) {
        return engine::start_simple(system, std::move(operation), std::move(then));
      });
}

Pending<ConversationInfo> info_as_system(const Impl& impl, const ConversationId& conversation,
                                         Completion<ConversationInfo> done) {
  return as_system<ConversationInfo>(
      impl, std::move(done), [&](const engine::Local& system, Completion<ConversationInfo> then) {
        return engine::start_info(system, conversation, std::move(then));
      });
}

Pending<Invite> invite_as_system(const Impl& impl, const ConversationId& conversation,
                                 InviteOptions options, Completion<Invite> done) {
  return as_system<Invite>(
      impl, std::move(done), [&](const engine::Local& system, Completion<Invite> then) {
        return engine::start_invite(system, conversation, options, std::move(then));
      });
}

Pending<std::vector<Invite>> invites_as_system(const Impl& impl, const ConversationId& conversation,
                                               Completion<std::vector<Invite>> done) {
  return as_system<std::vector<Invite>>(
      impl, std::move(done), [&](const engine::Local& system, auto then) {
        return engine::read_invites(system, conversation, std::move(then));
      });
}

Pending<JoinRequestsPage> requests_as_system(const Impl& impl, const ConversationId& conversation,
                                             JoinRequestsOptions options,
                                             Completion<JoinRequestsPage> done) {
  return as_system<JoinRequestsPage>(
      impl, std::move(done), [&](const engine::Local& system, Completion<JoinRequestsPage> then) {
        return engine::read_requests(system, conversation, options, std::move(then));
      });
}

Pending<Ack> send_as_system(const Impl& impl, const ConversationId& conversation,
                            MessageDraft draft, SendOptions options, Completion<Ack> done) {
  return as_system<Ack>(impl, std::move(done),
                        [&](const engine::Local& system, Completion<Ack> then) {
                          return engine::start_send(system, conversation, std::move(draft),
                                                    std::move(options), std::move(then));
                        });
}

}  // namespace

Engine::Engine(Impl impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&& other) noexcept {
  if (this != &other) {
    Engine old(std::move(impl_));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Engine::~Engine() {
  if (!impl_) return;
  if (impl_->forked()) {  // its threads and locks are the parent's: nothing of it may run here
    static_cast<void>(new Impl(std::move(impl_)));
    return;
  }
  impl_->destroy();
}

Result<Engine> Engine::open(EngineOptions options) {
  auto impl = EngineImpl::open(std::move(options));
  if (!impl) return std::move(impl).error();
  return Engine(std::move(*impl));
}

// ---- Links ----

Result<std::string> Engine::listen(std::string_view url) {
  if (!impl_) return why_none(impl_);
  return impl_->listen(url);
}
Result<void> Engine::adopt(std::unique_ptr<Link> link, LinkInfo info,
                           std::function<void(LinkEvents*, LinkHost&)> adopted) {
  if (!impl_) return why_none(impl_);
  return impl_->adopt(std::move(link), std::move(info), std::move(adopted));
}
void Engine::on_session(std::function<void(const SessionInfo&)> handler) {
  if (impl_) impl_->on_session(std::move(handler));
}

// ---- Host code as a participant, and as the system ----

Pending<Session> Engine::attach(AttachOptions options) {
  if (!impl_) return engine::refuse<Session>(why_none(impl_), {});
  return impl_->attach(std::move(options), {});
}
void Engine::attach(AttachOptions options, Completion<Session> done) {
  if (!impl_) return void(engine::refuse<Session>(why_none(impl_), std::move(done)));
  impl_->attach(std::move(options), std::move(done));
}
Pending<Conversation> Engine::create(CreateOptions options) {
  return create_as_system(impl_, std::move(options), {});
}
void Engine::create(CreateOptions options, Completion<Conversation> done) {
  create_as_system(impl_, std::move(options), std::move(done));
}
Pending<Conversation> Engine::direct(std::string first, std::string second) {
  return open_as_system(impl_, wire::Direct{std::move(second), std::move(first)}, {});
}
void Engine::direct(std::string first, std::string second, Completion<Conversation> done) {
  open_as_system(impl_, wire::Direct{std::move(second), std::move(first)}, std::move(done));
}
Pending<Ack> Engine::send(const ConversationId& conversation, std::string_view text) {
  return send(conversation, MessageDraft{.body = std::string(text)}, {});
}
Pending<Ack> Engine::send(const ConversationId& conversation, MessageDraft draft) {
  return send(conversation, std::move(draft), SendOptions{});
}
Pending<Ack> Engine::send(const ConversationId& conversation, MessageDraft draft,
                          SendOptions options) {
  return send_as_system(impl_, conversation, std::move(draft), std::move(options), {});
}
void Engine::send(const ConversationId& conversation, MessageDraft draft, SendOptions options,
                  Completion<Ack> done) {
  send_as_system(impl_, conversation, std::move(draft), std::move(options), std::move(done));
}
Pending<void> Engine::add(const ConversationId& conversation, std::vector<std::string> members) {
  return do_as_system(impl_, wire::Add{conversation, std::move(members)}, {});
}
void Engine::add(const ConversationId& conversation, std::vector<std::string> members,
                 Completion<void> done) {
  do_as_system(impl_, wire::Add{conversation, std::move(members)}, std::move(done));
}
Pending<void> Engine::remove(const ConversationId& conversation, std::string member) {
  return change_member(impl_, std::move(member), wire::Remove{conversation, {}}, {});
}
void Engine::remove(const ConversationId& conversation, std::string member, Completion<void> done) {
  change_member(impl_, std::move(member), wire::Remove{conversation, {}}, std::move(done));
}
Pending<void> Engine::set_role(const ConversationId& conversation, std::string member, Role role) {
  return change_member(impl_, std::move(member), wire::SetRole{conversation, {}, role}, {});
}
void Engine::set_role(const ConversationId& conversation, std::string member, Role role,
                      Completion<void> done) {
  change_member(impl_, std::move(member), wire::SetRole{conversation, {}, role}, std::move(done));
}
Pending<void> Engine::set_groups(const ConversationId& conversation, std::string member,
                                 std::vector<std::uint8_t> groups) {
  return change_member(impl_, std::move(member), groups_of(conversation, groups), {});
}
void Engine::set_groups(const ConversationId& conversation, std::string member,
                        std::vector<std::uint8_t> groups, Completion<void> done) {
  change_member(impl_, std::move(member), groups_of(conversation, groups), std::move(done));
}
Pending<void> Engine::shadow_ban(const ConversationId& conversation, std::string member, bool on) {
  return change_member(impl_, std::move(member), wire::SetVisibility{conversation, {}, {}, on}, {});
}
void Engine::shadow_ban(const ConversationId& conversation, std::string member, bool on,
                        Completion<void> done) {
  change_member(impl_, std::move(member), wire::SetVisibility{conversation, {}, {}, on},
                std::move(done));
}
Pending<void> Engine::edit(const ConversationId& conversation, Seq message, std::string text,
                           std::string content_type) {
  return do_as_system(impl_, engine::edit_of(conversation, message, text, std::move(content_type)),
                      {});
}
void Engine::edit(const ConversationId& conversation, Seq message, std::string text,
                  std::string content_type, Completion<void> done) {
  do_as_system(impl_, engine::edit_of(conversation, message, text, std::move(content_type)),
               std::move(done));
}
Pending<void> Engine::delete_message(const ConversationId& conversation, Seq message) {
  return do_as_system(impl_, wire::Delete{conversation, message}, {});
}
void Engine::delete_message(const ConversationId& conversation, Seq message,
                            Completion<void> done) {
  do_as_system(impl_, wire::Delete{conversation, message}, std::move(done));
}
Pending<void> Engine::close_poll(const ConversationId& conversation, Seq message) {
  return do_as_system(impl_, wire::ClosePoll{conversation, message}, {});
}
void Engine::close_poll(const ConversationId& conversation, Seq message, Completion<void> done) {
  do_as_system(impl_, wire::ClosePoll{conversation, message}, std::move(done));
}
Pending<void> Engine::pin(const ConversationId& conversation, Seq message, bool on) {
  return do_as_system(impl_, wire::Pin{conversation, message, on}, {});
}
void Engine::pin(const ConversationId& conversation, Seq message, bool on, Completion<void> done) {
  do_as_system(impl_, wire::Pin{conversation, message, on}, std::move(done));
}
Pending<Invite> Engine::create_invite(const ConversationId& conversation, InviteOptions options) {
  return invite_as_system(impl_, conversation, options, {});
}
void Engine::create_invite(const ConversationId& conversation, InviteOptions options,
                           Completion<Invite> done) {
  invite_as_system(impl_, conversation, options, std::move(done));
}
Pending<std::vector<Invite>> Engine::invites(const ConversationId& conversation) {
  return invites_as_system(impl_, conversation, {});
}
void Engine::invites(const ConversationId& conversation, Completion<std::vector<Invite>> done) {
  invites_as_system(impl_, conversation, std::move(done));
}
Pending<void> Engine::revoke_invite(std::string token) {
  return do_as_system(impl_, wire::RevokeInvite{std::move(token)}, {});
}
void Engine::revoke_invite(std::string token, Completion<void> done) {
  do_as_system(impl_, wire::RevokeInvite{std::move(token)}, std::move(done));
}
Pending<JoinRequestsPage> Engine::join_requests(const ConversationId& conversation,
                                                JoinRequestsOptions options) {
  return requests_as_system(impl_, conversation, options, {});
}
void Engine::join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                           Completion<JoinRequestsPage> done) {
  requests_as_system(impl_, conversation, options, std::move(done));
}
Pending<void> Engine::answer_request(const ConversationId& conversation, std::string user,
                                     bool approve) {
  return change_member(impl_, std::move(user), wire::AnswerRequest{conversation, {}, approve}, {});
}
void Engine::answer_request(const ConversationId& conversation, std::string user, bool approve,
                            Completion<void> done) {
  change_member(impl_, std::move(user), wire::AnswerRequest{conversation, {}, approve},
                std::move(done));
}
Pending<void> Engine::set_settings(const ConversationId& conversation, SettingsUpdate settings) {
  return do_as_system(impl_, wire::SetSettings{conversation, std::move(settings)}, {});
}
void Engine::set_settings(const ConversationId& conversation, SettingsUpdate settings,
                          Completion<void> done) {
  do_as_system(impl_, wire::SetSettings{conversation, std::move(settings)}, std::move(done));
}
Pending<ConversationInfo> Engine::info(const ConversationId& conversation) {
  return info_as_system(impl_, conversation, {});
}
void Engine::info(const ConversationId& conversation, Completion<ConversationInfo> done) {
  info_as_system(impl_, conversation, std::move(done));
}
Pending<void> Engine::restrict_user(const ConversationId& conversation, std::string user,
                                    RestrictionKind kind, RestrictOptions options) {
  return change_member(impl_, std::move(user),
                       wire::Restrict{conversation, kind, {}, true, std::move(options)}, {});
}
void Engine::restrict_user(const ConversationId& conversation, std::string user,
                           RestrictionKind kind, RestrictOptions options, Completion<void> done) {
  change_member(impl_, std::move(user),
                wire::Restrict{conversation, kind, {}, true, std::move(options)}, std::move(done));
}
Pending<void> Engine::lift(const ConversationId& conversation, std::string user,
                           RestrictionKind kind) {
  return change_member(impl_, std::move(user), wire::Restrict{conversation, kind, {}, false, {}},
                       {});
}
void Engine::lift(const ConversationId& conversation, std::string user, RestrictionKind kind,
                  Completion<void> done) {
  change_member(impl_, std::move(user), wire::Restrict{conversation, kind, {}, false, {}},
                std::move(done));
}
Pending<void> Engine::set_title(const ConversationId& conversation, std::string title) {
  return do_as_system(impl_, wire::SetTitle{conversation, std::move(title)}, {});
}
void Engine::set_title(const ConversationId& conversation, std::string title,
                       Completion<void> done) {
  do_as_system(impl_, wire::SetTitle{conversation, std::move(title)}, std::move(done));
}
Pending<void> Engine::set_retention(const ConversationId& conversation, Retention retention) {
  return do_as_system(impl_, wire::SetRetention{conversation, retention}, {});
}
void Engine::set_retention(const ConversationId& conversation, Retention retention,
                           Completion<void> done) {
  do_as_system(impl_, wire::SetRetention{conversation, retention}, std::move(done));
}
Pending<Retention> Engine::retention(const ConversationId& conversation) {
  return retention_of(impl_, conversation, {});
}
void Engine::retention(const ConversationId& conversation, Completion<Retention> done) {
  retention_of(impl_, conversation, std::move(done));
}
Pending<void> Engine::set_limits(LimitsUpdate update) {
  if (!impl_) return engine::refuse<void>(why_none(impl_), {});
  return impl_->set_limits(update, {});
}
void Engine::set_limits(LimitsUpdate update, Completion<void> done) {
  if (!impl_) return void(engine::refuse<void>(why_none(impl_), std::move(done)));
  impl_->set_limits(update, std::move(done));
}
Pending<void> Engine::delete_conversation(const ConversationId& conversation) {
  return do_as_system(impl_, wire::End{conversation}, {});
}
void Engine::delete_conversation(const ConversationId& conversation, Completion<void> done) {
  do_as_system(impl_, wire::End{conversation}, std::move(done));
}
Pending<UserId> Engine::find_user(std::string subject) {
  return engine::find_user(impl_, std::move(subject), {});
}
void Engine::find_user(std::string subject, Completion<UserId> done) {
  engine::find_user(impl_, std::move(subject), std::move(done));
}
Pending<std::string> Engine::subject(UserId user) { return name_of(impl_, user, {}); }
void Engine::subject(UserId user, Completion<std::string> done) {
  name_of(impl_, user, std::move(done));
}
Pending<std::vector<Device>> Engine::devices(std::string user) {
  return devices_of(impl_, std::move(user), {});
}
void Engine::devices(std::string user, Completion<std::vector<Device>> done) {
  devices_of(impl_, std::move(user), std::move(done));
}
Pending<void> Engine::revoke_device(std::string user, DeviceId device) {
  return end_device(impl_, std::move(user), device, {});
}
void Engine::revoke_device(std::string user, DeviceId device, Completion<void> done) {
  end_device(impl_, std::move(user), device, std::move(done));
}

// ---- Driving, and the end ----

void Engine::run() {
  if (impl_) impl_->run();
}
void Engine::stop() noexcept {
  if (impl_) impl_->stop();
}
bool Engine::poll(std::chrono::microseconds budget) { return impl_ && impl_->poll(budget); }
void Engine::wait(std::chrono::microseconds timeout) {
  if (impl_) impl_->sleep(timeout);
}
std::optional<std::chrono::steady_clock::time_point> Engine::next_deadline() const {
  return impl_ ? impl_->next_deadline() : std::nullopt;
}
void Engine::on_wake(std::function<void()> handler) {
  if (impl_) impl_->on_wake(std::move(handler));
}
int Engine::descriptor() const noexcept { return impl_ ? impl_->descriptor() : -1; }
void Engine::close() {
  if (impl_) impl_->close();
}
void Engine::on_stopped(std::function<void()> handler) {
  if (impl_) impl_->on_stopped(std::move(handler));
}
bool Engine::stopped() const noexcept { return !impl_ || impl_->stopped(); }
EngineStats Engine::stats() const { return impl_ ? impl_->stats() : EngineStats{}; }
const StoreFacts& Engine::store_facts() const noexcept {
  static const StoreFacts none{};
  return impl_ ? impl_->store_facts() : none;
}

}  // namespace parley::inline v0
