// engine/start_call.hpp: starts an operation of host code on a session and says where its answer
// goes.
#pragma once
#include <memory>
#include <utility>

#include "base/siphash.hpp"
#include "engine/call.hpp"
#include "engine/engine_impl.hpp"
#include "engine/local_session.hpp"
#include "parley/limits.hpp"
#include "parley/session.hpp"
#include "wire/draft.hpp"

namespace parley::engine {

using Local = std::shared_ptr<parley::detail::LocalSession>;

/// An operation that is refused before it started.
template <class T>
Pending<T> refuse(Error error, Completion<T> done) {
  auto result = std::make_shared<parley::detail::ResultOf<T>>(nullptr, 0);
  Pending<T> pending(result);
  if (done) pending.then(std::move(done));
  result->finish(std::move(error));
  return pending;
}

/// The answer goes to `done`, or to the Pending when there is none.
template <class T, class Expected, class Convert>
Pending<T> start(const Local& session, wire::Operation&& operation, Convert convert,
                 Completion<T> done) {
  if (!session) {
    return refuse<T>({Errc::session_closed, "this Session is attached to nothing"},
                     std::move(done));
  }
  auto started = make_call<T, Expected>(session->engine(), session->shard(), std::move(operation),
                                        std::move(convert));
  if (done) started.pending.then(std::move(done));
  session->submit(std::move(started.call));
  return std::move(started.pending);
}

inline Pending<void> start_simple(const Local& session, wire::Operation&& operation,
                                  Completion<void> done) {
  return start<void, wire::Done>(
      session, std::move(operation), [](wire::Done&) {}, std::move(done));
}

/// A duration that does not fit becomes one that is refused.
inline std::uint32_t to_ms(std::chrono::milliseconds time) {
  return time.count() < 0 || time.count() > UINT32_MAX ? UINT32_MAX
                                                       : static_cast<std::uint32_t>(time.count());
}

inline Pending<void> start_signal(const Local& session, const ConversationId& id, std::string kind,
                                  std::string data, std::chrono::milliseconds lasts,
                                  Completion<void> done) {
  return start_simple(session, wire::SendSignal{id, std::move(kind), std::move(data), to_ms(lasts)},
                      std::move(done));
}

inline Pending<Retention> start_retention(const Local& session, const ConversationId& id,
                                          Completion<Retention> done) {
  return start<Retention, wire::Kept>(
      session, wire::GetRetention{id},
      [](wire::Kept& answer) -> Result<Retention> { return answer.retention; }, std::move(done));
}

inline wire::Edit edit_of(const ConversationId& id, Seq message, std::string_view text,
                          std::string content_type) {
  return {id, message, std::move(content_type), Payload::copy_of(text)};
}

inline Pending<Conversation> start_opening(const Local& session, wire::Operation&& operation,
                                           Completion<Conversation> done) {
  return start<Conversation, wire::Opened>(
      session, std::move(operation),
      [](wire::Opened& answer) -> Result<Conversation> {
        return Conversation(answer.entry.conversation, answer.entry.kind);
      },
      std::move(done));
}

inline Pending<ConversationInfo> start_info(const Local& session, const ConversationId& id,
                                            Completion<ConversationInfo> done) {
  return start<ConversationInfo, wire::Info>(
      session, wire::GetInfo{id},
      [](wire::Info& answer) -> Result<ConversationInfo> { return std::move(answer.info); },
      std::move(done));
}

inline Result<wire::Create> create_of(CreateOptions options) {
  if (options.key.size() > limits::host_key) {
    return Error{Errc::too_large, "key: longer than 128 bytes"};
  }
  wire::Create create;
  create.kind = options.kind;
  create.title = std::move(options.title);
  create.members = std::move(options.members);
  create.space = options.space;
  create.join = options.join;
  if (!options.key.empty()) create.nonce.bytes = base::siphash128({}, options.key);
  return create;
}

inline Pending<Conversation> start_create(const Local& session, CreateOptions options,
                                          Completion<Conversation> done) {
  auto create = create_of(std::move(options));
  if (!create) return refuse<Conversation>(std::move(create).error(), std::move(done));
  return start_opening(session, std::move(*create), std::move(done));
}

inline Pending<Ack> start_send(const Local& session, const ConversationId& id, MessageDraft draft,
                               SendOptions options, Completion<Ack> done) {
  wire::Send send = wire::send_of(id, std::move(draft));
  send.key = std::move(options.key);
  return start<Ack, wire::Acked>(
      session, std::move(send), [](wire::Acked& answer) -> Result<Ack> { return answer.ack; },
      std::move(done));
}

}  // namespace parley::engine
