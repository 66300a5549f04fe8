// hooks.cpp: what the host says of a message before it is stored, at once or later.
#include <algorithm>
#include <utility>

#include "base/thrown.hpp"
#include "core/conversation_state.hpp"
#include "core/extras.hpp"

namespace parley::core {
namespace {

Error not_looked_at() { return {Errc::internal, "the message could not be looked at"}; }

/// The parts of a send or an edit that the host may change.
struct Content {
  std::string& content_type;
  Payload& body;
  Look& look;
  wire::Send* send = nullptr;  // a new message
  Seq edits = 0;
};
Content content_of(Op& op) {
  if (auto* edit = std::get_if<EditOp>(&op.what))
    return {edit->content_type, edit->body, edit->look, nullptr, edit->seq};
  auto& send = std::get<SendOp>(op.what);
  return {send.send.content_type, send.send.body, send.look, &send.send, 0};
}

}  // namespace

bool Conversation::State::host_agrees(Op& op, Role role, Decision& decision) {
  decision = Decision::decided;
  if (content_of(op).look.agreed) return true;
  if (limits.before_message && !std::exchange(content_of(op).look.seen, true)) {
    IncomingMessage message = show(op, role);
    try {
      auto verdict = limits.before_message(message);
      op.error = verdict ? take(op, std::move(message)) : std::move(verdict).error();
    } catch (...) {
      effects.log(Effects::Severity::error,
                  "EngineOptions::before_message threw: " + base::what_was_thrown());
      op.error = not_looked_at();
    }
    if (op.error) return false;
  }
  if (limits.looks_at_messages) {
    decision = Decision::moved;
    ask_host_later(op, show(op, role));
    return false;
  }
  content_of(op).look.agreed = true;
  return true;
}

IncomingMessage Conversation::State::show(Op& op, Role role) const {
  const Content content = content_of(op);
  IncomingMessage message{.conversation = id,
                          .kind = info.kind,
                          .sender = op.caller.user,
                          .role = role,
                          .edits = content.edits,
                          .content_type = content.content_type,
                          .body = std::string(content.body.bytes())};
  if (content.send == nullptr) return message;
  message.audience = content.send->audience;
  message.headers = content.send->extras.headers;
  message.attachments = content.send->extras.attachments;
  if (content.send->poll) message.poll_options = content.send->poll->options;
  return message;
}

/// Puts what the host made of it in its place.
Error Conversation::State::take(Op& op, IncomingMessage message) {
  const Content content = content_of(op);
  if (message.content_type == "text/plain") message.content_type.clear();
  Error wrong;
  if (message.audience > audience::last_group)
    wrong = {Errc::invalid_argument, "audience: expected 0 to 15"};
  const bool same =
      message.content_type == content.content_type && message.body == content.body.bytes();
  if (!wrong && !same) wrong = check_content(message.content_type, message.body);
  if (!wrong && content.send != nullptr) {
    content.send->audience = message.audience;
    content.send->extras.headers = std::move(message.headers);
    content.send->extras.attachments = std::move(message.attachments);
    wrong = check_texts(*content.send);
  }
  if (wrong) {
    effects.log(Effects::Severity::error, "a message hook left a bad message: " + wrong.message);
    return not_looked_at();
  }
  if (same) return {};
  content.content_type = std::move(message.content_type);
  content.body = message.body.empty() ? Payload() : Payload::copy_of(message.body);
  return {};
}

Error Conversation::State::host_admits(UserId user) const {
  if (!limits.on_join) return {};
  try {
    auto verdict = limits.on_join({id, user});
    return verdict ? Error{} : std::move(verdict).error();
  } catch (...) {
    effects.log(Effects::Severity::error,
                "EngineOptions::on_join threw: " + base::what_was_thrown());
    return {Errc::internal, "nobody could be asked"};
  }
}

// ---- Later ----

void Conversation::State::ask_host_later(Op& op, IncomingMessage message) {
  const std::uint64_t number = ++asked_last;
  const auto answered = [this, number,
                         here = std::weak_ptr<const void>(alive)](Result<IncomingMessage> verdict) {
    if (!here.expired()) host_answered(number, std::move(verdict));
  };
  const auto timer = effects.start_timer(parley::limits::hook_patience, [answered] {
    answered(Error{Errc::timed_out, "the host did not look at the message in time; try again"});
  });
  asked.push_back({number, std::make_unique<Op>(std::move(op)), timer});
  effects.look_at(std::move(message), answered);
}

void Conversation::State::host_answered(std::uint64_t number, Result<IncomingMessage> verdict) {
  const auto found = std::find_if(asked.begin(), asked.end(),
                                  [number](const Asked& each) { return each.number == number; });
  if (found == asked.end()) return;  // too late
  effects.cancel_timer(found->timer);
  OpPtr op = std::move(found->op);
  asked.erase(found);
  op->error = verdict ? take(*op, std::move(*verdict)) : std::move(verdict).error();
  if (op->error) {
    answer(*op);
  } else {
    content_of(*op).look.agreed = true;
    waiting.push_front(std::move(op));  // before what the same device sent later
  }
  pump();
}

bool Conversation::State::waits_for_host(const Op& op) const noexcept {
  const bool content =
      std::holds_alternative<SendOp>(op.what) || std::holds_alternative<EditOp>(op.what);
  return content && std::any_of(asked.begin(), asked.end(), [&op](const Asked& each) {
           return each.op->caller.user == op.caller.user &&
                  each.op->caller.device == op.caller.device;
         });
}

}  // namespace parley::core
