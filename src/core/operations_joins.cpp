// operations_joins.cpp: requests about who may come in, and who is not heard.
#include <utility>

#include "core/invite_token.hpp"
#include "core/operations.hpp"
#include "core/permissions.hpp"
#include "core/shard_state.hpp"

namespace parley::core {

void Operations::operator()(wire::CreateInvite&& create) {
  if (!known(create.conversation)) return;
  const ConversationId id = create.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), create](ShardState& there,
                                                                         Conversation& home) {
    home.create_invite(who, create.options,
                       there.answering<Invite>(ref, number, [create](Invite made) -> wire::Answer {
                         return wire::Invites{create.conversation, {std::move(made)}};
                       }));
  });
}

void Operations::operator()(wire::ListInvites&& list) {
  if (!known(list.conversation)) return;
  const ConversationId id = list.conversation;
  shard.at_home(
      id, [ref = ref, number = number, who = caller(), id](ShardState& there, Conversation& home) {
        home.invites(who, there.answering<std::vector<Invite>>(
                              ref, number, [id](std::vector<Invite> links) -> wire::Answer {
                                return wire::Invites{id, std::move(links)};
                              }));
      });
}

void Operations::operator()(wire::RevokeInvite&& revoke) {
  const auto link = parse_invite(revoke.token);
  if (!link) return shard.fail(ref, number, denied());
  shard.at_home(link->conversation, [ref = ref, number = number, who = caller(),
                                     secret = link->secret](ShardState& there, Conversation& home) {
    home.revoke_invite(who, secret, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::JoinInvite&& join) {
  if (!has_user()) return;
  const auto link = parse_invite(join.token);
  if (!link) return shard.fail(ref, number, denied());
  const ConversationId id = link->conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), id, secret = link->secret](
                        ShardState& there, Conversation& home) {
    home.join(who, secret, opening(there, ref, number, who.user, id));
  });
}

void Operations::operator()(wire::RequestJoin&& ask) {
  if (!known(ask.conversation) || !has_user()) return;
  shard.at_home(ask.conversation,
                [ref = ref, number = number, who = caller(), note = std::move(ask.note)](
                    ShardState& there, Conversation& home) mutable {
                  home.request_join(who, std::move(note), there.answering<void>(ref, number, done));
                });
}

void Operations::operator()(wire::JoinRequests&& asked) {
  if (!known(asked.conversation)) return;
  shard.at_home(asked.conversation, [ref = ref, number = number, who = caller(), asked](
                                        ShardState& there, Conversation& home) {
    home.join_requests(
        who, asked,
        there.answering<wire::JoinRequestsPage>(
            ref, number, [](wire::JoinRequestsPage page) -> wire::Answer { return page; }));
  });
}

void Operations::operator()(wire::AnswerRequest&& answer) {
  if (!known(answer.conversation)) return;
  shard.at_home(answer.conversation, [ref = ref, number = number, who = caller(), answer](
                                         ShardState& there, Conversation& home) {
    home.answer_request(who, answer.user, answer.approve, there.answering<void>(ref, number, done));
  });
}

// ---- Blocks ----

void Operations::operator()(wire::BlockUser&& block) {
  if (!has_user()) return;
  if (!block.user || block.user == session.user)
    return void(fail(Errc::invalid_argument, "user: expected another user"));
  shard.at_user(session.user,
                [ref = ref, number = number, block](ShardState& there, UserHome& home) {
                  home.block(block.user, block.on, there.answering<void>(ref, number, done));
                });
}

void Operations::operator()(wire::ListBlocked&&) {
  if (!has_user()) return;
  shard.at_user(session.user, [ref = ref, number = number](ShardState& there, UserHome& home) {
    home.blocked(there.answering<std::vector<UserId>>(
        ref, number, [](std::vector<UserId> users) -> wire::Answer {
          return wire::BlockedUsers{std::move(users)};
        }));
  });
}

}  // namespace parley::core
