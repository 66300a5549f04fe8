// session_later.cpp: what a session asks for that happens later. See session.cpp.
#include <utility>

#include "engine/start_call.hpp"
#include "parley/session.hpp"
#include "wire/scheduled.hpp"

namespace parley::inline v0 {
namespace {

using engine::Local;
using engine::start;

Pending<ScheduledMessage> start_schedule(const Local& session, wire::Schedule schedule,
                                         Completion<ScheduledMessage> done) {
  return start<ScheduledMessage, wire::Scheduled>(
      session, std::move(schedule),
      [](wire::Scheduled& answer) { return wire::one_scheduled(answer); }, std::move(done));
}

Pending<std::vector<ScheduledMessage>> read_scheduled(
    const Local& session, Completion<std::vector<ScheduledMessage>> done) {
  return start<std::vector<ScheduledMessage>, wire::Scheduled>(
      session, wire::ListScheduled{},
      [](wire::Scheduled& answer) -> Result<std::vector<ScheduledMessage>> {
        return wire::to_scheduled(answer);
      },
      std::move(done));
}

}  // namespace

Pending<ScheduledMessage> Session::schedule(const ConversationId& conversation,
                                            MessageDraft message, ScheduleOptions options) {
  return start_schedule(session_, wire::to_schedule(conversation, std::move(message), options), {});
}
void Session::schedule(const ConversationId& conversation, MessageDraft message,
                       ScheduleOptions options, Completion<ScheduledMessage> done) {
  start_schedule(session_, wire::to_schedule(conversation, std::move(message), options),
                 std::move(done));
}
Pending<void> Session::unschedule(Snowflake id) {
  return engine::start_simple(session_, wire::Unschedule{id}, {});
}
void Session::unschedule(Snowflake id, Completion<void> done) {
  engine::start_simple(session_, wire::Unschedule{id}, std::move(done));
}
Pending<std::vector<ScheduledMessage>> Session::scheduled() { return read_scheduled(session_, {}); }
void Session::scheduled(Completion<std::vector<ScheduledMessage>> done) {
  read_scheduled(session_, std::move(done));
}

Pending<void> Session::set_retention(const ConversationId& conversation, Retention retention) {
  return engine::start_simple(session_, wire::SetRetention{conversation, retention}, {});
}
void Session::set_retention(const ConversationId& conversation, Retention retention,
                            Completion<void> done) {
  engine::start_simple(session_, wire::SetRetention{conversation, retention}, std::move(done));
}
Pending<Retention> Session::retention(const ConversationId& conversation) {
  return engine::start_retention(session_, conversation, {});
}
void Session::retention(const ConversationId& conversation, Completion<Retention> done) {
  engine::start_retention(session_, conversation, std::move(done));
}
Pending<void> Session::delete_conversation(const ConversationId& conversation) {
  return engine::start_simple(session_, wire::End{conversation}, {});
}
void Session::delete_conversation(const ConversationId& conversation, Completion<void> done) {
  engine::start_simple(session_, wire::End{conversation}, std::move(done));
}

}  // namespace parley::inline v0
