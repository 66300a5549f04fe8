// client_sending.cpp: messages from the outbox to their answers.
#include <algorithm>
#include <utility>

#include "client/client_core.hpp"
#include "wire/draft.hpp"

namespace parley::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds retry_first{250};
constexpr milliseconds retry_most{30'000};

// Answered like this, a message is still open: the same key may be sent again.
bool stays_open(const Error& why) {
  return why.retryable() || why.errc() == Errc::engine_closed || why.errc() == Errc::session_closed;
}

}  // namespace

std::uint64_t ClientCore::send(Time now, const ConversationId& conversation, MessageDraft draft) {
  now_ = now;
  const std::uint64_t id = next_id_++;
  const auto answered = [&](Error why) {
    complete(id, std::move(why));
    return id;
  };
  const auto no = [&](Errc code, const char* text) { return answered({code, text}); };
  if (status_.state == ClientState::failed) return answered(failed_error());
  if (draft.body.size() > max_body_)
    return no(Errc::too_large, "body: longer than the server takes");
  if (draft.content_type.size() > limits::content_type) {
    return no(Errc::too_large, "content_type: expected 128 bytes at most");
  }
  const auto found = outboxes_.find(conversation);
  if (found != outboxes_.end() && found->second.items().size() >= options_.max_outbox) {
    return no(Errc::busy, "the outbox of this conversation is full; try again");
  }
  Outbox& outbox = outboxes_[conversation];
  OutboxItem item{conversation, outbox.next_number(), draw(), std::move(draft)};
  ClientBatch batch;
  batch.numbered.push_back({conversation, item.number + 1});
  batch.added.push_back(item);
  if (!store(batch)) return answered(failed_error());
  outbox.add(std::move(item), id);
  sending_.insert(conversation);
  pump();
  return id;
}

void ClientCore::pump_sends() {
  const std::vector<ConversationId> sending(sending_.begin(), sending_.end());
  for (const ConversationId& conversation : sending) {
    Outbox& outbox = outboxes_[conversation];
    while (open_.size() < open_most && status_.state == ClientState::ready) {
      Outbox::Item* item = outbox.next_to_send(now_);
      if (item == nullptr) break;
      if (item->message.draft.body.size() > max_body_) {
        settle(conversation, item->message.number,
               Error{Errc::too_large, "body: longer than this server takes"});
        continue;
      }
      send_item(conversation, outbox, *item);
    }
  }
}

void ClientCore::send_item(const ConversationId& conversation, Outbox& outbox, Outbox::Item& item) {
  item.sent = true;
  wire::Send send = wire::send_of(conversation, item.message.draft);
  send.number = item.message.number;
  send.random = item.message.random;
  send.settled = outbox.settled();
  transmit({.purpose = Purpose::send, .conversation = conversation, .number = send.number},
           std::move(send));
}

void ClientCore::send_answered(const Open& open, wire::Answer answer) {
  Outbox::Item* item = outboxes_[open.conversation].find(open.number);
  if (item == nullptr) return;
  if (const auto* acked = std::get_if<wire::Acked>(&answer)) {
    return settle(open.conversation, open.number, acked->ack);
  }
  Error why(Errc::protocol_error, "send: expected an ack or an error");
  if (auto* failed = std::get_if<wire::Failed>(&answer)) why = std::move(failed->error);
  if (why.errc() == Errc::number_taken || why.errc() == Errc::too_old) {
    renumber(open.conversation, open.number, std::move(why));
  } else if (stays_open(why)) {
    postpone(*item, why);
  } else {
    settle(open.conversation, open.number, std::move(why));
  }
}

void ClientCore::settle(const ConversationId& conversation, std::uint64_t number,
                        Result<Ack> result) {
  ClientBatch batch;
  batch.settled.push_back({conversation, number});
  if (!store(batch)) return;
  Outbox& outbox = outboxes_[conversation];
  const auto item = outbox.settle(number);
  if (outbox.items().empty()) sending_.erase(conversation);
  outputs_.notices.emplace_back(
      Settled{item->id, {conversation, number, item->message.random, std::move(result)}});
}

void ClientCore::renumber(const ConversationId& conversation, std::uint64_t number, Error why) {
  Outbox& outbox = outboxes_[conversation];
  Outbox::Item& item = outbox.renumber(number, why.next);
  ClientBatch batch;
  batch.numbered.push_back({conversation, outbox.next_number()});
  batch.settled.push_back({conversation, number});
  batch.added.push_back(item.message);
  if (!store(batch)) return;
  outputs_.notices.emplace_back(
      MessageRenumbered{conversation, number, item.message.number, std::move(why)});
}

void ClientCore::postpone(Outbox::Item& item, const Error& why) {
  item.sent = false;
  const milliseconds own = std::min(retry_first * (1 << std::min(item.attempts++, 10)), retry_most);
  item.not_before = now_ + std::max(own, why.retry_after);
}

std::vector<OutboxItem> ClientCore::outbox() const {
  std::vector<OutboxItem> out;
  for (const ConversationId& id : sending_) {
    for (const Outbox::Item& item : outboxes_.at(id).items()) out.push_back(item.message);
  }
  return out;
}

}  // namespace parley::client
