// hooks.cpp: the host's hooks on their way into the shards: a call that takes too long is logged.
#include <utility>

#include "engine/engine_impl.hpp"
#include "engine/hook_watch.hpp"

namespace parley::inline v0::detail {
namespace {

/// None stays none.
template <class Answer, class... Asked>
std::function<Answer(Asked...)> watched(EngineImpl& engine, const char* name,
                                        const std::function<Answer(Asked...)>& hook) {
  if (!hook) return {};
  return [&engine, name, &hook](Asked... asked) -> Answer {
    const engine::HookWatch watch(engine, name);
    return hook(std::forward<Asked>(asked)...);
  };
}

}  // namespace

void EngineImpl::set_hooks(core::ShardConfig& config) {
  core::ConversationLimits& conversations = config.conversation;
  conversations.before_message = watched(*this, "before_message", options_.before_message);
  conversations.looks_at_messages = options_.before_message_async != nullptr;
  conversations.on_join = watched(*this, "on_join", options_.on_join);
  config.on_connect = watched(*this, "on_connect", options_.on_connect);
  config.after_commit = watched(*this, "after_commit", options_.after_commit);
  config.signal_filter = watched(*this, "signal_filter", options_.signal_filter);
}

}  // namespace parley::inline v0::detail
