// wire/messages.hpp: every operation and answer as a plain struct, and what is public of them;
// codecs write them as frames or JSON, the core speaks them directly.
#pragma once
#include <vector>

#include "parley/event.hpp"
#include "wire/answers.hpp"
#include "wire/record.hpp"
#include "wire/requests.hpp"

namespace parley::wire {

/// The public view of consecutive events; only the last one's mark is known.
inline std::vector<Event> to_events(const Events& pushed) {
  std::vector<Event> events;
  events.reserve(pushed.records.size());
  for (const Payload& record : pushed.records)
    events.push_back(to_event(pushed.conversation, pushed.epoch, record, 0));
  if (!events.empty()) events.back().mark = pushed.mark;
  return events;
}
/// The public view of messages that came alone, without their stream's epoch and mark.
inline std::vector<Event> to_events(const Messages& messages) {
  std::vector<Event> events;
  events.reserve(messages.records.size());
  for (const Payload& record : messages.records)
    events.push_back(to_event(messages.conversation, {}, record, 0));
  return events;
}

/// What is stored of a poll that closes then, as views of the draft.
inline PollTerms terms_of(const PollDraft& draft, std::int64_t closes_ms) {
  return {{draft.options.begin(), draft.options.end()}, draft.multiple, draft.anonymous, closes_ms};
}

/// The public view of a piece; of the piece's texts.
inline StreamPiece to_piece(const Streamed& piece) {
  return {piece.conversation, piece.stream, piece.sender, piece.content_type, piece.reply_to,
          piece.thread_root,  piece.at,     piece.text,   piece.ended};
}

/// The public view of where a user is in a thread.
inline parley::ThreadState to_thread(const ThreadState& state) {
  return {to_event(state.conversation, {}, state.root, 0), state.followed, state.read,
          state.unread};
}

}  // namespace parley::wire
