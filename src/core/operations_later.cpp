// operations_later.cpp: requests about what happens later. See operations.hpp.
#include <string>
#include <utility>

#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

void Operations::operator()(wire::Schedule&& schedule) {
  wire::Send& message = schedule.message;
  if (!known(message.conversation) || !has_user()) return;
  if (message.number != 0 || message.random != 0 || message.settled != 0)
    return void(fail(Errc::invalid_argument, "message: expected neither number nor random"));
  if (message.forward)
    return void(fail(Errc::invalid_argument, "message.forward: a forward cannot be sent later"));
  if (message.stream != 0)
    return void(fail(Errc::invalid_argument, "message.stream: what grows is stored at its end"));
  const auto now = wall_time(shard.world.now().wall_ms);
  if (schedule.at <= now || schedule.at > now + limits::schedule_ahead)
    return void(fail(Errc::invalid_argument, "at: expected a time within the next 366 days"));
  if (message.content_type == "text/plain") message.content_type.clear();
  const ConversationId id = message.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), schedule = std::move(schedule)](
                        ShardState& there, Conversation& home) {
    home.may_send(who, schedule.message, [&there, ref, number, who, schedule](Result<void> may) {
      if (!may) return there.fail(ref, number, std::move(may).error());
      there.at_user(who.user, [ref, number, schedule](ShardState& here, UserHome& user) {
        user.schedule(schedule,
                      here.answering<wire::Scheduled>(
                          ref, number, [](wire::Scheduled list) -> wire::Answer { return list; }));
      });
    });
  });
}

void Operations::operator()(wire::Unschedule&& unschedule) {
  if (!has_user()) return;
  shard.at_user(session.user, [ref = ref, number = number, id = unschedule.id](ShardState& there,
                                                                               UserHome& home) {
    home.unschedule(id, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::ListScheduled&& list) {
  const UserId user = owner(list.user);
  if (!user) return;
  shard.at_user(user, [ref = ref, number = number](ShardState& there, UserHome& home) {
    home.scheduled(there.answering<wire::Scheduled>(
        ref, number, [](wire::Scheduled list) -> wire::Answer { return list; }));
  });
}

void Operations::operator()(wire::SetRetention&& set) {
  if (!known(set.conversation)) return;
  shard.at_home(set.conversation, [ref = ref, number = number, who = caller(),
                                   keep = set.retention](ShardState& there, Conversation& home) {
    home.set_retention(who, keep, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::GetRetention&& get) {
  if (!known(get.conversation)) return;
  const ConversationId id = get.conversation;
  shard.at_home(
      id, [ref = ref, number = number, who = caller(), id](ShardState& there, Conversation& home) {
        home.retention(who, there.answering<Retention>(ref, number, [id](Retention keep) {
          return wire::Answer(wire::Kept{id, keep});
        }));
      });
}

void Operations::operator()(wire::End&& end) {
  if (!known(end.conversation)) return;
  shard.at_home(end.conversation, [ref = ref, number = number, who = caller()](ShardState& there,
                                                                               Conversation& home) {
    home.end(who, there.answering<void>(ref, number, done));
  });
}

}  // namespace parley::core
