// truth_sight.cpp: the host's groups and shadow bans as the streams tell them, and to whom a
// conversation is open.
#include <string>

#include "simulation/report.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

/// A group goes with the membership. Who left a channel by itself left without an event: its groups
/// are thought to be held until an event says more.
void Truth::take_groups(TrueStream& stream, const TrueEvent& event) {
  switch (event.kind) {
    case EventKind::visibility_changed:
      stream.groups[event.target] = event.groups;
      break;
    case EventKind::joined:
    case EventKind::added:
    case EventKind::left:
    case EventKind::removed:
      stream.groups.erase(event.target);
      break;
    default:
      break;
  }
}

/// What somebody who is shadow banned writes is for themselves and moderators, whether they left
/// and came back or not.
void Truth::take_shadow(const ConversationId& id, TrueStream& stream, Seq seq,
                        const TrueEvent& event) {
  if (event.kind == EventKind::visibility_changed) {
    if (event.shadowed)
      stream.shadowed.insert(event.target);
    else
      stream.shadowed.erase(event.target);
  }
  const bool says = (event.kind == EventKind::message && event.written_ms == 0) ||
                    event.kind == EventKind::edited || event.kind == EventKind::pinned ||
                    event.kind == EventKind::unpinned;
  if (!says || !event.sender || !stream.shadowed.contains(event.sender)) return;
  const bool hidden = event.kind == EventKind::message ? event.audience == audience::sender
                                                       : event.audience != audience::everyone;
  if (!hidden)
    throw Broken("C7 conversation " + short_name(id) + " seq " + std::to_string(seq) +
                 ": of who is shadow banned, for others");
}

/// As it is at this look; every commit is looked at before the next one.
void Truth::take_openness(const ConversationId& id, TrueStream& stream) {
  const auto row = info(id);
  if (!row) return;
  const bool open = row->settings.join == JoinRule::open && !row->space;
  (open ? stream.was_open : stream.was_closed) = true;
}

}  // namespace parley::simulation
