// user_session.cpp: what a Session does about its own user: list, settings, presence, devices.
#include <utility>

#include "engine/start_call.hpp"

namespace parley::inline v0 {
namespace {

using engine::Local;
using engine::start;

Pending<ListPage> read_page(const Local& session, ListPageOptions options,
                            Completion<ListPage> done) {
  return start<ListPage, wire::ListPage>(
      session, wire::PageList{options.after_activity, options.after, options.limit},
      [](wire::ListPage& answer) -> Result<ListPage> {
        return ListPage{std::move(answer.entries), answer.more};
      },
      std::move(done));
}

Pending<std::uint64_t> count_seen(const Local& session, const ConversationId& id, Seq seq,
                                  Completion<std::uint64_t> done) {
  return start<std::uint64_t, wire::SeenBy>(
      session, wire::Seen{id, seq},
      [](wire::SeenBy& answer) -> Result<std::uint64_t> { return answer.count; }, std::move(done));
}

Pending<Online> start_online(const Local& session, const ConversationId& id, bool on,
                             Completion<Online> done) {
  return start<Online, Online>(
      session, wire::WatchConversation{id, on},
      [](Online& answer) -> Result<Online> { return std::move(answer); }, std::move(done));
}

Pending<UserSettings> change_settings(const Local& session, UserSettingsChange change,
                                      Completion<UserSettings> done) {
  return start<UserSettings, UserSettings>(
      session, wire::SetUser{std::move(change)},
      [](UserSettings& answer) -> Result<UserSettings> { return std::move(answer); },
      std::move(done));
}

Pending<std::vector<Device>> read_devices(const Local& session,
                                          Completion<std::vector<Device>> done) {
  return start<std::vector<Device>, wire::DeviceList>(
      session, wire::Devices{},
      [session](wire::DeviceList& answer) -> Result<std::vector<Device>> {
        for (Device& device : answer.devices) device.current = device.id == session->name().device;
        return std::move(answer.devices);
      },
      std::move(done));
}

}  // namespace

Pending<ListPage> Session::list_page(ListPageOptions options) {
  return read_page(session_, options, {});
}
void Session::list_page(ListPageOptions options, Completion<ListPage> done) {
  read_page(session_, options, std::move(done));
}
Pending<std::uint64_t> Session::seen(const ConversationId& conversation, Seq seq) {
  return count_seen(session_, conversation, seq, {});
}
void Session::seen(const ConversationId& conversation, Seq seq, Completion<std::uint64_t> done) {
  count_seen(session_, conversation, seq, std::move(done));
}
Pending<UserSettings> Session::set_user(UserSettingsChange change) {
  return change_settings(session_, std::move(change), {});
}
void Session::set_user(UserSettingsChange change, Completion<UserSettings> done) {
  change_settings(session_, std::move(change), std::move(done));
}
Pending<Online> Session::watch_conversation(const ConversationId& conversation) {
  return start_online(session_, conversation, true, {});
}
void Session::watch_conversation(const ConversationId& conversation, Completion<Online> done) {
  start_online(session_, conversation, true, std::move(done));
}
Pending<Online> Session::unwatch_conversation(const ConversationId& conversation) {
  return start_online(session_, conversation, false, {});
}
void Session::unwatch_conversation(const ConversationId& conversation, Completion<Online> done) {
  start_online(session_, conversation, false, std::move(done));
}
Pending<void> Session::set_presence(PresenceState state) {
  return engine::start_simple(session_, wire::SetPresence{state}, {});
}
void Session::set_presence(PresenceState state, Completion<void> done) {
  engine::start_simple(session_, wire::SetPresence{state}, std::move(done));
}
Pending<std::vector<Device>> Session::devices() { return read_devices(session_, {}); }
void Session::devices(Completion<std::vector<Device>> done) {
  read_devices(session_, std::move(done));
}
Pending<void> Session::rename_device(DeviceId device, std::string name) {
  return engine::start_simple(session_, wire::RenameDevice{device, std::move(name)}, {});
}
void Session::rename_device(DeviceId device, std::string name, Completion<void> done) {
  engine::start_simple(session_, wire::RenameDevice{device, std::move(name)}, std::move(done));
}
Pending<void> Session::revoke_device(DeviceId device) {
  return engine::start_simple(session_, wire::RevokeDevice{device, {}}, {});
}
void Session::revoke_device(DeviceId device, Completion<void> done) {
  engine::start_simple(session_, wire::RevokeDevice{device, {}}, std::move(done));
}

}  // namespace parley::inline v0
