// client_later.cpp: what a client asks for that happens later. See client.cpp.
#include <utility>

#include "client/client_calls.hpp"
#include "wire/scheduled.hpp"

namespace parley::inline v0 {

using client::as_done;
using client::ask;
using client::pending;

void Client::schedule(const ConversationId& conversation, MessageDraft message,
                      ScheduleOptions options, Completion<ScheduledMessage> done) {
  ask(*impl_, wire::to_schedule(conversation, std::move(message), options),
      client::as<wire::Scheduled>(std::move(done), [](const wire::Scheduled& answer) {
        return wire::one_scheduled(answer);
      }));
}
Pending<ScheduledMessage> Client::schedule(const ConversationId& conversation, MessageDraft message,
                                           ScheduleOptions options) {
  return pending<ScheduledMessage>(*impl_, [&](Completion<ScheduledMessage> done) {
    schedule(conversation, std::move(message), options, std::move(done));
  });
}
void Client::unschedule(Snowflake id, Completion<void> done) {
  ask(*impl_, wire::Unschedule{id}, as_done(std::move(done)));
}
Pending<void> Client::unschedule(Snowflake id) {
  return pending<void>(*impl_, [&](Completion<void> done) { unschedule(id, std::move(done)); });
}
void Client::scheduled(Completion<std::vector<ScheduledMessage>> done) {
  ask(*impl_, wire::ListScheduled{},
      client::as<wire::Scheduled>(std::move(done), [](const wire::Scheduled& answer) {
        return wire::to_scheduled(answer);
      }));
}
Pending<std::vector<ScheduledMessage>> Client::scheduled() {
  return pending<std::vector<ScheduledMessage>>(
      *impl_, [&](Completion<std::vector<ScheduledMessage>> done) { scheduled(std::move(done)); });
}

void Client::set_retention(const ConversationId& conversation, Retention retention,
                           Completion<void> done) {
  ask(*impl_, wire::SetRetention{conversation, retention}, as_done(std::move(done)));
}
Pending<void> Client::set_retention(const ConversationId& conversation, Retention retention) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    set_retention(conversation, retention, std::move(done));
  });
}
void Client::retention(const ConversationId& conversation, Completion<Retention> done) {
  ask(*impl_, wire::GetRetention{conversation},
      client::as<wire::Kept>(std::move(done),
                             [](const wire::Kept& kept) { return kept.retention; }));
}
Pending<Retention> Client::retention(const ConversationId& conversation) {
  return pending<Retention>(
      *impl_, [&](Completion<Retention> done) { retention(conversation, std::move(done)); });
}
void Client::delete_conversation(const ConversationId& conversation, Completion<void> done) {
  ask(*impl_, wire::End{conversation}, as_done(std::move(done)));
}
Pending<void> Client::delete_conversation(const ConversationId& conversation) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { delete_conversation(conversation, std::move(done)); });
}

}  // namespace parley::inline v0
