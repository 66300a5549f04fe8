// core/read_as_member.hpp: reads for who is a member.
#pragma once
#include <algorithm>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {

template <class T, class Run>
void Conversation::State::read_as_member(Caller caller, Then<T> then, Run run) {
  if (overloaded()) return then(overload());
  then = counted(reads, alive, std::move(then));
  when_loaded([this, caller, then, run = std::move(run)](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return run(head.floor, all_seeing, then);
    const UserId user = caller.user;
    with_settled_reader(user, [this, user, then, run](Result<const layout::MemberRow*> row) {
      if (!row) return then(row.error());
      if (*row == nullptr || (*row)->role == Role::none) return then(denied());
      const Reader reader{user, audiences_of(info.kind, **row), own_deletions_of(user)};
      run(std::max(head.floor, (*row)->visible_from), reader, then);
    });
  });
}

}  // namespace parley::core
