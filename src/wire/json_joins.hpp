// wire/json_joins.hpp: the fields of messages about who may come in. See json_fields.hpp.
#pragma once
#include <string_view>

#include "wire/json_archive.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

template <class A>
void fields(A& a, In<A, CreateInvite> v) {
  a.must("conversation", v.conversation);
  a.may("role", v.options.role, Role::member);
  a.may("expires", v.options.expires, WallTime{});
  a.may("uses", v.options.uses, 0U);
}
template <class A>
void fields(A& a, In<A, ListInvites> v) {
  a.must("conversation", v.conversation);
}
template <class A>
void fields(A& a, In<A, RevokeInvite> v) {
  a.must("token", v.token);
}
template <class A>
void fields(A& a, In<A, JoinInvite> v) {
  a.must("token", v.token);
}
template <class A>
void fields(A& a, In<A, Invite> v) {
  a.must("token", v.token);
  a.must("role", v.role);
  a.may("by", v.by, UserId{});
  a.must("created", v.created);
  a.may("expires", v.expires, WallTime{});
  a.may("uses", v.uses, 0U);
  a.may("used", v.used, 0U);
}
template <class A>
void fields(A& a, In<A, Invites> v) {
  a.must("conversation", v.conversation);
  a.must("invites", v.invites);
}
template <class A>
void fields(A& a, In<A, RequestJoin> v) {
  a.must("conversation", v.conversation);
  a.may("note", v.note, std::string_view());
}
template <class A>
void fields(A& a, In<A, JoinRequests> v) {
  a.must("conversation", v.conversation);
  a.may("after", v.after, UserId{});
  a.may("limit", v.limit, 100U);
}
template <class A>
void fields(A& a, In<A, AnswerRequest> v) {
  a.must("conversation", v.conversation);
  a.must("user", v.user);
  a.must("approve", v.approve);
}
template <class A>
void fields(A& a, In<A, Applicant> v) {
  a.must("user", v.user);
  a.must("since", v.since);
  a.may("note", v.note, std::string_view());
}
template <class A>
void fields(A& a, In<A, JoinRequestsPage> v) {
  a.must("conversation", v.conversation);
  a.must("requests", v.requests);
  a.must("more", v.more);
}
template <class A>
void fields(A& a, In<A, OwnRequest> v) {
  a.must("conversation", v.conversation);
  a.must("state", v.state);
  a.must("time", v.time);
}
template <class A>
void fields(A& a, In<A, BlockUser> v) {
  a.must("user", v.user);
  a.may("on", v.on, true);
}
template <class A>
void fields(A&, In<A, ListBlocked>) {}
template <class A>
void fields(A& a, In<A, BlockedUsers> v) {
  a.must("users", v.users);
}

}  // namespace parley::wire
