// client_core.cpp: the life of the link (dial, hello, ping, back-off) and the requests on it.
#include "client/client_core.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/hex.hpp"
#include "base/thrown.hpp"

namespace parley::client {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t open_ahead_most = limits::in_flight - 1;

const Error& error_of(const wire::Answer& answer) {
  static const Error unexpected(Errc::protocol_error, "the answer is of an unexpected type");
  const auto* failed = std::get_if<wire::Failed>(&answer);
  return failed != nullptr ? failed->error : unexpected;
}

}  // namespace

ClientCore::ClientCore(CoreOptions options, ClientStorage& storage)
    : options_(std::move(options)), storage_(storage) {}

Result<void> ClientCore::load() {
  auto stored = storage_.load();
  if (!stored) return std::move(stored).error();
  if (!stored->device.empty() && !options_.device.empty() && stored->device != options_.device) {
    return Error{Errc::invalid_argument, "device: the storage belongs to another device"};
  }
  device_ = !stored->device.empty() ? stored->device : options_.device;
  if (device_.empty()) {
    const std::uint64_t words[2] = {draw(), draw()};
    device_ = base::to_hex({reinterpret_cast<const char*>(words), sizeof words});
  }
  if (stored->device.empty()) {
    ClientBatch batch;
    batch.device = device_;
    if (auto result = storage_.apply(batch); !result) return result;
  }
  knows_list_ = !stored->streams.empty();
  for (const auto& stream : stored->streams) {
    if (stream.cursor.epoch) streams_[stream.conversation].cursor = stream.cursor;
    if (stream.next_number > 1) outboxes_[stream.conversation].raise_next(stream.next_number);
  }
  for (auto& item : stored->outbox) {
    const ConversationId conversation = item.conversation;
    outboxes_[conversation].add(std::move(item), 0);
    sending_.insert(conversation);
  }
  return {};
}

// ---- Link inputs. ----

void ClientCore::start(Time now) {
  now_ = now;
  if (wanted_ || status_.state == ClientState::failed) return;
  wanted_ = true;
  attempts_ = 0;
  goodbye_.reset();
  if (link_open_ || dialling_) {  // the old link is closing: closed() goes on from there
    return set_state(ClientState::waiting);
  }
  dialling_ = true;
  outputs_.dial = true;
  set_state(ClientState::connecting);
}

void ClientCore::stop(Time now) {
  now_ = now;
  wanted_ = false;
  dial_at_.reset();
  close_link(CloseReason::normal);
  fail_waiting({Errc::disconnected, "the client was stopped"});
  if (!link_open_ && status_.state != ClientState::failed) set_state(ClientState::stopped);
}

void ClientCore::opened(Time now) {
  now_ = now;
  dialling_ = false;
  link_open_ = true;
  closing_ = false;
  goodbye_.reset();
  link_error_ = {};
  if (!wanted_) return close_link(CloseReason::normal);
  hello(now);
}

void ClientCore::hello(Time now) {
  heard_ = now;
  must_hear_ = now + welcome_within;
  wire::Hello hello;
  hello.token = options_.token;
  hello.ticket = std::exchange(ticket_, {});
  hello.device = device_;
  hello.sync_token = sync_token_;
  hello.state = presence_;
  hello.list_limit = options_.list_limit;
  transmit({.purpose = Purpose::hello}, std::move(hello));
}

void ClientCore::set_presence(Time now, PresenceState state) {
  now_ = now;
  presence_ = state;
  if (status_.state != ClientState::ready) return;  // the next hello says it
  enqueue({.purpose = Purpose::housekeeping}, wire::SetPresence{state}, false);
  pump();
}

void ClientCore::closed(Time now, const Error& why) {
  now_ = now;
  dialling_ = false;
  link_open_ = false;
  closing_ = false;
  must_hear_.reset();
  lose_link(why);
  if (status_.state == ClientState::failed || status_.state == ClientState::refused) return;
  if (!wanted_) return set_state(ClientState::stopped);
  if (goodbye_ && !goodbye_->reconnect) {
    const bool revoked = goodbye_->reason == to_string(Errc::device_revoked);
    std::string words = "the server said goodbye: " + goodbye_->reason;
    if (!why.message.empty()) words += ": " + why.message;  // that the link was closed with
    return refused({revoked ? Errc::device_revoked : Errc::session_closed, std::move(words)});
  }
  milliseconds at_least{0};
  if (goodbye_ && goodbye_->spread_ms > 0) at_least = milliseconds(draw() % goodbye_->spread_ms);
  dial_later(now, at_least);
  Error reason = std::exchange(link_error_, {});
  if (!reason) reason = why ? why : Error{Errc::disconnected, "the connection was closed"};
  set_state(ClientState::waiting, std::move(reason));
}

