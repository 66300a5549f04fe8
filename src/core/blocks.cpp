// blocks.cpp: who of a direct conversation's pair hears nothing of the other. What the blocked one
// writes is for itself alone, like that of somebody shadow banned; nobody tells it so.
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {

void Conversation::State::read_pair(UserId first, UserId second,
                                    std::function<void(const Error&)> then) {
  std::vector<OwnedCell> cells{
      {layout::user, layout::user_id(host.ns(), first), layout::block_key(second)},
      {layout::user, layout::user_id(host.ns(), second), layout::block_key(first)}};
  get(owned_get(std::move(cells)),
      [this, first, second, version = pair.version, then = std::move(then)](Result<Cells> found) {
        if (!found) return then(found.error());
        if (version != pair.version) return read_pair(first, second, then);  // changed meanwhile
        pair.known = true;
        pair.first = found->values[0].has_value();
        pair.second = found->values[1].has_value();
        then({});
      });
}

bool Conversation::State::ignores(UserId user) const noexcept {
  if (info.kind != ConversationKind::direct) return false;
  return (user == info.first && pair.first) || (user == info.second && pair.second);
}

bool Conversation::State::ignored(UserId user) const noexcept {
  if (info.kind != ConversationKind::direct) return false;
  return (user == info.first && pair.second) || (user == info.second && pair.first);
}

void Conversation::block_changed(UserId blocker, bool on) {
  State& state = *state_;
  ++state.pair.version;  // what is being read is read once more
  const bool ready = state.phase == State::Phase::ready;
  const bool born = state.staged && state.staged->info;
  if (!ready && !born) {
    state.pair.known = false;
    return;
  }
  const layout::InfoRow& info = ready ? state.info : *state.staged->info;
  (blocker == info.first ? state.pair.first : state.pair.second) = on;
  if (!ready) return;
  for (const UserId user : {info.first, info.second}) state.host.hearing_changed(id_, user);
}

}  // namespace parley::core
