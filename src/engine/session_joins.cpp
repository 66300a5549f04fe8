// session_joins.cpp: what a session and the system ask for about who may come in. See session.cpp.
#include <utility>

#include "engine/start_joins.hpp"
#include "parley/session.hpp"

namespace parley::inline v0 {

Pending<Conversation> Session::join_invite(std::string token) {
  return engine::start_opening(session_, wire::JoinInvite{std::move(token)}, {});
}
void Session::join_invite(std::string token, Completion<Conversation> done) {
  engine::start_opening(session_, wire::JoinInvite{std::move(token)}, std::move(done));
}
Pending<Invite> Session::create_invite(const ConversationId& conversation, InviteOptions options) {
  return engine::start_invite(session_, conversation, options, {});
}
void Session::create_invite(const ConversationId& conversation, InviteOptions options,
                            Completion<Invite> done) {
  engine::start_invite(session_, conversation, options, std::move(done));
}
Pending<std::vector<Invite>> Session::invites(const ConversationId& conversation) {
  return engine::read_invites(session_, conversation, {});
}
void Session::invites(const ConversationId& conversation, Completion<std::vector<Invite>> done) {
  engine::read_invites(session_, conversation, std::move(done));
}
Pending<void> Session::revoke_invite(std::string token) {
  return engine::start_simple(session_, wire::RevokeInvite{std::move(token)}, {});
}
void Session::revoke_invite(std::string token, Completion<void> done) {
  engine::start_simple(session_, wire::RevokeInvite{std::move(token)}, std::move(done));
}
Pending<void> Session::request_join(const ConversationId& conversation, std::string note) {
  return engine::start_simple(session_, wire::RequestJoin{conversation, std::move(note)}, {});
}
void Session::request_join(const ConversationId& conversation, std::string note,
                           Completion<void> done) {
  engine::start_simple(session_, wire::RequestJoin{conversation, std::move(note)}, std::move(done));
}
Pending<JoinRequestsPage> Session::join_requests(const ConversationId& conversation,
                                                 JoinRequestsOptions options) {
  return engine::read_requests(session_, conversation, options, {});
}
void Session::join_requests(const ConversationId& conversation, JoinRequestsOptions options,
                            Completion<JoinRequestsPage> done) {
  engine::read_requests(session_, conversation, options, std::move(done));
}
Pending<void> Session::answer_request(const ConversationId& conversation, UserId user,
                                      bool approve) {
  return engine::start_simple(session_, wire::AnswerRequest{conversation, user, approve}, {});
}
void Session::answer_request(const ConversationId& conversation, UserId user, bool approve,
                             Completion<void> done) {
  engine::start_simple(session_, wire::AnswerRequest{conversation, user, approve}, std::move(done));
}
Pending<void> Session::block(UserId user) {
  return engine::start_simple(session_, wire::BlockUser{user, true}, {});
}
void Session::block(UserId user, Completion<void> done) {
  engine::start_simple(session_, wire::BlockUser{user, true}, std::move(done));
}
Pending<void> Session::unblock(UserId user) {
  return engine::start_simple(session_, wire::BlockUser{user, false}, {});
}
void Session::unblock(UserId user, Completion<void> done) {
  engine::start_simple(session_, wire::BlockUser{user, false}, std::move(done));
}
Pending<std::vector<UserId>> Session::blocked() { return engine::read_blocked(session_, {}); }
void Session::blocked(Completion<std::vector<UserId>> done) {
  engine::read_blocked(session_, std::move(done));
}

}  // namespace parley::inline v0
