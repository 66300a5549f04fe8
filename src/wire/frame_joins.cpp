// frame_joins.cpp: bodies about who may come in, and who may not, to binary frames.
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
Offset<fb::RequestJoin> build(Builder& b, const RequestJoin& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateRequestJoin(b, &conversation, text(b, v.note));
}
Offset<fb::JoinRequests> build(Builder& b, const JoinRequests& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateJoinRequests(b, &conversation, v.after.value, v.limit);
}
Offset<fb::AnswerRequest> build(Builder& b, const AnswerRequest& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateAnswerRequest(b, &conversation, v.user.value, v.approve);
}
Offset<fb::JoinRequestsPage> build(Builder& b, const JoinRequestsPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  std::vector<Offset<fb::Asking>> requests;
  requests.reserve(v.requests.size());
  for (const Applicant& request : v.requests) {
    const auto note = text(b, request.note);
    requests.push_back(fb::CreateAsking(b, request.user.value, ms(request.since), note));
  }
  return fb::CreateJoinRequestsPage(b, &conversation, b.CreateVector(requests), v.more);
}
Offset<fb::OwnRequest> build(Builder& b, const OwnRequest& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateOwnRequest(b, &conversation, number(v.state), ms(v.time));
}
Offset<fb::Block> build(Builder& b, const BlockUser& v) {
  return fb::CreateBlock(b, v.user.value, v.on);
}
Offset<fb::ListBlocked> build(Builder& b, const ListBlocked&) { return fb::CreateListBlocked(b); }
Offset<fb::BlockedUsers> build(Builder& b, const BlockedUsers& v) {
  return fb::CreateBlockedUsers(b, ids(b, v.users));
}

Offset<fb::RestrictUser> build(Builder& b, const Restrict& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateRestrictUser(b, &conversation, number(v.kind), v.user.value, v.on,
                                ms(v.options.until), text(b, v.options.reason));
}
Offset<fb::Restrictions> build(Builder& b, const Restrictions& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateRestrictions(b, &conversation, number(v.kind), v.after.value, v.limit);
}
Offset<fb::Restriction> build(Builder& b, const Restriction& v) {
  const auto reason = text(b, v.reason);
  return fb::CreateRestriction(b, v.user.value, v.by.value, ms(v.since), ms(v.until), reason);
}
Offset<fb::RestrictionsPage> build(Builder& b, const RestrictionsPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  std::vector<Offset<fb::Restriction>> users;
  users.reserve(v.users.size());
  for (const Restriction& user : v.users) users.push_back(build(b, user));
  return fb::CreateRestrictionsPage(b, &conversation, number(v.kind), b.CreateVector(users),
                                    v.more);
}

}  // namespace parley::wire
