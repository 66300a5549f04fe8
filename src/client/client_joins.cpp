// client_joins.cpp: what a client asks for about who may come in. See client.cpp.
#include <utility>

#include "client/client_calls.hpp"

namespace parley::inline v0 {

using client::as;
using client::as_done;
using client::ask;
using client::pending;

void Client::join_invite(std::string token, Completion<ListEntry> done) {
  ask(*impl_, wire::JoinInvite{std::move(token)},
      as<wire::Opened>(std::move(done),
                       [](wire::Opened&& opened) { return std::move(opened.entry); }));
}
Pending<ListEntry> Client::join_invite(std::string token) {
  return pending<ListEntry>(
      *impl_, [&](Completion<ListEntry> done) { join_invite(std::move(token), std::move(done)); });
}
void Client::create_invite(const ConversationId& conversation, InviteOptions options,
                           Completion<Invite> done) {
  ask(*impl_, wire::CreateInvite{conversation, options},
      as<wire::Invites>(std::move(done), [](wire::Invites&& made) -> Result<Invite> {
        if (made.invites.empty()) return client::unexpected();
        return std::move(made.invites.front());
      }));
}
Pending<Invite> Client::create_invite(const ConversationId& conversation, InviteOptions options) {
  return pending<Invite>(*impl_, [&](Completion<Invite> done) {
    create_invite(conversation, options, std::move(done));
  });
}
void Client::invites(const ConversationId& conversation, Completion<std::vector<Invite>> done) {
  ask(*impl_, wire::ListInvites{conversation},
      as<wire::Invites>(std::move(done),
                        [](wire::Invites&& links) { return std::move(links.invites); }));
}
Pending<std::vector<Invite>> Client::invites(const ConversationId& conversation) {
  return pending<std::vector<Invite>>(*impl_, [&](Completion<std::vector<Invite>> done) {
    invites(conversation, std::move(done));
  });
}
void Client::revoke_invite(std::string token, Completion<void> done) {
  ask(*impl_, wire::RevokeInvite{std::move(token)}, as_done(std::move(done)));
}
Pending<void> Client::revoke_invite(std::string token) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { revoke_invite(std::move(token), std::move(done)); });
}
void Client::request_join(const ConversationId& conversation, std::string note,
                          Completion<void> done) {
  ask(*impl_, wire::RequestJoin{conversation, std::move(note)}, as_done(std::move(done)));
}
Pending<void> Client::request_join(const ConversationId& conversation, std::string note) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    request_join(conversation, std::move(note), std::move(done));
  });
}
void Client::join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                           Completion<JoinRequestsPage> done) {
  ask(*impl_, wire::JoinRequests{conversation, options.after, options.limit},
      as<wire::JoinRequestsPage>(std::move(done), [](wire::JoinRequestsPage&& page) {
        return JoinRequestsPage{std::move(page.requests), page.more};
      }));
}
Pending<JoinRequestsPage> Client::join_requests(const ConversationId& conversation,
                                                JoinRequestsOptions options) {
  return pending<JoinRequestsPage>(*impl_, [&](Completion<JoinRequestsPage> done) {
    join_requests(conversation, options, std::move(done));
  });
}
void Client::answer_request(const ConversationId& conversation, UserId user, bool approve,
                            Completion<void> done) {
  ask(*impl_, wire::AnswerRequest{conversation, user, approve}, as_done(std::move(done)));
}
Pending<void> Client::answer_request(const ConversationId& conversation, UserId user,
                                     bool approve) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    answer_request(conversation, user, approve, std::move(done));
  });
}
void Client::block(UserId user, Completion<void> done) {
  ask(*impl_, wire::BlockUser{user, true}, as_done(std::move(done)));
}
Pending<void> Client::block(UserId user) {
  return pending<void>(*impl_, [&](Completion<void> done) { block(user, std::move(done)); });
}
void Client::unblock(UserId user, Completion<void> done) {
  ask(*impl_, wire::BlockUser{user, false}, as_done(std::move(done)));
}
Pending<void> Client::unblock(UserId user) {
  return pending<void>(*impl_, [&](Completion<void> done) { unblock(user, std::move(done)); });
}
void Client::blocked(Completion<std::vector<UserId>> done) {
  ask(*impl_, wire::ListBlocked{},
      as<wire::BlockedUsers>(std::move(done),
                             [](wire::BlockedUsers&& all) { return std::move(all.users); }));
}
Pending<std::vector<UserId>> Client::blocked() {
  return pending<std::vector<UserId>>(
      *impl_, [&](Completion<std::vector<UserId>> done) { blocked(std::move(done)); });
}

}  // namespace parley::inline v0
