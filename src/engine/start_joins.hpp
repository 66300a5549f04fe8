// engine/start_joins.hpp: operations about who may come in, of any session in the process.
#pragma once
#include <utility>
#include <vector>

#include "engine/start_call.hpp"

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

}  // namespace parley::engine
