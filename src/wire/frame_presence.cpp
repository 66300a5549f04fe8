// frame_presence.cpp: bodies about who is there, to binary frames.
#include "wire/frame_build.hpp"

namespace parley::wire {
namespace {

Offset<fb::PresenceChanged> build_users(Builder& b, const std::vector<Presence>& users) {
  std::vector<fb::Presence> states;
  std::vector<Offset<fb::Status>> statuses;
  states.reserve(users.size());
  for (const Presence& p : users) {
    states.emplace_back(p.user.value, ms(p.last_seen), p.online, number(p.state));
    if (p.status.empty()) continue;
    statuses.push_back(fb::CreateStatus(b, p.user.value, text(b, p.status), ms(p.status_until)));
  }
  const auto vector = b.CreateVectorOfStructs(states);
  return fb::CreatePresenceChanged(b, vector, b.CreateVector(statuses));
}

}  // namespace

Offset<fb::Watch> build(Builder& b, const Watch& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateWatch(b, &conversation, ids(b, v.users));
}
Offset<fb::WatchConversation> build(Builder& b, const WatchConversation& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateWatchConversation(b, &conversation, v.on);
}
Offset<fb::SetPresence> build(Builder& b, const SetPresence& v) {
  return fb::CreateSetPresence(b, number(v.state));
}
Offset<fb::PresenceChanged> build(Builder& b, const PresenceChanged& v) {
  return build_users(b, v.users);
}
Offset<fb::Online> build(Builder& b, const Online& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  Offset<fb::PresenceChanged> users = 0;
  if (v.users) users = build_users(b, *v.users);
  return fb::CreateOnline(b, &conversation, number(v.step), v.count, users);
}

}  // namespace parley::wire
