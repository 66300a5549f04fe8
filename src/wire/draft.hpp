// wire/draft.hpp: from a host's draft to the request that sends it, and from answers to what a host
// is shown.
#pragma once
#include <cstdint>
#include <utility>

#include "parley/session.hpp"
#include "wire/messages.hpp"

namespace parley::wire {

inline Send send_of(const ConversationId& conversation, MessageDraft draft) {
  Send send;
  send.conversation = conversation;
  send.content_type = std::move(draft.content_type);
  send.body = Payload::copy_of(draft.body);
  send.reply_to = draft.reply_to;
  send.audience = draft.audience;
  send.thread_root = draft.thread_root;
  send.extras = {std::move(draft.mentions), draft.mention_scope, std::move(draft.attachments),
                 std::move(draft.headers)};
  send.forward = draft.forward;
  send.poll = std::move(draft.poll);
  send.stream = draft.stream;
  send.expires_after_ms = static_cast<std::uint64_t>(draft.expires_after.count());
  return send;
}

inline parley::ThreadPage to_page(ThreadPage page) {
  const ConversationId id = page.thread.conversation;
  return {to_thread(page.thread), to_events(Messages{id, std::move(page.records)}), page.more};
}
inline parley::ThreadsPage to_page(const ThreadsPage& page) {
  parley::ThreadsPage out{.more = page.more, .next = page.next};
  for (const ThreadState& thread : page.threads) out.threads.push_back(to_thread(thread));
  return out;
}

}  // namespace parley::wire
