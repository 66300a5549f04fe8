// guild: a space with channels, roles that come with it, a link that lets people in, and who is
// online.
#include <cstdio>
#include <future>
#include <string>

#include "parley/parley.hpp"

int main() {
  // Who may do what is a table (parley/permissions.hpp): here moderators make links, too.
  parley::Permissions rights;
  rights.space.invite = parley::Role::moderator;
  auto engine = parley::Engine::open({.permissions = rights}).value();
  auto olga = engine.attach({.user = "olga"}).get().value();
  auto max = engine.attach({.user = "max"}).get().value();
  auto newt = engine.attach({.user = "newt"}).get().value();

  // Whoever is in the space is in its open channels, with the role held in the space.
  auto guild =
      olga.create(
              {.kind = parley::ConversationKind::space, .title = "Night Watch", .members = {"max"}})
          .get()
          .value();
  olga.set_role(guild, max.user(), parley::Role::moderator).get().value();
  auto hall = olga.create({.kind = parley::ConversationKind::channel,
                           .title = "hall",
                           .space = guild,
                           .join = parley::JoinRule::open})
                  .get()
                  .value();
  auto council = olga.create({.kind = parley::ConversationKind::channel,
                              .title = "council",
                              .members = {"max"},
                              .space = guild,
                              .join = parley::JoinRule::added})  // of who is added alone
                     .get()
                     .value();

  // A link for one newcomer; its token is all that they need.
  const parley::Invite link = max.create_invite(guild, {.uses = 1}).get().value();
  newt.join_invite(link.token).get().value();
  std::printf("newt writes in the hall: %s\n", newt.send(hall, "hi").get().ok() ? "yes" : "no");
  const auto refused = newt.send(council, "hi").get();
  std::printf("newt writes in the council: %s\n", refused ? "yes" : "no");

  // Who is online: everybody of a small conversation, numbers of a large one (PresenceStep).
  std::promise<void> left;
  olga.on_presence([&](const parley::Presence& presence) {
    if (presence.user == newt.user() && !presence.online) left.set_value();
  });
  const parley::Online online = olga.watch_conversation(hall).get().value();
  for (const auto& one : online.users.value_or(std::vector<parley::Presence>())) {
    const auto names = olga.names({one.user}).get().value();
    std::printf("%s is %s\n", names.front().subject.c_str(), one.online ? "online" : "offline");
  }
  newt.set_presence(parley::PresenceState::invisible).get().value();  // to others: offline
  left.get_future().wait();
  std::printf("newt went\n");
  return refused ? 1 : 0;
}
