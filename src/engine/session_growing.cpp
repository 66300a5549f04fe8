// session_growing.cpp: what host code's sessions do with messages that grow. See session.cpp.
#include <utility>

#include "engine/start_call.hpp"

namespace parley::inline v0 {
namespace {

using engine::Local;

Pending<Snowflake> begin(const Local& session, const ConversationId& id, StreamDraft draft,
                         Completion<Snowflake> done) {
  return engine::start<Snowflake, wire::StreamStarted>(
      session,
      wire::StartStream{id, std::move(draft.content_type), draft.reply_to, draft.thread_root},
      [](wire::StreamStarted& begun) -> Result<Snowflake> { return begun.stream; },
      std::move(done));
}

Pending<std::string> read_text(const Local& session, const ConversationId& id, Snowflake stream,
                               Completion<std::string> done) {
  return engine::start<std::string, wire::Streamed>(
      session, wire::GetStream{id, stream},
      [](wire::Streamed& all) -> Result<std::string> { return std::move(all.text); },
      std::move(done));
}

}  // namespace

Pending<Snowflake> Session::start_stream(const ConversationId& conversation, StreamDraft draft) {
  return begin(session_, conversation, std::move(draft), {});
}
void Session::start_stream(const ConversationId& conversation, StreamDraft draft,
                           Completion<Snowflake> done) {
  begin(session_, conversation, std::move(draft), std::move(done));
}
Pending<void> Session::append_stream(const ConversationId& conversation, Snowflake stream,
                                     std::uint64_t at, std::string text) {
  return engine::start_simple(session_,
                              wire::AppendStream{conversation, stream, at, std::move(text)}, {});
}
void Session::append_stream(const ConversationId& conversation, Snowflake stream, std::uint64_t at,
                            std::string text, Completion<void> done) {
  engine::start_simple(session_, wire::AppendStream{conversation, stream, at, std::move(text)},
                       std::move(done));
}
Pending<void> Session::cancel_stream(const ConversationId& conversation, Snowflake stream) {
  return engine::start_simple(session_, wire::CancelStream{conversation, stream}, {});
}
void Session::cancel_stream(const ConversationId& conversation, Snowflake stream,
                            Completion<void> done) {
  engine::start_simple(session_, wire::CancelStream{conversation, stream}, std::move(done));
}
Pending<std::string> Session::stream_text(const ConversationId& conversation, Snowflake stream) {
  return read_text(session_, conversation, stream, {});
}
void Session::stream_text(const ConversationId& conversation, Snowflake stream,
                          Completion<std::string> done) {
  read_text(session_, conversation, stream, std::move(done));
}

}  // namespace parley::inline v0
