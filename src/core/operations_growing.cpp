// operations_growing.cpp: messages that grow while they are written.
#include <utility>

#include "base/utf8.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

void Operations::operator()(wire::StartStream&& start) {
  if (!known(start.conversation) || !has_user()) return;
  if (start.content_type == "text/plain") start.content_type.clear();
  if (start.content_type.size() > limits::content_type)
    return void(fail(Errc::too_large, "content_type: longer than 128 bytes"));
  const bool text = start.content_type.empty() || start.content_type.starts_with("text/");
  if (!text || !base::valid_utf8(start.content_type))
    return void(fail(Errc::invalid_argument, "content_type: expected that of a text"));
  const ConversationId id = start.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), start = std::move(start)](
                        ShardState& there, Conversation&) {
    there.growing.start(
        ref, who, start,
        there.answering<wire::StreamStarted>(
            ref, number, [](wire::StreamStarted begun) { return wire::Answer(begun); }));
  });
}

void Operations::operator()(wire::AppendStream&& append) {
  if (!known(append.conversation) || !has_user()) return;
  if (append.text.size() > limits::stream_piece)
    return void(fail(Errc::too_large, "text: more than 16 KiB at once"));
  if (!base::valid_utf8(append.text))
    return void(fail(Errc::invalid_argument, "text: expected UTF-8"));
  const ConversationId id = append.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), append = std::move(append)](
                        ShardState& there, Conversation&) mutable {
    there.growing.append(ref, who, std::move(append), there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::CancelStream&& cancel) {
  if (!known(cancel.conversation) || !has_user()) return;
  shard.at_home(cancel.conversation, [ref = ref, number = number, who = caller(), cancel](
                                         ShardState& there, Conversation&) {
    there.growing.cancel(who, cancel);
    there.answer(ref, number, wire::Done{});
  });
}

void Operations::operator()(wire::GetStream&& get) {
  if (!known(get.conversation) || !has_user()) return;
  shard.at_home(get.conversation, [ref = ref, number = number, who = caller(), get](
                                      ShardState& there, Conversation& home) {
    home.visible(who.user, [&there, ref, number, get](Result<Visible> visible) {
      if (visible && visible->ended) visible = denied();
      auto text = visible ? there.growing.text(get) : std::move(visible).error();
      if (!text) return there.fail(ref, number, std::move(text).error());
      there.answer(ref, number, std::move(*text));
    });
  });
}

}  // namespace parley::core
