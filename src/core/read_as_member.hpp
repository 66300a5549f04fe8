// core/read_as_member.hpp: reads for who is a member, and still is one when they are answered.
#pragma once
#include <algorithm>
#include <memory>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {

/// What was read for a member by the space is for who is one still when it is there.
template <class T>
Then<T> Conversation::State::still_member(UserId user, Then<T> then) {
  return [this, user, before = rights_version, here = std::weak_ptr<const void>(alive),
          then = std::move(then)](Result<T> result) {
    if (here.expired() || before == rights_version) return then(std::move(result));
    auto held = std::make_shared<Result<T>>(std::move(result));
    with_settled_member(user, [held, then](const Result<const layout::MemberRow*>& row) {
      if (!row) return then(row.error());
      if (*row == nullptr || (*row)->role == Role::none) return then(denied());
      then(std::move(*held));
    });
  };
}

template <class T, class Run>
void Conversation::State::read_as_member(Caller caller, Then<T> then, Run run) {
  if (overloaded()) return then(overload());
  then = counted(reads, alive, std::move(then));
  when_loaded([this, caller, then, run = std::move(run)](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return run(head.floor, all_seeing, then);
    const UserId user = caller.user;
    with_settled_reader(
        user, [this, user, then, run](Result<const layout::MemberRow*> row) mutable {
          if (!row) return then(row.error());
          if (*row == nullptr || (*row)->role == Role::none) return then(denied());
          if (inherits) then = still_member<T>(user, std::move(then));
          const Reader reader{user, audiences_of(info.kind, **row), own_deletions_of(user)};
          run(std::max(head.floor, (*row)->visible_from), reader, then);
        });
  });
}

}  // namespace parley::core
