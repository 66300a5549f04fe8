// wire/scheduled.hpp: scheduled messages between the wire's structs and the public ones.
#pragma once
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "parley/session.hpp"
#include "wire/draft.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

inline Schedule to_schedule(const ConversationId& conversation, MessageDraft message,
                            const ScheduleOptions& options) {
  Schedule schedule{.id = options.replaces, .at = options.at};
  schedule.message = send_of(conversation, std::move(message));
  return schedule;
}

inline ScheduledMessage to_scheduled(const Scheduled::Item& item) {
  ScheduledMessage message;
  message.id = item.id;
  message.conversation = item.message.conversation;
  message.at = item.at;
  message.message.content_type = item.message.content_type;
  message.message.body = std::string(item.message.body.bytes());
  message.message.reply_to = item.message.reply_to;
  message.message.audience = item.message.audience;
  message.message.poll = item.message.poll;
  message.message.expires_after = std::chrono::milliseconds(item.message.expires_after_ms);
  if (item.failed != 0)
    message.failed = {std::error_code(static_cast<int>(item.failed), error_category()), item.why};
  return message;
}

inline std::vector<ScheduledMessage> to_scheduled(const Scheduled& list) {
  std::vector<ScheduledMessage> messages;
  messages.reserve(list.items.size());
  for (const Scheduled::Item& item : list.items) messages.push_back(to_scheduled(item));
  return messages;
}

/// The one message of an answer to Schedule.
inline Result<ScheduledMessage> one_scheduled(const Scheduled& list) {
  if (list.items.size() == 1) return to_scheduled(list.items.front());
  return Error{Errc::internal, "schedule: another number of messages than one"};
}

}  // namespace parley::wire