void ClientCore::dial_later(Time now, milliseconds at_least) {
  const int doublings = std::min(attempts_++, 16);
  const milliseconds most = std::min(backoff_first * (1 << doublings), backoff_most);
  const milliseconds jittered(draw() % static_cast<std::uint64_t>(most.count()));
  status_.retry_in = std::max(jittered, at_least);
  const Time not_before = std::exchange(not_before_, {}).value_or(now);
  dial_at_ = std::max(not_before, now + status_.retry_in);
}

// What was on its way: sends go out again under their keys, the rest is answered.
void ClientCore::lose_link(const Error& why) {
  for (const ConversationId& conversation : sending_) outboxes_[conversation].link_lost();
  const auto open = std::exchange(open_, {});
  for (const auto& [number, request] : open) {
    if (request.purpose == Purpose::housekeeping && (request.received | request.read) != 0) {
      mark(request.conversation, request.received, request.read);
    }
    if (request.id == 0 || request.purpose == Purpose::send) continue;
    Error error(Errc::disconnected, "the connection was lost before the answer");
    if (why) error.message += ": " + why.message;
    complete(request.id, std::move(error));
  }
  std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.open.id == 0; });
  follow_again_.clear();
  follow_again_at_.reset();
}

void ClientCore::fail_waiting(const Error& why) {
  const auto waiting = std::exchange(waiting_, {});
  for (const Waiting& each : waiting) complete(each.open.id, why);
}

void ClientCore::received(Time now, wire::Reply reply) {
  now_ = now;
  if (!link_open_ || closing_) return;
  heard_ = now;
  if (status_.state == ClientState::ready) must_hear_.reset();
  if (reply.request == 0) {
    push(std::move(reply.answer));
  } else if (const auto found = open_.find(reply.request); found != open_.end()) {
    const Open open = std::move(found->second);
    open_.erase(found);
    answer(open, std::move(reply.answer));
  }
  pump();
}

void ClientCore::refuse(Time now, std::uint32_t request, Error why) {
  now_ = now;
  const auto found = open_.find(request);
  if (found == open_.end()) return;
  const Open open = std::move(found->second);
  open_.erase(found);
  answer(open, wire::Failed{std::move(why)});
  pump();
}

void ClientCore::garbled(Time now, const Error& why) {
  now_ = now;
  if (!link_open_ || closing_) return;
  link_error_ = why;
  close_link(CloseReason::protocol_error);
}

void ClientCore::tick(Time now) {
  now_ = now;
  if (dial_at_ && *dial_at_ <= now) {
    dial_at_.reset();
    dialling_ = true;
    outputs_.dial = true;
    set_state(ClientState::connecting, status_.error);
  }
  if (must_hear_ && *must_hear_ <= now) {
    link_error_ = Error{Errc::timed_out, "the server was silent for too long"};
    close_link(CloseReason::going_away);
  }
  if (status_.state == ClientState::ready && !closing_) {
    if (!must_hear_ && now - heard_ >= silence_) {
      must_hear_ = now + pong_within;
      enqueue({.purpose = Purpose::housekeeping}, wire::Ping{}, true);
    }
    if (marks_at_ && *marks_at_ <= now) flush_marks();
    if (sync_at_ && *sync_at_ <= now) {
      sync_at_.reset();
      enqueue({.purpose = Purpose::housekeeping, .lists = true}, sync_request(), true);
    }
    if (behind_at_ && *behind_at_ <= now) catch_up();
    if (follow_again_at_ && *follow_again_at_ <= now) {
      follow_again_at_.reset();
      Wanted wanted;
      for (const auto& id : std::exchange(follow_again_, {})) {
        wanted.emplace_back(id, streams_[id].asked);
      }
      subscribe_to(wanted, 0);
    }
  }
  pump();
}

