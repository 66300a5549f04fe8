// operations_members.cpp: requests about who is in a conversation and what it is like.
#include <utility>

#include "base/utf8.hpp"
#include "core/operations.hpp"
#include "core/permissions.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

void Operations::operator()(wire::Join&& join) {
  if (!known(join.conversation) || !has_user()) return;
  const ConversationId id = join.conversation;
  shard.at_home(
      id, [ref = ref, number = number, who = caller(), id](ShardState& there, Conversation& home) {
        home.join(who, opening(there, ref, number, who.user, id));
      });
}

void Operations::operator()(wire::Leave&& leave) {
  if (!known(leave.conversation) || !has_user()) return;
  shard.at_home(leave.conversation, [ref = ref, number = number, who = caller()](
                                        ShardState& there, Conversation& home) {
    home.leave(who, there.answering<void>(ref, number, done));
  });
}

namespace {
/// Who blocks the caller is not added; the caller is not told.
void add_users(ShardState& shard, SessionRef ref, std::uint32_t number, Caller who,
               const ConversationId& id, std::vector<UserId> users) {
  shard.without_blockers(who.user, std::move(users), [=, &shard](Result<std::vector<UserId>> rest) {
    if (!rest) return shard.fail(ref, number, std::move(rest).error());
    if (rest->empty()) return shard.answer(ref, number, wire::Done{});
    shard.at_home(id, [=, rest = std::move(*rest)](ShardState& there, Conversation& home) mutable {
      home.add(who, std::move(rest), there.answering<void>(ref, number, done));
    });
  });
}
}  // namespace

void Operations::operator()(wire::Add&& add) {
  if (!known(add.conversation)) return;
  if (add.members.empty()) {
    return void(fail(Errc::invalid_argument, "members: expected at least one name"));
  }
  if (add.members.size() > limits::add_at_once) {
    return void(fail(Errc::limit_reached, "members: more than 100 at once"));
  }
  // Who may not add must not make users of names either.
  shard.at_home(add.conversation, [ref = ref, number = number, who = caller(),
                                   add = std::move(add)](ShardState& there, Conversation& home) {
    home.allows(who, Action::add, [&there, ref, number, who, add](Result<void> allowed) {
      if (!allowed) return there.fail(ref, number, std::move(allowed).error());
      there.names.resolve(
          add.members, true,
          [&there, ref, number, who, id = add.conversation](Result<std::vector<UserId>> users) {
            if (!users) return there.fail(ref, number, std::move(users).error());
            make_unique(*users);
            add_users(there, ref, number, who, id, std::move(*users));
          });
    });
  });
}

void Operations::operator()(wire::Remove&& remove) {
  if (!known(remove.conversation)) return;
  if (!remove.user) return void(fail(Errc::invalid_argument, "user: expected an id, got none"));
  shard.at_home(remove.conversation, [ref = ref, number = number, who = caller(),
                                      user = remove.user](ShardState& there, Conversation& home) {
    home.remove(who, user, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::SetRole&& set) {
  if (!known(set.conversation)) return;
  if (!set.user || !known_role(set.role)) {
    return void(fail(Errc::invalid_argument, "role: expected read_only to owner, and a user"));
  }
  shard.at_home(set.conversation, [ref = ref, number = number, who = caller(), user = set.user,
                                   role = set.role](ShardState& there, Conversation& home) {
    home.set_role(who, user, role, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Transfer&& transfer) {
  if (!known(transfer.conversation) || !has_user()) return;
  shard.at_home(transfer.conversation,
                [ref = ref, number = number, who = caller(), user = transfer.user](
                    ShardState& there, Conversation& home) {
                  home.transfer(who, user, there.answering<void>(ref, number, done));
                });
}

void Operations::operator()(wire::SetVisibility&& set) {
  if (!known(set.conversation)) return;
  shard.at_home(set.conversation, [ref = ref, number = number, who = caller(), set](
                                      ShardState& there, Conversation& home) {
    home.set_visibility(who, set, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::SetTitle&& set) {
  wire::SetSettings settings{set.conversation, {}};
  settings.settings.title = std::move(set.title);
  (*this)(std::move(settings));
}

void Operations::operator()(wire::SetSettings&& set) {
  if (!known(set.conversation)) return;
  shard.at_home(set.conversation, [ref = ref, number = number, who = caller(),
                                   settings = std::move(set.settings)](ShardState& there,
                                                                       Conversation& home) mutable {
    home.set_settings(who, std::move(settings), there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::GetInfo&& get) {
  if (!known(get.conversation)) return;
  shard.at_home(get.conversation, [ref = ref, number = number, who = caller()](ShardState& there,
                                                                               Conversation& home) {
    home.info(who, there.answering<ConversationInfo>(ref, number,
                                                     [](ConversationInfo info) -> wire::Answer {
                                                       return wire::Info{std::move(info)};
                                                     }));
  });
}

void Operations::operator()(wire::Restrict&& asked) {
  if (!known(asked.conversation)) return;
  const ConversationId id = asked.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), asked = std::move(asked)](
                        ShardState& there, Conversation& home) mutable {
    home.restrict(who, std::move(asked), there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Restrictions&& asked) {
  if (!known(asked.conversation)) return;
  shard.at_home(asked.conversation, [ref = ref, number = number, who = caller(), asked](
                                        ShardState& there, Conversation& home) {
    home.restrictions(
        who, asked,
        there.answering<wire::RestrictionsPage>(
            ref, number, [](wire::RestrictionsPage page) -> wire::Answer { return page; }));
  });
}

void Operations::operator()(wire::Members&& members) {
  if (!known(members.conversation)) return;
  if (members.limit == 0 || members.limit > limits::page_members) {
    return void(fail(Errc::invalid_argument, "limit: expected 1 to 500"));
  }
  if (members.prefix.size() > limits::member_prefix) {
    return void(fail(Errc::too_large, "prefix: longer than 64 bytes"));
  }
  if (!base::valid_utf8(members.prefix)) {
    return void(fail(Errc::invalid_argument, "prefix: expected UTF-8"));
  }
  const ConversationId id = members.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), members = std::move(members)](
                        ShardState& there, Conversation& home) mutable {
    home.members(who, std::move(members),
                 there.answering<wire::MembersPage>(
                     ref, number, [](wire::MembersPage page) -> wire::Answer { return page; }));
  });
}

}  // namespace parley::core
