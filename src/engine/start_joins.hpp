// engine/start_joins.hpp: operations about who may come in, of any session in the process.
#pragma once
#include <utility>
#include <vector>

#include "engine/start_call.hpp"
#include "parley/session.hpp"

namespace parley::engine {

inline Pending<Invite> start_invite(const Local& session, const ConversationId& id,
                                    InviteOptions options, Completion<Invite> done) {
  return start<Invite, wire::Invites>(
      session, wire::CreateInvite{id, options},
      [](wire::Invites& made) -> Result<Invite> { return std::move(made.invites.front()); },
      std::move(done));
}

inline Pending<std::vector<Invite>> read_invites(const Local& session, const ConversationId& id,
                                                 Completion<std::vector<Invite>> done) {
  return start<std::vector<Invite>, wire::Invites>(
      session, wire::ListInvites{id},
      [](wire::Invites& links) -> Result<std::vector<Invite>> { return std::move(links.invites); },
      std::move(done));
}

inline Pending<JoinRequestsPage> read_requests(const Local& session, const ConversationId& id,
                                               JoinRequestsOptions options,
                                               Completion<JoinRequestsPage> done) {
  return start<JoinRequestsPage, wire::JoinRequestsPage>(
      session, wire::JoinRequests{id, options.after, options.limit},
      [](wire::JoinRequestsPage& page) -> Result<JoinRequestsPage> {
        return JoinRequestsPage{std::move(page.requests), page.more};
      },
      std::move(done));
}

inline Pending<std::vector<UserId>> read_blocked(const Local& session,
                                                 Completion<std::vector<UserId>> done) {
  return start<std::vector<UserId>, wire::BlockedUsers>(
      session, wire::ListBlocked{},
      [](wire::BlockedUsers& all) -> Result<std::vector<UserId>> { return std::move(all.users); },
      std::move(done));
}

}  // namespace parley::engine
