// wire/json_joins.hpp: the fields of messages about who may come in. See json_fields.hpp.
#pragma once
#include <string_view>

#include "wire/json_archive.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

template <class A, class T>
using In = typename A::template Ref<T>;

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

}  // namespace parley::wire
