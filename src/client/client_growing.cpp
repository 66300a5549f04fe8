// client_growing.cpp: what a client does with messages that grow. See client.cpp.
#include <utility>

#include "client/client_calls.hpp"

namespace parley::inline v0 {

using client::as;
using client::as_done;
using client::ask;
using client::pending;

void Client::start_stream(const ConversationId& conversation, StreamDraft draft,
                          Completion<Snowflake> done) {
  ask(*impl_,
      wire::StartStream{conversation, std::move(draft.content_type), draft.reply_to,
                        draft.thread_root},
      as<wire::StreamStarted>(std::move(done),
                              [](wire::StreamStarted&& begun) { return begun.stream; }));
}
Pending<Snowflake> Client::start_stream(const ConversationId& conversation, StreamDraft draft) {
  return pending<Snowflake>(*impl_, [&](Completion<Snowflake> done) {
    start_stream(conversation, std::move(draft), std::move(done));
  });
}
void Client::append_stream(const ConversationId& conversation, Snowflake stream, std::uint64_t at,
                           std::string text, Completion<void> done) {
  ask(*impl_, wire::AppendStream{conversation, stream, at, std::move(text)},
      as_done(std::move(done)));
}
Pending<void> Client::append_stream(const ConversationId& conversation, Snowflake stream,
                                    std::uint64_t at, std::string text) {
  return pending<void>(*impl_, [&](Completion<void> done) {
    append_stream(conversation, stream, at, std::move(text), std::move(done));
  });
}
void Client::cancel_stream(const ConversationId& conversation, Snowflake stream,
                           Completion<void> done) {
  ask(*impl_, wire::CancelStream{conversation, stream}, as_done(std::move(done)));
}
Pending<void> Client::cancel_stream(const ConversationId& conversation, Snowflake stream) {
  return pending<void>(
      *impl_, [&](Completion<void> done) { cancel_stream(conversation, stream, std::move(done)); });
}
void Client::stream_text(const ConversationId& conversation, Snowflake stream,
                         Completion<std::string> done) {
  ask(*impl_, wire::GetStream{conversation, stream},
      as<wire::Streamed>(std::move(done),
                         [](wire::Streamed&& all) { return std::move(all.text); }));
}
Pending<std::string> Client::stream_text(const ConversationId& conversation, Snowflake stream) {
  return pending<std::string>(*impl_, [&](Completion<std::string> done) {
    stream_text(conversation, stream, std::move(done));
  });
}

}  // namespace parley::inline v0
