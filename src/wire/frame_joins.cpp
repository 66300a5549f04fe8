// frame_joins.cpp: bodies about who may come in, to binary frames.
#include <vector>

#include "wire/frame_build.hpp"

namespace parley::wire {

Offset<fb::CreateInvite> build(Builder& b, const CreateInvite& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateCreateInvite(b, &conversation, number(v.options.role), ms(v.options.expires),
                                v.options.uses);
}
Offset<fb::ListInvites> build(Builder& b, const ListInvites& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateListInvites(b, &conversation);
}
Offset<fb::RevokeInvite> build(Builder& b, const RevokeInvite& v) {
  return fb::CreateRevokeInvite(b, text(b, v.token));
}
Offset<fb::JoinInvite> build(Builder& b, const JoinInvite& v) {
  return fb::CreateJoinInvite(b, text(b, v.token));
}
Offset<fb::Invites> build(Builder& b, const Invites& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  std::vector<Offset<fb::InviteLink>> invites;
  invites.reserve(v.invites.size());
  for (const Invite& link : v.invites) {
    const auto token = text(b, link.token);
    invites.push_back(fb::CreateInviteLink(b, token, number(link.role), link.by.value,
                                           ms(link.created), ms(link.expires), link.uses,
                                           link.used));
  }
  return fb::CreateInvites(b, &conversation, b.CreateVector(invites));
}

}  // namespace parley::wire