std::optional<Time> ClientCore::next_deadline() const {
  std::optional<Time> earliest = dial_at_;
  const auto consider = [&](const std::optional<Time>& at) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  };
  consider(must_hear_);
  if (status_.state == ClientState::ready && !closing_) {
    if (!must_hear_) consider(heard_ + silence_);
    consider(marks_at_);
    consider(sync_at_);
    consider(behind_at_);
    consider(follow_again_at_);
    for (const ConversationId& id : sending_) consider(outboxes_.at(id).deadline());
  }
  return earliest;
}

// ---- States. ----

void ClientCore::set_state(ClientState state, Error why) {
  if (state != ClientState::waiting) status_.retry_in = milliseconds(0);
  status_.state = state;
  status_.error = std::move(why);
  outputs_.notices.emplace_back(status_);
}

void ClientCore::welcome(wire::Welcome welcome) {
  if (welcome.version < wire::version_min || welcome.version > wire::version_max) {
    return refused({Errc::version_unsupported,
                    "the server speaks version " + std::to_string(welcome.version)});
  }
  must_hear_.reset();
  attempts_ = 0;
  ticket_ = std::move(welcome.ticket);
  if (welcome.max_body > 0) max_body_ = welcome.max_body;
  silence_ = std::max(milliseconds(welcome.heartbeat_ms) * 5 / 4, milliseconds(1'000));
  status_.user = welcome.user;
  device_id_ = welcome.device;
  set_state(ClientState::ready);
  take_list(std::move(welcome.list), true);
  if (status_.state != ClientState::ready) return;  // the storage failed
  follow_all();
  if (!marks_.empty()) marks_at_ = now_ + marks_delay;
}

void ClientCore::refused(const Error& why) {
  wanted_ = false;
  close_link(CloseReason::normal);
  set_state(ClientState::refused, why);
  fail_waiting(why);
}

void ClientCore::fail(Error why) {
  if (status_.state == ClientState::failed) return;
  wanted_ = false;
  dial_at_.reset();
  close_link(CloseReason::internal);
  set_state(ClientState::failed, why);
  fail_waiting(why);
}

Error ClientCore::failed_error() const {
  return {Errc::session_closed, "the client has failed: " + status_.error.message};
}

void ClientCore::close_link(CloseReason reason) {
  must_hear_.reset();
  if (!link_open_ || closing_) return;
  closing_ = true;
  outputs_.requests.clear();
  outputs_.close = reason;
}

void ClientCore::shut_down() {
  wanted_ = false;
  dial_at_.reset();
  close_link(CloseReason::normal);
  const Error closed(Errc::session_closed, "the client is closed");
  fail_waiting(closed);
  const auto open = std::exchange(open_, {});
  for (const auto& [number, request] : open) {
    if (request.purpose != Purpose::send) complete(request.id, closed);
  }
  for (const ConversationId& id : sending_) {
    for (const Outbox::Item& item : outboxes_[id].items()) complete(item.id, closed);
  }
  set_state(ClientState::stopped);
}

bool ClientCore::store(const ClientBatch& batch) {
  const auto apply = [&]() -> Result<void> {
    try {
      return storage_.apply(batch);
    } catch (...) {
      return Error{Errc::internal, "the storage threw: " + base::what_was_thrown()};
    }
  };
  auto result = apply();
  if (!result) fail(std::move(result).error());
  return result.ok();
}

Outputs ClientCore::take() { return std::exchange(outputs_, {}); }

// ---- Requests. ----

std::uint64_t ClientCore::request(Time now, wire::Operation operation) {
  now_ = now;
  const std::uint64_t id = next_id_++;
  if (status_.state == ClientState::failed) {
    complete(id, failed_error());
  } else if (waiting_.size() >= waiting_requests) {
    complete(id, Error{Errc::busy, "256 requests wait for the connection; try again"});
  } else {
    const bool opens = std::holds_alternative<wire::Create>(operation) ||
                       std::holds_alternative<wire::Direct>(operation) ||
                       std::holds_alternative<wire::Join>(operation) ||
                       std::holds_alternative<wire::JoinInvite>(operation);
    enqueue({.purpose = Purpose::application, .id = id, .opens = opens}, std::move(operation),
            false);
    pump();
  }
  return id;
}

void ClientCore::complete(std::uint64_t id, Result<wire::Answer> answer) {
  if (id != 0) outputs_.notices.emplace_back(Completed{id, std::move(answer)});
}

void ClientCore::enqueue(Open open, wire::Operation operation, bool ahead) {
  if (ahead && status_.state == ClientState::ready && !closing_ && open_.size() < open_ahead_most) {
    return transmit(std::move(open), std::move(operation));
  }
  Waiting waiting{std::move(open), std::move(operation)};
  if (ahead) {
    waiting_.push_front(std::move(waiting));
  } else {
    waiting_.push_back(std::move(waiting));
  }
}

void ClientCore::transmit(Open open, wire::Operation operation) {
  while (next_request_ == 0 || open_.contains(next_request_)) ++next_request_;
  const std::uint32_t number = next_request_++;
  open_.emplace(number, std::move(open));
  outputs_.requests.push_back({number, std::move(operation)});
}

void ClientCore::pump() {
  if (status_.state != ClientState::ready || closing_) return;
  while (!waiting_.empty() && open_.size() < open_most) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    transmit(std::move(next.open), std::move(next.operation));
  }
  pump_sends();
}

void ClientCore::answer(const Open& open, wire::Answer answer) {
  if (auto* goodbye = std::get_if<wire::Goodbye>(&answer)) return push(std::move(*goodbye));
  switch (open.purpose) {
    case Purpose::hello: {
      if (auto* welcomed = std::get_if<wire::Welcome>(&answer)) {
        return welcome(std::move(*welcomed));
      }
      const Error why = error_of(answer);
      if (!why.retryable() && why.errc() != Errc::engine_closed) return refused(why);
      link_error_ = why;
      not_before_ = now_ + why.retry_after;
      return close_link(CloseReason::normal);
    }
    case Purpose::send:
      return send_answered(open, std::move(answer));
    case Purpose::subscribe:
      if (auto* done = std::get_if<wire::Subscribed>(&answer)) {
        for (const ResumeAnswer& each : done->answers) resumed(each);
      } else {
        subscribe_failed(open, error_of(answer));
      }
      break;
    case Purpose::housekeeping:
      if (auto* list = std::get_if<wire::ListChanged>(&answer)) {
        take_list(std::move(*list), false);
      } else if (open.lists) {
        sync_later();
      } else if (std::holds_alternative<wire::Done>(answer)) {
        received_told(open.conversation, open.received);
      } else if (error_of(answer).retryable()) {
        mark(open.conversation, open.received, open.read);
      }
      return;
    case Purpose::application:
      if (auto* opened = std::get_if<wire::Opened>(&answer)) take_entry(opened->entry, open.opens);
      if (auto* page = std::get_if<wire::ListPage>(&answer)) take_page(page->entries);
      break;
  }
  if (const auto* failed = std::get_if<wire::Failed>(&answer)) {
    complete(open.id, failed->error);
  } else {
    complete(open.id, std::move(answer));
  }
}

void ClientCore::push(wire::Answer answer) {
  std::visit(
      [this](auto&& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, wire::Goodbye>) {
          goodbye_ = std::move(value);
        } else if constexpr (std::is_same_v<T, wire::Events>) {
          take_events(std::move(value));
        } else if constexpr (std::is_same_v<T, wire::HeadMoved>) {
          head_moved(value);
        } else if constexpr (std::is_same_v<T, wire::ListChanged>) {
          take_list(std::move(value), false);
        } else if constexpr (std::is_same_v<T, wire::ReceiptsMoved>) {
          receipts_moved(std::move(value));
        } else if constexpr (std::is_same_v<T, DeletedForMe>) {
          deleted_for_me(std::move(value));
        } else if constexpr (std::is_same_v<T, wire::Signalled> ||
                             std::is_same_v<T, wire::PresenceChanged> ||
                             std::is_same_v<T, Online> || std::is_same_v<T, wire::Scheduled> ||
                             std::is_same_v<T, Ballot> || std::is_same_v<T, wire::Streamed> ||
                             std::is_same_v<T, wire::ThreadState>) {
          outputs_.notices.emplace_back(std::move(value));
        }  // else an answer without a request: of no meaning to this version
      },
      std::move(answer));
}

}  // namespace parley::client
