// core/event_reader.hpp: reads a range of a stream: open rows, then sealed chunks, guard first; a
// hole means start again (STORE §9).
#pragma once
#include <cstdint>
#include <vector>

#include "core/effects.hpp"
#include "parley/ids.hpp"
#include "parley/result.hpp"
#include "store/layout.hpp"

namespace parley::core {

class RecentPages;

struct ReadRange {
  layout::Space space = layout::conversation;  // or layout::user
  std::string partition;                       // its id (layout::conversation_id ...)
  ConversationId conversation;  // for checksums; user streams: the user id, see layout::stream_of
  layout::Namespace ns = 0;
  Seq from = 1, to = 0;   // inclusive; to == 0: the head. Clipped to [floor, head]
  bool backward = false;  // which end of the range a limit keeps
  std::uint32_t max_events = 256;
  std::uint32_t max_bytes = 256 * 1024;  // at least one event
};
struct EventPage {
  layout::HeadCell head;                    // as the store had it
  std::vector<layout::StoredEvent> events;  // ascending, consecutive; empty when the range is
  bool more = false;                        // the limit cut the range
};
/// Answers Errc::denied when the partition does not exist, store_corrupt on a bad checksum or a
/// hole that stays, and the store's own errors. With `recent`, which must outlive the answer, the
/// store is asked for no more than the guard when that has the range.
void read_events(Effects& effects, ReadRange range, std::function<void(Result<EventPage>)> then,
                 RecentPages* recent = nullptr);

}  // namespace parley::core
