// user_operations.cpp: requests about the caller's own list, devices, settings and presence.
#include <utility>

#include "base/utf8.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

/// Whose: the host names the user, everybody else has only what is their own.
UserId Operations::owner(UserId named) {
  if (session.kind != SessionSetup::Kind::system) return session.user;
  if (!named) fail(Errc::denied, "no such user, or not allowed");
  return named;
}

// ---- The list ----

void Operations::operator()(wire::SetList&& set) {
  if (!known(set.conversation) || !has_user()) return;
  if (set.settings.draft && set.settings.draft->size() > limits::draft)
    return void(fail(Errc::too_large, "draft: longer than 4096 bytes"));
  if (set.settings.draft && !base::valid_utf8(*set.settings.draft))
    return void(fail(Errc::invalid_argument, "draft: expected UTF-8"));
  if (set.settings.folder && set.settings.folder->size() > limits::folder)
    return void(fail(Errc::too_large, "folder: longer than 64 bytes"));
  if (set.settings.folder && !base::valid_utf8(*set.settings.folder))
    return void(fail(Errc::invalid_argument, "folder: expected UTF-8"));
  if (set.settings.muted_until && *set.settings.muted_until < WallTime{})
    return void(fail(Errc::invalid_argument, "muted_until: expected 0 or a time after 1970"));
  shard.at_user(session.user, [ref = ref, number = number, set = std::move(set)](
                                  ShardState& there, UserHome& home) mutable {
    home.set(std::move(set), there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Sync&& sync) {
  if (!has_user()) return;
  if (sync.conversations.size() > limits::children)
    return void(fail(Errc::invalid_argument, "conversations: at most 500 at once"));
  // Whoever created, joined or left before asks to see it.
  shard.at(0, [user = session.user, ref = ref, number = number,
               sync = std::move(sync)](ShardState& first) {
    first.follower.when_current([&first, user, ref, number, sync](bool) {
      first.at_user(user, [ref, number, sync](ShardState& there, UserHome& home) {
        home.sync(sync,
                  there.answering<wire::ListChanged>(
                      ref, number, [](wire::ListChanged list) -> wire::Answer { return list; }));
      });
    });
  });
}

void Operations::operator()(wire::PageList&& page) {
  const UserId user = owner(page.user);
  if (!user) return;
  if (page.limit == 0 || page.limit > limits::page_list)
    return void(fail(Errc::invalid_argument, "limit: expected 1 to 256"));
  shard.at_user(user, [ref = ref, number = number, page](ShardState& there, UserHome& home) {
    home.page(page, there.answering<wire::ListPage>(
                        ref, number, [](wire::ListPage list) -> wire::Answer { return list; }));
  });
}

// ---- Devices ----

void Operations::operator()(wire::Devices&& devices) {
  const UserId user = owner(devices.user);
  if (!user) return;
  shard.at_user(user, [ref = ref, number = number](ShardState& there, UserHome& home) {
    home.devices(there.answering<wire::DeviceList>(
        ref, number, [](wire::DeviceList list) -> wire::Answer { return list; }));
  });
}

void Operations::operator()(wire::RenameDevice&& rename) {
  if (!has_user()) return;
  if (!rename.device) return void(fail(Errc::invalid_argument, "device: expected an id, got none"));
  if (rename.name.size() > limits::device_name)
    return void(fail(Errc::too_large, "name: longer than 128 bytes"));
  if (!base::valid_utf8(rename.name))
    return void(fail(Errc::invalid_argument, "name: expected UTF-8"));
  shard.at_user(session.user, [ref = ref, number = number, rename = std::move(rename)](
                                  ShardState& there, UserHome& home) mutable {
    home.rename_device(rename.device, std::move(rename.name),
                       there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::RevokeDevice&& revoke) {
  if (!revoke.device) return void(fail(Errc::invalid_argument, "device: expected an id, got none"));
  const UserId user = owner(revoke.user);
  if (!user) return;
  shard.at_user(user, [ref = ref, number = number, device = revoke.device](ShardState& there,
                                                                           UserHome& home) {
    home.revoke_device(device, there.answering<void>(ref, number, done));
  });
}

// ---- Settings and presence ----

void Operations::operator()(wire::SetUser&& set) {
  const UserId user = owner(set.user);
  if (!user) return;
  const UserSettingsChange& change = set.change;
  if (change.status && change.status->size() > limits::status)
    return void(fail(Errc::too_large, "status: longer than 256 bytes"));
  if (change.status && !base::valid_utf8(*change.status))
    return void(fail(Errc::invalid_argument, "status: expected UTF-8"));
  if (change.status_until && (!change.status || *change.status_until < WallTime{}))
    return void(
        fail(Errc::invalid_argument, "status_until: expected a time after 1970, and a status"));
  shard.at_user(user, [ref = ref, number = number, set = std::move(set)](ShardState& there,
                                                                         UserHome& home) mutable {
    home.set(std::move(set.change),
             there.answering<UserSettings>(ref, number,
                                           [](UserSettings now) -> wire::Answer { return now; }));
  });
}

void Operations::operator()(wire::SetPresence&& set) {
  if (!has_user()) return;
  if (set.state == PresenceState::offline || set.state > PresenceState::invisible)
    return void(fail(Errc::invalid_argument, "state: expected online, away, busy or invisible"));
  shard.at_user(session.user,
                [ref = ref, number = number, state = set.state](ShardState& there, UserHome& home) {
                  home.set_state(ref, state);
                  there.answer(ref, number, wire::Done{});
                });
}

void Operations::operator()(wire::WatchConversation&& watch) {
  if (!known(watch.conversation) || !has_user()) return;
  shard.online.request(ref, number, watch);
}

void Operations::operator()(wire::Seen&& seen) {
  if (!known_message(seen.conversation, seen.seq)) return;
  if (session.hides_reads)
    return void(fail(Errc::denied, "who hides what it reads is not told what others read"));
  shard.at_home(seen.conversation, [ref = ref, number = number, who = caller(), seen](
                                       ShardState& there, Conversation& home) {
    home.seen(
        who, seen.seq,
        there.answering<std::uint64_t>(ref, number, [seen](std::uint64_t count) -> wire::Answer {
          return wire::SeenBy{seen.conversation, seen.seq, count};
        }));
  });
}

}  // namespace parley::core
